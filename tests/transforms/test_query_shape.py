from __future__ import annotations

import pytest

from tests.transforms.shop import STATE, judged, rows
from transforms.query_shape import query_shape
from transforms.shape_model import QueryShape
from transforms.sql_text import parse_query

# Two ways to write one query: no difference may be seen between them.
EQUIVALENT = {
    "aliases and case": (
        "SELECT c.customer_name FROM customers AS c WHERE c.tier = 'Gold'",
        "select CUSTOMER_NAME from Shop.Customers where TIER = 'Gold'",
    ),
    "a join and IN": (
        "SELECT p.title FROM products AS p JOIN suppliers AS s ON p.product_id = s.product_id",
        "SELECT title FROM products WHERE product_id IN (SELECT product_id FROM suppliers)",
    ),
    "a join and a correlated EXISTS": (
        "SELECT p.title FROM products AS p JOIN suppliers AS s ON p.product_id = s.product_id",
        (
            "SELECT title FROM products AS p WHERE EXISTS "
            "(SELECT 1 FROM suppliers AS s WHERE s.product_id = p.product_id)"
        ),
    ),
    "a join and a scalar subquery": (
        (
            "SELECT c.nick_name FROM customers AS c JOIN regions AS r "
            "ON c.home_region_id = r.region_id WHERE r.Region = 'West'"
        ),
        (
            "SELECT nick_name FROM customers WHERE home_region_id = "
            "(SELECT region_id FROM regions WHERE Region = 'West')"
        ),
    ),
    "ON, USING and a comma": (
        (
            "SELECT o.total FROM orders AS o JOIN customers AS c ON o.customer_id = c.customer_id "
            "WHERE c.tier = 'Gold'"
        ),
        "SELECT total FROM orders JOIN customers USING (customer_id) WHERE tier = 'Gold'",
    ),
    "a comma with WHERE": (
        "SELECT o.total FROM orders AS o JOIN customers AS c ON o.customer_id = c.customer_id",
        "SELECT o.total FROM customers AS c, orders AS o WHERE c.customer_id = o.customer_id",
    ),
    "a common table expression": (
        "SELECT nick_name FROM customers WHERE tier = 'Gold'",
        "WITH gold AS (SELECT * FROM customers WHERE tier = 'Gold') SELECT nick_name FROM gold",
    ),
    "a derived table with renamed columns": (
        "SELECT nick_name FROM customers WHERE tier = 'Gold'",
        "SELECT g.a FROM (SELECT nick_name, tier FROM customers) AS g (a, b) WHERE g.b = 'Gold'",
    ),
    "NOT IN and NOT EXISTS": (
        (
            "SELECT title FROM products WHERE product_id NOT IN (SELECT product_id FROM suppliers "
            "WHERE title = 'Lamp')"
        ),
        (
            "SELECT title FROM products AS p WHERE NOT EXISTS (SELECT * FROM suppliers AS s "
            "WHERE s.product_id = p.product_id AND s.title = 'Lamp')"
        ),
    ),
    "NOT IN and LEFT JOIN .. IS NULL": (
        (
            "SELECT title FROM products WHERE product_id NOT IN (SELECT product_id FROM suppliers "
            "WHERE title = 'Lamp')"
        ),
        (
            "SELECT p.title FROM products AS p LEFT JOIN suppliers AS s ON s.product_id = "
            "p.product_id AND s.title = 'Lamp' WHERE s.supplier_id IS NULL"
        ),
    ),
    "NOT IN and ANTI JOIN": (
        "SELECT title FROM products WHERE product_id NOT IN (SELECT product_id FROM suppliers)",
        (
            "SELECT p.title FROM products AS p LEFT ANTI JOIN suppliers AS s "
            "ON p.product_id = s.product_id"
        ),
    ),
    "EXCEPT and NOT IN": (
        (
            "SELECT customer_id FROM customers EXCEPT "
            "SELECT customer_id FROM customer_tags WHERE tag = 'vip'"
        ),
        (
            "SELECT DISTINCT customer_id FROM customers WHERE customer_id NOT IN "
            "(SELECT customer_id FROM customer_tags WHERE tag = 'vip')"
        ),
    ),
    "UNION and OR": (
        (
            "SELECT title FROM products WHERE category = 'Toys' UNION "
            "SELECT title FROM products WHERE category = 'Home'"
        ),
        "SELECT DISTINCT title FROM products WHERE category = 'Toys' OR category = 'Home'",
    ),
    "OR and IN": (
        "SELECT title FROM products WHERE category = 'Toys' OR category = 'Home'",
        "SELECT title FROM products WHERE category IN ('Home', 'Toys')",
    ),
    "INTERSECT and two joins": (
        (
            "SELECT c.nick_name FROM customers AS c JOIN customer_tags AS t ON c.customer_id = "
            "t.customer_id WHERE t.tag = 'vip' INTERSECT SELECT c.nick_name FROM customers AS c "
            "JOIN customer_tags AS t ON c.customer_id = t.customer_id WHERE t.tag = 'loud'"
        ),
        (
            "SELECT DISTINCT c.nick_name FROM customers AS c JOIN customer_tags AS a "
            "ON c.customer_id = a.customer_id JOIN customer_tags AS b "
            "ON c.customer_id = b.customer_id WHERE a.tag = 'vip' AND b.tag = 'loud'"
        ),
    ),
    "BETWEEN and two comparisons": (
        "SELECT order_id FROM orders WHERE total BETWEEN 10 AND 20",
        "SELECT order_id FROM orders WHERE total <= 20 AND NOT total < 10",
    ),
    "whole numbers": (
        "SELECT product_id FROM products WHERE price_cents > 100",
        "SELECT product_id FROM products WHERE price_cents >= 101",
    ),
    "a year and its days": (
        "SELECT order_id FROM orders WHERE YEAR(ordered_on) = 2023",
        "SELECT order_id FROM orders WHERE ordered_on BETWEEN '2023-01-01' AND '2023-12-31'",
    ),
    "a year, formatted": (
        "SELECT order_id FROM orders WHERE YEAR(ordered_on) = 2023",
        "SELECT order_id FROM orders WHERE DATE_FORMAT(ordered_on, 'yyyy') = '2023'",
    ),
    "a month, four ways": (
        "SELECT order_id FROM orders WHERE YEAR(ordered_on) = 2023 AND MONTH(ordered_on) = 12",
        (
            "SELECT order_id FROM orders WHERE ordered_on >= '2023-12-01' "
            "AND ordered_on < '2024-01-01'"
        ),
    ),
    "a month, truncated or as text": (
        "SELECT order_id FROM orders WHERE DATE_TRUNC('month', ordered_on) = '2023-12-01'",
        "SELECT order_id FROM orders WHERE SUBSTR(ordered_on, 1, 7) = '2023-12'",
    ),
    "a month as a pattern": (
        "SELECT order_id FROM orders WHERE DATE_FORMAT(ordered_on, 'yyyy-MM') = '2023-12'",
        "SELECT order_id FROM orders WHERE ordered_on LIKE '2023-12%'",
    ),
    "days before today": (
        "SELECT order_id FROM orders WHERE ordered_on >= CURRENT_DATE() - INTERVAL 30 DAYS",
        "SELECT order_id FROM orders WHERE ordered_on >= DATE_SUB(CURRENT_DATE(), 30)",
    ),
    "EXTRACT": (
        "SELECT YEAR(ordered_on) FROM orders",
        "SELECT EXTRACT(YEAR FROM ordered_on) FROM orders",
    ),
    "a share": (
        "SELECT AVG(CASE WHEN tier = 'Gold' THEN 1 ELSE 0 END) FROM customers",
        "SELECT COUNT_IF(tier = 'Gold') / COUNT(*) FROM customers",
    ),
    "a count for each row and HAVING": (
        (
            "SELECT customer_id FROM customers AS c WHERE "
            "(SELECT COUNT(*) FROM orders AS o WHERE o.customer_id = c.customer_id) > 2"
        ),
        (
            "SELECT c.customer_id FROM customers AS c JOIN orders AS o "
            "ON o.customer_id = c.customer_id GROUP BY c.customer_id HAVING COUNT(*) > 2"
        ),
    ),
    "the extreme of each group": (
        (
            "SELECT title FROM products AS p WHERE price_cents = (SELECT MAX(x.price_cents) "
            "FROM products AS x WHERE x.category = p.category)"
        ),
        (
            "SELECT title FROM (SELECT title, RANK() OVER (PARTITION BY category "
            "ORDER BY price_cents DESC) AS n FROM products) AS p WHERE n = 1"
        ),
    ),
    "a pattern without wildcards": (
        "SELECT tier FROM customers WHERE nick_name LIKE 'Boss'",
        "SELECT tier FROM customers WHERE nick_name = 'Boss'",
    ),
    "LOWER and ILIKE": (
        "SELECT tier FROM customers WHERE LOWER(nick_name) = 'boss'",
        "SELECT tier FROM customers WHERE nick_name ILIKE 'boss'",
    ),
    "a flag": (
        "SELECT tier FROM customers WHERE is_active = TRUE",
        "SELECT tier FROM customers WHERE is_active",
    ),
    "negations": (
        "SELECT tier FROM customers WHERE NOT (is_active OR tier = 'Gold')",
        "SELECT tier FROM customers WHERE NOT is_active AND tier <> 'Gold'",
    ),
    "COUNT of a key": (
        "SELECT COUNT(*) FROM orders",
        "SELECT COUNT(order_id) FROM orders",
    ),
    "COUNT over DISTINCT": (
        "SELECT COUNT(DISTINCT tier) FROM customers",
        "SELECT COUNT(*) FROM (SELECT DISTINCT tier FROM customers) AS t",
    ),
    "conditional counts": (
        "SELECT COUNT(CASE WHEN tier = 'Gold' THEN 1 END) FROM customers",
        "SELECT SUM(CASE WHEN tier = 'Gold' THEN 1 ELSE 0 END) FROM customers",
    ),
    "COUNT_IF and FILTER": (
        "SELECT COUNT_IF(tier = 'Gold') FROM customers",
        "SELECT COUNT(*) FILTER (WHERE tier = 'Gold') FROM customers",
    ),
    "IF in an aggregate": (
        "SELECT SUM(IF(status = 'open', total, 0)) FROM orders",
        "SELECT SUM(CASE WHEN status = 'open' THEN total ELSE 0 END) FROM orders",
    ),
    "products and casts": (
        "SELECT CAST(COUNT_IF(is_active) AS DOUBLE) * 100 / COUNT(*) FROM customers",
        "SELECT 100.0 * (COUNT_IF(is_active) / COUNT(*)) FROM customers",
    ),
    "a factor inside and outside an aggregate": (
        "SELECT SUM(price_cents / 100.0) FROM products",
        "SELECT SUM(price_cents) / 100 FROM products",
    ),
    "the largest value": (
        "SELECT MAX(total) FROM orders",
        "SELECT total FROM orders ORDER BY total DESC LIMIT 1",
    ),
    "the row with the largest value": (
        "SELECT title FROM products ORDER BY price_cents DESC LIMIT 1",
        (
            "SELECT title FROM (SELECT title, ROW_NUMBER() OVER (ORDER BY price_cents DESC) AS n "
            "FROM products) AS p WHERE n = 1"
        ),
    ),
    "QUALIFY": (
        "SELECT title FROM products ORDER BY price_cents DESC LIMIT 2",
        "SELECT title FROM products QUALIFY ROW_NUMBER() OVER (ORDER BY price_cents DESC) <= 2",
    ),
    "ALL and MAX": (
        (
            "SELECT order_id FROM orders WHERE total > (SELECT MAX(total) FROM orders "
            "WHERE status = 'open')"
        ),
        (
            "SELECT order_id FROM orders WHERE total > ALL "
            "(SELECT total FROM orders WHERE status = 'open')"
        ),
    ),
    "GROUP BY without aggregates": (
        "SELECT DISTINCT tier FROM customers",
        "SELECT tier FROM customers GROUP BY tier",
    ),
    "GROUP BY position, alias and ALL": (
        "SELECT tier AS level, COUNT(*) FROM customers GROUP BY level",
        "SELECT tier, COUNT(*) FROM customers GROUP BY ALL",
    ),
    "a group key that another decides": (
        "SELECT customer_name, COUNT(*) FROM customers GROUP BY customer_id, customer_name",
        "SELECT customer_name, COUNT(*) FROM customers GROUP BY customer_id",
    ),
    "the same key from either side of a join": (
        (
            "SELECT c.customer_id, COUNT(o.order_id) FROM customers AS c JOIN orders AS o "
            "ON c.customer_id = o.customer_id GROUP BY c.customer_id"
        ),
        (
            "SELECT o.customer_id, COUNT(*) FROM customers AS c JOIN orders AS o "
            "ON c.customer_id = o.customer_id GROUP BY o.customer_id"
        ),
    ),
    "excluding the one row of a thing": (
        "SELECT region_id FROM regions WHERE Region <> 'West'",
        (
            "SELECT region_id FROM regions AS r WHERE NOT EXISTS (SELECT 1 FROM regions AS x "
            "WHERE x.region_id = r.region_id AND x.Region = 'West')"
        ),
    ),
    "numbers as text": (
        "SELECT title FROM products WHERE price_cents = 800 OR cost_cents IN (1, 2)",
        "SELECT title FROM products WHERE price_cents = '800' OR cost_cents IN ('1', '2')",
    ),
    "a measure under aliases, in a subquery": (
        "SELECT region, MEASURE(revenue) FROM sales WHERE region <> 'West' GROUP BY region",
        (
            "WITH m AS (SELECT s.region AS r, measure(s.revenue) AS v FROM shop.sales AS s "
            "WHERE NOT s.region = 'West' GROUP BY 1) SELECT x.r, x.v FROM (SELECT * FROM m) AS x"
        ),
    ),
    "a table function in a common table expression": (
        "SELECT f.order_id FROM orders_between('2023-01-01', '2023-01-31') AS f",
        (
            "WITH o AS (SELECT * FROM shop.orders_between('2023-01-01', '2023-01-31')) "
            "SELECT order_id FROM o"
        ),
    ),
    "arguments by name and by position": (
        "SELECT * FROM orders_between('2023-01-01', '2023-01-31')",
        "SELECT * FROM shop.orders_between(to_day => '2023-01-31', from_day => '2023-01-01')",
    ),
}


@pytest.mark.parametrize("name", EQUIVALENT)
def test_two_ways_to_write_one_query_have_no_difference(name: str) -> None:
    one, other = EQUIVALENT[name]
    for expected, produced in ((one, other), (other, one)):
        # Results that differ without a reason: whatever the diff names would be made up.
        judgement = judged("?", expected, produced, expected=rows((1,)), produced=rows((2,)))
        assert {failure.rule for failure in judgement.failures} <= {"results_differ"}
        assert judgement.ruling is not None
        assert judgement.ruling.rule in {"nothing_decides", "tie_at_limit"}


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("(price_cents + cost_cents) * product_id", "price_cents + cost_cents * product_id"),
        ("price_cents - (cost_cents - product_id)", "price_cents - cost_cents - product_id"),
        ("price_cents / cost_cents", "cost_cents / price_cents"),
        ("price_cents DIV cost_cents", "price_cents / cost_cents"),
        ("CONCAT(title, category)", "CONCAT(category, title)"),
        ("SUBSTRING(title, 1, 2)", "SUBSTRING(title, 1, 3)"),
        ("CASE WHEN price_cents > 1 THEN 1 ELSE 2 END", "CASE WHEN price_cents > 1 THEN 2 END"),
        ("ROW_NUMBER() OVER (ORDER BY title)", "RANK() OVER (ORDER BY title)"),
        ("SUM(cost_cents) OVER (PARTITION BY category)", "SUM(cost_cents) OVER ()"),
    ],
)
def test_two_calculations_are_told_apart(one: str, other: str) -> None:
    judgement = judged(
        "?",
        f"SELECT {one} FROM products",
        f"SELECT {other} FROM products",
        expected=rows((1,)),
        produced=rows((2,)),
    )
    assert [failure.rule for failure in judgement.failures] == ["calculation_wrong"]


def shape(sql: str) -> QueryShape:
    return query_shape(parse_query(sql), STATE)


def test_names_are_resolved_to_the_spelling_of_the_catalog() -> None:
    found = shape("SELECT REGION FROM Regions AS x WHERE x.region = 'West'")
    assert found.outputs[0].column == "shop.regions.Region"
    assert found.tables == ("shop.regions",)


def test_names_that_do_not_exist_are_listed_with_the_tables_in_reach() -> None:
    found = shape("SELECT colour FROM products AS p JOIN nowhere AS n ON p.product_id = n.id")
    assert [(u.kind, u.name) for u in found.unresolved] == [
        ("table", "nowhere"),
        ("column", "n.id"),
        ("column", "colour"),
    ]
    assert found.unresolved[2].tables == ("shop.products",)


def test_a_subquery_that_takes_an_outer_column_by_accident_keeps_its_own_table() -> None:
    found = shape("SELECT title FROM products WHERE category IN (SELECT category FROM orders)")
    assert found.edges[0].pair == ("shop.orders.category", "shop.products.category")


def test_roles_tell_two_instances_of_a_table_apart() -> None:
    found = shape(
        "SELECT c.nick_name FROM customers AS c "
        "JOIN regions AS h ON c.home_region_id = h.region_id "
        "JOIN regions AS s ON c.ship_region_id = s.region_id "
        "WHERE h.Region = 'North' AND s.Region = 'South'"
    )
    roles = {p.values[0]: set(p.left.uses[0].role) for p in found.predicates}
    assert roles == {
        "'North'": {"shop.customers.home_region_id"},
        "'South'": {"shop.customers.ship_region_id"},
    }


def test_measures_and_functions_are_named_with_their_view_and_schema() -> None:
    found = shape("SELECT MEASURE(revenue) FROM sales")
    assert found.measures == ("shop.sales.revenue",)
    called = shape("SELECT * FROM orders_between('2023-01-01', to_day => '2023-01-31')")
    assert called.functions[0].function == "shop.orders_between"
    assert called.functions[0].arguments == (
        ("from_day", "'2023-01-01'"),
        ("to_day", "'2023-01-31'"),
    )


def test_a_recursive_common_table_expression_ends() -> None:
    found = shape(
        "WITH RECURSIVE n AS (SELECT product_id FROM products UNION ALL "
        "SELECT product_id FROM n) SELECT * FROM n"
    )
    assert "shop.products" in found.tables


@pytest.mark.parametrize(
    ("condition", "bound"),
    [
        ("COUNT(*) > 2", (">=", "3")),
        ("COUNT(*) / 2 > 2", (">", "2")),
        ("COUNT(*) * 1.5 > 2", (">", "2")),
        ("AVG(total) > 2", (">", "2")),
    ],
)
def test_only_a_count_itself_is_a_whole_number(condition: str, bound: tuple[str, str]) -> None:
    having = f"SELECT customer_id FROM orders GROUP BY customer_id HAVING {condition}"
    (predicate,) = query_shape(parse_query(having), STATE).predicates
    assert (predicate.operator, predicate.values[0]) == bound


@pytest.mark.parametrize(
    ("expression", "period"),
    [
        ("YEAR(ordered_on)", "year"),
        ("EXTRACT(YEAR FROM ordered_on)", "year"),
        ("DATE_TRUNC('month', ordered_on)", "month"),
        ("SUBSTRING(ordered_on, 2, 4)", None),
        ("YEAR(ordered_on + INTERVAL 1 DAY)", None),
        ("MONTH(ordered_on)", None),
    ],
)
def test_a_term_knows_the_period_it_cuts_a_column_down_to(
    expression: str, period: str | None
) -> None:
    shape = query_shape(parse_query(f"SELECT {expression} FROM orders"), STATE)
    assert shape.outputs[0].period == period


def test_what_text_only_looks_like_is_no_calculation() -> None:
    text = "SELECT '7 / 2', 'AVG(total)', '(SELECT 1)', '100 * ' FROM orders"
    for term in query_shape(parse_query(text), STATE).outputs:
        assert term.is_literal
        assert not term.has_division
        assert not term.has_subquery
        assert not term.aggregates
