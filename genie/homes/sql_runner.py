"""Runs SQL that reads or changes the catalog: on a warehouse through the SDK, or on a session."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Protocol

from databricks.sdk import WorkspaceClient
from databricks.sdk.service.sql import (
    ExecuteStatementRequestOnWaitTimeout,
    StatementResponse,
    StatementState,
)
from pyspark.errors import PySparkException
from pyspark.sql import SparkSession

from genie.homes.workspace import talking
from transforms.errors import GenieLoopError, TransientError

Row = tuple[str | None, ...]
_WAIT = "30s"
_PAUSE_S = 1.0
_TIMEOUT_S = 600.0


class SqlRefusedError(GenieLoopError):
    """The statement does not run, and will not when it is sent again."""


class SqlUnfinishedError(GenieLoopError, TransientError):
    """The statement did not end in time, or was cancelled: what it did is not known."""


class SqlRunner(Protocol):
    """Runs one statement to its end."""

    def run(self, sql: str) -> list[Row]:
        """The rows of the result, cells as text.

        Raises SqlRefusedError, and whatever else for a statement of which nothing is known.
        """


class WarehouseRunner:
    """On a SQL warehouse, through the statement execution API."""

    def __init__(
        self,
        client: WorkspaceClient,
        warehouse_id: str,
        *,
        sleep: Callable[[float], None] = time.sleep,
        timeout_s: float = _TIMEOUT_S,
    ) -> None:
        self._api = client.statement_execution
        self._warehouse_id = warehouse_id
        self._sleep = sleep
        self._timeout_s = timeout_s

    def run(self, sql: str) -> list[Row]:
        """See ``SqlRunner``. Raises WorkspaceError when the workspace fails."""
        with talking(sql[:200]):
            return self._run(sql)

    def _run(self, sql: str) -> list[Row]:
        response = self._api.execute_statement(
            sql,
            self._warehouse_id,
            wait_timeout=_WAIT,
            on_wait_timeout=ExecuteStatementRequestOnWaitTimeout.CONTINUE,
        )
        waited_s = 0.0
        while _state(response) in (StatementState.PENDING, StatementState.RUNNING):
            if waited_s >= self._timeout_s:
                raise SqlUnfinishedError(f"not done after {waited_s:g} s", where=sql[:200])
            self._sleep(_PAUSE_S)
            waited_s += _PAUSE_S
            response = self._api.get_statement(response.statement_id or "")
        if _state(response) is StatementState.FAILED:
            error = response.status.error if response.status else None
            raise SqlRefusedError(
                (error.message if error else None) or "the statement failed", where=sql[:200]
            )
        if _state(response) is not StatementState.SUCCEEDED:
            raise SqlUnfinishedError(f"it is {_state(response)}", where=sql[:200])
        return self._rows(response)

    def _rows(self, response: StatementResponse) -> list[Row]:
        rows: list[Row] = []
        chunk = response.result
        while chunk is not None:
            rows.extend(tuple(row) for row in chunk.data_array or ())
            if chunk.next_chunk_index is None:
                break
            chunk = self._api.get_statement_result_chunk_n(
                response.statement_id or "", chunk.next_chunk_index
            )
        return rows


def _state(response: StatementResponse) -> StatementState | None:
    return response.status.state if response.status else None


class SessionRunner:
    """On the Spark session at hand: the catalog of a laptop."""

    def __init__(self, spark: SparkSession) -> None:
        self._spark = spark

    def run(self, sql: str) -> list[Row]:
        """See ``SqlRunner``."""
        try:
            rows = self._spark.sql(sql).collect()
        except PySparkException as error:
            raise SqlRefusedError(str(error).split("\n")[0], where=sql[:200]) from error
        return [tuple(None if cell is None else str(cell) for cell in row) for row in rows]
