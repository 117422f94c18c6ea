"""A Spark session on a laptop: quiet, up in seconds, with a catalog that stays."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

import pyspark
from pyspark import SparkConf, SparkContext
from pyspark.errors import PySparkRuntimeError
from pyspark.java_gateway import launch_gateway
from pyspark.logger import PySparkLogger
from pyspark.sql import SparkSession

from jobs.home import Home
from jobs.jars import cached_jars, find_java
from transforms.errors import InvalidInputError, MissingRuntimeError

_PYSPARK_ERROR_LOG = "SQLQueryContextLogger"
_LOG_CONFIGURATION = Path(__file__).with_name("log4j2.properties")

# Small Delta tables on few cores: planning and start-up cost more than the data.
_FAST = {
    "spark.ui.enabled": "false",
    "spark.ui.showConsoleProgress": "false",
    "spark.sql.adaptive.enabled": "false",
    # A state view over a few rows takes longer to compile to Java than to compute.
    "spark.sql.codegen.wholeStage": "false",
    "spark.sql.codegen.factoryMode": "NO_CODEGEN",
    "spark.databricks.delta.snapshotPartitions": "1",
    "spark.sql.sources.parallelPartitionDiscovery.parallelism": "2",
    "spark.driver.host": "127.0.0.1",
    "spark.driver.bindAddress": "127.0.0.1",
}
# The executor is the driver's own process. When it was silent for minutes, the machine has slept or
# its clock was set; Spark would remove it with all its blocks, and cannot take it back.
_NEVER_LOST = {"spark.storage.blockManagerHeartbeatTimeoutMs": "24h"}
_SEMANTICS = {
    "spark.sql.extensions": "io.delta.sql.DeltaSparkSessionExtension",
    "spark.sql.catalog.spark_catalog": "org.apache.spark.sql.delta.catalog.DeltaCatalog",
    "spark.sql.catalogImplementation": "hive",
    "spark.sql.session.timeZone": "UTC",
    "spark.sql.ansi.enabled": "true",
    # Any Delta reader can read what is written here.
    "spark.databricks.delta.properties.defaults.enableDeletionVectors": "false",
}


@dataclass(frozen=True, slots=True)
class SessionSettings:
    """What may differ between machines.

    ``master`` and ``driver_memory`` are Spark's; ``cache`` is where jars are kept, for all homes
    of a user; ``extra`` overrides single Spark settings.
    """

    cache: Path
    master: str = "local[*]"
    driver_memory: str = "2g"
    shuffle_partitions: int = 2
    extra: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def from_environment(cls, environ: Mapping[str, str]) -> SessionSettings:
        """``GENIE_LOOP_MASTER``, ``GENIE_LOOP_DRIVER_MEMORY``, ``XDG_CACHE_HOME``.

        Raises InvalidInputError for a memory size that Java would not understand.
        """
        memory = environ.get("GENIE_LOOP_DRIVER_MEMORY") or "2g"
        if not (memory[:-1].isdigit() and memory[-1] in "mMgG"):
            raise InvalidInputError(
                f"not a size of memory: {memory!r}",
                where="GENIE_LOOP_DRIVER_MEMORY",
                remedy="give a whole number with m or g, for example 4g",
            )
        caches = environ.get("XDG_CACHE_HOME") or "~/.cache"
        return cls(
            cache=Path(caches).expanduser() / "genie-loop",
            master=environ.get("GENIE_LOOP_MASTER") or "local[*]",
            driver_memory=memory,
        )


def say_on_stderr(what: str) -> None:
    """Progress for people, away from output that a program may read."""
    print(what, file=sys.stderr, flush=True)


@contextmanager
def open_session(
    home: Home,
    settings: SessionSettings,
    *,
    command: str,
    now: datetime,
    say: Callable[[str], None] = say_on_stderr,
) -> Iterator[SparkSession]:
    """Own the home and run Spark on it, until the block ends.

    ``command`` and ``now`` are what a process that comes meanwhile is told. Sets the process's
    time zone to UTC, because Spark hands timestamps over in the process's zone. Raises
    HomeBusyError, and MissingRuntimeError without Java 17+ or without the network at the first
    start.
    """
    find_java(os.environ)
    jars = cached_jars(settings.cache, say)
    with home.own(command, now) as lock:
        spark = _start(home, settings, jars, lock)
        # What fails is raised; PySpark would write it to the terminal as well, with its stack.
        PySparkLogger.getLogger(_PYSPARK_ERROR_LOG).disabled = True
        try:
            yield spark
        finally:
            spark.stop()


def _start(
    home: Home, settings: SessionSettings, jars: tuple[Path, ...], lock: int
) -> SparkSession:
    os.environ.update(
        SPARK_HOME=str(Path(pyspark.__file__).parent),  # not another Spark on this machine
        SPARK_LOCAL_IP="127.0.0.1",
        PYSPARK_PYTHON=sys.executable,
        TZ="UTC",
    )
    time.tzset()
    conf = SparkConf(loadDefaults=False)
    for name, value in _configuration(home, settings, jars).items():
        conf.set(name, value)
    output = home.logs / "jvm.log"
    try:
        with output.open("wb") as log:
            # The JVM shares the lock: whoever of the two lives longer owns the home.
            kwargs: dict[str, Any] = {"stdout": log, "stderr": log, "pass_fds": (lock,)}
            gateway = launch_gateway(conf, kwargs)  # type: ignore[no-untyped-call]
        context = SparkContext(conf=conf, gateway=gateway)
    except (PySparkRuntimeError, OSError) as error:
        raise MissingRuntimeError(
            f"Spark did not start: {error}",
            where=str(output),
            remedy="the log says why; a driver memory the machine does not have is the usual cause",
        ) from error
    return SparkSession(context)


def _configuration(home: Home, settings: SessionSettings, jars: tuple[Path, ...]) -> dict[str, str]:
    java_options = (
        "-XX:+UseSerialGC",
        "-XX:TieredStopAtLevel=1",
        # With one tier Java takes 48 MB, which Spark fills within a minute: then nothing more is
        # compiled, and sooner or later a call fails for want of room.
        "-XX:ReservedCodeCacheSize=256m",
        "-Duser.timezone=UTC",
        f"-Dlog4j2.configurationFile={_LOG_CONFIGURATION.as_uri()}",
        f"-Dgenie_loop.logs={home.logs}",
        f"-Dderby.stream.error.file={home.logs / 'derby.log'}",
        f"-Dderby.system.home={home.root}",
    )
    return {
        **_FAST,
        **_NEVER_LOST,
        **_SEMANTICS,
        "spark.app.name": "genie-loop",
        "spark.master": settings.master,
        "spark.driver.memory": settings.driver_memory,
        "spark.driver.extraJavaOptions": " ".join(f'"{option}"' for option in java_options),
        "spark.jars": ",".join(str(jar) for jar in jars),
        "spark.sql.shuffle.partitions": str(settings.shuffle_partitions),
        "spark.sql.warehouse.dir": str(home.warehouse),
        "spark.local.dir": str(home.scratch),
        "spark.hadoop.javax.jdo.option.ConnectionURL": (
            f"jdbc:derby:;databaseName={home.metastore};create=true"
        ),
        "spark.hadoop.hive.exec.scratchdir": str(home.scratch / "hive"),
        "spark.hadoop.hive.exec.local.scratchdir": str(home.scratch / "hive-local"),
        "spark.hadoop.hive.downloaded.resources.dir": str(home.scratch / "hive-resources"),
        **settings.extra,
    }
