"""Tables on a real session: created once, appended to once, merged by key, never altered."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from deltalake import DeltaTable as DeltaRsTable
from deltalake import write_deltalake
from pyspark.sql import SparkSession
from pyspark.sql import functions as F

from jobs.home import Home
from pipelines.ddl import create_table_sql
from pipelines.drift import differences, read_detail
from pipelines.tables import Tables
from tests.conftest import NOW
from tests.frames import assert_same_rows
from transforms.change_views import BATCH_PROGRESS
from transforms.contracts import (
    APPROVALS,
    BENCHMARKS,
    EVAL_RESULTS,
    JUDGE_VERDICTS,
    LEVER_AUDIT,
    PROFILES,
    TABLES,
    Table,
)
from transforms.errors import ContractDriftError, ContractViolationError
from transforms.views import VIEWS


def approval(number: int, **changes: Any) -> dict[str, Any]:
    return {
        "space_id": "s",
        "decision_id": f"decision-{number}",
        "batch_id": "batch-1",
        "content_hash": "h",
        "decision": "approved",
        "decided_by": "ada",
        **changes,
    }


def audit(lever: int, **changes: Any) -> dict[str, Any]:
    return {
        "space_id": "s",
        "cycle": 1,
        "lever": lever,
        "is_attempted": False,
        "proposals_generated": 0,
        "proposals_applied": 0,
        "skip_reason": "nothing to do",
        "is_final": False,
        "evaluation_id": "evaluation-1",
        **changes,
    }


def versions(home: Home, tables: Tables) -> dict[str, int]:
    return {
        table.name: DeltaRsTable(home.table_path(tables.schema, table.name)).version()
        for table in TABLES
    }


def version(home: Home, tables: Tables, table: Table) -> int:
    return DeltaRsTable(home.table_path(tables.schema, table.name)).version()


def test_creating_twice_commits_nothing(tables: Tables, home: Home):
    before = versions(home, tables)
    report = tables.create()
    assert report.created == ()
    assert {table.name for table in TABLES} <= set(report.unchanged)
    assert versions(home, tables) == before == {table.name: 0 for table in TABLES}


@pytest.mark.parametrize("table", TABLES, ids=lambda table: table.name)
def test_delta_rs_reads_every_table_with_its_whole_contract(
    tables: Tables, home: Home, table: Table
):
    there = DeltaRsTable(home.table_path(tables.schema, table.name))
    fields = {field.name: field for field in there.schema().fields}
    assert tuple(fields) == table.columns
    assert {name: field.nullable for name, field in fields.items()} == {
        field.name: field.is_nullable for field in table.fields
    }
    assert {name: field.metadata["comment"] for name, field in fields.items()} == {
        field.name: field.comment for field in table.fields
    }
    assert there.metadata().description == table.comment
    assert there.to_pyarrow_table().num_rows == 0
    features = set(there.protocol().reader_features or ())
    assert features == set(), "readers need no feature that they may not know"


def test_drifted_tables_are_all_named_at_once_and_left_alone(tables: Tables, home: Home):
    spark = tables.spark
    spark.sql(f"COMMENT ON TABLE {tables.name(APPROVALS)} IS 'Something else'")
    spark.sql(f"ALTER TABLE {tables.name(LEVER_AUDIT)} ADD COLUMNS (a INT, b INT)")
    before = versions(home, tables)
    with pytest.raises(ContractDriftError) as raised:
        tables.create()
    said = str(raised.value)
    assert "approvals: the table's comment is 'Something else'" in said
    assert "lever_audit: column a is not in the contract" in said
    assert "lever_audit: column b is not in the contract" in said
    assert versions(home, tables) == before


def test_nothing_is_created_next_to_a_drifted_table(spark: SparkSession, fixed_clock):
    other = Tables(spark, schema="drifted", clock=fixed_clock)
    spark.sql("CREATE SCHEMA IF NOT EXISTS drifted")
    spark.sql(f"CREATE TABLE {other.name(APPROVALS)} (space_id INT) USING DELTA")
    with pytest.raises(ContractDriftError, match="approvals: column space_id is int, not string"):
        other.create()
    there = {row.tableName for row in spark.sql("SHOW TABLES IN drifted").collect()}
    assert there == {"approvals"}


def test_rows_are_stamped_and_stand_in_the_contract_s_order(tables: Tables):
    rows = tables.spark.createDataFrame(
        [("ada", "s", "d", "b", "h", "approved", None)],
        "decided_by STRING, space_id STRING, decision_id STRING, batch_id STRING, "
        "content_hash STRING, decision STRING, reason STRING",
    )
    assert tables.append(APPROVALS, rows, transaction="t")
    written = tables.read(APPROVALS)
    assert tuple(written.columns) == APPROVALS.columns
    assert_same_rows(written, rows.withColumn("recorded_at", F.lit(NOW)).select(*written.columns))


def test_an_append_that_is_replayed_commits_nothing(tables: Tables, home: Home):
    assert tables.append_rows(APPROVALS, [approval(1)], transaction="evaluation-1")
    after = version(home, tables, APPROVALS)
    assert not tables.append_rows(APPROVALS, [approval(1)], transaction="evaluation-1")
    assert not tables.append_rows(APPROVALS, [approval(2)], transaction="evaluation-1")
    assert version(home, tables, APPROVALS) == after
    assert tables.append_rows(APPROVALS, [approval(2)], transaction="evaluation-2")
    assert tables.append_rows(APPROVALS, [approval(3)], transaction="evaluation-1", version=2)
    assert tables.read(APPROVALS).count() == 3


def test_appending_no_rows_commits_nothing(tables: Tables, home: Home):
    assert not tables.append_rows(APPROVALS, [], transaction="t")
    assert not tables.append(APPROVALS, tables.read(APPROVALS), transaction="t")
    assert version(home, tables, APPROVALS) == 0


VIOLATIONS = {
    "a CHECK": (approval(1, decision="perhaps"), "the CHECK constraint decision_known"),
    "a CHECK on a length": (approval(1, decided_by=""), "the CHECK constraint someone_decided"),
    "a NULL": (approval(1, batch_id=None), "column batch_id must not be NULL"),
    "an unknown column": (approval(1, mood="good"), "no such column: mood"),
    "several": (
        {"space_id": "s", "mood": "good", "decision_id": "d", "batch_id": "b", "reason": None},
        "column decision must not be NULL; no such column: mood",
    ),
}


@pytest.mark.parametrize(("row", "said"), VIOLATIONS.values(), ids=VIOLATIONS.keys())
def test_a_row_that_the_contract_forbids_is_refused_with_its_reason(
    tables: Tables, home: Home, row: dict[str, Any], said: str
):
    with pytest.raises(ContractViolationError) as raised:
        tables.append_rows(APPROVALS, [row], transaction="t")
    assert str(raised.value).startswith("approvals: ")
    assert said in str(raised.value)
    assert version(home, tables, APPROVALS) == 0


def test_a_violated_check_shows_its_condition_and_the_row_s_values(tables: Tables):
    with pytest.raises(ContractViolationError) as raised:
        tables.append_rows(APPROVALS, [approval(1, decision="perhaps")], transaction="t")
    said = str(raised.value)
    assert "decision IN ('approved', 'declined', 'rolled_back')" in said
    assert "perhaps" in said
    assert "\tat " not in said, "no stack trace"


def test_a_null_in_a_frame_is_refused_by_delta(tables: Tables):
    rows = tables.frame(APPROVALS, [approval(1)]).withColumn("batch_id", F.lit(None).cast("string"))
    with pytest.raises(ContractViolationError, match="batch_id must not be NULL"):
        tables.append(APPROVALS, rows, transaction="t")


def test_other_errors_keep_their_type(tables: Tables):
    rows = tables.frame(APPROVALS, [approval(1)]).drop("batch_id")
    with pytest.raises(Exception, match="batch_id") as raised:
        tables.append(APPROVALS, rows, transaction="t")
    assert not isinstance(raised.value, ContractViolationError)


def test_a_merge_inserts_what_is_new_and_updates_what_is_named(tables: Tables):
    tables.append_rows(LEVER_AUDIT, [audit(1), audit(2)], transaction="t")
    rows = tables.frame(
        LEVER_AUDIT,
        [audit(2, is_final=True, skip_reason="not named"), audit(3, is_final=True)],
    )
    assert tables.merge(LEVER_AUDIT, rows, update=["is_final"])
    merged = {row.lever: row for row in tables.read(LEVER_AUDIT).collect()}
    assert {lever: row.is_final for lever, row in merged.items()} == {1: False, 2: True, 3: True}
    assert merged[2].skip_reason == "nothing to do"


NO_OPS: dict[str, dict[str, Any]] = {
    "the same rows": {"update": ["is_final", "skip_reason"]},
    "the same rows later": {"update": ["is_final", "recorded_at"]},
    "other values that are not named": {"changes": {"skip_reason": "other"}},
    "other values where the condition does not hold": {
        "changes": {"skip_reason": "other"},
        "update": ["skip_reason"],
        "matched_when": "t.is_final",
    },
}


@pytest.mark.parametrize("case", NO_OPS.values(), ids=NO_OPS.keys())
def test_a_merge_that_changes_nothing_commits_nothing(
    tables: Tables, home: Home, case: dict[str, Any]
):
    tables.append_rows(LEVER_AUDIT, [audit(1), audit(2)], transaction="t")
    before = version(home, tables, LEVER_AUDIT)
    later = {"recorded_at": NOW.replace(year=2027), **case.get("changes", {})}
    rows = tables.frame(LEVER_AUDIT, [audit(1, **later), audit(2, **later)])
    assert not tables.merge(
        LEVER_AUDIT,
        rows,
        update=case.get("update", ()),
        matched_when=case.get("matched_when"),
    )
    assert version(home, tables, LEVER_AUDIT) == before


def test_a_merge_updates_only_where_the_condition_holds(tables: Tables):
    tables.append_rows(LEVER_AUDIT, [audit(1, is_final=True), audit(2)], transaction="t")
    rows = tables.frame(LEVER_AUDIT, [audit(lever, proposals_generated=5) for lever in (1, 2)])
    assert tables.merge(
        LEVER_AUDIT, rows, update=["proposals_generated"], matched_when="NOT t.is_final"
    )
    merged = {row.lever: row.proposals_generated for row in tables.read(LEVER_AUDIT).collect()}
    assert merged == {1: 0, 2: 5}


def test_two_rows_of_one_key_are_refused_before_anything_is_merged(tables: Tables, home: Home):
    rows = tables.frame(LEVER_AUDIT, [audit(1), audit(1, is_final=True)])
    with pytest.raises(ContractViolationError, match="2 rows to merge have the same key"):
        tables.merge(LEVER_AUDIT, rows)
    assert version(home, tables, LEVER_AUDIT) == 0


def test_a_row_that_the_contract_forbids_is_not_merged(tables: Tables, home: Home):
    rows = tables.frame(LEVER_AUDIT, [audit(7)])
    with pytest.raises(ContractViolationError, match="lever_known"):
        tables.merge(LEVER_AUDIT, rows)
    assert version(home, tables, LEVER_AUDIT) == 0


def profile(column: str | None) -> dict[str, Any]:
    return {
        "space_id": "s",
        "profile_id": f"profile-{column}",
        "table_name": "d.t",
        "table_version": 0,
        "column_name": column,
        "is_primary_key": False,
        "row_count": 1,
        "is_sample_complete": True,
    }


def test_a_null_in_a_key_is_a_value_like_any_other(tables: Tables):
    rows = tables.frame(PROFILES, [profile(None), profile("a")])
    assert tables.merge(PROFILES, rows)
    assert not tables.merge(PROFILES, rows)
    more = tables.frame(PROFILES, [profile(None), profile("a"), profile("b")])
    assert [row.column_name for row in tables.new_only(PROFILES, more).collect()] == ["b"]


def test_commits_happen_inside_the_guard_one_at_a_time(spark: SparkSession, tables: Tables):
    entered: list[str] = []

    @contextmanager
    def guard():
        entered.append("in")
        yield
        entered.append("out")

    guarded = Tables(spark, clock=tables.clock, commit_guard=guard)
    guarded.append_rows(APPROVALS, [approval(1)], transaction="t")
    guarded.merge(LEVER_AUDIT, guarded.frame(LEVER_AUDIT, [audit(1)]))
    guarded.merge(LEVER_AUDIT, guarded.frame(LEVER_AUDIT, [audit(1)]))
    assert entered == ["in", "out"] * 2


def test_delta_rs_appends_to_approvals_and_spark_reads_it(tables: Tables, home: Home):
    tables.append_rows(APPROVALS, [approval(1)], transaction="t")
    path = home.table_path(tables.schema, "approvals")
    schema = DeltaRsTable(path).to_pyarrow_table().schema
    row = pa.Table.from_pylist([approval(2, recorded_at=NOW, reason=None)], schema=schema)
    write_deltalake(path, row, mode="append")
    assert tables.read(APPROVALS).count() == 2
    bad = pa.Table.from_pylist(
        [approval(3, recorded_at=NOW, reason=None, decision="perhaps")], schema=schema
    )
    with pytest.raises(Exception, match="decision"):
        write_deltalake(path, bad, mode="append")
    assert tables.read(APPROVALS).count() == 2


def test_names_are_quoted(spark: SparkSession, fixed_clock):
    odd = Tables(spark, schema="odd `name`", catalog="spark_catalog", clock=fixed_clock)
    assert odd.name(BENCHMARKS) == "`spark_catalog`.`odd ``name```.`benchmarks`"


def test_tables_lie_where_the_home_says(tables: Tables, home: Home):
    path = home.table_path(tables.schema, BENCHMARKS.name)
    assert (path / "_delta_log").is_dir()
    assert path == Path(home.root) / "warehouse" / "genie_loop.db" / "benchmarks"


def test_a_view_is_made_anew_when_one_that_it_reads_is_another(tables, spark, monkeypatch):
    tables.create()
    wider = replace(BATCH_PROGRESS, sql=f"SELECT p.*, 1 AS one FROM ({BATCH_PROGRESS.sql}) AS p")
    changed = tuple(wider if view.name == wider.name else view for view in VIEWS)
    monkeypatch.setattr("transforms.views.VIEWS", changed)
    monkeypatch.setattr("pipelines.views.VIEWS", changed)
    report = tables.create()
    assert {"batch_progress", "batch_states"} <= set(report.created)
    assert "one" in spark.table(f"{tables.schema}.batch_states").columns
    monkeypatch.undo()
    tables.create()
    assert "one" not in spark.table(f"{tables.schema}.batch_states").columns


def test_a_table_of_an_earlier_version_gets_its_new_columns_and_keeps_its_rows(
    spark: SparkSession, home: Home, fixed_clock
):
    early = replace(
        EVAL_RESULTS, fields=tuple(field for field in EVAL_RESULTS.fields if not field.is_added)
    )
    tables = Tables(spark, schema="early", clock=fixed_clock)
    spark.sql("CREATE SCHEMA IF NOT EXISTS early")
    spark.sql(create_table_sql(early, tables.name(early)))
    row = {name: "x" for name in early.columns if name not in ("recorded_at", "is_correct")}
    row |= {"attempt": 1, "benchmark_version": 1, "ask_count": 1, "split": "train"}
    row |= {"answer_outcome": "answered", "outcome": "incorrect", "latency_ms": 1}
    row |= {"expected_row_count": 1, "genie_row_count": 1}
    tables._append(early, tables.frame(early, [row]), "t", 1)

    assert tables.upgrade() == tuple(
        f"eval_results has the new column {field.name}" for field in EVAL_RESULTS.added
    )
    assert tuple(tables.read(EVAL_RESULTS).columns) == EVAL_RESULTS.columns
    (found,) = tables.read(EVAL_RESULTS).collect()
    assert (found["question_id"], found["is_coincidental"]) == ("x", None)
    assert tables.upgrade() == ()


def test_a_constraint_of_an_earlier_version_comes_to_allow_more(
    spark: SparkSession, home: Home, fixed_clock
):
    checks = JUDGE_VERDICTS.checks | JUDGE_VERDICTS.former_checks
    early = replace(JUDGE_VERDICTS, checks=checks)
    tables = Tables(spark, schema="early_checks", clock=fixed_clock)
    spark.sql("CREATE SCHEMA IF NOT EXISTS early_checks")
    name = tables.name(early)
    spark.sql(create_table_sql(early, name))
    row = {
        field.name: {"STRING": "x", "INT": 1, "DOUBLE": 0.5}[field.data_type]
        for field in JUDGE_VERDICTS.fields
        if field.name != "recorded_at"
    }
    row |= {"judge": "repeatability", "value": "yes", "split": "train"}
    with pytest.raises(ContractViolationError, match="judge_known"):
        tables._append(JUDGE_VERDICTS, tables.frame(JUDGE_VERDICTS, [row]), "t", 1)

    def drift():
        return differences(JUDGE_VERDICTS, spark.table(name).schema, read_detail(spark, name))

    assert drift() == ()
    renewed = "judge_verdicts allows more by the constraint judge_known"
    assert tables.upgrade() == (renewed,)
    tables._append(JUDGE_VERDICTS, tables.frame(JUDGE_VERDICTS, [row]), "t", 2)
    assert tables.read(JUDGE_VERDICTS).count() == 1
    assert (tables.upgrade(), drift()) == ((), ())
    spark.sql(f"ALTER TABLE {name} DROP CONSTRAINT judge_known")  # a renewal that was cut off
    assert tables.upgrade() == (renewed,)
    spark.sql(f"ALTER TABLE {name} DROP CONSTRAINT judge_known")
    spark.sql(f"ALTER TABLE {name} ADD CONSTRAINT judge_known CHECK (judge IS NOT NULL)")
    assert tables.upgrade() == ()
    assert "judge_known" in " ".join(drift())
