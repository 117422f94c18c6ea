"""Executions as JSON and back, value for value: what is read is equal to what was written."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

from transforms.judgement import Execution, SparkValue

_MICROSECOND = timedelta(microseconds=1)
# What JSON has no value for is an object with one key that says what it is.
_WRITERS: dict[type, tuple[str, Callable[[Any], Any]]] = {
    Decimal: ("decimal", str),
    datetime: ("datetime", datetime.isoformat),
    date: ("date", date.isoformat),
    time: ("time", time.isoformat),
    timedelta: ("microseconds", lambda value: value // _MICROSECOND),
    bytes: ("bytes", bytes.hex),
    tuple: ("tuple", lambda value: [_written(item) for item in value]),
    SparkValue: ("spark", lambda value: [value.kind, value.value]),
    dict: ("map", lambda value: [[_written(k), _written(v)] for k, v in value.items()]),
}
_READERS: dict[str, Callable[[Any], Any]] = {
    "decimal": Decimal,
    "datetime": datetime.fromisoformat,
    "date": date.fromisoformat,
    "time": time.fromisoformat,
    "microseconds": lambda value: timedelta(microseconds=value),
    "bytes": bytes.fromhex,
    "spark": lambda value: SparkValue(*value),
    "tuple": lambda value: tuple(_read(item) for item in value),
    "map": lambda value: {_read(k): _read(v) for k, v in value},
}


def execution_to_json(execution: Execution) -> str | None:
    """An execution that has rows, as one line; None when a value is of a type unknown here."""
    if execution.rows is None:
        return None
    try:
        rows = [[_written(value) for value in row] for row in execution.rows]
    except KeyError:
        return None
    content = {"columns": execution.columns, "data_types": execution.data_types, "rows": rows}
    return json.dumps(content, separators=(",", ":"))


def execution_from_json(text: str) -> Execution:
    """What ``execution_to_json`` wrote. Raises ValueError for anything else."""
    try:
        content = json.loads(text)
        return Execution(
            "ok",
            tuple(content["columns"]),
            tuple(content["data_types"]),
            tuple(tuple(_read(value) for value in row) for row in content["rows"]),
        )
    except (ArithmeticError, AttributeError, KeyError, TypeError) as error:
        raise ValueError(f"not an execution: {error!r}") from error


def _written(value: Any) -> Any:
    if value is None or type(value) in (bool, int, float, str):
        return value
    if type(value) is list:
        return [_written(item) for item in value]
    kind, write = _WRITERS[type(value)]
    return {kind: write(value)}


def _read(value: Any) -> Any:
    if isinstance(value, list):
        return [_read(item) for item in value]
    if isinstance(value, dict):
        [(kind, content)] = value.items()
        return _READERS[kind](content)
    return value
