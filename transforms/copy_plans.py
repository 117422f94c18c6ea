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
from transforms.shape_model import Predicate, QueryShape
from transforms.space_state import SpaceState

_WHOLE = frozenset({"tinyint", "smallint", "int", "integer", "bigint", "long"})
_FRACTIONS = frozenset({"float", "double"})


@dataclass(frozen=True, slots=True)
class CopyPlan:
    """Which tables to copy, by ``schema.table``, and where the queries look in them.

    ``boundaries`` are values at and beside the constants that a column is compared with, ``ranked``
    the columns that rows are ranked by; columns are ``schema.table.column``.
    """

    tables: tuple[str, ...]
    boundaries: dict[str, tuple[Any, ...]] = field(default_factory=dict)
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
    return CopyPlan(
        tuple(sorted(tables)), _boundaries(looked_at, state), frozenset(_ranked(looked_at))
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


def _boundaries(shapes: Iterable[QueryShape], state: SpaceState) -> dict[str, tuple[Any, ...]]:
    types = {
        f"{table.name}.{column.name}".lower(): column.data_type.lower()
        for table, column in state.columns()
    }
    found: dict[str, dict[Any, None]] = {}
    for shape in shapes:
        for predicate in _predicates(shape):
            column = predicate.left.column
            data_type = types.get((column or "").lower())
            if column is None or data_type is None:
                continue
            for literal in predicate.values:
                values = _beside(literal, data_type, is_pattern="LIKE" in predicate.operator)
                found.setdefault(column, {}).update(dict.fromkeys(values))
    return {column: tuple(values) for column, values in found.items() if values}


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


def _beside(literal: str, data_type: str, *, is_pattern: bool) -> tuple[Any, ...]:
    """What a SQL literal is in a column of that type, and its neighbours; nothing if it is none."""
    text = unquoted(literal) if is_text(literal) else literal
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
