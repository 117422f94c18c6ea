"""Which known wrong answers plain comparison and the coincidence check find, on recorded databases.

Run it with ``python -m perf.coincidences FOLDER...``: folders with ``tables/*.parquet``,
``schema.json``, ``questions.jsonl`` and ``answers/*.jsonl``. Plants wrong variants of each expected
SQL and prints which share of each kind plain comparison finds, and which the check finds of the
rest. Then checks the recorded answers that are right, and lists those that it calls coincidental.
Prints the machine; run it alone.
"""

from __future__ import annotations

import argparse
import json
import os
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from pyspark.sql import SparkSession

from jobs.home import Home
from jobs.session import SessionSettings, open_session
from perf.machine import describe_machine
from perf.mutations import KINDS, mutants
from pipelines.coincidence import CheckedSpace, CoincidenceCheck, CoincidencePolicy
from pipelines.execution import ExecutionPolicy, Executor, executing
from transforms.judgement import Coincidence, Execution, ProfiledValues, Question
from transforms.judging_case import Case, compare_results
from transforms.space_state import ColumnState, SpaceState, TableState
from transforms.sql_text import canonical_tree, parse_query

POLICY = "bag_any_column"
_FOUND = ("plain", "check", "neither", "unknown")
Counts = Counter[tuple[str, str]]


def main(folders: list[Path]) -> None:
    """Measure each folder, and print one table for all."""
    print(describe_machine())
    counts: Counts = Counter()
    with tempfile.TemporaryDirectory() as scratch:
        settings = SessionSettings.from_environment(os.environ)
        with open_session(
            Home(Path(scratch)), settings, command="perf", now=datetime.now(UTC)
        ) as spark:
            for folder in folders:
                _Measured(spark, folder, counts).run()
    print()
    print("wrong variant".ljust(18) + "".join(f"{title:>9}" for title in ("planted", *_FOUND)))
    for kind in (*KINDS, "all"):
        found = [
            sum(n for (k, how), n in counts.items() if kind in (k, "all") and how == wanted)
            for wanted in _FOUND
        ]
        print(f"{kind:18}{sum(found):>9}" + "".join(f"{number:>9}" for number in found))


class _Measured:
    """One database: its tables in a schema of its name, its questions and answers."""

    def __init__(self, spark: SparkSession, folder: Path, counts: Counts) -> None:
        self._spark = spark
        self._folder = folder
        self._counts = counts
        self._state = _state(folder)
        self._questions = {q["question_id"]: q for q in _lines(folder / "questions.jsonl")}

    def run(self) -> None:
        """Plant and check, then check what was recorded."""
        schema = self._folder.name
        self._spark.sql(f"CREATE SCHEMA {schema}")
        for table in sorted(self._folder.glob("tables/*.parquet")):
            rows = self._spark.read.parquet(str(table)).coalesce(1)
            rows.write.format("parquet").saveAsTable(f"{schema}.{table.stem}")
        names = [table.name for table in self._state.tables]
        space = CheckedSpace(self._state, ProfiledValues({}), POLICY)
        unbounded = CoincidencePolicy(budget_s=1e9)
        check = CoincidenceCheck(self._spark, space, unbounded, workers=1)
        with executing(self._spark, schema, names, ExecutionPolicy(), size_bytes=1) as executor:
            self._plant(executor, _Checking(check))
            self._look_at_recorded(executor, _Checking(check))

    def _plant(self, executor: Executor, check: _Checking) -> None:
        for question_id, question in self._questions.items():
            expected = executor.execute(question["expected_sql"])
            for kind, sql in mutants(parse_query(question["expected_sql"])):
                asked = Question(question_id, question["question"], question["expected_sql"], sql)
                produced = executor.execute(sql)
                if not self._agree(asked, expected, produced, executor):
                    self._counts[kind, "plain"] += 1
                    continue
                found = check.of(asked)
                how = {True: "check", False: "neither", None: "unknown"}[found.is_coincidental]
                self._counts[kind, how] += 1
                if how != "check":
                    print(f"{how}: {question_id} {kind}: {found.detail}")
        print(f"{self._folder.name}: of the variants, {check.effort}")

    def _look_at_recorded(self, executor: Executor, check: _Checking) -> None:
        looked_at: Counter[str] = Counter()
        for path in sorted(self._folder.glob("answers/*.jsonl")):
            for answer in _lines(path):
                question = self._questions[answer["question_id"]]
                expected_sql, sql = question["expected_sql"], answer["sql"]
                asked = Question(answer["question_id"], question["question"], expected_sql, sql)
                if not sql or not self._agree(
                    asked, executor.execute(expected_sql), executor.execute(sql), executor
                ):
                    continue
                found = check.of(asked)
                looked_at[str(found.is_coincidental)] += 1
                if found.is_coincidental is not False:
                    print(f"{path.stem} {answer['question_id']}: {found.detail}")
        print(f"{self._folder.name}: right answers, coincidental or not: {dict(looked_at)}")
        print(f"{self._folder.name}: of these, {check.effort}")

    def _agree(
        self, asked: Question, expected: Execution, produced: Execution, executor: Executor
    ) -> bool:
        case = Case(asked, expected, produced, self._state, ProfiledValues({}), executor)
        if expected.rows is None or produced.rows is None:
            return False
        return compare_results(case, POLICY)[0].is_correct


class _Checking:
    """The check, once for answers that are one query."""

    def __init__(self, check: CoincidenceCheck) -> None:
        self._check = check
        self._known: dict[tuple[str, str], Coincidence] = {}
        self._seconds: list[float] = []

    def of(self, asked: Question) -> Coincidence:
        produced = canonical_tree(parse_query(asked.produced_sql or ""))
        key = asked.question_id, repr(produced)
        if key not in self._known:
            started = time.perf_counter()
            self._known[key] = self._check.check(asked)
            self._seconds.append(time.perf_counter() - started)
        return self._known[key]

    @property
    def effort(self) -> str:
        """How many checks there were, and how long they took."""
        most, mean = max(self._seconds, default=0), sum(self._seconds) / max(len(self._seconds), 1)
        return f"{len(self._seconds)} checked, {mean:.1f} s on average, {most:.1f} s at most"


def _lines(path: Path) -> Iterator[dict[str, str]]:
    return map(json.loads, path.read_text().splitlines())


def _state(folder: Path) -> SpaceState:
    schema = folder.name
    declared = json.loads((folder / "schema.json").read_text())["tables"]
    tables = []
    for name, table in declared.items():
        columns = []
        for column in table["columns"]:
            keys = [f"{schema}.{key}" for key in column["foreign_keys"]]
            columns.append(
                ColumnState(
                    column["name"],
                    column["spark_type"],
                    is_primary_key=column["primary_key"],
                    references=next(iter(keys), None),
                )
            )
        tables.append(TableState(f"{schema}.{name}", tuple(columns)))
    return SpaceState(schema, schema, tuple(tables))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folders", type=Path, nargs="+")
    main(parser.parse_args().folders)
