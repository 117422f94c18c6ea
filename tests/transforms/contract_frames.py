"""Small DataFrames of contract rows: a test names the columns it is about, the rest is NULL."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from pyspark.sql import DataFrame, SparkSession

from transforms.contracts import Table


def frame(
    spark: SparkSession,
    table: Table,
    rows: Sequence[Mapping[str, Any]],
    *,
    also: Mapping[str, str] | None = None,
) -> DataFrame:
    """Rows of a table's columns and of the columns in ``also`` (name to type), all nullable."""
    types = {field.name: field.data_type for field in table.fields} | dict(also or {})
    unknown = {name for row in rows for name in row} - types.keys()
    assert not unknown, f"no columns of {table.name}: {unknown}"
    schema = ", ".join(f"{name} {data_type}" for name, data_type in types.items())
    return spark.createDataFrame([tuple(row.get(name) for name in types) for row in rows], schema)
