"""Benchmarks that the arbiter found wrong: what to correct, and the change that would do it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from transforms.benchmark_drafts import benchmark_drafts
from transforms.contracts import BENCHMARK_CORRECTIONS
from transforms.patches import CorrectBenchmark
from transforms.proposal_values import DraftProposal
from transforms.spark_ids import id_column

CORRECTION_COLUMNS = tuple(n for n in BENCHMARK_CORRECTIONS.columns if n != "recorded_at")
_KEY = BENCHMARK_CORRECTIONS.key


def seen_corrections(arbiter_verdicts: DataFrame) -> DataFrame:
    """One row per question and SQL that the arbiter found right against the benchmark.

    Columns of ``CORRECTION_COLUMNS``, counted over the evaluations given.
    """
    return _with_count(
        arbiter_verdicts.where(F.col("verdict") == "genie_correct")
        .groupBy(*_KEY)
        .agg(
            F.max("question").alias("question"),
            F.max("expected_sql").alias("old_gt"),
            F.min("evidence").alias("evidence"),
            F.collect_set("evaluation_id").alias("evaluation_ids"),
        )
    )


def merged_corrections(known: DataFrame, new: DataFrame) -> DataFrame:
    """New corrections with the evaluations that said so before.

    An evaluation counts once, however often it is merged.
    """
    older = known.join(new.select(*_KEY), list(_KEY), "left_semi")
    return _with_count(
        older.select(*CORRECTION_COLUMNS)
        .unionByName(new.select(*CORRECTION_COLUMNS))
        .groupBy(*_KEY)
        .agg(
            F.max("question").alias("question"),
            F.max("old_gt").alias("old_gt"),
            F.min("evidence").alias("evidence"),
            F.flatten(F.collect_list("evaluation_ids")).alias("evaluation_ids"),
        )
    )


def _with_count(corrections: DataFrame) -> DataFrame:
    return (
        corrections.withColumn("evaluation_ids", F.array_sort(F.array_distinct("evaluation_ids")))
        .withColumn("times_seen", F.size("evaluation_ids"))
        .withColumn("correction_id", id_column("correction", *(F.col(name) for name in _KEY)))
        .select(*CORRECTION_COLUMNS)
    )


def correction_drafts(arbiter_verdicts: DataFrame) -> DataFrame:
    """The change that each correction would make: rows of ``DRAFT_SCHEMA``, lever 0."""
    seen = (
        arbiter_verdicts.where(F.col("verdict") == "genie_correct")
        .groupBy(*_KEY)
        .agg(
            F.min("evaluation_id").alias("evaluation_id"),
            F.max("question").alias("question"),
            F.max("expected_sql").alias("old_gt"),
            F.min("evidence").alias("evidence"),
            F.coalesce(F.max("confidence"), F.lit(0.0)).alias("confidence"),
        )
    )
    return benchmark_drafts(seen, _draft)


def _draft(seen: Mapping[str, Any]) -> tuple[DraftProposal, float]:
    patch = CorrectBenchmark(
        space_id=seen["space_id"],
        question_id=seen["question_id"],
        expected_sql=seen["genie_sql"],
    )
    draft = DraftProposal(
        rule="correct_benchmark",
        patch=patch,
        before=seen["old_gt"],
        summary=f"Correct the expected SQL of question {seen['question_id']}: {seen['question']}",
        evidence=seen["evidence"],
        confidence=seen["confidence"],
        risk="medium",
    )
    return draft, seen["confidence"]
