"""Ids as people type them: any beginning that is unique, with or without the kind in front."""

from __future__ import annotations

from collections.abc import Sequence

from jobs.reading import History, Parameter, Row
from transforms.errors import StateConflictError

_LISTED_BY = {
    "batch": "genie-loop batches",
    "proposal": "genie-loop proposals",
    "cluster": "genie-loop clusters",
    "evaluation": "genie-loop history",
}


def prefix_of(kind: str, text: str) -> str:
    """The beginning of an id of that kind: ``batch-3f2a`` for both ``batch-3f2a`` and ``3f2a``."""
    return text if text.startswith(f"{kind}-") else f"{kind}-{text}"


def select_one(history: History, sql: str, kind: str, text: str, **parameters: Parameter) -> Row:
    """The one row of a query that ``:id``, the beginning of an id, narrows down.

    Raises StateConflictError when there is none, or more than one.
    """
    found = history.select(sql, id=prefix_of(kind, text), **parameters) if history.is_there else []
    return the_only(found, kind, text)


def the_only(rows: Sequence[Row], kind: str, text: str) -> Row:
    """The one row whose ``<kind>_id`` begins as ``text`` says.

    Raises StateConflictError when there is none, or more than one.
    """
    column, prefix = f"{kind}_id", prefix_of(kind, text)
    found = [row for row in rows if text and row[column].startswith(prefix)]
    exact = [row for row in found if row[column] == prefix]
    if len(exact or found) == 1:
        return (exact or found)[0]
    if not found:
        raise StateConflictError(
            f"there is no such {kind}", where=text or "''", remedy=f"see them: {_LISTED_BY[kind]}"
        )
    ids = ", ".join(sorted(row[column] for row in found))
    raise StateConflictError(
        f"{len(found)} begin so: {ids}", where=text, remedy="give more of the id"
    )
