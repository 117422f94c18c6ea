"""The home's folders and its two locks, between real processes."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from jobs.home import Home
from tests.conftest import NOW
from transforms.errors import HomeBusyError, MissingRuntimeError

ROOT = Path(__file__).parents[2]

OWN = """
import subprocess, sys, time
from datetime import UTC, datetime
from pathlib import Path
from jobs.home import Home

with Home(Path(sys.argv[1])).own("genie-loop run", datetime(2026, 1, 2, tzinfo=UTC)) as lock:
    if len(sys.argv) > 2:  # stands for the JVM, which shares the lock
        subprocess.Popen(["sleep", sys.argv[2]], pass_fds=[lock])
    print("owned", flush=True)
    time.sleep(60)
"""

COMMIT = """
import sys, time
from pathlib import Path
from jobs.home import Home

home, log = Home(Path(sys.argv[1])), Path(sys.argv[2])
for _ in range(5):
    with home.committing():
        with log.open("a") as file:
            file.write("in\\n")
            file.flush()
            time.sleep(0.02)
            file.write("out\\n")
"""


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(tmp_path / "home")


@contextmanager
def another_owner(home: Home, *more: str) -> Iterator[subprocess.Popen[str]]:
    command = [sys.executable, "-c", OWN, str(home.root), *more]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT)
    try:
        assert process.stdout is not None
        assert process.stdout.readline() == "owned\n"
        yield process
    finally:
        process.kill()
        process.communicate()


@pytest.mark.parametrize(
    ("environ", "root"),
    [
        ({}, Path.cwd() / ".genie-loop"),
        ({"GENIE_LOOP_HOME": ""}, Path.cwd() / ".genie-loop"),
        ({"GENIE_LOOP_HOME": "here"}, Path.cwd() / "here"),
        ({"GENIE_LOOP_HOME": "/there"}, Path("/there")),
        ({"GENIE_LOOP_HOME": "~/mine"}, Path.home() / "mine"),
    ],
    ids=["not set", "empty", "relative", "absolute", "of the user"],
)
def test_the_home_is_where_the_environment_says(environ: dict[str, str], root: Path):
    assert Home.from_environment(environ).root == root


def test_naming_a_home_touches_nothing(home: Home):
    assert home.owner() is None
    assert not home.exists
    assert not home.root.exists()


def test_owning_makes_the_folders_and_leaves_no_owner_behind(home: Home):
    with home.own("genie-loop run", NOW):
        owner = home.owner()
    assert owner is not None
    assert (owner.pid, owner.command) == (os.getpid(), "genie-loop run")
    assert owner.since == "2026-01-02T03:04:05+00:00"
    assert home.exists
    assert home.owner() is None
    with home.own("again", NOW):
        assert home.owner() is not None


def test_a_second_owner_is_told_who_the_first_one_is(home: Home):
    with another_owner(home) as process:
        began = time.monotonic()
        with pytest.raises(HomeBusyError) as raised, home.own("late", NOW):
            pytest.fail("owned a home that is owned")
        assert time.monotonic() - began < 5
        said = str(raised.value)
        assert f"process {process.pid} (`genie-loop run`)" in said
        assert "since 2026-01-02T00:00:00+00:00" in said
        assert raised.value.exit_code == 75
        owner = home.owner()
        assert owner is not None
        assert owner.pid == process.pid


def test_a_killed_owner_is_the_owner_until_its_jvm_has_left(home: Home):
    with another_owner(home, "1.5") as process:
        process.send_signal(signal.SIGKILL)
        process.wait()
        assert home.owner() is not None, "the child still holds the lock"
        with home.own("after the kill", NOW):
            owner = home.owner()
        assert owner is not None
        assert owner.command == "after the kill"


def test_a_killed_owner_without_a_jvm_is_no_owner(home: Home):
    with another_owner(home) as process:
        process.kill()
        process.wait()
        assert home.owner() is None


def test_only_one_process_commits_at_a_time(home: Home, tmp_path: Path):
    home.create()
    log = tmp_path / "log"
    command = [sys.executable, "-c", COMMIT, str(home.root), str(log)]
    processes = [subprocess.Popen(command, cwd=ROOT) for _ in range(3)]
    assert [process.wait(timeout=60) for process in processes] == [0, 0, 0]
    assert log.read_text().split() == ["in", "out"] * 15


def test_the_commit_lock_is_free_after_an_error(home: Home):
    home.create()
    with pytest.raises(ZeroDivisionError), home.committing():
        _ = 1 / 0
    with home.committing():
        pass


def test_a_home_that_cannot_be_written_says_what_to_do(tmp_path: Path):
    (tmp_path / "file").write_text("not a folder")
    home = Home(tmp_path / "file" / "home")
    with pytest.raises(MissingRuntimeError, match="set GENIE_LOOP_HOME"):
        home.create()
