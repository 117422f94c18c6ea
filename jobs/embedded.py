"""Opens the embedded workspace for the process that owns the home's Spark session.

The one module outside of ``genie/local`` that imports from it: somebody has to put its engine and
the session together, and who owns the session is known here only. Everybody else talks to it over
HTTP, as to any workspace, and cannot tell it from a real one.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping, MutableMapping
from contextlib import contextmanager
from datetime import date
from pathlib import Path

from pyspark.sql import SparkSession

from genie.local.engine.engine import MetadataEngine
from genie.local.metadata_answers import MetadataAnswers, WatchedBackend
from genie.local.result_cache import CachingBackend
from genie.local.spark_backend import SparkBackend
from genie.local.workspace import EmbeddedWorkspace
from jobs.delta_log import data_id
from jobs.home import Home
from jobs.reading import SCHEMA
from transforms.query_sources import Readable, result_key

_HOST, _TOKEN = "DATABRICKS_HOST", "DATABRICKS_TOKEN"
_CATALOG_MAX_AGE_S = 600.0  # every change gives another version; this is for what nobody foresaw
_NAMES = (_HOST, "DATABRICKS_CONFIG_PROFILE")


def names_workspace(environ: Mapping[str, str]) -> bool:
    """Whether the environment names a workspace, so that the home's own is not meant."""
    return any(environ.get(name) for name in _NAMES)


def forget_workspace(environ: MutableMapping[str, str]) -> None:
    """Let the environment name no workspace, so that the home's own is meant."""
    for name in _NAMES:
        environ.pop(name, None)


@contextmanager
def serving(home: Home, spark: SparkSession, today: date) -> Iterator[EmbeddedWorkspace]:
    """Serve the home's workspace until the block ends; questions about "today" mean ``today``.

    Raises HomeBusyError when another process serves it.
    """
    data = _WarehouseData(home, spark)
    backend = WatchedBackend(CachingBackend(SparkBackend(spark), data.result_key))
    engine = MetadataAnswers(
        MetadataEngine(today=today),
        backend,
        version=lambda: catalog_version(home),
        max_age_s=_CATALOG_MAX_AGE_S,
    )
    with EmbeddedWorkspace(home.workspace, engine, backend) as workspace:
        yield workspace


@contextmanager
def served_to_this_process(
    home: Home, spark: SparkSession, today: date, environ: MutableMapping[str, str]
) -> Iterator[None]:
    """Name the home's workspace in this process's environment, where no other one is named.

    Nothing is served for a home whose workspace was never used.
    """
    if names_workspace(environ) or not home.workspace.is_dir():
        yield
        return
    with serving(home, spark, today) as workspace:
        environ[_HOST], environ[_TOKEN] = workspace.host, workspace.token
        try:
            yield
        finally:
            del environ[_HOST], environ[_TOKEN]


class _WarehouseData:
    """What queries read in the home's warehouse, by the Delta logs of its tables.

    Queries that name a table without its schema, a view or a function of the catalog's have no key:
    only Spark knows what they read.
    """

    def __init__(self, home: Home, spark: SparkSession) -> None:
        self._home = home
        self._spark = spark
        self._lock = threading.Lock()
        self._builtins: frozenset[str] | None = None
        self._known: dict[Path, tuple[int, str | None]] = {}

    def result_key(self, sql: str) -> str | None:
        """See ``transforms.query_sources.result_key``."""
        with self._lock:
            return result_key(sql, self._readable())

    def _readable(self) -> Readable:
        if self._builtins is None:
            shown = self._spark.sql("SHOW SYSTEM FUNCTIONS").collect()
            self._builtins = frozenset(row[0].lower() for row in shown)
        found = {
            f"{log.parents[1].name.removesuffix('.db')}.{log.parent.name}".lower(): self._data(log)
            for log in _data_logs(self._home)
        }
        known = {name: one for name, one in found.items() if one is not None}
        return Readable(schema=None, data_ids=known, builtins=self._builtins)

    def _data(self, log: Path) -> str | None:
        written_ns = log.stat().st_mtime_ns
        known = self._known.get(log)
        if known is None or known[0] != written_ns:
            known = self._known[log] = (written_ns, data_id(log.parent))
        return known[1]


def catalog_version(home: Home) -> tuple[object, ...]:
    """Another value after every change to the catalog or the data, whoever made it.

    Jobs change them on the session, not through the workspace. A change is a write to the log of
    the catalog's Derby or to a Delta log, which the times of files tell. The history is left out:
    nobody asks about it, and jobs write it all the time.
    """
    logs = [*home.metastore.glob("log/*.dat"), *_data_logs(home)]
    return tuple((str(log), log.stat().st_mtime_ns) for log in sorted(logs))


def _data_logs(home: Home) -> Iterator[Path]:
    """The folders of the Delta logs of all tables but those of the history."""
    for log in home.warehouse.glob("*.db/*/_delta_log"):
        if log.parents[1].name != f"{SCHEMA}.db":
            yield log


def environment_of(workspace: EmbeddedWorkspace) -> dict[str, str]:
    """What a program needs in its environment to reach the workspace through the SDK."""
    return {_HOST: workspace.host, _TOKEN: workspace.token}
