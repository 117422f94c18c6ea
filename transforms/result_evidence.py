"""How two results relate, as evidence for why they differ: values decide, never only shapes."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from itertools import permutations
from typing import Any

from transforms.judgement import Execution

MAX_PERMUTATIONS = 200  # assignments of columns that are tried
Row = tuple[Hashable, ...]


@dataclass(frozen=True, slots=True)
class ResultEvidence:
    """What the rows of the expected and the produced result show.

    ``produced_order`` gives for each expected column the produced one that holds it, when all rows
    agree; ``expected_order`` the reverse, for a produced result that lacks columns. ``.._distinct``
    counts the different rows. The flags hold
    for results that are both there; else all are False.
    """

    expected_rows: int | None = None
    produced_rows: int | None = None
    expected_distinct: int | None = None
    produced_distinct: int | None = None
    expected_width: int = 0
    produced_width: int = 0
    extra_columns: tuple[int, ...] = ()
    missing_columns: tuple[int, ...] = ()
    is_order_only: bool = False
    is_duplicates_only: bool = False
    is_rounding_only: bool = False
    is_produced_within_expected: bool = False
    is_expected_within_produced: bool = False
    is_expected_void: bool = False
    is_produced_void: bool = False

    @property
    def has_extra_columns_only(self) -> bool:
        """Whether leaving columns out of the produced result gives the expected one."""
        return bool(self.extra_columns)

    @property
    def has_missing_columns_only(self) -> bool:
        """Whether leaving columns out of the expected result gives the produced one."""
        return bool(self.missing_columns)


def result_evidence(expected: Execution, produced: Execution) -> ResultEvidence:
    """Relates two results; an empty relation where one of them is missing."""
    if expected.rows is None or produced.rows is None:
        return ResultEvidence(expected.row_count, produced.row_count)
    wanted = [tuple(map(_plain, row)) for row in expected.rows]
    given = [tuple(map(_plain, row)) for row in produced.rows]
    width, other_width = len(expected.columns), len(produced.columns)
    is_same_width = width == other_width
    extra: tuple[int, ...] = ()
    missing: tuple[int, ...] = ()
    says_something = not (is_void(wanted) and is_void(given))
    if other_width > width and says_something:
        kept = _projection(wanted, given, width, other_width)
        extra = tuple(i for i in range(other_width) if i not in kept) if kept else ()
    elif other_width < width and says_something:
        kept = _projection(given, wanted, other_width, width)
        missing = tuple(i for i in range(width) if i not in kept) if kept else ()
    aligned = _aligned(wanted, given, width) if is_same_width else given
    bag, other_bag = Counter(wanted), Counter(aligned)
    return ResultEvidence(
        expected_rows=len(wanted),
        produced_rows=len(given),
        expected_distinct=len(bag),
        produced_distinct=len(other_bag),
        expected_width=width,
        produced_width=other_width,
        extra_columns=extra,
        missing_columns=missing,
        is_order_only=is_same_width and bag == other_bag,
        is_duplicates_only=is_same_width and bag != other_bag and set(bag) == set(other_bag),
        is_rounding_only=is_same_width and _is_rounding(wanted, aligned),
        is_produced_within_expected=is_same_width and set(other_bag) < set(bag),
        is_expected_within_produced=is_same_width and set(bag) < set(other_bag),
        is_expected_void=is_void(wanted),
        is_produced_void=is_void(given),
    )


def _plain(value: Any) -> Hashable:
    """A hashable value that is equal for equal numbers of any type."""
    if isinstance(value, bool):
        return ("bool", value)
    if isinstance(value, (int, float, Decimal)):
        number = float(value)
        return number if math.isnan(number) or math.isinf(number) else float(f"{number:.10g}")
    if isinstance(value, (list, tuple)):
        return tuple(map(_plain, value))
    if isinstance(value, dict):
        return tuple(sorted((str(k), str(_plain(v))) for k, v in value.items()))
    return value if isinstance(value, Hashable) else str(value)


def _columns(rows: Sequence[Row], width: int) -> list[Counter[Hashable]]:
    return [Counter(row[i] for row in rows) for i in range(width)]


def _projection(
    narrow: Sequence[Row], wide: Sequence[Row], width: int, wide_width: int
) -> tuple[int, ...]:
    """Columns of the wide rows that give the narrow rows as a bag; empty when there are none."""
    if len(narrow) != len(wide) or not narrow or not width:
        return ()
    wanted, offered = _columns(narrow, width), _columns(wide, wide_width)
    candidates = [[j for j in range(wide_width) if offered[j] == wanted[i]] for i in range(width)]
    bag = Counter(narrow)
    for choice in _choices(candidates):
        if Counter(tuple(row[j] for j in choice) for row in wide) == bag:
            return choice
    return ()


def _choices(candidates: list[list[int]]) -> list[tuple[int, ...]]:
    found: list[tuple[int, ...]] = [()]
    for options in candidates:
        found = [(*done, j) for done in found for j in options if j not in done]
        found = found[:MAX_PERMUTATIONS]
    return found


def _aligned(wanted: Sequence[Row], given: Sequence[Row], width: int) -> list[Row]:
    """The given rows with their columns in the order that overlaps most with the wanted ones."""
    if width < 2 or width > 5:
        return list(given)
    target = set(wanted)
    best = max(
        permutations(range(width)),
        key=lambda order: sum(tuple(row[i] for i in order) in target for row in given[:200]),
    )
    return [tuple(row[i] for i in best) for row in given]


def _is_rounding(wanted: Sequence[Row], given: Sequence[Row]) -> bool:
    """Whether the produced numbers are the expected ones, rounded."""
    if len(wanted) != len(given) or not wanted or list(wanted) == list(given):
        return False
    return all(
        len(row) == len(other) and all(map(_is_rounded, row, other))
        for row, other in zip(wanted, given, strict=True)
    )


def _is_rounded(value: Hashable, other: Hashable) -> bool:
    if value == other:
        return True
    if not isinstance(value, float) or not isinstance(other, float):
        return False
    digits = len(f"{other:.10f}".rstrip("0").partition(".")[2])
    return digits <= 4 and abs(value - other) <= 0.5 * 10.0**-digits + 1e-9


def is_void(rows: Sequence[tuple[Any, ...]]) -> bool:
    """Whether a result says nothing: no rows, or one row of NULLs and zeros."""
    return not rows or (len(rows) == 1 and all(v is None or v == 0.0 for v in rows[0]))
