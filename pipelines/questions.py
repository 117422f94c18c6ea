"""The benchmarks that a space is asked: the newest version of each question, if it is active."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pyspark.sql import DataFrame, Window
from pyspark.sql import functions as F

from pipelines.tables import Tables
from transforms.contracts import BENCHMARKS, SPLITS


def active_benchmarks(
    tables: Tables, space_id: str, splits: Sequence[str] = SPLITS
) -> list[dict[str, Any]]:
    """Rows of ``benchmarks``, one per question, in order of ``question_id``."""
    rows = active_benchmarks_frame(tables, space_id, splits).collect()
    return sorted((row.asDict() for row in rows), key=lambda row: row["question_id"])


def active_benchmarks_frame(tables: Tables, space_id: str, splits: Sequence[str]) -> DataFrame:
    """The same rows in any order, wherever they are."""
    newest = Window.partitionBy("question_id").orderBy(F.desc("benchmark_version"))
    return (
        tables.read(BENCHMARKS)
        .where(F.col("space_id") == space_id)
        .withColumn("rank", F.row_number().over(newest))
        .where((F.col("rank") == 1) & (F.col("status") == "active"))
        .where(F.col("split").isin(list(splits)))
        .drop("rank")
    )
