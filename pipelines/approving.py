"""Lets the policies of the spaces decide on the batches that are free: one commit, or none."""

from __future__ import annotations

from pipelines.tables import Tables
from pipelines.views import read_view
from transforms.approving import policy_decisions
from transforms.change_views import BATCH_STATES
from transforms.contracts import APPROVALS, PROPOSALS
from transforms.evaluation_views import LATEST_SPACES


def approve_by_policy(tables: Tables) -> tuple[str, ...]:
    """Record what the policies approve now; the ids of the batches, none when run again.

    Of two decisions on one batch the first counts, so a person who was faster is not overruled.
    """
    decisions = policy_decisions(
        read_view(tables, LATEST_SPACES), read_view(tables, BATCH_STATES), tables.read(PROPOSALS)
    )
    rows = [row.asDict() for row in decisions.orderBy("batch_id").collect()]  # one per free batch
    tables.merge(APPROVALS, tables.frame(APPROVALS, rows))
    return tuple(row["batch_id"] for row in rows)
