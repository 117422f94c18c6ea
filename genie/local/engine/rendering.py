"""Writes a plan down as SQL."""

from __future__ import annotations

from sqlglot import exp

from genie.local.engine.model import Source
from genie.local.engine.plan import Absence, Plan
from genie.local.engine.reading import Reading


def table_of(source: Source) -> exp.Table:
    """A source as a table in FROM, under its alias."""
    parts = [exp.to_identifier(part, quoted=True) for part in source.identifier.split(".")]
    slots = dict(zip(("this", "db", "catalog"), reversed(parts[-3:]), strict=False))
    alias = exp.TableAlias(this=exp.to_identifier(source.alias, quoted=True))
    return exp.Table(**slots, alias=alias)


def render(reading: Reading, plan: Plan) -> exp.Select | None:
    """The query of a plan; None where its sources cannot be joined."""
    edges = reading.graph.tree(plan.home.identifier, plan.needed)
    if edges is None or not plan.outputs:
        return None
    outputs = [
        exp.alias_(output.tree, output.alias, quoted=True) if output.alias else output.tree
        for output in plan.outputs
    ]
    query = exp.select(*outputs).from_(table_of(plan.home))
    joined = {plan.home.identifier}
    for edge in edges:
        other = edge.right if edge.left in joined else edge.left
        joined.add(other)
        query = query.join(table_of(reading.sources[other]), on=edge.condition.copy())
    absent = [_absence(reading, plan, absence) for absence in plan.absences]
    conditions = _unique([*plan.where, *(one for one in absent if one is not None)])
    if conditions:
        query = query.where(*conditions)
    if plan.groups:
        query = query.group_by(*_unique(plan.groups))
    if plan.having:
        query = query.having(*plan.having)
    if plan.is_distinct and not plan.groups:
        query = query.distinct()
    for tree, is_descending in plan.order:
        query = query.order_by(
            exp.Ordered(this=tree, desc=is_descending, nulls_first=not is_descending)
        )
    if plan.limit is not None:
        query = query.limit(plan.limit)
    if len(joined) == 1 and not query.find(exp.Exists):
        _drop_alias(query)
    return query


def _unique(trees: list[exp.Expr]) -> list[exp.Expr]:
    found: list[exp.Expr] = []
    for tree in trees:
        for one in tree.flatten() if isinstance(tree, exp.And) else (tree,):
            if one not in found:
                found.append(one)
    return [exp.paren(tree) if isinstance(tree, exp.Or) else tree for tree in found]


def _drop_alias(query: exp.Select) -> None:
    """One table needs no alias, and its columns no qualifier."""
    for table in query.find_all(exp.Table):
        table.set("alias", None)
    for column in query.find_all(exp.Column):
        column.set("table", None)


def _absence(reading: Reading, plan: Plan, absence: Absence) -> exp.Expr | None:
    """NOT EXISTS over the other table, by the shortest path from the home."""
    path = reading.graph.path(plan.home.identifier, absence.source.identifier)
    if not path:
        return None
    inner = exp.select(exp.Literal.number(1)).from_(table_of(absence.source))
    inside = absence.source.identifier
    for edge in reversed(path[1:]):
        inside = edge.left if edge.right == inside else edge.right
        inner = inner.join(table_of(reading.sources[inside]), on=edge.condition.copy())
    inner = inner.where(path[0].condition.copy(), *absence.where)
    return exp.Not(this=exp.Exists(this=inner))
