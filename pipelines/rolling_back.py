"""Goes back to an accepted version: what was applied since is decided to be undone (rule 5).

A person's decision is a row in ``approvals`` for each batch, and makes the batch rejected, whatever
the gate said; the apply job then undoes it as it does any other, the last applied first, from the
stored ways back. Corrections of benchmarks stay: they are no part of a version. A batch that was
begun and could not be finished is taken back with the others, whatever it corrects.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from pyspark.sql import functions as F

from genie.homes.space_homes import SpaceHomes
from pipelines.apply_ledger import TableLedger, undone_first
from pipelines.carrying_out import rehearse
from pipelines.intents import Intent, undoing
from pipelines.states import States
from pipelines.tables import Tables
from transforms.change_views import BATCH_STATES
from transforms.contracts import APPLICATIONS, APPROVALS, EVALUATION_REQUESTS
from transforms.errors import StateConflictError
from transforms.evaluation_views import EVALUATION_STATES
from transforms.identity import make_id

ROLLED_BACK = "rolled_back"
_KIND = "repeat"
_SPLITS = ("train", "held_out")  # those that the gate compares


@dataclass(frozen=True, slots=True)
class Rollback:
    """What was decided: the version gone back to, and the batches to undo, the last first."""

    space_id: str
    evaluation_id: str
    model_id: str
    state_hash: str
    batch_ids: tuple[str, ...]


def rollback_to_model(
    tables: Tables,
    model_id: str,
    *,
    decided_by: str,
    reason: str | None,
    homes: Callable[[str], SpaceHomes],
) -> Rollback:
    """Decide that everything applied since a version was evaluated is to be undone.

    Decided again, nothing is written. Raises StateConflictError for a version that is unknown or
    not accepted and while an approved batch waits to be begun, and DriftedError where somebody
    changed what would be undone; nothing is decided then, and nothing was touched.
    """
    states = States(tables)
    version = _accepted_version(states, model_id)
    batches = _applied_since(states, version)
    _refuse_approved(states, version["space_id"])
    ledger = TableLedger(tables)
    ways_back = [_way_back(ledger, batch["batch_id"]) for batch in batches]
    if ways_back:
        rehearse(ways_back, homes(version["space_id"]))
    decided = [batch for batch in batches if batch["state"] != "rejected"]
    rows = [
        {
            "space_id": version["space_id"],
            "decision_id": make_id(
                "decision", batch["batch_id"], batch["content_hash"], ROLLED_BACK, decided_by
            ),
            "batch_id": batch["batch_id"],
            "content_hash": batch["content_hash"],
            "decision": ROLLED_BACK,
            "decided_by": decided_by,
            "reason": reason,
        }
        for batch in decided
    ]
    if rows:
        tables.merge(APPROVALS, tables.frame(APPROVALS, rows))
    return Rollback(
        version["space_id"],
        version["evaluation_id"],
        model_id,
        version["state_hash"],
        tuple(batch["batch_id"] for batch in batches),
    )


def _accepted_version(states: States, model_id: str) -> dict[str, Any]:
    found = (
        states.of(EVALUATION_STATES)
        .where(F.col("model_id") == model_id)
        .orderBy(F.desc("started_at"))
        .select("space_id", "evaluation_id", "state", "state_hash", "started_at")
        .limit(1)
        .collect()
    )
    if not found:
        raise StateConflictError(
            "there is no evaluation of this version",
            where=model_id,
            remedy="see the versions: genie-loop history --json",
        )
    version: dict[str, Any] = found[0].asDict()
    if version["state"] != "accepted":
        raise StateConflictError(
            f"this version is {version['state']}, so there is no going back to it",
            where=model_id,
            remedy="name an accepted one: genie-loop history",
        )
    return version


def _applied_since(states: States, version: dict[str, Any]) -> list[dict[str, Any]]:
    """Batches of which something is in the space that was not when the version was evaluated."""
    is_of_a_version = F.col("kind") != "correction"
    is_since = is_of_a_version & (F.col("applied_at") >= version["started_at"])
    is_in_part = F.col("begun_at").isNotNull() & F.col("applied_at").isNull()
    batches = (
        states.of(BATCH_STATES)
        .where((F.col("space_id") == version["space_id"]) & (F.col("state") != "undone"))
        .where(is_since | is_in_part)
        .select("batch_id", "content_hash", "state", "begun_at", "applied_at")
        .collect()  # those of one space since one evaluation
    )
    return sorted((batch.asDict() for batch in batches), key=undone_first, reverse=True)


def _refuse_approved(states: States, space_id: str) -> None:
    """The apply job would follow the way back by a batch that was made for where it began."""
    approved = (
        states.of(BATCH_STATES)
        .where((F.col("space_id") == space_id) & (F.col("state") == "approved"))
        .where((F.col("kind") != "correction") & F.col("begun_at").isNull())
        .select("batch_id")
        .collect()
    )
    if approved:
        raise StateConflictError(
            "an approved batch of this space is not applied yet: "
            + ", ".join(sorted(row["batch_id"] for row in approved)),
            where=space_id,
            remedy="let it be applied first, it is undone with the others then (genie-loop run); "
            "or take the approval back (genie-loop reject)",
        )


def _way_back(ledger: TableLedger, batch_id: str) -> Sequence[Intent]:
    begun = ledger.intents(batch_id, "undo")
    found = begun or undoing(ledger.intents(batch_id, "apply"))
    if not found:
        raise StateConflictError(
            "it was applied, but the way back was not recorded",
            where=batch_id,
            remedy="undo it by hand: applications says which proposals were applied",
        )
    return found


def ask_after_rollback(tables: Tables) -> bool:
    """Ask for an evaluation of each space that was rolled back, once all is undone; whether it did.

    Nothing was rolled back, or asked before: nothing is written.
    """
    if tables.read(APPROVALS).where(F.col("decision") == ROLLED_BACK).isEmpty():
        return False
    batches = States(tables).of(BATCH_STATES)
    unfinished = batches.where(F.col("state") == "rejected").select("space_id")
    rolled_back = batches.where(F.col("rolled_back_by").isNotNull())
    one = F.struct("application_id", "rolled_back_by")
    last = (
        tables.read(APPLICATIONS)
        .where(F.col("direction") == "undo")
        .join(rolled_back.select("batch_id", "rolled_back_by"), "batch_id")
        .join(unfinished, "space_id", "left_anti")
        .groupBy("space_id")
        .agg(F.max_by(one, F.struct("recorded_at", "application_id")).alias("undone"))
        .collect()  # one per space
    )
    asked = tables.read(EVALUATION_REQUESTS).where(F.col("kind") == _KIND)
    ordinals = {
        row["space_id"]: row["ordinal"]
        for row in asked.groupBy("space_id").agg(F.max("ordinal").alias("ordinal")).collect()
    }
    rows = [
        {
            "space_id": row["space_id"],
            "request_id": make_id("request", row["undone"]["application_id"], ROLLED_BACK),
            "kind": _KIND,
            "ordinal": ordinals.get(row["space_id"], 0) + 1,
            "splits": list(_SPLITS),
            "requested_by": row["undone"]["rolled_back_by"],
        }
        for row in last
    ]
    if not rows:
        return False
    return tables.merge(EVALUATION_REQUESTS, tables.frame(EVALUATION_REQUESTS, rows))
