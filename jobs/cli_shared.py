"""What the commands share: the home they work on, and options that mean the same everywhere."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated

import typer

from jobs.home import Home
from jobs.reading import History, Parameter, Row
from jobs.screens import print_json, print_lines
from transforms.errors import InvalidInputError

_SPACES = "SELECT space_id FROM latest_spaces ORDER BY space_id"


@dataclass(frozen=True, slots=True)
class Command:
    """What the options before the command's name say."""

    home: Home
    is_verbose: bool = False

    @property
    def history(self) -> History:
        """The home's tables, to be read."""
        return History(self.home)


Json = Annotated[bool, typer.Option("--json", help="Print a JSON list of objects instead.")]
Space = Annotated[
    str | None, typer.Option("--space", metavar="SPACE", help="Only this space (its id).")
]
Id = Annotated[str, typer.Argument(help="Id, or a beginning of it that is unique.")]


def command_of(context: typer.Context) -> Command:
    """The ``Command`` that the callback of the program made."""
    command = context.find_object(Command)
    assert command is not None  # the program's callback runs before every command
    return command


def utc_now() -> datetime:
    """The clock of everything that the command line starts."""
    return datetime.now(UTC)


def rows_of(history: History, sql: str, space: str | None, **parameters: Parameter) -> list[Row]:
    """The rows of a query that ``:space`` narrows down to one space; none where nothing is there.

    Raises InvalidInputError for a space that is not registered.
    """
    if not history.is_there:
        return []
    rows = history.select(sql, space=space, **parameters)
    if not rows and space is not None:
        check_space(history, space)
    return rows


def check_space(history: History, space: str) -> None:
    """Raises InvalidInputError, naming those that are, for a space that is not registered."""
    known = [row["space_id"] for row in history.select(_SPACES)]
    if space not in known:
        raise InvalidInputError(
            "there is no such space", where=space, remedy=f"known are {', '.join(known) or 'none'}"
        )


def show_nothing(as_json: bool, *lines: str) -> None:
    """There is nothing to list: an empty JSON list, or what to do next."""
    if as_json:
        print_json([])
    else:
        print_lines(*lines)
