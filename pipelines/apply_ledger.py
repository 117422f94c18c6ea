"""The ledger of apply and undo in the tables of the history."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from pyspark.sql import functions as F

from pipelines.applying import Work
from pipelines.intents import Direction, Intent, ProposedPatch
from pipelines.states import States
from pipelines.tables import Tables
from transforms.change_views import BATCH_STATES
from transforms.contracts import APPLICATION_INTENTS, APPLICATIONS, APPROVALS, PROPOSALS
from transforms.identity import make_id
from transforms.patches import parse_patch


class TableLedger:
    """See ``pipelines.applying.Ledger``. Every record is one commit, exactly once."""

    def __init__(self, tables: Tables) -> None:
        self._tables = tables
        self.wrote = 0

    def pending(self) -> Sequence[Work]:
        """Rejected batches, the last applied first; then approved ones that wait for none.

        An approval counts where it carries the batch's content hash; the view says so.
        """
        is_free = (F.col("state") == "approved") & F.col("waits_for").isNull()
        batches = (
            States(self._tables)
            .of(BATCH_STATES)
            .where(is_free | (F.col("state") == "rejected"))
            .select(
                "space_id",
                "batch_id",
                "state",
                "content_hash",
                "proposal_ids",
                "recorded_at",
                "begun_at",
                "applied_at",
            )
            .collect()  # one in flight per space, unless many are rolled back
        )
        if not batches:
            return ()
        wanted = [one for batch in batches for one in batch["proposal_ids"]]
        proposals = {
            (row["space_id"], row["proposal_id"]): row.asDict()
            for row in self._tables.read(PROPOSALS)
            .where(F.col("proposal_id").isin(wanted))
            .select("space_id", "proposal_id", "patch", "before")
            .collect()
        }
        found = [batch.asDict() for batch in batches]
        to_undo = [one for one in found if one["state"] == "rejected"]
        to_undo.sort(key=undone_first, reverse=True)
        to_apply = [one for one in found if one["state"] != "rejected"]
        to_apply.sort(key=lambda one: (one["recorded_at"], one["batch_id"]))
        return tuple(_work(batch, proposals) for batch in (*to_undo, *to_apply))

    def intents(self, batch_id: str, direction: Direction) -> tuple[Intent, ...]:
        """See ``Ledger``."""
        rows = (
            self._tables.read(APPLICATION_INTENTS)
            .where((F.col("batch_id") == batch_id) & (F.col("direction") == direction))
            .select("proposal_id", "target", "inverse", "position")
            .orderBy("position")
            .collect()
        )
        return tuple(Intent.parse(r["proposal_id"], r["target"], r["inverse"]) for r in rows)

    def record_intents(self, work: Work, intents: Sequence[Intent]) -> None:
        """See ``Ledger``."""
        rows = [
            {
                "space_id": work.space_id,
                "intent_id": make_id("intent", work.batch_id, intent.proposal_id, work.direction),
                "batch_id": work.batch_id,
                "proposal_id": intent.proposal_id,
                "direction": work.direction,
                "position": position,
                "target": intent.target,
                "pre_hash": intent.pre_hash,
                "post_hash": intent.post_hash,
                "inverse": intent.inverse_json(),
            }
            for position, intent in enumerate(intents, start=1)
        ]
        self.wrote += self._tables.append_rows(
            APPLICATION_INTENTS, rows, transaction=_transaction(work)
        )

    def is_declined(self, work: Work) -> bool:
        """See ``Ledger``."""
        is_of_content = (F.col("batch_id") == work.batch_id) & (
            F.col("content_hash") == work.content_hash
        )
        declined = is_of_content & (F.col("decision") == "declined")
        return not self._tables.read(APPROVALS).where(declined).isEmpty()

    def record_application(
        self, work: Work, intents: Sequence[Intent], *, state_hash: str, diff: str | None
    ) -> None:
        """See ``Ledger``."""
        row = {
            "space_id": work.space_id,
            "application_id": _transaction(work),
            "batch_id": work.batch_id,
            "direction": work.direction,
            "state_hash": state_hash,
            "repo_commit": diff,
            "proposal_ids": [intent.proposal_id for intent in intents],
            "verified_at": self._tables.clock(),
        }
        self.wrote += self._tables.append_rows(APPLICATIONS, [row], transaction=_transaction(work))


def undone_first(batch: Mapping[str, Any]) -> tuple[bool, datetime, str]:
    """Sorts batches to undo, ascending: the higher, the sooner. One only begun was the last."""
    at: datetime = batch["applied_at"] or batch["begun_at"]
    return (batch["applied_at"] is None, at, batch["batch_id"])


def _transaction(work: Work) -> str:
    return make_id("application", work.batch_id, work.direction)


def _work(batch: Mapping[str, Any], proposals: Mapping[tuple[str, str], Mapping[str, Any]]) -> Work:
    found = [proposals.get((batch["space_id"], one)) for one in batch["proposal_ids"]]
    return Work(
        space_id=batch["space_id"],
        batch_id=batch["batch_id"],
        direction="undo" if batch["state"] == "rejected" else "apply",
        content_hash=batch["content_hash"],
        patches=tuple(
            ProposedPatch(row["proposal_id"], parse_patch(row["patch"]), row["before"])
            for row in found
            if row is not None
        ),
    )
