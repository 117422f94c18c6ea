"""What the commands share: the home they work on, and options that mean the same everywhere."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import groupby
from typing import Annotated

import typer

from jobs.home import Home
from jobs.reading import History, Parameter, Row
from jobs.screens import Column, print_json, print_lines, print_table
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
SHOWN = 20  # rows of each space on a screen, unless another limit is given
Limit = Annotated[
    int | None,
    typer.Option(
        min=0,
        help=f"At most so many of each space; 0 for all. By default {SHOWN}, with --json all.",
        show_default=False,
    ),
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


def limited(
    rows: Sequence[Row], limit: int | None, *, as_json: bool, keeps_last: bool = False
) -> list[Row]:
    """The first rows of each space, or the last, as many as ``--limit`` says.

    Rows of one space follow one another. Without a limit a screen holds SHOWN of each space and
    JSON all; 0 means all.
    """
    most = limit if limit is not None else (0 if as_json else SHOWN)
    if most == 0:
        return list(rows)
    groups = (list(group) for _, group in groupby(rows, key=lambda row: row["space_id"]))
    return [row for group in groups for row in (group[-most:] if keeps_last else group[:most])]


def show_list(
    rows: Sequence[Row],
    columns: Sequence[Column],
    *,
    as_json: bool,
    if_none: str,
    limit: int | None = 0,
    keeps_last: bool = False,
) -> None:
    """Rows by space, as a table or as JSON; ``if_none`` says what to do where there are none."""
    shown = limited(rows, limit, as_json=as_json, keeps_last=keeps_last)
    if as_json:
        print_json(shown)
    elif not rows:
        print_lines(if_none)
    else:
        print_table(shown, columns, group_by="space_id")
        if len(shown) < len(rows):
            print_lines("", f"{len(rows) - len(shown)} more; --limit 0 shows all.")
