"""The seam between a space and whatever answers its questions."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from genie.local.engine.visible import VisibleSpace


@dataclass(frozen=True, slots=True)
class TraceEntry:
    """One decision: what was decided about which part of the question, and which metadata did."""

    step: str
    about: str
    because: str


@dataclass(frozen=True, slots=True)
class EngineAnswer:
    """One read-only query in ``sql``, or ``text`` where the question was not understood.

    Exactly one of the two is there. ``trace`` is for debugging, in the order of the decisions.
    """

    sql: str | None = None
    text: str | None = None
    trace: tuple[TraceEntry, ...] = ()

    def __post_init__(self) -> None:
        """Raises ValueError for an answer with both or neither of sql and text."""
        if (self.sql is None) == (self.text is None):
            raise ValueError("an answer has either sql or text")


class Engine(Protocol):
    """Turns a question into SQL from what is visible of a space, and from nothing else.

    ``answer`` has no side effects and may be called from several threads at once. Not to know is
    an answer (``text``), not an error: nothing is raised for any question or metadata.
    """

    def answer(self, space: VisibleSpace, question: str) -> EngineAnswer:
        """The answer to one question, asked in a new conversation."""
