"""Answers on a screen, one block per question, those of a space under its name."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import groupby

from jobs import screens
from jobs.reading import Row

Fields = Callable[[Row], Sequence[tuple[str, str | None]]]


def print_question_blocks(rows: Sequence[Row], fields: Fields) -> None:
    """One heading per question, under it the fields of each of its rows.

    Rows have ``space_id``, ``question_id`` and ``question``; those of a space stand together, and
    those of a question in it.
    """
    for space, of_space in groupby(rows, key=lambda row: row["space_id"]):
        screens.print_heading(str(space), "bold cyan")
        for question, of_question in groupby(of_space, key=lambda row: row["question_id"]):
            found = list(of_question)
            screens.print_heading(f"{question}  {found[0]['question']}")
            for row in found:
                screens.print_fields(fields(row), indent=2)
        screens.print_lines("")
