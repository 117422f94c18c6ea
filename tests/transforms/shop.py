"""A made-up shop to judge answers over: its metadata, its rows, and SQL run on them in memory."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from functools import cache
from typing import Any

import sqlglot

from transforms.judgement import Comparison, Execution, Judgement, ProfiledValues, Question
from transforms.judges import judge
from transforms.space_state import (
    ColumnProfile,
    ColumnState,
    FunctionState,
    SpaceState,
    TableState,
)

SPACE = "space:shop-space"


def _columns(table: str, *declared: str) -> TableState:
    """Columns as ``name type [key] [->table.column] [| comment]``."""
    columns = []
    for text in declared:
        definition, _, comment = text.partition(" | ")
        name, data_type, *rest = definition.split()
        reference = next((r[2:] for r in rest if r.startswith("->")), None)
        columns.append(
            ColumnState(
                name,
                data_type,
                comment or None,
                is_primary_key="key" in rest,
                references=f"shop.{reference}" if reference else None,
                is_measure="measure" in rest,
            )
        )
    return TableState(f"shop.{table}", tuple(columns))


TABLES = (
    _columns("regions", "region_id bigint key", "Region string | name of the region"),
    _columns(
        "customers",
        "customer_id bigint key",
        "customer_name string | name of the customer",
        "nick_name string",
        "home_region_id bigint ->regions.region_id",
        "ship_region_id bigint ->regions.region_id",
        "signed_up_on date",
        "tier string",
        "is_active boolean",
    ),
    _columns(
        "products",
        "product_id bigint key",
        "title string",
        "category string",
        "price_cents bigint",
        "cost_cents bigint",
    ),
    _columns(
        "suppliers",
        "supplier_id bigint key",
        "title string",
        "product_id bigint ->products.product_id",
    ),
    _columns(
        "orders",
        "order_id bigint key",
        "customer_id bigint ->customers.customer_id",
        "ordered_on date",
        "shipped_on date",
        "status string",
        "total double",
    ),
    _columns(
        "order_items",
        "order_id bigint key ->orders.order_id",
        "product_id bigint key ->products.product_id",
        "quantity bigint",
    ),
    _columns(
        "customer_tags",
        "customer_id bigint key ->customers.customer_id",
        "tag string key",
        "is_public string",
    ),
)
METRIC_VIEW = TableState(
    "shop.sales",
    (
        ColumnState("region", "string"),
        ColumnState("revenue", "double", is_measure=True),
        ColumnState("order_count", "bigint", is_measure=True),
    ),
    kind="metric_view",
)
FUNCTION = FunctionState(
    "shop.orders_between",
    (ColumnState("from_day", "date"), ColumnState("to_day", "date")),
)
STATE = SpaceState("shop-space", "shop", (*TABLES, METRIC_VIEW), (FUNCTION,))

ROWS: dict[str, list[tuple[Any, ...]]] = {
    "regions": [(1, "North"), (2, "South"), (3, "No Region"), (4, "West")],
    "customers": [
        (1, "Ada", "Countess", 1, 2, "2021-03-01", "Gold", True),
        (2, "Bo", "Boss", 1, 1, "2022-05-20", "Silver", True),
        (3, "Cy", "Sigma", 2, 4, "2022-11-02", "Gold", False),
        (4, "Di", "Didi", 3, 2, "2023-01-15", "Basic", True),
        (5, "Ed", "Ada", 4, 4, "2023-07-07", "Basic", False),
        (6, "Ada", "Twin", 2, 1, "2024-02-29", "Silver", True),
    ],
    "products": [
        (1, "Lamp", "Home", 2500, 1000),
        (2, "Chair", "Home", 9900, 5000),
        (3, "Robot", "Toys", 4900, 2000),
        (4, "Kite", "Toys", 1500, 700),
        (5, "Bike", "Sports", 45000, 30000),
        (6, "Toys", "Sports", 800, 300),
    ],
    "suppliers": [(1, "Lamp", 3), (2, "Wood & Co", 2), (3, "Robot", 5), (4, "Kite", 1)],
    "orders": [
        (1, 1, "2022-01-10", "2022-01-12", "completed", 120.5),
        (2, 1, "2022-06-01", "2022-07-03", "completed", 80.25),
        (3, 2, "2022-12-31", "2023-01-02", "cancelled", 40.0),
        (4, 3, "2023-02-14", "2023-02-20", "completed", 310.0),
        (5, 3, "2023-03-03", None, "open", 15.0),
        (6, 4, "2023-09-09", "2023-09-10", "completed", 99.0),
        (7, 6, "2024-01-01", "2024-01-05", "completed", 60.0),
        (8, 6, "2024-02-02", None, "open", 60.0),
        (9, 6, "2024-03-05", "2024-03-06", "completed", 200.0),
        (10, 2, "2023-05-05", "2023-05-09", "completed", 310.0),
    ],
    "order_items": [
        (1, 1, 2), (1, 3, 1), (2, 2, 1), (3, 4, 3), (4, 5, 1), (4, 1, 1), (5, 6, 5),
        (6, 3, 2), (7, 3, 1), (8, 1, 4), (9, 2, 2), (9, 4, 1), (10, 5, 1),
    ],
    "customer_tags": [
        (1, "vip", "Y"), (1, "early", "Y"), (2, "vip", "N"), (3, "early", "Y"),
        (3, "loud", "N"), (4, "vip", "Y"), (6, "loud", "Y"), (6, "early", "N"), (6, "vip", "Y"),
    ],
}  # fmt: skip


@cache
def _database() -> sqlite3.Connection:
    connection = sqlite3.connect(":memory:")
    for name, start, end in (("YEAR", 0, 4), ("MONTH", 5, 7)):
        part = slice(start, end)
        connection.create_function(name, 1, lambda text, part=part: text and int(text[part]))
    for table in TABLES:
        name = table.name.rpartition(".")[2]
        columns = ", ".join(f'"{column.name}"' for column in table.columns)
        connection.execute(f"CREATE TABLE {name} ({columns})")
        marks = ", ".join("?" for _ in table.columns)
        connection.executemany(f"INSERT INTO {name} VALUES ({marks})", ROWS[name])
    return connection


def _data_type(values: Sequence[Any]) -> str:
    kinds = {type(value) for value in values if value is not None}
    return "double" if float in kinds else "bigint" if kinds == {int} else "string"


@cache
def run(sql: str) -> Execution:
    """What came of running Spark SQL on the shop's rows."""
    try:
        statement, *_ = sqlglot.transpile(sql, read="spark", write="sqlite")
        cursor = _database().execute(statement)
    except (sqlite3.Error, sqlglot.errors.SqlglotError) as error:
        return Execution("sql_error", error=str(error))
    rows = tuple(cursor.fetchall())
    if cursor.description is None:
        return Execution("sql_error", error="not a query")
    names = tuple(column[0] for column in cursor.description)
    types = tuple(_data_type([row[i] for row in rows]) for i in range(len(names)))
    return Execution("ok", names, types, rows)


@cache
def values() -> ProfiledValues:
    """Complete profiles of every column."""
    profiles = {}
    for table in TABLES:
        rows = ROWS[table.name.rpartition(".")[2]]
        for i, column in enumerate(table.columns):
            present = sorted({str(row[i]) for row in rows if row[i] is not None})
            name = f"{table.name}.{column.name}"
            profiles[name.lower()] = ColumnProfile(
                name, len(rows), len(present), 0, values=tuple(present), is_complete=True
            )
    return ProfiledValues(profiles)


def rows(*given: tuple[Any, ...]) -> Execution:
    """A result of the given rows."""
    width = len(given[0]) if given else 1
    types = tuple(_data_type([row[i] for row in given]) for i in range(width))
    return Execution("ok", tuple(f"c{i}" for i in range(width)), types, given)


class ShopEngine:
    """Runs further queries on the shop's rows; says what it is told of results that are large."""

    def __init__(self, of_large: Comparison | None = None) -> None:
        self.of_large = of_large
        self.asked: list[tuple[str, bool]] = []

    def execute(self, sql: str) -> Execution:
        return run(sql)

    def compare(
        self, expected_sql: str, produced_sql: str, *, policy: str, is_ordered: bool
    ) -> Comparison:
        self.asked.append((policy, is_ordered))
        assert self.of_large is not None
        return self.of_large


def judged(
    question: str,
    expected_sql: str,
    produced_sql: str | None,
    *,
    expected: Execution | None = None,
    produced: Execution | None = None,
    expected_asset: str | None = None,
    answer_outcome: str = "answered",
    engine: ShopEngine | None = None,
    policy: str = "bag_any_column",
) -> Judgement:
    """The judgement of one answer; results that are not given are those of the shop's rows."""
    asked = Question(
        "q1",
        question,
        expected_sql,
        produced_sql,
        answer_outcome=answer_outcome,
        expected_asset=expected_asset,
    )
    return judge(
        asked,
        expected or run(expected_sql),
        produced or (run(produced_sql) if produced_sql else Execution("sql_error", error="none")),
        state=STATE,
        values=values(),
        policy=policy,
        engine=engine,
    )
