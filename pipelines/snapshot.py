"""The state of a space as its catalog and its configuration have it, and what its columns hold."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import reduce
from typing import Any

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from genie.live_space import live_space_id, read_live_config
from pipelines.codegen import compiled_for
from pipelines.data_tables import data_tables
from pipelines.live_objects import function_states, metric_view_states
from pipelines.session_sql import session_sql
from pipelines.spaces import Space
from pipelines.tables import Tables, quote_name
from transforms.contracts import PROFILES
from transforms.identity import content_hash, make_id
from transforms.judgement import ProfiledValues
from transforms.live_state import live_state
from transforms.profiling import column_profiles, column_values, value_counts, value_format
from transforms.query_sources import SPARK_CATALOG, Readable, with_signature
from transforms.serialized_space import SpaceConfig
from transforms.space_state import SpaceState, TableState

ReadConfig = Callable[[str], SpaceConfig]

_PROFILED_AT_ONCE = 25  # tables in one query: one pass, and a plan that stays small


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


def take_snapshot(
    tables: Tables, space: Space, read_config: ReadConfig = read_live_config
) -> Snapshot:
    """The space as it is now: the Delta tables of its schema, and its configuration.

    A space that a Genie Space answers for has that one's configuration, which ``read_config`` gives
    by its id, and the metric views and functions that it names. A space whose schema does not exist
    or holds no table, or whose configuration names nothing, gives a state that is not configured.
    Raises what ``read_config`` raises.
    """
    catalog_tables = data_tables(tables, space.data_schema)
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
    """The state that ``take_snapshot`` would give.

    Raises what ``read_config`` raises.
    """
    states = [table.state for table in data_tables(tables, space.data_schema)]
    return _state(tables, space, states, read_config)


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

    # A metric view holds no rows of its own.
    with_rows = [table for table in state.tables if table.name in versions]
    known = {table.name: _usable(held.get(table.name, ()), table) for table in with_rows}
    known |= _profiled(tables, snapshot, [table for table in with_rows if not known[table.name]])
    found = [
        _of_space(state.space_id, table, versions[table.name], known[table.name])
        for table in with_rows
    ]
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


def _of_space(
    space_id: str, table: TableState, version: int, values: Sequence[dict[str, Any]]
) -> tuple[bool, Sequence[dict[str, Any]]]:
    """Profiles with these values about the space's table; whether they are recorded already."""
    first = values[0]
    if (first.get("space_id"), first.get("table_version")) == (space_id, version):
        return True, values
    return False, _about(space_id, table, version, values)


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


def _profiled(
    tables: Tables, snapshot: Snapshot, wanted: Sequence[TableState]
) -> dict[str, list[dict[str, Any]]]:
    """By table, the values of every column, and a row for the table itself."""
    profiles: dict[str, list[dict[str, Any]]] = {}
    with compiled_for(tables.spark, snapshot.size_bytes):
        for start in range(0, len(wanted), _PROFILED_AT_ONCE):
            part = wanted[start : start + _PROFILED_AT_ONCE]
            values = reduce(
                DataFrame.unionAll,
                (_values(tables, table, snapshot.data_versions[table.name]) for table in part),
            )
            counts: dict[str, dict[int, dict[str, Any]]] = {table.name: {} for table in part}
            for row in value_counts(values).collect():
                counts[row["table_name"]][row["ordinal"]] = row.asDict()
            profiles |= {table.name: _profile_rows(table, counts[table.name]) for table in part}
    return profiles


def _values(tables: Tables, table: TableState, version: int) -> DataFrame:
    name = quote_name(tables.catalog, *table.name.split(".", 1))
    data = tables.spark.read.option("versionAsOf", version).table(name)
    return column_values(table.name, data)


def _profile_rows(
    table: TableState, counts: Mapping[int, Mapping[str, Any]]
) -> list[dict[str, Any]]:
    """Of the table itself and of its columns; ``counts`` by ordinal, none for an empty table."""
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
        found = counts[ordinal] if counts else {}
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
