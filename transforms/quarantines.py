"""Suspect benchmarks: the change that takes each out of the denominator, for a person to decide."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from transforms.benchmark_drafts import benchmark_drafts
from transforms.patches import QuarantineBenchmark
from transforms.proposal_values import DraftProposal

_CONFIDENCE = 0.5
_IMPACT = 0.0  # a correction of the same benchmark comes first


def quarantine_drafts(benchmark_states: DataFrame) -> DataFrame:
    """The change for each suspect benchmark: rows of ``DRAFT_SCHEMA``, lever 0.

    ``benchmark_states`` holds rows of that view. The risk is high: no policy approves it, and it
    never shares a batch with a correction.
    """
    suspects = benchmark_states.where("state = 'suspect'").select(
        "space_id",
        "question_id",
        "question",
        "expected_sql",
        "suspicion",
        F.col("suspicion_evaluation_id").alias("evaluation_id"),
    )
    return benchmark_drafts(suspects, _draft)


def _draft(suspect: Mapping[str, Any]) -> tuple[DraftProposal, float]:
    patch = QuarantineBenchmark(
        space_id=suspect["space_id"],
        question_id=suspect["question_id"],
        reason=suspect["suspicion"],
    )
    draft = DraftProposal(
        rule="quarantine_benchmark",
        patch=patch,
        before=suspect["expected_sql"],
        summary=f"Quarantine question {suspect['question_id']}: {suspect['question']}",
        evidence=f"In evaluation {suspect['evaluation_id']}: {suspect['suspicion']}. "
        "It counts as wrong until it is corrected or quarantined.",
        confidence=_CONFIDENCE,
        risk="high",
    )
    return draft, _IMPACT
