"""What all tests share: one Spark session a process, the history's tables, a clock that stands."""

from __future__ import annotations

import os
import shutil
import socket
import tempfile
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from pyspark.sql import SparkSession

from jobs.home import Home
from jobs.session import SessionSettings, open_session
from jobs.small_tables import SmallTables
from pipelines.tables import Tables
from transforms.contracts import TABLES

# Before MLflow is imported anywhere: no telemetry, and nothing of the person's own set-up.
os.environ["MLFLOW_DISABLE_TELEMETRY"] = "true"
for name in (
    "GENIE_LOOP_HOME",
    "GENIE_LOOP_DRIVER_MEMORY",
    "GENIE_LOOP_SETTLING_SECONDS",
    "MLFLOW_TRACKING_URI",
):
    os.environ.pop(name, None)

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


def _workspace_addresses() -> set[str]:
    """Where the workspace is that the contract is tested against, when one is configured."""
    host = os.environ.get("DATABRICKS_HOST", "")
    name = urlsplit(host if "//" in host else f"//{host}").hostname
    return {str(found[4][0]) for found in socket.getaddrinfo(name, 443)} if name else set()


@pytest.fixture(autouse=True, scope="session")
def _only_this_machine() -> Iterator[None]:
    """A test that reaches for the network fails at once, with the address it wanted."""
    connect = socket.socket.connect
    allowed = {"127.0.0.1", "::1", "localhost", *_workspace_addresses()}

    def guarded(self: socket.socket, address: object) -> None:
        if self.family in (socket.AF_INET, socket.AF_INET6):
            host = address[0] if isinstance(address, tuple) else address
            if host not in allowed:
                raise AssertionError(f"a test wanted to reach {address}")
        connect(self, address)

    patch = pytest.MonkeyPatch()
    patch.setattr(socket.socket, "connect", guarded)
    yield
    patch.undo()


# What takes longest, the longest first: started last, it would keep one of two processes idle.
_LONGEST = (
    "tests/walk/",
    "tests/jobs/test_cli_end_to_end",
    "tests/jobs/test_cli_demo",
    "tests/jobs/test_evaluate",
)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Files stay together, and as they were but for the longest, which come first."""

    def rank(item: pytest.Item) -> int:
        starts = (item.nodeid.startswith(start) for start in _LONGEST)
        return next((n for n, is_it in enumerate(starts) if is_it), len(_LONGEST))

    items.sort(key=rank)


@pytest.fixture(scope="session")
def home() -> Iterator[Home]:
    """The home of the process's one Spark session."""
    root = Path(tempfile.mkdtemp(prefix="genie-loop-tests-"))
    yield Home(root)
    shutil.rmtree(root, ignore_errors=True)


@pytest.fixture(scope="session")
def spark(home: Home) -> Iterator[SparkSession]:
    """The process's one Spark session, with the settings of the product."""
    settings = SessionSettings.from_environment({**os.environ, "GENIE_LOOP_MASTER": "local[2]"})
    with open_session(home, settings, command="pytest", now=NOW) as session:
        yield session


@pytest.fixture
def fixed_clock() -> Callable[[], datetime]:
    """A clock that stands at 2026-01-02 03:04:05 UTC."""
    return lambda: NOW


@pytest.fixture(scope="session")
def created_tables(spark: SparkSession, home: Home) -> Tables:
    """The process's one set of tables: creating them takes ten seconds, emptying them none."""
    tables = Tables(spark, clock=lambda: NOW, rows_at_hand=SmallTables(home))
    tables.create()
    return tables


@pytest.fixture
def tables(created_tables: Tables, home: Home) -> Tables:
    """Every table of the history, as it was just after creation: version 0, no rows."""
    empty(created_tables, home)
    return created_tables


def empty(tables: Tables, home: Home) -> None:
    """Take every table back to version 0, with its transactions forgotten.

    Deleting rows would leave the transactions behind, and a test that appends what another one
    appended would find it done already.
    """
    for table in TABLES:
        folder = home.table_path(tables.schema, table.name)
        for path in (*folder.iterdir(), *(folder / "_delta_log").iterdir()):
            is_first_commit = path.name.lstrip(".").startswith(f"{0:020}.")
            if path.name == "_delta_log" or is_first_commit:
                continue
            if path.is_dir():
                shutil.rmtree(path)
            else:
                path.unlink()
    jvm = tables.spark.sparkContext._jvm
    assert jvm is not None
    jvm.org.apache.spark.sql.delta.DeltaLog.clearCache()
    tables.spark.catalog.clearCache()


@pytest.fixture(scope="session")
def _new_store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An MLflow store without anything in it: making one takes seconds, copying it none."""
    from mlflow import MlflowClient

    store = tmp_path_factory.mktemp("mlflow-template") / "mlflow.db"
    MlflowClient(f"sqlite:///{store}").search_experiments()
    return store


@pytest.fixture
def tracking_uri(_new_store: Path, tmp_path: Path) -> str:
    """An MLflow store of this test's own, in ``tmp_path``; nothing in it."""
    shutil.copy(_new_store, tmp_path / "mlflow.db")
    return f"sqlite:///{tmp_path / 'mlflow.db'}"
