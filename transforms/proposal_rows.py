"""A draft as a row of ``proposals``, made where Spark runs the proposer."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pyarrow as pa
import sqlglot
from sqlglot import exp

from transforms.contracts import PROPOSALS
from transforms.identity import make_id
from transforms.patches import AddJoinSpec, AddSqlSnippet, Patch, patch_json
from transforms.proposal_values import DraftProposal

PROPOSAL_COLUMNS = tuple(name for name in PROPOSALS.columns if name != "recorded_at")

_TEXTS = pa.list_(pa.string())
# Everything but questions_at_risk, which is counted afterwards over the names that a draft touches.
DRAFT_SCHEMA = pa.schema(
    [
        ("space_id", pa.string()),
        ("proposal_id", pa.string()),
        ("cluster_id", pa.string()),
        ("evaluation_id", pa.string()),
        ("lever", pa.int32()),
        ("patch_type", pa.string()),
        ("patch", pa.string()),
        ("target", pa.string()),
        ("target_field", pa.string()),
        ("before", pa.string()),
        ("after", pa.string()),
        ("summary", pa.string()),
        ("evidence", pa.string()),
        ("evidence_hash", pa.string()),
        ("question_ids", _TEXTS),
        ("impact", pa.float64()),
        ("confidence", pa.float64()),
        ("risk", pa.string()),
        ("repo_path", pa.string()),
        ("touched_names", _TEXTS),
    ]
)
DRAFT_DDL = ", ".join(
    f"{field.name} "
    + {pa.string(): "STRING", pa.int32(): "INT", pa.float64(): "DOUBLE"}.get(
        field.type, "ARRAY<STRING>"
    )
    for field in DRAFT_SCHEMA
)


def draft_row(
    draft: DraftProposal,
    *,
    space_id: str,
    cluster_id: str | None,
    evaluation_id: str,
    evidence_hash: str,
    question_ids: Sequence[str],
    impact: float,
) -> dict[str, Any]:
    """One row of ``DRAFT_SCHEMA``; its id is the same whenever patch and evidence are."""
    patch = draft.patch
    text = patch_json(patch)
    return {
        "space_id": space_id,
        "proposal_id": make_id("proposal", space_id, text, evidence_hash),
        "cluster_id": cluster_id,
        "evaluation_id": evaluation_id,
        "lever": patch.lever,
        "patch_type": patch.patch_type,
        "patch": text,
        "target": patch.target,
        "target_field": patch.target_field,
        "before": draft.before,
        "after": patch.after,
        "summary": draft.summary,
        "evidence": draft.evidence,
        "evidence_hash": evidence_hash,
        "question_ids": list(question_ids),
        "impact": impact,
        "confidence": draft.confidence,
        "risk": draft.risk,
        "repo_path": None,
        "touched_names": sorted(touched_names(patch)),
    }


def touched_names(patch: Patch) -> frozenset[str]:
    """Names that SQL mentions, all of them, when the change matters to it; lower case.

    Empty for what every question sees, such as an instruction.
    """
    if isinstance(patch, AddJoinSpec):
        return frozenset({_last(patch.left), _last(patch.right)})
    if isinstance(patch, AddSqlSnippet):
        tree = sqlglot.parse_one(f"SELECT {patch.sql}", dialect="spark")
        return frozenset(column.name.lower() for column in tree.find_all(exp.Column))
    kind, _, name = patch.target.partition(":")
    parts = [part.lower() for part in name.split(".")]
    if kind == "table":
        return frozenset(parts[-1:])
    if kind in {"column", "measure"}:
        return frozenset(parts[-2:])
    if kind == "function":
        return frozenset(parts[1:2] or parts)
    return frozenset()


def _last(name: str) -> str:
    return name.split(".")[-1].lower()
