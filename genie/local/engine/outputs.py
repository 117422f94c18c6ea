"""What the result shows: counts, aggregates and plain columns."""

from __future__ import annotations

from itertools import pairwise

from sqlglot import exp

from genie.local.engine.comparisons import AGGREGATES
from genie.local.engine.model import Field, Source
from genie.local.engine.plan import Output, Plan
from genie.local.engine.reading import Item, Reading

_LISTING = frozenset(("and", ",", "with", "their", "its", "the", "along", "as", "well", "his",
                      "her", "plus", "together", "each", "both"))  # fmt: skip


def add_aggregates(reading: Reading, plan: Plan) -> None:
    """Turns counts and aggregates into outputs, and uses those items up."""
    for place in reading.cue("count"):
        if place not in reading.used:
            _count(reading, plan, place)
    for place in reading.cue(*AGGREGATES):
        if place not in reading.used:
            _aggregate(reading, plan, place)


def _target(reading: Reading, place: int) -> tuple[int, Item] | None:
    """The next open thing behind a cue; other cues of the kind are passed over."""
    for at, item in reading.following(place):
        if at in reading.used or item.kind in ("date", "number", "literal", "value"):
            continue
        if item.cue in ("group", "order", "compare"):
            return None
        if item.cue == "distinct":
            reading.use(at)
            continue
        if item.kind == "cue" or (item.term is not None and item.term.kind == "filter"):
            continue
        return at, item
    return None


def _count(reading: Reading, plan: Plan, place: int) -> None:
    is_distinct = _is_distinct(reading, place)
    reading.use(place)
    named = _named_by_filter(reading, place)
    if named is not None:
        plan.need(named.identifier)
        plan.outputs.append(_rows(reading, plan, named))
        return
    found = _target(reading, place)
    if found is None:
        if plan.home.is_metric_view:
            return
        plan.outputs.append(_rows(reading, plan, plan.counted or reading.home))
        return
    at, item = found
    reading.use(at)
    one = item.field
    if one is not None and one.is_measure:
        plan.outputs.append(Output(reading.sql_of(one), True, one.name))
    elif item.term is not None:
        _add_term(reading, plan, item)
    elif aggregate := _is_aggregated_number(reading, place, one):
        reading.use(place - 1)
        _aggregate_item(reading, plan, at, aggregate)
    elif one is not None:
        _count_field(reading, plan, one, is_distinct)
    elif item.source is not None and item.source.is_metric_view:
        _count_measure(reading, plan, item)
    elif item.source is not None:
        plan.need(item.source.identifier)
        plan.outputs.append(_rows(reading, plan, item.source))
    reading.note("count", item.text, item.origin)


def _named_by_filter(reading: Reading, place: int) -> Source | None:
    """'how many open orders' where 'open orders' is the name of a filter: orders are counted."""
    following = next((i for _, i in reading.following(place) if i.cue != "distinct"), None)
    term = following.term if following else None
    if term is None or following is None or term.kind != "filter":
        return None
    said = {token.stem for token in reading.tokens[following.start : following.end]}
    for identifier in term.sources:
        source = reading.sources[identifier]
        if said & {word for label in source.labels for word in label.stems} or said & set(
            source.prose
        ):
            return source
    return None


def _count_measure(reading: Reading, plan: Plan, item: Item) -> None:
    """The measure of a metric view that counts what the question names; there are no rows."""
    assert item.source is not None
    said = set(item.source.labels[0].stems)
    counts = [one for one in item.source.fields if isinstance(one.aggregate, exp.Count)]
    named = [one for one in counts if said & {*one.labels[0].stems, *one.prose}] or counts
    if not named:
        plan.problem = f"{item.source.alias} has no measure that counts."
        return
    plan.outputs.append(Output(reading.sql_of(named[0]), True, named[0].name))


def _is_aggregated_number(reading: Reading, place: int, one: Field | None) -> str:
    """The aggregate in front of 'number of' a number: the average number of pages."""
    before = reading.items[place - 1].cue if place else ""
    is_amount = one is not None and one.family == "number" and not one.is_key
    return before if before in AGGREGATES and is_amount else ""


def _is_distinct(reading: Reading, place: int) -> bool:
    following = next(iter(reading.following(place)), None)
    if following is None or following[1].cue != "distinct":
        return False
    reading.use(following[0])
    return True


def _rows(reading: Reading, plan: Plan, source: Source) -> Output:
    """The number of rows of a source; its keys are counted once where a join repeats them."""
    plan.counts_rows_of = source
    plan.counted = plan.counted or source
    return Output(exp.Count(this=exp.Star()), True)


def _count_field(reading: Reading, plan: Plan, one: Field, is_distinct: bool) -> None:
    plan.need(one.source)
    column = reading.sql_of(one)
    source = reading.source_of(one)
    is_amount = one.family == "number" and not one.is_key and not one.is_year
    if is_amount and not is_distinct:
        is_pinned = any(
            isinstance(tree, exp.EQ) and tree.this == reading.sql_of(name)
            for tree in plan.where
            if (name := source.name_field) is not None
        )
        plan.outputs.append(Output(column) if is_pinned else Output(exp.Sum(this=column), True))
    elif (
        one.is_temporal or one is source.key_field or (one is source.name_field and not is_distinct)
    ):
        plan.outputs.append(_rows(reading, plan, source))
    else:
        distinct = exp.Distinct(expressions=[column])
        plan.outputs.append(Output(exp.Count(this=distinct), True))


def _add_term(reading: Reading, plan: Plan, item: Item) -> None:
    term = item.term
    assert term is not None
    plan.need(*term.sources)
    plan.outputs.append(Output(term.tree.copy(), term.kind == "measure", term.alias))
    reading.note("output", item.text, item.origin)


def _aggregate(reading: Reading, plan: Plan, place: int) -> None:
    cue = reading.items[place].cue
    found = _target(reading, place)
    reading.use(place)
    if found is None:
        return
    at, item = found
    if item.field is not None or (item.source is None and item.term is not None):
        _aggregate_item(reading, plan, at, cue)
        _aggregate_listed(reading, plan, at, cue)
    elif item.source is not None and cue == "sum":
        reading.use(at)
        plan.need(item.source.identifier)
        plan.outputs.append(_rows(reading, plan, item.source))


def _aggregate_item(reading: Reading, plan: Plan, at: int, cue: str) -> None:
    item = reading.items[at]
    one = item.field
    if one is None:
        _add_term(reading, plan, item)
        reading.use(at)
        return
    if one.is_measure:
        plan.outputs.append(Output(reading.sql_of(one), True, one.name))
    else:
        column = reading.sql_of(one)
        if one.family == "text" and cue in ("sum", "avg"):
            column = exp.cast(column, "double")
        plan.need(one.source)
        plan.outputs.append(Output(AGGREGATES[cue](this=column), True))
    reading.note("aggregate", item.text, f"{one.source}.{one.name} by {item.origin}")
    reading.use(at)


def _aggregate_listed(reading: Reading, plan: Plan, at: int, cue: str) -> None:
    """'average price and weight': the columns that follow without a cue of their own."""
    while at + 2 < len(reading.items) and reading.items[at + 1].text in ("and", ","):
        item = reading.items[at + 2]
        one = item.field
        is_amount = one is not None and one.family == "number" and not one.is_key
        if not is_amount or at + 2 in reading.used:
            return
        _aggregate_item(reading, plan, at + 2, cue)
        at += 2


def add_plain(reading: Reading, plan: Plan) -> None:
    """What is left of the question are columns to show; without any, the name of the thing."""
    has_measures = any(output.is_measure for output in plan.outputs)
    plain: list[Output] = []
    for place, item in list(reading.open_items()):
        one = item.field
        if item.term is not None and item.term.kind != "filter":
            reading.use(place)
            _add_term(reading, plan, item)
            has_measures = has_measures or item.term.kind == "measure"
        elif one is not None and one.is_measure:
            reading.use(place)
            plan.outputs.append(Output(reading.sql_of(one), True, one.name))
            reading.note("output", item.text, item.origin)
            has_measures = True
        elif one is not None and _is_summed(reading, plan, one):
            reading.use(place)
            plan.need(one.source)
            plan.outputs.append(Output(exp.Sum(this=reading.sql_of(one)), True))
            reading.note("aggregate", item.text, item.origin)
        elif one is not None and not _is_redundant(reading, plan, place, one, has_measures):
            reading.use(place)
            plan.need(one.source)
            plain.append(Output(reading.sql_of(one)))
            reading.note("output", item.text, f"{one.source}.{one.name} by {item.origin}")
        elif item.source is not None and _is_listed_thing(reading, place, has_measures):
            name = item.source.name_field
            if name is not None:
                reading.use(place)
                plan.need(name.source)
                plain.append(Output(reading.sql_of(name)))
    shown = {output.tree for output in plan.outputs}
    plan.outputs = [
        *(output for output in _once(plain) if output.tree not in shown),
        *plan.outputs,
    ]
    if not plan.outputs or (plan.ranks_groups and not any(
        not o.is_measure for o in plan.outputs
    )):  # fmt: skip
        _name_of_thing(reading, plan)


def _once(outputs: list[Output]) -> list[Output]:
    return list({output.tree: output for output in outputs}.values())


def _is_summed(reading: Reading, plan: Plan, one: Field) -> bool:
    """A number that is asked for per group has to be added up."""
    name = reading.source_of(one).name_field
    is_of_each = name is not None and reading.sql_of(name) in plan.groups
    return (
        bool(plan.groups)
        and not is_of_each
        and one.family == "number"
        and not one.is_key
        and not any(output.is_measure for output in plan.outputs)
    )


def _is_redundant(reading: Reading, plan: Plan, place: int, one: Field, has_measures: bool) -> bool:
    """Next to aggregates a column that only says what the rows are is not shown."""
    if any(tree == reading.sql_of(one) for tree in plan.groups):
        return True
    column = reading.sql_of(one)
    is_fixed = any(isinstance(tree, exp.EQ | exp.In) and tree.this == column for tree in plan.where)
    if is_fixed:
        return True
    before = reading.items[place - 1] if place else None
    is_asked = before is not None and (
        before.text in ("which", "what", "and", ",") or before.cue == "group"
    )
    if plan.having and not plan.groups:
        return False
    if plan.groups:
        # 'trips started per month' shows no start: behind what is counted, it is only told.
        cues = [at for at, item in enumerate(reading.items) if item.cue in ("count", *AGGREGATES)]
        return has_measures and not is_asked and any(at < place for at in cues)
    return has_measures and not is_asked and place > 0 and not plan.order


def _is_listed_thing(reading: Reading, place: int, has_measures: bool) -> bool:
    """'members and their emails': the thing is shown too."""
    if has_measures or place + 2 >= len(reading.items):
        return False
    texts = [item.text for item in reading.items[place + 1 :]]
    if any(a in ("with", "and") and b in ("their", "its") for a, b in pairwise(texts)):
        return not any(i.field is not None for i in reading.items[:place])
    if reading.items[place + 1].text not in ("and", "with", ",", "along", "together"):
        return False
    for item in reading.items[place + 1 :]:
        if item.field is not None:
            return item.start - reading.items[place].end <= 4 and not item.field.is_measure
        if item.kind != "word" or item.text not in _LISTING:
            return False
    return False


def _name_of_thing(reading: Reading, plan: Plan) -> None:
    """The name of the first thing that the question is about; its key where it has no name."""
    things = [item.source for _, item in reading.open_items() if item.source is not None]
    candidates = [one for one in things if one is not plan.counted] or things
    source = candidates[0] if candidates else reading.home
    if source is plan.counted and plan.ranks_groups:
        source = reading.home if reading.home is not plan.counted else source
    one = (
        source.name_field
        or source.key_field
        or next((one for one in source.fields if not one.is_measure), None)
    )
    if one is None:
        return
    plan.need(one.source)
    plan.outputs.insert(0, Output(reading.sql_of(one)))
    reading.note("output", source.alias, "the name of the thing")
