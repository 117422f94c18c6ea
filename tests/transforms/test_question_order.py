"""What asks for an order of rows, and which rows are in one."""

from __future__ import annotations

from datetime import date

import pytest

from transforms.question_order import asked_order, is_in_some_order


@pytest.mark.parametrize(
    ("question", "phrase"),
    [
        ("List their names in alphabetical order.", "in alphabetical order"),
        ("Show sales in descending order of price", "in descending order"),
        ("Which cities are there, sorted by population?", "sorted by"),
        ("Sort the customers by name", "Sort the customers by"),
        ("Rank heroes published by Marvel by their height", "Rank heroes published by"),
        ("List the names alphabetically", "alphabetically"),
        (
            "All products from cheapest to dearest... from oldest to youngest",
            "from cheapest to dea",
        ),
        ("Order the results by date", "Order the results by"),
        ("What was ordered by Smith?", None),
        ("Who called in order to complain?", None),
        ("Which items are in order 17?", None),
        ("What is the highest rank?", None),
        ("What sort of pets are there?", None),
    ],
)
def test_an_order_is_asked_for_in_words(question, phrase):
    found = asked_order(question)
    assert found == phrase if phrase is None else (found or "").startswith(phrase[:20])


@pytest.mark.parametrize(
    ("rows", "is_ordered"),
    [
        ([(1, "b"), (2, "a"), (3, "c")], True),
        ([(3, "b"), (2, "a"), (2, "c")], True),
        ([(2, "b"), (3, "a"), (1, "c")], False),
        ([(None, "b"), (1, "a"), (None, "c"), (2, "b")], True),
        ([(date(2024, 1, 1),), (date(2024, 2, 1),)], True),
        ([("same", 2), ("same", 3), ("same", 1)], False),
        ([([1], "b"), ({}, "c"), (1, "a")], False),
    ],
)
def test_an_order_is_a_column_that_rises_or_falls(rows, is_ordered):
    assert is_in_some_order(rows) is is_ordered
