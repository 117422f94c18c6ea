"""Values of a result as digests, made on the executors by the code that compares values."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import Any

from pyspark.sql import DataFrame
from pyspark.sql import functions as F
from pyspark.sql.types import StructType

from pipelines.result_rows import row_reader
from transforms.result_values import (
    Number,
    decimal_of,
    decimal_text,
    is_single_precision,
    key_text,
    kind_of,
    number_type,
    official_key,
    taken_apart,
    tolerance_of,
)

_DDL = (
    "exact ARRAY<STRING>, numeric ARRAY<STRING>, official ARRAY<STRING>, kinds ARRAY<STRING>, "
    "shapes ARRAY<STRING>, "
    "numbers ARRAY<ARRAY<STRUCT<text: STRING, tolerance: STRING>>>"
)


def digested(rows: DataFrame, schema: StructType, *, is_official: bool) -> DataFrame:
    """One row for each row of ``plain_rows``, in their order; ``schema`` is the result's own.

    ``at`` (BIGINT) rises with the rows. The others hold one item per column: ``exact``,
    ``numeric`` and ``official`` are digests that are equal where values are the same at the level
    (``official`` is empty where it is not asked for), ``kinds`` the kinds of values, ``shapes``
    digests of values without their ``numbers``, which are canonical texts with tolerances.
    """
    digest = F.udf(_digester(schema, is_official=is_official), _DDL, useArrow=False)
    named = rows.toDF(*(f"c{at}" for at in range(len(schema))))
    found = named.select(
        F.monotonically_increasing_id().alias("at"),
        digest(F.struct(*named.columns)).alias("digests"),
    )
    return found.select("at", "digests.*")


def _digester(schema: StructType, *, is_official: bool) -> Callable[[Any], Any]:
    read = row_reader(schema)
    singles = [is_single_precision(field.dataType.simpleString()) for field in schema]

    def digests(row: Any) -> tuple[list[Any], ...]:
        values = read(row)
        columns = [
            _digests(value, is_single=single, is_official=is_official)
            for value, single in zip(values, singles, strict=True)
        ]
        exact, numeric, official, kinds, shapes, numbers = (
            list(items) for items in zip(*columns, strict=True)
        )
        return exact, numeric, official, kinds, shapes, numbers

    return digests


def _digests(value: Any, *, is_single: bool, is_official: bool) -> tuple[Any, ...]:
    shape, numbers = taken_apart(value)
    texts = [decimal_text(decimal_of(number)) for number in numbers]
    written = key_text(shape)
    return (
        _digest(f"{written}{texts}{[number_type(number) for number in numbers]}"),
        _digest(f"{written}{texts}"),
        _digest(key_text(official_key(value))) if is_official else "",
        kind_of(value),
        _digest(written),
        [
            (text, _tolerance(number, is_single=is_single))
            for text, number in zip(texts, numbers, strict=True)
        ],
    )


def _tolerance(number: Number, *, is_single: bool) -> str | None:
    """How far a number may be from one that meets it; None for one that only meets itself."""
    is_finite = not isinstance(decimal_of(number), str)
    return str(tolerance_of(number, is_single=is_single)) if is_finite else None


def _digest(text: str) -> str:
    return hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=16).hexdigest()
