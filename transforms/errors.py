"""The errors of genie-loop: one root, few leaves; what was wrong, where, and what to do."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal


class GenieLoopError(Exception):
    """Root of every error raised on purpose.

    ``exit_code`` is what the command line ends with. ``where`` names the file, table, job or
    question; ``remedy`` is the next step for the person who reads it.
    """

    exit_code = 1

    def __init__(self, what: str, *, where: str | None = None, remedy: str | None = None) -> None:
        self.what = what
        self.where = where
        self.remedy = remedy
        super().__init__(what)

    def __str__(self) -> str:
        place = f"{self.where}: " if self.where else ""
        step = f"\n  What to do: {self.remedy}" if self.remedy else ""
        return f"{place}{self.what}{step}"


class InvalidInputError(GenieLoopError):
    """A file or argument that a person gave is wrong; nothing was changed. Exit code 2.

    ``problems`` lists every problem found, each with its place, so that one run shows them all.
    """

    exit_code = 2

    def __init__(
        self,
        what: str,
        *,
        where: str | None = None,
        remedy: str | None = None,
        problems: Sequence[str] = (),
    ) -> None:
        super().__init__(what, where=where, remedy=remedy)
        self.problems = tuple(problems)

    def __str__(self) -> str:
        return "\n".join([super().__str__(), *(f"  - {problem}" for problem in self.problems)])


class MissingRuntimeError(GenieLoopError):
    """Java, the network or the home folder is missing or unusable. Exit code 3."""

    exit_code = 3


class ContractDriftError(GenieLoopError):
    """A table is not what its contract says; it is never altered silently. Exit code 4."""

    exit_code = 4


class ContractViolationError(GenieLoopError):
    """Rows that a table's contract forbids; none of them was written. Exit code 8."""

    exit_code = 8


class MissingEvidenceError(GenieLoopError):
    """A stage was asked to work without per-row data (rule 1). Exit code 5."""

    exit_code = 5


class UnconfiguredSpaceError(GenieLoopError):
    """The space has nothing to answer from (rules 3 and 8). Exit code 6."""

    exit_code = 6


class StateConflictError(GenieLoopError):
    """The decision does not fit the state: unknown or stale batch, already decided. Exit code 7."""

    exit_code = 7


class TransientError(Exception):
    """Mix-in: the same call may go through later; nothing was half-done."""


class HomeBusyError(GenieLoopError, TransientError):
    """Another process owns the home folder. Exit code 75, as sysexits calls a temporary failure."""

    exit_code = 75


class AnswererError(GenieLoopError, TransientError):
    """The answerer failed in a way that may pass: time-out, rate limit, 5xx."""


class SpaceChangedError(GenieLoopError, TransientError):
    """A space was changed while it was asked; nothing was recorded, the next try asks it anew."""


class NoReplyError(GenieLoopError, TransientError):
    """A model that was asked to judge has not replied; its verdict is skipped, with this reason.

    ``kind`` is ``one`` where that says nothing of the next request, ``outage`` where tries over
    some time did not help, and ``lasting`` where no request will be answered.
    """

    def __init__(self, what: str, kind: Literal["one", "outage", "lasting"] = "one") -> None:
        super().__init__(what)
        self.kind = kind


class TrackingError(GenieLoopError, TransientError):
    """MLflow is away or failed; what it has not logged can be logged later from the tables."""
