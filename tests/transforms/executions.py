"""Results for tests of comparison, written as rows."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from transforms.judgement import Execution


def result(rows: Sequence[Sequence[Any]], columns: str | None = None) -> Execution:
    """A result of these rows; ``columns`` are names between spaces, else a, b, c ..."""
    width = len(rows[0]) if rows else 0
    names = tuple(columns.split()) if columns is not None else tuple("abcdefghijkl"[:width])
    return Execution(
        status="ok",
        columns=names,
        data_types=("string",) * len(names),
        rows=tuple(tuple(row) for row in rows),
    )


def column(*values: Any) -> Execution:
    """A result of one column."""
    return result([(value,) for value in values], "a")
