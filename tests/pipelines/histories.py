"""Looking at Delta tables from the outside: their versions, and rows that compare between runs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from jobs.delta_log import latest_version
from pipelines.tables import Tables
from transforms.contracts import TABLES, Table

# What differs between two runs that did the same: when, and what MLflow calls it.
_OF_ONE_RUN = ("recorded_at", "model_id", "mlflow_run_id", "started_at", "finished_at")


def versions(tables: Tables, *others: str) -> dict[str, int]:
    """The Delta version of every contract table, and of ``others`` by ``schema.table``."""
    names = {table.name: f"{tables.schema}.{table.name}" for table in TABLES}
    warehouse = Path(tables.spark.conf.get("spark.sql.warehouse.dir", "").removeprefix("file:"))
    found = {}
    for name, full in (names | {other: other for other in others}).items():
        schema, _, table = full.partition(".")
        found[name] = latest_version(warehouse / f"{schema}.db" / table)
        assert found[name] >= 0, f"{full} is not there"
    return found


def rows(tables: Tables, table: Table) -> list[dict[str, Any]]:
    """All rows as plain values."""
    return [row.asDict(recursive=True) for row in tables.read(table).collect()]


def comparable(tables: Tables) -> dict[str, list[str]]:
    """The rows of every contract table, without what differs between two equal runs, sorted."""
    return {
        table.name: sorted(
            repr(sorted((k, v) for k, v in row.items() if k not in _OF_ONE_RUN))
            for row in rows(tables, table)
        )
        for table in TABLES
    }
