"""What is stale: a change was made, or taken back, where it would change something; no JVM."""

from __future__ import annotations

from datetime import timedelta

import pytest

from jobs.home import Home
from jobs.reading import History
from tests.jobs import seeded
from tests.jobs.seeded import NOON, append
from transforms import contracts as c
from transforms.identity import make_id

FIRST, SECOND = 1, 2
PLACE = "column:shop.orders.status"


def at(minutes: int):
    return NOON + timedelta(minutes=minutes)


@pytest.fixture
def shop(tmp_path) -> History:
    """Two changes of one comment: the first proposed at noon and applied ten minutes later."""
    home = Home(tmp_path)
    seeded.create(home)
    append(home, c.SPACES, [seeded.space(), seeded.space("bank")])
    append(home, c.PROPOSALS, [seeded.proposal(FIRST, target=PLACE)])
    append(home, c.BATCHES, [seeded.batch(FIRST, [FIRST])])
    append(home, c.APPROVALS, [seeded.approval(FIRST)])
    append(home, c.APPLICATIONS, [seeded.application(FIRST, recorded_at=at(10))])
    return History(home)


def propose(shop, minutes, *, space_id="shop"):
    """The second change, proposed and batched then."""
    when = {"space_id": space_id, "recorded_at": at(minutes)}
    append(shop.home, c.PROPOSALS, [seeded.proposal(SECOND, target=PLACE, **when)])
    append(shop.home, c.BATCHES, [seeded.batch(SECOND, [SECOND], **when)])


def undo(shop, minutes):
    append(shop.home, c.APPLICATIONS, [seeded.application(FIRST, "undo", recorded_at=at(minutes))])


def state(shop, kind="batch", number=SECOND):
    (row,) = shop.select(
        f"SELECT state FROM {kind}_states WHERE {kind}_id = :id", id=make_id(kind, number)
    )
    return row["state"]


@pytest.mark.parametrize("space_id", ["shop", "bank"])
def test_what_was_proposed_for_a_change_that_is_undone_since_is_stale(shop, space_id):
    propose(shop, 20, space_id=space_id)
    assert state(shop) == "proposed"
    undo(shop, 30)
    assert state(shop) == "stale"
    assert state(shop, "proposal") == "stale"


def test_an_approved_batch_that_is_stale_is_in_nobodys_way(shop):
    propose(shop, 20)
    append(shop.home, c.APPROVALS, [seeded.approval(SECOND, recorded_at=at(25))])
    undo(shop, 30)
    (row,) = shop.select(
        "SELECT state, is_settled FROM batch_states WHERE batch_id = :b", b=make_id("batch", SECOND)
    )
    assert row == {"state": "stale", "is_settled": True}


def test_what_was_proposed_before_a_change_is_good_again_once_that_one_is_undone(shop):
    propose(shop, 5)
    assert state(shop) == "stale"
    undo(shop, 30)
    assert state(shop) == "proposed"


def test_what_was_proposed_after_an_undo_is_not_stale(shop):
    undo(shop, 15)
    propose(shop, 20)
    assert state(shop) == "proposed"


def test_an_open_proposal_is_stale_too_and_never_batched(shop):
    append(shop.home, c.PROPOSALS, [seeded.proposal(SECOND, target=PLACE, recorded_at=at(20))])
    undo(shop, 30)
    (row,) = shop.select(
        "SELECT state, state_reason FROM proposal_states WHERE proposal_id = :p",
        p=make_id("proposal", SECOND),
    )
    assert row == {"state": "stale", "state_reason": "what it would change has changed"}


def test_an_undo_elsewhere_makes_nothing_stale(shop):
    when = {"recorded_at": at(20)}
    append(shop.home, c.PROPOSALS, [seeded.proposal(SECOND, **when)])
    append(shop.home, c.BATCHES, [seeded.batch(SECOND, [SECOND], **when)])
    undo(shop, 30)
    assert state(shop) == "proposed"
