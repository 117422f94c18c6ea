"""What becomes of a batch whose approval is taken back, by how far it was applied; no JVM."""

from __future__ import annotations

from datetime import timedelta

import pytest

from jobs.home import Home
from jobs.reading import History
from tests.jobs import seeded
from tests.jobs.seeded import NOON, append
from transforms import contracts as c
from transforms.identity import make_id

ONE, TWO = make_id("batch", 1), make_id("batch", 2)


def at(minutes: int):
    return NOON + timedelta(minutes=minutes)


@pytest.fixture
def shop(tmp_path) -> History:
    """Batch 1 is approved; batch 2 waits for it."""
    home = Home(tmp_path)
    seeded.shop(home)
    append(home, c.APPROVALS, [seeded.approval(1, reason="fine", recorded_at=at(10))])
    return History(home)


def decline(shop, minutes=30):
    row = seeded.approval(
        1,
        decision_id="declined",
        decision="declined",
        decided_by="bob",
        reason="it cannot be applied",
        recorded_at=at(minutes),
    )
    append(shop.home, c.APPROVALS, [row])


def begin(shop, minutes=20):
    append(shop.home, c.APPLICATION_INTENTS, [seeded.intent(1, recorded_at=at(minutes))])


def apply(shop, direction="apply", minutes=25):
    row = seeded.application(1, direction, recorded_at=at(minutes))
    append(shop.home, c.APPLICATIONS, [row])


def roll_back(shop):
    row = {"decision_id": "back", "decision": "rolled_back", "decided_by": "bob"}
    append(shop.home, c.APPROVALS, [seeded.approval(1, **row, recorded_at=at(40))])


def of_batch(shop, batch=ONE):
    (row,) = shop.select("SELECT * FROM batch_states WHERE batch_id = :b", b=batch)
    return row


def of_proposal(shop):
    (row,) = shop.select(
        "SELECT state, state_reason FROM proposal_states WHERE proposal_id = :p",
        p=make_id("proposal", 1),
    )
    return row


def test_an_approval_of_what_was_not_begun_is_taken_back(shop):
    assert (of_batch(shop)["state"], of_batch(shop, TWO)["waits_for"]) == ("approved", ONE)
    decline(shop)
    row = of_batch(shop)
    assert (row["state"], row["is_settled"]) == ("declined", True)
    assert (row["decision"], row["decided_by"]) == ("declined", "bob")
    assert of_batch(shop, TWO)["waits_for"] is None
    assert of_proposal(shop) == {"state": "declined", "state_reason": "it cannot be applied"}


def test_an_approval_after_it_was_declined_approves_nothing(shop):
    decline(shop, minutes=5)
    assert (of_batch(shop)["state"], of_batch(shop)["decided_by"]) == ("declined", "bob")


def test_what_was_begun_when_it_was_declined_is_to_be_undone(shop):
    begin(shop)
    assert (of_batch(shop)["state"], of_batch(shop)["begun_at"]) == ("approved", at(20))
    decline(shop)
    assert (of_batch(shop)["state"], of_batch(shop)["is_settled"]) == ("rejected", False)
    assert of_batch(shop, TWO)["waits_for"] == ONE
    apply(shop, "undo", minutes=35)
    assert (of_batch(shop)["state"], of_batch(shop)["is_settled"]) == ("undone", True)
    assert of_proposal(shop) == {"state": "rejected", "state_reason": "it cannot be applied"}


def test_what_was_begun_can_be_rolled_back(shop):
    begin(shop)
    roll_back(shop)
    assert of_batch(shop)["state"] == "rejected"
    apply(shop, "undo", minutes=45)
    assert of_batch(shop)["state"] == "undone"
    assert of_proposal(shop) == {"state": "rejected", "state_reason": "rolled back by bob"}


def test_what_was_applied_stays_so_whoever_declines_it_then(shop):
    begin(shop)
    apply(shop)
    decline(shop)
    row = of_batch(shop)
    assert (row["state"], row["decision"], row["decided_by"]) == ("applied", "approved", "ann")
    assert row["decision_reason"] == "fine"


def test_what_was_begun_is_never_stale(shop):
    begin(shop)
    same_place = seeded.proposal(8, target="column:shop.orders.column_1", space_id="bank")
    append(shop.home, c.PROPOSALS, [same_place])
    append(shop.home, c.BATCHES, [seeded.batch(8, [8], space_id="bank")])
    row = seeded.application(8, space_id="bank", recorded_at=at(22))
    append(shop.home, c.APPLICATIONS, [row])
    assert of_batch(shop)["state"] == "approved"
