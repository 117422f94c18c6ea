"""Where a space's answers come from: one small Protocol, and how an answerer is opened."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Protocol, runtime_checkable

from genie.ask_journal import AskJournal
from transforms.errors import InvalidInputError


@dataclass(frozen=True, slots=True)
class Answer:
    """What came of asking one question once.

    ``outcome`` is one of ``contracts.ANSWER_OUTCOMES``; ``sql`` is there exactly when it is
    ``answered``. ``latency_ms`` is the answerer's own measurement, None where there is nothing to
    measure.
    """

    outcome: Literal["answered", "no_sql", "timed_out", "failed"]
    sql: str | None = None
    text: str | None = None
    error: str | None = None
    latency_ms: int | None = None
    conversation_id: str | None = None
    message_id: str | None = None

    def __post_init__(self) -> None:
        """Raises ValueError for an answer that contradicts itself."""
        if (self.outcome == "answered") != (self.sql is not None):
            raise ValueError(f"an answer that is {self.outcome} and has sql {self.sql!r}")


class Answerer(Protocol):
    """Answers questions of one space.

    The failure contract. **A per-item result** is everything that is about this question: no SQL
    (``no_sql``), an answer that did not come in time (``timed_out``), a failure the answerer
    reports as final (``failed``). **Raised**: ``AnswererError`` when the same call may go through
    later (rate limit, 5xx, dropped connection): the caller asks again, a bounded number of times.
    Any other ``GenieLoopError`` means that nothing can be answered at all, and ends the evaluation
    before anything of it is recorded.

    Implementations are called from several threads at once.
    """

    @property
    def source_hash(self) -> str | None:
        """Hash of what is replayed; None for a live answerer, whose answers may change."""

    def ask(self, question_id: str, question: str, *, timeout_s: float) -> Answer:
        """One attempt; returns within ``timeout_s`` seconds, or is given up by the caller."""


@runtime_checkable
class ResumableAnswerer(Protocol):
    """An answerer that can be told what an earlier process has asked already."""

    def of_evaluation(self, evaluation_id: str, attempt: int, journal: AskJournal) -> Answerer:
        """The same answerer for one evaluation, that goes on where an earlier process stopped."""


def _open_recorded(argument: str) -> Answerer:
    from genie.recorded import RecordedAnswerer, read_recorded_answers  # it builds on Answer

    return RecordedAnswerer(read_recorded_answers(Path(argument)))


def _open_genie(argument: str) -> Answerer:
    from genie.genie_answerer import GenieAnswerer  # it builds on Answer
    from genie.one_try import environment_client  # importing the SDK takes a second

    return GenieAnswerer(environment_client(f"genie:{argument}"), argument)


# By kind: what the argument is called, and what opens it.
_OPENERS: dict[str, tuple[str, Callable[[str], Answerer]]] = {
    "genie": ("SPACE_ID", _open_genie),
    "recorded": ("PATH", _open_recorded),
}


def open_answerer(spec: str) -> Answerer:
    """The answerer that ``kind:argument`` names.

    ``recorded:PATH`` replays a file; ``genie:SPACE_ID`` asks a space of the workspace that the
    standard environment of the Databricks SDK names. Raises InvalidInputError for an unknown kind,
    for a file that cannot be replayed and for a workspace that nothing names.
    """
    kind, _, argument = spec.partition(":")
    if kind not in _OPENERS or not argument:
        known = ", ".join(f"{name}:{meant}" for name, (meant, _) in sorted(_OPENERS.items()))
        raise InvalidInputError(f"no such answerer: {spec!r}", remedy=f"give one of {known}")
    return _OPENERS[kind][1](argument)
