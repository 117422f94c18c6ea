"""The comparison of two results whose rows are at hand. The ladder: ``transforms.result_ladder``.

Each policy says which steps of it are right; types and values are decided in ``result_values``.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable, Hashable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any

from transforms.column_matching import Arrangement, Grid, Interning, as_bags, in_order
from transforms.judgement import Comparison, Execution
from transforms.result_ladder import (
    DEFAULT_POLICY,
    OFFICIAL_POLICIES,
    POLICIES,
    STEPS,
    Columns,
    Reading,
    check_policy,
    climb,
    not_comparable,
)
from transforms.result_values import (
    NumberMatcher,
    Written,
    exact_number_key,
    hash_text,
    is_single_precision,
    key_of,
    kind_of,
    numbers_in,
    numeric_number_key,
    official_key,
)

__all__ = ["DEFAULT_POLICY", "OFFICIAL_POLICIES", "POLICIES", "STEPS", "compare", "result_hash"]


def compare(
    expected: Execution,
    produced: Execution,
    *,
    policy: str = DEFAULT_POLICY,
    is_ordered: bool = False,
) -> Comparison:
    """Where the produced result meets the expected one, and whether that is right by the policy.

    ``is_ordered`` says that the question or the expected SQL asks for an order of rows; the
    official policies never do. The step of a right result is the gravest difference it has, that of
    a wrong one the gravest difference that the policy does not forgive. Raises ValueError for an
    unknown policy.
    """
    check_policy(policy)
    if expected.rows is None or produced.rows is None:
        return not_comparable(_what_is_missing(expected, produced))
    return climb(_RowsAtHand(expected, produced), policy=policy, is_ordered=is_ordered)


def result_hash(execution: Execution) -> str | None:
    """SHA-256 over the rows in no order, with duplicates; None when there is no result.

    The same rows have the same hash in every process. Names of columns and types of numbers do not
    count, the order of columns does. Floats count to twelve digits, so that noise is left out.
    """
    if execution.rows is None:
        return None
    digest = hashlib.sha256(str(len(execution.columns)).encode())
    for text in sorted(hash_text(tuple(row)) for row in execution.rows):
        digest.update(b"\n" + text.encode())
    return digest.hexdigest()


def rounded_grids(expected: Execution, produced: Execution) -> tuple[Grid, Grid]:
    """Both results as numbers that are equal where values are the same up to rounding."""
    matcher = NumberMatcher(*(_written(execution) for execution in (expected, produced)))
    return _grids(expected, produced, lambda value: key_of(value, matcher))


class _RowsAtHand:
    """Two results that are both there; see ``result_ladder.Pair``."""

    def __init__(self, expected: Execution, produced: Execution) -> None:
        self._executions = expected, produced
        self._sides: dict[Reading, _GridSides] = {}

    @property
    def names(self) -> tuple[tuple[str, ...], tuple[str, ...]]:
        ours, theirs = (_names(execution) for execution in self._executions)
        return ours, theirs

    def at(self, reading: Reading) -> _GridSides:
        if reading not in self._sides:
            is_rounded = reading == "rounded"
            grids = rounded_grids if is_rounded else partial(_grids, key=_KEYS[reading])
            self._sides[reading] = _GridSides(*grids(*self._executions))
        return self._sides[reading]

    def kinds(self, position: int) -> tuple[set[str], set[str]]:
        ours, theirs = (
            {kind_of(row[position]) for row in execution.rows or ()} - {"null"}
            for execution in self._executions
        )
        return ours, theirs


_KEYS: dict[Reading, Callable[[Any], Hashable]] = {
    "exact": lambda value: key_of(value, exact_number_key),
    "numeric": lambda value: key_of(value, numeric_number_key),
    "official": official_key,
}


@dataclass(frozen=True, slots=True)
class _GridSides:
    """See ``result_ladder.Sides``."""

    expected: Grid
    produced: Grid

    @property
    def row_counts(self) -> tuple[int, int]:
        return len(self.expected.rows), len(self.produced.rows)

    def distinct(self) -> _GridSides:
        return _GridSides(self.expected.distinct(), self.produced.distinct())

    def arrangement(self, columns: Columns, *, is_ordered: bool) -> Arrangement | None:
        if columns != "same":
            return (in_order if is_ordered else as_bags)(self.expected, self.produced)
        ours, theirs = self.expected.rows, self.produced.rows
        is_equal = ours == theirs if is_ordered else Counter(ours) == Counter(theirs)
        return tuple(range(self.expected.width)) if is_equal else None

    def unmatched(self) -> tuple[int, int]:
        ours, theirs = Counter(self.expected.rows), Counter(self.produced.rows)
        return (ours - theirs).total(), (theirs - ours).total()


def _grids(
    expected: Execution, produced: Execution, key: Callable[[Any], Hashable]
) -> tuple[Grid, Grid]:
    number = Interning()
    ours, theirs = (
        Grid(
            rows=tuple(tuple(number(key(value)) for value in row) for row in execution.rows or ()),
            names=_names(execution),
        )
        for execution in (expected, produced)
    )
    return ours, theirs


def _written(execution: Execution) -> Iterator[Written]:
    """Every number of a result, and whether it is a FLOAT's."""
    is_single = [is_single_precision(data_type) for data_type in execution.data_types]
    for row in execution.rows or ():
        for value, single in zip(row, is_single, strict=True):
            for number in numbers_in(value):
                yield number, single


def _names(execution: Execution) -> tuple[str, ...]:
    return tuple(name.lower() for name in execution.columns)


def _what_is_missing(expected: Execution, produced: Execution) -> str:
    missing = [
        f"the {name} query gave no result ({execution.status})"
        for name, execution in (("expected", expected), ("produced", produced))
        if execution.rows is None
    ]
    return "; ".join(missing)
