"""Loading a folder into Delta tables: whole, strict, once, and able to go on after a crash."""

from __future__ import annotations

import json
import os
import shutil
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest

from pipelines.load import load
from pipelines.spaces import Space, registered_spaces
from pipelines.tables import Tables
from tests.pipelines.crashes import CrashError, CrashingTables
from tests.pipelines.folders import (
    QUESTIONS,
    SALES,
    change_schema,
    column,
    make_folder,
    schema,
    write_lines,
)
from tests.pipelines.histories import comparable, rows, versions
from transforms.contracts import BENCHMARKS, EVALUATION_REQUESTS, QUARANTINE, SPACES
from transforms.errors import InvalidInputError

DATA = ("shop_world.shop", "shop_world.sale")


@pytest.fixture
def fresh(tables):
    """The history's tables without the data schema of another test."""
    tables.spark.sql("DROP SCHEMA IF EXISTS shop_world CASCADE")
    return tables


def data(tables, name):
    return [tuple(row) for row in tables.spark.table(name).orderBy("id").collect()]


def test_a_folder_becomes_tables_benchmarks_and_one_space_per_system(fresh, tmp_path):
    report = load(fresh, make_folder(tmp_path))
    assert [(t.name, t.row_count, t.quarantined_count) for t in report.tables] == [
        ("shop_world.shop", 3, 0),
        ("shop_world.sale", 4, 0),
    ]
    assert [s.space_id for s in report.spaces] == ["shop_world-right", "shop_world-wrong"]
    assert [s.answer_count for s in report.spaces] == [4, 4]
    assert data(fresh, "shop_world.sale")[0] == (1, 1, date(2024, 1, 1), Decimal("10.50"))
    assert len(rows(fresh, BENCHMARKS)) == 2 * len(QUESTIONS)
    assert sum(report.split_counts.values()) == len(QUESTIONS)
    assert {(r["space_id"], r["kind"], r["ordinal"]) for r in rows(fresh, EVALUATION_REQUESTS)} == {
        ("shop_world-right", "baseline", 1),
        ("shop_world-wrong", "baseline", 1),
    }
    registered = registered_spaces(fresh)["shop_world-right"].space
    assert registered.data_schema == "shop_world"
    assert registered.answerer == f"recorded:{tmp_path / 'shop_world' / 'answers' / 'right.jsonl'}"
    assert report.wrote == 5


def test_types_comments_and_keys_are_kept(fresh, tmp_path):
    load(fresh, make_folder(tmp_path))
    table = fresh.spark.table("shop_world.sale")
    assert dict(table.dtypes) == {
        "id": "bigint", "shop_id": "bigint", "sold_on": "date", "price": "decimal(8,2)",
    }  # fmt: skip
    assert table.schema["sold_on"].metadata["comment"] == "day of the sale"
    detail = fresh.spark.sql("DESCRIBE DETAIL shop_world.shop").collect()[0]
    assert detail.description == "Where we sell"
    assert json.loads(detail.properties["genie_loop.primary_key"]) == ["id"]
    properties = fresh.spark.sql("DESCRIBE DETAIL shop_world.sale").collect()[0].properties
    assert json.loads(properties["genie_loop.foreign_keys"]) == [
        {"column": "shop_id", "references": "shop.id"}
    ]


def test_loading_the_same_folder_again_commits_nothing(fresh, tmp_path):
    folder = make_folder(tmp_path)
    load(fresh, folder)
    before = versions(fresh, *DATA)
    report = load(fresh, folder)
    assert report.wrote == 0
    assert versions(fresh, *DATA) == before


def test_changed_rows_replace_a_table_in_one_commit_and_touch_nothing_else(fresh, tmp_path):
    folder = make_folder(tmp_path)
    load(fresh, folder)
    before = versions(fresh, *DATA)
    (folder / "tables" / "sale.csv").write_text(SALES + "5,3,2024-04-01,1.00\n")
    assert load(fresh, folder).wrote == 1
    assert versions(fresh, *DATA) == {**before, "shop_world.sale": 1}
    assert len(data(fresh, "shop_world.sale")) == 5


def test_a_changed_question_is_a_new_version_and_asks_for_no_evaluation(fresh, tmp_path):
    folder = make_folder(tmp_path, answers={"right": []})
    load(fresh, folder)
    changed = {**QUESTIONS[1], "expected_sql": "SELECT id FROM shop WHERE country = 'Peru'"}
    write_lines(folder / "questions.jsonl", [QUESTIONS[0], changed, *QUESTIONS[2:]])
    report = load(fresh, folder)
    assert (report.wrote, report.request_ids) == (1, ())
    of_q2 = {r["benchmark_version"]: r for r in rows(fresh, BENCHMARKS) if r["question_id"] == "q2"}
    assert of_q2[2]["expected_sql"] == changed["expected_sql"]
    assert of_q2[2]["split"] == of_q2[1]["split"]


MISFITS = (
    ("5,x,2024-04-01,1.00", "column shop_id: x is not BIGINT"),
    ("5,1.5,2024-04-01,1.00", "column shop_id: 1.5 is not BIGINT"),
    ("5,1,2024-02-30,1.00", "column sold_on: 2024-02-30 is not DATE"),
    ("5,1,2024-02-03 10:00:00,1.00", "column sold_on: 2024-02-03 10:00:00 is not DATE"),
    ("5,1,2024-02-03,1.005", "column price: 1.005 is not DECIMAL(8,2)"),
    ("5,1,2024-02-03,1234567.00", "column price: 1234567.00 is not DECIMAL(8,2)"),
    ("99999999999999999999,1,2024-02-03,1", "id: 99999999999999999999 is not BIGINT"),
    ("x,y,2024-02-03,1", "column id: x is not BIGINT; column shop_id: y is not BIGINT"),
    ("5,1,2024-02-03", "the row has more or fewer values than the header"),
    ("5,1,2024-02-03,1,9", "the row has more or fewer values than the header"),
)


def test_rows_that_do_not_fit_are_quarantined_with_reasons_and_the_rest_loads(fresh, tmp_path):
    folder = make_folder(tmp_path)
    lines = "".join(f"{line}\n" for line, _ in MISFITS)
    (folder / "tables" / "sale.csv").write_text(SALES + lines)
    sale = load(fresh, folder).tables[1]
    assert (sale.row_count, sale.quarantined_count) == (4, len(MISFITS))
    assert len(data(fresh, "shop_world.sale")) == 4
    found = {row["source_line"]: row for row in rows(fresh, QUARANTINE)}
    for number, (_, reason) in enumerate(MISFITS, start=len(SALES.splitlines()) + 1):
        assert reason in found[number]["reason"]
        assert found[number]["intended_table"] == "shop_world.sale"
        assert found[number]["source_path"] == "shop_world/tables/sale.csv"
    assert len(found) == len(MISFITS)
    before = versions(fresh, *DATA)
    assert load(fresh, folder).wrote == 0
    assert versions(fresh, *DATA) == before


def test_parquet_values_that_would_change_when_cast_are_quarantined(fresh, tmp_path):
    import pyarrow
    import pyarrow.parquet

    folder = make_folder(tmp_path)
    change_schema(folder, "shop", 1, name="size", spark_type="INT")
    table = pyarrow.table(
        {"id": [1, 2, 3], "size": [1.0, 2.5, None], "country": ["Peru", "Chile", None]}
    )
    pyarrow.parquet.write_table(table, folder / "tables" / "shop.parquet")
    load(fresh, folder)
    assert data(fresh, "shop_world.shop") == [(1, 1, "Peru"), (3, None, None)]
    (row,) = rows(fresh, QUARANTINE)
    assert (row["source_line"], "size: 2.5 is not INT" in row["reason"]) == (2, True)
    assert json.loads(row["raw_row"]) == {"id": 2, "size": 2.5, "country": "Chile"}


def test_nested_values_are_loaded_from_parquet_as_they_are(fresh, tmp_path):
    import pyarrow
    import pyarrow.parquet

    folder = make_folder(tmp_path)
    change_schema(folder, "shop", 1, spark_type="STRUCT<short: STRING, also: ARRAY<STRING>>")
    names = [{"short": "a", "also": ["b", None]}, {"short": None, "also": []}, None]
    table = pyarrow.table({"id": [1, 2, 3], "name": names, "country": ["Peru", "Peru", None]})
    pyarrow.parquet.write_table(table, folder / "tables" / "shop.parquet")
    load(fresh, folder)
    assert [row[1] for row in data(fresh, "shop_world.shop")] == [
        ("a", ["b", None]),
        (None, []),
        None,
    ]


def test_a_type_that_no_value_can_be_cast_to_is_a_fault(fresh, tmp_path):
    import pyarrow
    import pyarrow.parquet

    folder = make_folder(tmp_path)
    table = pyarrow.table({"id": [[1], [2], [3]], "name": ["a", "b", "c"], "country": ["", "", ""]})
    pyarrow.parquet.write_table(table, folder / "tables" / "shop.parquet")
    with pytest.raises(InvalidInputError, match=r"shop\.parquet: cannot be read as declared"):
        load(fresh, folder)
    assert not fresh.spark.catalog.databaseExists("shop_world")


def test_quoted_values_line_breaks_and_blanks_in_csv_are_read_as_they_are(fresh, tmp_path):
    folder = make_folder(tmp_path, answers={})
    columns = [column("id", "INT"), column("text", "STRING"), column("size", "DOUBLE")]
    raw = {"tables": {"note": {"columns": columns}}}
    (folder / "schema.json").write_text(json.dumps(raw))
    for path in (folder / "tables").iterdir():
        path.unlink()
    text = 'text,id,size\n"a, ""b""\nc",1,1.5\n"",2,\n,3,""\n  x ,4,"2"\n00123,5,-0.0\n'
    (folder / "tables" / "note.csv").write_text(text)
    load(fresh, folder)
    assert data(fresh, "shop_world.note") == [
        (1, 'a, "b"\nc', 1.5), (2, "", None), (3, None, None), (4, "  x ", 2.0),
        (5, "00123", 0.0),
    ]  # fmt: skip


def test_names_with_blanks_and_brackets_can_be_loaded(fresh, tmp_path):
    folder = make_folder(tmp_path, answers={})
    raw = {"tables": {"school": {"columns": [column("id", "INT"), column("Share (%)", "DOUBLE")]}}}
    (folder / "schema.json").write_text(json.dumps(raw))
    for path in (folder / "tables").iterdir():
        path.unlink()
    (folder / "tables" / "school.csv").write_text("id,Share (%)\n1,0.5\n2,x\n")
    load(fresh, folder)
    assert data(fresh, "shop_world.school") == [(1, 0.5)]


def test_nothing_is_written_when_the_folder_has_a_fault(fresh, tmp_path):
    folder = make_folder(tmp_path)
    change_schema(folder, "shop", 1, spark_type="TEXT")
    before = versions(fresh)
    with pytest.raises(InvalidInputError):
        load(fresh, folder)
    assert versions(fresh) == before
    assert not fresh.spark.catalog.databaseExists("shop_world")


def test_a_table_that_was_not_loaded_is_never_overwritten(fresh, tmp_path):
    fresh.spark.sql("CREATE SCHEMA shop_world")
    fresh.spark.sql("CREATE TABLE shop_world.shop (id BIGINT) USING DELTA")
    with pytest.raises(InvalidInputError, match="was not loaded from a folder"):
        load(fresh, make_folder(tmp_path))
    assert fresh.spark.catalog.tableExists("shop_world.shop")
    assert not fresh.spark.catalog.tableExists("shop_world.sale")


def test_a_folder_without_answers_is_a_space_that_nobody_answers_for(fresh, tmp_path):
    report = load(fresh, make_folder(tmp_path, answers={}))
    assert [(s.space_id, s.answerer) for s in report.spaces] == [("shop_world", None)]
    assert report.request_ids == ()


def test_what_people_set_is_kept_when_the_folder_is_loaded_again(fresh, tmp_path):
    folder = make_folder(tmp_path, answers={"right": []})
    raw = {**schema(), "space": {"title": "Shops", "instructions": ["Prices are in euros."]}}
    (folder / "schema.json").write_text(json.dumps(raw))
    load(fresh, folder, policy="auto_low_risk")
    raw["space"]["instructions"] = ["Other."]
    (folder / "schema.json").write_text(json.dumps(raw))
    assert load(fresh, folder).wrote == 0
    space = registered_spaces(fresh)["shop_world-right"].space
    assert (space.policy, space.title) == ("auto_low_risk", "Shops, answered by right")
    assert space.parsed_config.instructions == ("Prices are in euros.",)


@pytest.mark.slow
def test_a_crash_after_a_commit_and_a_second_try_leave_what_one_try_leaves(fresh, tmp_path):
    """With rows set aside; tests/walk kills after every commit."""
    folder = make_folder(tmp_path)
    (folder / "tables" / "sale.csv").write_text(SALES + "5,x,2024-04-01,1.00\n")
    crashing = CrashingTables(fresh.spark, clock=fresh.clock).arm(2)
    with pytest.raises(CrashError):
        load(crashing, folder)
    load(fresh, folder)
    found = comparable(fresh)
    assert {name: len(found[name]) for name in found if found[name]} == {
        "quarantine": 1,
        "benchmarks": 2 * len(QUESTIONS),
        "spaces": 2,
        "evaluation_requests": 2,
    }
    before = versions(fresh, *DATA)
    fresh.spark.range(1).createOrReplaceTempView("somebody_s_view")  # is no table of the schema
    assert load(fresh, folder).wrote == 0
    assert versions(fresh, *DATA) == before
    fresh.spark.catalog.dropTempView("somebody_s_view")


def test_a_crash_between_a_tables_commit_and_its_entry_in_the_catalog_is_made_good(
    fresh, tmp_path, home
):
    """What a kill leaves behind: the folder with its log, and no table of that name."""
    folder = make_folder(tmp_path)
    load(fresh, folder)
    table = home.table_path("shop_world", "shop")
    shutil.copytree(table, tmp_path / "left behind")
    fresh.spark.sql("DROP TABLE shop_world.shop")
    shutil.copytree(tmp_path / "left behind", table, dirs_exist_ok=True)
    load(fresh, folder)
    assert len(data(fresh, "shop_world.shop")) == 3


def real_data() -> Path:
    return Path(os.environ.get("GENIE_LOOP_DATA") or "../shared/data").resolve()


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "tables_", "rows_", "questions", "systems"),
    [("superhero", 10, 10_614, 64, 4), ("world_1", 3, 5_302, 116, 5)],
)
def test_the_real_databases_load_as_they_are(tables, name, tables_, rows_, questions, systems):
    folder = real_data() / name
    if not folder.is_dir():
        pytest.skip(f"the real data is not at {folder}; set GENIE_LOOP_DATA")
    tables.spark.sql(f"DROP SCHEMA IF EXISTS {name} CASCADE")
    report = load(tables, folder)
    assert len(report.tables) == tables_
    assert sum(table.row_count for table in report.tables) == rows_
    assert (report.question_count, len(report.spaces)) == (questions, systems)
    assert report.quarantined_question_count == 0
    assert rows(tables, QUARANTINE) == []
    assert load(tables, folder).wrote == 0
    tables.spark.sql(f"DROP SCHEMA {name} CASCADE")


def test_a_registration_that_comes_back_is_the_newest_again(fresh):
    from datetime import UTC, datetime, timedelta

    from pipelines.spaces import register_spaces

    ticks = iter(range(100))
    ticking = Tables(
        fresh.spark,
        clock=lambda: datetime(2026, 1, 1, tzinfo=UTC) + timedelta(seconds=next(ticks)),
    )
    first = Space("s", "Title", "domain", "schema", answerer="recorded:/a")
    second = Space("s", "Title", "domain", "schema", answerer="recorded:/b")
    for space in (first, second, first, first):
        register_spaces(ticking, [space])
    assert registered_spaces(ticking)["s"].space == first
    assert len(rows(fresh, SPACES)) == 3
