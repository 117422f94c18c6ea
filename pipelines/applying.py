"""Applies approved batches and undoes rejected ones (rules 5 to 7).

For each batch, in this order: what would change is read and planned; the intents, with the exact
way back, are committed; every change is made, the repository's file first and then the live object,
and read back; last comes the row in ``applications``. A run that was killed finds the intents and
goes on by the hashes of what is there.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from genie.homes.space_homes import SpaceHomes
from pipelines.carrying_out import carry_out, repo_diff, verify
from pipelines.intents import Direction, Intent, Plan, ProposedPatch, plan, undoing
from transforms.batching import patches_hash
from transforms.errors import GenieLoopError, InvalidInputError, StateConflictError
from transforms.patches import patch_json


@dataclass(frozen=True, slots=True)
class Work:
    """A batch to be applied, or to be undone. ``patches`` are in order of application."""

    space_id: str
    batch_id: str
    direction: Direction
    content_hash: str
    patches: tuple[ProposedPatch, ...]


class Ledger(Protocol):
    """What the history knows of batches, and what is recorded of them."""

    def pending(self) -> Sequence[Work]:
        """What may be done now: undoing first, what was applied last before all others; then the
        oldest batch of each space and object.
        """

    def intents(self, batch_id: str, direction: Direction) -> tuple[Intent, ...]:
        """The recorded intents in order; none where nothing was recorded."""

    def record_intents(self, work: Work, intents: Sequence[Intent]) -> None:
        """Commit all intents of a batch at once, in order, before anything is touched."""

    def is_declined(self, work: Work) -> bool:
        """Whether somebody declined this content of the batch, before or after its approval."""

    def record_application(
        self, work: Work, intents: Sequence[Intent], *, state_hash: str, diff: str | None
    ) -> None:
        """Commit that the batch is done and verified."""


@dataclass(frozen=True)
class Services:
    """``homes`` of a space, by its id; ``state_hash`` of its state, as an evaluation has it."""

    homes: Callable[[str], SpaceHomes]
    state_hash: Callable[[str], str]


@dataclass(frozen=True, slots=True)
class Done:
    """A batch that was applied or undone: patches made, and those left out with the reason."""

    work: Work
    patch_count: int
    left_out: tuple[str, ...] = ()

    @property
    def lines(self) -> tuple[str, ...]:
        """For people."""
        done = "applied" if self.work.direction == "apply" else "undone"
        return (f"{self.work.batch_id} {done}: {self.patch_count} patches", *self.left_out)


@dataclass(frozen=True, slots=True)
class ApplyReport:
    """What was done, and what could not be, by batch."""

    done: tuple[Done, ...]
    failed: tuple[tuple[Work, GenieLoopError], ...]


def apply_pending(
    ledger: Ledger,
    services: Services,
    progress: Callable[[str, int, int], None] = lambda what, done, total: None,
) -> ApplyReport:
    """Do and undo everything that is approved or rejected; nothing pending, nothing written.

    A batch that cannot be done does not keep those of other spaces from it; where one cannot be
    undone, its space is left as it is, as what was applied before it cannot be undone exactly
    either. An undo may free a batch that waited, so what is pending is looked up again after one.
    """
    done: list[Done] = []
    failed: list[tuple[Work, GenieLoopError]] = []
    tried: set[tuple[str, Direction]] = set()
    stuck: set[str] = set()
    is_over = False
    while not is_over:
        works = [w for w in ledger.pending() if (w.batch_id, w.direction) not in tried]
        is_over = not any(work.direction == "undo" for work in works)
        for number, work in enumerate(works, start=1):
            progress("apply", number - 1, len(works))
            tried.add((work.batch_id, work.direction))
            if work.space_id in stuck:
                continue
            try:
                done.extend(_do(work, ledger, services))
            except GenieLoopError as error:
                failed.append((work, error))
                if work.direction == "undo":
                    stuck.add(work.space_id)
            progress("apply", number, len(works))
    return ApplyReport(tuple(done), tuple(failed))


def _do(work: Work, ledger: Ledger, services: Services) -> tuple[Done, ...]:
    """What was done, if anything: an approval may be taken back while the batch is planned."""
    homes = services.homes(work.space_id)
    intents = ledger.intents(work.batch_id, work.direction)
    left_out: tuple[str, ...] = ()
    if not intents:
        planned = _planned(work, ledger, homes)
        intents = planned.intents
        left_out = tuple(f"  left out: {error}" for _, error in planned.left_out)
        ledger.record_intents(work, intents)
    if work.direction == "apply" and ledger.is_declined(work):
        return ()  # with its intents recorded it is rejected, and undone by the next run
    carry_out(intents, homes, is_undo=work.direction == "undo")
    verify(intents, homes)
    ledger.record_application(
        work,
        intents,
        state_hash=services.state_hash(work.space_id),
        diff=repo_diff(intents, homes),
    )
    return (Done(work, len(intents), left_out),)


def _planned(work: Work, ledger: Ledger, homes: SpaceHomes) -> Plan:
    if work.direction == "undo":
        applied = ledger.intents(work.batch_id, "apply")
        if not applied:
            raise StateConflictError(
                "it was applied, but the way back was not recorded",
                where=work.batch_id,
                remedy="undo it by hand: applications says which proposals were applied",
            )
        return Plan(undoing(applied))
    _check_content(work)
    planned = plan(work.patches, homes)
    if not planned.intents:
        raise InvalidInputError(
            "none of its patches can be made",
            where=work.batch_id,
            remedy="make room for one of them as the list says, then run apply again",
            problems=[str(error) for _, error in planned.left_out],
        )
    return planned


def _check_content(work: Work) -> None:
    """The patches are those that were approved (rule 5)."""
    found = patches_hash([patch_json(proposed.patch) for proposed in work.patches])
    if found != work.content_hash:
        raise StateConflictError(
            "its patches are not what was approved",
            where=work.batch_id,
            remedy="the rows of proposals were changed; let optimize form a new batch",
        )
