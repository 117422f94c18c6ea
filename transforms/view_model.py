"""What a view is: a named query in standard SQL over tables of the contracts and earlier views."""

from __future__ import annotations

from dataclasses import dataclass

from transforms.contracts import Table


@dataclass(frozen=True, slots=True)
class View:
    """A named query; ``comment`` says what one row is.

    ``sql`` is standard SQL that Spark and DataFusion both run unchanged.
    """

    name: str
    comment: str
    sql: str


def columns(table: Table, alias: str) -> str:
    """All columns of a table's contract, for a select list: a view never says ``*`` of a table."""
    return ", ".join(f"{alias}.{name}" for name in table.columns)
