"""Every rung of the comparison ladder, every policy, and every decision about values."""

from __future__ import annotations

import operator
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta, timezone
from decimal import Decimal
from functools import reduce
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyspark.sql import Row

from tests.transforms.executions import column, result
from transforms.judgement import Execution, SparkValue
from transforms.results import POLICIES, STEPS, compare, result_hash

CET = timezone(timedelta(hours=1))
NAN = float("nan")
ROWS = ((1, "x"), (2, "y"))
BASE = result(ROWS, "id name")

# name: (expected, produced, step, policies under which it is right; None: all of them)
LADDER = {
    "the same": (BASE, BASE, "equal", None),
    "names in another case": (BASE, result(ROWS, "ID Name"), "equal", None),
    "other names": (BASE, result(ROWS, "id n"), "alias", None),
    "other order of rows": (BASE, result([(2, "y"), (1, "x")], "id name"), "row_order", None),
    "other order of columns": (
        BASE,
        result([("x", 1), ("y", 2)], "name id"),
        "column_order",
        {"bag_any_column", "superset", "official_set_any_column"},
    ),
    "other order of columns and rows": (
        BASE,
        result([("y", 2), ("x", 1)], "name id"),
        "column_order",
        {"bag_any_column", "superset", "official_set_any_column"},
    ),
    "integers as floats": (BASE, result([(1.0, "x"), (2.0, "y")], "id name"), "numeric_type", None),
    "integers as decimals": (
        BASE,
        result([(Decimal("1.00"), "x"), (Decimal("2.00"), "y")], "id name"),
        "numeric_type",
        None,
    ),
    "noise of floats": (column(0.3), column(0.1 + 0.2), "rounding", None),
    "a division of decimals": (column(Decimal("0.333333")), column(1 / 3), "rounding", None),
    "rounded to five decimals": (column(0.33333), column(1 / 3), "rounding", None),
    "rounded to four decimals": (column(0.3333), column(1 / 3), "different", set()),
    "a further column": (
        BASE,
        result([(1, 7, "x"), (2, 8, "y")], "id more name"),
        "extra_columns",
        {"superset"},
    ),
    "a further column, and another order": (
        BASE,
        result([(8, "y", 2), (7, "x", 1)], "more name id"),
        "extra_columns",
        {"superset"},
    ),
    "a missing column": (BASE, result([(1,), (2,)], "id"), "different", set()),
    "rows that appear twice": (
        BASE,
        result([(1, "x"), (1, "x"), (2, "y")], "id name"),
        "duplicates",
        {"official_set", "official_set_any_column"},
    ),
    "rows that appear twice, columns swapped": (
        BASE,
        result([("x", 1), ("x", 1), ("y", 2)], "name id"),
        "duplicates",
        {"official_set_any_column"},
    ),
    "another value": (BASE, result([(1, "x"), (3, "y")], "id name"), "different", set()),
    "another pairing of the same values": (
        BASE,
        result([(1, "y"), (2, "x")], "id name"),
        "different",
        set(),
    ),
    "a missing row": (BASE, result([(1, "x")], "id name"), "different", set()),
    "nothing and nothing": (result([], "id"), result([], "id"), "equal", None),
    "nothing against a row": (result([], "id"), column(1), "different", set()),
    "nothing, with a further column": (
        result([], "id"),
        result([], "more id"),
        "extra_columns",
        {"superset", "official_set", "official_set_any_column"},
    ),
    "a text that reads like the date": (
        column(date(2024, 1, 31)),
        column("2024-01-31"),
        "different",
        {"official_set", "official_set_any_column"},
    ),
}
FAILED = Execution(status="sql_error", error="no such column")
ALL = frozenset(POLICIES)


@pytest.mark.parametrize(
    ("expected", "produced", "step", "_right_under"), LADDER.values(), ids=LADDER
)
def test_results_meet_on_the_step_of_their_gravest_difference(
    expected, produced, step, _right_under
):
    assert compare(expected, produced).step == step


@pytest.mark.parametrize(
    ("expected", "produced", "_step", "right_under"), LADDER.values(), ids=LADDER
)
def test_the_policy_decides_what_is_right(expected, produced, _step, right_under):
    right = {p for p in POLICIES if compare(expected, produced, policy=p).is_correct}
    assert right == (ALL if right_under is None else right_under)


@pytest.mark.parametrize(
    ("policy", "produced", "step"),
    [
        ("bag", result([("y", 2), ("x", 1)], "name id"), "column_order"),
        ("bag", result([("x", 1.0), ("y", 2.0)], "name id"), "column_order"),
        ("official_set", result([("x", 1), ("x", 1), ("y", 2)], "name id"), "column_order"),
        ("official_set", result([(1, "x"), (1, "x"), (2, "y")], "id name"), "duplicates"),
        ("official_set", result([(1.000004, "x"), (2, "y")], "id name"), "official_rule"),
        ("official_set", result([(1.00006, "x"), (2, "y")], "id name"), "different"),
    ],
    ids=str,
)
def test_a_wrong_result_is_named_after_what_is_not_forgiven(policy, produced, step):
    assert compare(BASE, produced, policy=policy).step == step


def test_row_order_counts_where_it_is_asked_for():
    reverse = result([(2, "y"), (1, "x")], "id name")
    for policy in ("bag", "bag_any_column", "superset"):
        comparison = compare(BASE, reverse, policy=policy, is_ordered=True)
        assert (comparison.step, comparison.is_correct) == ("row_order", False)
        assert compare(BASE, BASE, policy=policy, is_ordered=True).is_correct


def test_row_order_never_counts_officially():
    reverse = result([(2, "y"), (1, "x")], "id name")
    assert compare(BASE, reverse, policy="official_set", is_ordered=True).is_correct


def test_rows_in_order_may_have_their_columns_swapped():
    swapped = result([("x", 1), ("y", 2)], "name id")
    assert compare(BASE, swapped, is_ordered=True).is_correct
    swapped_and_reversed = result([("y", 2), ("x", 1)], "name id")
    assert compare(BASE, swapped_and_reversed, is_ordered=True).step == "row_order"


def test_an_arrangement_in_order_is_found_where_another_fits_only_as_a_bag():
    expected = result([(1, 2, 1), (2, 1, 2), (1, 2, 2)], "a b c")
    produced = result([(1, 1, 2), (2, 2, 1), (2, 1, 2)], "x y z")
    assert compare(expected, produced, is_ordered=True).step == "column_order"


@pytest.mark.parametrize("policy", POLICIES)
def test_a_result_that_is_missing_is_never_right(policy):
    for expected, produced in ((BASE, FAILED), (FAILED, BASE), (FAILED, FAILED)):
        comparison = compare(expected, produced, policy=policy)
        assert (comparison.step, comparison.is_correct) == ("not_comparable", False)
    assert "produced query gave no result (sql_error)" in compare(BASE, FAILED).detail


def test_an_unknown_policy_is_an_error():
    with pytest.raises(ValueError, match=r"exact.*known: bag"):
        compare(BASE, BASE, policy="exact")


def test_every_step_that_comparison_gives_is_on_the_ladder():
    steps = {
        compare(expected, produced, policy=policy).step
        for expected, produced, *_ in LADDER.values()
        for policy in POLICIES
    }
    assert steps <= set(STEPS)
    assert set(STEPS) - steps == {"identical_sql", "tie_cut_by_limit", "not_comparable"}


def test_columns_that_cannot_be_told_apart_in_time_are_not_comparable(monkeypatch):
    monkeypatch.setattr("transforms.column_matching.MAX_ROWS_VISITED", 5)
    expected = result([(1, 2, 3), (2, 3, 1), (3, 1, 2)])
    produced = result([(2, 1, 3), (1, 3, 2), (3, 2, 1)])
    comparison = compare(expected, produced)
    assert (comparison.step, comparison.is_correct) == ("not_comparable", False)
    assert "could not be told apart in time" in comparison.detail


def test_the_detail_counts_and_names_kinds_but_shows_no_values():
    expected = result([(date(2024, 1, 31), "secret"), (date(2024, 2, 29), "other")])
    produced = result([("2024-01-31", "secret"), ("2024-02-29", "hidden")])
    detail = compare(expected, produced).detail
    assert "2 expected rows are missing" in detail
    assert "column 1 is date against string" in detail
    assert not any(value in detail for value in ("secret", "other", "hidden", "2024"))


# Values that are the same although they are written in two ways.
SAME_VALUES = {
    "NULL": (None, None),
    "NaN": (NAN, float("nan")),
    "NaN as decimal": (NAN, Decimal("NaN")),
    "negative zero": (-0.0, 0.0),
    "infinity": (float("inf"), Decimal("Infinity")),
    "decimals of two scales": (Decimal("1.5"), Decimal("1.500")),
    "an integer and a decimal": (10**37, Decimal(10**37)),
    "a float and the decimal it reads as": (0.1, Decimal("0.1")),
    "one instant in two zones": (
        datetime(2024, 1, 1, 0, 30, tzinfo=UTC),
        datetime(2024, 1, 1, 1, 30, tzinfo=CET),
    ),
    "binary": (b"ab", bytearray(b"ab")),
    "arrays of numbers": ([1, 2], [1.0, Decimal(2)]),
    "structs with other names of fields": (Row(x=1, y="a"), Row(p=1, q="a")),
    "maps in another order": ({"a": 1, "b": [2]}, {"b": [2.0], "a": 1}),
    "empty arrays": ([], []),
    "months and a year": (SparkValue("months", 12), SparkValue("months", 12)),
    "maps by arrays": ({(1, 2): 1}, {(1.0, 2.0): 1}),
}
# Values that look alike and are not the same.
OTHER_VALUES: dict[str, tuple[Any, Any]] = {
    "NULL and empty text": (None, ""),
    "NULL and the text null": (None, "null"),
    "NULL and zero": (None, 0),
    "NULL and NaN": (None, NAN),
    "NULL and false": (None, False),
    "a text and a number": ("123", 123),
    "a text with leading zeros": ("00123", 123),
    "two texts with one number": ("00123", "123"),
    "upper and lower case": ("A", "a"),
    "spaces at the end": ("a ", "a"),
    "composed and decomposed letters": ("\u00e9", "e\u0301"),
    "true and one": (True, 1),
    "true and its text": (True, "true"),
    "infinities of two signs": (float("inf"), float("-inf")),
    "large integers": (2**63 - 1, 2**63 - 2),
    "large floats": (1e15, 1e15 + 1),
    "amounts of money": (Decimal("1000000000.10"), Decimal("1000000000.11")),
    "amounts of money as floats": (1000000.1, 1000000.11),
    "a FLOAT that became a DOUBLE": (0.1, 0.10000000149011612),
    "small floats": (1e-7, 3e-7),
    "a date and its text": (date(2024, 1, 31), "2024-01-31"),
    "a date and midnight": (date(2024, 1, 31), datetime(2024, 1, 31, tzinfo=UTC)),
    "an instant and a wall clock": (datetime(2024, 1, 1, tzinfo=UTC), datetime(2024, 1, 1)),  # noqa: DTZ001
    "instants a microsecond apart": (
        datetime(2024, 1, 1, tzinfo=UTC),
        datetime(2024, 1, 1, 0, 0, 0, 1, tzinfo=UTC),
    ),
    "a time and its text": (time(1, 2), "01:02:00"),
    "an interval and its seconds": (timedelta(seconds=5), 5),
    "an interval of months and their number": (SparkValue("months", 12), 12),
    "a date and a timestamp that Python has not": (
        SparkValue("date", 3000000),
        SparkValue("timestamp", 3000000),
    ),
    "a variant with spaces": ('{"a":1}', '{"a": 1}'),
    "binary and text": (b"ab", "ab"),
    "arrays in another order": ([1, 2], [2, 1]),
    "arrays with one more": ([1], [1, None]),
    "an array and a struct": ([1, 2], (1, 2)),
    "structs in another order": ((1, "a"), ("a", 1)),
    "maps with another value": ({"a": 1}, {"a": 2}),
    "an empty array and NULL": ([], None),
}


@pytest.mark.parametrize(("one", "other"), SAME_VALUES.values(), ids=SAME_VALUES)
def test_values_are_the_same(one, other):
    assert compare(column(one), column(other)).is_correct
    assert compare(column(other), column(one)).is_correct
    assert result_hash(column(one)) == result_hash(column(other))


@pytest.mark.parametrize(("one", "other"), OTHER_VALUES.values(), ids=OTHER_VALUES)
def test_values_are_not_the_same(one, other):
    assert compare(column(one), column(other)).step == "different"
    assert compare(column(other), column(one)).step == "different"
    assert result_hash(column(one)) != result_hash(column(other))


@pytest.mark.parametrize(
    ("one", "other", "is_same"),
    [
        (1, 1.000004, True),
        (1, 1.00001, False),
        (Decimal("0.1234549"), 0.12345, True),
        (date(2024, 1, 31), "2024-01-31", True),
        (None, "None", False),
        ("5.0", 5.0, False),
        (NAN, NAN, True),
        (True, "True", True),
        ([1.000001], [1], True),
    ],
    ids=str,
)
def test_the_official_rule_decides_values(one, other, is_same):
    assert compare(column(one), column(other), policy="official_set").is_correct is is_same


@pytest.mark.parametrize(
    ("single", "other", "is_same"),
    [
        (0.33333334, 1 / 3, True),
        (12345.67, 12345.68, False),
        (0.1, 0.10000001, True),
        (0.1, 0.1000001, False),
        (16777216.0, 16777217, False),
    ],
)
def test_a_float_meets_what_it_cannot_be_told_from(single, other, is_same):
    one = replace(column(single), data_types=("float",))
    assert compare(one, column(other)).is_correct is is_same
    assert compare(column(other), one).is_correct is is_same


def test_numbers_meet_across_a_whole_result_without_hiding_a_change():
    expected = column(0.33333, 0.333329, 5.0)
    assert not compare(expected, column(0.33333, 0.333331, 5.0)).is_correct
    assert not compare(expected, column(0.33333, 0.333329, 5.1)).is_correct


THREE_TENTHS = 0.3, 0.1 + 0.2


def test_noise_is_noise_also_beside_the_same_number_without_it():
    groups = result([("a", THREE_TENTHS[1]), ("b", THREE_TENTHS[0])], "name total")
    otherwise = result([("a", THREE_TENTHS[0]), ("b", THREE_TENTHS[1])], "name total")
    assert compare(groups, otherwise).step == "rounding"
    assert compare(column(*THREE_TENTHS), column(0.3, 0.3)).step == "rounding"
    assert not compare(column(*THREE_TENTHS), column(0.3, 0.3001)).is_correct


@given(
    st.lists(st.lists(st.integers(1, 999), min_size=2, max_size=8), min_size=1, max_size=12),
    st.randoms(use_true_random=False),
)
def test_sums_of_groups_meet_in_whatever_order_they_are_added_up(groups, random):
    def sums():
        rows = []
        for number, cents in enumerate(groups):
            shuffled = random.sample(cents, len(cents))
            rows.append((number, reduce(operator.add, (cent / 100 for cent in shuffled), 0.0)))
        return result(rows, "name total")

    one, other = sums(), sums()
    assert compare(one, other).is_correct
    name, total = one.rows[0]
    changed = replace(other, rows=((name, total + 0.01), *other.rows[1:]))
    assert not compare(one, changed).is_correct


def test_a_number_that_both_have_is_not_another_one_rounded():
    assert not compare(column(0.333333, 0.33333), column(0.333333, 0.333333)).is_correct


def test_whole_numbers_never_meet_by_way_of_a_fraction():
    expected = column(10.0**13, 10.0**13 + 0.5)
    assert not compare(expected, column(10.0**13 + 1, 10.0**13 + 0.5)).is_correct


def test_the_hash_leaves_out_order_names_and_types_but_not_duplicates():
    assert result_hash(BASE) == result_hash(result([(2.0, "y"), (Decimal(1), "x")], "p q"))
    assert result_hash(BASE) != result_hash(result([(1, "x"), (2, "y"), (2, "y")]))
    assert result_hash(BASE) != result_hash(result([("x", 1), ("y", 2)]))
    assert result_hash(column(0.1 + 0.2)) == result_hash(column(0.3))


def test_the_hash_is_the_same_in_every_process():
    values = result([(1, {"b": 1.5, "a": None}, date(2024, 1, 31), ["x"])])
    known = "39bb07264ed4934b31b43aee18de7d54b9564cde1a9661aeab570994803f0457"
    assert result_hash(values) == known


def test_a_missing_result_has_no_hash():
    assert result_hash(FAILED) is None
