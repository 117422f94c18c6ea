"""The shop of ``shop.py`` with a semantic layer: a metric view that is defined, and snippets."""

from __future__ import annotations

from dataclasses import replace

from tests.transforms.shop import STATE, rows, values
from transforms.judgement import Execution, Judgement, Question
from transforms.judges import judge
from transforms.space_state import ColumnState, Snippet, TableState

DEFINITION = """
version: 1.1
source: shop.orders
filter: status <> 'cancelled'
joins:
  - name: buyer
    source: shop.customers
    on: source.customer_id = buyer.customer_id
dimensions:
  - name: tier
    expr: buyer.tier
  - name: order_year
    expr: YEAR(ordered_on)
measures:
  - name: net_revenue
    expr: SUM(total) / 1.2
    synonyms: [net sales]
  - name: order_count
    expr: COUNT(*)
  - name: average_basket
    expr: MEASURE(net_revenue) / MEASURE(order_count)
"""
VIEW = TableState(
    "shop.kpis",
    (
        ColumnState("tier", "string"),
        ColumnState("order_year", "int"),
        ColumnState("net_revenue", "double", is_measure=True),
        ColumnState("order_count", "bigint", is_measure=True),
        ColumnState("average_basket", "double", is_measure=True),
    ),
    comment="net revenue without cancelled orders",
    kind="metric_view",
    definition=DEFINITION,
)
SNIPPETS = (
    Snippet("filter", "customers.is_active = TRUE", "active customers", ("current customers",)),
    Snippet("measure", "SUM(products.price_cents - products.cost_cents)", "margin"),
    Snippet("expression", "UPPER(customers.tier)", "tier name"),
    Snippet("filter", "this is (not SQL", "broken filter"),
    Snippet("measure", "SUM(nowhere)", "lost measure"),
)
MEASURED = replace(STATE, tables=(*STATE.tables, VIEW), snippets=SNIPPETS)


def measured(
    question: str,
    expected_sql: str,
    produced_sql: str,
    *,
    expected: Execution | None = None,
    produced: Execution | None = None,
) -> Judgement:
    """The judgement of an answer over the measured shop; without results, they differ."""
    return judge(
        Question("q1", question, expected_sql, produced_sql),
        expected or rows((1.0,)),
        produced or rows((2.0,)),
        state=MEASURED,
        values=values(),
    )
