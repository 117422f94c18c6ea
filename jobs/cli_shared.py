"""What the commands share: the home they work on, and options that mean the same everywhere."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated

import typer

from jobs.home import Home
from jobs.reading import History
from jobs.screens import print_json, print_lines


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


def show_nothing(as_json: bool, *lines: str) -> None:
    """There is nothing to list: an empty JSON list, or what to do next."""
    if as_json:
        print_json([])
    else:
        print_lines(*lines)
