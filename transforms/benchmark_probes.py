"""What a benchmark's expected SQL says of itself: whether its result is one, today and tomorrow."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlglot import exp

from transforms.errors import GenieLoopError
from transforms.name_scope import Catalog
from transforms.query_shape import query_shape
from transforms.read_only import parse_query
from transforms.result_values import hash_text
from transforms.space_state import SpaceState
from transforms.sql_lexing import Token, lex

# Words that stand alone, and those that are names of functions.
_NOW = frozenset("current_date current_time current_timestamp localtimestamp".split())
_NOW_CALLED = frozenset("curdate getdate now sysdate".split())
_CHANCE = frozenset(["tablesample"])
_CHANCE_CALLED = frozenset(
    "monotonically_increasing_id rand randn random randstr shuffle spark_partition_id uniform "
    "uuid".split()
)


def asks_for_now(sql: str) -> bool:
    """Whether the result depends on the day or the time at which the query runs."""
    tree = _tree(sql)
    if tree is None:
        return False
    return _says(sql, _NOW, _NOW_CALLED) or tree.find(exp.CurrentTimestamp) is not None


def draws_by_chance(sql: str) -> bool:
    """Whether the query says itself that it gives other rows each time."""
    return _tree(sql) is not None and _says(sql, _CHANCE, _CHANCE_CALLED)


def _says(sql: str, words: frozenset[str], functions: frozenset[str]) -> bool:
    tokens = lex(sql).tokens
    is_called = (token.is_word(*functions) for token in tokens)
    opens = [*(token == Token("symbol", "(") for token in tokens[1:]), False]
    return any(token.is_word(*words) for token in tokens) or any(
        called and opened for called, opened in zip(is_called, opens, strict=True)
    )


def assets_read(sql: str, state: SpaceState) -> frozenset[str]:
    """The tables, metric views and functions of the space that a query reads, by their names."""
    tree = _tree(sql)
    if tree is None:
        return frozenset()
    try:
        shape = query_shape(tree, state)
    except RecursionError:
        return frozenset()
    catalog = Catalog(state)
    tables = (catalog.table(*name.split(".")) for name in shape.tables)
    functions = {function.name for function in state.functions}
    called = {call.function for call in shape.functions}
    return frozenset({table.name for table in tables if table is not None} | (called & functions))


@dataclass(frozen=True, slots=True)
class TieProbe:
    """A query that shows one row more than a LIMIT lets through, with what it is ordered by.

    ``keys`` are the positions of the order's keys in its rows; the first ``shown_count`` columns
    are those of the result (-1: all but the keys).
    """

    sql: str
    limit: int
    keys: tuple[int, ...]
    shown_count: int

    def is_cut(self, rows: Sequence[Sequence[Any]]) -> bool:
        """Whether the LIMIT chooses among rows that tie and differ: which come is chance."""
        if len(rows) <= self.limit:
            return False
        last = self._key(rows[self.limit])
        tied = {self._shown(row) for row in rows if self._key(row) == last}
        return self._key(rows[self.limit - 1]) == last and len(tied) > 1

    def _key(self, row: Sequence[Any]) -> str:
        return hash_text(tuple(row[position] for position in self.keys))

    def _shown(self, row: Sequence[Any]) -> str:
        end = len(row) - len(self.keys) if self.shown_count < 0 else self.shown_count
        return hash_text(tuple(row[:end]))


def tie_probe(sql: str) -> TieProbe | None:
    """What shows whether the outermost LIMIT cuts among ties; None where nothing can."""
    tree = _tree(sql)
    if tree is None:
        return None
    tree = tree.copy()
    query = tree
    while isinstance(query, exp.Subquery):
        query = query.this
    limit = query.args.get("limit")
    count = limit.expression if isinstance(limit, exp.Limit) else None
    if not isinstance(count, exp.Literal) or count.is_string or int(count.this) < 1:
        return None
    order = query.args.get("order")
    terms = [ordered.this for ordered in order.expressions] if order is not None else []
    found = _appended(query, terms) if isinstance(query, exp.Select) else _positions(query, terms)
    if found is None:
        return None
    count.replace(exp.Literal.number(int(count.this) + 1))
    return TieProbe(tree.sql(dialect="spark"), int(count.this), *found)


def _appended(select: exp.Select, terms: Sequence[exp.Expr]) -> tuple[tuple[int, ...], int] | None:
    """Show what a SELECT is ordered by as further columns; where they are, and the others end."""
    if select.args.get("distinct"):
        return _positions(select, terms)
    named = {one.alias: one.this for one in select.expressions if isinstance(one, exp.Alias)}
    outputs = [one.unalias() for one in select.expressions]
    has_star = any(one.is_star for one in select.expressions)
    for number, term in enumerate(terms):
        if isinstance(term, exp.Literal):
            position = _position(term, len(outputs))
            if position is None or has_star:
                return None
            shown = outputs[position]
        else:
            is_name = isinstance(term, exp.Column) and not term.table and term.name in named
            shown = named[term.name] if is_name else term
        select.append("expressions", exp.alias_(shown.copy(), f"_tie_{number}"))
    keys = tuple(range(-len(terms), 0))
    return keys, -1


def _positions(query: exp.Query, terms: Sequence[exp.Expr]) -> tuple[tuple[int, ...], int] | None:
    """Where a result already shows what it is ordered by; None where it does not."""
    if any(one.is_star for one in query.selects):
        return None
    names = [one.alias_or_name for one in query.selects]
    outputs = [one.unalias() for one in query.selects]
    keys = []
    for term in terms:
        position = _position(term, len(names)) if isinstance(term, exp.Literal) else None
        if position is None and isinstance(term, exp.Column) and term.name in names:
            position = names.index(term.name)
        if position is None and term in outputs:
            position = outputs.index(term)
        if position is None:
            return None
        keys.append(position)
    return tuple(keys), len(names)


def _position(term: exp.Literal, count: int) -> int | None:
    """The column that a number in ORDER BY stands for, counted from 0."""
    if term.is_string or not str(term.this).isdigit() or not 1 <= int(term.this) <= count:
        return None
    return int(term.this) - 1


def _tree(sql: str) -> exp.Query | None:
    try:
        return parse_query(sql)
    except (GenieLoopError, RecursionError):
        return None
