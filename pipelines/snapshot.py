"""The state of a space as its catalog and its configuration have it, and what its columns hold."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, TypeVar

from pyspark.sql import Row
from pyspark.sql import functions as F

from genie.catalog import FOREIGN_KEYS, PRIMARY_KEY
from genie.live_space import live_space_id, read_live_config
from pipelines.codegen import compiled_for
from pipelines.live_objects import function_states, metric_view_states
from pipelines.session_sql import session_sql
from pipelines.spaces import Space
from pipelines.tables import Tables, quote_name
from transforms.contracts import PROFILES
from transforms.identity import content_hash, make_id
from transforms.judgement import ProfiledValues
from transforms.live_state import live_state
from transforms.profiling import column_profiles, value_counts, value_format
from transforms.query_sources import SPARK_CATALOG, Readable, with_signature
from transforms.serialized_space import SpaceConfig
from transforms.space_state import ColumnState, SpaceState, TableState

ReadConfig = Callable[[str], SpaceConfig]
_T = TypeVar("_T")

_TABLES_AT_ONCE = 4
_COMMITS_LOOKED_AT = 100
# Operations of Delta after which the rows are those of before. What they make of the columns is
# part of a table's data id.
_CHANGES_NO_ROW = frozenset(
    {
        "ADD CONSTRAINT",
        "CHANGE COLUMN",
        "CHANGE COLUMNS",
        "DROP CONSTRAINT",
        "SET TBLPROPERTIES",
        "UNSET TBLPROPERTIES",
    }
)


@dataclass(frozen=True, slots=True)
class Snapshot:
    """What is evaluated: the state, the Delta version of each table, the size of all of them.

    ``data_versions`` goes by ``schema.table``, and so do ``data_since``, the version from which on
    the rows are what they are now (later ones changed comments or properties only), and
    ``data_ids``, which are other ones for other rows or columns. ``size_bytes`` is what the tables
    take on disk.
    """

    state: SpaceState
    data_versions: Mapping[str, int]
    size_bytes: int
    data_since: Mapping[str, int]
    data_ids: Mapping[str, str]

    def readable(self, space: Space, catalog: str | None, builtins: frozenset[str]) -> Readable:
        """What the space's queries may read, as it was here; ``builtins`` are Spark's own.

        ``catalog`` is the one the tables are in, None for Spark's own.
        """
        return Readable(
            schema=space.data_schema.lower(),
            data_ids={name.lower(): data_id for name, data_id in self.data_ids.items()},
            metric_views={
                table.name.lower(): table.definition
                for table in self.state.tables
                if table.definition is not None
            },
            functions={
                function.name.lower(): with_signature(
                    function.definition,
                    [(parameter.name, parameter.data_type) for parameter in function.parameters],
                )
                for function in self.state.functions
                if function.definition is not None
            },
            builtins=builtins,
            catalog=(catalog or SPARK_CATALOG).lower(),
        )


@dataclass(frozen=True, slots=True)
class _CatalogTable:
    state: TableState
    version: int
    data_since: int
    data_id: str
    size_bytes: int


def take_snapshot(
    tables: Tables, space: Space, read_config: ReadConfig = read_live_config
) -> Snapshot:
    """The space as it is now: the Delta tables of its schema, and its configuration.

    A space that a Genie Space answers for has that one's configuration, which ``read_config`` gives
    by its id, and the metric views and functions that it names. A space whose schema does not exist
    or holds no table, or whose configuration names nothing, gives a state that is not configured.
    Raises what ``read_config`` raises.
    """
    catalog_tables = _of_each_table(tables, space.data_schema, _catalog_table)
    return Snapshot(
        state=_state(tables, space, [table.state for table in catalog_tables], read_config),
        data_versions={table.state.name: table.version for table in catalog_tables},
        size_bytes=sum(table.size_bytes for table in catalog_tables),
        data_since={table.state.name: table.data_since for table in catalog_tables},
        data_ids={table.state.name: table.data_id for table in catalog_tables},
    )


def read_state(
    tables: Tables, space: Space, read_config: ReadConfig = read_live_config
) -> SpaceState:
    """The state that ``take_snapshot`` would give, without a look at the history of any table.

    Raises what ``read_config`` raises.
    """

    def described(tables: Tables, schema: str, name: str) -> TableState:
        return _table_state(tables, schema, name, _detail(tables, schema, name))

    return _state(tables, space, _of_each_table(tables, space.data_schema, described), read_config)


def _state(
    tables: Tables, space: Space, states: Sequence[TableState], read_config: ReadConfig
) -> SpaceState:
    asked_id = live_space_id(space.answerer)
    if asked_id is None:
        return space.parsed_config.state(space.space_id, space.data_schema, states)
    config = read_config(asked_id)
    run = session_sql(tables.spark)
    return live_state(
        space.space_id,
        space.data_schema,
        config,
        (*states, *metric_view_states(run, config)),
        function_states(run, config),
    )


def _of_each_table(tables: Tables, schema: str, look: Callable[[Tables, str, str], _T]) -> list[_T]:
    """What ``look`` finds of each table of a schema, some at once; none without the schema."""
    database = quote_name(tables.catalog, schema)
    if not tables.spark.catalog.databaseExists(database):
        return []
    views = {row.viewName for row in tables.spark.sql(f"SHOW VIEWS IN {database}").collect()}
    names = sorted(
        row.tableName
        for row in tables.spark.sql(f"SHOW TABLES IN {database}").collect()
        if not row.isTemporary and row.tableName not in views
    )
    with ThreadPoolExecutor(_TABLES_AT_ONCE, thread_name_prefix="snapshot") as pool:
        return list(pool.map(lambda name: look(tables, schema, name), names))


def _detail(tables: Tables, schema: str, name: str) -> Row:
    quoted = quote_name(tables.catalog, schema, name)
    return tables.spark.sql(f"DESCRIBE DETAIL {quoted}").collect()[0]


def _table_state(tables: Tables, schema: str, name: str, detail: Row) -> TableState:
    quoted = quote_name(tables.catalog, schema, name)
    primary_key = set(json.loads(detail.properties.get(PRIMARY_KEY, "[]")))
    references = {
        key["column"]: f"{schema}.{key['references']}"
        for key in reversed(json.loads(detail.properties.get(FOREIGN_KEYS, "[]")))
    }
    columns = tuple(
        ColumnState(
            name=field.name,
            data_type=field.dataType.simpleString(),
            comment=field.metadata.get("comment"),
            is_primary_key=field.name in primary_key,
            references=references.get(field.name),
        )
        for field in tables.spark.table(quoted).schema.fields
    )
    return TableState(f"{schema}.{name}", columns, detail.description)


def _catalog_table(tables: Tables, schema: str, name: str) -> _CatalogTable:
    quoted = quote_name(tables.catalog, schema, name)
    detail = _detail(tables, schema, name)
    history = tables.spark.sql(f"DESCRIBE HISTORY {quoted} LIMIT {_COMMITS_LOOKED_AT}")
    commits = history.select("version", "operation").collect()
    data_since = _data_since([(commit.version, commit.operation) for commit in commits])
    state = _table_state(tables, schema, name, detail)
    return _CatalogTable(
        state,
        version=commits[0].version,
        data_since=data_since,
        data_id=content_hash(
            detail.id, data_since, [(column.name, column.data_type) for column in state.columns]
        ),
        size_bytes=detail.sizeInBytes or 0,
    )


def _data_since(commits: Sequence[tuple[int, str]]) -> int:
    """The newest version that may have changed rows; ``commits`` are the newest, newest first.

    Where all of them changed only what is written about the table, the newest counts: what was
    before them is not known.
    """
    return next(
        (version for version, operation in commits if operation not in _CHANGES_NO_ROW),
        commits[0][0],
    )


@dataclass(frozen=True, slots=True)
class RecordedProfiles:
    """What is known of the columns' values, and whether rows had to be written for it."""

    values: ProfiledValues
    is_written: bool


def record_profiles(tables: Tables, snapshot: Snapshot) -> RecordedProfiles:
    """What is known of the columns' values, recorded once per space and version of a table.

    A table is not read again whose rows have been profiled, by whichever space, at this version or
    at an earlier one since when they are the same.
    """
    state = snapshot.state
    held = _held_profiles(tables, snapshot)
    versions = snapshot.data_versions

    def profiles(table: TableState) -> tuple[bool, list[dict[str, Any]]]:
        version = versions[table.name]
        known = _usable(held.get(table.name, ()), table)
        if known and (known[0]["space_id"], known[0]["table_version"]) == (state.space_id, version):
            return True, known
        values = known or _profiled(tables, table, version)
        return False, _about(state.space_id, table, version, values)

    # A metric view holds no rows of its own. Small tables are read by one task each.
    with (
        compiled_for(tables.spark, snapshot.size_bytes),
        ThreadPoolExecutor(_TABLES_AT_ONCE, thread_name_prefix="profile") as pool,
    ):
        found = list(pool.map(profiles, [one for one in state.tables if one.name in versions]))
    rows = [row for _, of_table in found for row in of_table]
    missing = [row for is_there, of_table in found if not is_there for row in of_table]
    is_written = False
    if missing:
        profiled = sorted({(row["table_name"], row["table_version"]) for row in missing})
        transaction = content_hash(state.space_id, profiled)
        is_written = tables.append_rows(PROFILES, missing, transaction=transaction)
    return RecordedProfiles(ProfiledValues(column_profiles(rows)), is_written)


def _held_profiles(tables: Tables, snapshot: Snapshot) -> dict[str, list[dict[str, Any]]]:
    """By table, the profiles that are of the rows which are there now.

    The first of them are this space's own and of the newest version, if there are such.
    """
    is_wanted = F.lit(False)
    for name, version in snapshot.data_versions.items():
        is_wanted = is_wanted | (
            (F.col("table_name") == name)
            & F.col("table_version").between(snapshot.data_since[name], version)
        )
    found = tables.read(PROFILES).where(is_wanted).drop("recorded_at").collect()
    rows = sorted(
        (row.asDict() for row in found),
        key=lambda row: (
            -row["table_version"],
            row["space_id"] != snapshot.state.space_id,
            row["space_id"],
        ),
    )
    held: dict[str, list[dict[str, Any]]] = {}
    for row in rows:
        held.setdefault(row["table_name"], []).append(row)
    return held


def _usable(held: Sequence[dict[str, Any]], table: TableState) -> list[dict[str, Any]]:
    """The first space's profiles at the first version, if they are of these very columns."""
    first = [
        row
        for row in held
        if (row["table_version"], row["space_id"])
        == (held[0]["table_version"], held[0]["space_id"])
    ]
    profiled = {row["column_name"]: row["data_type"] for row in first}
    profiled.pop(None, None)
    is_same = profiled == {column.name: column.data_type for column in table.columns}
    return first if is_same else []


def _about(
    space_id: str, table: TableState, version: int, values: Sequence[Mapping[str, Any]]
) -> list[dict[str, Any]]:
    """Profiles with these values, and with what is said of the table and its columns now."""
    by_column = {row["column_name"]: row for row in values}
    rows: list[dict[str, Any]] = [
        {
            **by_column[None],
            "column_name": None,
            "comment": table.comment,
        }
    ]
    rows += [
        {
            **by_column[column.name],
            "column_name": column.name,
            "data_type": column.data_type,
            "comment": column.comment,
            "is_primary_key": column.is_primary_key,
            "references_column": column.references,
        }
        for column in table.columns
    ]
    for row in rows:
        row.update(
            space_id=space_id,
            profile_id=_profile_id(space_id, table.name, version, row["column_name"]),
            table_name=table.name,
            table_version=version,
        )
    return rows


def _profiled(tables: Tables, table: TableState, version: int) -> list[dict[str, Any]]:
    """The values of every column, and a row for the table itself."""
    name = quote_name(tables.catalog, *table.name.split(".", 1))
    data = tables.spark.read.option("versionAsOf", version).table(name)
    counts = {row["ordinal"]: row for row in value_counts(data).collect()}
    row_count = counts[0]["row_count"] if counts else 0
    rows: list[dict[str, Any]] = [
        {
            "column_name": None,
            "row_count": row_count,
            "is_primary_key": False,
            "is_sample_complete": False,
        }
    ]
    for ordinal, column in enumerate(table.columns):
        found = counts[ordinal].asDict() if counts else {}
        sample = list(found.get("sample_values", ()))
        distinct_count = found.get("distinct_count", 0)
        rows.append(
            {
                "column_name": column.name,
                "row_count": row_count,
                "distinct_count": distinct_count,
                "null_count": found.get("null_count", 0),
                "min_value": found.get("min_value"),
                "max_value": found.get("max_value"),
                "sample_values": sample,
                "is_sample_complete": len(sample) == distinct_count,
                "value_format": value_format(sample, column.data_type),
            }
        )
    return rows


def _profile_id(space_id: str, table: str, version: int, column: str | None) -> str:
    return make_id("profile", space_id, table, version, column)
