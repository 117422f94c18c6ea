"""Parameters of a statement: texts with a SQL type, turned into values."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from typing import Any

from genie.local.api_errors import invalid
from genie.local.seams import SqlValue


def _boolean(text: str) -> bool:
    if text.lower() not in ("true", "false"):
        raise ValueError(text)
    return text.lower() == "true"


_READERS: dict[str, Callable[[str], SqlValue]] = {
    "STRING": str,
    "INT": int,
    "BIGINT": int,
    "SMALLINT": int,
    "TINYINT": int,
    "DOUBLE": float,
    "FLOAT": float,
    "BOOLEAN": _boolean,
    "DECIMAL": Decimal,
    "DATE": date.fromisoformat,
    "TIMESTAMP": datetime.fromisoformat,
}


def read_parameters(raw: Any) -> Mapping[str, SqlValue]:
    """The values by name of the ``parameters`` of a request. Raises ApiError (400)."""
    if raw is None:
        return {}
    if not isinstance(raw, list) or not all(isinstance(item, dict) for item in raw):
        raise invalid("parameters must be an array of objects with name, value and perhaps type")
    values: dict[str, SqlValue] = {}
    for item in raw:
        name, text, type_text = item.get("name"), item.get("value"), item.get("type") or "STRING"
        if not isinstance(name, str) or not name:
            raise invalid("a parameter must have a name; positions (?) are not supported")
        if name in values:
            raise invalid(f"parameter {name} is given twice")
        values[name] = None if text is None else _value(name, text, type_text)
    return values


def _value(name: str, text: Any, type_text: Any) -> SqlValue:
    base = str(type_text).partition("(")[0].strip().upper()
    reader = _READERS.get(base)
    if reader is None:
        known = ", ".join(sorted(_READERS))
        raise invalid(f"parameter {name} has the type {type_text}; known types are {known}")
    try:
        return reader(str(text))
    except (ValueError, InvalidOperation) as error:
        raise invalid(f"parameter {name}: {str(text)!r} is no {type_text}") from error
