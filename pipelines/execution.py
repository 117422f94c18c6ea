"""Executing queries read-only on Spark: checked by parsing, bounded in time and rows.

What is executed is the text as it came, after ``parse_query`` has proven that it is one read-only
query. Every worker has a session of its own, so that the current schema and the interruption of a
query that takes too long concern nobody else.
"""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Collection, Iterable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Protocol

from py4j.protocol import Py4JJavaError  # type: ignore[import-untyped]
from pyspark.errors import ParseException, PySparkException
from pyspark.logger import PySparkLogger
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql.utils import is_remote

from pipelines.codegen import run_compiled, run_interpreted
from pipelines.large_results import compare_in_spark
from pipelines.result_rows import plain_rows, row_reader
from pipelines.tables import quote_name
from transforms.judgement import Comparison, Execution
from transforms.query_sources import Readable, result_key
from transforms.result_ladder import not_comparable
from transforms.sql_text import QueryRefusedError, SqlParseError, parse_query

_INTERRUPT_EVERY_S = 0.25  # a query that is still being planned has nothing to interrupt yet
_PYSPARK_ERROR_LOG = "SQLQueryContextLogger"
_SESSION_IS_GONE = ("SparkContext was shut down", "stopped SparkContext", "SESSION_CLOSED")


@dataclass(frozen=True, slots=True)
class ExecutionPolicy:
    """Bounds of execution.

    ``workers`` queries at once; a query that takes longer than ``timeout_s`` is interrupted; one
    with more than ``max_rows`` rows is ``too_large``. Two results of which one is too large are
    compared in Spark, for up to ``compare_timeout_s``. Results are kept for questions that share
    them up to ``max_kept_rows`` rows in all. Tables of up to ``small_bytes`` are read once.
    """

    workers: int = 3
    timeout_s: float = 60.0
    compare_timeout_s: float = 600.0
    max_rows: int = 100_000
    max_kept_rows: int = 1_000_000
    small_bytes: int = 64 * 1024 * 1024


class ResultStore(Protocol):
    """Results that were computed before. Safe to use from several threads at once."""

    def find(self, key: str) -> Execution | None:
        """The result of that key; None where there is none."""

    def keep(self, key: str, execution: Execution) -> None:
        """Keep a result; what cannot be kept is left out."""


@dataclass(frozen=True, slots=True)
class Known:
    """What makes results of earlier executions fit: where they are, and what they depend on."""

    store: ResultStore
    readable: Readable

    def key(self, sql: str) -> str | None:
        """The key of the query's result; None where nobody can say what it depends on."""
        return result_key(sql, self.readable)


class Executor:
    """Executes queries on the tables of one schema; identical SQL once.

    With ``known``, a query is not executed whose result is known from before. Safe to use from
    ``policy.workers`` threads at once; further ones wait. ``executing`` makes one.
    """

    def __init__(
        self,
        sessions: list[SparkSession],
        policy: ExecutionPolicy,
        hidden_schemas: Collection[str],
        known: Known | None = None,
    ) -> None:
        self._policy = policy
        self._hidden_schemas = hidden_schemas
        self._known = known
        self._free: queue.SimpleQueue[SparkSession] = queue.SimpleQueue()
        for session in sessions:
            self._free.put(session)
        self._results: dict[str, Future[Execution]] = {}
        self._kept_rows = 0
        self._lock = threading.Lock()

    def execute(self, sql: str) -> Execution:
        """What came of the query. Raises only when Spark itself is gone."""
        with self._lock:
            known = self._results.get(sql)
            if known is None:
                mine: Future[Execution] = Future()
                self._results[sql] = mine
        if known is not None:
            return known.result()
        try:
            execution = self.execute_apart(sql)
        except BaseException as error:
            mine.set_exception(error)
            raise
        mine.set_result(execution)
        with self._lock:
            self._kept_rows += execution.row_count or 0
            if self._kept_rows > self._policy.max_kept_rows:
                self._kept_rows -= execution.row_count or 0
                del self._results[sql]
        return execution

    def compare(
        self, expected_sql: str, produced_sql: str, *, policy: str, is_ordered: bool
    ) -> Comparison:
        """The comparison of two results that are too large to be at hand, made in Spark.

        Both queries must have been executed before: what ``execute`` refuses is not for here.
        Raises only when Spark itself is gone.
        """
        session = self._free.get()
        timeout_s = self._policy.compare_timeout_s
        try:
            with _interrupted_after(session, timeout_s) as is_late:
                try:
                    return compare_in_spark(
                        session.sql(expected_sql),
                        session.sql(produced_sql),
                        policy=policy,
                        is_ordered=is_ordered,
                    )
                except (PySparkException, Py4JJavaError) as error:
                    if is_late():
                        return not_comparable(f"large results took longer than {timeout_s:g} s")
                    return not_comparable(_failed(error).error or "a query failed")
        finally:
            self._free.put(session)

    def execute_apart(self, sql: str) -> Execution:
        """As ``execute``, for a caller that keeps the result itself: nothing is remembered here."""
        try:
            parse_query(sql, hidden_schemas=self._hidden_schemas)
        except QueryRefusedError as error:
            return Execution("refused", error=error.reason)
        except SqlParseError as error:
            return Execution("parse_error", error=error.reason)
        key = self._known.key(sql) if self._known else None
        if self._known is None or key is None:
            return self._execute_now(sql)
        execution = self._known.store.find(key)
        if execution is None:
            execution = self._execute_now(sql)
            if execution.status == "ok":  # a time-out says nothing of the next time
                self._known.store.keep(key, execution)
        return execution

    def _execute_now(self, sql: str) -> Execution:
        session = self._free.get()
        try:
            with _interrupted_after(session, self._policy.timeout_s) as is_late:
                return self._run(session, sql, is_late)
        finally:
            self._free.put(session)

    def _run(self, session: SparkSession, sql: str, is_late: Callable[[], bool]) -> Execution:
        try:
            result = session.sql(sql)
            schema = result.schema
            rows = plain_rows(result).limit(self._policy.max_rows + 1).collect()
        except (PySparkException, Py4JJavaError) as error:
            if is_late():
                return Execution(
                    "timed_out", error=f"no result within {self._policy.timeout_s:g} s"
                )
            return _failed(error)
        except (OverflowError, ValueError) as error:  # a TIMESTAMP_NTZ after the year 9999
            return Execution("sql_error", error=f"a value of the result cannot be read: {error}")
        columns = tuple(schema.names)
        data_types = tuple(field.dataType.simpleString() for field in schema.fields)
        if len(rows) > self._policy.max_rows:
            error_text = f"more than {self._policy.max_rows} rows"
            return Execution("too_large", columns, data_types, error=error_text)
        read = row_reader(schema)
        return Execution("ok", columns, data_types, tuple(read(row) for row in rows))


@contextmanager
def executing(
    spark: SparkSession,
    schema: str,
    tables: Iterable[str],
    policy: ExecutionPolicy,
    *,
    catalog: str | None = None,
    size_bytes: int,
    hidden_schemas: Collection[str] = (),
    known: Known | None = None,
) -> Iterator[Executor]:
    """An ``Executor`` on the tables of a schema as they are now.

    ``tables`` are ``schema.table``; unqualified names in SQL mean these. Where all of them are
    small (``size_bytes``) they are held in memory until the block ends. Queries that read a table
    of ``hidden_schemas`` are refused. ``known`` has to be about just these tables.
    """
    sessions = [session_like(spark) for _ in range(policy.workers)]
    names = [quote_name(catalog, *name.split(".", 1)) for name in tables]
    is_small = size_bytes <= policy.small_bytes
    held: list[DataFrame] = []
    if is_small and not is_remote():
        held = [spark.table(name).cache() for name in names]
    for session in sessions:
        session.catalog.setCurrentDatabase(quote_name(catalog, schema))
        # Planning costs more than the data where all of it is in memory.
        fit_to_small_tables(session) if is_small else run_compiled(session)
        for name in names if held else ():
            # Planned once, under its own name, instead of with every query.
            session.table(name).createOrReplaceTempView(name.rpartition(".")[2])
    with _quiet():
        try:
            yield Executor(sessions, policy, hidden_schemas, known)
        finally:
            for table in held:
                table.unpersist()


def session_like(spark: SparkSession) -> SparkSession:
    """A session of its own with the settings of another, over the same catalog."""
    if not is_remote():
        return spark.newSession()
    clone: SparkSession = spark.cloneSession()  # type: ignore[attr-defined]  # only Connect has it
    return clone


def fit_to_small_tables(session: SparkSession) -> None:
    """Let the session run each step of a query in one task, and compile no code for it.

    One task is the fastest for few rows, and of rows that tie LIMIT keeps the same in every run:
    with more, it keeps those of the task that ends first.
    """
    run_interpreted(session)
    session.conf.set("spark.sql.shuffle.partitions", "1")


@contextmanager
def _interrupted_after(session: SparkSession, timeout_s: float) -> Iterator[Callable[[], bool]]:
    """Interrupt what the session runs once the time is over; gives whether it is."""
    is_done = threading.Event()
    late = threading.Event()

    def watch() -> None:
        wait_s = timeout_s
        while not is_done.wait(wait_s):
            late.set()
            session.interruptAll()
            wait_s = _INTERRUPT_EVERY_S

    watcher = threading.Thread(target=watch, daemon=True, name="interrupt query")
    watcher.start()
    try:
        yield late.is_set
    finally:
        is_done.set()
        watcher.join()


@contextmanager
def _quiet() -> Iterator[None]:
    """SQL that fails is a result here; PySpark would write each failure to the terminal."""
    # Whoever names it first decides its class, and PySpark gives it words only its own class takes.
    logger = PySparkLogger.getLogger(_PYSPARK_ERROR_LOG)
    was_disabled = logger.disabled
    logger.disabled = True
    try:
        yield
    finally:
        logger.disabled = was_disabled


def _failed(error: PySparkException | Py4JJavaError) -> Execution:
    text = str(error)
    if any(sign in text for sign in _SESSION_IS_GONE):
        raise error
    if isinstance(error, ParseException):
        return Execution("parse_error", error=_message(text), error_class=error.getCondition())
    if isinstance(error, PySparkException):
        return Execution("sql_error", error=_message(text), error_class=error.getCondition())
    cause = text.partition(": ")[2] or text
    return Execution("sql_error", error=_message(cause))


def _message(text: str) -> str:
    """What is wrong, without stack traces and plans."""
    lines = []
    for line in text.strip().splitlines():
        if line.startswith(("\tat ", "JVM stacktrace", "'", "+- ", "== SQL")):
            break
        lines.append(line)
    return "\n".join(lines).strip().rstrip(";") or text[:500]
