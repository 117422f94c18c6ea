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
from genie.local.live_catalog import sql_of
from genie.local.metadata_answers import MetadataAnswers, WatchedBackend
from genie.local.result_cache import CachingBackend
from genie.local.spark_backend import SparkBackend
from genie.local.workspace import EmbeddedWorkspace
from jobs.home import Home
from jobs.warehouse_data import WarehouseData, catalog_version, table_marks

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
    on_spark = SparkBackend(spark)
    data = WarehouseData(home, sql_of(on_spark))
    backend = WatchedBackend(CachingBackend(on_spark, data.result_key))
    engine = MetadataAnswers(
        MetadataEngine(today=today),
        backend,
        version=lambda: catalog_version(home),
        marks=lambda: table_marks(home),
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


def environment_of(workspace: EmbeddedWorkspace) -> dict[str, str]:
    """What a program needs in its environment to reach the workspace through the SDK."""
    return {_HOST: workspace.host, _TOKEN: workspace.token}
