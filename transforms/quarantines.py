"""Suspect benchmarks: the change that takes each out of the denominator, for a person to decide."""

from __future__ import annotations

from collections.abc import Iterator

import pyarrow as pa
from pyspark.sql import DataFrame

from transforms.identity import content_hash
from transforms.patches import QuarantineBenchmark
from transforms.proposal_rows import DRAFT_DDL, DRAFT_SCHEMA, draft_row
from transforms.proposal_values import DraftProposal

_CONFIDENCE = 0.5
_IMPACT = 0.0  # a correction of the same benchmark comes first


def quarantine_drafts(benchmark_states: DataFrame) -> DataFrame:
    """The change for each suspect benchmark: rows of ``DRAFT_SCHEMA``, lever 0.

    ``benchmark_states`` holds rows of that view. The risk is high: no policy approves it, and it
    never shares a batch with a correction.
    """
    return (
        benchmark_states.where("state = 'suspect'")
        .select(
            "space_id",
            "question_id",
            "question",
            "expected_sql",
            "suspicion",
            "suspicion_evaluation_id",
        )
        .mapInArrow(_drafts, DRAFT_DDL)
    )


def _drafts(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    for batch in batches:
        rows = []
        for suspect in batch.to_pylist():
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
                evidence=f"In evaluation {suspect['suspicion_evaluation_id']}: "
                f"{suspect['suspicion']}. It counts as wrong until it is corrected or quarantined.",
                confidence=_CONFIDENCE,
                risk="high",
            )
            rows.append(
                draft_row(
                    draft,
                    space_id=suspect["space_id"],
                    cluster_id=None,
                    evaluation_id=suspect["suspicion_evaluation_id"],
                    # What was declined stays declined until the benchmark is another one.
                    evidence_hash=content_hash(suspect["question_id"], suspect["expected_sql"]),
                    question_ids=[suspect["question_id"]],
                    impact=_IMPACT,
                )
            )
        yield pa.RecordBatch.from_pylist(rows, schema=DRAFT_SCHEMA)
