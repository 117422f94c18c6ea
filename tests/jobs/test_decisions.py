"""People decide on batches: once, on what is there, and nothing by halves."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from jobs.decisions import decide
from jobs.home import Home
from jobs.reading import History
from tests.jobs import seeded
from tests.jobs.seeded import NOON, append, batch, proposal
from transforms import contracts as c
from transforms.errors import StateConflictError
from transforms.identity import make_id

LATER = datetime(2026, 3, 2, tzinfo=UTC)
FREE, BEHIND = make_id("batch", 1), make_id("batch", 2)


@pytest.fixture
def history(tmp_path) -> History:
    home = Home(tmp_path)
    seeded.shop(home)
    return History(home)


def approve(history, *batches, by="ann", decision="approved", reason=None):
    return decide(
        history,
        batches,
        decision=decision,
        decided_by=by,
        reason=reason,
        clock=lambda: LATER,
    )


def approvals(history):
    return history.select("SELECT * FROM approvals ORDER BY batch_id")


def version(history):
    return seeded.versions(history.home)["approvals"]


def test_a_decision_is_a_row_with_the_content_that_it_covers(history):
    (decided,) = approve(history, FREE, reason="looks right")
    assert decided.is_new
    assert approvals(history) == [
        {
            "space_id": "shop",
            "decision_id": make_id("decision", FREE, "content of 1", "approved", "ann"),
            "batch_id": FREE,
            "content_hash": "content of 1",
            "decision": "approved",
            "decided_by": "ann",
            "reason": "looks right",
            "recorded_at": LATER,
        }
    ]


@pytest.mark.parametrize("by", ["ann", "bob"])
def test_the_same_decision_again_writes_nothing(history, by):
    approve(history, FREE)
    before = version(history)
    (decided,) = approve(history, FREE, by=by)
    assert (decided.is_new, decided.decided_by) == (False, "ann")
    assert version(history) == before


@pytest.mark.parametrize("text", [FREE, FREE[:14], FREE.removeprefix("batch-")[:8]])
def test_a_beginning_that_is_unique_names_the_batch(history, text):
    assert approve(history, text)[0].batch_id == FREE


def test_a_batch_named_twice_is_decided_once(history):
    assert len(approve(history, FREE, FREE[:12])) == 1
    assert len(approvals(history)) == 1


def test_declining_is_a_decision_too_and_frees_the_next_batch(history):
    approve(history, FREE, decision="declined")
    (row,) = history.select("SELECT state FROM batch_states WHERE batch_id = :b", b=FREE)
    assert row["state"] == "declined"
    assert approve(history, BEHIND)[0].is_new


@pytest.mark.parametrize(
    ("texts", "message"),
    [
        (["nothing"], "there is no such batch"),
        ([""], "there is no such batch"),
        (["3"], "2 begin so"),
        ([FREE, "nothing"], "there is no such batch"),
    ],
    ids=["unknown", "empty", "ambiguous", "one of two is unknown"],
)
def test_what_cannot_be_decided_is_refused_with_a_remedy_and_nothing_is_written(
    history, texts, message
):
    assert {b[6] for b in (FREE, BEHIND)} == {"3"}  # both begin alike
    before = version(history)
    with pytest.raises(StateConflictError, match=message) as caught:
        approve(history, *texts)
    assert caught.value.remedy
    assert version(history) == before


def test_a_batch_that_nobody_decided_on_is_in_nobodys_way(history):
    (decided,) = approve(history, BEHIND)
    assert (decided.is_new, decided.waits_for) == (True, None)
    (row,) = history.select("SELECT waits_for FROM batch_states WHERE batch_id = :b", b=FREE)
    assert row["waits_for"] == BEHIND


@pytest.mark.parametrize("decision", ["approved", "declined"])
def test_a_batch_that_waits_is_decided_on_and_keeps_its_turn(history, decision):
    approve(history, FREE)
    (decided,) = approve(history, BEHIND, decision=decision)
    is_approved = decision == "approved"
    assert decided.waits_for == (FREE if is_approved else None)
    states = {
        row["batch_id"]: (row["state"], row["waits_for"])
        for row in history.select("SELECT batch_id, state, waits_for FROM batch_states")
    }
    assert states == {
        FREE: ("approved", None),
        BEHIND: (decision, FREE if is_approved else None),
    }


def test_a_batch_that_was_declined_is_not_approved(history):
    approve(history, FREE, decision="declined")
    before = version(history)
    with pytest.raises(StateConflictError, match="ann declined this batch on 2026-03-02 00:00 UTC"):
        approve(history, FREE, by="bob")
    assert version(history) == before


@pytest.mark.parametrize("approver", ["ann", "policy:auto_low_risk"])
def test_an_approval_is_taken_back_and_the_next_batch_is_free(history, approver):
    approve(history, FREE, by=approver)
    (decided,) = approve(history, FREE, by="bob", decision="declined", reason="it drifted")
    assert (decided.is_new, decided.takes_back) == (True, approver)
    (row,) = history.select("SELECT * FROM batch_states WHERE batch_id = :b", b=FREE)
    assert (row["state"], row["is_settled"]) == ("declined", True)
    assert (row["decided_by"], row["decision_reason"]) == ("bob", "it drifted")
    (again,) = approve(history, FREE, by="carol", decision="declined")
    assert (again.is_new, again.decided_by) == (False, "bob")
    assert approve(history, BEHIND)[0].is_new


def test_one_that_takes_back_and_approves_again_is_told_that_the_decline_stands(history):
    approve(history, FREE)
    approve(history, FREE, decision="declined")
    with pytest.raises(StateConflictError, match="ann declined this batch") as caught:
        approve(history, FREE)
    assert "when their evidence changes" in str(caught.value)


def begun_at(minutes):
    return {"recorded_at": NOON + timedelta(minutes=minutes)}


@pytest.mark.parametrize(
    ("is_applied", "what", "remedy"),
    [
        (
            False,
            "ann approved this batch on .*, and applying it was begun on 2026-03-01 12:20 UTC",
            f"genie-loop rollback {seeded.evaluation_id()}; or",
        ),
        (True, "and it was applied on 2026-03-01 12:25 UTC", "genie-loop rollback"),
    ],
    ids=["begun", "applied"],
)
def test_what_was_begun_is_not_declined_and_it_is_said_how_to_go_back(
    history, is_applied, what, remedy
):
    approve(history, FREE)
    append(history.home, c.APPLICATION_INTENTS, [seeded.intent(1, **begun_at(20))])
    if is_applied:
        append(history.home, c.APPLICATIONS, [seeded.application(1, **begun_at(25))])
    before = version(history)
    with pytest.raises(StateConflictError, match=what) as caught:
        approve(history, FREE, decision="declined")
    assert remedy in str(caught.value)
    assert version(history) == before


def test_a_stale_batch_is_not_approved(history):
    other = {
        "space_id": "shop",
        "application_id": "application-1",
        "batch_id": make_id("batch", 9),
        "direction": "apply",
        "state_hash": "after",
        "verified_at": NOON + timedelta(hours=1),
        "recorded_at": NOON + timedelta(hours=1),
    }
    same_place = proposal(9, target="column:shop.orders.column_1", risk="high")
    append(history.home, c.PROPOSALS, [same_place])
    append(history.home, c.BATCHES, [batch(9, [9], recorded_at=NOON - timedelta(hours=1))])
    append(history.home, c.APPLICATIONS, [other])
    with pytest.raises(StateConflictError, match="this batch is stale"):
        approve(history, FREE)


def test_an_approval_covers_its_content_and_no_other(history):
    row = {
        "space_id": "shop",
        "decision_id": "of something else",
        "batch_id": FREE,
        "content_hash": "content before it changed",
        "decision": "approved",
        "decided_by": "ann",
    }
    append(history.home, c.APPROVALS, [row])
    assert approve(history, FREE, decision="declined")[0].is_new


def test_without_a_home_there_is_nothing_to_decide(tmp_path):
    with pytest.raises(StateConflictError, match="there are no batches yet"):
        approve(History(Home(tmp_path / "none")), FREE)
    assert not (tmp_path / "none").exists()


def test_a_decision_on_tables_that_spark_created_fires_the_trigger(tables, home):
    from jobs.delta_log import updates_after

    tables.append_rows(c.PROPOSALS, [proposal(1)], transaction="proposals")
    tables.append_rows(c.BATCHES, [batch(1)], transaction="batches")
    history = History(home)
    before = version(history)
    approve(history, FREE)
    path = history.path("approvals")
    assert updates_after(path, before).changed_at is not None
    assert tables.read(c.APPROVALS).select("batch_id", "decision").collect() == [(FREE, "approved")]


def test_spark_and_people_take_turns_at_the_commit_lock(history):
    import threading

    done = threading.Event()

    def decide_now() -> None:
        approve(history, FREE)
        done.set()

    with history.home.committing():
        waiting = threading.Thread(target=decide_now)
        waiting.start()
        assert not done.wait(0.3)
    waiting.join(timeout=30)
    assert done.is_set()


def test_checks_of_the_contract_hold_for_people_too(tables, home):
    from deltalake.exceptions import DeltaError

    tables.append_rows(c.PROPOSALS, [proposal(1)], transaction="proposals")
    tables.append_rows(c.BATCHES, [batch(1)], transaction="batches")
    history = History(home)
    with pytest.raises(DeltaError, match="failed validation check"):
        approve(history, FREE, by="")
    assert approvals(history) == []
