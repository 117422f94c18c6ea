"""The state of a space as its catalog and its configuration have it, and what its columns hold."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pyspark.sql import functions as F

from genie.catalog import FOREIGN_KEYS, PRIMARY_KEY
from genie.live_space import live_space_id, read_live_config
from pipelines.live_objects import function_states, metric_view_states
from pipelines.session_sql import session_sql
from pipelines.spaces import Space
from pipelines.tables import Tables, quote_name
from transforms.contracts import PROFILES
from transforms.identity import content_hash, make_id
from transforms.judgement import ProfiledValues
from transforms.live_state import live_state
from transforms.profiling import column_profiles, value_counts, value_format
from transforms.serialized_space import SpaceConfig
from transforms.space_state import ColumnState, SpaceState, TableState

ReadConfig = Callable[[str], SpaceConfig]


@dataclass(frozen=True, slots=True)
class Snapshot:
    """What is evaluated: the state, the Delta version of each table, the size of all of them.

    ``data_versions`` goes by ``schema.table``; ``size_bytes`` is what the tables take on disk.
    """

    state: SpaceState
    data_versions: Mapping[str, int]
    size_bytes: int


@dataclass(frozen=True, slots=True)
class _CatalogTable:
    state: TableState
    version: int
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
    catalog_tables = _catalog_tables(tables, space.data_schema)
    states = [table.state for table in catalog_tables]
    asked_id = live_space_id(space.answerer)
    return Snapshot(
        state=(
            space.parsed_config.state(space.space_id, space.data_schema, states)
            if asked_id is None
            else _live_state(tables, space, states, read_config(asked_id))
        ),
        data_versions={table.state.name: table.version for table in catalog_tables},
        size_bytes=sum(table.size_bytes for table in catalog_tables),
    )


def _live_state(
    tables: Tables, space: Space, states: Sequence[TableState], config: SpaceConfig
) -> SpaceState:
    run = session_sql(tables.spark)
    return live_state(
        space.space_id,
        space.data_schema,
        config,
        (*states, *metric_view_states(run, config)),
        function_states(run, config),
    )


def _catalog_tables(tables: Tables, schema: str) -> list[_CatalogTable]:
    database = quote_name(tables.catalog, schema)
    if not tables.spark.catalog.databaseExists(database):
        return []
    views = {row.viewName for row in tables.spark.sql(f"SHOW VIEWS IN {database}").collect()}
    names = sorted(
        row.tableName
        for row in tables.spark.sql(f"SHOW TABLES IN {database}").collect()
        if not row.isTemporary and row.tableName not in views
    )
    return [_catalog_table(tables, schema, name) for name in names]


def _catalog_table(tables: Tables, schema: str, name: str) -> _CatalogTable:
    quoted = quote_name(tables.catalog, schema, name)
    detail = tables.spark.sql(f"DESCRIBE DETAIL {quoted}").collect()[0]
    version: int = tables.spark.sql(f"DESCRIBE HISTORY {quoted} LIMIT 1").collect()[0].version
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
    state = TableState(f"{schema}.{name}", columns, detail.description)
    return _CatalogTable(state, version, detail.sizeInBytes or 0)


@dataclass(frozen=True, slots=True)
class RecordedProfiles:
    """What is known of the columns' values, and whether rows had to be written for it."""

    values: ProfiledValues
    is_written: bool


def record_profiles(tables: Tables, snapshot: Snapshot) -> RecordedProfiles:
    """What is known of the columns' values, recorded once per space and version of a table.

    A table that another space has had profiled at this version is not read again.
    """
    state = snapshot.state
    wanted = set(snapshot.data_versions.items())
    held = _held_profiles(tables, snapshot.data_versions)
    own = {
        (row["table_name"], row["table_version"])
        for row in held
        if row["space_id"] == state.space_id
    }
    by_table: dict[tuple[str, int], list[dict[str, Any]]] = {}
    for row in held:
        by_table.setdefault((row["table_name"], row["table_version"]), []).append(row)
    rows: list[dict[str, Any]] = []
    for table in state.tables:
        version = snapshot.data_versions.get(table.name)
        if version is None:  # a metric view holds no rows of its own
            continue
        known = by_table.get((table.name, version))
        of_table = (
            _copied(known, state.space_id) if known else _profiled(tables, state, table, version)
        )
        rows.extend(of_table)
    missing = [row for row in rows if (row["table_name"], row["table_version"]) in wanted - own]
    is_written = False
    if missing:
        versions = sorted((row["table_name"], row["table_version"]) for row in missing)
        transaction = content_hash(state.space_id, versions)
        is_written = tables.append_rows(PROFILES, missing, transaction=transaction)
    return RecordedProfiles(ProfiledValues(column_profiles(rows)), is_written)


def _held_profiles(tables: Tables, versions: Mapping[str, int]) -> list[dict[str, Any]]:
    if not versions:
        return []
    is_wanted = F.lit(False)
    for name, version in versions.items():
        is_wanted = is_wanted | (
            (F.col("table_name") == name) & (F.col("table_version") == version)
        )
    rows = tables.read(PROFILES).where(is_wanted).drop("recorded_at").collect()
    return [row.asDict() for row in rows]


def _copied(known: Sequence[Mapping[str, Any]], space_id: str) -> list[dict[str, Any]]:
    """The profiles of one of the spaces that have them, as this space's own."""
    source = min(row["space_id"] for row in known)
    return [
        {
            **row,
            "space_id": space_id,
            "profile_id": _profile_id(
                space_id, row["table_name"], row["table_version"], row["column_name"]
            ),
        }
        for row in known
        if row["space_id"] == source
    ]


def _profiled(
    tables: Tables, state: SpaceState, table: TableState, version: int
) -> list[dict[str, Any]]:
    name = quote_name(tables.catalog, *table.name.split(".", 1))
    data = tables.spark.read.option("versionAsOf", version).table(name)
    counts = {row["ordinal"]: row for row in value_counts(data).collect()}
    row_count = counts[0]["row_count"] if counts else 0
    rows: list[dict[str, Any]] = [
        {
            "comment": table.comment,
            "is_primary_key": False,
            "is_sample_complete": False,
            "column_name": None,
        }
    ]
    for ordinal, column in enumerate(table.columns):
        found = counts[ordinal].asDict() if counts else {}
        sample = list(found.get("sample_values", ()))
        distinct_count = found.get("distinct_count", 0)
        rows.append(
            {
                "column_name": column.name,
                "data_type": column.data_type,
                "comment": column.comment,
                "is_primary_key": column.is_primary_key,
                "references_column": column.references,
                "distinct_count": distinct_count,
                "null_count": found.get("null_count", 0),
                "min_value": found.get("min_value"),
                "max_value": found.get("max_value"),
                "sample_values": sample,
                "is_sample_complete": len(sample) == distinct_count,
                "value_format": value_format(sample, column.data_type),
            }
        )
    for row in rows:
        row.update(
            space_id=state.space_id,
            profile_id=_profile_id(state.space_id, table.name, version, row["column_name"]),
            table_name=table.name,
            table_version=version,
            row_count=row_count,
        )
    return rows


def _profile_id(space_id: str, table: str, version: int, column: str | None) -> str:
    return make_id("profile", space_id, table, version, column)
