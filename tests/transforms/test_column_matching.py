"""Columns are matched exactly, without trying every order of them."""

from __future__ import annotations

import itertools
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from transforms import column_matching
from transforms.column_matching import Grid, SearchExhaustedError, as_bags, in_order


def grid(rows, width=None):
    width = len(rows[0]) if rows else width
    return Grid(tuple(map(tuple, rows)), tuple(f"c{i}" for i in range(width)))


def by_trying_every_order(expected, produced):
    bag = sorted(expected.rows)
    return any(
        sorted(produced.arranged(order)) == bag
        for order in itertools.permutations(range(produced.width), expected.width)
    )


@st.composite
def grids(draw):
    width = draw(st.integers(1, 4))
    more = draw(st.integers(0, 1))
    count = draw(st.integers(0, 5))
    values = st.integers(0, 2)
    return tuple(
        grid(draw(st.lists(st.tuples(*[values] * w), min_size=count, max_size=count)), w)
        for w in (width, width + more)
    )


@given(grids())
@settings(deadline=None, max_examples=500)
def test_a_match_is_found_exactly_where_some_order_of_columns_is_one(pair):
    expected, produced = pair
    found = as_bags(expected, produced)
    assert (found is not None) == by_trying_every_order(expected, produced)
    if found is not None:
        assert sorted(produced.arranged(found)) == sorted(expected.rows)
        assert len(set(found)) == expected.width


@given(grids())
@settings(deadline=None, max_examples=300)
def test_a_match_in_order_keeps_the_rows_where_they_are(pair):
    expected, produced = pair
    found = in_order(expected, produced)
    orders = itertools.permutations(range(produced.width), expected.width)
    is_possible = any(tuple(produced.arranged(order)) == expected.rows for order in orders)
    assert (found is not None) == is_possible
    if found is not None:
        assert tuple(produced.arranged(found)) == expected.rows


def test_equal_columns_go_by_name():
    expected = Grid(((1, 1),), ("a", "b"))
    produced = Grid(((1, 1),), ("b", "a"))
    assert in_order(expected, produced) == (1, 0)
    assert as_bags(expected, produced) == (1, 0)


def test_thirty_shuffled_columns_are_matched_at_once():
    rows = [[(r * (c + 3)) % 7 for c in range(30)] for r in range(300)]
    shuffled = [list(reversed(row)) for row in reversed(rows)]
    started = time.monotonic()
    found = as_bags(grid(rows), grid(shuffled))
    assert found is not None
    assert sorted(grid(shuffled).arranged(found)) == sorted(map(tuple, rows))
    assert time.monotonic() - started < 5


def test_many_equal_columns_are_no_search():
    rows = [[r % 3] * 25 for r in range(50)]
    assert as_bags(grid(rows), grid(rows)) is not None
    other = [[*row[:-1], (row[-1] + 1) % 3] for row in rows]
    assert as_bags(grid(rows), grid(other)) is None


def test_a_hopeless_search_is_given_up(monkeypatch):
    # Every row and column of both squares holds the same values, so nothing tells columns apart,
    # and yet no order of columns makes one of the other: a cyclic group against another group.
    cyclic = [[(r + c) % 4 for c in range(4)] for r in range(4)]
    klein = [[r ^ c for c in range(4)] for r in range(4)]
    assert as_bags(grid(cyclic), grid(klein)) is None
    monkeypatch.setattr(column_matching, "MAX_ROWS_VISITED", 10)
    with pytest.raises(SearchExhaustedError):
        as_bags(grid(cyclic), grid(klein))
