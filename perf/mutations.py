"""Known wrong variants of a query: one clause changed as people and models get it wrong."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial

from sqlglot import exp

KINDS = ("dropped filter", "left join", "boundary", "sum and avg", "missing distinct")
_BOUNDARIES: dict[type[exp.Expr], type[exp.Expr]] = {
    exp.GT: exp.GTE,
    exp.GTE: exp.GT,
    exp.LT: exp.LTE,
    exp.LTE: exp.LT,
}
_AGGREGATES: dict[type[exp.Expr], type[exp.Expr]] = {exp.Sum: exp.Avg, exp.Avg: exp.Sum}


def mutants(query: exp.Query) -> Iterator[tuple[str, str]]:
    """Each kind of variant with its SQL, one for each place where the query can be changed."""
    original = query.sql(dialect="spark")
    seen = {original}
    for kind, changed in _changed(query):
        sql = changed.sql(dialect="spark")
        if sql not in seen:
            seen.add(sql)
            yield kind, sql


def _changed(query: exp.Query) -> Iterator[tuple[str, exp.Query]]:
    for position, node in enumerate(query.walk()):
        for kind, replace in _ways(node):
            tree = query.copy()
            twin = next(other for at, other in enumerate(tree.walk()) if at == position)
            replace(twin)
            yield kind, tree


def _ways(node: exp.Expr) -> Iterator[tuple[str, Callable[[exp.Expr], object]]]:
    if isinstance(node, exp.Where):
        for number in range(len(list(_conjuncts(node.this)))):
            yield "dropped filter", partial(_drop, number=number)
    if isinstance(node, exp.Join) and not node.side and _may_lose_rows(node):
        yield "left join", _keep_unmatched
    if type(node) in _BOUNDARIES:
        other = _BOUNDARIES[type(node)]
        yield "boundary", lambda twin: twin.replace(other(**twin.args))
    if type(node) in _AGGREGATES:
        aggregate = _AGGREGATES[type(node)]
        yield "sum and avg", lambda twin: twin.replace(aggregate(this=twin.this))
    if isinstance(node, exp.Select) and node.args.get("distinct"):
        yield "missing distinct", lambda twin: twin.set("distinct", None)
    if isinstance(node, exp.Distinct) and isinstance(node.parent, exp.Count):
        yield "missing distinct", lambda twin: twin.replace(twin.expressions[0])


def _may_lose_rows(join: exp.Join) -> bool:
    """Whether rows without a partner stay if the join is an outer one: no condition drops them."""
    select = join.parent
    if not isinstance(select, exp.Select) or not join.args.get("on"):
        return False
    others = [other for other in select.args["joins"] if other is not join]
    conditions = [select.args.get("where"), *(other.args.get("on") for other in others)]
    used = {c.table.lower() for on in conditions if on for c in on.find_all(exp.Column)}
    return join.alias_or_name.lower() not in used and "" not in used


def _conjuncts(condition: exp.Expr) -> Iterator[exp.Expr]:
    if isinstance(condition, exp.And):
        yield from _conjuncts(condition.left)
        yield from _conjuncts(condition.right)
    else:
        yield condition


def _keep_unmatched(join: exp.Expr) -> None:
    join.set("side", "LEFT")
    join.set("kind", None)


def _drop(where: exp.Expr, number: int) -> None:
    kept = [part for at, part in enumerate(_conjuncts(where.this)) if at != number]
    if kept:
        where.set("this", exp.and_(*kept, copy=True))
    else:
        where.pop()
