"""Describes the assets of a space to the engine, as a SQL backend knows them."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

import yaml

from genie.catalog import (
    Member,
    Relation,
    Routine,
    Row,
    RunSql,
    StatementFailedError,
    name_parts,
    quoted,
    quoted_part,
    read_relation,
    read_routine,
)
from genie.local.engine.catalog import (
    CatalogColumn,
    CatalogDescription,
    CatalogDimension,
    CatalogForeignKey,
    CatalogFunction,
    CatalogMeasure,
    CatalogMetricView,
    CatalogParameter,
    CatalogTable,
)
from genie.local.seams import SqlBackend, SqlFailedError, SqlRequest

MAX_VALUES = 1_024
MAX_VALUE_LENGTH = 127
_AT_ONCE = 4  # objects; each is a statement or two that mostly wait for the catalog
_T = TypeVar("_T")
_Key = TypeVar("_Key")


def sql_of(backend: SqlBackend) -> RunSql:
    """Runs statements on a backend; for those whose values are all texts."""

    def run(sql: str) -> Sequence[Row]:
        try:
            return backend.execute(SqlRequest(sql, uuid.uuid4().hex)).rows
        except SqlFailedError as error:
            raise StatementFailedError(error.what, where=sql, sql_state=error.sql_state) from error

    return run


class LiveCatalog:
    """Reads each object, and the values of each column, once; ``renewed`` reads again.

    ``marks`` are what tables are recognized by, as they were before anything was read.
    """

    def __init__(self, backend: SqlBackend, marks: Mapping[str, object] | None = None) -> None:
        self._backend = backend
        self._run = sql_of(backend)
        self._marks = dict(marks or {})
        self._relations: dict[str, Relation | None] = {}
        self._routines: dict[str, Routine | None] = {}
        self._values: dict[tuple[str, str], tuple[str, ...]] = {}

    def renewed(self, marks: Mapping[str, object]) -> LiveCatalog:
        """Another one that knows of this one's tables those whose mark is still the same."""
        new = LiveCatalog(self._backend, marks)

        def is_same(identifier: str) -> bool:
            name = ".".join(name_parts(identifier)[-2:]).lower()
            return name in marks and self._marks.get(name) == marks[name]

        # Delta's log is there before the catalog's entry: what was not there may be there now.
        new._relations = {
            name: one for name, one in self._relations.items() if one is not None and is_same(name)
        }
        new._values = {key: values for key, values in self._values.items() if is_same(key[0])}
        return new

    def describe(self, document: Mapping[str, Any]) -> CatalogDescription:
        """The assets that a ``serialized_space`` names, as far as they are there.

        Columns have their values where entity matching is on: at most 1,024 of them, the first in
        their order, none longer than 127 characters. Raises StatementFailedError when something
        that is there cannot be read.
        """
        tables: list[CatalogTable] = []
        views: list[CatalogMetricView] = []
        sources = list(_sources(document))
        with ThreadPoolExecutor(_AT_ONCE, thread_name_prefix="describe") as pool:
            described = list(pool.map(self._described, *zip(*sources, strict=True)))
        for relation, values in described:
            if relation is None:
                continue
            if relation.kind == "metric_view":
                views.append(_metric_view(relation, values))
            else:
                tables.append(_table(relation, values))
        instructions = document.get("instructions") or {}
        routines = [
            _once(self._routines, item["identifier"], self._read_routine)
            for item in instructions.get("sql_functions") or ()
        ]
        functions = tuple(_function(routine) for routine in routines if routine is not None)
        return CatalogDescription(tuple(tables), tuple(views), functions)

    def _described(
        self, identifier: str, matched: frozenset[str]
    ) -> tuple[Relation | None, Mapping[str, tuple[str, ...]]]:
        """An object, and the values of the columns that are ``matched``."""
        relation = _once(self._relations, identifier, self._read_relation)
        if relation is None:
            return None, {}
        return relation, {
            column.name: self._values_of(identifier, column.name)
            for column in relation.columns
            if column.name.lower() in matched
        }

    def _read_relation(self, identifier: str) -> Relation | None:
        return read_relation(self._run, identifier)

    def _read_routine(self, identifier: str) -> Routine | None:
        return read_routine(self._run, identifier)

    def _values_of(self, identifier: str, column: str) -> tuple[str, ...]:
        def read(key: tuple[str, str]) -> tuple[str, ...]:
            name, column = key
            # Grouped, because Spark cannot plan SELECT DISTINCT over a metric view.
            rows = self._run(
                f"SELECT CAST(v AS STRING) AS v FROM (SELECT {quoted_part(column)} AS v "
                f"FROM {quoted(name)} GROUP BY ALL) WHERE v IS NOT NULL "
                f"AND LENGTH(CAST(v AS STRING)) <= {MAX_VALUE_LENGTH} "
                f"ORDER BY 1 LIMIT {MAX_VALUES}"
            )
            return tuple(str(row[0]) for row in rows)

        return _once(self._values, (identifier, column), read)


def _once(held: dict[_Key, _T], key: _Key, read: Callable[[_Key], _T]) -> _T:
    if key not in held:
        held[key] = read(key)
    return held[key]


def _sources(document: Mapping[str, Any]) -> Iterator[tuple[str, frozenset[str]]]:
    """Tables and metric views, each with its columns in lower case whose values are wanted."""
    sources = document.get("data_sources") or {}
    for item in [*(sources.get("tables") or ()), *(sources.get("metric_views") or ())]:
        yield (
            item["identifier"],
            frozenset(
                config["column_name"].lower()
                for config in item.get("column_configs") or ()
                if config.get("enable_entity_matching") and not config.get("exclude")
            ),
        )


def _table(relation: Relation, values: Mapping[str, tuple[str, ...]]) -> CatalogTable:
    schema = ".".join(name_parts(relation.name)[:-1])
    return CatalogTable(
        identifier=relation.name,
        columns=tuple(
            CatalogColumn(one.name, one.data_type, one.comment, values.get(one.name))
            for one in relation.columns
        ),
        comment=relation.comment,
        primary_key=relation.primary_key,
        foreign_keys=tuple(
            CatalogForeignKey((column,), f"{schema}.{table}" if schema else table, (referenced,))
            for column, (table, referenced) in relation.foreign_keys.items()
        ),
    )


def _metric_view(relation: Relation, values: Mapping[str, tuple[str, ...]]) -> CatalogMetricView:
    """Version 0.1 has its comments in the view's column list, later ones in the YAML, too."""
    try:
        raw = yaml.safe_load(relation.definition or "")
        groups = {name: raw.get(name) or [] for name in ("dimensions", "fields", "measures")}
        columns = {column.name.lower(): column for column in relation.columns}
        return CatalogMetricView(
            identifier=relation.name,
            dimensions=tuple(
                CatalogDimension(
                    data_type=columns[item["name"].lower()].data_type,
                    values=values.get(columns[item["name"].lower()].name),
                    **_said(item, columns),
                )
                for item in [*groups["dimensions"], *groups["fields"]]
            ),
            measures=tuple(CatalogMeasure(**_said(item, columns)) for item in groups["measures"]),
            comment=relation.comment or raw.get("comment"),
        )
    except (yaml.YAMLError, AttributeError, KeyError, TypeError) as error:
        raise StatementFailedError(
            f"the definition of this metric view cannot be read: {type(error).__name__}: {error}",
            where=relation.name,
        ) from error


def _said(item: Mapping[str, Any], columns: Mapping[str, Member]) -> dict[str, Any]:
    column = columns[item["name"].lower()]
    return {
        "name": column.name,
        "expr": str(item["expr"]),
        "comment": item.get("comment") or column.comment,
        "display_name": item.get("display_name"),
        "synonyms": tuple(item.get("synonyms") or ()),
    }


def _function(routine: Routine) -> CatalogFunction:
    return CatalogFunction(
        identifier=routine.name,
        parameters=tuple(
            CatalogParameter(one.name, one.data_type, one.comment, one.default)
            for one in routine.parameters
        ),
        returns=tuple(CatalogColumn(o.name, o.data_type, o.comment) for o in routine.returns),
        comment=routine.comment,
    )
