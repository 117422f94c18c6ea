"""Going back to an accepted version: decided by a person, undone by the apply job, exact."""

from __future__ import annotations

from datetime import timedelta

import pytest

from genie.homes import DriftedError
from genie.homes.catalog import CatalogHome
from pipelines.homes import open_homes
from pipelines.rolling_back import rollback_to_model
from pipelines.spaces import registered_spaces
from tests.conftest import NOW
from tests.jobs import seeded
from tests.pipelines.crashes import CrashError
from tests.pipelines.histories import rows, versions
from tests.pipelines.till import BATCHES, open_till
from transforms import contracts as c
from transforms.errors import GenieLoopError, StateConflictError
from transforms.identity import make_id


@pytest.fixture
def till(tables, tmp_path, monkeypatch):
    """A till whose clock goes on by a second at each look."""
    ticks = iter(range(1, 10_000))
    monkeypatch.setattr(tables, "clock", lambda: NOW + timedelta(seconds=next(ticks)))
    with open_till(tables, tmp_path) as opened:
        yield opened


def roll_back(till, model_id="m-0", by="ann"):
    space = registered_spaces(till.tables)["till"].space
    return rollback_to_model(
        till.tables,
        model_id,
        decided_by=by,
        reason="worse for the board",
        homes=lambda _: open_homes(till.tables, space, lambda _: till.client),
    )


def evaluated(till, number, **changes):
    """The space was evaluated now, as version ``m-<number>``."""
    at = till.tables.clock()
    row = seeded.evaluation("till", number, model_id=f"m-{number}", started_at=at, **changes)
    till.append(c.EVALUATIONS, {**row, "finished_at": at, "recorded_at": at})


def applied_and_accepted(till, number, lever, proposed):
    batch = till.propose(lever, proposed)
    till.approve(batch)
    till.run()
    application = make_id("application", batch["batch_id"], "apply")
    evaluated(till, number, application_id=application, batch_id=batch["batch_id"])
    decision = seeded.gate_decision(number, "accepted", space_id="till", batch_id=batch["batch_id"])
    till.append(c.GATE_DECISIONS, {**decision, "recorded_at": till.tables.clock()})
    return batch["batch_id"]


@pytest.mark.slow
def test_a_space_is_brought_back_to_an_accepted_version(till):
    before = till.state()
    evaluated(till, 0)
    batches = [
        applied_and_accepted(till, number, lever, proposed)
        for number, (lever, proposed) in enumerate(BATCHES[:2], start=1)
    ]
    after = till.state()
    assert roll_back(till, "m-2").batch_ids == ()

    _what_somebody_changed_stops_it(till, after)
    _an_approved_batch_comes_first(till)

    decided = roll_back(till)
    assert decided.batch_ids == tuple(reversed(batches))
    committed = versions(till.tables)
    assert roll_back(till, by="bob").batch_ids == decided.batch_ids
    assert versions(till.tables) == committed, "decided before: nothing is written"
    with pytest.raises(StateConflictError, match="this version is rejected"):
        roll_back(till, "m-1")

    report = till.run()
    assert till.state() == before
    undone = [f"{batch} undone: 2 patches" for batch in reversed(batches)]
    assert report.lines == (*undone, "an evaluation is asked for of what was rolled back")
    (request,) = rows(till.tables, c.EVALUATION_REQUESTS)
    assert (request["space_id"], request["requested_by"]) == ("till", "ann")
    assert till.run().wrote == 0


@pytest.mark.slow
def test_what_was_begun_and_cannot_be_finished_is_taken_back(till, monkeypatch):
    before = till.state()
    evaluated(till, 0)
    batch = till.propose(*BATCHES[0])
    till.approve(batch)
    with monkeypatch.context() as crashing:
        crashing.setattr(CatalogHome, "write", _crash)
        with pytest.raises(CrashError):
            till.run()
    assert till.state()[0] != before[0], "the first file is written"

    till.tables.spark.sql("COMMENT ON TABLE till.sales IS 'mine'")
    with pytest.raises(GenieLoopError, match="genie-loop rollback EVALUATION"):
        till.run()
    with pytest.raises(DriftedError, match=r"there: live comment till\.sales"):
        roll_back(till)
    till.tables.spark.sql("COMMENT ON TABLE till.sales IS 'sales'")
    assert roll_back(till).batch_ids == (batch["batch_id"],)
    assert till.run().lines[0] == f"{batch['batch_id']} undone: 2 patches"
    assert till.state() == before
    assert till.run().wrote == 0


def _crash(*_args, **_kwargs):
    raise CrashError


def _what_somebody_changed_stops_it(till, after):
    decisions = len(rows(till.tables, c.APPROVALS))
    file = till.repo / "sales.yml"
    file.write_text(file.read_text() + "# mine\n")
    with pytest.raises(DriftedError, match=r"there: repo table_file sales\.yml"):
        roll_back(till)
    assert len(rows(till.tables, c.APPROVALS)) == decisions, "nothing is decided"
    file.write_bytes(after[0]["sales.yml"])
    assert till.state() == after


def _an_approved_batch_comes_first(till):
    batch = till.propose(*BATCHES[2])
    till.approve(batch)
    with pytest.raises(StateConflictError, match="is not applied yet"):
        roll_back(till)
    other = seeded.approval(3, space_id="till", decision="declined", batch_id=batch["batch_id"])
    declined = {"content_hash": batch["content_hash"], "recorded_at": NOW}
    till.append(c.APPROVALS, {**other, **declined})
