"""Evaluating a Genie Space that people and jobs change meanwhile; the workspace is served."""

from __future__ import annotations

import json
import threading
import time
from dataclasses import replace

import pytest

from genie.genie_answerer import GenieAnswerer
from genie.local.seams import EngineAnswer
from genie.local.warehouses import WAREHOUSE_ID
from genie.local.workspace import EmbeddedWorkspace
from genie.one_try import one_try_client
from genie.patience import Pacing
from genie.workspace_check import read_space
from jobs import evaluate
from jobs.context import JobContext
from pipelines.load import load
from pipelines.spaces import register_spaces, registered_spaces, request_evaluations
from tests.genie.local.fakes import FakeBackend
from tests.pipelines.folders import QUESTIONS, make_folder
from tests.pipelines.histories import rows
from transforms.contracts import EVAL_RESULTS, EVALUATIONS, VERSIONS
from transforms.errors import GenieLoopError, InvalidInputError

SPACE = {
    "version": 2,
    "data_sources": {
        "tables": [{"identifier": "shop_world.sale"}, {"identifier": "shop_world.shop"}]
    },
}
SQL = {question["question"]: question["expected_sql"] for question in QUESTIONS}


class Engine:
    """Knows every answer, and which questions it was asked."""

    def __init__(self):
        self.asked = []

    def answer(self, config, question, history):
        self.asked.append(question)
        return EngineAnswer(sql=SQL[question])


class Meddled:
    """An answerer of a space where something happens once, after the first answer."""

    source_hash = None

    def __init__(self, answerer, happenings):
        self._answerer, self._happenings = answerer, happenings
        self._lock = threading.Lock()

    def of_evaluation(self, evaluation_id, attempt, journal):
        inner = self._answerer.of_evaluation(evaluation_id, attempt, journal)
        return Meddled(inner, self._happenings)

    def ask(self, question_id, question, *, timeout_s):
        answer = self._answerer.ask(question_id, question, timeout_s=timeout_s)
        with self._lock:
            if self._happenings:
                self._happenings.pop()()
        return answer


class World:
    """A shop's tables, a Genie Space over them, and an evaluation that is asked for."""

    def __init__(self, tables, folder, store, workspace, engine):
        self.tables, self.store, self.engine = tables, store, engine
        self.client = one_try_client(host=workspace.host, token=workspace.token, auth_type="pat")
        space = self.client.genie.create_space(WAREHOUSE_ID, json.dumps(SPACE), title="Shop")
        self.genie_id = space.space_id
        load(tables, make_folder(folder, answers={}))
        registered = registered_spaces(tables)["shop_world"].space
        # A name of its own for each test: evaluation ids follow it, and MLflow is shared.
        register_spaces(tables, [replace(registered, answerer=f"genie:{self.genie_id}")])
        request_evaluations(tables, ["shop_world"], requested_by="test")

    def evaluate(self, *happenings, sleep=None, **settings):
        answerer = GenieAnswerer(self.client, self.genie_id, pacing=Pacing(first_wait_s=0.01))
        context = JobContext(
            tables=self.tables,
            checkpoints=self.store / "checkpoints",
            tracking_uri=f"sqlite:///{self.store / 'mlflow.db'}",
            clock=self.tables.clock,
            artifacts=self.store / "artifacts",
            **settings,
        )
        return evaluate.run(
            context,
            answerers=lambda spec: Meddled(answerer, list(happenings)),
            read_config=lambda space_id: read_space(self.client, space_id)[1],
            sleep=sleep or time.sleep,
        )

    def comment(self, text):
        self.tables.spark.sql(f"COMMENT ON TABLE shop_world.shop IS '{text}'")

    def instruct(self, *texts):
        """Change the space itself, as its page does."""
        instructions = [{"id": "a" * 32, "content": list(texts)}] if texts else []
        changed = {**SPACE, "instructions": {"text_instructions": instructions}}
        self.client.genie.update_space(self.genie_id, serialized_space=json.dumps(changed))


@pytest.fixture
def world(tables, tmp_path, tracking_uri):
    engine = Engine()
    with EmbeddedWorkspace(tmp_path / "w", engine, FakeBackend()) as workspace:
        made = World(tables, tmp_path, tmp_path, workspace, engine)
        yield made
        made.comment("Where we sell")


CHANGES = {
    "a comment": (lambda world: world.comment("where people buy"), "table shop_world.shop"),
    "the space": (lambda world: world.instruct("Be brief."), "its configuration"),
}


@pytest.mark.parametrize("what", CHANGES)
def test_answers_of_two_states_are_not_recorded_and_the_next_run_asks_all_of_it_anew(world, what):
    change, named = CHANGES[what]
    with pytest.raises(GenieLoopError, match="changed while its questions were asked") as raised:
        world.evaluate(lambda: change(world))
    assert named in raised.value.what
    assert rows(world.tables, EVAL_RESULTS) == rows(world.tables, EVALUATIONS) == []

    world.evaluate()
    assert sorted(world.engine.asked) == sorted([*SQL, *SQL]), "every question once more"
    (evaluation,) = rows(world.tables, EVALUATIONS)
    assert (evaluation["question_count"], evaluation["correct_count"]) == (4, 4)
    states = {row["state_hash"]: row["state"] for row in rows(world.tables, VERSIONS)}
    asked = states[evaluation["state_hash"]]
    assert ("where people buy" in asked, "Be brief." in asked) == (
        what == "a comment", what == "the space",
    )  # fmt: skip


def fail():
    raise InvalidInputError("the machine was switched off")


@pytest.mark.slow
def test_what_was_asked_of_another_state_before_a_kill_is_asked_anew(world):
    def killed():
        with pytest.raises(InvalidInputError, match="switched off"):
            world.evaluate(fail)
        assert world.engine.asked
        world.engine.asked.clear()

    killed()
    world.instruct("Be brief.")
    killed()
    world.instruct()  # and back to the state that the first try had asked
    world.evaluate()
    assert sorted(world.engine.asked) == sorted(SQL)
    (evaluation,) = rows(world.tables, EVALUATIONS)
    states = {row["state_hash"]: row["state"] for row in rows(world.tables, VERSIONS)}
    assert "Be brief." not in states[evaluation["state_hash"]]


@pytest.mark.slow
def test_what_was_asked_of_the_same_state_before_a_kill_is_not_asked_again(world):
    with pytest.raises(InvalidInputError, match="switched off"):
        world.evaluate(fail)
    world.evaluate()
    assert sorted(world.engine.asked) == sorted(SQL)


@pytest.mark.slow
def test_a_space_is_read_and_asked_when_it_answers_from_its_last_change(world):
    """Whatever is seen late, is seen as long as it is waited for."""
    slept = []

    def sleep(seconds):
        assert world.engine.asked == []
        slept.append(seconds)
        if sum(slept) == 90:
            world.instruct("Be brief.")

    world.evaluate(sleep=sleep, settling_s=90.0)
    assert sum(slept) == 90, "the clock stands, and it was registered just now"
    (evaluation,) = rows(world.tables, EVALUATIONS)
    states = {row["state_hash"]: row["state"] for row in rows(world.tables, VERSIONS)}
    assert "Be brief." in states[evaluation["state_hash"]]
