"""The evaluate job with a model to ask: what it says is in the rows, in MLflow, and kept."""

from __future__ import annotations

from dataclasses import replace

import mlflow
import pytest

from genie.chat_endpoint import ChatModel
from jobs import evaluate
from jobs.context import JobContext
from jobs.model_judge import ModelJudgeConfig
from pipelines.evaluation_under_way import EvaluationPolicy
from pipelines.load import load
from pipelines.opinion_budget import OpinionPolicy
from pipelines.second_opinions import NOT_OF_SO_MANY
from pipelines.spaces import request_evaluations
from tests.genie.chat_server import ChatServer, completion
from tests.pipelines.folders import make_folder, write_lines
from tests.pipelines.histories import rows
from tests.transforms.opinions import reply
from transforms.contracts import ARBITER_VERDICTS_TABLE, EVALUATIONS, FAILURES, JUDGE_VERDICTS
from transforms.judges import JUDGE_VERSION

SPACE = "shop_world-a"
QUESTION = {
    "question_id": "q1",
    "question": "Give every shop a number by chance",
    "expected_sql": "SELECT RAND() FROM shop",
}
ANSWER = {"question_id": "q1", "sql": "SELECT RAND() AS chance FROM shop"}


def both(body):
    """Whatever the place, both are right: neither number is the one that was asked for."""
    if "first" not in body["messages"][1]["content"]:
        return completion(reply("cannot_tell", failure={
            "failure_type": "", "severity": "", "wrong_clause": "", "blame": [],
            "missing_metadata": "", "is_ambiguous": False, "fix": "",
        }))  # fmt: skip
    quoted = [("question", "by chance"), ("first", "SELECT RAND()"), ("second", "RAND()")]
    with_name = '"first": "SELECT RAND() AS' in body["messages"][1]["content"]
    quoted.append(("first" if with_name else "second", "AS chance"))
    return completion(reply("both", *quoted))


@pytest.fixture
def context(tables, tmp_path, tracking_uri):
    folder = make_folder(tmp_path, answers={"a": [ANSWER]})
    write_lines(folder / "questions.jsonl", [QUESTION])
    load(tables, folder)
    return JobContext(tables, tmp_path / "checkpoints", tracking_uri, tables.clock)


def verdicts_of(tables, evaluation_id, judge):
    return [
        row
        for row in rows(tables, JUDGE_VERDICTS)
        if (row["evaluation_id"], row["judge"]) == (evaluation_id, judge)
    ]


@pytest.mark.slow
def test_a_model_is_asked_where_rules_are_silent_and_only_if_there_is_one(context):
    tables = context.tables
    with ChatServer(by=both) as server:
        model = ModelJudgeConfig(ChatModel("m", server.url), OpinionPolicy(max_rows=0))
        evaluate.run(replace(context, model_judge=model))
        asked = len(server.requests)
        assert asked >= 2
        request_evaluations(tables, [SPACE], requested_by="test", again=True)
        evaluate.run(replace(context, model_judge=model))
        assert len(server.requests) == asked, "what was said before is said again"
        request_evaluations(tables, [SPACE], requested_by="test", again=True)
        evaluate.run(context)
        assert len(server.requests) == asked
    found = sorted(rows(tables, EVALUATIONS), key=lambda row: row["iteration"])
    assert [row["judge_version"] for row in found] == [
        f"{JUDGE_VERSION}+m/1", f"{JUDGE_VERSION}+m/1", JUDGE_VERSION,
    ]  # fmt: skip
    assert [row["arbiter_counts"] for row in found] == [
        {"both_correct": 1}, {"both_correct": 1}, {"skipped": 1},
    ]  # fmt: skip
    assert [row["failure_count"] for row in found] == [0, 0, 1]
    asked_id, _, alone_id = (row["evaluation_id"] for row in found)
    (said,) = verdicts_of(tables, asked_id, "arbiter")
    assert (said["value"], said["model"]) == ("both_correct", "m/1")
    (ruling,) = (r for r in rows(tables, ARBITER_VERDICTS_TABLE) if r["evaluation_id"] == asked_id)
    assert (ruling["rule"], ruling["model"]) == ("model_decides", "m/1")
    (said,) = verdicts_of(tables, alone_id, "arbiter")
    assert (said["value"], said["model"]) == ("skipped", None)
    assert said["rationale"].endswith("No model was asked: none is configured.")
    assert {row["evaluation_id"] for row in rows(tables, FAILURES)} == {alone_id}

    client = mlflow.MlflowClient(context.tracking_uri)
    run = client.get_run(found[0]["mlflow_run_id"])
    assert run.data.params["judge_version"] == f"{JUDGE_VERSION}+m/1"
    traces = client.search_traces(
        locations=[run.info.experiment_id],
        filter_string=f"tags.`genie_loop.evaluation_id` = '{asked_id}'",
        include_spans=False,
    )
    sources = {
        one.name: (one.source.source_type, one.source.source_id)
        for trace in traces
        for one in trace.info.assessments
        if one.feedback
    }
    assert sources["arbiter"] == ("LLM_JUDGE", "m/1")
    assert sources["result_correctness"] == ("CODE", "genie-loop")


@pytest.mark.slow
def test_of_too_many_answers_a_model_is_told_nothing_and_the_verdict_says_so(context):
    policy = EvaluationPolicy(few_answers=0)
    with ChatServer(by=both) as server:
        model = ModelJudgeConfig(ChatModel("m", server.url), OpinionPolicy(max_rows=0))
        evaluate.run(replace(context, model_judge=model), evaluate.EvaluateConfig(policy=policy))
        assert server.requests == []
    (evaluation,) = rows(context.tables, EVALUATIONS)
    assert evaluation["judge_version"] == JUDGE_VERSION, "nobody else has judged"
    assert evaluation["arbiter_counts"] == {"skipped": 1}
    (said,) = verdicts_of(context.tables, evaluation["evaluation_id"], "arbiter")
    assert (said["value"], said["model"]) == ("skipped", None)
    assert said["rationale"].endswith(NOT_OF_SO_MANY.reason)
