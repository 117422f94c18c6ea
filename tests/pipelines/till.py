"""A shop with a catalog of its own, a repository and a live space, all of one small content."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from genie.homes import Place
from genie.homes.catalog import CatalogHome
from genie.local.spark_backend import SparkBackend
from genie.local.workspace import EmbeddedWorkspace
from jobs.apply import run
from jobs.context import JobContext
from pipelines.session_sql import session_sql
from pipelines.spaces import Space, register_spaces
from tests.genie.local.fakes import FakeEngine, client_of
from tests.jobs import seeded
from transforms import contracts as c
from transforms import patches as p
from transforms.batching import patches_hash
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

    def propose(self, lever, proposed, space_id="till", name=""):
        rows = [
            seeded.proposal(
                f"{space_id}-{lever}{name}-{n}",
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
            f"{space_id}-{lever}{name}",
            space_id=space_id,
            lever=lever,
            kind="lever" if lever else "correction",
            content_hash=patches_hash([row["patch"] for row in rows]),
            proposal_ids=[row["proposal_id"] for row in rows],
            targets=[row["target"] for row in rows],
        )
        self.append(c.PROPOSALS, *rows)
        self.append(c.BATCHES, batch)
        return batch

    def approve(self, batch):
        decision = {"decision": "approved", "decided_by": "ann"}
        names = ("space_id", "batch_id", "content_hash")
        row = {name: batch[name] for name in names} | decision
        self.append(c.APPROVALS, {**row, "decision_id": make_id("decision", row)})

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
        self.append(c.GATE_DECISIONS, row)

    def append(self, table, *rows):
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


@contextmanager
def open_till(tables, folder: Path) -> Iterator[Till]:
    """The shop, gone from the catalog when the block ends."""
    repo = folder / "repo"
    repo.mkdir()
    with EmbeddedWorkspace(
        folder / "workspace", FakeEngine(), SparkBackend(tables.spark)
    ) as served:
        yield Till(tables, client_of(served), repo)
    for schema in ("till_views", "till"):
        tables.spark.sql(f"DROP SCHEMA {schema} CASCADE")
