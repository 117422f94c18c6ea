"""Lets the policies of the spaces decide on the batches that are free: one commit, or none."""

from __future__ import annotations

from pipelines.states import States
from pipelines.tables import Tables
from transforms.approving import policy_decisions
from transforms.change_views import BATCH_STATES
from transforms.contracts import APPROVALS, PROPOSALS
from transforms.evaluation_views import LATEST_SPACES


def approve_by_policy(tables: Tables) -> tuple[str, ...]:
    """Record what the policies approve now; the ids of the batches, none when run again.

    Of two decisions on one batch the first counts, so a person who was faster is not overruled.
    """
    states = States(tables)
    decisions = policy_decisions(
        states.of(LATEST_SPACES), states.of(BATCH_STATES), tables.read(PROPOSALS)
    )
    rows = [row.asDict() for row in decisions.orderBy("batch_id").collect()]  # one per free batch
    if rows:
        tables.merge(APPROVALS, tables.frame(APPROVALS, rows))
    return tuple(row["batch_id"] for row in rows)
