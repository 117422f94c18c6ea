"""Queries over metric views, written as what the metric views are defined as."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import yaml
from sqlglot import exp

from transforms.errors import GenieLoopError
from transforms.name_scope import Catalog
from transforms.space_state import TableState
from transforms.sql_text import parse_query

_MAX_NESTED = 8  # measures and dimensions that are defined by others, one inside another
_MEASURE_CALL = "MEASURE"
_SOURCE = "source"  # what the expressions of a metric view call its source


class _NotExpandableError(Exception):
    """The definition, or how it is used, is not one that this module reads."""


@dataclass(frozen=True, slots=True)
class MetricView:
    """A metric view's definition: SQL of its measures and dimensions by lower-case name.

    ``synonyms`` are what else a measure is called, by the same names. ``condition`` is its filter.
    """

    table: TableState
    source: str
    measures: Mapping[str, str]
    dimensions: Mapping[str, str]
    synonyms: Mapping[str, tuple[str, ...]]
    condition: str | None
    joins: tuple[Mapping[str, Any], ...] = ()

    def query(self, projections: str) -> str:
        """A query of one row over the metric view."""
        schema, _, name = self.table.name.partition(".")
        return f"SELECT {projections} FROM `{schema}`.`{name}`"


def metric_view(table: TableState) -> MetricView | None:
    """The definition of a metric view; None for another table and for YAML that is none."""
    if table.kind != "metric_view" or not table.definition:
        return None
    try:
        raw = yaml.safe_load(table.definition)
        measures = _members(raw.get("measures"))
        dimensions = _members([*(raw.get("dimensions") or []), *(raw.get("fields") or [])])
        names = _columns(table, [*dimensions, *measures])
        return MetricView(
            table,
            str(raw["source"]),
            {names[name]: str(item["expr"]) for name, item in measures.items()},
            {names[name]: str(item["expr"]) for name, item in dimensions.items()},
            {names[name]: _spoken(item) for name, item in measures.items()},
            str(raw["filter"]) if raw.get("filter") else None,
            tuple(raw.get("joins") or ()),
        )
    except (yaml.YAMLError, AttributeError, KeyError, TypeError):
        return None


def _members(raw: Any) -> dict[str, Mapping[str, Any]]:
    return {str(item["name"]): item for item in raw or ()}


def _columns(table: TableState, members: list[str]) -> dict[str, str]:
    """The column of the view that each member is: by position, for a view may rename them."""
    is_listed = len(table.columns) == len(members)
    named = [column.name for column in table.columns] if is_listed else members
    return {member: name.lower() for member, name in zip(members, named, strict=True)}


def _spoken(item: Mapping[str, Any]) -> tuple[str, ...]:
    named = (item.get("display_name"), *(item.get("synonyms") or ()))
    return tuple(str(name) for name in named if name)


def expanded(query: exp.Query, catalog: Catalog) -> exp.Query | None:
    """The query with each metric view replaced by its source, its filter and its expressions.

    None where it reads no metric view, or one in a way that has no such form (``SELECT *``, a join
    with the view itself, a definition that does not parse). The query itself is not changed.
    """
    if not any(_is_view(table, catalog) for table in query.find_all(exp.Table)):
        return None
    copy = query.copy()
    try:
        for select, view in list(_selects(copy, catalog)):
            _expand(select, view)
    except (_NotExpandableError, GenieLoopError):
        return None
    return copy


def _is_view(table: exp.Table, catalog: Catalog) -> bool:
    state = catalog.table(*(part.name for part in table.parts))
    return state is not None and state.kind == "metric_view"


def _selects(query: exp.Query, catalog: Catalog) -> Iterator[tuple[exp.Select, MetricView]]:
    for table in list(query.find_all(exp.Table)):
        state = catalog.table(*(part.name for part in table.parts))
        if state is None or not _is_view(table, catalog):
            continue
        select, view = table.find_ancestor(exp.Select), metric_view(state)
        start = select.args.get("from_") if select is not None else None
        if view is None or select is None or start is None:
            raise _NotExpandableError
        if start.this is not table or select.args.get("joins"):
            raise _NotExpandableError
        yield select, view


def _expand(select: exp.Select, view: MetricView) -> None:
    for projection in list(select.expressions):
        if isinstance(projection, exp.Star) or isinstance(projection.this, exp.Star):
            raise _NotExpandableError
        if isinstance(projection, exp.Column):
            alias = exp.alias_(projection.copy(), projection.name, quoted=True)
            projection.replace(alias)
    for key in ("expressions", "where", "group", "having", "order", "qualify"):
        value = select.args.get(key)
        for part in value if isinstance(value, list) else [value] if value is not None else []:
            _replace_members(part, view)
    source = _source(view.source)
    select.set("from_", exp.From(this=source))
    if view.condition is not None:
        select.where(exp.paren(_expression(view.condition)), copy=False)
    for join in _used_joins(select, view):
        select.append("joins", join)


def _used_joins(select: exp.Select, view: MetricView) -> list[exp.Join]:
    """The joins that columns of the query come from: the others, many to one, change no row."""
    used = {column.table.lower() for column in select.find_all(exp.Column)}
    found: list[exp.Join] = []
    for raw in reversed(view.joins):
        if str(raw["name"]).lower() in used:
            join = _join(raw)
            found.insert(0, join)
            used.update(column.table.lower() for column in join.find_all(exp.Column))
    return found


def _source(text: str, alias: str = _SOURCE) -> exp.Expr:
    """A source, which is a query or the name of a table, under an alias."""
    named = exp.TableAlias(this=exp.to_identifier(alias))
    try:
        return exp.Subquery(this=parse_query(text), alias=named)
    except GenieLoopError:
        table = parse_query(f"SELECT * FROM {text}").find(exp.Table)
    if table is None:
        raise _NotExpandableError
    table.set("alias", named)
    return table.pop()


def _join(raw: Mapping[Any, Any]) -> exp.Join:
    """A join of a definition: always an outer one, on a condition or on columns of one name."""
    condition = raw.get("on", raw.get(True))  # YAML 1.1 reads the key ``on`` as a boolean
    if raw.get("joins") or (condition is None) == (raw.get("using") is None):
        raise _NotExpandableError
    join = exp.Join(this=_source(str(raw["source"]), str(raw["name"])), side="LEFT")
    if condition is not None:
        join.set("on", _expression(str(condition)))
    else:
        join.set("using", [exp.to_identifier(str(name)) for name in raw["using"]])
    return join


def _expression(text: str) -> exp.Expr:
    parsed = parse_query(f"SELECT {text}")
    expressions = parsed.selects
    if len(expressions) != 1:
        raise _NotExpandableError
    return expressions[0].unalias()


def _replace_members(part: exp.Expr, view: MetricView) -> None:
    for node in list(part.walk(prune=lambda inner: isinstance(inner, exp.Query))):
        if _is_measure_call(node):
            _put(node, _measure(node, view, 0))
        elif isinstance(node, exp.Column) and not _is_measure_call(node.parent):
            dimension = view.dimensions.get(node.name.lower())
            if dimension is not None:
                _put(node, _expression(dimension))


def _is_measure_call(node: exp.Expr | None) -> bool:
    return isinstance(node, exp.Anonymous) and node.name.upper() == _MEASURE_CALL


def _put(node: exp.Expr, expression: exp.Expr) -> None:
    node.replace(exp.paren(expression))


def _measure(node: exp.Expr, view: MetricView, depth: int) -> exp.Expr:
    """What a call of MEASURE stands for; measures that it is defined by are replaced, too."""
    name = node.expressions[0].name.lower() if len(node.expressions) == 1 else ""
    if name not in view.measures or depth > _MAX_NESTED:
        raise _NotExpandableError
    expression = exp.paren(_expression(view.measures[name]))
    for inner in list(expression.find_all(exp.Anonymous)):
        if _is_measure_call(inner):
            _put(inner, _measure(inner, view, depth + 1))
    return expression
