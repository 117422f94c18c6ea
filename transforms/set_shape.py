"""Set operations that only combine conditions, written as the conditions they are."""

from __future__ import annotations

from transforms.condition_shape import merged_or
from transforms.shape_model import Place, Predicate


def merge_branches(
    operator: str,
    left: list[Predicate],
    right: list[Predicate],
    place: Place,
    is_same_tables: bool,
) -> list[Predicate] | None:
    """The conditions of both branches as one list; None when the branches read different things.

    INTERSECT asks for both: what the branches share once, then what is special to each. UNION asks
    for either: the special conditions become alternatives.
    """
    shared, own, others = _split(left, right)
    if operator == "INTERSECT":
        return [*shared, *own, *others]
    if not is_same_tables:
        return None
    if not own or not others:
        return shared
    alternatives = [_conjunction(part, place) for part in (own, others)]
    return [*shared, merged_or(alternatives, place)]


def _split(
    left: list[Predicate], right: list[Predicate]
) -> tuple[list[Predicate], list[Predicate], list[Predicate]]:
    shared, own, others = [], [], list(right)
    for predicate in left:
        twin = next((other for other in others if predicate.same(other)), None)
        if twin is None:
            own.append(predicate)
        else:
            shared.append(predicate)
            others.remove(twin)
    return shared, own, others


def _conjunction(parts: list[Predicate], place: Place) -> Predicate:
    if len(parts) == 1:
        return parts[0]
    ordered = tuple(sorted(parts, key=lambda predicate: predicate.text))
    return Predicate(ordered[0].left, "AND", place=place, parts=ordered)
