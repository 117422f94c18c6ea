"""Profiles: one pass over a table says what its columns hold."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest

from transforms.profiling import (
    MAX_SAMPLE,
    MAX_SAMPLE_LENGTH,
    column_values,
    value_counts,
    value_format,
)


def profiled(table):
    return {row["ordinal"]: row.asDict() for row in counted(table)}


def counted(table):
    return value_counts(column_values("shop.orders", table)).collect()


def test_the_columns_of_several_tables_are_counted_in_one_pass(spark):
    one = spark.createDataFrame([(1, "a"), (1, None)], "n INT, t STRING")
    other = spark.createDataFrame([(b"\x01",)], "b BINARY")
    values = column_values("one", one).unionAll(column_values("other", other))
    found = {(r["table_name"], r["ordinal"]): r.asDict() for r in value_counts(values).collect()}
    assert {key: (row["row_count"], row["sample_values"]) for key, row in found.items()} == {
        ("one", 0): (2, ["1"]),
        ("one", 1): (2, ["a"]),
        ("other", 0): (1, ["01"]),
    }


def test_numbers_are_ordered_as_numbers_and_texts_as_texts(spark):
    table = spark.createDataFrame(
        [(9, "9", Decimal("9.50"), date(2024, 1, 2), True), (10, "10", Decimal(-1), None, None),
         (10, "b", None, date(2023, 1, 2), False), (None, None, None, None, False)],
        "n INT, t STRING, d DECIMAL(5,2), day DATE, `is (so)` BOOLEAN",
    )  # fmt: skip
    found = profiled(table)
    assert [(found[i]["min_value"], found[i]["max_value"]) for i in range(5)] == [
        ("9", "10"), ("10", "b"), ("-1.00", "9.50"), ("2023-01-02", "2024-01-02"),
        ("false", "true"),
    ]  # fmt: skip
    assert [found[i]["row_count"] for i in range(5)] == [4] * 5
    assert [found[i]["null_count"] for i in range(5)] == [1, 1, 2, 2, 1]
    assert [found[i]["distinct_count"] for i in range(5)] == [2, 3, 2, 2, 2]
    assert found[0]["sample_values"] == ["10", "9"], "the most frequent comes first"


def test_a_sample_holds_the_most_frequent_values_and_no_overlong_one(spark):
    values = [(f"v{n:04}",) for n in range(MAX_SAMPLE + 5)] + [("often",)] * 3
    values.append(("x" * (MAX_SAMPLE_LENGTH + 1),))
    (found,) = counted(spark.createDataFrame(values, "t STRING"))
    assert found["distinct_count"] == MAX_SAMPLE + 7
    assert found["sample_values"] == ["often"] + [f"v{n:04}" for n in range(MAX_SAMPLE - 1)]


def test_a_table_without_rows_has_no_profile_rows(spark):
    assert counted(spark.createDataFrame([], "a INT, b STRING")) == []


@pytest.mark.parametrize(
    ("values", "data_type", "expected"),
    [
        (["AFG", "DEU", "PER"], "string", "[A-Z]{3}"),
        (["2024-01-02", "2023-10-12", "1999-12-31"], "string", "[0-9]{4}\\-[0-9]{2}\\-[0-9]{2}"),
        (["A", "R", "A"], "string", "[A-Z]"),
        (["Peru", "Germany", "Iran"], "string", None),
        (["AFG", "DEU"], "string", None),
        (["111", "222", "333"], "bigint", None),
        (["AFG"] * 9 + ["x"], "string", "[A-Z]{3}"),
        (["AFG"] * 8 + ["x", "yy"], "string", None),
        (["é", "ü", "ñ"], "string", None),
    ],
)
def test_a_format_is_a_pattern_that_most_values_follow(values, data_type, expected):
    assert value_format(values, data_type) == expected
