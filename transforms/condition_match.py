"""Which conditions of two queries are the same, so that only the others need explaining."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from transforms.findings import Differ, Finding, tables_of, values_text
from transforms.shape_model import Predicate

WHERE_PLACES = {"rows", "ranked", "compared"}


@dataclass
class Unmatched:
    """The conditions of the expected and of the produced query that the other does not have.

    Steps that explain a pair take it out; what is left at the end is missing or not asked for.
    ``has_swapped_slots`` is true when two conditional aggregates hold each other's conditions.
    """

    left: list[Predicate]
    right: list[Predicate]
    has_swapped_slots: bool = False

    def take(self, mine: Predicate, theirs: Predicate) -> bool:
        """Takes out a pair with its repetitions; False when one of them was taken before."""
        if mine not in self.left or theirs not in self.right:
            return False
        self.left = [p for p in self.left if p != mine and not p.same(mine)]
        self.right = [p for p in self.right if p != theirs and not p.same(theirs)]
        return True

    def drop(self, predicates: list[Predicate]) -> None:
        """Takes conditions out on whichever side they stand."""
        self.left = [p for p in self.left if p not in predicates]
        self.right = [p for p in self.right if p not in predicates]

    def pairs(self) -> list[tuple[Predicate, Predicate]]:
        """Every expected condition with every produced one."""
        return [(mine, theirs) for mine in self.left for theirs in self.right]


def unmatched(differ: Differ) -> Unmatched:
    """The conditions of each side without those that both have, the closest twins first."""
    left = list(differ.expected.predicates)
    right = list(differ.produced.predicates)
    slots: list[tuple[int, int]] = []

    def same_but_slot(mine: Predicate, theirs: Predicate) -> bool:
        is_conditional = mine.place == theirs.place == "conditional"
        if not is_conditional or not mine.same(theirs, is_place_strict=False):
            return False
        slots.append((mine.slot, theirs.slot))
        return True

    _match(left, right, lambda a, b: a.same(b, is_role_strict=True))
    _match(left, right, lambda a, b: a.same(b))
    _match(left, right, same_but_slot)
    _match(left, right, _same_where)
    ranked = [p for ranking in differ.produced.superlatives for p in ranking.population or ()]
    _match(left, ranked, lambda a, b: a.same(b, is_place_strict=False))
    _drop_implied(left, differ.produced.predicates)
    _drop_implied(right, differ.expected.predicates)
    is_swapped = len(slots) >= 2 and all(mine != theirs for mine, theirs in slots)
    return Unmatched(left, right, is_swapped)


def same_kind_of_place(mine: Predicate, theirs: Predicate) -> bool:
    """Whether both conditions restrict rows, or both stand in the same other place."""
    return mine.place == theirs.place or {mine.place, theirs.place} <= WHERE_PLACES


def _same_where(mine: Predicate, theirs: Predicate) -> bool:
    return same_kind_of_place(mine, theirs) and mine.same(theirs, is_place_strict=False)


def _match(
    left: list[Predicate], right: list[Predicate], is_same: Callable[[Predicate, Predicate], bool]
) -> None:
    for mine in list(left):
        twin = next((other for other in right if is_same(mine, other)), None)
        if twin is not None:
            left.remove(mine)
            right.remove(twin)


def _drop_implied(rest: list[Predicate], others: tuple[Predicate, ...]) -> None:
    """Repetitions say nothing, nor does ``x IS NOT NULL`` where the other side compares x."""
    for predicate in list(rest):
        is_implied = predicate.operator == "IS_NOT_NULL" and any(
            other.left.same(predicate.left) and other.operator not in {"IS_NULL", "EXPR"}
            for other in others
        )
        if is_implied or any(predicate.same(other) for other in others):
            rest.remove(predicate)


def pair_finding(
    differ: Differ,
    rule: str,
    mine: Predicate,
    theirs: Predicate,
    fix: str,
    *,
    columns: tuple[str, ...] | None = None,
    is_weak: bool = False,
) -> None:
    """Adds a finding about a condition that stands where another was expected."""
    blamed = mine.columns if columns is None else columns
    differ.add(
        Finding(
            rule=rule,
            blame=differ.column_blame(blamed) if blamed else differ.counted_blame(differ.expected),
            fix=fix,
            expected_fragment=mine.text,
            actual_fragment=theirs.text,
            expected_value=values_text(mine),
            actual_value=values_text(theirs),
            expected_literals=mine.literals,
            actual_literals=theirs.literals,
            is_weak=is_weak,
            covers=tables_of(mine.columns),
        )
    )
