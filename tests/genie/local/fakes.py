"""An engine and a SQL backend that do as they are told, and a client for the workspace."""

from __future__ import annotations

import threading

from databricks.sdk import WorkspaceClient
from databricks.sdk.config import Config

from genie.local.seams import Column, EngineAnswer, SqlFailedError, SqlResult


class FakeEngine:
    """Answers ``SELECT ...`` questions with themselves, all others with a text.

    A question that begins with ``wait`` waits until ``go`` is set; ``fail`` raises ``error``.
    """

    def __init__(self):
        self.asked = []
        self.go = threading.Event()
        self.error = RuntimeError("the engine broke")

    def answer(self, config, question, history):
        self.asked.append((config, question, tuple(history)))
        if question.startswith("wait"):
            self.go.wait(10)
        if question.startswith("fail"):
            raise self.error
        if question.lower().startswith(("select", "drop", "wait")):
            sql = question.removeprefix("wait ")
            return EngineAnswer(sql=sql, description=f"runs {sql}")
        return EngineAnswer(text=f"What do you mean by {question!r}?")


class FakeBackend:
    """``SELECT n`` gives n rows of (id BIGINT, name STRING); ``sleep`` lasts until cancelled."""

    def __init__(self):
        self.ran = []
        self.cancelled = {}
        self._lock = threading.Lock()

    def execute(self, request):
        self.ran.append(request)
        if "sleep" in request.sql:
            self._event(request.tag).wait(10)
            raise SqlFailedError("cancelled", sql_state="HY008")
        if "broken" in request.sql:
            raise SqlFailedError("[TABLE_OR_VIEW_NOT_FOUND] broken", sql_state="42P01")
        last = request.sql.split()[-1]
        if not last.isdecimal():
            return SqlResult()
        count = int(last)
        kept = count if request.row_limit is None else min(count, request.row_limit)
        return SqlResult(
            columns=(Column("id", "bigint"), Column("price", "decimal(10,2)")),
            rows=tuple((str(n), None if n % 2 else f"{n}.50") for n in range(kept)),
            is_truncated=kept < count,
        )

    def cancel(self, tag):
        self._event(tag).set()

    def _event(self, tag):
        with self._lock:
            return self.cancelled.setdefault(tag, threading.Event())


class FastClock:
    """Time for a client whose waits take none."""

    def __init__(self):
        self.now = 0.0
        self.slept = []

    def time(self):
        return self.now

    def sleep(self, seconds):
        self.slept.append(seconds)
        self.now += seconds


def client_of(workspace, *, token=None, clock=None):
    """A plain client of the SDK."""
    return WorkspaceClient(
        config=Config(
            host=workspace.host, token=token or workspace.token, auth_type="pat", clock=clock
        )
    )
