"""Perturbed copies of tables, on which two queries that agree by luck come apart.

After the test suites of Zhong et al. (2020), with two differences: values are drawn from the tables
themselves and from beside the constants of the queries, and nothing is random: a copy is a function
of rows, plan and the name of the copy. What is declared stays: keys are unique, references point to
rows that are there. So does what is known today: a column without NULL gets none, and names and
keys of which none is repeated are repeated in no copy, nor are two rows related twice. That each
row refers to another partner is no such knowledge where the table declares another key.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Hashable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from transforms.copy_plans import CopyPlan
from transforms.copy_references import Row, Rows, chance, key_of, without_lost
from transforms.question_words import name_words
from transforms.space_state import ColumnState, TableState

Keys = Mapping[str, Collection[Any]]
_KEY_WORDS = (("id",), ("key",), ("code",), ("number",), ("no",))
_WIDE_NUMBERS = ("int", "integer", "bigint", "long", "float", "double", "decimal")


@dataclass(frozen=True, slots=True)
class Copy:
    """How one copy differs from the tables; shares are of rows, 0-1.

    ``resampled`` values are taken from another row of their column, ``at_boundary`` ones from
    beside a constant of the queries, ``null`` ones are NULL, ``dropped`` rows are gone. What rows
    are ranked by takes only ``tied_values`` values (0: as many as there are), or ``is_untied``: no
    value twice, the least where the constants of the queries stand, or the greatest if it
    ``favours_constants``.
    """

    name: str
    resampled: float = 0.0
    at_boundary: float = 0.0
    null: float = 0.0
    dropped: float = 0.0
    tied_values: int = 0
    is_untied: bool = False
    favours_constants: bool = False


# Those that tell most first: a finding ends the check, and the time for it is bounded.
COPIES = (
    Copy("resampled", resampled=0.3, at_boundary=0.3),
    Copy("boundaries", resampled=0.1, at_boundary=0.7, null=0.1),
    Copy("sparse", resampled=0.2, at_boundary=0.3, null=0.1, dropped=0.5),
    Copy("shuffled", resampled=0.9, at_boundary=0.4, null=0.1),
    Copy("untied", resampled=0.1, at_boundary=0.4, null=0.2, is_untied=True),
    Copy("nulls", resampled=0.2, at_boundary=0.3, null=0.5),
    Copy("tied", resampled=0.2, at_boundary=0.2, tied_values=3),
    Copy("few", resampled=0.5, at_boundary=0.6, null=0.1, dropped=0.9),
    Copy("sparser", resampled=0.3, at_boundary=0.1, dropped=0.75),
    Copy("favoured", resampled=0.1, at_boundary=0.4, is_untied=True, favours_constants=True),
    Copy("even", resampled=0.3, at_boundary=0.3, tied_values=1),
)


def perturbed(
    rows: Mapping[str, Rows], tables: Sequence[TableState], plan: CopyPlan, copy: Copy
) -> dict[str, Rows]:
    """The rows of each table (by ``schema.table``) as the copy has them, columns in their order."""
    keys: Keys = {
        f"{table.name}.{column.name}".lower(): {row[at] for row in rows[table.name]}
        for table in tables
        for at, column in enumerate(table.columns)
        if column.is_primary_key
    }
    changed = {table.name: _Perturbing(table, rows, keys, plan, copy).rows() for table in tables}
    if not copy.dropped:
        return changed
    kept = {
        table.name: tuple(
            row
            for row in changed[table.name]
            if chance(copy.name, "drop", table.name, row) >= copy.dropped
        )
        for table in tables
    }
    return without_lost(changed, kept, tables)


class _Perturbing:
    """One table of one copy, column by column."""

    def __init__(
        self, table: TableState, rows: Mapping[str, Rows], keys: Keys, plan: CopyPlan, copy: Copy
    ) -> None:
        self._table = table
        self._rows = rows[table.name]
        self._keys = keys
        self._plan = plan
        self._copy = copy

    def rows(self) -> Rows:
        """The changed rows, as many as there were."""
        if not self._rows:
            return ()
        keys = key_of(self._table, self._rows)
        columns = [
            [row[at] for row in self._rows] if keys == (at,) else self._column(at, column)
            for at, column in enumerate(self._table.columns)
        ]
        if self._copy.is_untied:
            self._untie(columns)
        changed = list(zip(*columns, strict=True))
        return tuple(_with_unique_keys(changed, self._rows, keys) if keys else changed)

    def _column(self, at: int, column: ColumnState) -> list[Any]:
        values = [row[at] for row in self._rows]
        known = [value for value in values if value is not None]
        if not known or not all(isinstance(value, Hashable) for value in known):
            return values
        name = self._name(column)
        if len(set(known)) == len(known) and self._is_name_or_key(column):
            return self._with_constants(name, self._swapped(column, values))
        copy, is_ranked = self._copy, name in self._plan.ranked and not column.references
        pool = sorted(set(known), key=lambda value: chance(name, copy.name, repr(value)))
        is_tied = is_ranked and copy.tied_values > 0
        pool = pool[: copy.tied_values] if is_tied else known
        share = 1.0 if is_tied else copy.resampled
        beside = self._beside(column)
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

    def _name(self, column: ColumnState) -> str:
        return f"{self._table.name}.{column.name}"

    def _beside(self, column: ColumnState) -> Sequence[Any]:
        """What stands at and beside the constants of the column; of references, what is there."""
        name = self._name(column)
        if not column.references:
            return self._plan.boundaries.get(name, ())
        constants = self._plan.constants.get(name, ())
        keys = self._keys.get(column.references.lower())
        return constants if keys is None else [key for key in constants if key in keys]

    def _is_name_or_key(self, column: ColumnState) -> bool:
        """Whether that no value is repeated is more than chance.

        It is for a text, and for a number by its name; not for a reference beside a declared key.
        """
        has_key = any(one.is_primary_key for one in self._table.columns)
        if column.references and has_key and not column.is_primary_key:
            return False
        is_text = column.data_type.lower().startswith(("string", "varchar", "char"))
        return is_text or name_words(column.name)[-1:] in _KEY_WORDS

    def _untie(self, columns: list[list[Any]]) -> None:
        """Give each row a rank of its own: values rise from row to row, in another order."""
        order = sorted(range(len(self._rows)), key=lambda number: self._rank(columns, number))
        for at, column in enumerate(self._table.columns):
            name = self._name(column)
            if name not in self._plan.ranked or column.references or column.is_primary_key:
                continue
            rows = [number for number in order if columns[at][number] is not None]
            values = sorted(columns[at][number] for number in rows)
            if _is_wide_number(column):
                values = [_raised(value, number) for number, value in enumerate(values)]
            for number, value in zip(rows, values, strict=True):
                columns[at][number] = value

    def _rank(self, columns: Sequence[Sequence[Any]], number: int) -> tuple[int, float]:
        """How many constants stand in a row, the most first, or last if they are favoured."""
        looked_at = sum(
            columns[at][number] in self._plan.constants.get(self._name(column), ())
            for at, column in enumerate(self._table.columns)
        )
        sign = 1 if self._copy.favours_constants else -1
        return sign * looked_at, self._at("rank", number)

    def _with_constants(self, name: str, values: list[Any]) -> list[Any]:
        """The values with what the queries look for among them, where that is not repeated."""
        missing = [v for v in self._plan.boundaries.get(name, ()) if v not in values]
        at = {int(self._at(name, number) * len(values)): v for number, v in enumerate(missing)}
        return [at.get(number, value) for number, value in enumerate(values)]

    def _at(self, *parts: object) -> float:
        return chance(self._copy.name, "at", *parts)

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
        return share > 0 and chance(self._copy.name, *parts) < share

    def _drawn(self, pool: Sequence[Any], *parts: object) -> Any:
        return pool[int(chance(self._copy.name, *parts) * len(pool))]


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


def _is_wide_number(column: ColumnState) -> bool:
    return column.data_type.lower().startswith(_WIDE_NUMBERS)


def _raised(value: Any, number: int) -> Any:
    """A number a little higher in each row, so that none ties with another."""
    return value + (Decimal(number).scaleb(-2) if isinstance(value, Decimal) else number)
