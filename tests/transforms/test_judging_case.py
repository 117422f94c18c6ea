"""Which comparison counts: order where it is asked for, ties that values prove, large results."""

from __future__ import annotations

import pytest

from tests.transforms.shop import ShopEngine, judged, rows
from transforms.judgement import Comparison, Execution
from transforms.results import POLICIES

HIGHEST = "SELECT order_id FROM orders ORDER BY total DESC LIMIT 1"
QUESTION = "Which order has the highest total?"
TOO_LARGE = Execution("too_large", error="more than 10 rows")


def step(judgement) -> tuple[str, bool]:
    return judgement.comparison.step, judgement.comparison.is_correct


@pytest.mark.parametrize(
    ("produced", "found"),
    [
        (rows((4,)), ("equal", True)),
        (rows((10,)), ("tie_cut_by_limit", True)),
        (rows((1,)), ("different", False)),
        (rows((4,), (10,)), ("different", False)),
    ],
)
def test_another_row_that_ties_at_the_limit_is_as_right(produced, found):
    judgement = judged(
        QUESTION,
        HIGHEST,
        "SELECT order_id AS c0 FROM orders ORDER BY total DESC, customer_id LIMIT 1",
        expected=rows((4,)),
        produced=produced,
        engine=ShopEngine(),
    )
    assert step(judgement) == found
    assert judgement.outcome == ("correct" if found[1] else "incorrect")


def test_the_words_of_a_tie_count_the_rows_and_show_none():
    judgement = judged(
        QUESTION, HIGHEST, HIGHEST, expected=rows((4,)), produced=rows((10,)), engine=ShopEngine()
    )
    assert judgement.comparison.detail == (
        "LIMIT keeps 1 of 2 rows that tie or that nothing orders; the answer has 1 of them, as "
        "right as these"
    )


@pytest.mark.parametrize("policy", POLICIES)
def test_the_official_rule_knows_no_ties(policy):
    judgement = judged(
        QUESTION,
        HIGHEST,
        HIGHEST,
        expected=rows((4,)),
        produced=rows((10,)),
        engine=ShopEngine(),
        policy=policy,
    )
    assert step(judgement) == ("tie_cut_by_limit", not policy.startswith("official"))


@pytest.mark.parametrize(
    ("produced_sql", "found"),
    [
        (
            "SELECT order_id FROM orders WHERE total = (SELECT MAX(total) FROM orders)",
            ("tie_cut_by_limit", True),
        ),
        ("SELECT order_id FROM orders WHERE total = 310", ("different", False)),
    ],
)
def test_all_rows_that_tie_may_be_there_where_the_answer_asks_for_the_extreme(produced_sql, found):
    assert step(judged(QUESTION, HIGHEST, produced_sql, engine=ShopEngine())) == found


def test_where_the_expected_sql_keeps_all_that_tie_one_of_them_is_not_enough():
    judgement = judged(
        QUESTION,
        "SELECT order_id FROM orders WHERE total = (SELECT MAX(total) FROM orders)",
        HIGHEST,
        engine=ShopEngine(),
    )
    assert step(judgement) == ("different", False)
    assert judgement.ruling.rule == "tie_at_limit"


def test_without_an_engine_nothing_shows_that_rows_tie():
    judgement = judged(QUESTION, HIGHEST, HIGHEST, expected=rows((4,)), produced=rows((10,)))
    assert step(judgement) == ("different", False)


@pytest.mark.parametrize(
    ("by", "is_right"), [("total, order_id DESC", True), ("customer_id", False)]
)
def test_rows_that_tie_may_stand_in_any_order_whatever_orders_them(by, is_right):
    judgement = judged(
        "Orders by total?",
        "SELECT order_id FROM orders ORDER BY total",
        f"SELECT order_id FROM (SELECT * FROM orders) AS o ORDER BY {by}",
        engine=ShopEngine(),
    )
    assert judgement.comparison.is_correct is is_right


def test_rows_that_tie_for_another_reason_are_told_by_their_values():
    """The queries order by different things that give one order, but for what ties."""
    judgement = judged(
        "Customers by tier?",
        "SELECT nick_name FROM customers ORDER BY LENGTH(tier)",
        "SELECT nick_name FROM customers "
        "ORDER BY CASE tier WHEN 'Gold' THEN 1 WHEN 'Basic' THEN 2 ELSE 3 END, nick_name",
        engine=ShopEngine(),
    )
    assert step(judgement) == ("row_order", True)


UNORDERED = "SELECT order_id, total, customer_id FROM orders WHERE order_id > 2"


@pytest.mark.parametrize(
    ("question", "produced_sql", "produced", "is_right"),
    [
        ("Which orders are there?", UNORDERED, rows((2, "b"), (3, "a"), (1, "c")), True),
        ("List the orders sorted by date.", UNORDERED, rows((2, "b"), (3, "a"), (1, "c")), False),
        ("List the orders sorted by date.", UNORDERED, rows((1, "c"), (2, "b"), (3, "a")), True),
        (
            "List the orders sorted by date.",
            f"{UNORDERED} ORDER BY ordered_on",
            rows((2, "b"), (3, "a"), (1, "c")),
            True,
        ),
    ],
)
def test_an_order_that_only_the_question_asks_for_is_some_order(
    question, produced_sql, produced, is_right
):
    expected = rows((1, "c"), (3, "a"), (2, "b"))
    judgement = judged(question, UNORDERED, produced_sql, expected=expected, produced=produced)
    assert judgement.comparison.is_correct is is_right
    if not is_right:
        assert judgement.comparison.step == "row_order"
        assert (judgement.ruling.verdict, judgement.confirmation) == ("neither_correct", "suspect")
        assert [failure.rule for failure in judgement.failures] == ["order_missing"]


@pytest.mark.parametrize(
    ("comparison", "outcome"),
    [
        (Comparison("row_order", True, "equal but for the order of rows"), "correct"),
        (Comparison("equal", True, "equal"), "correct"),
        (Comparison("different", False, "expected 20 rows, produced 21 rows"), "incorrect"),
        (Comparison("not_comparable", False, "it took longer than 5 s"), "not_comparable"),
    ],
)
def test_large_results_are_compared_by_the_engine(comparison, outcome):
    engine = ShopEngine(comparison)
    judgement = judged(
        "All customers by name?",
        "SELECT nick_name FROM customers ORDER BY nick_name",
        "SELECT nick_name, tier FROM customers",
        expected=TOO_LARGE,
        produced=rows(("a",)),
        engine=engine,
        policy="superset",
    )
    assert (judgement.outcome, judgement.comparison.step) == (outcome, comparison.step)
    assert comparison.detail in judgement.comparison.detail
    assert engine.asked == [("superset", True)]


def test_one_query_is_recognized_in_large_results_too():
    sql = "SELECT nick_name FROM customers"
    engine = ShopEngine(Comparison("equal", True, "equal"))
    judgement = judged("All?", sql, sql, expected=TOO_LARGE, produced=TOO_LARGE, engine=engine)
    assert step(judgement) == ("identical_sql", True)


def test_a_result_that_came_too_late_is_not_compared_by_anybody():
    engine = ShopEngine()
    late = Execution("timed_out", error="no result within 3 s")
    judgement = judged("All?", HIGHEST, HIGHEST, expected=TOO_LARGE, produced=late, engine=engine)
    assert (judgement.outcome, engine.asked) == ("not_comparable", [])


OTHER_ORDERS = {
    "a number as text": (
        "SELECT order_id FROM orders ORDER BY total",
        "SELECT order_id FROM orders ORDER BY CAST(total AS STRING)",
    ),
    "a number as text under a name": (
        "SELECT order_id, total FROM orders ORDER BY total",
        (
            "SELECT order_id, total FROM (SELECT *, CAST(total AS STRING) AS t FROM orders) AS o "
            "ORDER BY t"
        ),
    ),
    "NULLs last instead of first": (
        "SELECT order_id FROM orders ORDER BY shipped_on",
        "SELECT order_id FROM orders ORDER BY shipped_on NULLS LAST",
    ),
    "NULLs first instead of last": (
        "SELECT order_id FROM orders ORDER BY shipped_on DESC NULLS LAST",
        "SELECT order_id FROM orders ORDER BY shipped_on DESC NULLS FIRST",
    ),
}


@pytest.mark.parametrize("engine", [ShopEngine(), None], ids=["engine", "no engine"])
@pytest.mark.parametrize("name", OTHER_ORDERS)
def test_rows_that_are_sorted_otherwise_are_in_the_wrong_order(name, engine):
    judgement = judged("Orders, sorted?", *OTHER_ORDERS[name], engine=engine)
    assert step(judgement) == ("row_order", False)
    assert [failure.rule for failure in judgement.failures] == ["order_wrong"]
    assert judgement.ruling.verdict == "ground_truth_correct"


def test_the_values_decide_where_both_orders_read_alike():
    """Sorted alike by what the queries say, in another order all the same."""
    sql = "SELECT order_id FROM orders WHERE order_id < 4 ORDER BY total"
    wrong = rows((1,), (2,), (3,))
    judgement = judged("Orders by total?", sql, sql, produced=wrong, engine=ShopEngine())
    assert step(judgement) == ("row_order", False)


@pytest.mark.parametrize(
    ("question", "key", "is_right"),
    [
        ("List the orders by total in descending order.", "total", False),
        ("List the orders by total in descending order.", "total DESC", True),
        ("List the orders by total in descending order.", "-total", True),
        ("List the orders sorted by total, descending.", "total", False),
        ("List the orders in ascending order of total.", "total DESC", False),
        ("List the orders in ascending order of total.", "total", True),
        ("List the orders in alphabetical order of status.", "status DESC", False),
        ("List the orders in reverse alphabetical order of status.", "status", False),
        ("List the orders in reverse alphabetical order of status.", "status DESC", True),
        ("List the orders sorted from largest to smallest total.", "total", False),
        ("List the orders sorted from smallest to largest total.", "total", True),
        ("List the orders sorted by total.", "total DESC", True),
        ("List orders in ascending order of status and descending order of total.",
         "status, total DESC", True),
        ("List orders by status, totals in descending order.", "status, total DESC", True),
    ],
)  # fmt: skip
def test_an_order_in_the_direction_that_the_question_does_not_ask_for_is_wrong(
    question, key, is_right
):
    judgement = judged(
        question,
        "SELECT order_id, total, status FROM orders",
        f"SELECT order_id, total, status FROM orders ORDER BY {key}",
        engine=ShopEngine(),
    )
    assert judgement.comparison.is_correct is is_right
    if not is_right:
        assert judgement.comparison.step == "row_order"
        assert [failure.rule for failure in judgement.failures] == ["order_missing"]
