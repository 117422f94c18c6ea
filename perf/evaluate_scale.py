"""How fast many recorded answers are evaluated, and in how much memory.

Run it with ``python -m perf.evaluate_scale [FOLDER] [--answers N] [--compared-with N] [--few N]``.
The recorded answers of a folder that ``genie-loop load`` takes (by default a sample) are repeated
under new question ids until there are so many; each is recorded, judged and committed, from the
request to the row of ``evaluations``. A smaller evaluation in the same session comes first, to
compare memory with. ``--few`` is the number of answers up to which the driver judges by itself.
Prints rows per second, seconds of each step, peak memory of the driver's Python, of the JVM and of
the Python workers, and the machine; run it alone.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import tempfile
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from pyspark.sql import functions as F

from jobs import evaluate
from jobs.context import JobContext
from jobs.home import Home
from jobs.session import SessionSettings, open_session
from jobs.small_tables import SmallTables
from perf.machine import PeakMemory, describe_machine
from pipelines.evaluation_under_way import EvaluationPolicy
from pipelines.load import load
from pipelines.spaces import register_spaces, registered_spaces, request_evaluations
from pipelines.tables import Tables
from transforms.contracts import BENCHMARKS, EVAL_RESULTS, EVALUATIONS

SAMPLE = Path(__file__).parents[1] / "samples" / "bike_share"
Pair = tuple[str, str, str | None]  # a question, who answers, and the SQL


def main(folder: Path, sizes: list[int], few: int | None) -> None:
    """Evaluate each number of answers in turn."""
    print(describe_machine())
    settings = SessionSettings.from_environment(os.environ)
    print(f"Spark {settings.master}, driver {settings.driver_memory}")
    with tempfile.TemporaryDirectory() as scratch:
        home = Home(Path(scratch) / "home")
        with open_session(home, settings, command="perf", now=_now()) as spark:
            tables = Tables(
                spark,
                clock=_now,
                commit_guard=home.committing,
                rows_at_hand=SmallTables(home),
            )
            tables.create()
            load(tables, folder)
            pairs = list(_recorded(folder))
            for size in sizes:
                _Replay(tables, home, folder, pairs).run(size, few)


def _now() -> datetime:
    return datetime.now(UTC)


def _recorded(folder: Path) -> Iterator[Pair]:
    for path in sorted(folder.glob("answers/*.jsonl")):
        for line in path.read_text(encoding="utf-8").splitlines():
            answer = json.loads(line)
            yield answer["question_id"], path.stem, answer["sql"]


class _Replay:
    """Recorded answers of one folder, repeated in a space of their own."""

    def __init__(self, tables: Tables, home: Home, folder: Path, pairs: list[Pair]) -> None:
        self._tables = tables
        self._home = home
        self._folder = folder
        self._pairs = pairs

    def run(self, size: int, few: int | None) -> None:
        """Record so many answers, evaluate them, and print what that took."""
        space_id = f"replayed-{size}"
        self._register(space_id, size)
        steps: dict[str, float] = {}
        started = time.perf_counter()

        def progress(step: str, done: int, total: int) -> None:
            steps[step] = time.perf_counter() - started

        context = JobContext(
            tables=self._tables,
            checkpoints=self._home.checkpoints,
            tracking_uri=self._home.tracking_uri,
            clock=_now,
            artifacts=self._home.artifacts,
            progress=progress,
        )
        policy = EvaluationPolicy() if few is None else EvaluationPolicy(few_answers=few)
        config = evaluate.EvaluateConfig(space_id=space_id, policy=policy)
        with PeakMemory() as memory:
            evaluate.run(context, config)
            took = time.perf_counter() - started
        told = ", ".join(f"{step} until {at:.0f} s" for step, at in steps.items())
        print(f"{size:,} answers: {took:.1f} s, {size / took:,.0f} rows per second ({told})")
        print(f"  peak memory: {memory}")
        self._print_outcomes(space_id)

    def _register(self, space_id: str, size: int) -> None:
        recording = self._home.root / f"{space_id}.jsonl"
        with recording.open("w", encoding="utf-8") as file:
            for number in range(size):
                question_id, system, sql = self._pairs[number % len(self._pairs)]
                answer = {"question_id": _renamed(question_id, system, number), "sql": sql}
                file.write(json.dumps(answer, ensure_ascii=False) + "\n")
        spark = self._tables.spark
        names = spark.createDataFrame(
            [(at, q, system) for at, (q, system, _) in enumerate(self._pairs)],
            "at BIGINT, question_id STRING, system STRING",
        )
        registered = registered_spaces(self._tables)
        loaded = next(r.space for name, r in registered.items() if not name.startswith("replayed"))
        of_loaded = self._tables.read(BENCHMARKS).where(F.col("space_id") == loaded.space_id)
        position = F.col("id").cast("string")
        benchmarks = (
            spark.range(size)
            .withColumn("at", F.col("id") % len(self._pairs))
            .join(names, "at")
            .join(of_loaded.drop("recorded_at", "space_id"), "question_id")
            .withColumn("space_id", F.lit(space_id))
            .withColumn("question_id", F.concat_ws("-", "question_id", "system", position))
            .select(*(name for name in BENCHMARKS.columns if name != "recorded_at"))
        )
        self._tables.append(BENCHMARKS, benchmarks, transaction=space_id)
        file_hash = hashlib.sha256(recording.read_bytes()).hexdigest()
        answerer = f"recorded:{recording}"
        space = replace(
            loaded, space_id=space_id, answerer=answerer, answerer_hash=file_hash, domain=space_id
        )
        register_spaces(self._tables, [space])
        request_evaluations(self._tables, [space_id], requested_by="perf")

    def _print_outcomes(self, space_id: str) -> None:
        evaluations = self._tables.read(EVALUATIONS).where(F.col("space_id") == space_id)
        row = evaluations.collect()[0]
        results = self._tables.read(EVAL_RESULTS).where(F.col("space_id") == space_id)
        expected, produced = (
            results.select(name).distinct().count() for name in ("expected_sql", "genie_sql")
        )
        print(
            f"  {row['question_count']:,} in the denominator, {row['outcome_counts']}, "
            f"{row['failure_count']:,} failures; {expected} expected queries, {produced} produced"
        )


def _renamed(question_id: str, system: str, number: int) -> str:
    return f"{question_id}-{system}-{number}"


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path, nargs="?", default=SAMPLE)
    parser.add_argument("--answers", type=int, default=100_000)
    parser.add_argument("--compared-with", type=int, default=10_000, help="0: with nothing")
    parser.add_argument("--few", type=int)
    given = parser.parse_args()
    main(given.folder, [n for n in (given.compared_with, given.answers) if n], given.few)
