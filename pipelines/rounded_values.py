"""Results in Spark at the level ``rounded``: numbers that meet get one key.

The same as ``transforms.result_values.NumberMatcher``, whose code decides which numbers meet. It is
only run where numbers of both results stand so close that some may.
"""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from functools import reduce

import pyarrow as pa
from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F

from transforms.result_values import (
    FLOAT_NOISE,
    FLOAT_NOISE_SHARE,
    decimal_text,
    meeting,
)

_SLACK = 1e-9  # DOUBLEs stand for decimals where runs are told apart; never too narrowly
_GROUPS = 256
_KEY_DDL = "text STRING, key STRING"


def rounded(
    expected: DataFrame, produced: DataFrame, keep: Callable[[DataFrame], DataFrame]
) -> tuple[DataFrame, DataFrame] | None:
    """Both results with ``at`` and ``keys``, one key for numbers that meet; None: none do.

    The frames are those of ``value_digests.digested``; ``keep`` makes one that is computed once.
    """
    keys = keep(_met(_numbers(expected, produced)))
    if keys.isEmpty():
        return None
    return keep(_rekeyed(expected, keys)), keep(_rekeyed(produced, keys))


def _numbers(expected: DataFrame, produced: DataFrame) -> DataFrame:
    """The numbers of both results: ``text``, ``is_ours``, ``is_theirs``, ``tolerance``."""
    sides = [
        frame.select(F.explode(F.flatten("numbers")).alias("number"))
        .select("number.*", F.lit(is_ours).alias("is_ours"))
        .where(F.col("tolerance").isNotNull())
        for frame, is_ours in ((expected, True), (produced, False))
    ]
    by_size = F.struct(F.col("tolerance").cast("double"), F.col("tolerance"))
    return (
        reduce(DataFrame.unionAll, sides)
        .groupBy("text")
        .agg(
            F.max(by_size)["tolerance"].alias("tolerance"),
            F.max("is_ours").alias("is_ours"),
            F.max(~F.col("is_ours")).alias("is_theirs"),
        )
    )


def _met(found: DataFrame) -> DataFrame:
    """The key of each number that meets others."""
    value = F.col("text").cast("double")
    tolerance = F.col("tolerance").cast("double")
    noise = F.least(
        tolerance, F.greatest(F.abs(value) * float(FLOAT_NOISE_SHARE), F.lit(float(FLOAT_NOISE)))
    )
    # What both results have meets others by noise alone.
    widest = F.when(F.col("is_ours") & F.col("is_theirs"), noise).otherwise(tolerance)
    reach = widest * (1 + _SLACK) + F.abs(value) * 1e-15
    order = [value, F.col("text")]
    before = Window.orderBy(*order).rowsBetween(Window.unboundedPreceding, -1)
    after = Window.orderBy(*(key.desc() for key in order)).rowsBetween(
        Window.unboundedPreceding, Window.currentRow
    )
    # A run ends where nothing below reaches up to a number, and nothing from it on reaches below.
    is_start = F.coalesce(
        (F.max(value + reach).over(before) < value)
        & (F.max(value).over(before) < F.min(value - reach).over(after)),
        F.lit(True),
    )
    started = found.withColumn("is_start", is_start)
    numbered = started.withColumn(
        "run",
        F.count_if("is_start").over(
            Window.orderBy(*order).rowsBetween(Window.unboundedPreceding, Window.currentRow)
        ),
    )
    sizes = numbered.groupBy("run").agg(F.count("*").alias("number_count"))
    close = numbered.join(sizes.where("number_count > 1").select("run"), on="run", how="inner")
    # No number of one run meets any of another, so that many may be looked at together.
    return close.groupBy(F.pmod("run", F.lit(_GROUPS)).alias("g")).applyInArrow(_keys, _KEY_DDL)


def _keys(runs: pa.Table) -> pa.Table:
    sides: tuple[dict[Decimal, Decimal], dict[Decimal, Decimal]] = ({}, {})
    for number in runs.select(["text", "is_ours", "is_theirs", "tolerance"]).to_pylist():
        for side, is_there in zip(sides, (number["is_ours"], number["is_theirs"]), strict=True):
            if is_there:
                side[Decimal(number["text"])] = Decimal(number["tolerance"])
    keys = {
        decimal_text(number): decimal_text(min(group))
        for group in meeting(*sides)
        for number in group
    }
    columns = [pa.array(list(texts), pa.string()) for texts in (keys.keys(), keys.values())]
    return pa.Table.from_arrays(columns, names=["text", "key"])


def _rekeyed(digests: DataFrame, keys: DataFrame) -> DataFrame:
    values = digests.select("at", F.posexplode(F.arrays_zip("shapes", "numbers")).alias("c", "v"))
    numbers = values.select("at", "c", F.posexplode("v.numbers").alias("p", "number"))
    keyed = (
        numbers.join(keys, numbers["number.text"] == keys["text"], how="left")
        .groupBy("at", "c")
        .agg(_in_order("p", F.coalesce(keys["key"], numbers["number.text"])).alias("numbers"))
    )
    shaped = values.select("at", "c", F.col("v.shapes").alias("shape"))
    joined = shaped.join(keyed, on=["at", "c"], how="left")
    key = F.md5(F.concat_ws("|", "shape", "numbers"))
    return joined.groupBy("at").agg(_in_order("c", key).alias("keys"))


def _in_order(by: str, value: Column) -> Column:
    pairs = F.sort_array(F.collect_list(F.struct(F.col(by).alias("by"), value.alias("value"))))
    return F.transform(pairs, lambda pair: pair["value"])
