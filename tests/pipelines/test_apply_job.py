"""The apply job end to end: real tables and a real catalog, the embedded workspace, files."""

from __future__ import annotations

from datetime import timedelta

import pytest

from jobs.decisions import decide
from jobs.reading import History
from pipelines.spaces import registered_spaces
from tests.conftest import NOW
from tests.jobs import seeded
from tests.pipelines.histories import versions
from tests.pipelines.till import BATCHES, open_till
from transforms import contracts as c
from transforms import patches as p
from transforms.errors import GenieLoopError


@pytest.fixture
def till(tables, tmp_path):
    with open_till(tables, tmp_path) as opened:
        yield opened


@pytest.mark.slow
def test_batches_of_every_kind_are_applied_in_both_homes_and_undone_exactly(till):
    before = till.state()
    assert till.run().wrote == 0
    for lever, proposed in BATCHES:
        batch = till.propose(lever, proposed)
        assert till.run().wrote == 0, "nobody approved it"
        till.approve(batch)
        report = till.run()
        assert report.lines == (f"{batch['batch_id']} applied: {len(proposed)} patches",)
        after = till.state()
        assert after[0] != before[0]
        assert after[1:] != before[1:]
        committed = versions(till.tables)
        assert till.run().wrote == 0
        assert versions(till.tables) == committed

        till.reject(batch)
        assert till.run().lines == (f"{batch['batch_id']} undone: {len(proposed)} patches",)
        assert till.state() == before
        assert till.run().wrote == 0

    _registered_space_and_benchmark(till)
    _what_the_engine_refuses(till, before)


def _registered_space_and_benchmark(till):
    def config():
        return registered_spaces(till.tables)["plain"].space.config

    instruction = p.AddInstruction(space_id="plain", topic="t", text="Amounts are net.")
    batch = till.propose(6, [(instruction, None)], "plain")
    till.approve(batch)
    assert till.run().wrote == 2
    assert config() == '{"instructions": ["Amounts are net."]}'
    till.reject(batch)
    till.run()
    assert config() == "{}"

    question = {**seeded.benchmark("q1", "plain"), "expected_sql": "SELECT 1"}
    till.append(c.BENCHMARKS, question)
    correction = p.CorrectBenchmark(space_id="plain", question_id="q1", expected_sql="SELECT 2")
    correction_batch = till.propose(0, [(correction, "SELECT 1")], "plain")
    till.approve(correction_batch)
    till.run()
    rows = till.tables.read(c.BENCHMARKS).orderBy("benchmark_version").collect()
    assert [(row.expected_sql, row.source) for row in rows] == [
        ("SELECT 1", "imported"),
        ("SELECT 2", "corrected"),
    ]
    till.reject(correction_batch)
    till.run()
    rows = till.tables.read(c.BENCHMARKS).orderBy("benchmark_version").collect()
    assert (rows[-1].expected_sql, rows[-1].source) == ("SELECT 1", "imported")

    quarantine = p.QuarantineBenchmark(space_id="plain", question_id="q1", reason="it is empty")
    quarantine_batch = till.propose(0, [(quarantine, "SELECT 1")], "plain", "-quarantine")
    till.approve(quarantine_batch)
    till.run()
    rows = till.tables.read(c.BENCHMARKS).orderBy("benchmark_version").collect()
    assert (rows[-1].status, rows[-1].expected_sql) == ("quarantined", "SELECT 1")
    till.reject(quarantine_batch)
    till.run()
    rows = till.tables.read(c.BENCHMARKS).orderBy("benchmark_version").collect()
    assert (rows[-1].status, rows[-1].source) == ("active", "imported")


def _what_the_engine_refuses(till, before):
    bad = p.SetMetricViewMeasure(metric_view="till_views.totals", name="x", expr="SUM(nothing)")
    batch = till.propose(5, [(bad, None)])
    till.approve(batch)
    with pytest.raises(GenieLoopError, match="the catalog does not take it") as told:
        till.run()
    assert "genie-loop rollback EVALUATION" in str(told.value)
    assert till.state() == before


@pytest.mark.slow
def test_a_batch_that_cannot_be_applied_is_given_up_and_the_next_one_is(till, home, monkeypatch):
    ticks = iter(range(1, 1000))
    monkeypatch.setattr(till.tables, "clock", lambda: NOW + timedelta(seconds=next(ticks)))
    gone = p.SetColumnComment(table="till.gone", column="amount", comment="EUR")
    stuck = till.propose(1, [(gone, None)])
    till.approve(stuck)
    free = till.propose(*BATCHES[1])
    with pytest.raises(GenieLoopError) as told:
        till.run()
    assert f"genie-loop reject {stuck['batch_id']}" in str(told.value)

    def decide_now(batch, decision):
        told = {"decision": decision, "decided_by": "ann", "reason": "the table is gone"}
        return decide(History(home), [batch["batch_id"]], **told, clock=till.tables.clock)

    (decided,) = decide_now(free, "approved")
    assert decided.waits_for == stuck["batch_id"]
    decide_now(stuck, "declined")
    assert till.run().lines == (f"{free['batch_id']} applied: 2 patches",)
