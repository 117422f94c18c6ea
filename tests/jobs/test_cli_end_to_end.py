"""The whole loop by commands alone, each a process of its own, on a folder made here."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
from pathlib import Path

import pytest

from jobs.home import Home
from jobs.positions import read_progress
from jobs.reading import History
from tests.jobs.commands import call, listed, start
from transforms.contracts import TABLES

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1800)]

COLUMNS = [
    {"name": "order_id", "spark_type": "BIGINT", "comment": "order", "primary_key": True},
    {"name": "status", "spark_type": "STRING", "comment": "order status", "primary_key": False},
    {"name": "amount", "spark_type": "DOUBLE", "comment": "amount", "primary_key": False},
]
STATUSES = ("Paid", "Open", "Void")
MEASURES = ("COUNT(*)", "SUM(amount)", "AVG(amount)", "MAX(amount)", "MIN(amount)")


@pytest.fixture
def folder(tmp_path) -> Path:
    """A shop of one table; its assistant writes the statuses in lower case."""
    root = tmp_path / "shop"
    (root / "tables").mkdir(parents=True)
    (root / "answers").mkdir()
    columns = [{**column, "foreign_keys": []} for column in COLUMNS]
    schema = {"tables": {"orders": {"comment": "orders", "columns": columns}}}
    (root / "schema.json").write_text(json.dumps(schema))
    rows = [f"{n},{STATUSES[n % 3]},{n * 1.5}" for n in range(60)]
    (root / "tables" / "orders.csv").write_text("\n".join(["order_id,status,amount", *rows]) + "\n")
    questions, wrong, right = [], [], []
    for number, measure in enumerate(MEASURES):
        for status in STATUSES:
            question_id = f"q{number}{status}"
            expected = f"SELECT {measure} FROM orders WHERE status = '{status}'"
            questions.append(
                {
                    "question_id": question_id,
                    "question": f"What is the {measure.lower()} of {status.lower()} orders?",
                    "expected_sql": expected,
                }
            )
            lower = expected.replace(status, status.lower())
            wrong.append({"question_id": question_id, "sql": lower})
            right.append({"question_id": question_id, "sql": expected})
    for path, items in (
        (root / "questions.jsonl", questions),
        (root / "answers" / "assistant.jsonl", wrong),
        (tmp_path / "better.jsonl", right),
    ):
        path.write_text("".join(json.dumps(item) + "\n" for item in items))
    return root


def await_job(home: Home, process: subprocess.Popen[str]) -> None:
    """Return while the process runs a job."""
    deadline = time.monotonic() + 300
    while not any(p.is_unfinished for p in read_progress(home.runner_file).values()):
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < deadline
        time.sleep(0.1)


def look_on(home: Home, process: subprocess.Popen[str]) -> int:
    """Read what people read, again and again, until the process has ended; how often."""
    looks = 0
    while process.poll() is None:
        for command in ("status", "batches", "proposals"):
            listed(home, command)
        looks += 1
        time.sleep(1)  # the process needs the processor, too
    return looks


def assert_is_whole(home: Home) -> None:
    """No commit is missing in any log, every table can be read, no key is there twice."""
    history = History(home)
    for table in TABLES:
        log = history.path(table.name) / "_delta_log"
        versions = sorted(int(path.stem) for path in log.glob("[0-9]*.json"))
        assert versions == list(range(len(versions))), table.name
        key = ", ".join(table.key)
        twice = f"SELECT {key} FROM {table.name} GROUP BY {key} HAVING count(*) > 1"
        assert history.select(twice) == [], table.name


def interrupted_in_a_job(home: Home) -> str:
    """Start a run, press Ctrl-C while a job is at work, and give what it said."""
    process = start(home, "run", "--no-wait")
    await_job(home, process)
    time.sleep(3)
    os.killpg(process.pid, signal.SIGINT)
    out, err = process.communicate(timeout=120)
    assert process.returncode == 130, err
    assert out == ""
    return err


def test_load_run_press_ctrl_c_run_on_decide_and_evaluate_again(tmp_path, folder):
    home = Home(tmp_path / "home")

    loaded = call(home, "load", str(folder))
    assert "shop-assistant: 15 recorded answers" in loaded
    assert "Interrupted while evaluate ran. Nothing is half-done" in interrupted_in_a_job(home)

    run = start(home, "run", "--no-wait")
    ran, err = run.communicate(timeout=500)
    assert run.returncode == 0, err
    assert "evaluate starts: its last run did not finish" in err
    assert [line.partition(":")[0] for line in ran.splitlines() if line[0] != " "][:3] == [
        "evaluate",
        "optimize",
        "approve",
    ]
    assert ran.endswith("nothing is due\n")
    tables = {row["table"]: row["row_count"] for row in listed(home, "tables", "list")}
    assert tables["eval_results"] == 15, "asked once, though the first run was cut off"
    (evaluation,) = listed(home, "history")
    assert evaluation["question_count"] == 15
    assert evaluation["correct_count"] == 0
    assert listed(home, "clusters")
    batches = listed(home, "batches")
    assert {batch["state"] for batch in batches} == {"proposed"}
    assert call(home, "run") == "Nothing is pending.\n"

    better = str(tmp_path / "better.jsonl")
    call(home, "evaluate", "shop-assistant", "--answers", better)
    assert [e["correct_count"] for e in listed(home, "history")] == [0, 15]
    assert [r["job"] for r in listed(home, "status") if r["about"] == "job"] == ["optimize"]

    # People look and decide while another process owns the home and runs a job.
    free = next(b["batch_id"] for b in batches if b["kind"] == "lever")
    running = start(home, "run", "--no-wait")
    await_job(home, running)
    call(home, "approve", free, "--by", "ann")
    assert f"process {running.pid}" in call(home, "status")
    assert look_on(home, running) > 1
    out, err = running.communicate(timeout=100)
    assert running.returncode == 0, err
    assert out.endswith("nothing is due\n")
    assert_is_whole(home)
    (decided,) = History(home).select("SELECT * FROM approvals")
    assert (decided["batch_id"], decided["decided_by"]) == (free, "ann")
    applied = History(home).select("SELECT batch_id, direction FROM applications")
    assert (free, "apply") in [(one["batch_id"], one["direction"]) for one in applied]
    too_late = start(home, "reject", free, "--by", "bob")
    assert "ann approved this batch" in too_late.communicate(timeout=100)[1]
    assert too_late.returncode == 7
    assert {c["state"] for c in listed(home, "clusters")} <= {"resolved", "addressed"}
