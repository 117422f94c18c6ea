"""Waiting until a Genie Space answers from its last change; nobody really waits."""

from __future__ import annotations

from datetime import timedelta

import pytest

from pipelines.settling import Settling, wait_until_settled
from pipelines.spaces import registered_spaces
from pipelines.tables import Tables
from tests.conftest import NOW
from tests.pipelines.loop_rows import add_space
from transforms.contracts import APPLICATION_INTENTS, APPLICATIONS

BATCH = {"space_id": "live", "batch_id": "b", "direction": "apply"}
INTENT = {
    **BATCH, "intent_id": "i", "proposal_id": "p", "position": 1, "target": "table:shop.orders",
    "pre_hash": "before", "post_hash": "after", "inverse": "{}",
}  # fmt: skip
APPLICATION = {**BATCH, "application_id": "a", "state_hash": "s", "verified_at": NOW}


@pytest.fixture
def at(created_tables, tables):
    """The tables, some seconds after the test began."""

    def later(seconds):
        return Tables(created_tables.spark, clock=lambda: NOW + timedelta(seconds=seconds))

    return later


def waited(tables, space_id="live", seconds=90.0):
    """How long an evaluation waits, and what people see of it."""
    slept, seen = [], []
    wait_until_settled(
        tables,
        registered_spaces(tables)[space_id].space,
        Settling(seconds, slept.append),
        lambda *told: seen.append(told),
    )
    return sum(slept), seen


def test_a_live_space_is_left_alone_until_its_last_change_is_old_enough(at):
    add_space(at(0), "live", answerer="genie:01ef")
    assert waited(at(10))[0] == 80, "it was registered: a deployment is a change, too"
    assert waited(at(90)) == (0, [])
    at(1000).append_rows(APPLICATION_INTENTS, [INTENT], transaction="i")
    assert waited(at(1060))[0] == 30, "whoever made them may have been killed in the middle"
    at(1080).append_rows(APPLICATIONS, [APPLICATION], transaction="a")
    assert waited(at(1080.5))[0] == 89.5
    assert waited(at(1070))[0] == 90, "clocks that differ make nobody wait longer"
    assert waited(at(1200)) == (0, [])
    assert waited(at(1081), seconds=0) == (0, [])


def test_the_wait_is_shown_with_what_it_is_for(at):
    add_space(at(0), "live", answerer="genie:01ef")
    _, seen = waited(at(87.5))
    what = "seconds until live answers from its last change"
    assert seen == [(what, 0, 3), (what, 1, 3), (what, 2, 3), (what, 3, 3)]


def test_a_change_of_another_space_counts_where_the_tables_are_the_same(at):
    add_space(at(0), "live", answerer="genie:01ef")
    add_space(at(0), "beside", answerer="genie:02ef")
    add_space(at(0), "elsewhere", schema="bank", answerer="genie:03ef")
    at(1000).append_rows(APPLICATIONS, [APPLICATION], transaction="a")
    assert [waited(at(1001), name)[0] for name in ("live", "beside", "elsewhere")] == [89, 89, 0]


def test_a_recording_is_never_waited_for(at):
    add_space(at(0), "live", answerer="recorded:answers.jsonl")
    assert waited(at(1)) == (0, [])
