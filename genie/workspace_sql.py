"""SQL statements on a warehouse of a workspace, and what its failed requests mean for people."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from databricks.sdk import WorkspaceClient
from databricks.sdk.service.sql import StatementResponse, StatementState

from genie.catalog import Row, RunSql, StatementFailedError
from genie.genie_faults import read_fault
from transforms.errors import GenieLoopError, InvalidInputError

_WAIT = "10s"  # the shortest of the SDK's and the API's limits, with room for the answer
_POLL_S = 0.5
_UNFINISHED = (StatementState.PENDING, StatementState.RUNNING)


def warehouse_sql(
    client: WorkspaceClient,
    warehouse_id: str,
    *,
    timeout_s: float = 600.0,
    sleep: Callable[[float], None] = time.sleep,
    clock: Callable[[], float] = time.monotonic,
) -> RunSql:
    """Runs statements on a warehouse, each to its end.

    The ``RunSql`` raises StatementFailedError for a statement that fails or takes longer than
    ``timeout_s``, and what ``telling`` raises for a request that fails.
    """

    def run(sql: str) -> list[Row]:
        deadline = clock() + timeout_s
        with telling(client, "a statement cannot be run"):
            response = client.statement_execution.execute_statement(
                sql, warehouse_id, wait_timeout=_WAIT
            )
            statement_id = response.statement_id or ""
            while response.status is not None and response.status.state in _UNFINISHED:
                if clock() > deadline:
                    client.statement_execution.cancel_execution(statement_id)
                    raise StatementFailedError(f"cancelled after {timeout_s:g} s", where=sql)
                sleep(_POLL_S)
                response = client.statement_execution.get_statement(statement_id)
            _check_succeeded(response, sql)
            return _rows(client, statement_id, response)

    return run


def _check_succeeded(response: StatementResponse, sql: str) -> None:
    status = response.status
    if status is not None and status.state is StatementState.SUCCEEDED:
        return
    said = status.error.message if status and status.error else None
    state = status.state.value if status and status.state else "in no state"
    raise StatementFailedError(
        said or f"the statement is {state}",
        where=sql,
        sql_state=status.sql_state if status else None,
    )


def _rows(client: WorkspaceClient, statement_id: str, response: StatementResponse) -> list[Row]:
    part = response.result
    rows: list[Row] = []
    while part is not None:
        rows.extend(part.data_array or ())
        following = part.next_chunk_index
        part = (
            client.statement_execution.get_statement_result_chunk_n(statement_id, following)
            if following
            else None
        )
    return rows


@contextmanager
def telling(client: WorkspaceClient, what: str) -> Iterator[None]:
    """Say what a failed request means.

    Raises InvalidInputError where it can never succeed (not there, not allowed, refused as it is)
    and GenieLoopError where it may the next time.
    """
    try:
        yield
    except GenieLoopError:
        raise
    except Exception as raised:
        fault = read_fault(raised)
        told = f"{what}: {fault.reason}"
        where = client.config.host
        if fault.kind == "denied":
            remedy = "check DATABRICKS_TOKEN or the profile, and what its user may do"
            raise InvalidInputError(told, where=where, remedy=remedy) from raised
        if fault.kind == "missing":
            remedy = "check the id; it may be of another workspace"
            raise InvalidInputError(told, where=where, remedy=remedy) from raised
        if fault.kind == "rejected":
            remedy = "correct what the workspace names"
            raise InvalidInputError(told, where=where, remedy=remedy) from raised
        raise GenieLoopError(told, where=where, remedy="run it again") from raised
