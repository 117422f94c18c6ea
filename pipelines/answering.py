"""Gives a space another answerer: a new registration, from which the next evaluation asks."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from genie.recorded import check_recorded_answers
from pipelines.questions import active_benchmarks
from pipelines.spaces import register_spaces, registered_spaces
from pipelines.tables import Tables
from transforms.errors import InvalidInputError


def answer_from(tables: Tables, space_id: str, recording: Path) -> bool:
    """Let a registered space be answered by a recording; False when it already is by just this one.

    Raises InvalidInputError with every fault of the file, answers to unknown questions included;
    then nothing is written.
    """
    path = recording.expanduser().absolute()
    known = {row["question_id"] for row in active_benchmarks(tables, space_id)}
    answers, problems = check_recorded_answers(path, str(recording), known)
    if problems:
        raise InvalidInputError(
            "these answers cannot be replayed",
            where=str(recording),
            remedy="correct the file; docs/data-format.md says what a line holds",
            problems=problems,
        )
    space = registered_spaces(tables)[space_id].space
    answered = replace(space, answerer=f"recorded:{path}", answerer_hash=answers.file_hash)
    return register_spaces(tables, [answered])
