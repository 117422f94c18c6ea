"""The small readers: words, dates, comments, instructions."""

from __future__ import annotations

from datetime import date

import pytest

from genie.local.engine.dates import find_dates
from genie.local.engine.prose import ListedValue, read_prose
from genie.local.engine.rules import read_rules
from genie.local.engine.terms import parse_fragment
from genie.local.engine.words import name_parts, stem, tokenise

TODAY = date(2024, 5, 15)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("cities", "city"), ("boxes", "box"), ("churches", "church"), ("shipped", "ship"),
        ("stopped", "stop"), ("prices", "price"), ("pricing", "price"), ("people", "person"),
        ("addresses", "address"), ("avg", "average"), ("lives", "life"), ("sold", "sell"),
    ],
)  # fmt: skip
def test_forms_of_one_word_have_one_stem(one, other):
    assert stem(one) == stem(other)


@pytest.mark.parametrize("name", ["due_back_on", "dueBackOn", "DueBackOn", "DUE_BACK_ON"])
def test_a_name_has_the_same_words_in_every_style(name):
    assert name_parts(name) == ("due", "back", "on")


def test_a_question_becomes_tokens():
    tokens = tokenise('Show Ann\'s "Old Town" 1,200 and 3k on 2024-01-31!')
    assert [(t.kind, t.text) for t in tokens] == [
        ("word", "Show"), ("word", "Ann"), ("quoted", "Old Town"), ("number", "1200"),
        ("word", "and"), ("number", "3000"), ("word", "on"), ("date", "2024-01-31"),
        ("mark", "!"),
    ]  # fmt: skip
    assert tokens[1].is_capital
    assert tokens[1].is_possessive


D = date
SPANS = {
    "sales in 2023": (D(2023, 1, 1), D(2024, 1, 1)),
    "during February 2024": (D(2024, 2, 1), D(2024, 3, 1)),
    "Q4 2022": (D(2022, 10, 1), D(2023, 1, 1)),
    "the third quarter of 2021": (D(2021, 7, 1), D(2021, 10, 1)),
    "since June 2023": (D(2023, 6, 1), None),
    "after 2020": (D(2021, 1, 1), None),
    "before 3 March 2022": (None, D(2022, 3, 3)),
    "until March 3, 2022": (None, D(2022, 3, 4)),
    "between 2019 and 2021": (D(2019, 1, 1), D(2022, 1, 1)),
    "from January 2024 to March 2024": (D(2024, 1, 1), D(2024, 4, 1)),
    "on 2024-02-29": (D(2024, 2, 29), D(2024, 3, 1)),
    "from 2022 onwards": (D(2022, 1, 1), None),
    "in fiscal year 2023": (D(2023, 4, 1), D(2024, 4, 1)),
    "FY2023": (D(2023, 4, 1), D(2024, 4, 1)),
    "last month": (D(2024, 4, 1), D(2024, 5, 1)),
    "this year": (D(2024, 1, 1), D(2025, 1, 1)),
    "in the last 30 days": (D(2024, 4, 15), D(2024, 5, 16)),
    "in the past two quarters": (D(2023, 11, 15), D(2024, 5, 16)),
    "yesterday": (D(2024, 5, 14), D(2024, 5, 15)),
    "last quarter": (D(2024, 1, 1), D(2024, 4, 1)),
    "previous week": (D(2024, 5, 6), D(2024, 5, 13)),
}


@pytest.mark.parametrize("text", SPANS)
def test_a_span_of_time_is_found(text):
    found = find_dates(tokenise(text), 4, TODAY)
    assert [(span.first, span.behind) for span in found] == [SPANS[text]]


@pytest.mark.parametrize("text", ["2000 books", "more than 2000 pages", "on 2024-02-31", "March"])
def test_what_is_no_span_of_time_is_left_alone(text):
    assert find_dates(tokenise(text), 1, None) == []


def test_relative_times_need_to_know_the_day():
    assert find_dates(tokenise("last month"), 1, None) == []


def values(*pairs):
    return tuple(ListedValue(*pair) if isinstance(pair, tuple) else ListedValue(pair)
                 for pair in pairs)  # fmt: skip


LISTS = {
    "One of: red, green or blue": values("red", "green", "blue"),
    "Colour of it. Values: 'Red', 'Dark blue'.": values("Red", "Dark blue"),
    "17 different values, spelled exactly as in 'New York', 'Rome'.": values("New York", "Rome"),
    "'Y' = yes, 'N' = no": values(("Y", "yes"), ("N", "no")),
    "State: A = active, C = closed": values(("A", "active"), ("C", "closed")),
    "1 means low, 2 means high": values(("1", "low"), ("2", "high")),
    "T for true and F for false": values(("T", "true"), ("F", "false")),
    "A (active), D (dormant)": values(("A", "active"), ("D", "dormant")),
    "What the buyer paid, in euros": (),
}


@pytest.mark.parametrize("text", LISTS)
def test_values_in_a_comment_are_read(text):
    assert read_prose(text).values == LISTS[text]


def test_a_comment_says_what_its_column_is_and_not_what_it_is_not():
    prose = read_prose("Net amount. Not to be confused with gross (before tax).")
    assert prose.stems == {stem("net")}
    assert read_prose("Refers to shop.main.buyers.id.").refers_to == ("shop.main.buyers", "id")


def test_an_instruction_is_read_sentence_by_sentence():
    rules = read_rules(
        "Gold buyers are buyers with tier = 'G'. Always exclude test orders: `is_test = true`.\n"
        "- For revenue and margin, use the metric view mv_sales, not orders.\n"
        "- Margin means SUM(net - cost) of delivered orders\n"
        "1. Never use table old_orders.\n"
        "Our fiscal year begins on 1 February. Be polite."
    )
    assert [(d.term, d.sql, d.rest) for d in rules.definitions] == [
        ("Gold buyers", "tier = 'G'", ""),
        ("Margin", "SUM(net - cost)", "delivered orders"),
    ]
    assert [(s.sql, s.is_negated) for s in rules.standing] == [("is_test = true", True)]
    assert [(p.name, p.kind) for p in rules.preferences] == [
        ("mv_sales", "use"), ("old_orders", "avoid"),
    ]  # fmt: skip
    assert rules.preferences[0].terms == ((stem("revenue"),), (stem("margin"),))
    assert rules.fiscal_start_month == 2


@pytest.mark.parametrize(
    "sql", ["", "a; b", "(SELECT 1) = a", "a FROM t", "*", "a, b", "1) OR (1", ":p", "DROP TABLE t"]
)
def test_what_is_no_expression_is_no_fragment(sql):
    assert parse_fragment(sql) is None
