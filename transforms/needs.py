"""What a query needs that metadata could name: filters, measures, columns, tables, functions.

A need is the smallest part of expected SQL that stands for itself, in canonical SQL: columns as
``schema.table.column``, lists sorted, rounding and aliases gone. Points in time and what joins
tables are no needs: the first are said in so many words, the second have keys.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Literal

import sqlglot
from sqlglot import exp

from transforms.errors import GenieLoopError
from transforms.name_scope import Catalog
from transforms.sql_text import parse_query

NeedKind = Literal[
    "value", "flag", "filter", "measure", "expression", "metric", "function", "column", "table"
]

# A measure of a metric view is an object; what a query calculates itself is a fragment.
_BLAMED = {"metric": "measure", "measure": "aggregate"}
MAX_NEEDS = 60  # of one query; more than that is a report, not a question
MAX_FRAGMENT = 500  # characters; a longer fragment names nothing
_MOST_TOGETHER = 3  # conditions on one table that are one filter
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}.*")
_PLAIN = re.compile(r"[A-Za-z_]\w*")


@dataclass(frozen=True, slots=True, order=True)
class Need:
    """One part of a query that metadata could name.

    ``sql`` is the canonical fragment, for a column, table, function or measure of a metric view its
    full name. ``tables`` are the tables it reads, sorted.
    """

    kind: NeedKind
    sql: str
    tables: tuple[str, ...] = ()

    @property
    def blame(self) -> str:
        """The need as an object that a failure may blame."""
        return f"{_BLAMED.get(self.kind, self.kind)}:{self.sql}"

    @property
    def everywhere(self) -> Need | None:
        """The same of whatever table has columns of these names; None for what has no columns.

        Copies of a column in several tables are called by the same words.
        """
        if self.kind not in ("value", "flag", "filter", "column") or len(self.tables) != 1:
            return None
        return Need(self.kind, self.sql.replace(f"{self.tables[0]}.", ""))


def needs_of(sql: str, catalog: Catalog) -> frozenset[Need]:
    """The needs of a query; empty for text that is none. Never raises for any SQL."""
    try:
        tree = parse_query(sql)
        found: set[Need] = set()
        for select in tree.find_all(exp.Select):
            found.update(_Select(select, catalog).needs())
    except (GenieLoopError, RecursionError):
        return frozenset()
    return frozenset(sorted(found)[:MAX_NEEDS])


class _Select:
    """One SELECT with the tables that its aliases stand for."""

    def __init__(self, select: exp.Select, catalog: Catalog) -> None:
        self.select = select
        self.catalog = catalog
        self.functions: list[str] = []
        self.tables: dict[str, str] = {}  # alias in lower case -> schema.table
        self.has_others = False  # sources that the catalog does not know the columns of
        for node in _sources(select):
            self._add(node)

    def needs(self) -> Iterator[Need]:
        """Every need of this SELECT; those of the queries in it are their own."""
        yield from (Need("function", name) for name in self.functions)
        filters = list(self._filters())
        measures = list(self._measures())
        yield from filters
        yield from self._expressions()
        for measure in measures:
            yield measure
            yield from _filtered(measure, filters)
        for column in _own(self.select, exp.Column):
            name = self._name_of(column)
            if name is None or self._is_joined_by(column) or _is_only_compared(column):
                continue
            kind: NeedKind = "metric" if self._is_measure(name) else "column"
            yield Need(kind, name, (name.rpartition(".")[0],))
        yield from (Need("table", name, (name,)) for name in set(self.tables.values()))

    def _add(self, node: exp.Expr) -> None:
        if not isinstance(node, exp.Table):
            self.has_others = True
            return
        if isinstance(node.this, exp.Func):
            parts = [str(node.args[key].name) for key in ("catalog", "db") if node.args.get(key)]
            name = node.this.name if isinstance(node.this, exp.Anonymous) else node.this.sql_name()
            self.functions.append(self.catalog.function_name(*parts, name))
            self.has_others = True
            return
        table = self.catalog.table(*(part.name for part in node.parts))
        if table is None:
            self.has_others = True
        else:
            self.tables[node.alias_or_name.lower()] = table.name

    def _filters(self) -> Iterator[Need]:
        """Conditions on values, alone and those on one table together."""
        conditions: dict[tuple[str, ...], list[str]] = {}
        for condition in _conditions(self.select):
            if _is_timing(condition) or not _is_about_values(condition):
                continue
            fragment = self.fragment(condition)
            if fragment is not None:
                conditions.setdefault(fragment[1], []).append(fragment[0])
        for tables, texts in sorted(conditions.items()):
            parts = sorted(set(texts))
            for size in range(1, min(len(parts), _MOST_TOGETHER) + 1):
                for together in combinations(parts, size):
                    yield _condition_need(" AND ".join(together), tables)

    def _measures(self) -> Iterator[Need]:
        """What is calculated from several rows: aggregates other than a plain count of rows."""
        if self.select.find_ancestor(exp.Where, exp.Having) is not None:
            return  # what rows are compared with is no result
        order = self.select.args.get("order")
        keys = [key.this for key in order.expressions] if order is not None else []
        for output in [*self.select.expressions, *keys]:
            node = output.unalias()
            while isinstance(node, exp.Round | exp.Paren):
                node = node.this
            if node.find(exp.AggFunc) is None or node.find(exp.Window) is not None:
                continue
            fragment = self.fragment(node)
            if fragment is not None:
                yield Need("measure", *fragment)

    def _expressions(self) -> Iterator[Need]:
        """What is worked out of one row: what is aggregated, grouped by or compared."""
        for node in self.select.find_all(exp.Func):
            if node.parent_select is not self.select or isinstance(node, _NO_EXPRESSION):
                continue
            if isinstance(node.parent, exp.Func) and not isinstance(node.parent, exp.AggFunc):
                continue
            if node.find(exp.Column) is None or node.find(exp.AggFunc, *_TIMING) is not None:
                continue
            fragment = self.fragment(node)
            if fragment is not None:
                yield Need("expression", *fragment)

    def fragment(self, node: exp.Expr) -> tuple[str, tuple[str, ...]] | None:
        """Canonical SQL of an expression and its tables; None where it is not all from one."""
        if node.find(exp.Query) is not None:
            return None
        copy = node.copy()
        tables = set()
        locals_ = _lambda_names(copy)
        for column in list(copy.find_all(exp.Column)):
            if column.parts[0].name.lower() in locals_:
                continue
            name = self._name_of(column)
            if name is None or self._is_measure(name):
                return None
            table, _, last = name.rpartition(".")
            tables.add(table)
            parts = [*table.split("."), last]
            named = exp.column(
                _identifier(last), *(_identifier(part) for part in reversed(parts[:-1]))
            )
            struct_fields = [part.copy() for part in _fields_behind(column, self)]
            replacement = exp.Dot.build([named, *struct_fields]) if struct_fields else named
            if column is copy:
                copy = replacement
            else:
                column.replace(replacement)
        if len(tables) != 1:
            return None
        for listed in copy.find_all(exp.In):
            listed.set("expressions", sorted(listed.expressions, key=lambda one: one.sql()))
        text = copy.sql(dialect="spark", normalize_functions="upper")
        return (text, tuple(sorted(tables))) if len(text) <= MAX_FRAGMENT else None

    def _name_of(self, column: exp.Column) -> str | None:
        """``schema.table.column`` of a column of a table; None for what comes from elsewhere."""
        parts = [part.name for part in column.parts]
        table = self.tables.get(parts[0].lower()) if len(parts) > 1 else None
        if table is not None:
            return self._known(table, parts[1])
        owners = [
            found for one in set(self.tables.values()) if (found := self._known(one, parts[0]))
        ]
        return owners[0] if len(owners) == 1 else None

    def _known(self, table: str, column: str) -> str | None:
        name = f"{table}.{column}"
        return self.catalog.spelled(name) if self.catalog.column(name) else None

    def _is_measure(self, name: str) -> bool:
        column = self.catalog.column(name)
        return column is not None and column.is_measure

    def _is_joined_by(self, column: exp.Column) -> bool:
        """Whether a column is only there to join: compared with a column of another table."""
        parent = column.parent
        if isinstance(parent, exp.EQ):
            sides = [parent.this, parent.expression]
            if all(isinstance(side, exp.Column) for side in sides):
                return True
        return False


def _condition_need(sql: str, tables: tuple[str, ...]) -> Need:
    """A condition as a need: a value where it is nothing else, negated or not, or a flag."""
    written = sqlglot.parse_one(sql, dialect="spark")
    tree = written
    while isinstance(tree, exp.Not | exp.Paren):
        tree = tree.this
    if isinstance(written, exp.Column):
        return Need("flag", sql, tables)
    if isinstance(tree, exp.EQ | exp.NEQ):
        column, value = tree.this, tree.expression
        if isinstance(column, exp.Column) and isinstance(value, exp.Literal) and value.is_string:
            return Need("value", exp.EQ(this=column, expression=value).sql("spark"), tables)
    return Need("filter", sql, tables)


def _is_only_compared(column: exp.Column) -> bool:
    """Whether a column is there for the values that it is compared with: these are the need."""
    node: exp.Expr | None = column
    while node is not None and not isinstance(node, exp.Select):
        if isinstance(node, exp.AggFunc | exp.Window):
            return False
        if isinstance(node, exp.Predicate | exp.Not | exp.Connector | exp.Where):
            others = list(node.find_all(exp.Literal))
            is_number = (
                isinstance(node, exp.GT | exp.GTE | exp.LT | exp.LTE) and node.this is column
            )
            return not (is_number and others and not any(one.is_string for one in others))
        node = node.parent
    return False


def _filtered(measure: Need, filters: Sequence[Need]) -> Iterator[Need]:
    """A measure with the conditions that stand beside it, where it is one plain aggregate."""
    for condition in filters:
        if condition.tables != measure.tables:
            continue
        match = _ONE_AGGREGATE.fullmatch(measure.sql)
        if match is not None:
            function, distinct, argument = match.groups()
            text = f"{function}({distinct or ''}CASE WHEN {condition.sql} THEN {argument} END)"
            yield Need("measure", text, measure.tables)


_BOUNDS = (exp.GT, exp.GTE, exp.LT, exp.LTE)
_TIMING = (exp.Year, exp.Month, exp.Quarter, exp.Day, exp.DateTrunc, exp.TimestampTrunc)
# Connectors and conditions are filters, a cast says how something is stored.
_NO_EXPRESSION = (exp.AggFunc, exp.Connector, exp.Predicate, exp.Cast, exp.Exists, exp.If, *_TIMING)
_ONE_AGGREGATE = re.compile(r"(SUM|AVG|MIN|MAX|COUNT)\((DISTINCT )?([\w.`]+)\)")


def _sources(select: exp.Select) -> Iterator[exp.Expr]:
    start = select.args.get("from_")
    if start is not None:
        yield start.this
        yield from (join.this for join in start.this.args.get("joins") or [])
    yield from (join.this for join in select.args.get("joins") or [])


def _own(select: exp.Select, kind: type[exp.Column]) -> Iterator[exp.Column]:
    """Nodes of a SELECT that are not in a query within it."""
    for node in select.find_all(kind):
        if node.parent_select is select:
            yield node


def _conditions(select: exp.Select) -> Iterator[exp.Expr]:
    """The conjuncts of WHERE and of conditions inside aggregates."""
    where = select.args.get("where")
    found = [where.this] if where is not None else []
    for case in select.find_all(exp.If, exp.CountIf, exp.Filter):
        if case.parent_select is not select:
            continue
        inner = case.expression.this if isinstance(case, exp.Filter) else case.this
        if case.find_ancestor(exp.AggFunc, exp.Filter) or not isinstance(case, exp.If):
            found.append(inner)
    for tree in found:
        parts = tree.flatten() if isinstance(tree, exp.And) else [tree]
        for part in parts:
            yield part.unnest()


def _is_about_values(condition: exp.Expr) -> bool:
    """Whether a condition says something of its own: not a join, and not about an aggregate."""
    if condition.find(exp.AggFunc, exp.Query, exp.Placeholder) is not None:
        return False
    if isinstance(condition, exp.EQ) and all(
        isinstance(side, exp.Column) for side in (condition.this, condition.expression)
    ):
        return False
    return condition.find(exp.Column) is not None


def _is_timing(condition: exp.Expr) -> bool:
    """Whether a condition names a point in time: a year, or a date written out."""
    if any(
        one.find_ancestor(exp.Extract) is None and condition.find(exp.Literal)
        for one in condition.find_all(exp.Year)
    ):
        return True
    return any(
        literal.is_string and _DATE.fullmatch(literal.name)
        for literal in condition.find_all(exp.Literal)
    )


def _lambda_names(tree: exp.Expr) -> set[str]:
    return {name.name.lower() for one in tree.find_all(exp.Lambda) for name in one.expressions}


def _fields_behind(column: exp.Column, select: _Select) -> list[exp.Expr]:
    """The fields of a struct that a column is taken apart into: ``metadata.device``."""
    written = list(column.parts)
    is_qualified = len(written) > 1 and written[0].name.lower() in select.tables
    return list(written[(2 if is_qualified else 1) :])


def _identifier(name: str) -> exp.Identifier:
    return exp.to_identifier(name, quoted=not _PLAIN.fullmatch(name))
