"""Profiles of columns: the rows of one pass over a table, read as what is known of its values."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F
from pyspark.sql.types import BinaryType, NumericType, StringType, StructType

from transforms.space_state import ColumnProfile

MAX_SAMPLE = 200  # values kept per column
MAX_SAMPLE_LENGTH = 200  # characters; a longer value is not kept, and the sample not complete
FORMAT_SHARE = 0.9  # share of the sampled values that must follow a pattern
_FEWEST_FOR_A_FORMAT = 3


def column_values(table_name: str, table: DataFrame) -> DataFrame:
    """Every value of a table, one row each, so that several tables are counted in one pass.

    Columns: ``table_name`` (STRING), ``ordinal`` of its column (INT, from 0), ``sort_key`` (DOUBLE,
    what numbers are ordered by), ``value`` (STRING).
    """
    values = table.select(F.explode(_as_pairs(table.schema)).alias("v")).select("v.*")
    return values.select(F.lit(table_name).alias("table_name"), "*")


def value_counts(values: DataFrame) -> DataFrame:
    """One row per column of what ``column_values`` gives of one or more tables.

    Columns: ``table_name`` (STRING), ``ordinal`` (INT, from 0), ``row_count``, ``distinct_count``
    and ``null_count`` (BIGINT), ``min_value``, ``max_value`` (STRING), ``sample_values``
    (ARRAY<STRING>, most frequent first, then in order of the text), ``sampled_distinct`` (BIGINT).
    A table without rows gives no row.
    """
    column = ("table_name", "ordinal")
    counted = values.groupBy(*column, "sort_key", "value").agg(F.count("*").alias("times"))
    by_frequency = Window.partitionBy(*column).orderBy(
        F.col("value").isNull() | (F.length("value") > MAX_SAMPLE_LENGTH),
        F.desc("times"),
        F.asc("value"),
    )
    ranked = counted.withColumn("rank", F.row_number().over(by_frequency))
    is_sampled = (
        F.col("value").isNotNull()
        & (F.length("value") <= MAX_SAMPLE_LENGTH)
        & (F.col("rank") <= MAX_SAMPLE)
    )
    order = F.struct("sort_key", "value")
    sampled = F.sort_array(F.collect_list(F.when(is_sampled, F.struct("rank", "value"))))
    return ranked.groupBy(*column).agg(
        F.sum("times").alias("row_count"),
        F.count("value").alias("distinct_count"),
        F.coalesce(F.sum(F.when(F.col("value").isNull(), F.col("times"))), F.lit(0)).alias(
            "null_count"
        ),
        F.min(F.when(F.col("value").isNotNull(), order))["value"].alias("min_value"),
        F.max(F.when(F.col("value").isNotNull(), order))["value"].alias("max_value"),
        F.transform(sampled, lambda pair: pair["value"]).alias("sample_values"),
        F.count_if(is_sampled).alias("sampled_distinct"),
    )


def _as_pairs(schema: StructType) -> Column:
    """Every value of a row as its text, with its column's ordinal and a number to sort it by."""
    pairs = []
    for ordinal, field in enumerate(schema.fields):
        column = F.col(f"`{field.name}`")
        is_number = isinstance(field.dataType, NumericType)
        is_binary = isinstance(field.dataType, BinaryType)
        sort_key = column.cast("double") if is_number else F.lit(None).cast("double")
        text = F.hex(column) if is_binary else column.cast("string")
        pairs.append(
            F.struct(
                F.lit(ordinal).alias("ordinal"), sort_key.alias("sort_key"), text.alias("value")
            )
        )
    return F.array(*pairs)


def value_format(values: Sequence[str], data_type: str) -> str | None:
    """The pattern that most of these values of a text column follow, as a regular expression."""
    if data_type.lower() != StringType().simpleString() or len(values) < _FEWEST_FOR_A_FORMAT:
        return None
    patterns = Counter(_pattern(value) for value in values)
    pattern, count = max(patterns.items(), key=lambda item: (item[1], item[0]))
    return pattern if count >= FORMAT_SHARE * len(values) else None


def _pattern(value: str) -> str:
    """Runs of digits, capitals and small letters by their length; the rest as it stands."""
    parts = []
    for run in re.findall(r"[0-9]+|[A-Z]+|[a-z]+|[^0-9A-Za-z]", value):
        if run[0].isascii() and run[0].isdigit():
            kind = "[0-9]"
        elif run[0].isascii() and run[0].isalpha():
            kind = "[A-Z]" if run[0].isupper() else "[a-z]"
        else:
            parts.append(re.escape(run))
            continue
        parts.append(kind if len(run) == 1 else f"{kind}{{{len(run)}}}")
    return "".join(parts)


def column_profiles(rows: Sequence[Mapping[str, Any]]) -> dict[str, ColumnProfile]:
    """Rows of ``profiles`` by canonical column (``schema.table.column`` in lower case)."""

    def profile(row: Mapping[str, Any]) -> ColumnProfile:
        return ColumnProfile(
            column=f"{row['table_name']}.{row['column_name']}",
            row_count=row["row_count"],
            distinct_count=row["distinct_count"],
            null_count=row["null_count"],
            min_value=row["min_value"],
            max_value=row["max_value"],
            values=tuple(row["sample_values"] or ()),
            is_complete=row["is_sample_complete"],
            value_format=row["value_format"],
        )

    profiles = [profile(row) for row in rows if row["column_name"] is not None]
    return {profile.column.lower(): profile for profile in profiles}
