"""The installed command as a process of its own: pipes, locks, and no JVM where nothing runs."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from jobs.home import Home
from tests.jobs import seeded
from transforms.identity import make_id

LISTS = (
    "status",
    "history",
    "levers",
    f"compare {seeded.evaluation_id()} {seeded.evaluation_id()}",
    f"why {make_id('proposal', 1)}",
    "failures",
    "clusters",
    "proposals",
    "batches",
    "tables list",
    "benchmarks list",
    f"batches show {make_id('batch', 1)}",
    f"approve {make_id('batch', 1)}",
)

_OWN = """
import sys
from datetime import UTC, datetime
from pathlib import Path
from jobs.home import Home

with Home(Path(sys.argv[1])).own("genie-loop run", datetime.now(UTC)):
    print("owned", flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def shop(tmp_path) -> Home:
    home = Home(tmp_path)
    seeded.shop(home)
    return home


def process(home: Home, *words: str, **options):
    code = "from jobs.cli import main; main()"
    return subprocess.run(
        [sys.executable, "-c", code, *words],
        env={**os.environ, "GENIE_LOOP_HOME": str(home.root)},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
        **options,
    )


def test_the_home_comes_from_the_environment_and_output_can_be_piped(shop):
    done = process(shop, "batches", "--json")
    assert (done.returncode, done.stderr) == (0, "")
    assert len(json.loads(done.stdout)) == 2


def test_nothing_that_only_looks_or_decides_loads_spark_mlflow_or_sqlglot(shop):
    code = textwrap.dedent(
        """
        import sys
        from typer.testing import CliRunner
        from jobs.cli import app

        for line in sys.argv[1:]:
            done = CliRunner().invoke(app, line.split())
            assert done.exit_code == 0, (line, done.output)
        heavy = {"pyspark", "py4j", "delta", "mlflow", "sqlglot", "pandas"}
        print(sorted(heavy & sys.modules.keys()))
        """
    )
    done = subprocess.run(
        [sys.executable, "-c", code, *LISTS],
        env={**os.environ, "GENIE_LOOP_HOME": str(shop.root)},
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
    )
    assert done.stdout.strip() == "[]"


def test_a_reader_that_has_seen_enough_gets_no_traceback(shop):
    code = "from jobs.cli import main; main()"
    reading, writing = os.pipe()
    os.close(reading)
    with os.fdopen(writing, "w") as pipe:
        done = subprocess.run(
            [sys.executable, "-c", code, "tables", "list", "--json"],
            env={**os.environ, "GENIE_LOOP_HOME": str(shop.root)},
            stdout=pipe,
            stderr=subprocess.PIPE,
            text=True,
            timeout=120,
            check=False,
        )
    assert done.returncode != 0
    assert "Traceback" not in done.stderr


def test_a_person_approves_while_another_process_owns_the_home(shop, tmp_path):
    holder = subprocess.Popen(
        [
            sys.executable,
            "-c",
            _OWN,
            str(shop.root),
        ],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert holder.stdout.readline() == "owned\n"
        busy = process(shop, "run")
        assert busy.returncode == 75
        assert f"process {holder.pid} (`genie-loop run`) owns this home" in busy.stderr
        done = process(shop, "approve", make_id("batch", 1), "--by", "ann")
        assert done.returncode == 0, done.stderr
        assert f"process {holder.pid}" in process(shop, "status").stdout
    finally:
        holder.communicate("")
    (row, _) = json.loads(process(shop, "batches", "--json").stdout)
    assert (row["state"], row["decided_by"]) == ("approved", "ann")


def test_the_command_is_the_one_that_is_installed():
    scripts = (Path(__file__).parents[2] / "pyproject.toml").read_text()
    assert 'genie-loop = "jobs.cli:main"' in scripts
