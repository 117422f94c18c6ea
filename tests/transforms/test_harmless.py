"""What leaves a difference harmless, and what only looks like it: measures, ties, keys and names."""

from __future__ import annotations

import pytest

from tests.transforms.shop import ShopEngine, judged


def ruling(question, expected, produced, **given) -> tuple[str, str]:
    judgement = judged(question, expected, produced, **given)
    assert judgement.outcome == "incorrect"
    return judgement.ruling.verdict, judgement.ruling.rule


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
        f"WITH spent AS ({PER_CUSTOMER.replace('SUM(total)', 'SUM(total) AS s')}) "
        "SELECT customer_id, s FROM spent",
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


@pytest.mark.parametrize("name", NO_MEASURE)
def test_leaving_out_what_is_measured_is_a_failure(name):
    verdict, rule = ruling(*NO_MEASURE[name])
    assert (verdict, rule) != ("both_correct", "columns_not_asked_left_out")
    assert verdict == "ground_truth_correct"


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
