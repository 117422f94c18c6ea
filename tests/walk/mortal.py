"""A process that runs the whole loop once and, when told to, is killed after its n-th commit.

Every life is a new process without any memory; Spark's JVM outlives most of them, because starting
it would take most of the time. ``serve`` is the process that owns the home and the JVM.
"""

from __future__ import annotations

import os
import re
import signal
import sys
import time
import traceback
from collections.abc import Callable
from datetime import UTC, datetime
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, NamedTuple

from pyspark import SparkConf, SparkContext
from pyspark.java_gateway import launch_gateway
from pyspark.sql import DataFrameWriter, DataFrameWriterV2, SparkSession

from jobs import apply, approve, evaluate, optimize
from jobs.context import JobContext
from jobs.delta_log import latest_version
from jobs.home import Home
from jobs.session import SessionSettings, open_session
from jobs.small_tables import SmallTables
from pipelines.load import load
from pipelines.tables import Tables
from transforms.contracts import SPACES

_CHANGES = ("MERGE INTO", "COMMENT ON", "ALTER TABLE")
_TABLE = re.compile(r"(?:`\w+`\.)?`(\w+)`\.`(\w+)`(?!\.)")
NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


class Address(NamedTuple):
    """Where a JVM listens for Python, and what opens it."""

    port: int
    secret: str


class Ended(NamedTuple):
    """What a life that was not cut off says at its end: its commits, or what went wrong."""

    commits: int
    error: str | None


def serve(home: Home, address: Connection) -> None:
    """Own the home, and keep its JVM until this process is killed."""
    os.setpgrp()  # killed together with the JVM, and with nothing else
    settings = SessionSettings.from_environment({**os.environ, "GENIE_LOOP_MASTER": "local[2]"})
    with open_session(home, settings, command="walk", now=NOW) as spark:
        parameters = spark.sparkContext._gateway.gateway_parameters
        address.send(Address(parameters.port, parameters.auth_token))
        signal.pause()


class Lives:
    """Counts commits; the process is gone, with no chance to tidy up, when they are used up."""

    def __init__(self, lives: int, home: Home) -> None:
        self.lives = lives
        self.home = home
        self.commits = 0

    def after(self, commit: Callable[..., Any]) -> Callable[..., Any]:
        """The same call, counted once it is through, if it changed the table that it names.

        A replay that Delta skips is no commit.
        """

        def counted(caller: Any, *args: Any, **kwargs: Any) -> Any:
            table = _TABLE.search(args[0]) if args else None
            before = self._version(table)
            result = commit(caller, *args, **kwargs)
            if table is None or self._version(table) != before:
                self.commits += 1
                if self.commits == self.lives:
                    os.kill(os.getpid(), signal.SIGKILL)
            return result

        return counted

    def _version(self, table: re.Match[str] | None) -> int:
        return latest_version(self.home.table_path(*table.groups())) if table else 0

    def count(self) -> None:
        """From now on, count every way in which the product commits or changes the catalog."""
        for owner, name in (
            (DataFrameWriter, "saveAsTable"),
            (DataFrameWriterV2, "createOrReplace"),
        ):
            setattr(owner, name, self.after(getattr(owner, name)))
        any_sql = SparkSession.sql
        changing = self.after(any_sql)

        def sql(session: SparkSession, query: str, *args: Any, **kwargs: Any) -> Any:
            run = changing if query.startswith(_CHANGES) else any_sql
            return run(session, query, *args, **kwargs)

        SparkSession.sql = sql  # type: ignore[method-assign,assignment]


def live(home: Home, folder: Path, lives: int, at: Address, end: Connection) -> None:
    """Run the loop once; killed after ``lives`` commits, never when 0."""
    counted = Lives(lives, home)
    try:
        _run(_attached(at), home, folder, counted)
    except Exception:
        end.send(Ended(counted.commits, traceback.format_exc()))
    else:
        end.send(Ended(counted.commits, None))


def _attached(at: Address) -> SparkSession:
    """A session of the JVM there, with nothing in it that a killed process left behind."""
    os.environ.update(
        PYSPARK_GATEWAY_PORT=str(at.port),
        PYSPARK_GATEWAY_SECRET=at.secret,
        PYSPARK_PYTHON=sys.executable,
        TZ="UTC",
    )
    time.tzset()
    gateway = launch_gateway()
    jsc = gateway.jvm.JavaSparkContext(gateway.jvm.org.apache.spark.SparkContext.getOrCreate())
    context = SparkContext(gateway=gateway, jsc=jsc, conf=SparkConf(_jconf=jsc.sc().conf()))
    spark = SparkSession(context).newSession()
    for query in spark.streams.active:  # its other half is gone
        query.stop()
    spark.catalog.clearCache()
    return spark


def _run(spark: SparkSession, home: Home, folder: Path, counted: Lives) -> None:
    """What the triggers would start, in order: the batch changes no answer, and is undone."""
    tables = Tables(
        spark,
        clock=lambda: NOW,
        commit_guard=home.committing,
        rows_at_hand=SmallTables(home),
    )
    if not home.table_path(tables.schema, SPACES.name).is_dir():
        tables.create()
    counted.count()
    load(tables, folder, name="shop", policy="auto_low_risk")
    context = JobContext(
        tables=tables,
        checkpoints=home.checkpoints,
        tracking_uri=home.tracking_uri,
        clock=lambda: NOW,
        artifacts=home.artifacts,
    )
    for job in (evaluate, optimize, approve, apply, evaluate, optimize, apply, optimize):
        job.run(context)
