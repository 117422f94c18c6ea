"""What perturbed copies of tables are made for: which tables and values two queries look at.

Two queries that agree on the rows of today may do so by luck. Copies that keep to what is declared
and known of the tables, and differ where the queries look, tell them apart (``transforms.copies``).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal, InvalidOperation
from typing import Any

from sqlglot import exp

from transforms.findings import is_text, unquoted
from transforms.shape_model import Predicate, QueryShape, Term
from transforms.space_state import SpaceState

_WHOLE = frozenset({"tinyint", "smallint", "int", "integer", "bigint", "long"})
_FRACTIONS = frozenset({"float", "double"})
_OF_VALUES = frozenset({"SUM", "AVG", "MIN", "MAX"})


@dataclass(frozen=True, slots=True)
class CopyPlan:
    """Which tables to copy, by ``schema.table``, and where the queries look in them.

    ``constants`` are the values that a column is compared with, ``boundaries`` the same and their
    neighbours; ``ranked`` are the columns that rows are ranked by or whose sums, averages and
    extremes are taken. Columns are ``schema.table.column``.
    """

    tables: tuple[str, ...]
    boundaries: dict[str, tuple[Any, ...]] = field(default_factory=dict)
    constants: dict[str, tuple[Any, ...]] = field(default_factory=dict)
    ranked: frozenset[str] = frozenset()


def plan_copies(
    queries: Iterable[exp.Query], shapes: Iterable[QueryShape], state: SpaceState
) -> CopyPlan | str:
    """The plan for queries and their shapes; why there can be none, where they read anything but
    tables of the space."""
    tables: dict[str, None] = {}
    for query in queries:
        own = {cte.alias.lower() for cte in query.find_all(exp.CTE)}
        for source in query.find_all(exp.Table):
            if isinstance(source.this, exp.Func):
                return "it reads a table function, which reads the real tables"
            if not source.db and source.name.lower() in own:
                continue
            known = state.table(".".join(part.name for part in source.parts[-2:]))
            if known is None or known.kind == "metric_view":
                return f"it reads {source.name}, which is not a table of the space"
            tables[known.name] = None
    if not tables:
        return "it reads no table"
    looked_at = tuple(shapes)
    boundaries = _boundaries(looked_at, state)
    return CopyPlan(
        tables=tuple(sorted(tables)),
        boundaries={column: tuple(both) for column, both in boundaries.items()},
        constants={
            column: tuple(value for value, is_constant in both.items() if is_constant)
            for column, both in boundaries.items()
        },
        ranked=frozenset(_ranked(looked_at)),
    )


def on_copies(query: exp.Query, sql: str) -> str:
    """The query over copies that are views of the tables' own names: without schema and catalog.

    ``sql`` is its text, which stays as it is where there is nothing to leave out.
    """
    own = query.copy()
    qualified = [
        node
        for node in own.find_all(exp.Table, exp.Column)
        if node.args.get("db") or node.args.get("catalog")
    ]
    for node in qualified:
        node.set("db", None)
        node.set("catalog", None)
    return own.sql(dialect="spark") if qualified else sql


def _boundaries(shapes: Iterable[QueryShape], state: SpaceState) -> dict[str, dict[Any, bool]]:
    """By column, values that conditions look at, and whether they are constants themselves."""
    types = {
        f"{table.name}.{column.name}".lower(): column.data_type.lower()
        for table, column in state.columns()
    }
    compared = [
        (column, predicate)
        for shape in shapes
        for predicate in _predicates(shape)
        if (column := _compared_column(predicate)) is not None and column.lower() in types
    ]
    spellings = {
        (column, text.casefold()): text
        for column, predicate in compared
        for text in map(_text, predicate.values)
        if not predicate.is_folded
    }
    found: dict[str, dict[Any, bool]] = {}
    for column, predicate in compared:
        is_pattern = "LIKE" in predicate.operator
        for literal in predicate.values:
            text = _text(literal)
            if predicate.is_folded:  # it says nothing of how the value is written in the column
                text = spellings.get((column, text.casefold()), text)
            for number, value in enumerate(_beside(text, types[column.lower()], is_pattern)):
                of_column = found.setdefault(column, {})
                of_column[value] = of_column.get(value, False) or number == 0
    return found


def _compared_column(predicate: Predicate) -> str | None:
    """The column that is compared, itself or in an aggregate of groups."""
    if predicate.left.column is not None:
        return predicate.left.column
    columns = list(_aggregated(predicate.left))
    return columns[0] if len(columns) == 1 else None


def _aggregated(term: Term) -> Iterator[str]:
    """The columns of which a term takes sums, averages and extremes."""
    for aggregate in term.aggregates:
        if aggregate.function in _OF_VALUES and aggregate.argument is not None:
            yield from aggregate.argument.columns


def _predicates(shape: QueryShape) -> Iterator[Predicate]:
    todo = [*shape.predicates]
    for ranking in shape.superlatives:
        todo += ranking.population or ()
    while todo:
        predicate = todo.pop()
        yield predicate
        todo += predicate.parts


def _ranked(shapes: Iterable[QueryShape]) -> Iterator[str]:
    for shape in shapes:
        for ranking in shape.superlatives:
            yield from ranking.term.columns
        for key in shape.order_by:
            yield from key.term.columns
        terms = [*shape.outputs, *(key.term for key in shape.order_by)]
        for predicate in _predicates(shape):
            terms += [predicate.left, *([predicate.right] if predicate.right else [])]
            if predicate.right is not None and predicate.right.aggregates:
                yield from predicate.left.columns
        for term in terms:
            yield from _aggregated(term)


def _text(literal: str) -> str:
    """A SQL literal without its quotes."""
    return unquoted(literal) if is_text(literal) else literal


def _beside(text: str, data_type: str, is_pattern: bool) -> tuple[Any, ...]:
    """What a constant is in a column of that type, then its neighbours; nothing if it is none."""
    if is_pattern:
        core = text.replace("%", "").replace("_", "x")
        return (core, f"{core} x", f"x {core}") if core else ()
    try:
        if data_type == "string":
            return (text,)
        if data_type == "boolean":
            return (text.upper() == "TRUE",)
        if data_type == "date":
            return _around(date.fromisoformat(text[:10]), timedelta(days=1))
        if data_type.startswith("timestamp"):
            moment = datetime.fromisoformat(text)
            zone = None if data_type == "timestamp_ntz" else UTC
            return _around(moment.replace(tzinfo=zone), timedelta(days=1))
        return _numbers_beside(Decimal(text), data_type)
    except (InvalidOperation, ValueError, OverflowError):
        return ()


def _numbers_beside(number: Decimal, data_type: str) -> tuple[Any, ...]:
    if data_type in _WHOLE:
        return _around(int(number), 1)
    if data_type in _FRACTIONS:
        return _around(float(number), 1.0)
    if not data_type.startswith("decimal"):
        return ()
    scale = int(data_type.rstrip(")").rpartition(",")[2]) if "," in data_type else 0
    return _around(number.quantize(Decimal(1).scaleb(-scale)), Decimal(1))


def _around(value: Any, step: Any) -> tuple[Any, ...]:
    return value, value - step, value + step
