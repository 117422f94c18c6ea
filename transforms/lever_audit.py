"""Levers in order (rule 4): which lever of a space is open, and an audit row for each of the six.

A lever is open until nothing of it is left to try: no batch unsettled, no proposal open. Only then
is its row final, and only then the next lever opens. After six final rows a new cycle begins if a
batch of the last one was accepted; otherwise the space is on a plateau.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

_OBJECTS = {
    1: "a table or column",
    2: "a metric view",
    3: "a table function",
    4: "a monitoring table",
    5: "an ML table",
    6: "the space's own joins, snippets or instructions",
}
_ASSETS = {2: "metric view", 3: "table function"}


@dataclass(frozen=True, slots=True)
class LeverProgress:
    """What the data says of one lever in the current cycle.

    Proposals by state leave out those that earlier cycles batched. ``batch_id`` is the unsettled
    batch, if any; ``batch_count`` counts the cycle's batches of the lever. ``cluster_count`` counts
    open clusters that blame what the lever changes; ``asset_count`` is None where it is not known.
    """

    lever: int
    is_final: bool = False
    generated: int = 0
    open: int = 0
    refused: int = 0
    declined: int = 0
    rejected: int = 0
    stale: int = 0
    applied: int = 0
    batch_count: int = 0
    batch_id: str | None = None
    batch_state: str | None = None
    batch_waits_for: str | None = None
    cluster_count: int = 0
    asset_count: int | None = None


@dataclass(frozen=True, slots=True)
class SpaceProgress:
    """A space in its current cycle, with all six levers.

    ``evaluation_id`` is the newest accepted one. ``stop_reason`` is target or maximum when the gate
    ended the loop.
    """

    space_id: str
    cycle: int
    evaluation_id: str
    levers: Sequence[LeverProgress]
    stop_reason: str | None = None


@dataclass(frozen=True, slots=True)
class AuditRow:
    """A row of ``lever_audit``; ``may_batch`` says that the lever may form its next batch."""

    lever: int
    is_attempted: bool
    proposals_generated: int
    proposals_applied: int
    skip_reason: str | None
    is_final: bool
    may_batch: bool = False


def audit(space: SpaceProgress) -> tuple[AuditRow, ...]:
    """One row per lever that is not final yet, in order. At most one of them may batch."""
    rows: list[AuditRow] = []
    ahead: LeverProgress | None = None
    for progress in sorted(space.levers, key=lambda one: one.lever):
        if progress.is_final:
            continue
        row = _row(progress, space, ahead)
        rows.append(row)
        if not row.is_final and ahead is None:
            ahead = progress
    return tuple(rows)


def _row(progress: LeverProgress, space: SpaceProgress, ahead: LeverProgress | None) -> AuditRow:
    is_attempted = progress.batch_count > 0
    is_final = may_batch = False
    reason: str | None
    if progress.batch_id is not None:
        reason = _in_flight(progress)
    elif ahead is not None:
        reason = f"lever {ahead.lever} comes first and is open: {_open_reason(ahead, space)}"
    elif space.stop_reason is not None:
        reason = _stopped(space.stop_reason)
    elif progress.open > 0:
        may_batch = True
        reason = _open_reason(progress, space)
    else:
        is_final = True
        reason = None if is_attempted else _nothing_to_do(progress)
    return AuditRow(
        lever=progress.lever,
        is_attempted=is_attempted,
        proposals_generated=progress.generated,
        proposals_applied=progress.applied,
        skip_reason=reason,
        is_final=is_final,
        may_batch=may_batch,
    )


def _open_reason(progress: LeverProgress, space: SpaceProgress) -> str:
    if progress.batch_id is not None:
        return _in_flight(progress)
    if space.stop_reason is not None:
        return _stopped(space.stop_reason)
    return f"{_count(progress.open, 'proposal')} to be batched"


def _in_flight(progress: LeverProgress) -> str:
    if progress.batch_waits_for is not None:
        return f"batch {progress.batch_id} waits for batch {progress.batch_waits_for}"
    waits = {
        "proposed": "waits for approval",
        "approved": "waits to be applied",
        "applied": "waits for the gate",
        "rejected": "waits to be undone",
    }
    return f"batch {progress.batch_id} {waits[progress.batch_state or 'proposed']}"


def _stopped(stop_reason: str) -> str:
    return {
        "target": "the loop ended: the target accuracy is reached",
        "maximum": "the loop ended: the maximum of applied batches is reached",
    }.get(stop_reason, f"the loop ended: {stop_reason}")


def _nothing_to_do(progress: LeverProgress) -> str:
    settled = [
        f"{count} {word}"
        for count, word in (
            (progress.refused, "refused because they reproduce a benchmark"),
            (progress.declined, "declined before"),
            (progress.rejected, "rejected by the gate before"),
            (progress.stale, "stale"),
        )
        if count
    ]
    if settled:
        return f"{_count(progress.generated, 'proposal')}, none open: {', '.join(settled)}"
    if progress.cluster_count:
        return (
            f"{_count(progress.cluster_count, 'open cluster')} blame {_OBJECTS[progress.lever]}, "
            "but the evidence supports no change there"
        )
    if progress.asset_count == 0 and progress.lever in _ASSETS:
        return f"the space has no {_ASSETS[progress.lever]}"
    return f"no confirmed train failure blames {_OBJECTS[progress.lever]}"


def _count(number: int, thing: str) -> str:
    return f"{number} {thing}{'' if number == 1 else 's'}"
