"""The texts of a merge by key. Over all of them ``t`` is the table and ``s`` are the rows."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from pipelines.ddl import quote_name
from transforms.contracts import Table

RECORDED_AT = "recorded_at"


def same_key(table: Table) -> str:
    """Both are the same fact; a NULL in a key is a value like any other."""
    return " AND ".join(f"{_of('s', column)} <=> {_of('t', column)}" for column in table.key)


def is_changed(update: Sequence[str], matched_when: str | None = None) -> str:
    """A column to update, other than ``recorded_at``, differs, and the condition holds."""
    differs = " OR ".join(
        f"NOT ({_of('s', column)} <=> {_of('t', column)})"
        for column in update
        if column != RECORDED_AT
    )
    return f"({differs or 'FALSE'}) AND ({matched_when or 'TRUE'})"


def merge_statement(
    table: Table, name: str, rows: str, update: Sequence[str], matched_when: str | None
) -> str:
    """MERGE of the rows under the quoted name ``rows`` into the table of the quoted ``name``.

    In SQL and not through the DataFrame API: Spark Connect knows it without Delta's plug-in.
    """
    return "\n".join(_merge(table, name, rows, update, matched_when))


def _merge(
    table: Table, name: str, rows: str, update: Sequence[str], matched_when: str | None
) -> Iterator[str]:
    yield f"MERGE INTO {name} AS t USING {rows} AS s ON {same_key(table)}"
    if update:
        assignments = ", ".join(f"{_of('t', name)} = {_of('s', name)}" for name in update)
        yield f"WHEN MATCHED AND {is_changed(update, matched_when)} THEN UPDATE SET {assignments}"
    columns = ", ".join(quote_name(column) for column in table.columns)
    values = ", ".join(_of("s", column) for column in table.columns)
    yield f"WHEN NOT MATCHED THEN INSERT ({columns}) VALUES ({values})"


def _of(alias: str, column: str) -> str:
    return f"{alias}.{quote_name(column)}"
