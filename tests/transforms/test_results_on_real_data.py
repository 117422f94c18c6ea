"""The official policies give the official verdict of every recorded answer; ours are defended."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import pytest
from pyspark.sql import SparkSession

from pipelines.execution import ExecutionPolicy, executing
from tests.transforms.recorded_answers import DATA, DATABASES, questions, recorded, state
from transforms.errors import GenieLoopError
from transforms.judgement import Comparison, Execution, ProfiledValues, Question
from transforms.judging_case import Case, compare_results
from transforms.results import compare
from transforms.sql_text import canonical_sql, parse_query

pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(1800),
    pytest.mark.skipif(
        not DATA.is_dir(), reason=f"no recorded answers at {DATA}; set GENIE_LOOP_DATA"
    ),
]
DEFENCE = Path(__file__).parents[2] / "docs" / "official-verdicts.md"
NO_SQL = Execution("parse_error", error="the system answered without SQL")


class Answer(NamedTuple):
    """A recorded answer, executed, next to what was expected and the verdicts on it.

    ``like_first`` compares it with the first answer that has the same canonical text, if any.
    """

    system: str
    question_id: str
    sql: str | None
    expected: Execution
    produced: Execution
    is_officially_right: dict[str, bool]
    by_default: Comparison
    like_first: Comparison | None

    @property
    def key(self) -> tuple[str, str]:
        return self.system, self.question_id


def answers_of(spark: SparkSession, database: str) -> Iterator[Answer]:
    spark.sql(f"CREATE SCHEMA {database}")
    names = []
    for table in sorted((DATA / database).glob("tables/*.parquet")):
        names.append(f"{database}.{table.stem}")
        # One file: what LIMIT keeps of rows that tie must not depend on which task is faster.
        rows = spark.read.parquet(str(table)).coalesce(1)
        rows.write.format("parquet").saveAsTable(names[-1])
    asked, catalog = questions(database), state(database)
    first: dict[str, Case] = {}
    with executing(spark, database, names, ExecutionPolicy(), size_bytes=1) as executor:
        for system, answer in recorded(database):
            question = asked[answer["question_id"]]
            expected = executor.execute(question["expected_sql"])
            produced = executor.execute(answer["sql"]) if answer["sql"] else NO_SQL
            of_answer = Question(
                answer["question_id"], question["question"], question["expected_sql"], answer["sql"]
            )
            case = Case(of_answer, expected, produced, catalog, ProfiledValues({}), executor)
            text = canonical_sql(answer["sql"]) if answer["sql"] else ""
            known = first.setdefault(text, case) if text else case
            yield Answer(
                system,
                answer["question_id"],
                answer["sql"],
                expected,
                produced,
                {
                    "official_set": answer["official_strict"],
                    "official_set_any_column": answer["official_any_column_order"],
                },
                compare_results(case, "bag_any_column")[0],
                None if known is case else _compared_with(known, case),
            )
    spark.sql(f"DROP SCHEMA {database} CASCADE")


def _compared_with(first: Case, case: Case) -> Comparison:
    """How the result of one text compares with that of the first one that means the same."""
    if first.produced.status != "ok":
        is_same = case.produced.status == first.produced.status
        return Comparison("equal" if is_same else "different", is_same, case.produced.status)
    expected_sql = first.question.produced_sql
    assert expected_sql is not None
    question = replace(case.question, question="", expected_sql=expected_sql)
    return compare_results(replace(case, question=question, expected=first.produced), "bag")[0]


@pytest.fixture(scope="module")
def answers(spark: SparkSession) -> list[Answer]:
    settings = ("spark.sql.ansi.enabled", "spark.sql.session.timeZone")
    assert [spark.conf.get(name) for name in settings] == ["true", "UTC"]
    return [answer for name in DATABASES for answer in answers_of(spark, name)]


def defended() -> dict[tuple[str, str], tuple[str, str, str]]:
    """The rows of the page: what is official, what is ours, and the step."""
    rows = [
        [cell.strip() for cell in line.strip("|").split("|")]
        for line in DEFENCE.read_text().splitlines()
        if line.startswith("| ") and not line.startswith(("| ---", "| system"))
    ]
    assert all(len(row) == 6 and row[5] for row in rows), "each row has a reading"
    found = {(row[0], row[1]): (row[2], row[3], row[4]) for row in rows}
    assert len(found) == len(rows)
    return found


def test_all_recorded_answers_are_there(answers):
    assert len(answers) == 833


@pytest.mark.parametrize("policy", ["official_set", "official_set_any_column"])
def test_the_official_policies_agree_with_the_official_verdicts(answers, policy):
    disagreeing = {
        answer.key
        for answer in answers
        if compare(answer.expected, answer.produced, policy=policy).is_correct
        is not answer.is_officially_right[policy]
    }
    # No exceptions: not one of them ran into a time-out, or rests on what another engine does.
    assert disagreeing == set()


def test_every_row_that_the_default_decides_otherwise_is_defended_and_no_other(answers):
    says = {True: "yes", False: "no"}
    differing = {}
    for answer in answers:
        official, ours = answer.is_officially_right["official_set_any_column"], answer.by_default
        if ours.is_correct is not official:
            differing[answer.key] = (says[official], says[ours.is_correct], ours.step)
    assert differing == defended()


def test_no_answer_that_runs_is_refused_or_not_understood(answers):
    refused = {}
    for answer in answers:
        if answer.sql is not None and answer.produced.status == "ok":
            try:
                parse_query(answer.sql)
            except GenieLoopError as error:
                refused[answer.key] = str(error)
    assert refused == {}


def test_answers_with_one_canonical_text_have_one_result(answers):
    compared = {answer.key: answer.like_first for answer in answers if answer.like_first}
    assert len(compared) > 100
    # What LIMIT keeps of rows that tie is for each run to choose: the one step that may differ.
    assert {key for key, found in compared.items() if not found.is_correct} == set()
