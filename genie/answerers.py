"""Where a space's answers come from: one small Protocol, and how an answerer is opened."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Protocol

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


def _open_recorded(argument: str) -> Answerer:
    from genie.recorded import RecordedAnswerer, read_recorded_answers  # it builds on Answer

    return RecordedAnswerer(read_recorded_answers(Path(argument)))


_OPENERS: dict[str, Callable[[str], Answerer]] = {"recorded": _open_recorded}


def open_answerer(spec: str) -> Answerer:
    """The answerer that ``kind:argument`` names; ``recorded:PATH`` replays a file.

    Raises InvalidInputError for an unknown kind, and for a file that cannot be replayed.
    """
    kind, _, argument = spec.partition(":")
    opener = _OPENERS.get(kind)
    if opener is None or not argument:
        raise InvalidInputError(
            f"no such answerer: {spec!r}",
            remedy="give one of " + ", ".join(f"{known}:PATH" for known in sorted(_OPENERS)),
        )
    return opener(argument)
