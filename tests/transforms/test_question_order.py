"""What asks for an order of rows, and which rows are in one."""

from __future__ import annotations

from datetime import date

import pytest

from transforms.question_order import asked_direction, asked_order, is_in_some_order


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


@pytest.mark.parametrize(
    ("question", "direction"),
    [
        ("Sort them by price in descending order", "falls"),
        ("Products sorted by price, ascending", "rises"),
        ("Names in alphabetical order", "rises"),
        ("Names in reverse alphabetical order", "falls"),
        ("Orders in order of decreasing price, sorted by it", None),
        ("Products with falling sales, sorted by name", None),
        ("Cities sorted by population from highest to lowest", "falls"),
        ("Cities sorted from the smallest population to the largest", "rises"),
        ("Cities sorted from highest to lowest rank", None),
        ("Sorted by city in ascending and by price in descending order", None),
        ("The most expensive, sorted by name", None),
        ("Which buses go down the descending road?", None),
    ],
)
def test_the_direction_of_an_order_is_said_in_words(question, direction):
    assert asked_direction(question) == direction


@pytest.mark.parametrize(
    ("rows", "rises", "falls"),
    [([(1, 3), (2, 2)], True, True), ([(1,), (2,)], True, False), ([(2,), (1,)], False, True)],
)
def test_an_order_can_be_seen_to_go_one_way(rows, rises, falls):
    assert is_in_some_order(rows, "rises") is rises
    assert is_in_some_order(rows, "falls") is falls
