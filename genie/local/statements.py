"""The statement execution API, and the queries of messages: run in threads, kept in memory."""

from __future__ import annotations

import logging
import re
import threading
import uuid
from collections import OrderedDict
from collections.abc import Callable
from typing import Any

from genie.local.api_errors import invalid, invalid_state, not_found
from genie.local.parameters import read_parameters
from genie.local.requests import Request
from genie.local.results import MAX_INLINE_BYTES, chunk, inline_bytes, manifest
from genie.local.seams import SqlBackend, SqlFailedError, SqlRequest, SqlResult
from genie.local.workers import Workers

_LOG = logging.getLogger(__name__)
_WAIT = re.compile(r"(\d{1,3})s")
_KEPT = 200
_LOCAL_CATALOG = "spark_catalog"


class Statement:
    """One execution. ``state`` is PENDING, RUNNING, SUCCEEDED, FAILED or CANCELED."""

    def __init__(self, request: SqlRequest) -> None:
        self.statement_id = request.tag
        self.request = request
        self.state = "PENDING"
        self.result: SqlResult | None = None
        self.error: str | None = None
        self.sql_state: str | None = None
        self.is_done = threading.Event()


class Statements:
    """Runs statements. Results are kept until 200 later statements are done, or the process ends.

    The API has no means to tell a statement that is sent again from one that is asked for twice:
    whoever sends again after a lost answer runs it again.
    """

    def __init__(
        self,
        backend: SqlBackend,
        *,
        check_warehouse: Callable[[str], None],
        chunk_rows: int,
        threads: int = 4,
    ) -> None:
        self._backend = backend
        self._check_warehouse = check_warehouse
        self._chunk_rows = chunk_rows
        self._lock = threading.Lock()
        self._statements: OrderedDict[str, Statement] = OrderedDict()
        self._workers = Workers(threads, "statement")

    def stop(self) -> None:
        """Cancel what runs."""
        with self._lock:
            unfinished = [s for s in self._statements.values() if not s.is_done.is_set()]
        for statement in unfinished:
            self._cancel(statement)
        self._workers.stop()

    def submit(
        self,
        sql: str,
        *,
        row_limit: int | None = None,
        schema: str | None = None,
        parameters: Any = None,
    ) -> Statement:
        """Begin to run a statement. Raises ApiError for parameters that cannot be read."""
        values = read_parameters(parameters)
        request = SqlRequest(sql, uuid.uuid4().hex, row_limit, schema, values)
        statement = Statement(request)
        with self._lock:
            self._statements[statement.statement_id] = statement
            self._forget()
        self._workers.submit(lambda: self._run(statement))
        return statement

    def find(self, statement_id: str | None) -> Statement | None:
        """The statement of that id, None when it was forgotten or never there."""
        return self._statements.get(statement_id or "")

    def execute_statement(self, request: Request) -> dict[str, Any]:
        """``POST /sql/statements``: wait up to ``wait_timeout``, then go on or cancel."""
        sql = request.required("statement")
        self._check_warehouse(request.required("warehouse_id"))
        _check_supported(request)
        wait_s = _wait_seconds(request.text("wait_timeout") or "10s")
        on_timeout = request.text("on_wait_timeout") or "CONTINUE"
        if on_timeout not in ("CONTINUE", "CANCEL"):
            raise invalid(f"on_wait_timeout must be CONTINUE or CANCEL, not {on_timeout}")
        statement = self.submit(
            sql,
            row_limit=request.number("row_limit"),
            schema=request.text("schema"),
            parameters=request.body.get("parameters"),
        )
        if not statement.is_done.wait(wait_s) and on_timeout == "CANCEL" and wait_s:
            self._cancel(statement)
        return self.response(statement)

    def get_statement(self, request: Request) -> dict[str, Any]:
        """``GET /sql/statements/{id}``."""
        return self.response(self._known(request))

    def get_chunk(self, request: Request) -> dict[str, Any]:
        """``GET /sql/statements/{id}/result/chunks/{n}``."""
        statement = self._known(request)
        if statement.result is None:
            raise invalid_state(f"statement {statement.statement_id} is {statement.state}")
        count = manifest(statement.result, self._chunk_rows)["total_chunk_count"]
        index = int(request.ids[1]) if request.ids[1].isdecimal() else count
        if index >= count:
            raise invalid(f"there is no chunk {request.ids[1]}: the result has {count}")
        return chunk(statement.result, statement.statement_id, index, self._chunk_rows)

    def cancel_statement(self, request: Request) -> dict[str, Any]:
        """``POST /sql/statements/{id}/cancel``: nothing happens to one that is done."""
        self._cancel(self._known(request))
        return {}

    def response(self, statement: Statement) -> dict[str, Any]:
        """The statement with its status and, when it has succeeded, its first chunk."""
        status: dict[str, Any] = {"state": statement.state}
        sent: dict[str, Any] = {"statement_id": statement.statement_id, "status": status}
        if statement.state == "FAILED":
            status["error"] = {"error_code": "BAD_REQUEST", "message": statement.error}
            if statement.sql_state:
                status["sql_state"] = statement.sql_state
        if statement.result is not None:
            sent["manifest"] = manifest(statement.result, self._chunk_rows)
            first = chunk(statement.result, statement.statement_id, 0, self._chunk_rows)
            sent["result"] = first if statement.result.columns else {}
        return sent

    def _known(self, request: Request) -> Statement:
        statement = self.find(request.ids[0])
        if statement is None:
            raise not_found(f"The statement {request.ids[0]} was not found.")
        return statement

    def _forget(self) -> None:
        done = [key for key, statement in self._statements.items() if statement.is_done.is_set()]
        for key in done[: max(0, len(done) - _KEPT)]:
            del self._statements[key]

    def _cancel(self, statement: Statement) -> None:
        with self._lock:
            if statement.is_done.is_set():
                return
            statement.state = "CANCELED"
            statement.is_done.set()
        self._backend.cancel(statement.statement_id)

    def _run(self, statement: Statement) -> None:
        with self._lock:
            if statement.is_done.is_set():
                return
            statement.state = "RUNNING"
        try:
            result = self._backend.execute(statement.request)
            if inline_bytes(result) > MAX_INLINE_BYTES:
                raise SqlFailedError(
                    f"Inline byte limit exceeded: the result is larger than {MAX_INLINE_BYTES} "
                    "bytes. Ask for fewer rows or columns."
                )
        except SqlFailedError as error:
            self._finish(statement, "FAILED", error=error.what, sql_state=error.sql_state)
        except Exception as error:
            # A backend that breaks costs one statement; the client is told, as the platform does.
            _LOG.exception("the SQL backend failed")
            self._finish(statement, "FAILED", error=f"{type(error).__name__}: {error}")
        else:
            self._finish(statement, "SUCCEEDED", result=result)

    def _finish(
        self,
        statement: Statement,
        state: str,
        *,
        result: SqlResult | None = None,
        error: str | None = None,
        sql_state: str | None = None,
    ) -> None:
        with self._lock:
            if statement.is_done.is_set():  # cancelled meanwhile
                return
            statement.result, statement.error, statement.sql_state = result, error, sql_state
            statement.state = state
            statement.is_done.set()


def _check_supported(request: Request) -> None:
    for name, supported in (("format", "JSON_ARRAY"), ("disposition", "INLINE")):
        asked = request.text(name) or supported
        if asked != supported:
            raise invalid(f"{name} {asked} is not supported here; use {supported}")
    if request.body.get("byte_limit") is not None:
        raise invalid("byte_limit is not supported here; use row_limit")
    catalog = request.text("catalog") or _LOCAL_CATALOG
    if catalog != _LOCAL_CATALOG:
        raise invalid(f"there is no catalog {catalog} here; the only one is {_LOCAL_CATALOG}")


def _wait_seconds(text: str) -> int:
    found = _WAIT.fullmatch(text)
    seconds = int(found[1]) if found else -1
    if seconds != 0 and not 5 <= seconds <= 50:
        raise invalid(f"wait_timeout must be 0s or between 5s and 50s, not {text}")
    return seconds
