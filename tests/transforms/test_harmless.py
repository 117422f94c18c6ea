"""What leaves a difference harmless and what only looks like it: measures, ties, keys, names."""

from __future__ import annotations

import pytest

from tests.transforms.shop import ShopEngine, judged, rows
from transforms.judgement import Comparison


def ruling(question, expected, produced, **given) -> tuple[str, str]:
    judgement = judged(question, expected, produced, **given)
    assert judgement.outcome == "incorrect"
    return judgement.ruling.verdict, judgement.ruling.rule


ENGINES = pytest.mark.parametrize("engine", [ShopEngine(), None], ids=["engine", "no engine"])
PER_CUSTOMER = "SELECT customer_id, SUM(total) FROM orders GROUP BY customer_id"
NO_MEASURE = {
    "an aggregate": (
        "What is the revenue per customer?",
        PER_CUSTOMER,
        "SELECT DISTINCT customer_id FROM orders",
    ),
    "an aggregate that no word gives away": (
        "Show the revenue of the customers.",
        PER_CUSTOMER,
        "SELECT customer_id FROM orders GROUP BY customer_id",
    ),
    "an aggregate of a derived table": (
        "Show customers and what they spent.",
        (
            f"WITH spent AS ({PER_CUSTOMER.replace('SUM(total)', 'SUM(total) AS s')}) "
            "SELECT customer_id, s FROM spent"
        ),
        "SELECT DISTINCT customer_id FROM orders",
    ),
    "how many": (
        "How many units of each product were sold in order 1?",
        "SELECT product_id, quantity FROM order_items WHERE order_id = 1",
        "SELECT product_id FROM order_items WHERE order_id = 1",
    ),
    "how many, summed": (
        "How many units of each product were sold?",
        "SELECT product_id, SUM(quantity) FROM order_items GROUP BY product_id",
        "SELECT DISTINCT product_id FROM order_items",
    ),
    "how much": (
        "How much did each open order bring?",
        "SELECT order_id, total FROM orders WHERE status = 'open'",
        "SELECT order_id FROM orders WHERE status = 'open'",
    ),
    "when": (
        "When was each order sent?",
        "SELECT order_id, shipped_on FROM orders",
        "SELECT order_id FROM orders",
    ),
    "a value that is asked for by another word": (
        "What is the revenue of the open orders?",
        "SELECT order_id, total FROM orders WHERE status = 'open'",
        "SELECT order_id FROM orders WHERE status = 'open'",
    ),
    "a calculation": (
        "Show the margin of the toys.",
        "SELECT title, price_cents - cost_cents FROM products WHERE category = 'Toys'",
        "SELECT title FROM products WHERE category = 'Toys'",
    ),
}


BEST = PER_CUSTOMER + " ORDER BY SUM(total) DESC LIMIT 2"
RANKED = "SELECT customer_id FROM orders GROUP BY customer_id ORDER BY SUM(total) DESC LIMIT 2"
MANY = "SELECT customer_id FROM orders GROUP BY customer_id HAVING COUNT(*) > 1"


@pytest.mark.parametrize(
    ("question", "expected", "produced"),
    [
        ("Which 2 customers have the highest revenue?", BEST, RANKED),
        ("Top 2 customers by total revenue", BEST, RANKED),
        ("List the top 2 customers by revenue.", BEST, RANKED),
        (
            "Which customers have more than 1 order?",
            MANY.replace("customer_id FROM", "customer_id, COUNT(*) FROM"),
            MANY,
        ),
    ],
)
def test_a_measure_that_only_says_which_things_are_asked_for_may_be_left_out(
    question, expected, produced
):
    verdict = ruling(question, expected, produced, engine=ShopEngine())
    assert verdict == ("both_correct", "columns_not_asked_left_out")


@pytest.mark.parametrize(
    ("question", "produced"),
    [
        ("What are the two highest revenues of customers?", RANKED),
        ("How much did the best 2 customers spend?", RANKED),
        ("Top 2 customers and their revenue", RANKED),
        ("Which 2 customers have the highest revenue, and what is it?", RANKED),
        ("Revenue of the best 2 customers", RANKED),
        ("Which customers had what revenue?", "SELECT DISTINCT customer_id FROM orders"),
    ],
)
def test_a_measure_that_is_asked_for_beside_the_things_may_not(question, produced):
    expected = BEST if "LIMIT" in produced else PER_CUSTOMER
    assert ruling(question, expected, produced, engine=ShopEngine())[0] == "ground_truth_correct"


@pytest.mark.parametrize("name", NO_MEASURE)
def test_leaving_out_what_is_measured_is_a_failure(name):
    verdict, rule = ruling(*NO_MEASURE[name])
    assert (verdict, rule) != ("both_correct", "columns_not_asked_left_out")
    assert verdict == "ground_truth_correct"


LAST_NULLS = "SELECT order_id FROM orders ORDER BY shipped_on NULLS LAST LIMIT 2"
BY_TOTAL = "SELECT order_id FROM orders ORDER BY total DESC LIMIT 3"
NO_TIES = {
    "NULLs come first": (
        "Which are the 2 earliest shipped orders?",
        LAST_NULLS,
        "SELECT order_id FROM orders ORDER BY shipped_on LIMIT 2",
    ),
    "NULLs come first of a descending order": (
        "Which are the 2 latest shipped orders?",
        "SELECT order_id FROM orders ORDER BY shipped_on DESC LIMIT 2",
        "SELECT order_id FROM orders ORDER BY shipped_on DESC NULLS FIRST LIMIT 2",
    ),
    "a number ranked as text": (
        "Top 3 orders by total?",
        BY_TOTAL,
        "SELECT order_id FROM orders ORDER BY CAST(total AS STRING) DESC LIMIT 3",
    ),
    "a number ranked as text under a name": (
        "Top 3 orders by total?",
        BY_TOTAL,
        (
            "SELECT order_id FROM (SELECT *, CAST(total AS STRING) AS amount FROM orders) AS o "
            "ORDER BY amount DESC LIMIT 3"
        ),
    ),
    "a number ranked without its fraction": (
        "Top order by total per unit?",
        "SELECT order_id FROM orders WHERE order_id < 4 ORDER BY total / 100 DESC LIMIT 1",
        (
            "SELECT order_id FROM orders WHERE order_id < 4 "
            "ORDER BY CAST(total / 1000 AS INT) DESC, total LIMIT 1"
        ),
    ),
}


@ENGINES
@pytest.mark.parametrize("name", NO_TIES)
def test_rows_that_are_ranked_otherwise_do_not_tie(name, engine):
    verdict, rule = ruling(*NO_TIES[name], engine=engine)
    assert (verdict, rule) == ("ground_truth_correct", "difference_is_named")


@ENGINES
@pytest.mark.parametrize(
    "produced",
    [
        "SELECT order_id FROM orders ORDER BY shipped_on ASC NULLS LAST LIMIT 2",
        "SELECT order_id FROM orders ORDER BY CAST(shipped_on AS TIMESTAMP) NULLS LAST LIMIT 2",
    ],
)
def test_an_order_that_is_only_written_otherwise_is_the_same(produced, engine):
    assert judged("Which 2?", LAST_NULLS, produced, engine=engine).outcome == "correct"
    other = judged("Which 2?", LAST_NULLS, produced, produced=rows((1,), (9,)))
    assert other.ruling.rule == "tie_at_limit"


def test_where_the_engine_shows_that_rows_do_not_tie_the_sql_proves_nothing():
    """Both rank by the total first; it is the second key that decides, and that is another one."""
    judgement = judged(
        "Which order has the highest total, the latest of them?",
        "SELECT order_id FROM orders ORDER BY total DESC, ordered_on DESC LIMIT 1",
        "SELECT order_id FROM orders ORDER BY total DESC, ordered_on LIMIT 1",
        engine=ShopEngine(),
    )
    assert judgement.outcome == "incorrect"
    assert judgement.ruling.verdict != "both_correct"


def test_a_tie_that_the_engine_shows_is_one_under_a_policy_that_does_not_forgive_it():
    judgement = judged(
        "Which order has the highest total?",
        "SELECT order_id FROM orders ORDER BY total DESC LIMIT 1",
        "SELECT o.order_id FROM orders AS o ORDER BY o.total DESC, o.customer_id LIMIT 1",
        engine=ShopEngine(),
        expected=rows((4,)),
        produced=rows((10,)),
        policy="official_set",
    )
    assert judgement.comparison == Comparison(
        "tie_cut_by_limit", False, judgement.comparison.detail
    )
    assert judgement.ruling.rule == "tie_at_limit"


KEYS_OF_OTHERS = {
    "the key of another thing": (
        "Top 2 orders by total?",
        "SELECT order_id FROM orders ORDER BY total DESC LIMIT 2",
        "SELECT customer_id FROM orders ORDER BY total DESC LIMIT 2",
    ),
    "the key of another thing, with a condition": (
        "Which orders are open?",
        "SELECT order_id FROM orders WHERE status = 'open'",
        "SELECT customer_id FROM orders WHERE status = 'open'",
    ),
    "the other way round": (
        "Who has open orders?",
        "SELECT customer_id FROM orders WHERE status = 'open'",
        "SELECT order_id FROM orders WHERE status = 'open'",
    ),
    "a property of the thing": (
        "Which orders of more than 300 are there?",
        "SELECT order_id FROM orders WHERE total > 300",
        "SELECT total FROM orders WHERE total > 300",
    ),
    "a date of the thing": (
        "Which orders are open?",
        "SELECT order_id FROM orders WHERE status = 'open'",
        "SELECT ordered_on FROM orders WHERE status = 'open'",
    ),
    "a property that several things share": (
        "Which orders cost more than 300?",
        "SELECT order_id FROM orders WHERE total > 300",
        "SELECT status FROM orders WHERE total > 300",
    ),
}


@pytest.mark.parametrize("name", KEYS_OF_OTHERS)
def test_what_does_not_name_the_thing_of_a_key_is_another_column(name):
    question, expected, produced = KEYS_OF_OTHERS[name]
    judgement = judged(question, expected, produced, engine=ShopEngine())
    assert judgement.outcome == "incorrect"
    assert judgement.ruling.verdict == "ground_truth_correct"
    assert [failure.rule for failure in judgement.failures] == ["output_column_wrong"]
