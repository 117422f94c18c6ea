"""``init``: a project folder for a Genie Space that is live, or for a new one over tables."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from jobs import screens
from jobs.cli_shared import Json, command_of
from jobs.cli_workspace import connected
from jobs.screens import Column
from transforms.errors import InvalidInputError

if TYPE_CHECKING:
    from genie.initializing import Draft
    from genie.project_files import QuestionsFile


def init(
    context: typer.Context,
    folder: Annotated[Path, typer.Argument(metavar="FOLDER", help="To be made.")],
    space: Annotated[
        str | None, typer.Option(metavar="ID", help="The Genie Space that the folder is to define.")
    ] = None,
    table: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME", help="A table or metric view of a new space; repeat it."),
    ] = None,
    title: Annotated[
        str | None, typer.Option(help="Title of a new space; by default the folder's name.")
    ] = None,
    warehouse: Annotated[
        str | None,
        typer.Option(metavar="ID", help="SQL warehouse; by default the space's, or the only one."),
    ] = None,
    as_json: Json = False,
) -> None:
    """Make a project folder: the files that define a space, its questions, tables and functions.

    Everything is read from the workspace, and nothing in it is changed. Nothing is overwritten.
    """
    from genie.initializing import check_is_free, draft_of_space, draft_of_tables, write_project

    if (space is None) == (not table):
        raise InvalidInputError(
            "what is the project to be made of?",
            where="init",
            remedy="give either --space ID or --table NAME, the latter as often as needed",
        )
    if space is not None and title is not None:
        raise InvalidInputError(
            "a space that is there keeps its title", where="--title", remedy="leave it out"
        )
    check_is_free(folder)
    with connected(command_of(context), "init") as (client, _):
        draft = (
            draft_of_space(client, space, warehouse_id=warehouse)
            if space is not None
            else draft_of_tables(client, table or (), warehouse_id=warehouse)
        )
    write_project(folder, draft)
    if as_json:
        screens.print_json(_rows(folder, draft))
        return
    screens.print_table(_rows(folder, draft), _COLUMNS)
    screens.print_lines("", *_told(draft))
    steps = _next_steps(folder, draft.questions, space=space, title=title, warehouse=warehouse)
    screens.print_lines("Next:", *(f"  {step}" for step in steps))


def _rows(folder: Path, draft: Draft) -> list[dict[str, object]]:
    return [{"file": str(folder / file.path), "defines": file.defines} for file in draft.files]


_COLUMNS = (
    Column("file", lambda row: row["file"]),
    Column("defines", lambda row: row["defines"]),
)


def _told(draft: Draft) -> Iterator[str]:
    """What the files do not say by themselves."""
    questions = draft.questions
    if draft.title is not None:
        yield f"The space {draft.title!r} with {screens.count(questions.count, 'question')}."
    if questions.known:
        yield f"Benchmarks that are examples too, so that it knows their answer: {questions.known}."
    if questions.left_out:
        yield f"Examples left out of the questions, as it answers from them: {questions.left_out}."
    yield from (f"No file: {one}." for one in draft.left_out)


def _next_steps(
    folder: Path,
    questions: QuestionsFile,
    *,
    space: str | None,
    title: str | None,
    warehouse: str | None,
) -> Iterator[str]:
    """Commands, and what a person has to write."""
    if questions.count == 0:
        yield f"write questions and their expected SQL into {folder / 'questions.jsonl'}"
    elif questions.without_sql:
        without = screens.count(questions.without_sql, "question")
        yield f"write the expected SQL of {without} into {folder / 'questions.jsonl'}"
    if space is not None:
        yield shlex.join(["genie-loop", "check", space])
    options = {"--space": space, "--title": title, "--warehouse": warehouse}
    given = [word for name, value in options.items() if value for word in (name, value)]
    yield shlex.join(["genie-loop", "deploy", str(folder), *given])
    if space is None:
        yield "genie-loop check"
