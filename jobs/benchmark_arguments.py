"""What the commands about benchmarks share: their arguments, and what they refuse."""

from __future__ import annotations

from typing import Annotated

import typer

from jobs.cli_shared import check_space
from jobs.reading import History
from transforms.contracts import SPLITS
from transforms.errors import InvalidInputError

FILES = (".jsonl", ".yaml", ".yml")

SpaceId = Annotated[str, typer.Argument(metavar="SPACE", help="The space (its id).")]
Split = Annotated[
    str, typer.Option(metavar="SPLIT", help=f"Whose questions to show: {', '.join(SPLITS)}.")
]


def check_split(split: str) -> None:
    """Raises InvalidInputError for a split that there is not."""
    if split not in SPLITS:
        raise InvalidInputError(
            f"{split!r} is none of {', '.join(SPLITS)}", where="--split", remedy="give one of them"
        )


def check_is_registered(history: History, space: str) -> None:
    """Raises InvalidInputError for a space that is not registered, before Spark is started."""
    if not history.is_there:
        raise InvalidInputError(
            "there is no space yet",
            where=str(history.home.root),
            remedy="load one: genie-loop load FOLDER",
        )
    check_space(history, space)
