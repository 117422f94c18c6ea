"""References between copied tables: each points to a row that is there, in samples, too."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from transforms.space_state import TableState

Row = tuple[Any, ...]
Rows = tuple[Row, ...]


@dataclass(frozen=True, slots=True)
class Reference:
    """A column, by position, that points to one of another table."""

    table: str
    at: int
    to_table: str
    to: int


def references(tables: Sequence[TableState]) -> tuple[Reference, ...]:
    """The declared references from one of the tables to one of them."""
    positions = {
        f"{table.name}.{column.name}".lower(): (table.name, at)
        for table in tables
        for at, column in enumerate(table.columns)
    }
    return tuple(
        Reference(table.name, at, *positions[column.references.lower()])
        for table in tables
        for at, column in enumerate(table.columns)
        if column.references and column.references.lower() in positions
    )


def key_of(table: TableState, rows: Rows) -> tuple[int, ...]:
    """The columns, by position, that tell rows apart; none where nothing is known to.

    They are what is declared; in a table that only relates others, its references, if no rows have
    all of them in common.
    """
    declared = tuple(at for at, column in enumerate(table.columns) if column.is_primary_key)
    if declared:
        return declared
    related = tuple(at for at, column in enumerate(table.columns) if column.references)
    is_key = len(related) > 1 and len({tuple(row[at] for at in related) for row in rows}) == len(
        rows
    )
    return related if is_key else ()


def without_lost(
    before: Mapping[str, Rows], kept: Mapping[str, Rows], tables: Sequence[TableState]
) -> dict[str, Rows]:
    """Without rows that refer to rows which are gone, until none is left."""
    left = dict(kept)
    is_whole = False
    while not is_whole:
        is_whole = True
        for one in references(tables):
            gone = {row[one.to] for row in before[one.to_table]}
            gone -= {row[one.to] for row in left[one.to_table]}
            valid = tuple(row for row in left[one.table] if row[one.at] not in gone)
            is_whole &= len(valid) == len(left[one.table])
            left[one.table] = valid
    return left


def fitted(
    rows: Mapping[str, Rows],
    tables: Sequence[TableState],
    sampled: Collection[str],
    constants: Mapping[str, Sequence[Any]],
) -> dict[str, Rows]:
    """Rows of tables that refer only to rows that are there, where some tables are samples.

    ``sampled`` names the tables that are. A row whose partner was left out gets another one, or is
    left out, too, where its key would be there twice. ``constants`` are what queries look for, by
    ``schema.table.column``: a key that is looked for is in the sample, in place of another.
    """
    found = dict(rows)
    keys = {table.name: key_of(table, rows[table.name]) for table in tables}
    for table in tables:
        if table.name in sampled:
            _put_keys_into(found, table, tables, constants)
    lossy = {table.name for table in tables if table.name in sampled}
    is_whole = False
    while not is_whole:
        is_whole = True
        for one in references(tables):
            if one.to_table not in lossy:
                continue
            partners = sorted({row[one.to] for row in found[one.to_table]} - {None}, key=repr)
            fitting = _with_partners(found[one.table], one, partners)
            fitting = _with_distinct(keys[one.table], fitting)
            if len(fitting) < len(found[one.table]):
                lossy.add(one.table)
                is_whole = False
            found[one.table] = fitting
    return found


def _put_keys_into(
    found: dict[str, Rows],
    table: TableState,
    tables: Sequence[TableState],
    constants: Mapping[str, Sequence[Any]],
) -> None:
    """Rename keys of a sample to the ones that are looked for and missing, wherever they stand."""
    keys = [at for at, column in enumerate(table.columns) if column.is_primary_key]
    if len(keys) != 1 or table.columns[keys[0]].references:
        return
    wanted = constants.get(f"{table.name}.{table.columns[keys[0]].name}", ())
    there = [row[keys[0]] for row in found[table.name]]
    missing = [key for key in dict.fromkeys(wanted) if key not in there]
    renamed = dict(zip((key for key in there if key not in wanted), missing, strict=False))
    if not renamed:
        return
    uses = [(one.table, one.at) for one in references(tables) if one.to_table == table.name]
    for name, at in ((table.name, keys[0]), *uses):
        found[name] = tuple(_with(row, at, renamed.get(row[at], row[at])) for row in found[name])


def _with_partners(rows: Rows, one: Reference, partners: Sequence[Any]) -> Rows:
    """The rows; one whose partner is not among them has another, and goes where there is none."""
    known = {*partners, None}
    if not partners:
        return tuple(row for row in rows if row[one.at] in known)
    return tuple(
        row
        if row[one.at] in known
        else _with(row, one.at, partners[int(chance("partner", one.at, row) * len(partners))])
        for row in rows
    )


def _with_distinct(key: Sequence[int], rows: Rows) -> Rows:
    """The rows, of those that share a key only the first."""
    if not key:
        return rows
    first: dict[Row, Row] = {}
    for row in rows:
        first.setdefault(tuple(row[at] for at in key), row)
    return tuple(first.values())


def _with(row: Row, at: int, value: Any) -> Row:
    return (*row[:at], value, *row[at + 1 :])


def chance(*parts: object) -> float:
    """A number from 0 to below 1 that follows from the parts and looks like none."""
    digest = hashlib.blake2b(repr(parts).encode("utf-8", "surrogatepass"), digest_size=8).digest()
    return int.from_bytes(digest, "big") / 2**64
