"""Rows of a result as the Python values that ``Execution`` promises, whatever their types.

PySpark cannot hand over everything that Spark can compute: it fails at intervals of months, at maps
that are keyed by arrays, at dates and timestamps with years before 1 or after 9999, and gives a
FLOAT the digits of a DOUBLE. What is of such a type leaves Spark as numbers, or as pairs, and
becomes a value again here.
"""

from __future__ import annotations

import math
import struct
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F
from pyspark.sql.types import (
    ArrayType,
    BinaryType,
    CalendarIntervalType,
    DataType,
    DateType,
    FloatType,
    MapType,
    StructField,
    StructType,
    TimestampType,
    VariantType,
    YearMonthIntervalType,
)

from transforms.judgement import SparkValue

Read = Callable[[Any], Any]

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_DIGITS_OF_FLOAT = range(6, 10)  # six always come back, nine always suffice
_EPOCH_DAY = date(1970, 1, 1).toordinal()
_AS_NUMBERS: dict[type[DataType], Callable[[Column], Column]] = {
    DateType: F.unix_date,
    TimestampType: F.unix_micros,
    YearMonthIntervalType: lambda value: value.cast("interval month").cast("int"),
    CalendarIntervalType: lambda value: value.cast("string"),
}


def plain_rows(result: DataFrame) -> DataFrame:
    """The same rows with every value as something that PySpark hands over; columns by position."""
    if all(_is_plain(field.dataType) for field in result.schema):
        return result
    numbered = result.toDF(*(f"c{position}" for position in range(len(result.columns))))
    return numbered.select(
        *(
            _plain(numbered[f"c{position}"], field.dataType).alias(f"c{position}")
            for position, field in enumerate(result.schema)
        )
    )


def row_reader(schema: StructType) -> Callable[[Any], tuple[Any, ...]]:
    """How a row of ``plain_rows`` becomes values; ``schema`` is that of the result itself."""
    readers = [_or_none(_reader(field.dataType)) for field in schema]
    return lambda row: tuple(read(value) for read, value in zip(readers, row, strict=True))


def _is_plain(data_type: DataType) -> bool:
    """Whether PySpark hands over values of the type as they are."""
    if isinstance(data_type, ArrayType):
        return _is_plain(data_type.elementType)
    if isinstance(data_type, StructType):
        return all(_is_plain(field.dataType) for field in data_type.fields)
    if isinstance(data_type, MapType):
        is_hashable = not isinstance(data_type.keyType, ArrayType | StructType)
        return is_hashable and _is_plain(data_type.keyType) and _is_plain(data_type.valueType)
    return type(data_type) not in _AS_NUMBERS


def _plain(value: Column, data_type: DataType) -> Column:
    if _is_plain(data_type):
        return value
    if isinstance(data_type, ArrayType):
        of_item = data_type.elementType
        return F.transform(value, lambda item: _plain(item, of_item))
    if isinstance(data_type, MapType):
        of_key, of_value = data_type.keyType, data_type.valueType
        return F.transform(
            F.map_entries(value),
            lambda entry: F.struct(
                _plain(entry["key"], of_key).alias("key"),
                _plain(entry["value"], of_value).alias("value"),
            ),
        )
    if isinstance(data_type, StructType):
        # Fields by position: two of them may have one name, and a cast gives them others.
        names = [f"f{position}" for position in range(len(data_type.fields))]
        named = value.cast(
            StructType(
                [
                    StructField(name, field.dataType)
                    for name, field in zip(names, data_type.fields, strict=True)
                ]
            )
        )
        fields = [
            _plain(named.getField(name), field.dataType).alias(name)
            for name, field in zip(names, data_type.fields, strict=True)
        ]
        return F.when(value.isNotNull(), F.struct(*fields))
    return _AS_NUMBERS[type(data_type)](value)


def _reader(data_type: DataType) -> Read:
    """How a plain value, which is not NULL, becomes a value."""
    if isinstance(data_type, ArrayType):
        read = _or_none(_reader(data_type.elementType))
        return lambda value: [read(item) for item in value]
    if isinstance(data_type, MapType):
        return _map_reader(data_type)
    if isinstance(data_type, StructType):
        return row_reader(data_type)
    return _READERS.get(type(data_type), lambda value: value)


def _map_reader(data_type: MapType) -> Read:
    read_key, read = _reader(data_type.keyType), _or_none(_reader(data_type.valueType))
    is_plain = _is_plain(data_type)

    def entries(value: Any) -> Any:
        return value.items() if is_plain else value

    return lambda value: {_hashable(read_key(k)): read(item) for k, item in entries(value)}


def _hashable(key: Any) -> Any:
    return tuple(_hashable(item) for item in key) if isinstance(key, list | tuple) else key


def _or_none(read: Read) -> Read:
    return lambda value: None if value is None else read(value)


def _date(days: int) -> date | SparkValue:
    ordinal = days + _EPOCH_DAY
    if date.min.toordinal() <= ordinal <= date.max.toordinal():
        return date.fromordinal(ordinal)
    return SparkValue("date", days)


def _timestamp(microseconds: int) -> datetime | SparkValue:
    try:
        return _EPOCH + timedelta(microseconds=microseconds)
    except OverflowError:
        return SparkValue("timestamp", microseconds)


def _float(value: float) -> float:
    """The number that a FLOAT is written as: 0.1, and not 0.10000000149011612."""
    if not math.isfinite(value):
        return value
    for digits in _DIGITS_OF_FLOAT:
        shown = float(f"{value:.{digits}g}")
        if struct.unpack("f", struct.pack("f", shown))[0] == value:
            return shown
    return value


_READERS: dict[type[DataType], Read] = {
    DateType: _date,
    TimestampType: _timestamp,
    YearMonthIntervalType: lambda value: SparkValue("months", value),
    CalendarIntervalType: lambda value: SparkValue("interval", value),
    FloatType: _float,
    BinaryType: bytes,
    VariantType: lambda value: value.toJson(),
}
