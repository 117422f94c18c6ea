"""The session: its meaning of time and numbers, its silence, its one owner."""

from __future__ import annotations

import os
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest
from pyspark.sql import SparkSession

from jobs.home import Home
from jobs.session import SessionSettings
from transforms.errors import HomeBusyError, InvalidInputError

ROOT = Path(__file__).parents[2]

START = """
import os, sys
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from jobs.home import Home
from jobs.session import SessionSettings, open_session
from transforms.errors import GenieLoopError

settings = SessionSettings.from_environment(os.environ)
try:
    home = Home(Path(sys.argv[1]))
    with open_session(home, settings, command="test", now=datetime.now(UTC)) as spark:
        print(spark.sql(sys.argv[2]).collect())
except GenieLoopError as error:
    print(error)
    sys.exit(error.exit_code)
"""


def start(home: Path, sql: str, **environ: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", START, str(home), sql],
        env={**os.environ, **environ},
        capture_output=True,
        text=True,
        cwd=ROOT,
        timeout=300,
        check=False,
    )


def test_timestamps_are_utc_there_and_back(spark: SparkSession):
    instant = datetime(2026, 7, 1, 12, 30, tzinfo=UTC)
    (row,) = (
        spark.createDataFrame([(instant,)], "at TIMESTAMP")
        .selectExpr("at", "CAST(at AS STRING) AS said")
        .collect()
    )
    assert row.said == "2026-07-01 12:30:00"
    assert row.at == instant.replace(tzinfo=None)


def test_arithmetic_that_has_no_result_is_an_error(spark: SparkSession):
    with pytest.raises(Exception, match="DIVIDE_BY_ZERO"):
        spark.sql("SELECT 1 / 0").collect()


def test_what_is_written_needs_no_feature_of_a_reader(spark: SparkSession, home: Home):
    spark.sql("CREATE TABLE plain (a INT) USING DELTA")
    (detail,) = spark.sql("DESCRIBE DETAIL plain").collect()
    assert (detail.minReaderVersion, detail.minWriterVersion) == (1, 2)
    assert detail.location == f"file:{home.warehouse}/plain"


def test_spark_s_words_go_to_the_home(spark: SparkSession, home: Home):
    del spark
    assert (home.logs / "spark.log").is_file()
    assert (home.logs / "derby.log").is_file()


def test_the_home_is_owned_while_the_session_is_up(spark: SparkSession, home: Home):
    del spark
    owner = home.owner()
    assert owner is not None
    assert owner.command == "pytest"
    with pytest.raises(HomeBusyError), home.own("late", datetime.now(UTC)):
        pytest.fail("two sessions on one home")


@pytest.mark.parametrize(
    ("environ", "master", "memory", "cache"),
    [
        ({}, "local[*]", "2g", Path.home() / ".cache" / "genie-loop"),
        (
            {
                "GENIE_LOOP_MASTER": "local[2]",
                "GENIE_LOOP_DRIVER_MEMORY": "512m",
                "XDG_CACHE_HOME": "/caches",
            },
            "local[2]",
            "512m",
            Path("/caches/genie-loop"),
        ),
    ],
    ids=["defaults", "all set"],
)
def test_settings_come_from_the_environment(
    environ: dict[str, str], master: str, memory: str, cache: Path
):
    settings = SessionSettings.from_environment(environ)
    assert (settings.master, settings.driver_memory, settings.cache) == (master, memory, cache)


@pytest.mark.parametrize("size", ["much", "4", "g", "-1g", "4 g", "4gb"])
def test_a_size_that_java_does_not_know_is_refused(size: str):
    with pytest.raises(InvalidInputError, match="GENIE_LOOP_DRIVER_MEMORY"):
        SessionSettings.from_environment({"GENIE_LOOP_DRIVER_MEMORY": size})


@pytest.mark.slow
def test_a_catalog_stays_and_the_terminal_stays_quiet(tmp_path: Path):
    home = tmp_path / "a home with spaces"
    made = start(home, "CREATE TABLE kept (a INT COMMENT 'stays') USING DELTA")
    found = start(home, "DESCRIBE kept")
    assert (made.stdout, made.stderr, made.returncode) == ("[]\n", "", 0)
    assert "comment='stays'" in found.stdout
    assert (found.stderr, found.returncode) == ("", 0)
    assert Home(home).owner() is None
    assert (home / "warehouse" / "kept" / "_delta_log").is_dir()


@pytest.mark.slow
def test_a_session_that_cannot_start_says_where_to_look(tmp_path: Path):
    failed = start(tmp_path, "SELECT 1", GENIE_LOOP_DRIVER_MEMORY="1m")
    assert failed.returncode == 3
    assert "Spark did not start" in failed.stdout
    assert str(tmp_path / "logs" / "jvm.log") in failed.stdout
    assert failed.stderr == ""


@pytest.mark.slow
def test_without_java_the_person_is_told_what_to_install(tmp_path: Path):
    failed = start(tmp_path, "SELECT 1", JAVA_HOME=str(tmp_path))
    assert failed.returncode == 3
    assert "install Java 17 or newer" in failed.stdout


def test_the_jvm_has_room_for_the_code_it_compiles(spark):
    pools = spark._jvm.java.lang.management.ManagementFactory.getMemoryPoolMXBeans()
    code = [pool.getUsage().getMax() for pool in pools if pool.getName().startswith("Code")]
    assert sum(code) >= 256 << 20


SLEEPS = """
import os, signal, sys, time
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from jobs.home import Home
from jobs.session import SessionSettings, open_session

impatient = {
    "spark.executor.heartbeatInterval": "1s",
    "spark.network.timeout": "3s",
    "spark.network.timeoutInterval": "1s",
}
settings = replace(SessionSettings.from_environment(os.environ), extra=impatient)
home = Home(Path(sys.argv[1]))
with open_session(home, settings, command="test", now=datetime.now(UTC)) as spark:
    kept = spark.range(7).localCheckpoint()
    jvm = spark._jvm.java.lang.ProcessHandle.current().pid()
    os.kill(jvm, signal.SIGSTOP)
    time.sleep(8)
    os.kill(jvm, signal.SIGCONT)
    time.sleep(3)
    print(kept.count())
"""


@pytest.mark.slow
def test_a_session_has_lost_nothing_when_the_machine_has_slept(tmp_path):
    done = subprocess.run(
        [sys.executable, "-c", SLEEPS, str(tmp_path / "home")],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert (done.returncode, done.stdout.strip()) == (0, "7"), done.stderr
    logged = [path.read_text("utf-8") for path in (tmp_path / "home").rglob("*.log")]
    assert "no recent heartbeats" not in "".join([done.stderr, *logged])
