"""The evaluate job: what it records, that it records it once, and that a crash changes nothing."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest
from mlflow import MlflowClient

from genie.answerers import Answer
from genie.ask_journal import AskEntry, AskKey, FileAskJournal
from genie.mlflow_store import open_store
from genie.model_versions import find_model_version
from jobs import evaluate
from jobs.context import JobContext
from jobs.mlflow_sync import evaluations_of, sync
from jobs.reading import History
from pipelines.answering import answer_from
from pipelines.artifacts import ACTIONS_PATH, EVAL_RESULTS_PATH, FAILURES_PATH, json_value
from pipelines.asking import AskPolicy
from pipelines.evaluation_under_way import EvaluationPolicy
from pipelines.load import load
from pipelines.spaces import register_spaces, registered_spaces, request_evaluations
from tests.conftest import empty
from tests.pipelines.crashes import CrashError, CrashingTables
from tests.pipelines.folders import QUESTIONS, RIGHT, make_folder, write_lines
from tests.pipelines.histories import comparable, rows, versions
from tests.pipelines.scripted import ScriptedAnswerer
from transforms.contracts import (
    ARBITER_VERDICTS_TABLE,
    EVAL_RESULTS,
    EVALUATION_REQUESTS,
    EVALUATIONS,
    FAILURES,
    JUDGE_VERDICTS,
    JUDGES,
    PROFILES,
    SPACES,
    SPLITS,
)
from transforms.errors import (
    AnswererError,
    GenieLoopError,
    InvalidInputError,
    TrackingError,
    UnconfiguredSpaceError,
)
from transforms.serialized_space import SpaceConfig as SerializedSpace

DATA = ("shop_world.shop", "shop_world.sale")
HASTY = evaluate.EvaluateConfig(policy=EvaluationPolicy(asking=AskPolicy(backoff_s=0.0)))


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    """One MLflow store for the module: a new one takes seconds, and tests look up their own."""
    return tmp_path_factory.mktemp("mlflow")


@pytest.fixture
def fresh(tables):
    """The history's empty tables; the data's own tables stay, so that loading skips them."""
    return tables


def context_of(tables, store):
    return JobContext(
        tables=tables,
        checkpoints=store / "checkpoints",
        tracking_uri=f"sqlite:///{store / 'mlflow.db'}",
        clock=tables.clock,
        artifacts=store / "artifacts",
    )


def loaded(tables, tmp_path, name, answers):
    """A space of its own for a test: evaluation ids follow space ids, and MLflow is shared."""
    folder = make_folder(tmp_path, answers={name: answers})
    load(tables, folder)
    return folder


def scripted(tables, store, answerer, config=HASTY):
    answerer.source_hash = only_space(tables)["answerer_hash"]
    return evaluate.run(context_of(tables, store), config, answerers=lambda spec: answerer)


def only_space(tables):
    (space,) = rows(tables, SPACES)
    return space


def outcomes(tables):
    return {r["question_id"]: r["outcome"] for r in rows(tables, EVAL_RESULTS)}


def artifact(store, run_id, path):
    client = MlflowClient(f"sqlite:///{store / 'mlflow.db'}")
    with_path = client.download_artifacts(run_id, path)
    return json.loads(Path(with_path).read_text())


MIXED = (
    {"question_id": "q1", "sql": QUESTIONS[0]["expected_sql"]},
    {"question_id": "q2", "sql": "SELECT name FROM shop WHERE country = 'peru'"},
    {"question_id": "q4", "sql": "SELECT MAX(sold_at) FROM sale"},
)


@pytest.fixture(scope="module")
def evaluated(created_tables, home, tmp_path_factory, store):
    """One evaluation of a system that is right, wrong, silent and does not run; to be read only."""
    empty(created_tables, home)
    loaded(created_tables, tmp_path_factory.mktemp("folder"), "mixed", MIXED)
    report = evaluate.run(context_of(created_tables, store))
    return created_tables, report


def test_every_question_ends_in_a_row_with_an_outcome(evaluated):
    tables, report = evaluated
    assert outcomes(tables) == {
        "q1": "correct", "q2": "incorrect", "q3": "no_sql", "q4": "sql_error",
    }  # fmt: skip
    (evaluation,) = rows(tables, EVALUATIONS)
    assert (evaluation["question_count"], evaluation["correct_count"]) == (4, 1)
    assert evaluation["accuracy"] == 0.25
    assert evaluation["outcome_counts"] == {
        "correct": 1, "incorrect": 1, "no_sql": 1, "sql_error": 1,
    }  # fmt: skip
    assert [s["split"] for s in evaluation["splits"]] == list(SPLITS)
    assert sum(s["question_count"] for s in evaluation["splits"]) == 4
    assert sum(s["correct_count"] for s in evaluation["splits"]) == 1
    data_versions = {name: versions(tables, name)[name] for name in DATA}
    assert evaluation["data_versions"] == data_versions
    (line,) = report.lines
    assert "1 of 4 right (5% to 70%); 4 results" in line
    assert evaluation["mlflow_run_id"] in line


def test_every_judge_says_something_about_every_answer(evaluated):
    tables, _ = evaluated
    counts = Counter(r["judge"] for r in rows(tables, JUDGE_VERDICTS))
    assert counts == dict.fromkeys(JUDGES, 4)


def test_every_wrong_answer_has_a_failure_that_points_to_its_verdict(evaluated):
    tables, _ = evaluated
    failures = rows(tables, FAILURES)
    assert {f["question_id"] for f in failures} == {"q2", "q3", "q4"}
    verdicts = {v["verdict_id"]: v for v in rows(tables, JUDGE_VERDICTS)}
    for failure in failures:
        verdict = verdicts[failure["verdict_id"]]
        assert (verdict["judge"], verdict["question_id"]) == (
            failure["judge"], failure["question_id"],
        )  # fmt: skip
        assert failure["asi"]["blame_set"]
    assert {f["confirmation"] for f in failures if f["question_id"] in ("q3", "q4")} == {
        "confirmed"
    }


def test_the_answers_are_kept_with_what_they_were_compared_with(evaluated):
    tables, _ = evaluated
    by_id = {r["question_id"]: r for r in rows(tables, EVAL_RESULTS)}
    assert by_id["q1"]["expected_result_hash"] == by_id["q1"]["genie_result_hash"]
    assert (by_id["q2"]["expected_row_count"], by_id["q2"]["genie_row_count"]) == (1, 0)
    assert by_id["q3"]["answer_error"] == "no answer was recorded"
    assert by_id["q3"]["genie_row_count"] is None
    assert "sold_at" in by_id["q4"]["execution_error"]


def test_the_artifacts_equal_the_tables_row_for_row(evaluated, store):
    tables, _ = evaluated
    (evaluation,) = rows(tables, EVALUATIONS)
    run_id = evaluation["mlflow_run_id"]

    def as_json(table, *order):
        return sorted(
            (json_value(row) for row in rows(tables, table)),
            key=lambda row: [row[column] for column in order],
        )

    key = ("question_id", "attempt")
    assert artifact(store, run_id, EVAL_RESULTS_PATH) == as_json(EVAL_RESULTS, *key)
    assert artifact(store, run_id, FAILURES_PATH) == as_json(FAILURES, *key, "judge", "ordinal")
    actions = artifact(store, run_id, ACTIONS_PATH)
    rulings = rows(tables, ARBITER_VERDICTS_TABLE)
    arbitrated = {r["question_id"] for r in rulings}
    listed = {"correct": "corrections", "cluster": "confirmed_failures",
              "review": "reviews", "none": "no_action"}  # fmt: skip
    for action, name in listed.items():
        wanted = {r["question_id"] for r in rulings if r["action"] == action}
        found = {e["question_id"] for e in actions[name] if e["question_id"] in arbitrated}
        assert found == wanted
    assert {e["question_id"] for e in actions["confirmed_failures"]} >= {"q3", "q4"}
    for entry in (e for entries in actions.values() for e in entries):
        assert {"question_id", "question", "old_gt", "genie_sql"} <= entry.keys()


def test_metrics_are_linked_to_a_model_version_that_holds_the_whole_state(evaluated, store):
    from genie.mlflow_store import open_store
    from genie.model_versions import find_model_version

    tables, _ = evaluated
    (evaluation,) = rows(tables, EVALUATIONS)
    client = MlflowClient(f"sqlite:///{store / 'mlflow.db'}")
    model = client.get_logged_model(evaluation["model_id"])
    assert model.params == {
        "space_id": "shop_world-mixed", "iteration": "0", "domain": "shop_world",
        "config_hash": evaluation["state_hash"], "parent_model_id": "",
    }  # fmt: skip
    metrics = {m.key: m.value for m in model.metrics}
    assert metrics["accuracy/all"] == 0.25
    assert metrics["result_correctness/all"] == 0.25
    assert metrics["syntax_validity/all"] == 0.5
    run = client.get_run(evaluation["mlflow_run_id"])
    assert run.data.metrics == metrics
    store_ = open_store(f"sqlite:///{store / 'mlflow.db'}")
    version = find_model_version(store_, "shop_world", evaluation["evaluation_id"])
    assert version is not None
    assert version.state.state_hash == evaluation["state_hash"]
    assert [t.name for t in version.state.tables] == ["shop_world.sale", "shop_world.shop"]


def test_every_answer_is_a_trace_and_from_the_tables_nothing_is_missing(evaluated, home, store):
    tables, _ = evaluated
    (evaluation,) = rows(tables, EVALUATIONS)
    mlflow = open_store(f"sqlite:///{store / 'mlflow.db'}", store / "artifacts")
    run = mlflow.client.get_run(evaluation["mlflow_run_id"])
    traces = mlflow.client.search_traces(
        locations=[run.info.experiment_id], run_id=run.info.run_id, include_spans=False
    )
    outcome = {t.info.tags["genie_loop.question_id"]: t.info.tags["genie_loop.outcome"]
               for t in traces}  # fmt: skip
    assert outcome == outcomes(tables)
    said = Counter(a.name for trace in traces for a in trace.info.assessments if a.feedback)
    assert said == dict.fromkeys(JUDGES, 4)
    assert sync_with(mlflow, home) == [True]


def sync_with(mlflow, home):
    """Log what is missing, read as a person's command reads it; whether that was nothing."""
    history = History(home)
    evaluations = evaluations_of(history, None)
    return [logged.is_nothing for _, logged in sync(history, mlflow, evaluations)]


def test_of_many_answers_mlflow_is_given_the_wrong_ones_first(evaluated, monkeypatch):
    import pipelines.tracking as tracking
    from pipelines.tracking import EvaluationRows, counted_of, evaluation_run

    tables, _ = evaluated
    (evaluation,) = rows(tables, EVALUATIONS)
    found = [
        rows(tables, t) for t in (EVAL_RESULTS, JUDGE_VERDICTS, FAILURES, ARBITER_VERDICTS_TABLE)
    ]
    whole = evaluation_run(EvaluationRows(evaluation, *found), "d", None)
    monkeypatch.setattr(tracking, "TRACKED_ANSWERS", 2)
    part = evaluation_run(EvaluationRows(evaluation, *found), "d", None)
    assert [trace.question_id for trace in part.traces] == ["q2", "q3"]
    assert {row["question_id"] for row in part.artifacts[FAILURES_PATH]} == {"q2", "q3"}
    assert part.tags["genie_loop.tracked_answers"] == "2 of 4"
    assert "genie_loop.tracked_answers" not in whole.tags
    assert part.metrics == whole.metrics, "all are counted"
    tracked = EvaluationRows(evaluation, *found).tracked()
    assert evaluation_run(tracked, "d", None, counted_of(*found)) == part


def test_columns_are_profiled_once_per_version_of_their_table(evaluated):
    tables, _ = evaluated
    profiles = {(r["table_name"], r["column_name"]): r for r in rows(tables, PROFILES)}
    assert len(profiles) == len(rows(tables, PROFILES)) == 2 + 3 + 4
    country = profiles["shop_world.shop", "country"]
    assert (country["row_count"], country["distinct_count"], country["null_count"]) == (3, 2, 1)
    assert sorted(country["sample_values"]) == ["Chile", "Peru"]
    assert country["is_sample_complete"]
    price = profiles["shop_world.sale", "price"]
    assert (price["min_value"], price["max_value"]) == ("4.50", "100.00")
    assert profiles["shop_world.sale", "shop_id"]["references_column"] == "shop_world.shop.id"
    assert profiles["shop_world.shop", "id"]["is_primary_key"]


@pytest.mark.slow
def test_running_again_writes_nothing_and_a_repeat_asks_again_though_mlflow_fails_after_the_asking(
    fresh, home, tmp_path, store, monkeypatch
):
    import pipelines.evaluate as pipeline

    folder = loaded(fresh, tmp_path, "twice", RIGHT)
    context = context_of(fresh, store)
    assert evaluate.run(context).wrote == 6, "nothing was wrong: no failures, no rulings"
    before = versions(fresh, *DATA)
    assert evaluate.run(context).wrote == 0
    assert load(fresh, folder).wrote == 0
    assert versions(fresh, *DATA) == before
    request_evaluations(fresh, ["shop_world-twice"], requested_by="test", again=True)

    def no_store(*args):
        raise ConnectionError("MLflow is away")

    with monkeypatch.context() as patch:
        patch.setattr(pipeline, "record_run", no_store)
        (line,) = evaluate.run(context).lines
    assert "not all of it in MLflow (MLflow failed: MLflow is away)" in line
    first, second = sorted(rows(fresh, EVALUATIONS), key=lambda r: r["iteration"])
    assert (first["iteration"], second["iteration"]) == (0, 1)
    assert first["state_hash"] == second["state_hash"]
    client = MlflowClient(f"sqlite:///{store / 'mlflow.db'}")
    parent = client.get_logged_model(second["model_id"]).params["parent_model_id"]
    assert parent == first["model_id"]
    assert client.get_run(second["mlflow_run_id"]).info.status == "RUNNING"
    mlflow = open_store(context.tracking_uri, context.artifacts)
    assert sync_with(mlflow, home) == [True, False]
    run = client.get_run(second["mlflow_run_id"])
    assert run.info.status == "FINISHED"
    assert run.data.metrics["accuracy/all"] == second["accuracy"]
    assert run.data.tags["genie_loop.parent_model_id"] == parent
    assert sync_with(mlflow, home) == [True, True]


LIVE = {"version": 2, "data_sources": {"tables": [{"identifier": "shop_world.shop"}]}}


class LiveAnswerer(ScriptedAnswerer):
    """A Genie Space, played: it keeps what it was told to go on with."""

    def __init__(self, answers):
        super().__init__(answers)
        self.source_hash = None
        self.told = []

    def of_evaluation(self, evaluation_id, attempt, journal):
        self.told.append((evaluation_id, attempt))
        journal.record(AskKey(evaluation_id, "q1", attempt), AskEntry("over"))
        return self


@pytest.mark.slow
def test_a_live_space_is_versioned_and_asked_with_a_journal_in_the_home(fresh, tmp_path, store):
    loaded(fresh, tmp_path, "live", RIGHT)
    space = registered_spaces(fresh)["shop_world-live"].space
    live = replace(space, answerer="genie:g1", answerer_hash=None)
    register_spaces(fresh, [live])
    answerer = LiveAnswerer({"q1": [Answer("answered", sql=RIGHT[0]["sql"])]})
    context = context_of(fresh, store)

    def empty_space(space_id):
        return SerializedSpace.empty()

    with pytest.raises(UnconfiguredSpaceError, match="Genie Space g1 has nothing"):
        evaluate.run(context, HASTY, answerers=lambda spec: answerer, read_config=empty_space)
    evaluate.run(
        context,
        HASTY,
        answerers=lambda spec: answerer,
        read_config=lambda space_id: SerializedSpace.parse(json.dumps(LIVE)),
    )
    (evaluation,) = rows(fresh, EVALUATIONS)
    assert answerer.told == [(evaluation["evaluation_id"], 1)]
    assert outcomes(fresh)["q1"] == "correct"
    journal = FileAskJournal(context.checkpoints / "evaluate" / "asked.jsonl")
    assert journal.find(AskKey(evaluation["evaluation_id"], "q1", 1)) == AskEntry("over")
    state = find_model_version(
        open_store(context.tracking_uri, context.artifacts),
        live.domain,
        evaluation["evaluation_id"],
    ).state
    assert json.loads(state.serialized_space) == LIVE


HOSTILE = {
    "q1": "DROP TABLE shop",
    "q2": "SELECT name FROM shop; DELETE FROM shop",
    "q3": "SELECT expected_sql FROM genie_loop.benchmarks",
    "q4": "SELECT * FROM parquet.`/etc`",
}


@pytest.mark.slow
def test_hostile_sql_is_refused_and_recorded_and_touches_nothing(fresh, tmp_path, store):
    recorded = [{"question_id": q, "sql": sql} for q, sql in HOSTILE.items()]
    loaded(fresh, tmp_path, "hostile", recorded)
    before = versions(fresh, *DATA)
    evaluate.run(context_of(fresh, store))
    after = versions(fresh, *DATA)
    assert after["shop_world.shop"] == before["shop_world.shop"]
    assert outcomes(fresh) == dict.fromkeys(HOSTILE, "refused")
    for row in rows(fresh, EVAL_RESULTS):
        assert row["genie_sql"] == HOSTILE[row["question_id"]]
        assert row["execution_error"].startswith("produced: refused:")
        assert row["genie_row_count"] is None


@pytest.mark.slow
def test_faults_of_the_platform_are_infrastructure_and_stay_in_the_denominator(
    fresh, tmp_path, store
):
    loaded(fresh, tmp_path, "faulty", [])
    answerer = ScriptedAnswerer(
        {
            "q1": [AnswererError("503")],
            "q2": [Answer("timed_out", error="too slow")],
            "q3": [AnswererError("503"), Answer("answered", sql=QUESTIONS[2]["expected_sql"])],
            "q4": [RuntimeError("bug")],
        }
    )
    scripted(fresh, store, answerer)
    assert outcomes(fresh) == {
        "q1": "infrastructure", "q2": "infrastructure", "q3": "correct", "q4": "infrastructure",
    }  # fmt: skip
    asked = {r["question_id"]: r["ask_count"] for r in rows(fresh, EVAL_RESULTS)}
    assert asked == {"q1": 3, "q2": 1, "q3": 2, "q4": 1}
    (evaluation,) = rows(fresh, EVALUATIONS)
    assert (evaluation["question_count"], evaluation["accuracy"]) == (4, 0.25)
    assert {f["confirmation"] for f in rows(fresh, FAILURES)} == {"infrastructure"}


@pytest.mark.slow
def test_a_question_that_crashes_the_judges_does_not_lose_the_evaluation(
    fresh, tmp_path, store, monkeypatch
):
    import pipelines.judging as pipeline

    loaded(fresh, tmp_path, "crashing", RIGHT)
    judge = pipeline.judge

    def crash(question, *args, **kwargs):
        if question.question_id == "q2":
            raise RecursionError("too deep")
        return judge(question, *args, **kwargs)

    monkeypatch.setattr(pipeline, "judge", crash)
    evaluate.run(context_of(fresh, store))
    assert outcomes(fresh)["q2"] == "not_comparable"
    of_q2 = [v for v in rows(fresh, JUDGE_VERDICTS) if v["question_id"] == "q2"]
    assert {v["value"] for v in of_q2} == {"skipped"}
    assert all("too deep" in v["rationale"] for v in of_q2 if v["judge"] != "repeatability")
    (evaluation,) = rows(fresh, EVALUATIONS)
    assert (evaluation["question_count"], evaluation["correct_count"]) == (4, 3)


def test_without_a_model_version_nobody_is_asked_and_nothing_is_recorded(
    fresh, tmp_path, store, monkeypatch
):
    import pipelines.evaluate as pipeline

    loaded(fresh, tmp_path, "versionless", RIGHT)

    def no_store(*args, **kwargs):
        raise ConnectionError("MLflow is away")

    monkeypatch.setattr(pipeline, "create_genie_model_version", no_store)
    answerer = ScriptedAnswerer()
    with pytest.raises(TrackingError, match="MLflow is away"):
        scripted(fresh, store, answerer)
    monkeypatch.setattr(pipeline, "create_genie_model_version", lambda *args, **kwargs: "")
    with pytest.raises(UnconfiguredSpaceError, match="model version"):
        scripted(fresh, store, answerer)
    assert answerer.calls == []
    assert rows(fresh, EVAL_RESULTS) == rows(fresh, EVALUATIONS) == []


def test_a_space_without_tables_is_refused_with_the_next_step(fresh, tmp_path, store):
    loaded(fresh, tmp_path, "tableless", RIGHT)
    fresh.spark.sql("DROP SCHEMA shop_world CASCADE")
    with pytest.raises(UnconfiguredSpaceError) as caught:
        evaluate.run(context_of(fresh, store))
    assert "genie-loop load" in (caught.value.remedy or "")
    assert rows(fresh, EVAL_RESULTS) == []


@pytest.mark.slow
def test_a_space_that_nobody_answers_for_is_refused_until_answers_are_given(fresh, tmp_path, store):
    load(fresh, make_folder(tmp_path, answers={}))
    request_evaluations(fresh, ["shop_world"], requested_by="test")
    with pytest.raises(UnconfiguredSpaceError, match="nobody answers"):
        evaluate.run(context_of(fresh, store))
    recording = tmp_path / "late.jsonl"
    write_lines(recording, RIGHT)
    assert answer_from(fresh, "shop_world", recording)
    evaluate.run(context_of(fresh, store))
    assert set(outcomes(fresh).values()) == {"correct"}


@pytest.mark.slow
def test_answers_that_changed_since_they_were_registered_are_not_used(fresh, tmp_path, store):
    folder = loaded(fresh, tmp_path, "changing", RIGHT)
    write_lines(folder / "answers" / "changing.jsonl", RIGHT[:1])
    with pytest.raises(InvalidInputError, match="have changed"):
        evaluate.run(context_of(fresh, store))
    assert rows(fresh, EVAL_RESULTS) == []
    load(fresh, folder)
    assert evaluate.run(context_of(fresh, store)).wrote > 0


@pytest.mark.slow
def test_a_space_that_fails_does_not_keep_the_others_from_their_evaluation(fresh, tmp_path, store):
    folder = make_folder(tmp_path, answers={"sound": RIGHT, "spoilt": RIGHT})
    load(fresh, folder)
    write_lines(folder / "answers" / "spoilt.jsonl", [])
    with pytest.raises(GenieLoopError, match="1 of 2 evaluations failed") as caught:
        evaluate.run(context_of(fresh, store))
    assert caught.value.exit_code == InvalidInputError.exit_code
    assert [r["space_id"] for r in rows(fresh, EVALUATIONS)] == ["shop_world-sound"]


LUCKY = (
    {"question_id": "q1", "sql": "SELECT COUNT(id) FROM shop"},
    {"question_id": "q2", "sql": "SELECT name FROM shop WHERE id = 1"},
    {"question_id": "q3", "sql": "SELECT name FROM shop"},
    {"question_id": "q4", "sql": "SELECT MAX(sold_on) FROM sale"},
)


def test_answers_that_are_right_by_luck_are_told_where_that_is_asked_for(fresh, tmp_path, store):
    """q2 names the one shop that is in Peru today; no verdict and no count is another for it."""
    loaded(fresh, tmp_path, "lucky", LUCKY)
    context = replace(context_of(fresh, store), checks_coincidences=True)
    (line,) = evaluate.run(context, HASTY).lines
    found = {row["question_id"]: row for row in rows(fresh, EVAL_RESULTS)}
    assert {q: (row["is_correct"], row["is_coincidental"]) for q, row in found.items()} == {
        "q1": (True, False), "q2": (True, True), "q3": (False, None), "q4": (True, False),
    }  # fmt: skip
    assert "not on a copy" in found["q2"]["coincidence_detail"]
    assert found["q4"]["coincidence_detail"] == "both queries are one query"
    assert found["q3"]["coincidence_detail"] is None
    assert "3 of 4 right" in line
    assert "; 1 of 3 right answers are right by luck; " in line
    (evaluation,) = rows(fresh, EVALUATIONS)
    assert evaluation["correct_count"] == 3
    client = MlflowClient(f"sqlite:///{store / 'mlflow.db'}")
    assert client.get_run(evaluation["mlflow_run_id"]).data.metrics["coincidental/all"] == 1

    request_evaluations(fresh, ["shop_world-lucky"], requested_by="ada", again=True)
    (line,) = evaluate.run(context_of(fresh, store), HASTY).lines
    again = [r for r in rows(fresh, EVAL_RESULTS) if r["evaluation_id"] not in
             {row["evaluation_id"] for row in found.values()}]  # fmt: skip
    assert {row["is_correct"] for row in again} == {True, False}
    assert {(row["is_coincidental"], row["coincidence_detail"]) for row in again} == {(None, None)}
    assert "by luck" not in line


@pytest.mark.slow
def test_only_the_splits_that_are_asked_for_are_asked(fresh, tmp_path, store):
    loaded(fresh, tmp_path, "split", RIGHT)
    evaluate.run(context_of(fresh, store))
    asked = Counter(r["split"] for r in rows(fresh, EVAL_RESULTS))
    split = max(asked, key=lambda name: asked[name])
    fresh.append_rows(
        EVALUATION_REQUESTS,
        [{"space_id": "shop_world-split", "request_id": "request-part", "kind": "repeat",
          "ordinal": 1, "splits": [split], "requested_by": "test"}],
        transaction="part",
    )  # fmt: skip
    evaluate.run(context_of(fresh, store))
    part = next(r for r in rows(fresh, EVALUATIONS) if r["request_id"] == "request-part")
    assert part["question_count"] == asked[split]
    shares = {s["split"]: s["accuracy"] for s in part["splits"]}
    assert shares[split] == 1.0
    assert all(share is None for name, share in shares.items() if name != split)


def comparable_in(tables, folder):
    """All rows, wherever the recording lies."""
    return {
        table: [row.replace(str(folder), "FOLDER") for row in found]
        for table, found in comparable(tables).items()
    }


@pytest.mark.slow
def test_a_crash_after_the_answers_and_a_rerun_leave_what_one_run_leaves(
    fresh, home, tmp_path, tmp_path_factory
):
    """The answerer would answer otherwise if it were asked again: a mix of two would show."""
    right = {q["question_id"]: q["expected_sql"] for q in QUESTIONS}
    first = {**right, "q2": "SELECT name FROM shop", "q4": "SELECT MAX(sold_at) FROM sale"}

    def run(tables, store, answers):
        answerer = ScriptedAnswerer({q: [Answer("answered", sql=s)] for q, s in answers.items()})
        answerer.source_hash = only_space(fresh)["answerer_hash"]
        evaluate.run(context_of(tables, store), HASTY, answerers=lambda spec: answerer)
        return answerer

    folder = loaded(fresh, tmp_path / "without", "crashed", [])
    run(fresh, tmp_path_factory.mktemp("without"), first)
    uncrashed = comparable_in(fresh, folder)
    empty(fresh, home)
    folder = loaded(fresh, tmp_path / "with", "crashed", [])
    store = tmp_path_factory.mktemp("with")
    with pytest.raises(CrashError):
        run(CrashingTables(fresh.spark, clock=fresh.clock).arm(3), store, first)
    assert rows(fresh, EVAL_RESULTS)
    second = run(fresh, store, dict.fromkeys(first, "SELECT 'x'"))
    assert not second.calls, "whoever has answered is not asked again"
    found = comparable_in(fresh, folder)
    for table, expected in uncrashed.items():
        if table != "spaces":  # a registration is named after where its recording lies
            assert found[table] == expected, table
    assert len(rows(fresh, EVALUATIONS)) == 1


MANY = evaluate.EvaluateConfig(
    policy=EvaluationPolicy(asking=AskPolicy(backoff_s=0.0), few_answers=1)
)


class CrashingAtFrames(CrashingTables):
    """Crashes after appends of frames too."""

    def append(self, *args, **kwargs) -> bool:
        return self._counted(super().append, *args, **kwargs)


@pytest.mark.slow
def test_many_answers_leave_what_few_leave_though_a_crash_follows_every_commit(
    fresh, home, tmp_path, tmp_path_factory
):
    def begin(name):
        empty(fresh, home)
        return loaded(fresh, tmp_path / name, "many", MIXED)

    folder = begin("few")
    context = context_of(fresh, tmp_path_factory.mktemp("few"))
    (few_line,) = evaluate.run(context, HASTY).lines
    few = comparable_in(fresh, folder)
    folder = begin("many")
    store = tmp_path_factory.mktemp("many")
    committed = []
    while "evaluations" not in committed:
        mortal = CrashingAtFrames(fresh.spark, clock=fresh.clock).arm(1)
        with pytest.raises(CrashError):
            evaluate.run(context_of(mortal, store), MANY)
        committed += mortal.committed
    assert committed == [
        "versions", "profiles", "eval_results", "judge_verdicts", "failures", "arbiter_verdicts",
        "eval_results", "evaluations",
    ]  # fmt: skip
    found = comparable_in(fresh, folder)
    for table, expected in few.items():
        if table != "spaces":  # a registration is named after where its recording lies
            assert found[table] == expected, table
    mlflow = open_store(f"sqlite:///{store / 'mlflow.db'}", store / "artifacts")
    assert sync_with(mlflow, home) == [True]
    assert evaluate.run(context_of(fresh, store), MANY).wrote == 0
    begin("again")
    (line,) = evaluate.run(context_of(fresh, store), MANY).lines
    assert line.partition(" in ")[0] == few_line.partition(" in ")[0]
    assert not list((store / "checkpoints" / "evaluate" / "judging").iterdir())
