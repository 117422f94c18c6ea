"""``genie-loop mlflow sync``: from the tables alone, without a JVM, and never twice."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from genie.mlflow_store import EVALUATION_TAG, open_store
from jobs.cli import app
from jobs.home import Home
from tests.jobs import seeded
from tests.jobs.seeded import append
from transforms import contracts as c


def verdict(question_id, judge, value):
    return {
        "space_id": "shop",
        "verdict_id": seeded.failure(question_id, judge)["verdict_id"],
        "evaluation_id": seeded.evaluation_id(),
        "question_id": question_id,
        "attempt": 1,
        "split": seeded.SPLIT_OF[question_id],
        "judge": judge,
        "value": value,
        "rationale": "because",
    }


@pytest.fixture
def home(tmp_path, _new_store) -> Home:
    """A shop evaluated twice, in tables only: MLflow was away."""
    home = Home(tmp_path / "home")
    seeded.shop(home)
    append(
        home,
        c.JUDGE_VERDICTS,
        [
            verdict(question, judge, "yes" if question == "q1" else "no")
            for question in seeded.SPLIT_OF
            for judge in ("logical_accuracy", "result_correctness")
        ],
    )
    append(home, c.EVALUATIONS, [seeded.evaluation(iteration=1, kind="repeat", batch_id="b-1")])
    shutil.copy(_new_store, home.root / "mlflow.db")
    return home


def sync(home, *words):
    done = CliRunner().invoke(app, ["--home", str(home.root), "mlflow", "sync", *words])
    assert done.exit_code == 0, done.output
    return done.stdout.splitlines()


def test_what_is_missing_is_logged_from_the_tables_and_a_second_time_nothing(home):
    lines = sync(home)
    assert len(lines) == 3
    assert "logged 1 run" in lines[0]
    assert "3 artifacts, 4 traces" in lines[0]
    assert "the model version m-1 is not in this store" in lines[0]
    assert lines[2] == "2 evaluations: 2 had something missing"
    assert sync(home)[2] == "2 evaluations: MLflow has everything"

    client = open_store(home.tracking_uri, home.artifacts).client
    experiment = client.get_experiment_by_name("genie-loop-retail").experiment_id
    first, second = sorted(client.search_runs([experiment]), key=lambda run: run.info.start_time)
    assert first.data.tags[EVALUATION_TAG] == seeded.evaluation_id()
    assert first.data.tags["genie_loop.kind"] == "baseline"
    assert "genie_loop.parent_model_id" not in first.data.tags
    assert second.data.tags["genie_loop.parent_model_id"] == "m-1"
    assert second.data.tags["genie_loop.batch_id"] == "b-1"
    assert second.data.tags["genie_loop.iteration"] == "1"
    assert first.data.params["judge_version"] == "1"
    assert first.data.metrics["accuracy/train"] == 0.5
    assert first.data.metrics["logical_accuracy/train"] == 0.5
    assert first.data.metrics["logical_accuracy/sealed"] == 0.0
    assert first.data.metrics["questions/all"] == 4.0
    traces = client.search_traces(
        locations=[experiment], run_id=first.info.run_id, include_spans=False
    )
    assert {t.info.tags["genie_loop.question_id"]: len(t.info.assessments) for t in traces} == {
        "q1": 3, "q2": 3, "q3": 2, "q4": 2,
    }, "train questions show the expected SQL"  # fmt: skip


def test_only_what_is_missing_is_logged_of_the_space_that_is_named(home):
    sync(home, "--space", "shop")
    client = open_store(home.tracking_uri, home.artifacts).client
    experiment = client.get_experiment_by_name("genie-loop-retail").experiment_id
    (trace, *_) = client.search_traces(locations=[experiment], include_spans=False)
    client.delete_traces(experiment, trace_ids=[trace.info.trace_id])
    lines = sync(home)
    assert any(": logged 1 trace; " in line for line in lines)
    assert lines[-1] == "2 evaluations: 1 had something missing"


def test_it_needs_no_java(home):
    done = subprocess.run(
        [sys.executable, "-c", "from jobs.cli import main; main()", "mlflow", "sync"],
        env={"PATH": "", "JAVA_HOME": "/nowhere", "GENIE_LOOP_HOME": str(home.root)},
        cwd=Path(__file__).parents[2],
        capture_output=True,
        text=True,
        check=True,
    )
    assert "2 evaluations: 2 had something missing" in done.stdout


def test_without_an_evaluation_it_says_what_to_do(tmp_path):
    assert "genie-loop run" in sync(Home(tmp_path))[0]


def test_a_space_that_is_not_there_and_a_home_that_is_owned_are_refused(home):
    unknown = CliRunner().invoke(
        app, ["--home", str(home.root), "mlflow", "sync", "--space", "nowhere"]
    )
    assert unknown.exit_code == 2
    with home.own("genie-loop run", seeded.NOON):
        busy = CliRunner().invoke(app, ["--home", str(home.root), "mlflow", "sync"])
    assert busy.exit_code == 75
