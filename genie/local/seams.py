"""What the embedded workspace is made with: something that answers, and something that runs SQL."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from typing import Protocol

from transforms.errors import GenieLoopError
from transforms.serialized_space import SpaceConfig

SqlValue = str | int | float | bool | Decimal | date | datetime | None


@dataclass(frozen=True, slots=True)
class EngineAnswer:
    """SQL, or a text where there is no SQL to give, or both; ``description`` explains the SQL."""

    sql: str | None = None
    text: str | None = None
    description: str | None = None

    def __post_init__(self) -> None:
        """Raises ValueError for an answer that says nothing."""
        if not self.sql and not self.text:
            raise ValueError("an answer has sql, text or both")


@dataclass(frozen=True, slots=True)
class Turn:
    """An earlier question of the same conversation, with what was answered."""

    question: str
    sql: str | None = None
    text: str | None = None


class Engine(Protocol):
    """Turns a question into SQL.

    Called from several threads at once. ``AnswererError`` says that the same question may be
    answered later; any other exception is a final failure of that message. Neither reaches beyond
    the message.
    """

    def answer(self, config: SpaceConfig, question: str, history: Sequence[Turn]) -> EngineAnswer:
        """The answer to ``question``; ``config`` holds no benchmarks, ``history`` oldest first."""


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a result; ``type_text`` is its SQL type in full, ``decimal(10,2)``."""

    name: str
    type_text: str


@dataclass(frozen=True, slots=True)
class SqlResult:
    """The rows of a statement, each cell as text or None for NULL.

    Cells are written as the statement API writes them: dates as ``2026-01-31``, timestamps as
    ``2026-01-31T10:00:00.000Z``, arrays, maps and structs as JSON. ``is_truncated`` says that there
    were more rows than asked for.
    """

    columns: tuple[Column, ...] = ()
    rows: tuple[tuple[str | None, ...], ...] = ()
    is_truncated: bool = False


@dataclass(frozen=True, slots=True)
class SqlRequest:
    """A statement to run.

    ``row_limit`` rows are wanted at most, None for all; ``schema`` is what unqualified names are
    looked up in, None for the backend's own; ``parameters`` are values by name. ``tag`` names this
    execution for ``cancel``.
    """

    sql: str
    tag: str
    row_limit: int | None = None
    schema: str | None = None
    parameters: Mapping[str, SqlValue] = field(default_factory=dict)


class SqlFailedError(GenieLoopError):
    """The statement did not run; ``sql_state`` is the five characters of the SQL standard."""

    def __init__(self, message: str, *, sql_state: str | None = None) -> None:
        super().__init__(message)
        self.sql_state = sql_state


class SqlBackend(Protocol):
    """Runs SQL. Called from several threads at once."""

    def execute(self, request: SqlRequest) -> SqlResult:
        """Run one statement to its end. Raises SqlFailedError, also when it was cancelled."""

    def cancel(self, tag: str) -> None:
        """End the execution of that tag soon; nothing happens when there is none."""
