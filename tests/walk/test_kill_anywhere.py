"""kill -9 after any commit of any job, then a rerun: the same tables as without."""

from __future__ import annotations

import json
import multiprocessing
import os
import signal
from collections.abc import Iterator
from multiprocessing.context import ForkServerContext, ForkServerProcess
from pathlib import Path
from typing import Any

import pytest
from deltalake import DeltaTable

from jobs.home import Home
from tests.walk.mortal import Address, Ended, live, serve
from transforms.contracts import BY_NAME, TABLES

NEVER_KILLED = 0
JVM_KILLED_EVERY = 12
PATIENCE_S = 600
# Ids that MLflow gives and times that are measured; what they stand for is compared below.
NOT_COMPARED = {"model_id", "mlflow_run_id", "latency_ms", "updated_by"}
JOBS_WRITE = {
    "benchmarks",
    "evaluation_requests",
    "eval_results",
    "judge_verdicts",
    "failures",
    "arbiter_verdicts",
    "evaluations",
    "profiles",
    "clusters",
    "cluster_members",
    "proposals",
    "batches",
    "lever_audit",
    "approvals",
    "application_intents",
    "applications",
    "gate_decisions",
    "versions",
    "quarantine",
}


class Walk:
    """Runs the loop on a home, each time in a new process; the JVM is started when needed."""

    def __init__(self, processes: ForkServerContext, home: Home, folder: Path) -> None:
        self.processes = processes
        self.home = home
        self.folder = folder
        self.server: ForkServerProcess | None = None
        self.address: Address | None = None

    def run(self, lives: int) -> Ended | None:
        """What the run says at its end; None when it was killed."""
        if self.address is None:
            self.address = self._start_server()
        receiver, sender = self.processes.Pipe(duplex=False)
        process = self.processes.Process(
            target=live, args=(self.home, self.folder, lives, self.address, sender)
        )
        process.start()
        sender.close()
        process.join(PATIENCE_S)
        assert process.exitcode in (0, -signal.SIGKILL), process.exitcode
        return receiver.recv() if process.exitcode == 0 else None

    def _start_server(self) -> Address:
        receiver, sender = self.processes.Pipe(duplex=False)
        self.server = self.processes.Process(target=serve, args=(self.home, sender))
        self.server.start()
        sender.close()
        address: Address = receiver.recv()
        return address

    def kill_server(self) -> None:
        """Kill the JVM, and the process that owns it."""
        if self.server is None or self.server.pid is None:
            return
        os.killpg(self.server.pid, signal.SIGKILL)
        self.server.join(PATIENCE_S)
        self.server = self.address = None


def rows(home: Home, table: str) -> list[str]:
    path = home.table_path("genie_loop", table)
    kept = [column for column in BY_NAME[table].columns if column not in NOT_COMPARED]
    found: list[dict[str, Any]] = DeltaTable(path).to_pyarrow_table(columns=kept).to_pylist()
    return sorted(json.dumps(row, default=str, sort_keys=True) for row in found)


def tracked(home: Home) -> dict[str, int]:
    """How many runs, finished ones, model versions, traces and assessments MLflow holds."""
    import mlflow

    client = mlflow.MlflowClient(tracking_uri=home.tracking_uri)
    experiments = [e.experiment_id for e in client.search_experiments()]
    runs = client.search_runs(experiments)
    traces = client.search_traces(locations=experiments, max_results=500, include_spans=False)
    return {
        "runs": len(runs),
        "finished": sum(run.info.status == "FINISHED" for run in runs),
        "models": len(client.search_logged_models(experiments)),
        "traces": len(traces),
        "assessments": sum(len(trace.info.assessments) for trace in traces),
    }


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A shop with two tables, twelve questions and a system that forgets and misspells."""
    root = tmp_path_factory.mktemp("input") / "shop"
    (root / "tables").mkdir(parents=True)
    (root / "answers").mkdir()

    def column(name: str, spark_type: str, comment: str | None, *, key: bool = False) -> Any:
        return {
            "name": name,
            "spark_type": spark_type,
            "comment": comment,
            "primary_key": key,
            "foreign_keys": [],
        }

    orders = [
        column("order_id", "BIGINT", "order", key=True),
        column("buyer", "STRING", "who bought"),
        column("status", "STRING", "order status"),
        column("amount", "DOUBLE", "amount"),
    ]
    schema = {"tables": {"orders": {"comment": "orders", "columns": orders}}}
    (root / "schema.json").write_text(json.dumps(schema))
    statuses = ("Paid", "Open", "Void")
    lines = [f"{n},buyer {n % 7},{statuses[n % 3]},{n * 1.5}" for n in range(60)]
    lines.append("x61,buyer 1,Paid,not a number")
    (root / "tables" / "orders.csv").write_text(
        "\n".join(["order_id,buyer,status,amount", *lines]) + "\n"
    )
    questions, answers = [], []
    measures = ("COUNT(*)", "SUM(amount)", "AVG(amount)", "MAX(amount)", "COUNT(DISTINCT buyer)")
    for number, measure in enumerate(measures):
        for status in statuses:
            question_id = f"q{number}{status}"
            expected = f"SELECT {measure} FROM orders WHERE status = '{status}'"
            questions.append(
                {
                    "question_id": question_id,
                    "question": f"What is {measure.lower()} for {status.lower()} orders?",
                    "expected_sql": expected,
                }
            )
            produced = expected.replace(status, status.lower()) if number != 1 else expected
            answers.append({"question_id": question_id, "sql": produced})
    questions.append({"question_id": "open", "question": "And without SQL?", "expected_sql": None})
    for name, items in (("questions.jsonl", questions), ("answers/assistant.jsonl", answers)):
        (root / name).write_text("".join(json.dumps(item) + "\n" for item in items))
    return root


@pytest.fixture(scope="module")
def processes() -> ForkServerContext:
    """New processes that hold nothing but what is imported, without the seconds that this takes."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload([live.__module__])
    return context


@pytest.fixture(scope="module")
def undisturbed(
    processes: ForkServerContext, folder: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Walk]:
    """A home on which the loop ran once, from start to end."""
    walk = Walk(processes, Home(tmp_path_factory.mktemp("undisturbed")), folder)
    ended = walk.run(NEVER_KILLED)
    assert ended is not None
    assert ended.error is None, ended.error
    yield walk
    walk.kill_server()


@pytest.mark.slow
@pytest.mark.timeout(2400)
def test_a_kill_after_every_commit_leaves_the_same_tables(
    processes: ForkServerContext, folder: Path, undisturbed: Walk, tmp_path: Path
) -> None:
    """Each process is killed after the one commit it adds to what is there, until none is left."""
    walk = Walk(processes, Home(tmp_path), folder)
    kills = 0
    try:
        while (ended := walk.run(1)) is None:
            kills += 1
            assert kills < 120, "a job writes on without end"
            if kills % JVM_KILLED_EVERY == 0:
                walk.kill_server()
    finally:
        walk.kill_server()
    assert ended.error is None, ended.error
    assert ended.commits == 0
    differing = [
        table.name
        for table in TABLES
        if rows(walk.home, table.name) != rows(undisturbed.home, table.name)
    ]
    assert differing == []
    assert tracked(walk.home) == tracked(undisturbed.home)
    assert kills >= len(JOBS_WRITE)


@pytest.mark.slow
def test_the_walk_passes_through_what_the_jobs_write(undisturbed: Walk) -> None:
    assert {name for name in JOBS_WRITE if not rows(undisturbed.home, name)} == set()
    held = tracked(undisturbed.home)
    evaluations = len(rows(undisturbed.home, "evaluations"))
    assert evaluations == 2, "of the baseline, and of what was applied"
    assert held["runs"] == held["finished"] == held["models"] == evaluations
    assert held["traces"] == len(rows(undisturbed.home, "eval_results"))


@pytest.mark.slow
def test_jobs_run_again_on_the_same_state_commit_nothing(undisturbed: Walk) -> None:
    assert undisturbed.run(NEVER_KILLED) == Ended(commits=0, error=None)
