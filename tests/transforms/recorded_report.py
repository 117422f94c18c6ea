"""All recorded answers judged, and the page that says what came of it.

``python -m tests.transforms.recorded_report`` judges them and writes ``docs/recorded-systems.md``.
"""

from __future__ import annotations

import os
import random
import tempfile
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

from pyspark.sql import SparkSession

from jobs.home import Home
from jobs.session import SessionSettings, open_session
from pipelines.execution import ExecutionPolicy, executing
from tests.transforms.recorded_answers import DATA, DATABASES, questions, recorded, state
from transforms.contracts import ARBITER_VERDICTS, FAILURE_TYPES, JUDGE_TARGETS
from transforms.judgement import Execution, Judgement, ProfiledValues, Question
from transforms.judges import judge
from transforms.profiling import column_values, value_counts
from transforms.results import compare
from transforms.space_state import ColumnProfile, SpaceState

PAGE = Path(__file__).parents[2] / "docs" / "recorded-systems.md"
NO_SQL = Execution("parse_error", error="the system answered without SQL")
_SHUFFLE_PARTITIONS = "spark.sql.shuffle.partitions"
_OFFICIAL = {
    "official_set": "official_strict",
    "official_set_any_column": "official_any_column_order",
}


class JudgedAnswer(NamedTuple):
    """A recorded answer with its official verdicts, ours by the official policies, and the judges'.

    Both kinds of verdicts go by the name of the official policy.
    """

    database: str
    system: str
    question_id: str
    official: dict[str, bool]
    by_policy: dict[str, bool]
    judgement: Judgement

    @property
    def is_right(self) -> bool:
        return self.judgement.outcome == "correct"


def judged_answers(spark: SparkSession) -> Iterator[JudgedAnswer]:
    """Every answer of every system, judged as an evaluation judges it."""
    for database in DATABASES:
        catalog, asked = state(database), questions(database)
        spark.sql(f"CREATE SCHEMA {database}")
        for table in sorted((DATA / database).glob("tables/*.parquet")):
            # One file: what LIMIT keeps of rows that tie must not depend on which task is faster.
            rows = spark.read.parquet(str(table)).coalesce(1)
            rows.write.format("parquet").saveAsTable(f"{database}.{table.stem}")
        values, names = _values(spark, catalog), [table.name for table in catalog.tables]
        with (
            _one_task(spark),
            executing(spark, database, names, ExecutionPolicy(), size_bytes=1) as executor,
        ):
            for system, answer in recorded(database):
                wanted, sql = asked[answer["question_id"]], answer["sql"]
                expected = executor.execute(wanted["expected_sql"])
                produced = executor.execute(sql) if sql else NO_SQL
                question = Question(
                    answer["question_id"], wanted["question"], wanted["expected_sql"], sql
                )
                judgement = judge(
                    question, expected, produced, state=catalog, values=values, engine=executor
                )
                yield JudgedAnswer(
                    database,
                    system,
                    question.question_id,
                    {policy: answer[column] for policy, column in _OFFICIAL.items()},
                    {p: compare(expected, produced, policy=p).is_correct for p in _OFFICIAL},
                    judgement,
                )
        spark.sql(f"DROP SCHEMA {database} CASCADE")


@contextmanager
def _one_task(spark: SparkSession) -> Iterator[None]:
    """New sessions shuffle into one partition: what a query keeps of rows that tie is one thing."""
    conf = spark.sparkContext._jsc.sc().conf()
    before = conf.get(_SHUFFLE_PARTITIONS, "2")
    conf.set(_SHUFFLE_PARTITIONS, "1")
    try:
        yield
    finally:
        conf.set(_SHUFFLE_PARTITIONS, before)


def _values(spark: SparkSession, catalog: SpaceState) -> ProfiledValues:
    profiles = {}
    for table in catalog.tables:
        frame = spark.table(table.name)
        for row in value_counts(column_values(table.name, frame)).collect():
            name = f"{table.name}.{frame.columns[row['ordinal']]}"
            profiles[name.lower()] = ColumnProfile(
                name,
                row["row_count"],
                row["distinct_count"],
                row["null_count"],
                values=tuple(row["sample_values"]),
                is_complete=row["sampled_distinct"] == row["distinct_count"],
            )
    return ProfiledValues(profiles)


class DrawnFailure(NamedTuple):
    """A failure that a hand is to check."""

    system: str
    question_id: str
    rule: str
    failure_type: str


def drawn(answers: Iterable[JudgedAnswer], seed: int, size: int) -> list[DrawnFailure]:
    """Failures of all systems in turn, shuffled within each; at most one per question and rule.

    Answers without SQL are left out: there is nothing in them to be right or wrong about.
    """
    by_system: dict[str, list[DrawnFailure]] = {}
    for answer in sorted(answers, key=lambda one: (one.system, one.question_id)):
        for failure in answer.judgement.failures:
            if failure.rule != "no_sql":
                by_system.setdefault(answer.system, []).append(
                    DrawnFailure(
                        answer.system, answer.question_id, failure.rule, failure.asi.failure_type
                    )
                )
    for system, failures in by_system.items():
        random.Random(f"{seed}:{system}").shuffle(failures)
    found: list[DrawnFailure] = []
    known: set[tuple[str, str]] = set()
    while len(found) < size and any(by_system.values()):
        for system in sorted(by_system):
            fresh = [f for f in by_system[system] if (f.question_id, f.rule) not in known]
            by_system[system] = fresh[1:]
            if fresh and len(found) < size:
                found.append(fresh[0])
                known.add((fresh[0].question_id, fresh[0].rule))
    return found


_INTRO = """\
# Recorded systems, judged

<!-- Generated by `python -m tests.transforms.recorded_report`; a test fails when they differ. -->

What the judges say of 833 recorded answers of nine systems to the questions of two public
databases (BIRD's `superhero`, Spider's `world_1`), with the default policy `bag_any_column`.
Deterministic judges only: no model is asked. The benchmarks' own verdicts are recorded beside each
answer. The data is CC BY-SA 4.0, so that only counts and ids stand here. What a hand found in 50 of
the failures is in [hand-checked.md](hand-checked.md), why our verdict differs on some rows in
[official-verdicts.md](official-verdicts.md).
"""


def page(answers: Sequence[JudgedAnswer]) -> str:
    """The whole of ``docs/recorded-systems.md``."""
    parts = [_INTRO, *_agreement(answers)]
    for database in DATABASES:
        of_database = [answer for answer in answers if answer.database == database]
        parts += _of_database(database, of_database)
    return "\n".join(parts) + "\n"


def _by_system(answers: Sequence[JudgedAnswer]) -> dict[str, list[JudgedAnswer]]:
    found: dict[str, list[JudgedAnswer]] = {}
    for answer in answers:
        found.setdefault(answer.system, []).append(answer)
    return found


def _table(*rows: Sequence[object]) -> Iterator[str]:
    header, *body = rows
    yield f"| {' | '.join(map(str, header))} |"
    yield "| --- |" + " ---: |" * (len(header) - 1)
    for row in body:
        yield f"| {' | '.join(map(str, row))} |"
    yield ""


def _agreement(answers: Sequence[JudgedAnswer]) -> Iterator[str]:
    yield "## Agreement with the official verdicts\n"
    yield "The policies `official_set` and `official_set_any_column` are to give the official"
    yield "verdict on every row: strict, and with columns in any order. Ours is stricter where rows"
    yield "repeat and milder where rows tie.\n"
    rows: list[Sequence[object]] = [
        (
            "system",
            "answers",
            "officially right, strict",
            "agreeing: `official_set`",
            "officially right, any order",
            "agreeing: `official_set_any_column`",
            "right by ours",
            "ours no, official yes",
            "ours yes, official no",
        )
    ]
    for (database, system), of_system in _groups(answers):
        strict, loose = "official_set", "official_set_any_column"
        rows.append(
            (
                f"{database}: {system}",
                len(of_system),
                sum(one.official[strict] for one in of_system),
                sum(one.official[strict] is one.by_policy[strict] for one in of_system),
                sum(one.official[loose] for one in of_system),
                sum(one.official[loose] is one.by_policy[loose] for one in of_system),
                sum(one.is_right for one in of_system),
                sum(one.official[loose] and not one.is_right for one in of_system),
                sum(one.is_right and not one.official[loose] for one in of_system),
            )
        )
    totals = [sum(int(str(row[i])) for row in rows[1:]) for i in range(1, len(rows[0]))]
    yield from _table(*rows, ("all", *totals))


def _groups(
    answers: Sequence[JudgedAnswer],
) -> Iterator[tuple[tuple[str, str], list[JudgedAnswer]]]:
    for database in DATABASES:
        of_database = [answer for answer in answers if answer.database == database]
        for system, of_system in _by_system(of_database).items():
            yield (database, system), of_system


def _of_database(database: str, answers: Sequence[JudgedAnswer]) -> Iterator[str]:
    systems = _by_system(answers)
    yield f"## {database}\n"
    yield "### Judge by judge\n"
    yield "Share of all answers that pass; in brackets how many were skipped, which is no pass."
    yield "`asset_routing` is skipped where a benchmark names no kind of asset, `repeatability`"
    yield "where a question was asked once, `semantic_equivalence` where results agree and the"
    yield "queries do not.\n"
    judges: list[Sequence[object]] = [("judge", "target", *systems)]
    for name, target in JUDGE_TARGETS.items():
        cells = [_mean(name, of_system) for of_system in systems.values()]
        judges.append((f"`{name}`", f"{target:.2f}", *cells))
    yield from _table(*judges)
    yield "### The arbiter\n"
    verdicts: list[Sequence[object]] = [("verdict", *systems)]
    for verdict in ARBITER_VERDICTS:
        cells = [
            str(
                sum(
                    one.judgement.ruling is not None and one.judgement.ruling.verdict == verdict
                    for one in of_system
                )
            )
            for of_system in systems.values()
        ]
        verdicts.append((f"`{verdict}`", *cells))
    yield from _table(*verdicts)
    yield "### Failures by type\n"
    counts = {
        system: Counter(f.asi.failure_type for one in of_system for f in one.judgement.failures)
        for system, of_system in systems.items()
    }
    found = sorted(set().union(*counts.values()), key=FAILURE_TYPES.index)
    types: list[Sequence[object]] = [("type", *systems, "all")]
    for failure_type in found:
        each = [count[failure_type] for count in counts.values()]
        types.append((f"`{failure_type}`", *each, sum(each)))
    sums = [sum(count.values()) for count in counts.values()]
    yield from _table(*types, ("all", *sums, sum(sums)))


def _mean(judge_name: str, answers: Sequence[JudgedAnswer]) -> str:
    said = Counter(
        verdict.value
        for answer in answers
        for verdict in answer.judgement.verdicts
        if verdict.judge == judge_name
    )
    if said["skipped"] == len(answers):
        return "skipped"
    skipped = f" ({said['skipped']})" if said["skipped"] else ""
    return f"{said['yes'] / len(answers):.2f}{skipped}"


def main() -> None:
    """Judge everything and write the page."""
    with tempfile.TemporaryDirectory() as scratch:
        settings = SessionSettings.from_environment(os.environ)
        with open_session(
            Home(Path(scratch)), settings, command="report", now=datetime.now(UTC)
        ) as spark:
            answers = list(judged_answers(spark))
    PAGE.write_text(page(answers))
    for place, failure in enumerate(drawn(answers, 20240502, 50), start=1):
        print(place, *failure)


if __name__ == "__main__":
    main()
