"""People's decisions on batches: written without a JVM, under the lock that every commit holds."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from jobs.ids import the_only
from jobs.reading import History, Row
from transforms.contracts import APPROVALS
from transforms.errors import StateConflictError
from transforms.identity import make_id

Decision = Literal["approved", "declined"]

_BATCHES = """
SELECT b.batch_id, b.space_id, b.content_hash, b.state, b.decision, b.decided_by, b.decided_at,
  b.waits_for, b.begun_at, b.applied_at, e.evaluation_id AS last_accepted
FROM batch_states b
LEFT JOIN latest_evaluations e ON e.space_id = b.space_id
"""


@dataclass(frozen=True, slots=True)
class Decided:
    """A batch and the decision on it; ``is_new`` is False when it was decided so before.

    ``takes_back`` is who had approved what is declined now, ``waits_for`` the batch in flight that
    comes before one that is approved.
    """

    batch_id: str
    space_id: str
    decision: Decision
    decided_by: str
    is_new: bool
    takes_back: str | None = None
    waits_for: str | None = None


def decide(
    history: History,
    batches: Sequence[str],
    *,
    decision: Decision,
    decided_by: str,
    reason: str | None,
    clock: Callable[[], datetime],
) -> tuple[Decided, ...]:
    """Record one decision on all the batches, in one commit; ids may be cut to a unique beginning.

    A batch that was decided so before keeps that decision and nothing is written for it. An
    approval can be taken back by declining, as long as nothing of the batch was begun. Raises
    StateConflictError, and writes nothing, when any of the batches is unknown, is stale, was
    declined or begun, or when the beginning of an id fits several.
    """
    if not history.is_there:
        raise StateConflictError(
            "there are no batches yet", remedy="load a folder and run: genie-loop load FOLDER"
        )
    with history.home.committing():
        known = history.select(_BATCHES)
        chosen = {
            row["batch_id"]: row for row in (the_only(known, "batch", text) for text in batches)
        }
        decided = tuple(_decided(row, decision, decided_by) for row in chosen.values())
        rows = [
            _approval(chosen[d.batch_id], d, reason=reason, now=clock())
            for d in decided
            if d.is_new
        ]
        if rows:
            _append(history, rows)
    return decided


def _decided(row: Row, decision: Decision, decided_by: str) -> Decided:
    batch, state = row["batch_id"], row["state"]
    if state == "stale":
        raise StateConflictError(
            "this batch is stale: what it would change has changed",
            where=batch,
            remedy="run `genie-loop run`; what is still wrong is proposed anew",
        )
    if row["decision"] == decision:
        return Decided(batch, row["space_id"], decision, row["decided_by"], is_new=False)
    if row["decision"] is not None:
        if decision == "approved" or row["begun_at"] is not None:
            raise _decision_stands(row)
        return Decided(
            batch, row["space_id"], decision, decided_by, is_new=True, takes_back=row["decided_by"]
        )
    if state != "proposed":
        raise StateConflictError(f"this batch is {state}; there is nothing to decide", where=batch)
    waits_for = row["waits_for"] if decision == "approved" else None
    return Decided(batch, row["space_id"], decision, decided_by, is_new=True, waits_for=waits_for)


def _decision_stands(row: Row) -> StateConflictError:
    what = f"{row['decided_by']} {row['decision']} this batch on {_told(row['decided_at'])}"
    if row["decision"] == "declined":
        remedy = "a decision stands; its proposals come again when their evidence changes"
    elif row["applied_at"] is not None:
        what += f", and it was applied on {_told(row['applied_at'])}"
        remedy = (
            "if the change makes the space worse, the gate has it undone, and people undo it by "
            "going back: genie-loop rollback"
        )
    else:
        what += f", and applying it was begun on {_told(row['begun_at'])}"
        version = row["last_accepted"] or "EVALUATION"
        remedy = (
            f"take back what was made of it: genie-loop rollback {version}; or have it go on: "
            "genie-loop run"
        )
    return StateConflictError(what, where=row["batch_id"], remedy=remedy)


def _told(at: datetime) -> str:
    return f"{at:%Y-%m-%d %H:%M} UTC"


def _approval(row: Row, decided: Decided, *, reason: str | None, now: datetime) -> dict[str, Any]:
    return {
        "space_id": decided.space_id,
        "decision_id": make_id(
            "decision",
            decided.batch_id,
            row["content_hash"],
            decided.decision,
            decided.decided_by,
        ),
        "batch_id": decided.batch_id,
        "content_hash": row["content_hash"],
        "decision": decided.decision,
        "decided_by": decided.decided_by,
        "reason": reason,
        "recorded_at": now,
    }


def _append(history: History, rows: Sequence[dict[str, Any]]) -> None:
    from arro3.core import Array, DataType
    from arro3.core import Table as ArrowTable
    from deltalake import write_deltalake

    def column(name: str, data_type: str) -> Array:
        values = [row[name] for row in rows]
        if data_type != "TIMESTAMP":
            return Array(values, DataType.string())
        microseconds = [round(at.timestamp() * 1_000_000) for at in values]
        return Array(microseconds, DataType.int64()).cast(DataType.timestamp("us", tz="UTC"))

    columns: dict[str, Any] = {
        field.name: column(field.name, field.data_type) for field in APPROVALS.fields
    }
    data: Any = ArrowTable.from_pydict(columns)  # deltalake's own type for it is not arro3's
    write_deltalake(history.path(APPROVALS.name), data, mode="append")
