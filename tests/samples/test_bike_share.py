"""The shipped sample is what its README says: reproducible, and wrong exactly where meant."""

from __future__ import annotations

import csv
import io
import json
import runpy
from collections.abc import Iterator, Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from pyspark.errors import PySparkException
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql.functions import col, lit

SAMPLE = Path(__file__).parents[2] / "samples" / "bike_share"
SYSTEMS = ("assistant_a", "assistant_b")
ON_PURPOSE: dict[str, Any] = json.loads((SAMPLE / "on_purpose.json").read_text())
SCHEMA: dict[str, Any] = json.loads((SAMPLE / "schema.json").read_text())["tables"]
# Answers of these kinds have no result that could differ: nothing to run, or nothing that may run.
WITHOUT_RESULT = ("no_answer", "prose", "not_a_query")

Result = list[tuple[Any, ...]]


def _json_lines(path: Path) -> dict[str, dict[str, Any]]:
    rows = [json.loads(line) for line in path.read_text().splitlines()]
    by_id = {row["question_id"]: row for row in rows}
    assert len(by_id) == len(rows), f"{path.name} names a question twice"
    return by_id


QUESTIONS = _json_lines(SAMPLE / "questions.jsonl")
ANSWERS = {system: _json_lines(SAMPLE / "answers" / f"{system}.jsonl") for system in SYSTEMS}


def _right_sql(question_id: str) -> str:
    """The SQL that answers the question, also where the benchmark is wrong on purpose."""
    wrong: Mapping[str, Any] = ON_PURPOSE["benchmarks"].get(question_id, {})
    return str(wrong.get("right_sql") or QUESTIONS[question_id]["expected_sql"])


def _typed(raw: DataFrame, columns: list[dict[str, Any]]) -> DataFrame:
    """The rows whose every value fits its declared type; loading quarantines the others."""
    fits = lit(True)
    for column in columns:
        value = col(column["name"])
        fits = fits & (value.isNull() | value.try_cast(column["spark_type"]).isNotNull())
    return raw.where(fits).select(
        *(col(c["name"]).try_cast(c["spark_type"]).alias(c["name"]) for c in columns)
    )


@pytest.fixture(scope="module")
def sample(spark: SparkSession) -> Iterator[SparkSession]:
    for table, declared in SCHEMA.items():
        raw = spark.read.csv(str(SAMPLE / "tables" / f"{table}.csv"), header=True)
        assert raw.columns == [column["name"] for column in declared["columns"]]
        _typed(raw, declared["columns"]).cache().createOrReplaceTempView(table)
    yield spark
    for table in SCHEMA:
        spark.catalog.uncacheTable(table)
        spark.catalog.dropTempView(table)


@pytest.fixture(scope="module")
def right_results(sample: SparkSession) -> dict[str, Result]:
    asked = [q for q in QUESTIONS if q not in ON_PURPOSE["without_sql"]]
    return {question_id: _run(sample, _right_sql(question_id)) for question_id in asked}


def _run(spark: SparkSession, sql: str) -> Result:
    """The rows, numbers as floats rounded to 5 places, in an order that does not depend on SQL."""

    def plain(value: object) -> object:
        return round(float(value), 5) if isinstance(value, int | float | Decimal) else value

    rows = [tuple(plain(value) for value in row) for row in spark.sql(sql).collect()]
    return sorted(rows, key=repr)


def _result_or_condition(spark: SparkSession, sql: str) -> Result | str:
    """The rows, or the name of the condition under which Spark refuses the query."""
    try:
        return _run(spark, sql)
    except PySparkException as error:
        return str(error.getCondition())


def test_the_generator_reproduces_the_committed_tables_byte_for_byte() -> None:
    made: dict[str, str] = runpy.run_path(str(SAMPLE / "generate.py"))["generate"]()
    committed = {path.stem: path.read_bytes() for path in (SAMPLE / "tables").glob("*.csv")}
    assert {name: text.encode() for name, text in made.items()} == committed


def test_the_schema_declares_the_tables_that_are_there_and_counts_their_rows() -> None:
    counted = {
        path.stem: len(list(csv.reader(io.StringIO(path.read_text())))) - 1
        for path in (SAMPLE / "tables").glob("*.csv")
    }
    assert {table: declared["row_count"] for table, declared in SCHEMA.items()} == counted


@pytest.mark.slow
def test_exactly_the_rows_that_the_generator_spoiled_do_not_fit_their_types(
    sample: SparkSession,
) -> None:
    spoiled = runpy.run_path(str(SAMPLE / "generate.py"))["BAD_CELLS"]
    missing = {
        table: declared["row_count"] - sample.table(table).count()
        for table, declared in SCHEMA.items()
    }
    expected = dict.fromkeys(SCHEMA, 0)
    for table, *_ in spoiled:
        expected[table] += 1
    assert missing == expected


def test_the_folder_stays_small() -> None:
    assert sum(path.stat().st_size for path in SAMPLE.rglob("*") if path.is_file()) < 600_000


@pytest.mark.slow
def test_every_expected_sql_runs_and_only_the_one_that_is_meant_to_is_missing(
    sample: SparkSession,
) -> None:
    missing = [q for q, row in QUESTIONS.items() if row["expected_sql"] is None]
    assert missing == ON_PURPOSE["without_sql"]
    for question_id, row in QUESTIONS.items():
        if row["expected_sql"] is not None:
            assert _run(sample, row["expected_sql"]) is not None, question_id


@pytest.mark.slow
def test_every_right_answer_says_something(right_results: dict[str, Result]) -> None:
    silent = [q for q, rows in right_results.items() if not rows or rows in ([(0.0,)], [(None,)])]
    assert silent == []


@pytest.mark.slow
def test_each_wrong_benchmark_gives_a_result_that_is_not_the_right_one(
    sample: SparkSession, right_results: dict[str, Result]
) -> None:
    kinds = {wrong["kind"] for wrong in ON_PURPOSE["benchmarks"].values()}
    assert kinds == {"literal_in_wrong_case", "limit_three_for_five", "year_filter_missing"}
    for question_id, wrong in ON_PURPOSE["benchmarks"].items():
        result = _run(sample, QUESTIONS[question_id]["expected_sql"])
        assert result != right_results[question_id], question_id
        assert (result == []) == (wrong["kind"] == "literal_in_wrong_case"), question_id


@pytest.mark.slow
@pytest.mark.parametrize("system", SYSTEMS)
def test_answers_are_wrong_exactly_where_they_are_meant_to_be(
    system: str, sample: SparkSession, right_results: dict[str, Result]
) -> None:
    mistakes: Mapping[str, str] = ON_PURPOSE["answers"][system]
    surprises = {}
    for question_id, expected in right_results.items():
        mistake = mistakes.get(question_id)
        if mistake in WITHOUT_RESULT:
            continue
        result = _result_or_condition(sample, ANSWERS[system][question_id]["sql"])
        is_right = result == expected
        has_run = not isinstance(result, str)
        if is_right != (mistake is None) or has_run != (mistake != "unknown_column"):
            surprises[question_id] = (mistake, result)
    assert surprises == {}


@pytest.mark.parametrize("system", SYSTEMS)
def test_every_question_with_sql_is_answered_but_for_the_ones_left_out_on_purpose(
    system: str,
) -> None:
    mistakes: Mapping[str, str] = ON_PURPOSE["answers"][system]
    unanswered = set(QUESTIONS) - set(ANSWERS[system]) - set(ON_PURPOSE["without_sql"])
    without_sql = {q for q, row in ANSWERS[system].items() if row["sql"] is None}
    assert unanswered == {q for q, kind in mistakes.items() if kind == "no_answer"}
    assert without_sql == {q for q, kind in mistakes.items() if kind == "prose"}


@pytest.mark.slow
def test_no_question_that_asks_for_the_top_few_is_decided_by_a_tie(
    sample: SparkSession, right_results: dict[str, Result]
) -> None:
    ranked = [q for q in right_results if " LIMIT " in _right_sql(q)]
    assert len(ranked) >= 4
    for question_id in ranked:
        sql, _, count = _right_sql(question_id).rpartition(" LIMIT ")
        one_more = sample.sql(sql).limit(int(count) + 1).collect()
        counts = [row[-1] for row in one_more]
        assert len(set(counts)) == len(counts), question_id
