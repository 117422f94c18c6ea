"""The answers of one evaluation where they are too many for a process: written, read and counted.

What is at hand at once is a portion of the answers, or a row per group of equal ones.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from pipelines.answer_rows import FROM_BENCHMARK
from pipelines.merge_sql import RECORDED_AT
from pipelines.tables import Tables
from pipelines.tracking import TRACKED_ANSWERS, Counted, EvaluationRows
from transforms.benchmark_identity import benchmark_set_hash_of_sorted
from transforms.contracts import (
    ARBITER_VERDICTS_TABLE,
    BENCHMARKS,
    EVAL_RESULTS,
    FAILURES,
    JUDGE_VERDICTS,
    Table,
)
from transforms.evaluation_rows import FIRST_ASKING

Row = dict[str, Any]

_PORTION = 2_000  # questions that are asked before their answers are written


class ManyAnswers:
    """The rows of one evaluation in the tables; ``scratch`` is a folder that executors see."""

    def __init__(self, tables: Tables, evaluation_id: str, scratch: Path) -> None:
        self._tables = tables
        self._evaluation_id = evaluation_id
        self._scratch = scratch.absolute() / evaluation_id

    def empty_folder(self, name: str) -> Path:
        """A folder for this evaluation, without what an earlier try left there."""
        folder = self._scratch / name
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        return folder

    def forget(self) -> None:
        """Delete the folders."""
        shutil.rmtree(self._scratch, ignore_errors=True)

    def rows(self, table: Table) -> DataFrame:
        """The evaluation's rows of a table."""
        return self._tables.read(table).where(F.col("evaluation_id") == self._evaluation_id)

    def ask(
        self,
        benchmarks: DataFrame,
        ask: Callable[[Sequence[Row], int], list[Row]],
        check: Callable[[], None],
    ) -> bool:
        """Append what ``ask`` answers to benchmarks, in one commit; whether it committed.

        ``ask`` is given portions in order of ``question_id``, and how many went before; it gives
        rows of ``eval_results``. ``check`` raises where they must not be recorded.
        """
        folder = self.empty_folder("answers")
        own = ", ".join(
            f"{field.name} {field.data_type}"
            for field in EVAL_RESULTS.fields
            if field.name != RECORDED_AT
        )
        spark = self._tables.spark
        schema = spark.createDataFrame([], own).toArrow().schema
        asked = 0
        for number, portion in enumerate(_portions(benchmarks.orderBy("question_id"))):
            rows = ask(portion, asked)
            asked += len(rows)
            pq.write_table(
                pa.Table.from_pylist(rows, schema=schema), folder / f"part-{number:06}.parquet"
            )
        check()
        answers = spark.read.schema(own).parquet(str(folder))
        return self._tables.append(EVAL_RESULTS, answers, transaction=self._evaluation_id)

    def counted(self) -> Counted:
        """Everything that is counted of the rows: equal ones are one object, as often as there."""
        is_looked_at = F.when(F.col("coincidence_detail").isNotNull(), F.lit("looked at"))
        results = (
            self.rows(EVAL_RESULTS)
            .withColumn("coincidence_detail", is_looked_at)
            .groupBy(
                "attempt", "split", "outcome", "is_correct", "is_coincidental", "coincidence_detail"
            )
        )
        verdicts = self.rows(JUDGE_VERDICTS).groupBy("split", "judge", "value")
        rulings = self.rows(ARBITER_VERDICTS_TABLE).groupBy("verdict", "action")
        return Counted(
            results=_repeated(results.count()),
            verdicts=_repeated(verdicts.count()),
            rulings=_repeated(rulings.count()),
            failure_count=self.rows(FAILURES).count(),
            confirmed_count=self._confirmed_apart(),
        )

    def _confirmed_apart(self) -> int:
        """Answers with confirmed failures that the arbiter was not asked about."""
        confirmed = self.rows(FAILURES).where("confirmation = 'confirmed'")
        keys = confirmed.select("question_id", "attempt").distinct()
        ruled = self.rows(ARBITER_VERDICTS_TABLE).select("question_id", "attempt")
        return keys.join(ruled, ["question_id", "attempt"], "left_anti").count()

    def tracked(self, evaluation: Row) -> EvaluationRows:
        """The rows of those answers that MLflow is given."""
        first = (
            self.rows(EVAL_RESULTS)
            .orderBy(F.coalesce("is_correct", F.lit(False)), "question_id", "attempt")
            .limit(TRACKED_ANSWERS)
        )
        keys = self._tables.spark.createDataFrame(
            [tuple(row) for row in first.select("question_id", "attempt").collect()],
            "question_id STRING, attempt INT",
        )
        results, verdicts, failures, rulings = (
            [
                row.asDict(recursive=True)
                for row in self.rows(table).join(keys, ["question_id", "attempt"], "semi").collect()
            ]
            for table in (EVAL_RESULTS, JUDGE_VERDICTS, FAILURES, ARBITER_VERDICTS_TABLE)
        )
        return EvaluationRows(evaluation, results, verdicts, failures, rulings)

    def benchmarks(self, space_id: str) -> DataFrame:
        """The benchmarks that were asked, as the answers have them, with ``benchmark_hash``."""
        version = ["question_id", "benchmark_version"]
        asked = self.rows(EVAL_RESULTS).where(F.col("attempt") == FIRST_ASKING)
        hashes = (
            self._tables.read(BENCHMARKS)
            .where(F.col("space_id") == space_id)
            .select(*version, "benchmark_hash")
        )
        return asked.select("question_id", *FROM_BENCHMARK).join(hashes, version, "inner")

    def benchmark_set_hash(self, space_id: str) -> str:
        """That of the benchmarks that were asked, without having them at hand."""
        pairs = self.benchmarks(space_id).select("question_id", "benchmark_hash")
        in_order = pairs.orderBy("question_id", "benchmark_hash").toLocalIterator()
        return benchmark_set_hash_of_sorted((row[0], row[1]) for row in in_order)


def _portions(rows: DataFrame) -> Iterator[list[Row]]:
    at_hand = (row.asDict() for row in rows.toLocalIterator())
    while portion := list(islice(at_hand, _PORTION)):
        yield portion


def _repeated(counts: DataFrame) -> list[Row]:
    """Each row without ``count``, so often."""
    found: list[Row] = []
    for row in counts.collect():
        values = row.asDict()
        found += [values] * values.pop("count")
    return found
