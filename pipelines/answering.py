"""Gives a space another answerer: a new registration, from which the next evaluation asks."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from pyspark.sql import functions as F

from genie.recorded import check_recorded_answers
from pipelines.spaces import register_spaces, registered_spaces
from pipelines.tables import Tables
from transforms.contracts import BENCHMARKS
from transforms.errors import InvalidInputError


def answer_from(tables: Tables, space_id: str, recording: Path) -> bool:
    """Let a space be answered by a recording; False when it already is by just this one.

    Raises InvalidInputError for an unknown space, and with every fault of the file: also answers to
    questions that the space never had. Those that it has no more are not asked. Nothing is written
    then.
    """
    registered = registered_spaces(tables).get(space_id)
    if registered is None:
        raise InvalidInputError("there is no such space", where=space_id)
    answers, problems = check_recorded_answers(
        recording.expanduser(), str(recording), _questions_ever(tables, space_id)
    )
    if problems:
        raise InvalidInputError(
            "these answers cannot be replayed",
            where=str(recording),
            remedy="correct the file; docs/data-format.md says what a line holds",
            problems=problems,
        )
    # As a folder's recordings are named, so that one of them given again is no other one.
    answerer = f"recorded:{recording.expanduser().resolve()}"
    answered = replace(registered.space, answerer=answerer, answerer_hash=answers.file_hash)
    return register_spaces(tables, [answered])


def _questions_ever(tables: Tables, space_id: str) -> set[str]:
    """The questions of the space, also those that were taken out."""
    of_space = tables.read(BENCHMARKS).where(F.col("space_id") == space_id)
    return {row["question_id"] for row in of_space.select("question_id").distinct().collect()}
