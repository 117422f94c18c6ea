"""Changes of single benchmarks, lever 0, as rows of proposals."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import Any

import pyarrow as pa
from pyspark.sql import DataFrame

from transforms.identity import content_hash
from transforms.proposal_rows import DRAFT_DDL, DRAFT_SCHEMA, draft_row
from transforms.proposal_values import DraftProposal

Draft = Callable[[Mapping[str, Any]], tuple[DraftProposal, float]]


def benchmark_drafts(found: DataFrame, draft: Draft) -> DataFrame:
    """Rows of ``DRAFT_SCHEMA``, one for each row found.

    ``found`` has ``space_id``, ``question_id``, ``evaluation_id`` and what ``draft`` needs, which
    gives the change and its impact; ``before`` of the change is the expected SQL as it is.
    """
    return found.mapInArrow(partial(_rows, draft), DRAFT_DDL)


def _rows(draft: Draft, batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    for batch in batches:
        rows = [_row(one, *draft(one)) for one in batch.to_pylist()]
        yield pa.RecordBatch.from_pylist(rows, schema=DRAFT_SCHEMA)


def _row(found: Mapping[str, Any], drafted: DraftProposal, impact: float) -> dict[str, Any]:
    return draft_row(
        drafted,
        space_id=found["space_id"],
        cluster_id=None,
        evaluation_id=found["evaluation_id"],
        # Not the words of the evidence: what was declined stays declined until the benchmark is
        # another one, or the patch.
        evidence_hash=content_hash(found["question_id"], drafted.before),
        question_ids=[found["question_id"]],
        impact=impact,
    )
