from __future__ import annotations

import pytest

from tests.transforms.shop import judged

BY_STATUS = "SELECT status, COUNT(*) FROM orders GROUP BY status"
TOTAL = "SELECT COUNT(*) FROM orders"
PER_CUSTOMER = "SELECT customer_id, COUNT(*) FROM customer_tags GROUP BY customer_id"
TAGS_EACH = "SELECT COUNT(*) * 1.0 / COUNT(DISTINCT customer_id) FROM customer_tags"
MONTHS = "SELECT MONTH(ordered_on), COUNT(*) FROM orders GROUP BY MONTH(ordered_on)"


@pytest.mark.parametrize(
    ("question", "expected", "produced"),
    [
        ("How many orders by status?", BY_STATUS, TOTAL),
        ("How many orders are there, status-wise?", BY_STATUS, TOTAL),
        ("How many orders are in which status?", BY_STATUS, TOTAL),
        ("How many orders across statuses?", BY_STATUS, TOTAL),
        ("Number of orders by month", MONTHS, TOTAL),
        (
            "How many orders are there by customer and status?",
            "SELECT customer_id, status, COUNT(*) FROM orders GROUP BY customer_id, status",
            TOTAL,
        ),
        (
            "What is the highest total of an order by customer?",
            "SELECT customer_id, MAX(total) FROM orders GROUP BY customer_id",
            "SELECT MAX(total) FROM orders",
        ),
        (
            "What is the account number of customers named Ada?",
            "SELECT customer_id FROM customers WHERE customer_name = 'Ada'",
            "SELECT MAX(customer_id) FROM customers WHERE customer_name = 'Ada'",
        ),
        (
            "Show the number of the order and its total",
            "SELECT order_id, total FROM orders WHERE status = 'open'",
            "SELECT COUNT(*) FROM orders WHERE status = 'open'",
        ),
        ("Average number of tags per customer", TAGS_EACH, PER_CUSTOMER),
        ("How many tags per customer on average?", TAGS_EACH, PER_CUSTOMER),
        (
            "Average number of tags per customer",
            "SELECT AVG(n) FROM (SELECT COUNT(*) AS n FROM customer_tags GROUP BY customer_id)",
            PER_CUSTOMER,
        ),
        (
            "Revenue per order",
            "SELECT SUM(total) / COUNT(*) FROM orders",
            "SELECT order_id, SUM(total) FROM orders GROUP BY order_id",
        ),
        (
            "What is the average total per order?",
            "SELECT AVG(total) FROM orders",
            "SELECT order_id, AVG(total) FROM orders GROUP BY order_id",
        ),
        (
            "List the totals from the highest to the lowest",
            "SELECT total FROM orders ORDER BY total DESC",
            "SELECT total FROM orders ORDER BY total DESC LIMIT 1",
        ),
        (
            "The top 20 percent of orders by total",
            "SELECT order_id FROM orders ORDER BY total DESC LIMIT 2",
            "SELECT order_id FROM orders ORDER BY total DESC LIMIT 20",
        ),
    ],
)
def test_a_right_benchmark_is_not_called_faulty(
    question: str, expected: str, produced: str
) -> None:
    judgement = judged(question, expected, produced)
    assert judgement.ruling is not None
    assert judgement.ruling.verdict == "ground_truth_correct"
    assert judgement.confirmation == "confirmed"


@pytest.mark.parametrize(
    ("question", "expected", "produced"),
    [
        ("How many orders did we get?", TOTAL, BY_STATUS),
        ("How many orders were made by customer 1?", f"{TOTAL} WHERE customer_id = 1",
         "SELECT order_id FROM orders WHERE customer_id = 1"),
        ("How many orders per status?", BY_STATUS, TOTAL),
        ("What is the highest total?", "SELECT MAX(total) FROM orders", "SELECT total FROM orders"),
        ("Average number of tags per customer", TAGS_EACH, "SELECT COUNT(*) FROM customer_tags"),
    ],
)  # fmt: skip
def test_words_that_are_clear_still_contradict_an_answer(
    question: str, expected: str, produced: str
) -> None:
    ruling = judged(question, expected, produced).ruling
    assert ruling is not None
    assert ruling.rule == "question_contradicts_produced"
    swapped = judged(question, produced, expected).ruling
    assert swapped is not None
    assert swapped.rule.startswith("question_contradicts_expected")


def test_by_the_largest_something_asks_for_no_groups() -> None:
    ruling = judged(
        "Which customer is reached by the highest total of orders?",
        "SELECT customer_id, MAX(total) FROM orders GROUP BY customer_id",
        "SELECT customer_id FROM orders GROUP BY customer_id, total ORDER BY total DESC LIMIT 1",
    ).ruling
    assert ruling is not None
    assert ruling.rule == "question_contradicts_expected_only"


def test_a_value_that_is_not_stored_makes_no_faulty_benchmark_right() -> None:
    ruling = judged(
        "List the nick names of gold customers.",
        "SELECT customer_name FROM customers WHERE tier = 'Gold'",
        "SELECT nick_name FROM customers WHERE tier = 'golden'",
    ).ruling
    assert ruling is not None
    assert ruling.rule == "question_contradicts_expected_only"
