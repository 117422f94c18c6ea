"""From a question and a home to a query: the steps in their order, and how well they fit."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlglot import exp

from genie.local.engine.answer import TraceEntry
from genie.local.engine.comparisons import add_comparisons
from genie.local.engine.conditions import add_conditions
from genie.local.engine.dates import DateSpan
from genie.local.engine.grouping import add_groups
from genie.local.engine.joins import JoinGraph
from genie.local.engine.linking import Part
from genie.local.engine.model import Field, Source
from genie.local.engine.outputs import add_aggregates, add_plain
from genie.local.engine.plan import Output, Plan
from genie.local.engine.ranking import add_ranking, finish_order
from genie.local.engine.reading import Item, Reading, make_items
from genie.local.engine.rendering import render
from genie.local.engine.terms import StandingFilter
from genie.local.engine.words import Token

_NUMBER_OF = frozenset(("count", "counts", "count of", "counts of", "total", "totals"))
_PIVOTS = frozenset("that which who are is was were with have has had".split())


@dataclass(frozen=True)
class Planned:
    """A query with how much of the question its plan left over."""

    query: exp.Select
    trace: tuple[TraceEntry, ...]
    leftovers: int


def plan_query(
    tokens: Sequence[Token],
    parts: Sequence[Part],
    dates: Sequence[DateSpan],
    home: Source,
    sources: dict[str, Source],
    graph: JoinGraph,
    standing: Sequence[StandingFilter],
) -> Planned | str:
    """The query for a question that is read from one home, or why there is none."""
    items = make_items(tokens, parts, dates)
    reading = Reading(tokens, items, home, sources, graph, graph.distances(home.identifier))
    _rebind(reading)
    _join_counts(reading)
    plan = Plan(home)
    _share(reading, plan)
    add_conditions(reading, plan)
    add_comparisons(reading, plan)
    add_ranking(reading, plan)
    add_aggregates(reading, plan)
    add_groups(reading, plan)
    add_plain(reading, plan)
    finish_order(reading, plan)
    if reading.cue("distinct") and not plan.aggregates:
        plan.is_distinct = True
    _finish(reading, plan)
    if plan.problem:
        return plan.problem
    _stand(reading, plan, standing)
    query = render(reading, plan)
    if query is None:
        return "I do not know how the tables that this is about are joined."
    if plan.counts_groups:
        groups = query.subquery("groups")
        query = exp.select(exp.Count(this=exp.Star())).from_(groups)
    left = [item for _, item in reading.open_items() if _matters(item)]
    return Planned(query, tuple(reading.trace), len(left))


def _matters(item: Item) -> bool:
    """Whether leaving an item over means that the question was not followed."""
    kinds = ("top", "superlative", "frequent", "compare", "between", "not")
    return item.kind in ("field", "number", "term") or item.cue in kinds


def _join_counts(reading: Reading) -> None:
    """'page counts' are the numbers of pages: the column, and nothing to count."""
    for place in reading.cue("count", "sum"):
        one = reading.items[place - 1].field if place else None
        is_number = one is not None and one.family == "number"
        if is_number and reading.items[place].text in _NUMBER_OF:
            reading.use(place)


def _rebind(reading: Reading) -> None:
    """'name and phone of the supplier': a column belongs to the thing that it is a column of."""
    for place, item in enumerate(reading.items):
        one = item.field
        if one is None or one.is_measure:
            continue
        before = reading.items[place - 1].field if place else None
        if before is not None and before.family == "text" and item.text in ("name", "names"):
            reading.use(place)  # the name of a genre is the genre
            continue
        owner = _owner_behind(reading, place) or _owner_in_front(reading, place)
        if owner is None or owner.identifier == one.source or owner.is_metric_view:
            continue
        said = set(item.text.split())
        twins = [
            other for other in owner.fields
            if any(
                label.stems == mine.stems and mine.origin == "name"
                for label in other.labels for mine in one.labels
            )
        ]  # fmt: skip
        if not twins and said <= {"name", "names"}:
            twins = [other for other in (owner.name_field,) if other is not None]
        if twins and owner.identifier in reading.distances:
            reading.items[place] = Item(
                "field", item.start, item.end, item.text, twins[0], item.origin
            )


def _owner_behind(reading: Reading, place: int) -> Source | None:
    has_of = False
    for item in reading.items[place + 1 :]:
        if item.source is not None:
            return item.source if has_of else None
        has_of = has_of or item.text in ("of", "for", "from", "of each", "for each")
        is_listed = item.field is not None and not has_of
        is_filter = item.kind in ("value", "number", "literal", "term", "field") or item.cue in (
            "top", "superlative", "group", "distinct",
        )  # fmt: skip
        is_word = item.text in ("of", "the", "all", "and", ",", "for", "our", "each", "any", "from")
        if not (is_listed or is_word or (is_filter and has_of)):
            return None
    return None


def _owner_in_front(reading: Reading, place: int) -> Source | None:
    item = reading.items[place - 1] if place else None
    if item is not None and item.source is not None:
        return item.source
    if item is None or item.text not in ("their", "its"):
        return None
    nearest = next((i for _, i in reading.preceding(place) if i.source is not None), None)
    return nearest.source if nearest else None


def _share(reading: Reading, plan: Plan) -> None:
    """'what share of A is B': what is said behind the pivot counts, what stands before limits."""
    cues = reading.cue("share", "percent")
    if not cues:
        return
    place = cues[0]
    pivot = next(
        (at for at in range(place + 1, len(reading.items)) if reading.items[at].text in _PIVOTS),
        place,
    )
    part = Plan(plan.home)
    add_conditions(reading, part, pivot)
    add_comparisons(reading, part, pivot)
    if not part.where:
        add_conditions(reading, part, place)
        add_comparisons(reading, part, place)
    if not part.where:
        return
    reading.use(place)
    plan.need(*part.needed)
    counted = exp.Anonymous(this="COUNT_IF", expressions=[exp.and_(*part.where)])
    everything = exp.Count(this=exp.Star())
    if reading.items[place].cue == "percent":
        counted_part: exp.Expr = exp.Mul(this=counted, expression=exp.Literal.number("100.0"))
    else:
        counted_part = counted
    plan.outputs.append(Output(exp.Div(this=counted_part, expression=everything), True))
    for at, item in reading.open_items():
        if item.cue == "count":
            reading.use(at)


def _finish(reading: Reading, plan: Plan) -> None:
    has_measures = any(output.is_measure for output in plan.outputs)
    plain = [output.tree for output in plan.outputs if not output.is_measure]
    is_view = plan.home.is_metric_view
    if plan.ranked_output is not None and all(
        output.tree != plan.ranked_output.tree for output in plan.outputs
    ):
        plan.outputs.append(plan.ranked_output)
        has_measures = True
    counts_only = has_measures and not plain
    is_count = plan.counts_rows_of is not None and len(plan.outputs) == 1
    if plan.having and counts_only and is_count and not plan.groups and not plan.ranks_groups:
        _count_groups(reading, plan)
        return
    if has_measures or plan.having or plan.ranks_groups or is_view:
        plan.groups = [*plan.groups, *(tree for tree in plain if tree not in plan.groups)]
        if not has_measures and not is_view:
            _group_by_key(reading, plan)
    else:
        plan.groups = []
    _need_named(reading, plan)
    _choose_home(reading, plan)
    if not plan.groups and not has_measures:
        _distinct_where_repeated(reading, plan)
    _settle_order(plan)
    trees = [*(o.tree for o in plan.outputs), *plan.having, *(tree for tree, _ in plan.order)]
    if is_view and any(_aggregates(tree) for tree in trees):
        plan.problem = f"{plan.home.alias} can only be asked for its measures."


def _need_named(reading: Reading, plan: Plan) -> None:
    """'bikes with a repair': only rows that have some of the other thing are meant."""
    base = plan.counts_rows_of
    if base is None:
        return
    for place, item in reading.open_items():
        if place and reading.items[place - 1].text in ("we", "they", "you", "i"):
            continue
        source = item.source or (
            reading.source_of(item.field) if item.field and item.field.is_key else None
        )
        if source is None or source is base or source.is_metric_view:
            continue
        path = reading.graph.path(base.identifier, source.identifier)
        if path and reading.graph.fans_out(path, base.identifier):
            plan.need(source.identifier)


def _aggregates(tree: exp.Expr) -> bool:
    """Whether a tree holds an aggregate function other than MEASURE."""
    counts_if = any(one.name == "COUNT_IF" for one in tree.find_all(exp.Anonymous))
    return counts_if or tree.find(exp.AggFunc) is not None


def _is_grouped(tree: exp.Expr) -> bool:
    return _aggregates(tree) or any(one.name == "MEASURE" for one in tree.find_all(exp.Anonymous))


def _settle_order(plan: Plan) -> None:
    """An order must refer to what the query has: groups are ordered by what they share."""
    shown = [output.tree for output in plan.outputs]
    if plan.groups:
        plan.order = [
            (tree if tree in plan.groups or _is_grouped(tree) else exp.Max(this=tree), descending)
            for tree, descending in plan.order
        ]
    elif any(_is_grouped(tree) for tree in shown):
        plan.order, plan.limit = [], None  # there is one row
    elif any(tree not in shown for tree, _ in plan.order):
        plan.is_distinct = False


def _group_by_key(reading: Reading, plan: Plan) -> None:
    """Things with the same name are different things: group by their key as well."""
    for output in list(plan.outputs):
        column = output.tree
        for source in reading.sources.values():
            key, name = source.key_field, source.name_field
            if key is not None and name is not None and column == reading.sql_of(name):
                tree = reading.sql_of(key)
                if tree not in plan.groups:
                    plan.groups.insert(0, tree)


def _count_groups(reading: Reading, plan: Plan) -> None:
    """'how many members have more than 3 loans': the groups are counted."""
    source = plan.counts_rows_of
    if source is None or (source is plan.counted and plan.home is source):
        plan.problem = "I do not know what to count."
        return
    key = source.key_field or source.name_field
    if key is None:
        plan.problem = f"I do not know what identifies one of {source.alias}."
        return
    plan.home, plan.needed = source, [n for n in (plan.home.identifier, *plan.needed)
                                      if n != source.identifier]  # fmt: skip
    plan.outputs = [Output(reading.sql_of(key))]
    plan.groups = [reading.sql_of(key)]
    plan.counts_groups = True


def _sources_of(reading: Reading, tree: exp.Expr) -> list[str]:
    aliases = {source.alias: source.identifier for source in reading.sources.values()}
    return [aliases[c.table] for c in tree.find_all(exp.Column) if c.table in aliases]


def _choose_home(reading: Reading, plan: Plan) -> None:
    """FROM starts at what is counted or measured, else at what is shown."""
    if plan.home.is_metric_view:
        return
    wanted: str | None = None
    for output in plan.outputs:
        if output.is_measure:
            wanted = wanted or next(iter(_sources_of(reading, output.tree)), None)
    if plan.counts_rows_of is not None:
        wanted = plan.counts_rows_of.identifier
    elif wanted is None and plan.counted is not None:
        wanted = plan.counted.identifier
    if wanted is None:
        shown = [name for output in plan.outputs for name in _sources_of(reading, output.tree)]
        wanted = next(iter(shown), None)
    used = [name for tree in (*plan.where, *plan.having, *plan.groups,
                              *(o.tree for o in plan.outputs), *(t for t, _ in plan.order))
            for name in _sources_of(reading, tree)]  # fmt: skip
    if wanted is None:
        return
    is_needed = plan.home.identifier in used or (
        any(item.source is plan.home for item in reading.items) and not plan.counts_rows_of
    )
    names = ([plan.home.identifier] if is_needed else []) + plan.needed
    plan.home = reading.sources[wanted]
    plan.needed = list(dict.fromkeys(name for name in names if name != wanted))
    _count_once(reading, plan)


def _count_once(reading: Reading, plan: Plan) -> None:
    """Where a join repeats the rows that are counted, their keys are counted instead."""
    source = plan.counts_rows_of
    if source is None:
        return
    edges = reading.graph.tree(source.identifier, plan.needed) or []
    if not reading.graph.fans_out(edges, source.identifier):
        return
    key = source.key_field or source.name_field
    if key is None:
        return
    distinct = exp.Count(this=exp.Distinct(expressions=[reading.sql_of(key)]))
    plan.outputs = [
        Output(distinct, True, o.alias) if o.tree == exp.Count(this=exp.Star()) else o
        for o in plan.outputs
    ]


def _distinct_where_repeated(reading: Reading, plan: Plan) -> None:
    """A list of things from one side of a join, or of kinds of things, has no repeats."""
    edges = reading.graph.tree(plan.home.identifier, plan.needed) or []
    shown = {name for output in plan.outputs for name in _sources_of(reading, output.tree)}
    if shown == {plan.home.identifier} and reading.graph.fans_out(edges, plan.home.identifier):
        plan.is_distinct = plan.limit is None
    only = plan.outputs[0].tree if len(plan.outputs) == 1 else None
    is_asked_per_row = any(item.source is plan.home for item in reading.items)
    is_bare = not plan.where and plan.limit is None and not is_asked_per_row
    if isinstance(only, exp.Column) and is_bare:
        one = plan.home.get(only.name)
        is_kind = one is not None and not _identifies(plan.home, one)
        plan.is_distinct = plan.is_distinct or is_kind


def _identifies(source: Source, one: Field) -> bool:
    return one is source.name_field or one is source.key_field or one.family != "text"


def _stand(reading: Reading, plan: Plan, standing: Sequence[StandingFilter]) -> None:
    """Adds the instruction's conditions on the sources of the query.

    One on a column that the question itself restricts is not added: the question wins.
    """
    said = {token.stem for token in reading.tokens}
    restricted = {
        (column.table, column.name) for tree in plan.where for column in tree.find_all(exp.Column)
    }
    in_query = {plan.home.identifier, *plan.needed}
    for rule in standing:
        columns = {(c.table, c.name) for c in rule.tree.find_all(exp.Column)}
        applies = set(rule.sources) <= in_query and set(rule.only_for) <= said
        if applies and not columns & restricted:
            plan.where.append(rule.tree.copy())
            reading.note("standing filter", rule.origin, "instruction")
