from __future__ import annotations

import pytest

from tests.transforms.shop import judged, rows
from transforms.contracts import JUDGE_TARGETS, JUDGES
from transforms.equivalence import MISSING, PRESENTATION
from transforms.judgement import Execution, Judgement, Verdict
from transforms.rules import RULES

GOLD = "SELECT nick_name FROM customers WHERE tier = 'Gold'"
SAME = rows(("x",))


def said(judgement: Judgement, judge: str) -> Verdict:
    return next(verdict for verdict in judgement.verdicts if verdict.judge == judge)


def equivalence(expected: str, produced: str, *, agree: bool, question: str = "?") -> Verdict:
    judgement = judged(
        question, expected, produced, expected=SAME, produced=SAME if agree else rows(("y",))
    )
    return said(judgement, "semantic_equivalence")


@pytest.mark.parametrize(
    ("expected", "produced"),
    [
        (GOLD, "select c.nick_name from shop.customers c where 'Gold' = c.tier"),
        (GOLD, f"WITH gold AS ({GOLD}) SELECT g.nick_name FROM gold AS g"),
        (GOLD, "SELECT n FROM (SELECT nick_name AS n, tier AS t FROM customers) WHERE t = 'Gold'"),
        (
            (
                "SELECT o.total FROM orders o JOIN customers c ON c.customer_id = o.customer_id "
                "WHERE c.tier = 'Gold'"
            ),
            (
                "SELECT total FROM orders WHERE customer_id IN "
                "(SELECT customer_id FROM customers WHERE tier = 'Gold')"
            ),
        ),
        (
            "SELECT title FROM products WHERE price_cents > 800 AND cost_cents IN (300, 700)",
            "SELECT title FROM products WHERE price_cents > '800' AND cost_cents IN ('300', '700')",
        ),
        ("SELECT DISTINCT order_id FROM orders", "SELECT order_id FROM orders"),
        (
            (
                "SELECT COUNT(DISTINCT o.customer_id) FROM orders o JOIN order_items i "
                "ON o.order_id = i.order_id"
            ),
            (
                "SELECT COUNT(DISTINCT customer_id) FROM orders WHERE order_id IN "
                "(SELECT order_id FROM order_items)"
            ),
        ),
        (
            "SELECT MAX(total) FROM orders WHERE YEAR(ordered_on) = 2022",
            (
                "SELECT total FROM orders WHERE ordered_on BETWEEN '2022-01-01' AND '2022-12-31' "
                "ORDER BY total DESC LIMIT 1"
            ),
        ),
        (
            "SELECT tier, COUNT(*) FROM customers GROUP BY tier",
            "SELECT COUNT(customer_id) AS n, tier FROM customers GROUP BY ALL",
        ),
        (
            "SELECT order_id FROM orders_between('2023-01-01', '2023-12-31')",
            (
                "SELECT f.order_id FROM shop.orders_between("
                "to_day => '2023-12-31', from_day => '2023-01-01') AS f"
            ),
        ),
        (
            "SELECT region, MEASURE(revenue) FROM sales GROUP BY region",
            "SELECT s.region AS r, measure(s.revenue) AS m FROM shop.sales s GROUP BY 1",
        ),
    ],
)
def test_one_meaning_is_seen_whatever_the_spelling(expected: str, produced: str) -> None:
    assert equivalence(expected, produced, agree=True).value == "yes"


@pytest.mark.parametrize(
    ("expected", "produced", "rule"),
    [
        (GOLD, "SELECT nick_name FROM customers", "filter_missing"),
        (GOLD, "SELECT nick_name FROM customers WHERE tier = 'Basic'", "literal_wrong"),
        ("SELECT SUM(total) FROM orders", "SELECT AVG(total) FROM orders", "aggregate_function"),
        (
            "SELECT MEASURE(revenue) FROM sales",
            "SELECT MEASURE(order_count) FROM sales",
            "measure_wrong",
        ),
    ],
)
def test_where_the_queries_differ_the_results_decide_what_that_means(
    expected: str, produced: str, rule: str
) -> None:
    apart = equivalence(expected, produced, agree=False)
    assert (apart.value, rule in apart.rationale) == ("no", True)
    left_open = equivalence(expected, produced, agree=True)
    assert (left_open.value, left_open.confidence) == ("skipped", None)
    assert rule in left_open.rationale
    assert "neither the trees nor today's rows tell" in left_open.rationale


@pytest.mark.parametrize(
    ("expected", "produced", "word"),
    [
        (
            "SELECT nick_name FROM customers WHERE customer_id IN (SELECT customer_id FROM orders)",
            "SELECT c.nick_name FROM customers c JOIN orders o ON c.customer_id = o.customer_id",
            "looks whether there is any",
        ),
        ("SELECT DISTINCT title FROM products", "SELECT title FROM products", "DISTINCT"),
        ("SELECT COUNT(DISTINCT title) FROM products", "SELECT COUNT(*) FROM products", "distinct"),
    ],
)
def test_rows_that_may_repeat_are_no_proof_of_one_meaning(
    expected: str, produced: str, word: str
) -> None:
    for one, other in ((expected, produced), (produced, expected)):
        verdict = equivalence(one, other, agree=True)
        assert (verdict.value, word in verdict.rationale) == ("skipped", True)


@pytest.mark.parametrize(
    ("expected", "produced", "given", "complete"),
    [
        ("SELECT total FROM orders ORDER BY total", "SELECT total FROM orders", {}, "no"),
        (
            "SELECT order_id FROM orders",
            "SELECT order_id, total FROM orders",
            {},
            "yes",
        ),
        (
            "SELECT AVG(total) FROM orders",
            "SELECT ROUND(AVG(total), 1) FROM orders",
            {"expected": rows((129.475,)), "produced": rows((129.5,))},
            "yes",
        ),
        ("SELECT order_id, total FROM orders", "SELECT order_id FROM orders", {}, "no"),
    ],
)
def test_how_a_result_is_shown_changes_no_meaning(
    expected: str, produced: str, given: dict[str, Execution], complete: str
) -> None:
    judgement = judged("What are the order ids and the total?", expected, produced, **given)
    assert judgement.outcome == "incorrect"
    assert said(judgement, "semantic_equivalence").value == "yes"
    assert said(judgement, "completeness").value == complete


@pytest.mark.parametrize(
    ("question", "expected", "produced", "value", "word"),
    [
        ("Who is gold?", GOLD, "SELECT nick_name FROM customers", "no", "filter_missing"),
        (
            "What is the total and how many are there?",
            "SELECT SUM(total), COUNT(*) FROM orders",
            "SELECT SUM(total) FROM orders",
            "no",
            "aggregate_output_missing",
        ),
        (
            "How many orders has each status, by customer?",
            "SELECT status, customer_id, COUNT(*) FROM orders GROUP BY status, customer_id",
            "SELECT status, COUNT(*) FROM orders GROUP BY status",
            "no",
            "missing",
        ),
        (
            "Which customers are tagged 'vip'?",
            "SELECT customer_id FROM customer_tags WHERE tag = 'vip'",
            "SELECT customer_id FROM customer_tags WHERE tag = 'early'",
            "no",
            "The question says \"'vip'\"",
        ),
        (
            "What is the sum?",
            "SELECT SUM(total) FROM orders",
            "SELECT MAX(total) FROM orders",
            "yes",
            "aggregate_function_wrong",
        ),
        (
            "Which product has the highest price?",
            "SELECT title, price_cents FROM products ORDER BY price_cents DESC LIMIT 1",
            "SELECT title FROM products ORDER BY price_cents DESC LIMIT 1",
            "yes",
            "does not ask to see",
        ),
    ],
)
def test_completeness_says_what_is_missing(
    question: str, expected: str, produced: str, value: str, word: str
) -> None:
    verdict = said(judged(question, expected, produced), "completeness")
    assert verdict.value == value
    assert word in verdict.rationale


def test_what_nothing_explains_is_left_to_others() -> None:
    judgement = judged(
        "How many orders are there?",
        "SELECT COUNT(*) FROM orders",
        "SELECT COUNT(*) FROM orders AS o",
        expected=rows((1,)),
        produced=rows((2,)),
    )
    for judge in ("semantic_equivalence", "completeness"):
        assert said(judgement, judge).value == "skipped"


@pytest.mark.parametrize(
    "given",
    [
        {"produced": Execution("sql_error", error="no")},
        {"expected": Execution("sql_error", error="no")},
        {"produced": Execution("timed_out", error="no")},
        {"answer_outcome": "failed"},
    ],
)
def test_without_two_results_meaning_is_not_judged(given: dict[str, object]) -> None:
    judgement = judged("Who is gold?", GOLD, GOLD, **given)
    for judge in ("semantic_equivalence", "completeness", "repeatability"):
        assert (said(judgement, judge).value, said(judgement, judge).confidence) == (
            "skipped",
            None,
        )


def test_meaning_is_judged_by_rules_that_there_are() -> None:
    assert set(RULES) >= MISSING | PRESENTATION
    assert set(JUDGES) == {*JUDGE_TARGETS, "arbiter"}


def test_a_failure_belongs_to_a_judge_that_says_no() -> None:
    judgement = judged(
        "Which orders were there in 2023?",
        "SELECT order_id FROM orders_between('2023-01-01', '2023-12-31')",
        "SELECT order_id FROM orders",
        expected=SAME,
        produced=rows(("y",)),
    )
    assert [failure.judge for failure in judgement.failures] == ["asset_routing"]
    assert said(judgement, "asset_routing").value == "no"
