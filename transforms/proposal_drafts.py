"""What all proposers share: reading a cluster's evidence, and making a draft of it."""

from __future__ import annotations

from collections.abc import Iterator

import sqlglot
from sqlglot import exp

from transforms.patches import Patch
from transforms.proposal_rules import PROPOSAL_RULES
from transforms.proposal_values import ClusterEvidence, ColumnFacts, DraftProposal, Facts

SHARED_GROUPS = 2  # train groups that must share a word or fragment before it may be proposed
MAX_SYNONYMS = 5


def draft(
    rule: str, patch: Patch, *, before: str | None, summary: str, evidence: str
) -> DraftProposal:
    """A draft by a rule of ``PROPOSAL_RULES``, which fixes confidence and risk."""
    fixed = PROPOSAL_RULES[rule]
    return DraftProposal(
        rule=rule,
        patch=patch,
        before=before,
        summary=summary,
        evidence=evidence,
        confidence=fixed.confidence,
        risk=fixed.risk,
    )


def seen(cluster: ClusterEvidence) -> str:
    """How often the cause was seen, in words."""
    questions, groups = len(cluster.question_ids), len(cluster.group_ids)
    return (
        f"{cluster.rule} in {questions} train question{'s' * (questions != 1)} "
        f"({groups} group{'s' * (groups != 1)})"
    )


def blamed_columns(cluster: ClusterEvidence, facts: Facts) -> Iterator[ColumnFacts]:
    """The columns that are blamed, alone or as a side of a join."""
    for blame in cluster.blame_set:
        kind, _, name = blame.partition(":")
        names = name.split("=") if kind == "join" else [name] if kind == "column" else []
        for column_name in names:
            column = facts.column(column_name.strip())
            if column is not None:
                yield column


def taken_columns(cluster: ClusterEvidence, facts: Facts) -> Iterator[ColumnFacts]:
    """The columns that the answers used where something else was expected."""
    for fragment in cluster.fragments:
        tree = parsed(fragment.actual)
        for node in tree.find_all(exp.Column) if tree else ():
            column = facts.column(".".join(part.name for part in node.parts))
            if column is not None:
                yield column


def common_terms(cluster: ClusterEvidence) -> tuple[str, ...]:
    """Unexplained words that enough groups share, and most groups of the cluster use."""
    enough = max(SHARED_GROUPS, 0.6 * len(cluster.group_ids))
    return tuple(t.term for t in cluster.terms if t.group_count >= enough)[:MAX_SYNONYMS]


def parsed(sql: str | None) -> exp.Expr | None:
    """The expression that a fragment holds; None if it is none, or holds a statement."""
    try:
        tree = sqlglot.parse_one(sql or "", dialect="spark")
    except sqlglot.errors.SqlglotError:
        return None
    return None if tree.find(exp.Query) else tree


def refers(column: ColumnFacts, other: ColumnFacts) -> bool:
    """Whether ``column`` is declared to refer to ``other``."""
    target = f"{other.table}.{other.column}".lower()
    return (column.references or "").lower() == target
