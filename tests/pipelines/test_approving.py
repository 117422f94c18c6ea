"""The policies approve what is harmless, once, and leave the rest to people."""

from __future__ import annotations

from datetime import timedelta

import pytest

from jobs.approve import run
from jobs.context import JobContext
from pipelines.approving import approve_by_policy
from pipelines.states import States
from tests.jobs.seeded import NOON, batch, proposal, space
from transforms import contracts as c
from transforms.change_views import BATCH_STATES
from transforms.identity import make_id

POLICY = "policy:auto_low_risk"


def record(tables, table, *rows):
    tables.append_rows(table, rows, transaction=repr(rows))


def decisions(tables):
    rows = tables.read(c.APPROVALS).collect()
    return {(row.batch_id, row.decision, row.decided_by, row.content_hash) for row in rows}


def test_a_free_batch_of_low_risk_is_approved_once_with_its_content_hash(tables):
    record(tables, c.SPACES, space(policy="auto_low_risk"))
    record(tables, c.PROPOSALS, proposal(1), proposal(2))
    record(tables, c.BATCHES, batch(1, [1, 2]))
    name = make_id("batch", 1)

    assert approve_by_policy(tables) == (name,)
    assert decisions(tables) == {(name, "approved", POLICY, "content of 1")}
    (row,) = tables.read(c.APPROVALS).collect()
    assert row.decision_id == make_id("decision", name, "content of 1", "approved", POLICY)

    version = tables.spark.sql(f"DESCRIBE HISTORY {tables.name(c.APPROVALS)}").count()
    assert approve_by_policy(tables) == ()
    assert tables.spark.sql(f"DESCRIBE HISTORY {tables.name(c.APPROVALS)}").count() == version


@pytest.mark.parametrize(
    ("policy", "risks", "decision"),
    [
        ("manual", ["low"], None),
        ("auto_low_risk", ["low", "medium"], None),
        ("auto_low_risk", ["low", "gone"], None),
        ("auto_low_risk", ["low"], "declined"),
        ("auto_low_risk", ["low"], "approved"),
    ],
    ids=["policy manual", "a riskier proposal", "a missing proposal", "declined", "approved"],
)
def test_the_rest_is_left_to_people(tables, policy, risks, decision):
    record(tables, c.SPACES, space(policy=policy))
    known = [proposal(n, risk=risk) for n, risk in enumerate(risks) if risk != "gone"]
    record(tables, c.PROPOSALS, *known)
    record(tables, c.BATCHES, batch(1, range(len(risks))))
    if decision:
        by_ann = {
            "space_id": "shop",
            "decision_id": "by ann",
            "batch_id": make_id("batch", 1),
            "content_hash": "content of 1",
            "decision": decision,
            "decided_by": "ann",
        }
        record(tables, c.APPROVALS, by_ann)
    before = decisions(tables)
    assert approve_by_policy(tables) == ()
    assert decisions(tables) == before


def test_a_batch_that_waits_for_another_is_approved_and_keeps_its_turn(tables):
    record(tables, c.SPACES, space(policy="auto_low_risk"))
    record(tables, c.PROPOSALS, proposal(1), proposal(2))
    later = {"recorded_at": NOON + timedelta(minutes=1)}
    record(tables, c.BATCHES, {**batch(1, [1]), "recorded_at": NOON}, {**batch(2, [2]), **later})
    assert set(approve_by_policy(tables)) == {make_id("batch", 1), make_id("batch", 2)}
    assert approve_by_policy(tables) == ()
    waits = {row["batch_id"]: row["waits_for"] for row in States(tables).of(BATCH_STATES).collect()}
    assert waits == {make_id("batch", 1): None, make_id("batch", 2): make_id("batch", 1)}


def test_the_newest_registration_of_a_space_says_its_policy(tables):
    changed = space(policy="manual", registration_id="second", ordinal=2)
    record(tables, c.SPACES, space(policy="auto_low_risk"), changed)
    record(tables, c.PROPOSALS, proposal(1))
    record(tables, c.BATCHES, batch(1))
    assert approve_by_policy(tables) == ()


def test_the_job_says_what_it_approved_and_writes_nothing_the_second_time(tables, tmp_path):
    record(tables, c.SPACES, space(policy="auto_low_risk"))
    record(tables, c.PROPOSALS, proposal(1))
    record(tables, c.BATCHES, batch(1))
    context = JobContext(tables, tmp_path, "sqlite://", tables.clock)
    first, second = run(context), run(context)
    assert (first.job, first.wrote) == ("approve", 1)
    assert first.lines == (f"{make_id('batch', 1)} approved: every proposal has low risk",)
    assert (second.lines, second.wrote) == ((), 0)
