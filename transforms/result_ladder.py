"""The ladder that two results are compared on, whoever looks at their rows.

The steps, from the mildest difference to the gravest. Each forgives what stands before it:

=================  =================================================================================
identical_sql      set by the caller: both queries have one canonical text
equal              the same columns, by name and type of number, and the same rows in one order
alias              columns are named differently
row_order          the rows stand in another order
column_order       the columns stand in another order
numeric_type       a number is an integer here, a decimal or a float there
rounding           numbers differ by noise or by rounding (``result_values.NumberMatcher``)
extra_columns      the produced result has further columns
tie_cut_by_limit   LIMIT chose others among rows that tie (``transforms.ties``)
duplicates         rows appear more often in one than in the other
official_rule      the same only under the benchmarks' own rule
different          the values differ
not_comparable     a result is missing, or telling columns apart would take too long
=================  =================================================================================

Values decide, always: what is forgiven is how they are named, ordered or written. When two results
without rows differ in the number of columns, that number is all there is to decide.

A ``Pair`` answers what the ladder asks: ``transforms.results`` where the rows are at hand,
``pipelines.large_results`` where they stay in Spark. What is decided is decided here, once.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from typing import Literal, Protocol

from transforms.column_matching import Arrangement, SearchExhaustedError
from transforms.judgement import Comparison
from transforms.result_values import LEVELS, Level

STEPS = (
    "identical_sql",
    "equal",
    "alias",
    "row_order",
    "column_order",
    "numeric_type",
    "rounding",
    "extra_columns",
    "tie_cut_by_limit",
    "duplicates",
    "official_rule",
    "different",
    "not_comparable",
)
DEFAULT_POLICY = "bag_any_column"
_BAG = frozenset({"alias", "row_order", "numeric_type", "rounding", "tie_cut_by_limit"})
# What each policy forgives. Row order is not forgiven where the question or its SQL asks for one.
_FORGIVEN = {
    "bag": _BAG,
    "bag_any_column": _BAG | {"column_order"},
    "superset": _BAG | {"column_order", "extra_columns"},
    # Decided by `_is_officially_equal`; this only chooses the step that says why not.
    "official_set": _BAG - {"tie_cut_by_limit"} | {"duplicates"},
    "official_set_any_column": _BAG - {"tie_cut_by_limit"} | {"duplicates", "column_order"},
}
OFFICIAL_POLICIES = ("official_set", "official_set_any_column")
POLICIES = tuple(_FORGIVEN)

Columns = Literal["same", "permuted", "further"]
Reading = Level | Literal["official"]

_WORDS = {
    "alias": "the names of columns",
    "row_order": "the order of rows",
    "column_order": "the order of columns",
    "numeric_type": "the types of numbers",
    "rounding": "rounding",
    "extra_columns": "further columns",
    "duplicates": "how often rows appear",
}


class Sides(Protocol):
    """The expected and the produced result, their values read at one level.

    Values that are the same at the level are equal, no others.
    """

    @property
    def row_counts(self) -> tuple[int, int]:
        """Rows of the expected and of the produced result."""

    def distinct(self) -> Sides:
        """Both results with each row once."""

    def arrangement(self, columns: Columns, *, is_ordered: bool) -> Arrangement | None:
        """Which produced columns make the rows of both equal, in order or as bags.

        ``same``: as they stand; ``permuted``: in any order; ``further``: and some are left over.
        Raises ``SearchExhaustedError``.
        """

    def unmatched(self) -> tuple[int, int]:
        """Expected rows that are missing, produced ones that are not expected; columns in order."""


class Pair(Protocol):
    """The expected and the produced result of one question."""

    @property
    def names(self) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """The names of the columns of each, in lower case."""

    def at(self, reading: Reading) -> Sides:
        """Both results, read at a level or by the benchmarks' own rule."""

    def kinds(self, position: int) -> tuple[AbstractSet[str], AbstractSet[str]]:
        """The kinds of values (``result_values.kind_of``) in a column of both, NULL left out."""


@dataclass(frozen=True, slots=True)
class _Rung:
    """One way in which results may be the same, and the differences that it forgives."""

    level: Level
    columns: Columns
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


_COLUMNS: tuple[Columns, ...] = ("same", "permuted", "further")
_RUNGS = sorted(
    (
        _Rung(level, columns, is_distinct)
        for level in LEVELS
        for columns in _COLUMNS
        for is_distinct in (False, True)
    ),
    key=lambda rung: _gravity(rung.differences),
)


def check_policy(policy: str) -> None:
    """Raises ValueError for an unknown policy."""
    if policy not in _FORGIVEN:
        raise ValueError(f"unknown policy {policy!r}; known: {', '.join(POLICIES)}")


def forgives(policy: str, step: str) -> bool:
    """Whether results that meet on the step are right by the policy; row order as if not asked."""
    return step in _FORGIVEN[policy]


def climb(pair: Pair, *, policy: str, is_ordered: bool) -> Comparison:
    """Where two results that are there meet, and whether that is right by the policy.

    ``is_ordered`` says that the order of rows counts; for the official policies it never does. The
    step of a right result is the gravest difference it has, that of a wrong one the gravest
    difference that the policy does not forgive.
    """
    is_official = policy in OFFICIAL_POLICIES
    forgiven = _FORGIVEN[policy]
    if is_ordered and not is_official:
        forgiven -= {"row_order"}
    found, is_exhausted = _mildest_differences(pair, forgiven)
    is_correct = found is not None and found <= forgiven
    try:
        if is_official:
            is_correct = _is_officially_equal(pair, policy)
        elif is_exhausted and not is_correct:
            raise SearchExhaustedError
    except SearchExhaustedError:
        return not_comparable("columns that look alike could not be told apart in time")
    step = _step(found, forgiven, is_correct=is_correct)
    if step == "different":
        return Comparison(step, is_correct, _how_they_differ(pair))
    return Comparison(step, is_correct, _how_they_meet(found, forgiven, is_correct=is_correct))


def not_comparable(why: str) -> Comparison:
    """The end of a comparison that could not be made."""
    return Comparison("not_comparable", is_correct=False, detail=why)


def _mildest_differences(
    pair: Pair, forgiven: frozenset[str]
) -> tuple[frozenset[str] | None, bool]:
    """What must be forgiven for the results to be the same; whether a search was given up.

    The mildest that the policy forgives, else the mildest there is; None when nothing helps.
    """
    mildest: frozenset[str] | None = None
    is_exhausted = False
    for rung in _RUNGS:
        try:
            for differences in _differences(rung, pair):
                if differences <= forgiven:
                    return differences, False
                mildest = differences if mildest is None else mildest
        except SearchExhaustedError:
            is_exhausted = True
    return mildest, is_exhausted


def _differences(rung: _Rung, pair: Pair) -> Iterator[frozenset[str]]:
    """What a rung forgives where the results are the same on it: rows in order first."""
    expected, produced = pair.names
    if (len(expected) == len(produced)) == (rung.columns == "further"):
        return
    sides = pair.at(rung.level)
    if rung.is_distinct:
        counts = sides.row_counts
        sides = sides.distinct()
        if sides.row_counts == counts:
            return
    for is_ordered in (False,) if rung.is_distinct else (True, False):
        arrangement = sides.arrangement(rung.columns, is_ordered=is_ordered)
        if arrangement is not None:
            by_order = frozenset() if is_ordered else frozenset({"row_order"})
            names = tuple(produced[position] for position in arrangement)
            by_name = frozenset() if names == expected else frozenset({"alias"})
            yield rung.differences | by_order | by_name


def _is_officially_equal(pair: Pair, policy: str) -> bool:
    sides = pair.at("official").distinct()
    if sides.arrangement("same", is_ordered=False) is not None:
        return True
    is_any_column = policy == "official_set_any_column" and len({len(n) for n in pair.names}) == 1
    return is_any_column and sides.arrangement("permuted", is_ordered=False) is not None


def _step(found: frozenset[str] | None, forgiven: frozenset[str], *, is_correct: bool) -> str:
    if found is None:
        return "official_rule" if is_correct else "different"
    unforgiven = found - forgiven
    if is_correct and unforgiven:
        return "official_rule"
    return STEPS[max(_gravity(unforgiven or found), default=STEPS.index("equal"))]


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


def _how_they_differ(pair: Pair) -> str:
    """Counts and kinds only: values of the data stay where they are."""
    widths = [len(names) for names in pair.names]
    sides = pair.at("rounded")
    counts = zip(sides.row_counts, widths, strict=True)
    sizes = [f"{rows} rows of {width} columns" for rows, width in counts]
    text = f"expected {sizes[0]}, produced {sizes[1]}"
    if widths[0] != widths[1]:
        return text
    missing, surplus = sides.unmatched()
    text = f"{text}; {missing} expected rows are missing, {surplus} produced ones not expected"
    return "; ".join([text, *_kind_clashes(pair, widths[0])])


def _kind_clashes(pair: Pair, width: int) -> Iterator[str]:
    """Columns, by position, whose values are of one kind here and of another there."""
    for position in range(width):
        ours, theirs = pair.kinds(position)
        if ours and theirs and not ours & theirs:
            kinds = " against ".join(", ".join(sorted(side)) for side in (ours, theirs))
            yield f"column {position + 1} is {kinds}"
