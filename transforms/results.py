"""The comparison of two results: where they meet on a ladder, and whether that is right.

The ladder, from the mildest difference to the gravest. Each step forgives what stands before it:

=================  =================================================================================
identical_sql      set by the caller: both queries have one canonical text
equal              the same columns, by name and type of number, and the same rows in one order
alias              columns are named differently
row_order          the rows stand in another order
column_order       the columns stand in another order
numeric_type       a number is an integer here, a decimal or a float there
rounding           numbers differ by noise or by rounding (``result_values.NumberMatcher``)
extra_columns      the produced result has further columns
duplicates         rows appear more often in one than in the other
official_rule      the same only under the benchmarks' own rule
tie_cut_by_limit   set by the caller, who knows the SQL: LIMIT chose among rows that tie
different          the values differ
not_comparable     a result is missing, or telling columns apart would take too long
=================  =================================================================================

Values decide, always: what is forgiven is how they are named, ordered or written. When two results
without rows differ in the number of columns, that number is all there is to decide.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable, Hashable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from transforms.column_matching import (
    Arrangement,
    Grid,
    Interning,
    SearchExhaustedError,
    as_bags,
    in_order,
)
from transforms.judgement import Comparison, Execution
from transforms.result_values import (
    LEVELS,
    Level,
    NumberMatcher,
    exact_number_key,
    hash_text,
    key_of,
    kind_of,
    numbers_in,
    numeric_number_key,
    official_key,
)

STEPS = (
    "identical_sql",
    "equal",
    "alias",
    "row_order",
    "column_order",
    "numeric_type",
    "rounding",
    "extra_columns",
    "duplicates",
    "official_rule",
    "tie_cut_by_limit",
    "different",
    "not_comparable",
)
DEFAULT_POLICY = "bag_any_column"
_BAG = frozenset({"alias", "row_order", "numeric_type", "rounding"})
# What each policy forgives. Row order is not forgiven where the question or its SQL asks for one.
_FORGIVEN = {
    "bag": _BAG,
    "bag_any_column": _BAG | {"column_order"},
    "superset": _BAG | {"column_order", "extra_columns"},
    # Decided by `_is_officially_equal`; this only chooses the step that says why not.
    "official_set": _BAG | {"duplicates"},
    "official_set_any_column": _BAG | {"duplicates", "column_order"},
}
OFFICIAL_POLICIES = ("official_set", "official_set_any_column")
POLICIES = tuple(_FORGIVEN)

Matcher = Callable[[Grid, Grid], Arrangement | None]

_WORDS = {
    "alias": "the names of columns",
    "row_order": "the order of rows",
    "column_order": "the order of columns",
    "numeric_type": "the types of numbers",
    "rounding": "rounding",
    "extra_columns": "further columns",
    "duplicates": "how often rows appear",
}


@dataclass(frozen=True, slots=True)
class _Rung:
    """One way in which results may be the same, and the differences that it forgives."""

    level: Level
    columns: Literal["same", "permuted", "further"]
    is_distinct: bool

    @property
    def differences(self) -> frozenset[str]:
        """Steps of the ladder, in no order."""
        by_level = {"exact": None, "numeric": "numeric_type", "rounded": "rounding"}
        by_columns = {"same": None, "permuted": "column_order", "further": "extra_columns"}
        found = (
            by_level[self.level],
            by_columns[self.columns],
            "duplicates" if self.is_distinct else None,
        )
        return frozenset(step for step in found if step)


def _gravity(differences: Iterable[str]) -> list[int]:
    return sorted((STEPS.index(step) for step in differences), reverse=True)


_COLUMNS: tuple[Literal["same", "permuted", "further"], ...] = ("same", "permuted", "further")
_RUNGS = sorted(
    (
        _Rung(level, columns, is_distinct)
        for level in LEVELS
        for columns in _COLUMNS
        for is_distinct in (False, True)
    ),
    key=lambda rung: _gravity(rung.differences),
)


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
    if policy not in _FORGIVEN:
        raise ValueError(f"unknown policy {policy!r}; known: {', '.join(POLICIES)}")
    if expected.rows is None or produced.rows is None:
        return _not_comparable(_what_is_missing(expected, produced))
    is_official = policy in OFFICIAL_POLICIES
    forgiven = _FORGIVEN[policy]
    if is_ordered and not is_official:
        forgiven -= {"row_order"}
    found, is_exhausted = _mildest_differences(expected, produced, forgiven)
    is_correct = found is not None and found <= forgiven
    try:
        if is_official:
            is_correct = _is_officially_equal(expected, produced, policy)
        elif is_exhausted and not is_correct:
            raise SearchExhaustedError
    except SearchExhaustedError:
        return _not_comparable("columns that look alike could not be told apart in time")
    step = _step(found, forgiven, is_correct=is_correct)
    if step == "different":
        return Comparison(step, is_correct, _how_they_differ(expected, produced))
    return Comparison(step, is_correct, _how_they_meet(found, forgiven, is_correct=is_correct))


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


def _mildest_differences(
    expected: Execution, produced: Execution, forgiven: frozenset[str]
) -> tuple[frozenset[str] | None, bool]:
    """What must be forgiven for the results to be the same; whether a search was given up.

    The mildest that the policy forgives, else the mildest there is; None when nothing helps.
    """
    mildest: frozenset[str] | None = None
    is_exhausted = False
    grids: dict[Level, tuple[Grid, Grid]] = {}
    for rung in _RUNGS:
        if rung.level not in grids:
            grids[rung.level] = _grids(expected, produced, rung.level)
        try:
            for differences in _differences(rung, *grids[rung.level]):
                if differences <= forgiven:
                    return differences, False
                mildest = differences if mildest is None else mildest
        except SearchExhaustedError:
            is_exhausted = True
    return mildest, is_exhausted


def _grids(expected: Execution, produced: Execution, level: Level) -> tuple[Grid, Grid]:
    number_key = exact_number_key if level == "exact" else numeric_number_key
    if level == "rounded":
        number_key = NumberMatcher(
            (n for row in expected.rows or () for n in numbers_in(tuple(row))),
            (n for row in produced.rows or () for n in numbers_in(tuple(row))),
        )
    return _grids_by(expected, produced, lambda value: key_of(value, number_key))


def _grids_by(
    expected: Execution, produced: Execution, key: Callable[[Any], Hashable]
) -> tuple[Grid, Grid]:
    number = Interning()
    ours, theirs = (
        Grid(
            rows=tuple(tuple(number(key(value)) for value in row) for row in execution.rows or ()),
            names=tuple(name.lower() for name in execution.columns),
        )
        for execution in (expected, produced)
    )
    return ours, theirs


def _differences(rung: _Rung, expected: Grid, produced: Grid) -> Iterator[frozenset[str]]:
    """What a rung forgives where the results are the same on it: rows in order first."""
    if rung.is_distinct:
        counts = len(expected.rows), len(produced.rows)
        expected, produced = expected.distinct(), produced.distinct()
        if (len(expected.rows), len(produced.rows)) == counts:
            return
    if (expected.width == produced.width) == (rung.columns == "further"):
        return
    ordered, bag = (_straight, _straight_bag) if rung.columns == "same" else (in_order, as_bags)
    matches: list[tuple[frozenset[str], Matcher]] = [(frozenset({"row_order"}), bag)]
    if not rung.is_distinct:
        matches.insert(0, (frozenset(), ordered))
    for by_order, match in matches:
        arrangement = match(expected, produced)
        if arrangement is not None:
            names = tuple(produced.names[position] for position in arrangement)
            by_name = frozenset() if names == expected.names else frozenset({"alias"})
            yield rung.differences | by_order | by_name


def _straight(expected: Grid, produced: Grid) -> Arrangement | None:
    return tuple(range(expected.width)) if expected.rows == produced.rows else None


def _straight_bag(expected: Grid, produced: Grid) -> Arrangement | None:
    is_equal = Counter(expected.rows) == Counter(produced.rows)
    return tuple(range(expected.width)) if is_equal else None


def _is_officially_equal(expected: Execution, produced: Execution, policy: str) -> bool:
    ours, theirs = (grid.distinct() for grid in _grids_by(expected, produced, official_key))
    if set(ours.rows) == set(theirs.rows):
        return True
    is_any_column = policy == "official_set_any_column" and ours.width == theirs.width
    return is_any_column and as_bags(ours, theirs) is not None


def _step(found: frozenset[str] | None, forgiven: frozenset[str], *, is_correct: bool) -> str:
    if found is None:
        return "official_rule" if is_correct else "different"
    unforgiven = found - forgiven
    if is_correct and unforgiven:
        return "official_rule"
    return STEPS[max(_gravity(unforgiven or found), default=STEPS.index("equal"))]


def _not_comparable(why: str) -> Comparison:
    return Comparison("not_comparable", is_correct=False, detail=why)


def _what_is_missing(expected: Execution, produced: Execution) -> str:
    missing = [
        f"the {name} query gave no result ({execution.status})"
        for name, execution in (("expected", expected), ("produced", produced))
        if execution.rows is None
    ]
    return "; ".join(missing)


def _how_they_meet(
    found: frozenset[str] | None, forgiven: frozenset[str], *, is_correct: bool
) -> str:
    if found is None or (is_correct and found - forgiven):
        return "equal under the official rule only"
    if not found:
        return "equal"
    words = [_WORDS[STEPS[gravity]] for gravity in reversed(_gravity(found))]
    unforgiven = [_WORDS[STEPS[gravity]] for gravity in reversed(_gravity(found - forgiven))]
    text = f"equal but for {_listed(words)}"
    return f"{text}; not forgiven: {_listed(unforgiven)}" if unforgiven else text


def _listed(words: Sequence[str]) -> str:
    *first, last = words
    return f"{', '.join(first)} and {last}" if first else last


def _how_they_differ(expected: Execution, produced: Execution) -> str:
    """Counts and kinds only: values of the data stay where they are."""
    ours, theirs = _grids(expected, produced, "rounded")
    sizes = [f"{len(grid.rows)} rows of {grid.width} columns" for grid in (ours, theirs)]
    text = f"expected {sizes[0]}, produced {sizes[1]}"
    if ours.width != theirs.width:
        return text
    missing = sum((Counter(ours.rows) - Counter(theirs.rows)).values())
    surplus = sum((Counter(theirs.rows) - Counter(ours.rows)).values())
    text = f"{text}; {missing} expected rows are missing, {surplus} produced ones not expected"
    return "; ".join([text, *_kind_clashes(expected, produced)])


def _kind_clashes(expected: Execution, produced: Execution) -> Iterator[str]:
    """Columns, by position, whose values are of one kind here and of another there."""
    for position in range(len(expected.columns)):
        ours, theirs = (
            {kind_of(row[position]) for row in execution.rows or ()} - {"null"}
            for execution in (expected, produced)
        )
        if ours and theirs and not ours & theirs:
            kinds = " against ".join(", ".join(sorted(side)) for side in (ours, theirs))
            yield f"column {position + 1} is {kinds}"
