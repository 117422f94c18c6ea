"""Looking at Delta tables from the outside: their versions, and rows that compare between runs."""

from __future__ import annotations

from typing import Any

from pipelines.tables import Tables
from transforms.contracts import TABLES, Table

# What differs between two runs that did the same: when, and what MLflow calls it.
_OF_ONE_RUN = ("recorded_at", "model_id", "mlflow_run_id", "started_at", "finished_at")


def versions(tables: Tables, *others: str) -> dict[str, int]:
    """The Delta version of every contract table, and of ``others`` by full name."""
    names = {table.name: tables.name(table) for table in TABLES} | {n: n for n in others}
    return {
        name: tables.spark.sql(f"DESCRIBE HISTORY {full} LIMIT 1").collect()[0].version
        for name, full in names.items()
    }


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
