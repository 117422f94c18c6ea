from __future__ import annotations

from dataclasses import replace

import pytest
import sqlglot

from tests.transforms.measured_shop import MEASURED, VIEW, measured
from tests.transforms.shop import STATE, rows
from transforms.metric_views import expanded, metric_view
from transforms.name_scope import Catalog
from transforms.query_shape import query_shape
from transforms.space_state import SpaceState
from transforms.sql_text import parse_query


def plain(sql: str, state: SpaceState = MEASURED) -> str | None:
    tree = expanded(parse_query(sql), Catalog(state))
    return tree.sql("spark") if tree is not None else None


@pytest.mark.parametrize(
    ("over_the_view", "by_hand"),
    [
        (
            "SELECT MEASURE(net_revenue) FROM kpis",
            "SELECT SUM(total) / 1.2 FROM orders WHERE status <> 'cancelled'",
        ),
        (
            (
                "SELECT k.tier, MEASURE(k.order_count) AS n FROM shop.kpis AS k "
                "WHERE k.order_year = 2023 GROUP BY k.tier ORDER BY n DESC LIMIT 3"
            ),
            (
                "SELECT c.tier, COUNT(*) AS n FROM orders AS o LEFT JOIN customers AS c "
                "ON o.customer_id = c.customer_id WHERE YEAR(o.ordered_on) = 2023 "
                "AND o.status <> 'cancelled' GROUP BY c.tier ORDER BY n DESC LIMIT 3"
            ),
        ),
        (
            (
                "WITH by_year AS (SELECT order_year, MEASURE(average_basket) AS basket FROM kpis "
                "GROUP BY ALL) SELECT MAX(basket) FROM by_year"
            ),
            (
                "WITH y AS (SELECT YEAR(ordered_on) AS d, SUM(total) / 1.2 / COUNT(*) AS b "
                "FROM orders "
                "WHERE status <> 'cancelled' GROUP BY YEAR(ordered_on)) SELECT MAX(b) FROM y"
            ),
        ),
        (
            "SELECT tier FROM customers WHERE (SELECT MEASURE(order_count) FROM kpis) > 3",
            (
                "SELECT tier FROM customers WHERE "
                "(SELECT COUNT(*) FROM orders WHERE status <> 'cancelled') > 3"
            ),
        ),
    ],
)
def test_a_query_over_a_metric_view_is_the_query_it_is_defined_as(
    over_the_view: str, by_hand: str
) -> None:
    tree = expanded(parse_query(over_the_view), Catalog(MEASURED))
    assert tree is not None
    found, wanted = query_shape(tree, MEASURED), query_shape(parse_query(by_hand), MEASURED)
    assert found.unresolved == ()
    assert found.tables == wanted.tables
    assert [term.text for term in found.outputs] == [term.text for term in wanted.outputs]
    assert [p.text for p in found.predicates] == [p.text for p in wanted.predicates]
    assert [term.text for term in found.group_by] == [term.text for term in wanted.group_by]


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT tier FROM customers",
        "SELECT * FROM kpis",
        "SELECT k.* FROM kpis AS k",
        "SELECT MEASURE(unknown) FROM kpis",
        "SELECT MEASURE(order_count) FROM kpis JOIN customers USING (tier)",
        "SELECT MEASURE(revenue) FROM sales",
    ],
)
def test_what_has_no_other_form_stays_as_it_is(sql: str) -> None:
    tree = parse_query(sql)
    assert expanded(tree, Catalog(MEASURED)) is None
    assert tree == parse_query(sql)


@pytest.mark.parametrize(
    "definition",
    [None, "", "just words", "source: [", "source: shop.orders\nmeasures: [{name: n}]"],
)
def test_a_definition_that_cannot_be_read_is_none(definition: str | None) -> None:
    assert metric_view(replace(VIEW, definition=definition)) is None
    assert metric_view(STATE.tables[0]) is None


def test_a_view_that_renames_the_members_is_read_by_their_place() -> None:
    renamed = tuple(replace(column, name=f"my {column.name}") for column in VIEW.columns)
    state = replace(STATE, tables=(*STATE.tables, replace(VIEW, columns=renamed)))
    found = plain("SELECT MEASURE(`my order_count`) FROM kpis", state)
    assert found is not None
    assert "COUNT(*)" in found


@pytest.mark.parametrize("measure", ["MEASURE(order_count)", "SUM("])
def test_a_measure_without_an_end_or_without_sense_is_left_alone(measure: str) -> None:
    definition = f"source: shop.orders\nmeasures:\n  - name: order_count\n    expr: {measure}\n"
    view = replace(VIEW, columns=(VIEW.columns[3],), definition=definition)
    state = replace(STATE, tables=(*STATE.tables, view))
    assert plain("SELECT MEASURE(order_count) FROM kpis", state) is None


def test_a_source_that_is_a_query_and_a_join_by_names_are_read() -> None:
    definition = (
        "source: SELECT * FROM shop.orders WHERE total > 0\n"
        "joins: [{name: buyer, source: shop.customers, using: [customer_id]}]\n"
        "dimensions: [{name: tier, expr: buyer.tier}]\n"
        "measures: [{name: order_count, expr: COUNT(*)}]\n"
    )
    view = replace(VIEW, columns=(VIEW.columns[0], VIEW.columns[3]), definition=definition)
    state = replace(STATE, tables=(*STATE.tables, view))
    tree = expanded(
        parse_query("SELECT tier, MEASURE(order_count) FROM kpis GROUP BY 1"), Catalog(state)
    )
    assert tree is not None
    shape = query_shape(tree, state)
    assert shape.tables == ("shop.customers", "shop.orders")
    assert [term.text for term in shape.group_by] == ["shop.customers.tier"]
    assert sqlglot.parse_one(tree.sql("spark"), dialect="spark") == tree


def test_a_measure_and_the_same_by_hand_mean_the_same_where_results_agree() -> None:
    same = rows((120.0,))
    judgement = measured(
        "What is the net revenue?",
        "SELECT SUM(total) / 1.2 FROM orders WHERE status <> 'cancelled'",
        "SELECT MEASURE(net_revenue) FROM kpis",
        expected=same,
        produced=same,
    )
    by_judge = {verdict.judge: verdict for verdict in judgement.verdicts}
    assert by_judge["semantic_equivalence"].value == "yes"
    other = measured(
        "What is the net revenue?",
        "SELECT SUM(total) / 1.2 FROM orders",
        "SELECT MEASURE(net_revenue) FROM kpis",
        expected=same,
        produced=same,
    )
    left_open = next(v for v in other.verdicts if v.judge == "semantic_equivalence")
    assert left_open.value == "skipped"
    assert "filter_not_asked" in left_open.rationale
