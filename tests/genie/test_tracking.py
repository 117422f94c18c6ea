"""Runs and traces in MLflow: complete, linked to the version, and logged once however often."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

import genie.traces as traces_module
from genie.mlflow_store import open_store, reaching_mlflow
from genie.model_versions import create_genie_model_version
from genie.traces import AnswerTrace, JudgeFeedback
from genie.tracking import EvaluationRun, open_run, record_run
from transforms.errors import StateConflictError, TrackingError
from transforms.space_state import SpaceState


@pytest.fixture
def store(tracking_uri, tmp_path):
    return open_store(tracking_uri, tmp_path / "artifacts")


def version(store, evaluation_id):
    return create_genie_model_version(
        "s", SpaceState("s", "d", ()).to_dict(), 0, "shop",
        store=store, evaluation_id=evaluation_id, started_at="2026-01-02T03:04:05+00:00",
    )  # fmt: skip


def answer(evaluation_id, question_id):
    return AnswerTrace(
        evaluation_id, question_id, attempt=1,
        inputs={"question": "Wie viele Größen?"}, outputs={"genie_sql": "SELECT 'é'"},
        preview="SELECT 'é'", is_fault=False, tags={"genie_loop.split": "train"},
        feedback=(
            JudgeFeedback("schema_accuracy", "no", "wrong table",
                          {"asi.1.failure_type": "wrong_table"}),
            JudgeFeedback("syntax_validity", "yes", "it runs", {}),
        ),
        expectations={"expected_sql": "SELECT 1"}, started_ms=1000, duration_ms=7,
    )  # fmt: skip


def run_of(store, evaluation_id="evaluation-e", questions=("q1", "q2", "q3")):
    return EvaluationRun(
        evaluation_id, "s baseline 0", "shop", version(store, evaluation_id), 0,
        metrics={"accuracy/all": 0.25, "arbiter/genie_correct/all": 2.0},
        params={"judge_version": "1"},
        tags={"genie_loop.space_id": "s"},
        artifacts={"evaluation/failures.json": [{"é": None}], "evaluation/a.json": {}},
        started_ms=1000, finished_ms=2000,
        traces=tuple(answer(evaluation_id, question) for question in questions),
    )  # fmt: skip


def found_traces(store, run_id, *, with_spans=False):
    experiment = store.client.get_run(run_id).info.experiment_id
    return store.client.search_traces(
        locations=[experiment], run_id=run_id, include_spans=with_spans
    )


def test_a_run_links_its_metrics_to_the_version(store):
    evaluation = run_of(store)
    logged = record_run(store, evaluation)
    assert (logged.is_run_new, logged.artifacts, logged.traces) == (True, 2, 3)
    run = store.client.get_run(logged.run_id)
    assert run.info.status == "FINISHED"
    assert (run.info.start_time, run.info.end_time) == (1000, 2000)
    assert [m.model_id for m in run.inputs.model_inputs] == [evaluation.model_id]
    model = store.client.get_logged_model(evaluation.model_id)
    assert {m.key: (m.value, m.run_id) for m in model.metrics} == {
        name: (value, logged.run_id) for name, value in evaluation.metrics.items()
    }
    path = store.client.download_artifacts(logged.run_id, "evaluation/failures.json")
    assert json.loads(Path(path).read_text()) == [{"é": None}]


def test_a_run_is_opened_before_anything_is_known_and_recorded_as_the_same(store):
    evaluation = run_of(store)
    experiment = store.experiment_id("shop")
    opened = open_run(store, experiment, "evaluation-e", "s baseline 0", 1000)
    assert store.client.get_run(opened).info.status == "RUNNING"
    assert open_run(store, experiment, "evaluation-e", "s baseline 0", 1000) == opened
    logged = record_run(store, evaluation)
    assert (logged.run_id, logged.is_run_new) == (opened, False)
    assert len(store.client.search_runs([experiment])) == 1


def test_a_trace_holds_the_answer_and_what_every_judge_says_of_it(store):
    evaluation = run_of(store, questions=["q1"])
    logged = record_run(store, evaluation)
    (trace,) = found_traces(store, logged.run_id, with_spans=True)
    (span,) = trace.data.spans
    assert (span.name, span.inputs, span.outputs) == (
        "ask", {"question": "Wie viele Größen?"}, {"genie_sql": "SELECT 'é'"},
    )  # fmt: skip
    assert trace.info.execution_duration == 7
    assert trace.info.trace_metadata["mlflow.modelId"] == evaluation.model_id
    assert trace.info.tags["genie_loop.evaluation_id"] == "evaluation-e"
    assert trace.info.tags["genie_loop.split"] == "train"
    said = {a.name: a for a in trace.info.assessments}
    assert said.keys() == {"schema_accuracy", "syntax_validity", "expected_sql"}
    wrong = said["schema_accuracy"]
    assert (wrong.value, wrong.rationale, wrong.source.source_type) == (
        "no", "wrong table", "CODE",
    )  # fmt: skip
    assert wrong.metadata["asi.1.failure_type"] == "wrong_table"
    assert wrong.run_id == logged.run_id
    assert said["expected_sql"].value == "SELECT 1"


def test_recorded_again_nothing_is_logged(store):
    first = record_run(store, run_of(store))
    assert not first.is_nothing
    again = record_run(store, run_of(store))
    assert again.is_nothing
    assert again.run_id == first.run_id
    assert len(found_traces(store, first.run_id)) == 3


@pytest.mark.parametrize(
    "step", ["log_inputs", "log_batch", "log_artifacts", "search_traces", "set_terminated"]
)
def test_a_run_that_failed_at_any_step_is_completed_and_not_repeated(store, monkeypatch, step):
    from mlflow.tracing.client import TracingClient

    def crash(*args, **kwargs):
        raise ConnectionError

    owner = TracingClient if step == "search_traces" else type(store.client)
    with monkeypatch.context() as patch:
        patch.setattr(owner, step, crash)
        with pytest.raises(ConnectionError):
            record_run(store, run_of(store))
    logged = record_run(store, run_of(store))
    run = store.client.get_run(logged.run_id)
    assert run.info.status == "FINISHED"
    assert run.data.metrics == {"accuracy/all": 0.25, "arbiter/genie_correct/all": 2.0}
    assert len(found_traces(store, logged.run_id)) == 3
    assert len(store.client.list_artifacts(logged.run_id, "evaluation")) == 2
    assert len(store.client.search_runs([run.info.experiment_id])) == 1
    assert record_run(store, run_of(store)).is_nothing


@pytest.mark.parametrize("step", ["start_trace", "log_spans"])
def test_traces_that_were_logged_in_part_are_completed(store, monkeypatch, step):
    from mlflow.tracing.client import TracingClient

    real = getattr(TracingClient, step)
    calls = []

    def crash_late(self, *args, **kwargs):
        calls.append(step)
        if len(calls) == (2 if step == "start_trace" else 1):
            raise ConnectionError
        return real(self, *args, **kwargs)

    with monkeypatch.context() as patch:
        patch.setattr(TracingClient, step, crash_late)
        with pytest.raises(ConnectionError):
            record_run(store, run_of(store))
    logged = record_run(store, run_of(store))
    found = found_traces(store, logged.run_id, with_spans=True)
    assert [len(trace.data.spans) for trace in found] == [1, 1, 1]
    assert [len(trace.info.assessments) for trace in found] == [3, 3, 3]
    assert record_run(store, run_of(store)).is_nothing


def test_traces_that_the_store_loses_are_logged_again_and_said_when_it_keeps_losing(
    store, monkeypatch
):
    from mlflow.tracing.client import TracingClient

    real = TracingClient.start_trace
    lost = []

    def lose(self, info):
        if len(lost) < limit:
            lost.append(info)
            return info
        return real(self, info)

    monkeypatch.setattr(TracingClient, "start_trace", lose)
    monkeypatch.setattr(traces_module, "_log_spans", lambda *args: None)
    limit = 1_000
    with pytest.raises(TrackingError, match="took 3 of 3 traces") as caught:
        record_run(store, run_of(store))
    assert "genie-loop mlflow sync" in (caught.value.remedy or "")
    monkeypatch.undo()
    monkeypatch.setattr(TracingClient, "start_trace", lose)
    limit = len(lost) + 2
    logged = record_run(store, run_of(store))
    assert logged.traces == len(found_traces(store, logged.run_id)) == 3


def test_what_is_deleted_is_logged_again(store):
    logged = record_run(store, run_of(store))
    experiment = store.experiment_id("shop")
    trace_id = answer("evaluation-e", "q2").trace_id
    store.client.delete_traces(experiment, trace_ids=[trace_id])
    assert record_run(store, run_of(store)).traces == 1
    store.client.delete_run(logged.run_id)
    again = record_run(store, run_of(store))
    assert again.run_id != logged.run_id
    assert (again.is_run_new, again.traces) == (True, 3), "traces hang on the new run now"
    assert len(found_traces(store, again.run_id)) == 3
    assert record_run(store, run_of(store)).is_nothing


def test_a_store_without_the_version_gets_everything_but_the_link(store):
    evaluation = replace(run_of(store), model_id="m-0123456789abcdef0123456789abcdef")
    logged = record_run(store, evaluation)
    assert not logged.has_version
    run = store.client.get_run(logged.run_id)
    assert run.data.metrics == evaluation.metrics
    assert len(found_traces(store, logged.run_id)) == 3
    assert record_run(store, evaluation).is_nothing


def test_spans_are_artifacts_where_the_store_does_not_keep_them(store, monkeypatch):
    monkeypatch.setattr(traces_module, "_keeps_spans", lambda tracing: False)
    logged = record_run(store, run_of(store))
    found = found_traces(store, logged.run_id, with_spans=True)
    assert [trace.data.spans[0].name for trace in found] == ["ask"] * 3
    assert record_run(store, run_of(store)).is_nothing


def test_values_that_json_does_not_know_are_refused_not_written(store):
    bad = replace(run_of(store), artifacts={"evaluation/x.json": float("nan")})
    with pytest.raises(ValueError, match="Out of range"):
        record_run(store, bad)


def test_whatever_mlflow_raises_is_one_error_that_may_pass():
    with pytest.raises(TrackingError, match="e-1: MLflow failed: connection refused"):
        with reaching_mlflow("e-1"):
            raise ConnectionError("connection refused\nand a long story")
    with pytest.raises(StateConflictError), reaching_mlflow("e-1"):
        raise StateConflictError("ours")


def test_a_store_that_cannot_be_opened_is_said():
    with pytest.raises(TrackingError, match="MLflow failed"):
        open_store("nowhere://store")
