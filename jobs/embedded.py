"""Opens the embedded workspace for the process that owns the home's Spark session.

The one module outside of ``genie/local`` that imports from it: somebody has to put its engine and
the session together, and who owns the session is known here only. Everybody else talks to it over
HTTP, as to any workspace, and cannot tell it from a real one.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, MutableMapping
from contextlib import contextmanager
from datetime import date

from pyspark.sql import SparkSession

from genie.local.engine.engine import MetadataEngine
from genie.local.metadata_answers import MetadataAnswers, WatchedBackend
from genie.local.spark_backend import SparkBackend
from genie.local.workspace import EmbeddedWorkspace
from jobs.home import Home
from jobs.reading import SCHEMA

_HOST, _TOKEN = "DATABRICKS_HOST", "DATABRICKS_TOKEN"
_NAMES = (_HOST, "DATABRICKS_CONFIG_PROFILE")


def names_workspace(environ: Mapping[str, str]) -> bool:
    """Whether the environment names a workspace, so that the home's own is not meant."""
    return any(environ.get(name) for name in _NAMES)


@contextmanager
def serving(home: Home, spark: SparkSession, today: date) -> Iterator[EmbeddedWorkspace]:
    """Serve the home's workspace until the block ends; questions about "today" mean ``today``.

    Raises HomeBusyError when another process serves it.
    """
    backend = WatchedBackend(SparkBackend(spark))
    engine = MetadataAnswers(
        MetadataEngine(today=today), backend, version=lambda: catalog_version(home)
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


def catalog_version(home: Home) -> tuple[object, ...]:
    """Another value after every change to the catalog or the data, whoever made it.

    Jobs change them on the session, not through the workspace. A change is a write to the log of
    the catalog's Derby or to a Delta log, which the times of files tell. The history is left out:
    nobody asks about it, and jobs write it all the time.
    """
    logs = [
        *home.metastore.glob("log/*.dat"),
        *(
            folder
            for folder in home.warehouse.glob("*.db/*/_delta_log")
            if folder.parents[1].name != f"{SCHEMA}.db"
        ),
    ]
    return tuple((str(log), log.stat().st_mtime_ns) for log in sorted(logs))


def environment_of(workspace: EmbeddedWorkspace) -> dict[str, str]:
    """What a program needs in its environment to reach the workspace through the SDK."""
    return {_HOST: workspace.host, _TOKEN: workspace.token}
