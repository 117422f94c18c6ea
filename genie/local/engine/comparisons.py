"""Comparisons with numbers: more than, at least, between, N or more, and bare numbers."""

from __future__ import annotations

from dataclasses import dataclass

from sqlglot import exp

from genie.local.engine.english import MEASURING_VERBS
from genie.local.engine.guessing import measured_by
from genie.local.engine.model import Field, Source
from genie.local.engine.plan import Plan
from genie.local.engine.reading import Item, Reading
from genie.local.engine.rendering import table_of

_OPERATORS: dict[str, type[exp.Binary]] = {
    ">": exp.GT, ">=": exp.GTE, "<": exp.LT, "<=": exp.LTE, "=": exp.EQ,
}  # fmt: skip
AGGREGATES: dict[str, type[exp.AggFunc]] = {
    "sum": exp.Sum, "avg": exp.Avg, "min": exp.Min, "max": exp.Max,
}  # fmt: skip
_UNIT_WORDS = frozenset("% percent dollars euros usd eur units points".split())


@dataclass(frozen=True)
class _Compared:
    """What is compared: ``is_group`` when it is a value of a group of rows."""

    tree: exp.Expr
    is_group: bool
    places: tuple[int, ...]
    field: Field | None = None
    source: Source | None = None


def add_comparisons(reading: Reading, plan: Plan, first: int = 0) -> None:
    """Turns comparisons into conditions, and uses those items up, from place ``first`` on."""
    for place in reading.cue("between"):
        if place >= first:
            _between(reading, plan, place)
    for place in reading.cue("compare"):
        if place >= first:
            _compare(reading, plan, place)
    for place in reading.cue("or_more", "or_less"):
        if place > first and reading.items[place - 1].kind == "number":
            operator = ">=" if reading.items[place].cue == "or_more" else "<="
            _apply(reading, plan, operator, place - 1, (place - 1, place), "")
    for place, item in list(reading.open_items()):
        if item.kind == "number" and place >= first and place not in reading.used:
            _bare_number(reading, plan, place)


def _between(reading: Reading, plan: Plan, place: int) -> None:
    numbers = [at for at, item in reading.following(place) if item.kind == "number"][:2]
    if len(numbers) < 2 or numbers[0] > place + 2 or numbers[1] > numbers[0] + 2:
        return
    low, high = (exp.Literal.number(reading.items[at].text) for at in numbers)
    compared = _compared(reading, place, numbers[1], "")
    if compared is None:
        return
    condition = exp.Between(this=compared.tree, low=low, high=high)
    _put(reading, plan, compared, condition)
    reading.use(place, *numbers)


def _compare(reading: Reading, plan: Plan, place: int) -> None:
    operator, _, adjective = reading.items[place].payload.partition(" ")
    following = next(iter(reading.following(place)), None)
    if following is None:
        return
    at, item = following
    if item.kind == "number" and at <= place + 2:
        _apply(reading, plan, operator, at, (place, at), adjective)
    elif item.cue in AGGREGATES:
        _compare_with_all(reading, plan, place, at, operator, adjective)


def _apply(
    reading: Reading, plan: Plan, operator: str, number: int, used: tuple[int, ...], adjective: str
) -> None:
    compared = _compared(reading, used[0], max(used), adjective)
    if compared is None:
        text = " ".join(reading.items[place].text for place in used)
        plan.problem = f"I do not know what has to be {text}."
        return
    kind = _OPERATORS[operator]
    value: exp.Expr = exp.Literal.number(reading.items[number].text)
    negation = reading.is_negated(used[0])
    condition: exp.Expr = kind(this=compared.tree, expression=value)
    if negation is not None:
        reading.use(negation)
        condition = exp.Not(this=condition)
    _put(reading, plan, compared, condition)
    reading.use(*used)


def _compare_with_all(
    reading: Reading, plan: Plan, place: int, at: int, operator: str, adjective: str
) -> None:
    """'more than the average price': the other side is taken over all rows."""
    inner = next(iter(reading.following(at)), None)
    own = inner[1].field if inner is not None else None
    used = (place, at) if own is None or inner is None else (place, at, inner[0])
    compared = _compared(reading, place, max(used), adjective) if own is None else None
    one = own or (compared.field if compared else None)
    if one is None or one.is_measure or one.family != "number":
        return
    source = reading.source_of(one)
    column = reading.sql_of(one)
    aggregate = AGGREGATES[reading.items[at].cue](this=column.copy())
    everything = exp.select(aggregate).from_(table_of(source)).subquery()
    plan.need(one.source)
    plan.where.append(_OPERATORS[operator](this=column, expression=everything))
    same = [i for i, item in reading.open_items() if item.field is one and i < place]
    reading.use(*used, *same, *(compared.places if compared else ()))
    reading.note("comparison", reading.items[place].text, f"{one.source}.{one.name} of all rows")


def _put(reading: Reading, plan: Plan, compared: _Compared, condition: exp.Expr) -> None:
    if compared.field is not None:
        plan.need(compared.field.source)
    if compared.source is not None:
        plan.need(compared.source.identifier)
        plan.counted = compared.source
    (plan.having if compared.is_group else plan.where).append(condition)
    reading.use(*compared.places)
    about = compared.field.name if compared.field else "a count or measure"
    reading.note("comparison", condition.sql(dialect="spark"), about)


def _compared(reading: Reading, start: int, end: int, adjective: str) -> _Compared | None:
    """What a comparison is about: what follows the number, what precedes it, or its adjective."""
    behind = end + 1
    while behind < len(reading.items) and (
        reading.items[behind].text in ("different", "distinct", "of", "the", *_UNIT_WORDS)
    ):
        behind += 1
    if behind < len(reading.items) and behind not in reading.used:
        found = _as_compared(reading, behind, is_behind=True)
        if found is not None:
            return found
    before = reading.items[start - 1].text if start else ""
    adjective = adjective or MEASURING_VERBS.get(before, "")
    if adjective:
        measured = measured_by(reading, adjective)
        if measured:
            return _Compared(reading.sql_of(measured[0]), False, (), measured[0])
    for at, item in reading.preceding(start):
        if item.text in ("or", ",") or item.kind == "date":
            break
        found = _as_compared(reading, at, is_behind=False) if at not in reading.used else None
        if found is not None:
            return found
    for at, item in reading.following(end):
        is_number = item.field is not None and item.field.family == "number"
        if is_number and at not in reading.used:
            return _as_compared(reading, at, is_behind=True)
    return None


def _as_compared(reading: Reading, at: int, *, is_behind: bool) -> _Compared | None:
    item = reading.items[at]
    if item.term is not None and item.term.kind in ("measure", "expression"):
        tree = item.term.tree.copy()
        return _Compared(tree, item.term.kind == "measure", (at,), None, None)
    one = item.field
    if one is not None and (one.is_measure or one.family in ("number", "other")):
        cue = reading.items[at - 1] if at else None
        if cue is not None and not is_behind:
            aggregate = _aggregate_in_front(reading, at)
            if aggregate is not None:
                place, kind = aggregate
                is_condition = any(i.kind in ("source", "field") for _, i in
                                   reading.preceding(place))  # fmt: skip
                if is_condition:
                    tree = AGGREGATES[kind](this=reading.sql_of(one))
                    return _Compared(tree, True, (place, at), one)
        if one.is_key and not one.is_measure:
            return None
        return _Compared(reading.sql_of(one), one.is_measure, (at,), one)
    if item.source is not None and is_behind:
        return _counted(reading, at, item)
    if item.source is not None and not is_behind:
        before = reading.items[at - 1].cue if at else ""
        if before == "count" and any(i.kind == "source" for _, i in reading.preceding(at - 1)):
            found = _counted(reading, at, item)
            return _Compared(found.tree, True, (at, at - 1), None, found.source)
    return None


def _aggregate_in_front(reading: Reading, at: int) -> tuple[int, str] | None:
    for place in range(at - 1, max(at - 3, -1), -1):
        item = reading.items[place]
        if item.cue in AGGREGATES and place not in reading.used:
            return place, item.cue
        if item.kind != "word":
            return None
    return None


def _counted(reading: Reading, at: int, item: Item) -> _Compared:
    return _Compared(exp.Count(this=exp.Star()), True, (at,), None, item.source)


def _bare_number(reading: Reading, plan: Plan, place: int) -> None:
    """'member 17', 'id 17', 'rating of 5': the number is the value of what stands before it."""
    following = reading.items[place + 1] if place + 1 < len(reading.items) else None
    if following is not None and (following.source or following.cue in ("superlative", "frequent")):
        return  # it says how many
    for at in range(place - 1, max(place - 4, -1), -1):
        item = reading.items[at]
        one = item.field
        if item.source is not None and at == place - 1:
            one = item.source.key_field
        is_name = one is not None and one.family == "text" and not one.is_key
        if one is not None and one.family in ("number", "text") and not (
            is_name or one.is_measure
        ):  # fmt: skip
            value = reading.items[place].text
            is_number = one.family == "number"
            literal = exp.Literal.number(value) if is_number else exp.Literal.string(value)
            plan.need(one.source)
            plan.where.append(exp.EQ(this=reading.sql_of(one), expression=literal))
            reading.use(place, *((at,) if item.field is not None else ()))
            reading.note("comparison", f"{item.text} {value}", f"{one.source}.{one.name}")
            return
        if item.kind != "word" or item.text in ("and", ","):
            return
