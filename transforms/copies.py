"""Perturbed copies of tables, on which two queries that agree by luck come apart.

After the test suites of Zhong et al. (2020), with two differences: values are drawn from the tables
themselves and from beside the constants of the queries, and nothing is random: a copy is a function
of rows, plan and the name of the copy. What is declared stays: keys are unique, references point to
rows that are there. So does what is known today: a column without NULL gets none, and names and
keys of which none is repeated are repeated in no copy.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from transforms.copy_plans import CopyPlan
from transforms.question_words import name_words
from transforms.space_state import ColumnState, TableState

Row = tuple[Any, ...]
Rows = tuple[Row, ...]
_TIED_VALUES = 3
_KEY_WORDS = (("id",), ("key",), ("code",), ("number",), ("no",))
_WIDE_NUMBERS = ("int", "integer", "bigint", "long", "float", "double", "decimal")


@dataclass(frozen=True, slots=True)
class Copy:
    """How one copy differs from the tables; shares are of rows, 0-1.

    ``resampled`` values are taken from another row of their column, ``at_boundary`` ones from
    beside a constant of the queries, ``null`` ones are NULL, ``dropped`` rows are gone.
    ``is_tied``: what rows are ranked by takes three values only; ``is_untied``: no value twice.
    """

    name: str
    resampled: float = 0.0
    at_boundary: float = 0.0
    null: float = 0.0
    dropped: float = 0.0
    is_tied: bool = False
    is_untied: bool = False


COPIES = (
    Copy("resampled", resampled=0.3, at_boundary=0.3),
    Copy("boundaries", resampled=0.1, at_boundary=0.7),
    Copy("sparse", resampled=0.2, at_boundary=0.3, dropped=0.5),
    Copy("shuffled", resampled=0.9, at_boundary=0.4),
    Copy("nulls", resampled=0.2, at_boundary=0.3, null=0.3),
    Copy("tied", resampled=0.2, at_boundary=0.2, is_tied=True),
    Copy("untied", resampled=0.1, is_untied=True),
)


def perturbed(
    rows: Mapping[str, Rows], tables: Sequence[TableState], plan: CopyPlan, copy: Copy
) -> dict[str, Rows]:
    """The rows of each table (by ``schema.table``) as the copy has them, columns in their order."""
    changed = {
        table.name: _Perturbing(table, rows[table.name], plan, copy).rows() for table in tables
    }
    if not copy.dropped:
        return changed
    kept = {
        table.name: tuple(
            row
            for row in changed[table.name]
            if _chance(copy.name, "drop", table.name, row) >= copy.dropped
        )
        for table in tables
    }
    return _with_valid_references(changed, kept, tables)


def _with_valid_references(
    before: Mapping[str, Rows], kept: dict[str, Rows], tables: Sequence[TableState]
) -> dict[str, Rows]:
    """Without rows that refer to rows which are gone, until none is left."""
    positions = {
        f"{table.name}.{column.name}".lower(): (table.name, at)
        for table in tables
        for at, column in enumerate(table.columns)
    }
    references = [
        (table.name, at, *positions[column.references.lower()])
        for table in tables
        for at, column in enumerate(table.columns)
        if column.references and column.references.lower() in positions
    ]
    is_whole = False
    while not is_whole:
        is_whole = True
        for name, at, other, key in references:
            gone = {row[key] for row in before[other]} - {row[key] for row in kept[other]}
            valid = tuple(row for row in kept[name] if row[at] not in gone)
            is_whole &= len(valid) == len(kept[name])
            kept[name] = valid
    return kept


class _Perturbing:
    """One table of one copy, column by column."""

    def __init__(self, table: TableState, rows: Rows, plan: CopyPlan, copy: Copy) -> None:
        self._table = table
        self._rows = rows
        self._plan = plan
        self._copy = copy

    def rows(self) -> Rows:
        """The changed rows, as many as there were."""
        if not self._rows:
            return ()
        keys = [at for at, column in enumerate(self._table.columns) if column.is_primary_key]
        columns = [
            [row[at] for row in self._rows] if keys == [at] else self._column(at, column)
            for at, column in enumerate(self._table.columns)
        ]
        changed = list(zip(*columns, strict=True))
        return tuple(_with_unique_keys(changed, self._rows, keys) if keys else changed)

    def _column(self, at: int, column: ColumnState) -> list[Any]:
        values = [row[at] for row in self._rows]
        known = [value for value in values if value is not None]
        if not known or not all(isinstance(value, Hashable) for value in known):
            return values
        name = f"{self._table.name}.{column.name}"
        if len(set(known)) == len(known) and _is_name_or_key(column):
            return self._with_constants(name, self._swapped(column, values))
        copy, is_ranked = self._copy, name in self._plan.ranked
        if is_ranked and copy.is_untied and _is_wide_number(column):
            return [_raised(value, number) for number, value in enumerate(values)]
        pool = sorted(set(known), key=lambda value: _chance(name, copy.name, repr(value)))
        pool = pool[:_TIED_VALUES] if is_ranked and copy.is_tied else known
        share = 1.0 if is_ranked and copy.is_tied else copy.resampled
        beside = () if column.references else self._plan.boundaries.get(name, ())
        may_be_null = len(known) < len(values)
        changed: list[Any] = []
        for number, value in enumerate(values):
            if may_be_null and self._strikes(copy.null, "null", name, number):
                changed.append(None)
            elif beside and self._strikes(copy.at_boundary, "boundary", name, number):
                changed.append(self._drawn(beside, "beside", name, number))
            elif self._strikes(share, "resample", name, number):
                changed.append(self._drawn(pool, "value", name, number))
            else:
                changed.append(value)
        return changed

    def _with_constants(self, name: str, values: list[Any]) -> list[Any]:
        """The values with what the queries look for among them, where that is not repeated."""
        missing = [v for v in self._plan.boundaries.get(name, ()) if v not in values]
        at = {int(self._at(name, number) * len(values)): v for number, v in enumerate(missing)}
        return [at.get(number, value) for number, value in enumerate(values)]

    def _at(self, *parts: object) -> float:
        return _chance(self._copy.name, "at", *parts)

    def _swapped(self, column: ColumnState, values: list[Any]) -> list[Any]:
        """The same values in other rows: none is repeated, so none may be."""
        moved = [
            number
            for number in range(len(values))
            if self._strikes(self._copy.resampled, "swap", column.name, number)
        ]
        changed = list(values)
        for number, other in zip(moved, moved[1:] + moved[:1], strict=True):
            changed[number] = values[other]
        return changed

    def _strikes(self, share: float, *parts: object) -> bool:
        return share > 0 and _chance(self._copy.name, *parts) < share

    def _drawn(self, pool: Sequence[Any], *parts: object) -> Any:
        return pool[int(_chance(self._copy.name, *parts) * len(pool))]


def _with_unique_keys(changed: Sequence[Row], rows: Rows, keys: Sequence[int]) -> list[Row]:
    """Rows whose key would be there twice keep the key that they had."""
    had = {tuple(row[at] for at in keys) for row in rows}
    taken: dict[tuple[Any, ...], bool] = defaultdict(bool)
    kept = []
    for row, before in zip(changed, rows, strict=True):
        key, old = (tuple(line[at] for at in keys) for line in (row, before))
        if key != old and (taken[key] or key in had):
            row = tuple(before[at] if at in keys else value for at, value in enumerate(row))
            key = old
        taken[key] = True
        kept.append(row)
    return kept


def _is_name_or_key(column: ColumnState) -> bool:
    """Whether that no value is repeated is more than chance: a text, or a number by its name."""
    is_text = column.data_type.lower().startswith(("string", "varchar", "char"))
    return is_text or name_words(column.name)[-1:] in _KEY_WORDS


def _is_wide_number(column: ColumnState) -> bool:
    return column.data_type.lower().startswith(_WIDE_NUMBERS)


def _raised(value: Any, number: int) -> Any:
    """A number a little higher in each row, so that none ties with another for long."""
    if value is None:
        return None
    return value + (Decimal(number).scaleb(-2) if isinstance(value, Decimal) else number)


def _chance(*parts: object) -> float:
    """A number from 0 to below 1 that follows from the parts and looks like none."""
    digest = hashlib.blake2b(repr(parts).encode("utf-8", "surrogatepass"), digest_size=8).digest()
    return int.from_bytes(digest, "big") / 2**64
