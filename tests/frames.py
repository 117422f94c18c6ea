"""Comparing DataFrames in tests: the one wrapper around chispa."""

from __future__ import annotations

from chispa import assert_approx_df_equality, assert_df_equality
from pyspark.sql import DataFrame


def assert_same_rows(
    actual: DataFrame, expected: DataFrame, *, precision: float | None = None
) -> None:
    """Both hold the same rows and columns; row order and nullability do not matter.

    ``precision`` is how far doubles may be apart; without it they must be equal, NaN equals NaN.
    """
    if precision is None:
        assert_df_equality(
            actual,
            expected,
            ignore_row_order=True,
            ignore_nullable=True,
            ignore_metadata=True,
            allow_nan_equality=True,
        )
    else:
        assert_approx_df_equality(
            actual, expected, precision, ignore_row_order=True, ignore_nullable=True
        )
