"""Questions of a live space that are asked several times: what is asked, and what is made of it."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import pytest

from genie.answerers import Answer
from jobs import evaluate
from jobs.context import JobContext
from jobs.reading import History
from pipelines.asking import AskPolicy
from pipelines.evaluation_under_way import EvaluationPolicy
from pipelines.load import load
from pipelines.spaces import register_spaces, registered_spaces, request_evaluations
from tests.conftest import empty
from tests.pipelines.folders import QUESTIONS, RIGHT, make_folder
from tests.pipelines.histories import rows
from tests.pipelines.scripted import ScriptedAnswerer
from transforms.contracts import (
    EVAL_RESULTS,
    EVALUATIONS,
    FAILURES,
    JUDGE_VERDICTS,
    REPEATED_QUESTIONS,
)
from transforms.errors import AnswererError, InvalidInputError
from transforms.evaluation_rows import metrics_of

HASTY = evaluate.EvaluateConfig(
    policy=EvaluationPolicy(asking=AskPolicy(backoff_s=0.0, max_attempts=1))
)
SQL = {question["question_id"]: question["expected_sql"] for question in QUESTIONS}


def says(sql):
    return Answer("answered", sql=sql)


ALWAYS = {name: [says(sql)] for name, sql in SQL.items()}
ANSWERS = {
    **ALWAYS,
    # Other SQL with the same result, so one answer.
    "q1": [says(SQL["q1"]), says("SELECT COUNT(id) FROM shop")],
    # Another answer at once: the third asking decides which is the dominant one.
    "q2": [says("SELECT name FROM shop"), says(SQL["q2"]), says(SQL["q2"])],
    # The platform fails once: what it answered is one answer of one.
    "q4": [AnswererError("busy"), says(SQL["q4"])],
}


class Journaled(ScriptedAnswerer):
    """A live answerer that goes on where an earlier process stopped, by its journal."""

    def __post_init__(self):
        super().__post_init__()
        self.answers = {}

    def of_evaluation(self, evaluation_id, attempt, journal):
        return InAttempt(self, (evaluation_id, attempt))


class InAttempt:
    """One attempt of an evaluation: a question it has an answer to is not asked again."""

    source_hash = None

    def __init__(self, answerer, key):
        self._answerer, self._key = answerer, key

    def ask(self, question_id, question, *, timeout_s):
        key = (*self._key, question_id)
        if key not in self._answerer.answers:
            answer = self._answerer.ask(question_id, question, timeout_s=timeout_s)
            self._answerer.answers[key] = answer
        return self._answerer.answers[key]


class World:
    """A shop that a played live space answers for."""

    def __init__(self, tables, folder, store, name):
        self.tables, self.store = tables, store
        load(tables, make_folder(folder, answers={name: RIGHT}))
        self.space_id = f"shop_world-{name}"
        recorded = registered_spaces(tables)[self.space_id].space
        live = replace(recorded, answerer=f"played:{name}", answerer_hash=None)
        register_spaces(tables, [live])

    def evaluate(self, answerer, asks=1):
        context = JobContext(
            tables=self.tables,
            checkpoints=self.store / "checkpoints",
            tracking_uri=f"sqlite:///{self.store / 'mlflow.db'}",
            clock=self.tables.clock,
            artifacts=self.store / "artifacts",
            asks=asks,
        )
        return evaluate.run(context, HASTY, answerers=lambda spec: answerer)

    def again(self):
        request_evaluations(self.tables, [self.space_id], requested_by="test", again=True)

    def of_questions(self, table, *columns):
        found = rows(self.tables, table)
        return {row["question_id"]: tuple(row[name] for name in columns) for row in found}


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    return tmp_path_factory.mktemp("mlflow")


@pytest.fixture(scope="module")
def asked(created_tables, home, tmp_path_factory, store):
    """One evaluation that asks three times where it has to; to be read only."""
    empty(created_tables, home)
    world = World(created_tables, tmp_path_factory.mktemp("folder"), store, "varying")
    answerer = ScriptedAnswerer(ANSWERS)
    report = world.evaluate(answerer, asks=3)
    return world, answerer, report


def test_a_question_is_asked_again_until_nothing_can_change(asked):
    world, answerer, _ = asked
    assert Counter(answerer.calls) == {"q1": 3, "q2": 3, "q3": 3, "q4": 3}
    attempts = Counter(row["question_id"] for row in rows(world.tables, EVAL_RESULTS))
    assert attempts == Counter(answerer.calls)


def test_the_first_answer_is_the_one_that_counts(asked):
    world, _, _ = asked
    (evaluation,) = rows(world.tables, EVALUATIONS)
    assert (evaluation["question_count"], evaluation["correct_count"]) == (4, 2)
    assert evaluation["outcome_counts"] == {"correct": 2, "incorrect": 1, "infrastructure": 1}
    results = rows(world.tables, EVAL_RESULTS)
    metrics = metrics_of(results, rows(world.tables, JUDGE_VERDICTS))
    assert (metrics["questions/all"], metrics["accuracy/all"]) == (4, 0.5)
    assert metrics["repeatability/all"] == 0.75, "q2 varies; q4 was answered twice"
    assert {r["attempt"] for r in rows(world.tables, JUDGE_VERDICTS)} == {1}


def test_every_asking_is_executed_compared_and_hashed(asked):
    world, _, _ = asked
    again = [row for row in rows(world.tables, EVAL_RESULTS) if row["attempt"] > 1]
    assert [row["outcome"] for row in again] == ["correct"] * 8
    assert all(row["genie_result_hash"] == row["expected_result_hash"] for row in again)


def test_each_question_has_its_shares_by_result_and_by_sql(asked):
    world, _, _ = asked
    shares = world.of_questions(
        REPEATED_QUESTIONS, "asked_count", "result_share", "sql_share", "is_unstable"
    )
    assert shares == {
        "q1": (3, 1.0, 2 / 3, False),
        "q2": (3, 2 / 3, 2 / 3, True),
        "q3": (3, 1.0, 1.0, False),
        "q4": (2, 1.0, 1.0, False),
    }
    (answers,) = world.of_questions(REPEATED_QUESTIONS, "answers")["q2"]
    assert [one["asked_count"] for one in answers] == [2, 1]


def test_the_judge_says_so_and_what_varies_is_a_failure_that_changes_nothing(asked):
    world, _, report = asked
    said = {
        row["question_id"]: row["value"]
        for row in rows(world.tables, JUDGE_VERDICTS)
        if row["judge"] == "repeatability"
    }
    assert said == {"q1": "yes", "q2": "no", "q3": "yes", "q4": "yes"}
    (failure,) = (r for r in rows(world.tables, FAILURES) if r["judge"] == "repeatability")
    assert failure["question_id"] == "q2"
    assert failure["asi"]["failure_type"] == "repeatability_issue"
    assert failure["confirmation"] == "unarbitrated", "no ground for a change"
    (evaluation,) = rows(world.tables, EVALUATIONS)
    assert evaluation["failure_count"] == len(rows(world.tables, FAILURES))
    assert "1 of 4 asked again are unstable (1 " in report.lines[0]


def test_a_screen_reads_the_newest_askings_of_each_state(asked, home):
    listed = History(home).select("SELECT question_id, is_unstable FROM question_repeatability")
    assert {row["question_id"]: row["is_unstable"] for row in listed} == {
        "q1": False, "q2": True, "q3": False, "q4": False,
    }  # fmt: skip


@pytest.mark.slow
def test_askings_of_earlier_evaluations_of_the_state_count(tables, tmp_path, store):
    world = World(tables, tmp_path, store, "again")
    answerer = ScriptedAnswerer(ALWAYS)
    world.evaluate(answerer)
    assert rows(tables, REPEATED_QUESTIONS) == [], "asked once"
    world.again()
    world.evaluate(answerer, asks=3)
    assert Counter(answerer.calls) == dict.fromkeys(SQL, 3), "one was missing, and not two"
    assert set(world.of_questions(REPEATED_QUESTIONS, "asked_count").values()) == {(3,)}
    world.again()
    world.evaluate(answerer, asks=3)
    assert Counter(answerer.calls) == dict.fromkeys(SQL, 4), "the evaluation's own, and no more"


@pytest.mark.slow
def test_a_recording_is_asked_once(tables, tmp_path, store):
    load(tables, make_folder(tmp_path, answers={"played": RIGHT}))
    answerer = ScriptedAnswerer(ALWAYS)
    (space,) = (one.space for one in registered_spaces(tables).values())
    answerer.source_hash = space.answerer_hash
    context = JobContext(
        tables=tables,
        checkpoints=store / "checkpoints",
        tracking_uri=f"sqlite:///{store / 'mlflow.db'}",
        clock=tables.clock,
        artifacts=store / "artifacts",
        asks=5,
    )
    evaluate.run(context, HASTY, answerers=lambda spec: answerer)
    assert Counter(answerer.calls) == dict.fromkeys(SQL, 1)
    said = [r for r in rows(tables, JUDGE_VERDICTS) if r["judge"] == "repeatability"]
    assert [row["value"] for row in said] == ["skipped"] * 4


@pytest.mark.slow
def test_a_kill_while_asking_again_asks_nothing_twice(tables, tmp_path, store):
    world = World(tables, tmp_path, store, "killed")
    script = [says("SELECT name FROM shop"), InvalidInputError("switched off"), says(SQL["q2"])]
    answerer = Journaled({**ALWAYS, "q2": script})
    with pytest.raises(InvalidInputError, match="switched off"):
        world.evaluate(answerer, asks=3)
    assert rows(tables, EVAL_RESULTS) == []
    world.evaluate(answerer, asks=3)
    assert Counter(answerer.calls) == {"q1": 3, "q2": 4, "q3": 3, "q4": 3}, "once what was cut off"
    assert world.of_questions(REPEATED_QUESTIONS, "asked_count", "is_unstable") == {
        "q1": (3, False), "q2": (3, True), "q3": (3, False), "q4": (3, False),
    }  # fmt: skip
