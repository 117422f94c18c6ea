"""Needs are the parts of a query that metadata could name, whichever way the query is written."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.transforms.shop import STATE
from transforms.name_scope import Catalog
from transforms.needs import MAX_NEEDS, Need, needs_of

CATALOG = Catalog(STATE)
ORDERS, CUSTOMERS = ("shop.orders",), ("shop.customers",)


def needs(sql: str) -> frozenset[Need]:
    return needs_of(sql, CATALOG)


def of_kind(sql: str, kind: str) -> set[str]:
    return {need.sql for need in needs(sql) if need.kind == kind}


@pytest.mark.parametrize(
    ("sql", "kind", "expected"),
    [
        (
            "SELECT COUNT(*) FROM orders o WHERE o.status = 'open'",
            "value",
            {"shop.orders.status = 'open'"},
        ),
        (
            "SELECT COUNT(*) FROM shop.orders WHERE NOT status = 'open'",
            "value",
            {"shop.orders.status = 'open'"},
        ),
        (
            "SELECT COUNT(*) FROM customers AS c WHERE c.is_active",
            "flag",
            {"shop.customers.is_active"},
        ),
        (
            "SELECT COUNT(*) FROM orders WHERE status IN ('open', 'cancelled')",
            "filter",
            {"shop.orders.status IN ('cancelled', 'open')"},
        ),
        (
            "SELECT COUNT(*) FROM customers WHERE is_active AND tier = 'Gold'",
            "filter",
            {"shop.customers.is_active AND shop.customers.tier = 'Gold'"},
        ),
        ("SELECT COUNT(*) FROM orders WHERE YEAR(ordered_on) = 2023", "filter", set()),
        ("SELECT COUNT(*) FROM orders WHERE ordered_on >= '2023-01-01'", "filter", set()),
        (
            "SELECT COUNT(*) FROM orders WHERE MONTH(ordered_on) IN (7, 6)",
            "filter",
            {"MONTH(shop.orders.ordered_on) IN (6, 7)"},
        ),
        ("SELECT COUNT(*) FROM orders", "measure", set()),
        (
            "SELECT ROUND(SUM(total), 2) AS taken FROM orders WHERE status = 'completed'",
            "measure",
            {
                "SUM(shop.orders.total)",
                "SUM(CASE WHEN shop.orders.status = 'completed' THEN shop.orders.total END)",
            },
        ),
        (
            "SELECT AVG(DATEDIFF(shipped_on, ordered_on)) FROM orders",
            "expression",
            {"DATEDIFF(shop.orders.shipped_on, shop.orders.ordered_on)"},
        ),
        (
            "SELECT region, MEASURE(revenue) FROM sales GROUP BY region",
            "metric",
            {"shop.sales.revenue"},
        ),
        (
            "SELECT * FROM orders_between(DATE '2023-01-01', DATE '2023-02-01')",
            "function",
            {"shop.orders_between"},
        ),
        (
            "SELECT c.tier FROM orders o JOIN customers c ON c.customer_id = o.customer_id",
            "table",
            {"shop.orders", "shop.customers"},
        ),
        (
            "SELECT c.tier FROM orders o JOIN customers c ON c.customer_id = o.customer_id",
            "column",
            {"shop.customers.tier"},
        ),
        ("SELECT COUNT(*) FROM orders WHERE total > 100", "column", {"shop.orders.total"}),
        ("SELECT COUNT(*) FROM orders WHERE status = 'open'", "column", set()),
        (
            "SELECT COUNT(*) FROM orders WHERE total = (SELECT MAX(total) FROM orders)",
            "measure",
            set(),
        ),
    ],
)
def test_a_query_needs(sql: str, kind: str, expected: set[str]) -> None:
    assert of_kind(sql, kind) == expected


def test_aliases_and_the_order_of_conditions_do_not_matter() -> None:
    one = "SELECT SUM(o.total) FROM orders o WHERE o.status = 'open' AND o.total > 1"
    other = "SELECT SUM(x.total) FROM shop.orders AS x WHERE x.total > 1 AND x.status = 'open'"
    assert needs(one) == needs(other)


def test_a_condition_over_two_tables_is_no_fragment_of_one() -> None:
    sql = "SELECT 1 FROM orders o JOIN customers c ON TRUE WHERE o.status = c.tier"
    assert not of_kind(sql, "filter")


@pytest.mark.parametrize("sql", ["", "not sql at all", "SELECT FROM WHERE", "DROP TABLE orders"])
def test_text_that_is_no_query_needs_nothing(sql: str) -> None:
    assert needs(sql) == frozenset()


def test_columns_of_one_name_in_several_tables_are_called_the_same() -> None:
    orders = Need("value", "shop.orders.status = 'open'", ORDERS).everywhere
    assert orders == Need("value", "shop.customers.status = 'open'", CUSTOMERS).everywhere
    assert Need("table", "shop.orders", ORDERS).everywhere is None


@given(st.lists(st.sampled_from(["status = 'open'", "total > 1", "total < 9"]), max_size=3))
def test_no_query_needs_without_end(conditions: list[str]) -> None:
    where = " AND ".join(["TRUE", *conditions])
    assert len(needs(f"SELECT SUM(total) FROM orders WHERE {where}")) <= MAX_NEEDS
