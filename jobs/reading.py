"""Reads the history's tables without a JVM: delta-rs opens them, DataFusion runs the views.

Reading takes no lock: each query sees one snapshot of each table it names.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jobs.delta_log import BEFORE_ANY_VERSION, latest_version
from jobs.home import Home
from transforms.contracts import BY_NAME, Field
from transforms.errors import MissingRuntimeError
from transforms.views import VIEWS

if TYPE_CHECKING:
    from arro3.core import Array, RecordBatch

SCHEMA = "genie_loop"

Row = dict[str, Any]
Parameter = str | int | Sequence[str] | None

_AS_MADE = "_as_made"
_PARAMETER = re.compile(r"(?<!:):([a-z_]+)\b")


class History:
    """The tables of one home, to be read."""

    def __init__(self, home: Home, *, schema: str = SCHEMA) -> None:
        self.home = home
        self.schema = schema

    @property
    def is_there(self) -> bool:
        """Whether any table of the history was ever created."""
        return any(self._version(name) != BEFORE_ANY_VERSION for name in BY_NAME)

    def path(self, table: str) -> Path:
        """Folder of a table."""
        return self.home.table_path(self.schema, table)

    def select(self, sql: str, **parameters: Parameter) -> list[Row]:
        """The rows of a query over tables of the contracts and views, as plain Python values.

        ``:name`` in the query stands for the parameter of that name; a sequence becomes a list for
        IN. Timestamps come as aware UTC times. Raises MissingRuntimeError naming a table that the
        query needs and that is not there.
        """
        from deltalake import DeltaTable, QueryBuilder

        views = views_for(sql)
        builder = QueryBuilder()
        whole = []
        for name in sorted(_words(" ".join(views) + sql) & BY_NAME.keys()):
            if self._version(name) == BEFORE_ANY_VERSION:
                raise MissingRuntimeError(
                    f"the table {name} is not there",
                    where=str(self.home.root),
                    remedy="create it: genie-loop tables create",
                )
            opened = DeltaTable(self.path(name))
            columns = {field.name for field in opened.schema().fields}
            lacks = [field for field in BY_NAME[name].added if field.name not in columns]
            if lacks:
                builder.register(name + _AS_MADE, opened)
                whole.append(_with_columns(name, lacks))
            else:
                builder.register(name, opened)
        query = _after([*whole, *views], bind(sql, parameters))
        batches: list[RecordBatch] = builder.execute(query).read_all().to_batches()
        return [row for batch in batches for row in _rows(batch)]

    def _version(self, table: str) -> int:
        return latest_version(self.path(table))


def _with_columns(table: str, lacks: Sequence[Field]) -> str:
    """The table under its name, with NULL for columns that an earlier version made it without."""
    nulls = ", ".join(f"CAST(NULL AS {field.data_type}) AS {field.name}" for field in lacks)
    return f"{table} AS (SELECT *, {nulls} FROM {table}{_AS_MADE})"


def _after(named: Sequence[str], sql: str) -> str:
    return f"WITH {', '.join(named)} {sql}" if named else sql


def views_for(sql: str) -> list[str]:
    """The views that a query needs, by name: those that it names, and the ones that they name."""
    wanted = _words(sql)
    needed = []
    for view in reversed(VIEWS):  # a view names only those before it
        if view.name in wanted:
            wanted |= _words(view.sql)
            needed.append(f"{view.name} AS ({view.sql.strip()})")
    return needed[::-1]


def bind(sql: str, parameters: Mapping[str, Parameter]) -> str:
    """The query with each ``:name`` replaced by its parameter as a literal.

    Raises KeyError for a name without a parameter.
    """
    return _PARAMETER.sub(lambda found: _literal(parameters[found[1]]), sql)


def _literal(value: Parameter) -> str:
    if value is None:
        return "NULL"
    if isinstance(value, int):
        return str(int(value))
    if isinstance(value, str):
        # Standard SQL, which DataFusion reads by default: only the quote itself is special.
        return "'" + value.replace("'", "''") + "'"
    return f"({', '.join(_literal(item) for item in value) or 'NULL'})"


def _words(sql: str) -> set[str]:
    return set(re.findall(r"\w+", sql))


def _rows(batch: RecordBatch) -> Iterator[Row]:
    names = batch.column_names
    columns = [_values(batch.column(name)) for name in names]
    for values in zip(*columns, strict=True):
        yield dict(zip(names, values, strict=True))


def _values(column: Array) -> list[Any]:
    values = list(column.to_pylist())
    if _is_map(column):
        return [None if pairs is None else dict(pairs) for pairs in values]
    return values


def _is_map(column: Array) -> bool:
    from arro3.core import DataType

    return bool(DataType.is_map(column.type))
