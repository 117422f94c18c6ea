"""Recorded answers with the official verdicts of their benchmarks: read from a folder, not kept."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from transforms.space_state import ColumnState, SpaceState, TableState

DATA = Path(os.environ.get("GENIE_LOOP_DATA", Path(__file__).parents[3] / "shared" / "data"))
DATABASES = ("superhero", "world_1")


def lines(path: Path) -> list[dict[str, Any]]:
    """The values of a file of JSON lines."""
    return [json.loads(line) for line in path.read_text().splitlines()]


def questions(database: str) -> dict[str, dict[str, Any]]:
    """The questions of a database by their id."""
    return {q["question_id"]: q for q in lines(DATA / database / "questions.jsonl")}


def recorded(database: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """Each answer with the name of the system that gave it."""
    for path in sorted((DATA / database / "answers").glob("*.jsonl")):
        for answer in lines(path):
            yield path.stem, answer


def state(database: str) -> SpaceState:
    """The catalog of a database, its tables in a schema of its name."""
    declared = json.loads((DATA / database / "schema.json").read_text())["tables"]
    return SpaceState(
        database,
        database,
        tuple(
            TableState(
                f"{database}.{name}",
                tuple(_column(database, column) for column in table["columns"]),
                table.get("comment"),
            )
            for name, table in declared.items()
        ),
    )


def _column(database: str, declared: dict[str, Any]) -> ColumnState:
    references = [f"{database}.{key}" for key in declared["foreign_keys"]]
    return ColumnState(
        declared["name"],
        declared["spark_type"],
        declared["comment"],
        is_primary_key=declared["primary_key"],
        references=next(iter(references), None),
    )
