"""The apply job end to end: real tables and a real catalog, the embedded workspace, files."""

from __future__ import annotations

from pathlib import Path

import pytest

from genie.homes import Place
from genie.homes.catalog import CatalogHome
from genie.local.spark_backend import SparkBackend
from genie.local.workspace import EmbeddedWorkspace
from jobs.apply import run
from jobs.context import JobContext
from pipelines.session_sql import session_sql
from pipelines.spaces import Space, register_spaces, registered_spaces
from tests.genie.local.fakes import FakeEngine, client_of
from tests.jobs import seeded
from tests.pipelines.histories import versions
from transforms import contracts as c
from transforms import patches as p
from transforms.batching import patches_hash
from transforms.errors import GenieLoopError
from transforms.identity import make_id
from transforms.patches import patch_json
from transforms.serialized_space import SpaceConfig

WAREHOUSE = "0000000000000001"
TABLE_FILE = (
    "table: till.sales\ncomment: sales  # old\ncolumns:\n  - {name: amount, type: DOUBLE}\n"
)
VIEW = """-- for the weekly review
CREATE OR REPLACE VIEW till_views.totals (day, total COMMENT 'sum')
WITH METRICS LANGUAGE YAML COMMENT 'totals' AS $$
version: 0.1
source: till.sales
dimensions:
- {name: day, expr: sold_on}
measures:
- name: total  # everything
  expr: SUM(amount)
$$;
"""
FUNCTION = """CREATE OR REPLACE FUNCTION till_views.top (how_many INT DEFAULT 3 COMMENT 'n')
RETURNS TABLE (day DATE, amount DOUBLE COMMENT 'eur')
COMMENT 'top'
RETURN SELECT sold_on, amount FROM till.sales WHERE amount > how_many;
"""
SPACE = """{
  "version": 2,
  "data_sources": {"tables": [{"identifier": "till.sales"}]}
}
"""
BATCHES = [
    (1, [
        (p.SetTableComment(table="till.sales", comment="one row per sale: it's net"), "sales"),
        (p.SetColumnComment(table="till.sales", column="amount", comment="EUR\nnet"), None),
    ]),
    (2, [
        (p.SetMetricViewMeasure(metric_view="till_views.totals", name="best day",
                                expr="MAX(amount)", comment="highest"), None),
        (p.SetMetricViewDimension(metric_view="till_views.totals", name="year",
                                  expr="YEAR(sold_on)"), None),
    ]),
    (3, [
        (p.SetFunctionComment(function="till_views.top", parameter="how_many",
                              comment="it's how many"), "n"),
        (p.SetFunctionDefault(function="till_views.top", parameter="how_many", default="2 + 5"),
         "3"),
    ]),
    (6, [
        (p.AddInstruction(space_id="till", topic="t", text="Amounts are net."), None),
        (p.AddSqlSnippet(kind="measure", sql="SUM(amount)", display_name="turnover"), None),
    ]),
]  # fmt: skip


class Till:
    """A shop with a table, a metric view and a function, a repository and a live space."""

    def __init__(self, tables, client, repo: Path):
        self.tables, self.client, self.repo = tables, client, repo
        for statement in (
            "CREATE SCHEMA till",
            "CREATE SCHEMA till_views",
            "CREATE TABLE till.sales (amount DOUBLE, sold_on DATE) USING DELTA COMMENT 'sales'",
            VIEW.partition("\n")[2].rstrip().rstrip(";"),
            FUNCTION.rstrip().rstrip(";"),
        ):
            tables.spark.sql(statement)
        files = {"sales.yml": TABLE_FILE, "totals.sql": VIEW, "top.sql": FUNCTION}
        for name, text in {**files, "space.json": SPACE}.items():
            (repo / name).write_text(text)
        made = client.genie.create_space(warehouse_id=WAREHOUSE, serialized_space=SPACE)
        self.genie_id = made.space_id
        space = Space("till", "Till", "retail", "till", answerer=f"genie:{self.genie_id}")
        live = {"warehouse_id": WAREHOUSE, "repo_home": str(repo)}
        plain = Space("plain", "Plain", "retail", "till", answerer="recorded:x.jsonl")
        register_spaces(tables, [Space(**{**_fields(space), **live}), plain])

    def run(self):
        context = JobContext(self.tables, self.repo, "sqlite://", self.tables.clock)
        return run(context, connect=lambda _: self.client)

    def propose(self, lever, proposed, space_id="till"):
        rows = [
            seeded.proposal(
                f"{space_id}-{lever}-{n}",
                space_id=space_id,
                lever=lever,
                cluster_id="cluster" if lever else None,
                patch=patch_json(patch),
                patch_type=patch.patch_type,
                target=patch.target,
                target_field=patch.target_field,
                before=before,
                after=patch.after,
                recorded_at=self.tables.clock(),
            )
            for n, (patch, before) in enumerate(proposed)
        ]
        batch = seeded.batch(
            f"{space_id}-{lever}",
            space_id=space_id,
            lever=lever,
            kind="lever" if lever else "correction",
            content_hash=patches_hash([row["patch"] for row in rows]),
            proposal_ids=[row["proposal_id"] for row in rows],
            targets=[row["target"] for row in rows],
        )
        self._append(c.PROPOSALS, *rows)
        self._append(c.BATCHES, batch)
        return batch

    def approve(self, batch):
        decision = {"decision": "approved", "decided_by": "ann"}
        names = ("space_id", "batch_id", "content_hash")
        row = {name: batch[name] for name in names} | decision
        self._append(c.APPROVALS, {**row, "decision_id": make_id("decision", row)})

    def reject(self, batch):
        row = {
            "space_id": batch["space_id"],
            "gate_decision_id": make_id("gate", batch["batch_id"]),
            "batch_id": batch["batch_id"],
            "number": 1,
            "evaluation_ids": ["evaluation"],
            "decision": "rejected",
            "train_net": -1,
            "held_out_net": 0,
            "rationale": "worse",
        }
        self._append(c.GATE_DECISIONS, row)

    def _append(self, table, *rows):
        self.tables.append_rows(table, rows, transaction=make_id("test", repr(rows)))

    def state(self):
        home = CatalogHome(session_sql(self.tables.spark))
        places = (
            Place("live", "comment", "till.sales"),
            Place("live", "comment", "till.sales", "amount"),
            Place("live", "metric_view", "till_views.totals"),
            Place("live", "function", "till_views.top"),
        )
        space = self.client.genie.get_space(self.genie_id, include_serialized_space=True)
        return (
            {path.name: path.read_bytes() for path in self.repo.iterdir()},
            [home.read(place) for place in places],
            SpaceConfig.parse(space.serialized_space).to_dict(),
        )


def _fields(space):
    return {name: getattr(space, name) for name in Space.__dataclass_fields__}


@pytest.fixture
def till(tables, tmp_path):
    repo = tmp_path / "repo"
    repo.mkdir()
    with EmbeddedWorkspace(
        tmp_path / "workspace", FakeEngine(), SparkBackend(tables.spark)
    ) as served:
        yield Till(tables, client_of(served), repo)
    for schema in ("till_views", "till"):
        tables.spark.sql(f"DROP SCHEMA {schema} CASCADE")


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
    till._append(c.BENCHMARKS, question)
    correction = p.CorrectBenchmark(space_id="plain", question_id="q1", expected_sql="SELECT 2")
    till.approve(till.propose(0, [(correction, "SELECT 1")], "plain"))
    till.run()
    rows = till.tables.read(c.BENCHMARKS).orderBy("benchmark_version").collect()
    assert [(row.expected_sql, row.source) for row in rows] == [
        ("SELECT 1", "imported"),
        ("SELECT 2", "corrected"),
    ]


def _what_the_engine_refuses(till, before):
    bad = p.SetMetricViewMeasure(metric_view="till_views.totals", name="x", expr="SUM(nothing)")
    batch = till.propose(5, [(bad, None)])
    till.approve(batch)
    with pytest.raises(GenieLoopError, match="the catalog does not take it"):
        till.run()
    assert till.state() == before
