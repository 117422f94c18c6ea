"""SQL as text: names quoted safely, one canonical text for queries that only look different."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlglot import exp
from sqlglot.dialects.spark import Spark
from sqlglot.errors import OptimizeError, SqlglotError
from sqlglot.optimizer.scope import Scope, traverse_scope

from transforms.errors import GenieLoopError
from transforms.read_only import parse_query
from transforms.sql_lexing import QueryRefusedError, SqlParseError

__all__ = [
    "QueryRefusedError",
    "SqlParseError",
    "canonical_sql",
    "parse_query",
    "qualified_name",
    "quote_identifier",
]

_PLAIN_NAME = re.compile(r"[a-z_][a-z0-9_]*")
_KEYWORDS = frozenset(Spark.Tokenizer.KEYWORDS)
# What binds so closely, or is so clearly delimited, that brackets around it change nothing.
_CLOSED = (
    exp.Column, exp.Literal, exp.Null, exp.Boolean, exp.Star, exp.Case, exp.Cast, exp.Anonymous,
    exp.AggFunc, exp.Paren,
)  # fmt: skip
# What takes everything that follows it, so that brackets around all of it change nothing.
_ENCLOSING = (exp.Where, exp.Having, exp.Alias, exp.Paren, exp.Ordered, exp.Select, exp.Group)
_COMPARISONS = (exp.EQ, exp.NEQ, exp.GT, exp.GTE, exp.LT, exp.LTE, exp.Like, exp.In, exp.Is)


def quote_identifier(name: str) -> str:
    """A name as SQL: in backticks, whatever it holds. Raises ValueError for an empty name."""
    if not name:
        raise ValueError("a name must not be empty")
    return "`" + name.replace("`", "``") + "`"


def qualified_name(*parts: str) -> str:
    """A qualified name as SQL, from its parts: catalog, schema, table, column or fewer."""
    return ".".join(quote_identifier(part) for part in parts)


def canonical_sql(sql: str) -> str:
    """One text for queries that differ in writing only.

    Left out are comments, layout, hints, the case of keywords and names, needless quotes and
    brackets, words that are the default (INNER, OUTER, ASC), the names of table aliases, common
    table expressions and result columns, and qualifiers where there is only one table. Equal
    canonical texts give equal rows; the reverse does not hold, for nothing here knows the schema.

    Text that is not one read-only query is given back as it is, and so is a query that the parser
    could not write down faithfully: read again, the canonical text must give the same tree. So the
    function never raises, and it is idempotent.
    """
    try:
        tree = canonical_tree(parse_query(sql))
        text = tree.sql(dialect="spark", comments=False)
        is_faithful = canonical_tree(parse_query(text)) == tree
    except (GenieLoopError, SqlglotError, RecursionError):
        return sql
    return text if is_faithful else sql


def canonical_tree(query: exp.Query) -> exp.Query:
    """The tree behind ``canonical_sql``: a changed copy."""
    tree = query.copy()
    for identifier in tree.find_all(exp.Identifier):
        identifier.set("this", identifier.name.lower())
    _unify_literals(tree)
    _drop_defaults(tree)
    _drop_result_names(tree)
    _rename_sources(tree)
    _drop_brackets(tree)
    for identifier in tree.find_all(exp.Identifier):
        is_plain = _PLAIN_NAME.fullmatch(identifier.name)
        identifier.set("quoted", not is_plain or identifier.name.upper() in _KEYWORDS)
    return tree


def _unify_literals(tree: exp.Expr) -> None:
    """One node for one value: DATE '2024-01-31' is CAST('2024-01-31' AS DATE)."""
    for node in list(tree.find_all(exp.RawString, exp.Cast)):
        if isinstance(node, exp.RawString):
            node.replace(exp.Literal.string(node.name))
        elif type(node) is exp.Cast:
            node.replace(exp.TryCast(this=node.this, to=node.to))


def _drop_defaults(tree: exp.Expr) -> None:
    for node in tree.find_all(exp.Select, exp.Join, exp.Ordered):
        if isinstance(node, exp.Select):
            node.set("hint", None)
        elif isinstance(node, exp.Ordered):
            node.set("desc", node.args.get("desc") or None)
        elif isinstance(node, exp.Join) and (
            node.kind == "INNER" or (node.kind == "OUTER" and node.side)
        ):
            node.set("kind", None)


def _drop_result_names(tree: exp.Query) -> None:
    """Drop the names of the result's columns, which no row depends on.

    ORDER BY is the one clause where such a name hides a column of the same name, so there it is
    replaced by what it stands for. A name that is used anywhere else stays.
    """
    query: exp.Expr = tree
    while isinstance(query, exp.Subquery):
        query = query.this
    if not isinstance(query, exp.Select):
        return
    named = {e.alias: e.this for e in query.expressions if isinstance(e, exp.Alias)}
    order = query.args.get("order")
    for term in order.expressions if order else ():
        column = term.this
        if isinstance(column, exp.Column) and not column.table and column.name in named:
            column.replace(named[column.name].copy())
    for projection in query.expressions:
        if isinstance(projection, exp.Alias) and not _is_used(projection, tree):
            projection.replace(projection.this)


def _is_used(alias: exp.Alias, tree: exp.Query) -> bool:
    if isinstance(alias.this, exp.Column) and alias.this.name == alias.alias:
        return False
    return any(
        not column.table and column.name == alias.alias for column in tree.find_all(exp.Column)
    )


def _rename_sources(tree: exp.Query) -> None:
    """Name tables t1, t2, ... and common table expressions q1, q2, ...; drop idle qualifiers.

    Names stay as they are where they also name something else: under PIVOT, in recursion, and where
    the query is not consistent.
    """
    if tree.find(exp.Pivot) or any(with_.recursive for with_ in tree.find_all(exp.With)):
        return
    try:
        scopes = traverse_scope(tree)
        sources = {id(scope): dict(scope.selected_sources) for scope in scopes}
    except OptimizeError:
        return
    holders = [n for n in tree.dfs() if isinstance(n, exp.Table) or _is_derived_table(n)]
    names = {id(holder): f"t{number}" for number, holder in enumerate(holders, start=1)}
    references = {
        id(column): reference
        for scope in scopes
        for column in scope.find_all(exp.Column)
        if (reference := _reference(column, scope, sources)) and id(reference.holder) in names
    }
    ctes = {id(cte): f"q{n}" for n, cte in enumerate(tree.find_all(exp.CTE), start=1)}
    for node, source in (pair for scope in scopes for pair in sources[id(scope)].values()):
        if isinstance(source, Scope) and id(source.expression.parent) in ctes:
            node.set("this", exp.to_identifier(ctes[id(source.expression.parent)]))
    for cte in tree.find_all(exp.CTE):
        cte.args["alias"].set("this", exp.to_identifier(ctes[id(cte)]))
    for holder in holders:
        alias = holder.args.get("alias") or exp.TableAlias()
        alias.set("this", exp.to_identifier(names[id(holder)]))
        holder.set("alias", alias)
    for reference in references.values():
        _requalify(reference, names[id(reference.holder)])


@dataclass(frozen=True)
class _Reference:
    """A column, the table that its first ``depth`` qualifiers name, whether they are needless."""

    column: exp.Column
    holder: exp.Expr
    depth: int
    is_idle: bool


def _is_derived_table(node: exp.Expr) -> bool:
    return isinstance(node, exp.Subquery) and isinstance(node.parent, exp.From | exp.Join)


def _reference(
    column: exp.Column, scope: Scope, sources: Mapping[int, Mapping[str, tuple[exp.Expr, object]]]
) -> _Reference | None:
    *qualifiers, last = column.parts
    owner: Scope | None = scope
    while owner is not None and qualifiers:
        visible = sources.get(id(owner), {})
        for depth, qualifier in enumerate(qualifiers, start=1):
            node = visible[qualifier.name][0] if qualifier.name in visible else None
            holder = node.parent if isinstance(node, exp.Query) else node
            if holder is not None and _is_called(holder, [q.name for q in qualifiers[: depth - 1]]):
                is_only = owner is scope and len(visible) == 1 and depth == len(qualifiers)
                return _Reference(
                    column, holder, depth, is_only and not _is_hidden(column, last.name, owner)
                )
        owner = owner.parent
    return None


def _is_called(holder: exp.Expr, qualifiers: Sequence[str]) -> bool:
    """Whether a table may be called by its name behind these qualifiers: schema, or catalog too."""
    if not qualifiers:
        return True
    if not isinstance(holder, exp.Table) or holder.alias:
        return False
    return [part.name for part in holder.parts[:-1]][-len(qualifiers) :] == list(qualifiers)


def _is_hidden(column: exp.Column, name: str, scope: Scope) -> bool:
    """Whether the column would mean something else without its qualifier."""
    if isinstance(column.this, exp.Star):
        return not isinstance(column.parent, exp.Select)
    selected = scope.expression.expressions if isinstance(scope.expression, exp.Select) else ()
    return any(isinstance(e, exp.Alias) and e.alias == name for e in selected)


def _requalify(reference: _Reference, name: str) -> None:
    *qualifiers, last = reference.column.parts
    if reference.is_idle and isinstance(last, exp.Star):
        reference.column.replace(last)
        return
    kept = [] if reference.is_idle else [exp.to_identifier(name)]
    parts = [*kept, *qualifiers[reference.depth :], last]
    slots = zip(("this", "table", "db", "catalog"), reversed(parts), strict=False)
    reference.column.replace(exp.Column(**dict(slots)))


def _drop_brackets(tree: exp.Expr) -> None:
    for brackets in list(tree.find_all(exp.Paren)):
        if _is_needless(brackets):
            brackets.replace(brackets.this)


def _is_needless(brackets: exp.Paren) -> bool:
    inner, outer = brackets.this, brackets.parent
    if isinstance(inner, _CLOSED) or isinstance(outer, _ENCLOSING):
        return True
    if isinstance(outer, exp.Join):
        return brackets.arg_key == "on"
    if isinstance(inner, _COMPARISONS):
        return isinstance(outer, exp.Connector)
    return isinstance(inner, exp.And | exp.Or) and type(inner) is type(outer)
