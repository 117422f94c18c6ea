from __future__ import annotations

from dataclasses import replace

import pytest

from tests.transforms.measured_shop import MEASURED, VIEW, measured
from transforms.declared import declarations
from transforms.judgement import ArbiterRuling

NET = "SELECT MEASURE(net_revenue) FROM kpis"
NET_BY_HAND = "SELECT SUM(o.total) / 1.2 FROM orders AS o WHERE o.status <> 'cancelled'"


def ruling(question: str, expected: str, produced: str) -> ArbiterRuling:
    found = measured(question, expected, produced).ruling
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("question", "expected", "produced", "words"),
    [
        (
            "What is our net revenue?",
            "SELECT SUM(total) FROM orders WHERE status <> 'cancelled'",
            NET,
            (
                'The question says "net revenue"',
                "the metric view shop.kpis declares as SUM(total) / 1.2",
                "the expected SQL computes SUM(shop.orders.total)",
            ),
        ),
        (
            "What are the net sales?",
            "SELECT SUM(total) FROM orders WHERE status <> 'cancelled'",
            NET_BY_HAND,
            ('The question says "net sales"',),
        ),
        (
            "What is our net revenue?",
            "SELECT AVG(total) FROM orders",
            NET,
            ("the expected SQL computes AVG(shop.orders.total)",),
        ),
        (
            "What is the margin per category?",
            "SELECT category, SUM(price_cents) FROM products GROUP BY category",
            "SELECT category, SUM(price_cents - cost_cents) FROM products GROUP BY category",
            ("the measure 'margin' of the space",),
        ),
    ],
)
def test_an_expected_query_that_ignores_a_declared_measure_is_wrong(
    question: str, expected: str, produced: str, words: tuple[str, ...]
) -> None:
    found = ruling(question, expected, produced)
    assert (found.rule, found.verdict) == ("declared_measure_ignored", "genie_correct")
    for part in words:
        assert part in found.evidence


@pytest.mark.parametrize(
    ("question", "expected", "produced", "words"),
    [
        (
            "What did we earn net?",
            "SELECT SUM(total) / 1.2 FROM orders",
            NET,
            (
                "the metric view shop.kpis declares the filter status <> 'cancelled'",
                "leaves out shop.orders.status <> 'cancelled'",
            ),
        ),
        (
            "What did we earn net?",
            "SELECT SUM(total) / 1.2 FROM orders",
            NET_BY_HAND,
            ("the metric view shop.kpis",),
        ),
        (
            "How many current customers are there?",
            "SELECT COUNT(*) FROM customers",
            "SELECT COUNT(*) FROM customers WHERE is_active",
            ('The question says "current customers"', "'active customers' of the space"),
        ),
    ],
)
def test_an_expected_query_that_leaves_out_a_declared_filter_is_wrong(
    question: str, expected: str, produced: str, words: tuple[str, ...]
) -> None:
    found = ruling(question, expected, produced)
    assert (found.rule, found.verdict) == ("declared_filter_ignored", "genie_correct")
    for part in words:
        assert part in found.evidence


@pytest.mark.parametrize(
    ("expected", "produced"),
    [
        (
            "SELECT SUM(total) FROM orders WHERE status <> 'cancelled'",
            "SELECT MEASURE(net_revenue) FROM kpis WHERE order_year = 2023",
        ),
        (
            "SELECT SUM(total) / 1.2 FROM orders",
            "SELECT MEASURE(net_revenue) FROM kpis WHERE tier = 'Gold'",
        ),
    ],
)
def test_where_the_answer_differs_in_more_nobody_is_called_right(
    expected: str, produced: str
) -> None:
    found = ruling("What is our net revenue?", expected, produced)
    assert (found.rule, found.verdict) == ("declaration_contradicts_expected_only", "skipped")
    assert "differs in more than that" in found.evidence


@pytest.mark.parametrize(
    ("question", "expected", "produced"),
    [
        # The question names no measure.
        ("What did we earn?", "SELECT SUM(total) FROM orders WHERE status <> 'cancelled'", NET),
        # The expected SQL is the one that keeps to the declaration.
        ("What is our net revenue?", NET, "SELECT SUM(total) FROM orders"),
        # Neither does.
        (
            "What is our net revenue?",
            "SELECT SUM(total) FROM orders",
            "SELECT MAX(total) FROM orders",
        ),
        # Words of a comment are no declaration.
        (
            "How many gold customers are there?",
            "SELECT COUNT(*) FROM customers WHERE tier = 'Gold'",
            "SELECT COUNT(*) FROM customers WHERE tier = 'Gold' AND is_active",
        ),
        # The words of the filter are not in the question.
        (
            "How many customers are there?",
            "SELECT COUNT(*) FROM customers",
            "SELECT COUNT(*) FROM customers WHERE is_active",
        ),
    ],
)
def test_a_declaration_says_nothing_where_it_is_not_asked_for_or_not_ignored(
    question: str, expected: str, produced: str
) -> None:
    found = ruling(question, expected, produced)
    assert "declared" not in found.rule
    assert found.verdict != "genie_correct"


def test_only_what_can_be_read_is_declared() -> None:
    homes = [one.home for one in declarations(MEASURED)]
    assert homes.count("the metric view shop.kpis") == 4  # three measures and the filter
    assert sum("of the space" in home for home in homes) == 2
    bare = replace(
        MEASURED, snippets=(), tables=(*MEASURED.tables[:-1], replace(VIEW, definition=None))
    )
    assert declarations(bare) == ()
