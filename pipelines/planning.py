"""Plans from the states: the next batch of each space, and the audit of its levers.

Needs no memory of what ran before: what is in the tables decides, so that planning twice plans
once.
"""

from __future__ import annotations

from pyspark.sql import DataFrame

from pipelines.assets import schema_assets
from pipelines.optimize_stream import Commits
from pipelines.tables import Tables
from pipelines.views import read_view
from transforms.batching import detect_conflicts_and_batch
from transforms.change_views import BATCH_STATES, CLUSTER_STATES, PROPOSAL_STATES
from transforms.contracts import BATCHES, LEVER_AUDIT
from transforms.lever_progress import AUDIT_COLUMNS, audit_rows, correction_turns
from transforms.views import SPACE_STATES


def plan(tables: Tables, *, commits: Commits) -> None:
    """Form the batches whose turn it is, then bring the lever audit up to date.

    Both go by key, and a final audit row stays as it is.
    """
    spaces = read_view(tables, SPACE_STATES)
    assets = schema_assets(tables, spaces.where("evaluation_id IS NOT NULL"))
    proposals, batches = read_view(tables, PROPOSAL_STATES), read_view(tables, BATCH_STATES)
    turns = (
        _audited(tables, assets)
        .where("may_batch")
        .select("space_id", "cycle", "lever")
        .unionByName(correction_turns(spaces, proposals, batches))
    )
    formed = detect_conflicts_and_batch(proposals, turns, batches)
    commits.note(BATCHES, tables.merge(BATCHES, formed))
    rows = _audited(tables, assets).select(*AUDIT_COLUMNS)
    updated = tuple(name for name in LEVER_AUDIT.columns if name not in LEVER_AUDIT.key)
    commits.note(
        LEVER_AUDIT,
        tables.merge(LEVER_AUDIT, rows, update=updated, matched_when="NOT t.is_final"),
    )


def _audited(tables: Tables, assets: DataFrame) -> DataFrame:
    return audit_rows(
        read_view(tables, SPACE_STATES),
        read_view(tables, PROPOSAL_STATES),
        read_view(tables, BATCH_STATES),
        read_view(tables, CLUSTER_STATES),
        tables.read(LEVER_AUDIT),
        assets,
    )
