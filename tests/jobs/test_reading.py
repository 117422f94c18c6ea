"""Listing commands read what Spark would, without Spark."""

from __future__ import annotations

import subprocess
import sys
from datetime import UTC, datetime

import pyarrow as pa
import pytest
from deltalake import write_deltalake
from hypothesis import given
from hypothesis import strategies as st

from jobs.home import Home
from jobs.reading import History, bind, views_for
from tests.jobs import seeded
from transforms.contracts import BATCHES, EVAL_RESULTS, TABLES
from transforms.errors import MissingRuntimeError
from transforms.views import VIEWS

ADDED = [field.name for field in EVAL_RESULTS.added]


@pytest.fixture(scope="module")
def shop(tmp_path_factory) -> History:
    home = Home(tmp_path_factory.mktemp("shop"))
    seeded.shop(home)
    return History(home)


def test_rows_come_as_plain_values(shop):
    (row,) = shop.select(
        "SELECT outcome_counts, data_versions, splits, started_at FROM evaluations"
    )
    assert row["outcome_counts"] == {"correct": 1, "incorrect": 3}
    assert row["data_versions"] == {"shop.orders": 0}
    assert row["splits"][0]["split"] == "train"
    assert row["started_at"] == datetime(2026, 3, 1, 12, tzinfo=UTC)


def test_an_empty_result_is_an_empty_list(shop):
    assert shop.select("SELECT * FROM approvals") == []


@pytest.mark.parametrize("view", VIEWS, ids=lambda view: view.name)
def test_every_view_runs_without_a_jvm(shop, view):
    assert isinstance(shop.select(f"SELECT * FROM {view.name}"), list)


def test_a_query_over_a_view_brings_along_the_views_it_needs_and_no_others():
    needed = [view.partition(" AS ")[0] for view in views_for("SELECT * FROM batch_states")]
    assert needed.index("batch_progress") < needed.index("batch_states")
    assert "cluster_states" not in needed
    assert views_for("SELECT * FROM batches") == []


def test_columns_that_an_earlier_version_did_not_have_are_null(tmp_path):
    home = Home(tmp_path)
    columns = [name for name in EVAL_RESULTS.columns if name not in ADDED]
    early = pa.table({name: pa.array(["x"]) for name in columns})
    write_deltalake(home.table_path("genie_loop", EVAL_RESULTS.name), early)
    (row,) = History(home).select("SELECT q.*, q.is_coincidental AS c FROM eval_results q")
    assert {name: row[name] for name in ADDED} == dict.fromkeys(ADDED)
    assert (row["question_id"], row["c"]) == ("x", None)


def test_only_the_tables_of_the_query_have_to_be_there(tmp_path):
    home = Home(tmp_path)
    home.create()
    history = History(home)
    assert not history.is_there
    seeded.append(home, BATCHES, [seeded.batch(1)])
    assert history.is_there
    assert len(history.select("SELECT * FROM batches")) == 1
    with pytest.raises(MissingRuntimeError, match="the table approvals is not there"):
        history.select("SELECT * FROM approvals")


@given(st.text() | st.sampled_from(["'", "''", "\\'", "x' OR '1' = '1", ":name", "'; DROP TABLE"]))
def test_a_parameter_is_a_value_whatever_it_says(shop, text):
    (row,) = shop.select("SELECT :text AS said FROM spaces", text=text)
    assert row["said"] == text


def test_parameters_of_every_kind_become_literals():
    sql = "a = :a AND b IN :b AND c < :c AND :d IS NULL AND e IN :e AND f::INT = 1"
    bound = bind(sql, {"a": "x", "b": ["y", "z'"], "c": 3, "d": None, "e": []})
    assert bound == (
        "a = 'x' AND b IN ('y', 'z''') AND c < 3 AND NULL IS NULL AND e IN (NULL) AND f::INT = 1"
    )
    with pytest.raises(KeyError):
        bind(":missing", {})


def test_reading_imports_neither_spark_nor_mlflow_nor_sqlglot():
    code = (
        "import sys, jobs.cli\n"
        "heavy = {'pyspark', 'mlflow', 'sqlglot', 'delta', 'pandas', 'pydantic', 'pyarrow'}\n"
        "print(sorted(heavy & sys.modules.keys()))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_seeded_tables_have_the_columns_of_their_contracts(shop):
    for table in TABLES:
        rows = shop.select(f"SELECT * FROM {table.name}")
        assert all(tuple(row) == table.columns for row in rows)
