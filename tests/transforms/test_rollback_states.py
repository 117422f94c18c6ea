"""What a rollback makes of the states, by the rows that people and jobs write; no JVM."""

from __future__ import annotations

from datetime import timedelta

import pytest

from jobs.home import Home
from jobs.reading import History
from tests.jobs import seeded
from tests.jobs.seeded import NOON, append
from transforms import contracts as c
from transforms.identity import make_id

ONE = make_id("batch", 1)


@pytest.fixture
def shop(tmp_path) -> History:
    """Batch 1 is accepted and has reached the target; it was evaluated once more since."""
    home = Home(tmp_path)
    seeded.measured_shop(home, "accepted")
    append(home, c.EVALUATIONS, [seeded.evaluation(iteration=2, model_id="m-3")])
    return History(home)


def roll_back(history, minutes=200):
    row = seeded.approval(
        1,
        decision_id="rollback",
        decision="rolled_back",
        decided_by="bob",
        recorded_at=NOON + timedelta(minutes=minutes),
    )
    append(history.home, c.APPROVALS, [row])


def undo(history, minutes=210):
    at = NOON + timedelta(minutes=minutes)
    append(history.home, c.APPLICATIONS, [seeded.application(1, "undo", recorded_at=at)])


def of_batch(history):
    (row,) = history.select("SELECT * FROM batch_states WHERE batch_id = :b", b=ONE)
    return row


def evaluations(history):
    rows = history.select("SELECT iteration, state FROM evaluation_states ORDER BY iteration")
    return [row["state"] for row in rows]


def latest(history):
    (row,) = history.select("SELECT model_id FROM latest_evaluations")
    return row["model_id"]


def test_a_batch_that_is_rolled_back_is_rejected_and_then_undone(shop):
    assert of_batch(shop)["state"] == "accepted"
    roll_back(shop)
    row = of_batch(shop)
    assert (row["state"], row["is_settled"]) == ("rejected", False)
    assert (row["decided_by"], row["rolled_back_by"]) == ("ann", "bob")
    undo(shop)
    row = of_batch(shop)
    assert (row["state"], row["is_settled"]) == ("undone", True)
    (proposal,) = shop.select(
        "SELECT state, state_reason FROM proposal_states WHERE proposal_id = :p",
        p=make_id("proposal", 1),
    )
    assert proposal == {"state": "rejected", "state_reason": "rolled back by bob"}


def test_every_evaluation_that_saw_it_is_no_version_to_go_back_to(shop):
    assert evaluations(shop) == ["accepted"] * 3
    assert latest(shop) == "m-3"
    for step in (roll_back, undo):
        step(shop)
        assert evaluations(shop) == ["accepted", "rejected", "rejected"]
        assert latest(shop) == "m-1"
    append(shop.home, c.EVALUATIONS, [seeded.evaluation(iteration=4, model_id="m-4")])
    assert evaluations(shop)[-1] == "accepted"
    assert latest(shop) == "m-4"


def test_a_rollback_of_what_was_never_applied_or_had_another_content_changes_nothing(shop):
    row = {**seeded.approval(2), "decision": "rolled_back"}
    other = {**seeded.approval(1), "decision": "rolled_back", "content_hash": "other"}
    append(shop.home, c.APPROVALS, [{**row, "decision_id": "a"}, {**other, "decision_id": "b"}])
    states = {one["batch_id"]: one["state"] for one in shop.select("SELECT * FROM batch_states")}
    assert states == {ONE: "accepted", make_id("batch", 2): "proposed"}


def test_an_evaluation_during_which_a_batch_was_not_gated_decides_nothing_yet(tmp_path):
    home = Home(tmp_path)
    seeded.measured_shop(home, "undecided")
    append(home, c.EVALUATIONS, [seeded.evaluation(iteration=2)])
    assert evaluations(History(home)) == ["accepted", "undecided", "undecided"]


@pytest.mark.parametrize(
    ("direction", "states"),
    [("apply", ["accepted", "undecided"]), ("undo", ["accepted", "rejected"])],
)
def test_an_evaluation_that_began_while_a_batch_was_being_changed_may_have_seen_it(
    tmp_path, direction, states
):
    """A job that was killed between its intents and its application leaves half of a batch."""
    home = Home(tmp_path)
    seeded.shop(home)
    begun, asked, done = (NOON + timedelta(minutes=minutes) for minutes in (170, 180, 190))
    at_once = {"recorded_at": NOON + timedelta(minutes=160)}
    if direction == "undo":
        append(home, c.APPLICATION_INTENTS, [seeded.intent(1, **at_once)])
        append(home, c.APPLICATIONS, [seeded.application(1, **at_once)])
        append(home, c.GATE_DECISIONS, [seeded.gate_decision(1, "rejected", **at_once)])
    append(home, c.APPLICATION_INTENTS, [seeded.intent(1, direction, recorded_at=begun)])
    append(home, c.EVALUATIONS, [seeded.evaluation(iteration=3, started_at=asked)])
    append(home, c.APPLICATIONS, [seeded.application(1, direction, recorded_at=done)])
    assert evaluations(History(home)) == states


def test_a_loop_that_ended_with_what_is_rolled_back_goes_on(tmp_path):
    home = Home(tmp_path)
    seeded.measured_shop(home, "undecided")
    later = NOON + timedelta(hours=2)
    ended = seeded.gate_decision(1, "accepted", stop_reason="target")
    append(
        home,
        c.GATE_DECISIONS,
        [{**ended, "number": 2, "gate_decision_id": "2", "recorded_at": later}],
    )
    history = History(home)
    (where,) = history.select("SELECT state, gate_stop_reason FROM space_states")
    assert where == {"state": "target", "gate_stop_reason": "target"}
    roll_back(history)
    (where,) = history.select("SELECT state, gate_stop_reason FROM space_states")
    assert where == {"state": "improving", "gate_stop_reason": None}
