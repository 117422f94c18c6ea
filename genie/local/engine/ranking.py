"""Order, superlatives and top N."""

from __future__ import annotations

from dataclasses import dataclass

from sqlglot import exp

from genie.local.engine.comparisons import AGGREGATES
from genie.local.engine.guessing import measured_by
from genie.local.engine.model import Field, Source
from genie.local.engine.plan import Output, Plan
from genie.local.engine.reading import Reading

DEFAULT_TOP = 10  # rows of a "top" that names no number


@dataclass(frozen=True)
class _Target:
    """What rows are ranked by; ``is_group`` when it aggregates them."""

    tree: exp.Expr
    is_group: bool
    places: tuple[int, ...]
    field: Field | None = None
    counted: Source | None = None


def add_ranking(reading: Reading, plan: Plan) -> None:
    """Turns top N, superlatives and orders into ORDER BY and LIMIT, and uses those items up."""
    for place in reading.cue("top"):
        _top(reading, plan, place)
    for place in reading.cue("frequent"):
        _frequent(reading, plan, place)
    for place in reading.cue("superlative"):
        if place not in reading.used:
            _superlative(reading, plan, place)
    for place in reading.cue("order"):
        _order(reading, plan, place)
    for place, item in list(reading.open_items()):
        if item.field is not None and item.field.is_temporal:
            _first_or_last(reading, plan, place, item.field)


def finish_order(reading: Reading, plan: Plan) -> None:
    """Orders that refer to the outputs: alphabetical, or "from highest to lowest"."""
    texts = [one for one in plan.outputs if not one.is_measure]
    for place in reading.cue("order"):
        if reading.items[place].payload == "alphabet" and texts:
            plan.order.append((texts[0].tree.copy(), False))
            reading.use(place)
    for place in reading.cue("direction"):
        measures = [one for one in plan.outputs if one.is_measure]
        chosen = (measures or texts)[-1:]
        if chosen and not plan.order:
            plan.order.append((chosen[0].tree.copy(), reading.items[place].payload == "desc"))
        reading.use(place)


def _target(reading: Reading, plan: Plan, place: int, *, sums: bool = False) -> _Target | None:
    """What the items behind a place rank by: a measure, a count, an aggregate or a column."""
    aggregate: tuple[int, str] | None = None
    for at, item in reading.following(place):
        if at in reading.used:
            continue
        if item.cue in (*AGGREGATES, "count"):
            aggregate = (at, item.cue)
            continue
        if item.cue in ("distinct", "superlative"):
            continue
        used = (at,) if aggregate is None else (at, aggregate[0])
        if item.term is not None and item.term.kind != "filter":
            plan.need(*item.term.sources)
            return _Target(item.term.tree.copy(), item.term.kind == "measure", used)
        if item.source is not None:
            count = exp.Count(this=exp.Star())
            return _Target(count, True, used, counted=item.source)
        one = item.field
        if one is None:
            return None
        return _field_target(reading, one, used, aggregate[1] if aggregate else "", sums)
    return None


def _field_target(
    reading: Reading, one: Field, used: tuple[int, ...], aggregate: str, sums: bool
) -> _Target:
    column = reading.sql_of(one)
    if one.is_measure:
        return _Target(column, True, used, one)
    if aggregate in AGGREGATES:
        return _Target(AGGREGATES[aggregate](this=column), True, used, one)
    is_ordered = one.family in ("number", "date", "timestamp") and not one.is_key
    if aggregate == "count" or not (is_ordered or not sums):
        return _Target(exp.Count(this=exp.Star()), True, used, one, reading.source_of(one))
    if sums and one.family == "number" and _is_child(reading, one):
        return _Target(exp.Sum(this=column), True, used, one)
    return _Target(column, False, used, one)


def _is_child(reading: Reading, one: Field) -> bool:
    """Whether rows of the field's source repeat for each row of what the question is about."""
    for item in reading.items:
        source = item.source or (reading.source_of(item.field) if item.field else None)
        if source is None or source.identifier == one.source:
            continue
        path = reading.graph.path(source.identifier, one.source)
        if path and reading.graph.fans_out(path, source.identifier):
            return True
    return False


def _number_near(reading: Reading, place: int) -> tuple[int, int | None]:
    """How many rows a superlative asks for, and the item that says so."""
    before = place - 1
    if before >= 0 and reading.items[before].kind == "number" and before not in reading.used:
        return int(float(reading.items[before].text)), before
    for at, item in reading.preceding(place):
        following = next(iter(reading.following(at)), None)
        names_things = following is not None and following[1].kind in ("source", "field", "value")
        if item.kind == "number" and at not in reading.used and names_things:
            return int(float(item.text)), at
    following_item = reading.items[place + 1] if place + 1 < len(reading.items) else None
    if following_item is not None and following_item.kind == "number":
        return int(float(following_item.text)), place + 1
    return 1, None


def _rank(reading: Reading, plan: Plan, target: _Target, descending: bool, limit: int) -> None:
    if target.field is not None:
        plan.need(target.field.source)
    if target.counted is not None:
        plan.need(target.counted.identifier)
        plan.counted = target.counted
    plan.order.append((target.tree, descending))
    plan.limit = limit
    plan.ranks_groups = plan.ranks_groups or target.is_group
    reading.use(*target.places)
    reading.note("ranking", target.tree.sql(dialect="spark"), "desc" if descending else "asc")


def _top(reading: Reading, plan: Plan, place: int) -> None:
    number, direction = reading.items[place].payload.split()
    limit = int(float(number)) or DEFAULT_TOP
    reading.use(place)
    plan.limit = limit
    for at, item in reading.following(place):
        if (item.cue == "group" and item.text in ("by", "per")) or item.cue in (
            "order",
            "superlative",
        ):
            target = _target(reading, plan, at, sums=True)
            if target is None:
                continue
            descending = direction != "asc"
            if item.cue == "superlative":
                descending = not item.payload.startswith("least")
            _rank(reading, plan, target, descending, limit)
            reading.use(at)
            if target.is_group:
                plan.ranked_output = Output(target.tree.copy(), True)
            return
    measured = [
        (at, item.field) for at, item in reading.open_items()
        if item.field is not None and (item.field.is_measure or item.field.family == "number")
        and not item.field.is_key
    ]  # fmt: skip
    if measured and direction != "first":
        at, one = measured[-1]
        _rank(
            reading, plan, _Target(reading.sql_of(one), one.is_measure, (), one),
            direction != "asc", limit,
        )  # fmt: skip


def _frequent(reading: Reading, plan: Plan, place: int) -> None:
    """'the most common genre': groups ranked by their number of rows."""
    number, at = _number_near(reading, place)
    count = exp.Count(this=exp.Star())
    popular = measured_by(reading, "popular") if "popular" in reading.items[place].text else None
    descending = reading.items[place].payload == "desc"
    if popular is not None:
        one = popular[0]
        _rank(reading, plan, _Target(reading.sql_of(one), False, (), one), descending, number)
    else:
        _rank(reading, plan, _Target(count, True, ()), descending, number)
    reading.use(place, *(() if at is None else (at,)))


def _superlative(reading: Reading, plan: Plan, place: int) -> None:
    direction, _, rest = reading.items[place].payload.partition(" ")
    adjective, _, word = rest.partition(" ")
    descending = direction == "most"
    target: _Target | None = None
    if adjective:
        measured = _adjective_target(reading, place, adjective, word, direction)
        if measured is not None:
            target, descending = measured
        if target is None and not word:
            return
    if target is None:
        is_sum = reading.items[place].text in ("most", "least", "fewest")
        target = _target(reading, plan, place, sums=is_sum)
    if target is None:
        return
    is_thing = len(target.places) == 1 and target.counted is not None and target.field is None
    if adjective and is_thing:
        return
    if target.field is not None and not target.is_group and not _has_entity(
        reading, place, target
    ):  # fmt: skip
        kind = exp.Max if descending else exp.Min
        plan.need(target.field.source)
        plan.outputs.append(Output(kind(this=target.tree), True))
        reading.use(place, *target.places)
        reading.note("aggregate", reading.items[place].text, target.field.name)
        return
    limit, number_place = _number_near(reading, place)
    _rank(reading, plan, target, descending, limit)
    reading.use(place, *(() if number_place is None else (number_place,)))


def _adjective_target(
    reading: Reading, place: int, adjective: str, word: str, direction: str
) -> tuple[_Target, bool] | None:
    """'largest population' ranks by the number that follows; 'largest city' by what size means."""
    following = next(iter(reading.following(place)), None)
    if following is not None and following[1].cue in (*AGGREGATES, "count"):
        return None
    one = following[1].field if following else None
    is_ordered = one is not None and (one.is_measure or one.family in ("number", "date"))
    if word and one is not None and following is not None and is_ordered and not one.is_key:
        smaller = adjective in ("small", "short", "cheap", "low", "light", "slow", "early", "old")
        target = _Target(reading.sql_of(one), one.is_measure, (following[0],), one)
        return target, not smaller
    measured = measured_by(reading, adjective)
    if measured is None:
        return None
    one, largest = measured
    places = tuple(
        at for at, item in reading.open_items() if item.field is one and at > place
        and reading.items[at - 1].text in ("by", "in", "of", "the")
    )  # fmt: skip
    return _Target(reading.sql_of(one), False, places, one), largest == (direction == "most")


def _has_entity(reading: Reading, place: int, target: _Target) -> bool:
    """Whether the question asks for a thing, of which the target is only a property."""
    for at, item in reading.open_items():
        if at in target.places:
            continue
        if item.source is not None and target.places and item.source.name_field is None:
            continue  # rows without a name: what is asked for is the measure itself
        if item.source is not None:
            is_of = at > place and reading.items[at - 1].text in ("of", "the", "all", "any", "for")
            if not is_of or _is_adjective_head(reading, place, target):
                return True
        is_column = item.field is not None and not item.field.is_measure
        if is_column and item.field is not target.field and at < place:
            return not any(i.cue == "group" for i in reading.items[max(at - 2, 0) : at])
    return _is_adjective_head(reading, place, target) and bool(target.places == ())


def _is_adjective_head(reading: Reading, place: int, target: _Target) -> bool:
    return not target.places and " " in reading.items[place].payload


def _first_or_last(reading: Reading, plan: Plan, place: int, one: Field) -> None:
    """'which branch opened first': the earliest."""
    following = reading.items[place + 1].text if place + 1 < len(reading.items) else ""
    if following in ("first", "last") and not plan.order:
        _rank(reading, plan, _Target(reading.sql_of(one), False, (place,), one),
              following == "last", 1)  # fmt: skip


def _order(reading: Reading, plan: Plan, place: int) -> None:
    payload = reading.items[place].payload
    if payload == "alphabet":
        return
    target = _target(reading, plan, place)
    if target is None:
        return
    directions = reading.cue("direction")
    descending = payload == "desc" or any(reading.items[at].payload == "desc" for at in directions)
    reading.use(place, *directions)
    if target.field is not None:
        plan.need(target.field.source)
    plan.order.append((target.tree, descending))
    plan.ranks_groups = plan.ranks_groups or target.is_group
    reading.use(*target.places)
    reading.note("order", reading.items[place].text, target.tree.sql(dialect="spark"))
