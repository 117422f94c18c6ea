"""Runs SQL statements on a warehouse of a workspace, each to its end."""

from __future__ import annotations

import time
from collections.abc import Callable

from databricks.sdk import WorkspaceClient
from databricks.sdk.service.sql import ServiceErrorCode, StatementResponse, StatementState

from genie.catalog import Row, RunSql, StatementFailedError
from genie.workspace_errors import telling
from transforms.errors import GenieLoopError, TransientError

_POLL_S = 0.5
_UNFINISHED = (StatementState.PENDING, StatementState.RUNNING)
# Failures of the platform: they say nothing of the statement.
_PASSING = frozenset({
    ServiceErrorCode.ABORTED,
    ServiceErrorCode.CANCELLED,
    ServiceErrorCode.DEADLINE_EXCEEDED,
    ServiceErrorCode.INTERNAL_ERROR,
    ServiceErrorCode.IO_ERROR,
    ServiceErrorCode.RESOURCE_EXHAUSTED,
    ServiceErrorCode.SERVICE_UNDER_MAINTENANCE,
    ServiceErrorCode.TEMPORARILY_UNAVAILABLE,
    ServiceErrorCode.WORKSPACE_TEMPORARILY_UNAVAILABLE,
})  # fmt: skip


class StatementUnfinishedError(GenieLoopError, TransientError):
    """A statement did not come to its end: what it did is not known."""


def warehouse_sql(
    client: WorkspaceClient,
    warehouse_id: str,
    *,
    timeout_s: float = 600.0,
    wait_s: int = 10,
    sleep: Callable[[float], None] = time.sleep,
    clock: Callable[[], float] = time.monotonic,
) -> RunSql:
    """Runs statements on a warehouse, each to its end.

    ``wait_s`` is for how long the warehouse may keep its first answer back: 0, or 5 to 50, and
    well below the client's time-out.

    The ``RunSql`` raises StatementFailedError for a statement that is refused and would be again,
    StatementUnfinishedError for one that is cancelled, that takes longer than ``timeout_s`` or that
    the platform fails on, and what ``telling`` raises for a request that fails.
    """

    def run(sql: str) -> list[Row]:
        deadline = clock() + timeout_s
        with telling(client, "a statement cannot be run"):
            response = client.statement_execution.execute_statement(
                sql, warehouse_id, wait_timeout=f"{wait_s}s"
            )
            statement_id = response.statement_id or ""
            while response.status is not None and response.status.state in _UNFINISHED:
                if clock() > deadline:
                    client.statement_execution.cancel_execution(statement_id)
                    raise StatementUnfinishedError(f"cancelled after {timeout_s:g} s", where=sql)
                sleep(_POLL_S)
                response = client.statement_execution.get_statement(statement_id)
            _check_succeeded(response, sql)
            return _rows(client, statement_id, response)

    return run


def _check_succeeded(response: StatementResponse, sql: str) -> None:
    status = response.status
    state = status.state if status else None
    if state is StatementState.SUCCEEDED:
        return
    error = status.error if status else None
    told = (error.message if error else None) or f"the statement is {state and state.value}"
    is_refused = error is None or error.error_code not in _PASSING
    if state is StatementState.FAILED and is_refused:
        sql_state = status.sql_state if status else None
        raise StatementFailedError(told, where=sql, sql_state=sql_state)
    raise StatementUnfinishedError(told, where=sql, remedy="run it again")


def _rows(client: WorkspaceClient, statement_id: str, response: StatementResponse) -> list[Row]:
    part = response.result
    rows: list[Row] = []
    while part is not None:
        rows.extend(tuple(row) for row in part.data_array or ())
        following = part.next_chunk_index
        part = (
            client.statement_execution.get_statement_result_chunk_n(statement_id, following)
            if following
            else None
        )
    return rows
