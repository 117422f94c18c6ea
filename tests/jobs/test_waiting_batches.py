"""A batch that has to wait is applied when its turn comes: by the triggers, by nobody's command."""

from __future__ import annotations

from datetime import timedelta

import pytest

from jobs import approve
from jobs.context import JobContext, JobReport
from jobs.runner import Runner
from jobs.triggers import read_triggers
from pipelines.optimize import optimize
from pipelines.states import States
from tests.conftest import NOW
from tests.jobs import seeded
from tests.pipelines.histories import rows
from tests.pipelines.loop_rows import (
    START,
    Evaluation,
    Q,
    add_benchmarks,
    add_evaluation,
    add_space,
)
from transforms import contracts as c
from transforms.change_views import BATCH_STATES
from transforms.identity import make_id

FIRST, SECOND = make_id("batch", 1), make_id("batch", 2)
WRONG = [Q("q1"), Q("q2")]


class Bystander:
    """Notes why jobs are started."""

    def __init__(self):
        self.reasons = []
        self.errors = []

    def starts(self, due):
        self.reasons.append((due.job, due.reason))

    def finished(self, report): ...

    def failed(self, job, error):
        self.errors.append(error)

    def waits(self, due, until, now): ...


class Shop:
    """A space whose policy approves what has low risk; its first batch of two has high risk."""

    def __init__(self, tables, home, folder):
        self.tables, self.home, self.folder = tables, home, folder
        self.seen = Bystander()
        add_space(tables, policy="auto_low_risk")
        add_benchmarks(tables, WRONG)
        add_evaluation(tables, Evaluation(WRONG))
        self.append(c.PROPOSALS, seeded.proposal(1, risk="high"), seeded.proposal(2))
        later = NOW + timedelta(minutes=1)
        self.append(c.BATCHES, seeded.batch(1, [1]))
        self.append(c.BATCHES, seeded.batch(2, [2], recorded_at=later))

    def append(self, table, *rows):
        mine = [{**row, "space_id": "shop-a"} for row in rows]
        self.tables.append_rows(table, mine, transaction=make_id("test", repr(mine)))

    def run(self):
        runner = Runner(
            triggers=read_triggers(),
            tables=self.home.table_path(self.tables.schema, "batches").parent,
            state=self.folder / "runner.json",
            run_job=self.job,
            clock=lambda: NOW,
            sleep=lambda _: None,
            listener=self.seen,
        )
        runner.run(ignores_waiting=True)
        assert self.seen.errors == []

    def job(self, name):
        context = JobContext(self.tables, self.folder, "sqlite://", self.tables.clock)
        if name == "optimize":
            optimize(self.tables, checkpoint=str(self.folder / name), proposer=nothing)
        elif name == "approve":
            return approve.run(context)
        return JobReport(name, (), 0)  # nothing is asked or changed here

    def approved(self):
        return {
            (row["batch_id"], row["decided_by"])
            for row in rows(self.tables, c.APPROVALS)
            if row["decision"] == "approved"
        }

    def turn(self):
        """The batch that is to be applied or undone now, if any."""
        free = "(state = 'approved' AND waits_for IS NULL) OR state = 'rejected'"
        batches = States(self.tables).of(BATCH_STATES).where(free).collect()
        return {batch["batch_id"] for batch in batches}


@pytest.fixture
def shop(tables, home, tmp_path):
    return Shop(tables, home, tmp_path)


def nothing(cluster, facts):
    return []


def taken_back(shop):
    shop.append(c.APPROVALS, seeded.approval(1, decision="declined"))


def accepted(shop):
    _apply(shop)
    application = make_id("application", 1, "apply")
    better = [Q("q1", is_correct=True), Q("q2")]
    measured = {"application_id": application, "batch_id": FIRST}
    add_evaluation(shop.tables, Evaluation(better, number=2, **measured))


def rejected(shop):
    _apply(shop)
    shop.append(c.GATE_DECISIONS, seeded.gate_decision(1, "rejected"))


def _apply(shop):
    between = START + timedelta(minutes=90)  # after the first evaluation, before the second
    shop.append(c.APPLICATIONS, seeded.application(1, recorded_at=between))
    shop.run()
    assert shop.turn() == set(), "the first is not gated yet"


@pytest.mark.slow
def test_a_batch_that_nobody_decided_on_keeps_no_policy_from_approving_the_next(shop):
    shop.run()
    assert shop.approved() == {(SECOND, "policy:auto_low_risk")}
    assert shop.turn() == {SECOND}
    shop.append(c.APPROVALS, seeded.approval(1))
    assert shop.turn() == {FIRST}, "of two that are approved the older comes first"


@pytest.mark.slow
@pytest.mark.parametrize("settled", [taken_back, accepted, rejected], ids=lambda end: end.__name__)
def test_a_batch_has_its_turn_once_the_one_before_it_is_through(shop, settled):
    shop.append(c.APPROVALS, seeded.approval(1))
    shop.run()
    assert shop.approved() == {(FIRST, "ann"), (SECOND, "policy:auto_low_risk")}
    assert shop.turn() == {FIRST}
    settled(shop)
    shop.seen.reasons.clear()
    shop.run()
    assert "apply" in {job for job, _ in shop.seen.reasons}
    if settled is rejected:
        assert shop.turn() == {FIRST}, "it is to be undone"
        undone_at = START + timedelta(hours=3)
        shop.append(c.APPLICATIONS, seeded.application(1, "undo", recorded_at=undone_at))
    assert shop.turn() == {SECOND}
    shop.run()
    shop.seen.reasons.clear()
    shop.run()
    assert shop.seen.reasons == []
