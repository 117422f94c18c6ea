"""kill -9 after any commit of any job, then a rerun: the same tables as without."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from deltalake import DeltaTable

from jobs.home import Home
from transforms.contracts import BY_NAME, TABLES

REPO = Path(__file__).parents[2]
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
    "quarantine",
}


def run_loop(home: Path, folder: Path, lives: int) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, str(Path(__file__).with_name("mortal.py")), home, folder, str(lives)],
        cwd=REPO,
        env={**os.environ, "PYTHONPATH": str(REPO), "MLFLOW_DISABLE_TELEMETRY": "true"},
        capture_output=True,
        text=True,
        timeout=900,
        check=False,
    )


def rows(home: Path, table: str) -> list[str]:
    path = Home(home).table_path("genie_loop", table)
    kept = [column for column in BY_NAME[table].columns if column not in NOT_COMPARED]
    found: list[dict[str, Any]] = DeltaTable(path).to_pyarrow_table(columns=kept).to_pylist()
    return sorted(json.dumps(row, default=str, sort_keys=True) for row in found)


def tracked(home: Path) -> dict[str, int]:
    """How many runs and model versions MLflow holds."""
    import mlflow

    client = mlflow.MlflowClient(tracking_uri=Home(home).tracking_uri)
    experiments = [e.experiment_id for e in client.search_experiments()]
    return {
        "runs": len(client.search_runs(experiments)),
        "models": len(client.search_logged_models(experiments)),
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
def undisturbed(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = tmp_path_factory.mktemp("undisturbed")
    ended = run_loop(home, folder, 0)
    assert ended.returncode == 0, ended.stderr[-3000:]
    return home


@pytest.mark.slow
@pytest.mark.timeout(2400)
def test_a_kill_after_every_commit_leaves_the_same_tables(
    folder: Path, undisturbed: Path, tmp_path: Path
) -> None:
    """Each process is killed after the one commit it adds to what is there, until none is left."""
    kills = 0
    while (ended := run_loop(tmp_path, folder, 1)).returncode != 0:
        assert ended.returncode == -9, ended.stderr[-3000:]
        kills += 1
        assert kills < 80, "a job writes on without end"
    assert ended.stdout.split()[-1] == "0"
    differing = [
        table.name
        for table in TABLES
        if rows(tmp_path, table.name) != rows(undisturbed, table.name)
    ]
    assert differing == []
    assert tracked(tmp_path) == tracked(undisturbed)
    assert kills >= len(JOBS_WRITE)


@pytest.mark.slow
def test_the_walk_passes_through_what_the_jobs_write(undisturbed: Path) -> None:
    assert {name for name in JOBS_WRITE if not rows(undisturbed, name)} == set()


@pytest.mark.slow
def test_jobs_run_again_on_the_same_state_commit_nothing(folder: Path, undisturbed: Path) -> None:
    ended = run_loop(undisturbed, folder, 0)
    assert ended.returncode == 0, ended.stderr[-3000:]
    assert ended.stdout.split()[-1] == "0"
