"""Rows at hand are the rows that Spark reads, and are those of the newest commit."""

from __future__ import annotations

import pytest

from jobs.small_tables import SmallTables
from pipelines.tables import Tables
from tests.conftest import NOW
from tests.pipelines.loop_rows import Evaluation, Q, add_benchmarks, add_evaluation, add_space
from transforms.contracts import BENCHMARKS, EVALUATIONS, SPACES, TABLES
from transforms.errors import ContractDriftError
from transforms.views import BATCH_STATES


@pytest.fixture
def history(tables):
    questions = [Q("q1"), Q("h1", split="held_out"), Q("q2", is_correct=True)]
    add_space(tables)
    add_benchmarks(tables, questions)
    add_evaluation(tables, Evaluation(questions))
    return tables


def test_both_ways_of_reading_give_the_same_rows_and_types(history, spark):
    plain = Tables(spark, clock=lambda: NOW)
    for table in TABLES:
        at_hand, in_spark = history.read(table), plain.read(table)
        assert [(f.name, f.dataType) for f in at_hand.schema] == [
            (f.name, f.dataType) for f in in_spark.schema
        ]
        # Rows hold maps, which Spark cannot sort by.
        assert sorted(map(repr, at_hand.collect())) == sorted(map(repr, in_spark.collect()))


def test_a_commit_is_seen_at_once(history):
    before = history.read(BENCHMARKS).count()
    add_benchmarks(history, [Q("another")])
    assert history.read(BENCHMARKS).count() == before + 1


def test_what_is_too_large_stays_with_spark(history, home):
    nothing = SmallTables(home, max_bytes=0)
    assert nothing.rows(history.schema, EVALUATIONS) is None
    assert SmallTables(home).rows(history.schema, SPACES).num_rows == 1
    assert nothing.mark("no_such_schema", SPACES) is None
    reader = Tables(history.spark, clock=lambda: NOW, rows_at_hand=nothing)
    assert reader.read(SPACES).count() == 1


def test_a_view_of_another_version_is_named_with_what_to_do(history, spark, home):
    reader = Tables(history.spark, clock=lambda: NOW, rows_at_hand=SmallTables(home))
    name = f"{history.schema}.{BATCH_STATES.name}"
    spark.sql(f"CREATE OR REPLACE VIEW {name} AS SELECT 'one' AS batch_id")
    with pytest.raises(ContractDriftError, match="genie-loop tables create"):
        reader.view_at_hand(BATCH_STATES)
    history.create()
    assert reader.view_at_hand(BATCH_STATES).count() == 0
