"""Plans from the states: the next batch of each space, and the audit of its levers.

Needs no memory of what ran before: what is in the tables decides, so that planning twice plans
once.
"""

from __future__ import annotations

from pyspark.sql import DataFrame

from pipelines.assets import schema_assets
from pipelines.optimize_stream import Commits
from pipelines.states import States, held
from pipelines.tables import Tables
from transforms.batching import detect_conflicts_and_batch
from transforms.change_views import BATCH_STATES, CLUSTER_STATES, PROPOSAL_STATES
from transforms.contracts import BATCHES, LEVER_AUDIT
from transforms.lever_progress import AUDIT_COLUMNS, audit_rows, correction_turns
from transforms.views import SPACE_STATES


def plan(tables: Tables, *, commits: Commits) -> None:
    """Form the batches whose turn it is, then bring the lever audit up to date.

    Both go by key, and a final audit row stays as it is.
    """
    states = States(tables)
    assets = schema_assets(tables, states.of(SPACE_STATES).where("evaluation_id IS NOT NULL"))
    audited = held(_audited(tables, states, assets))
    formed = held(_formed(states, audited))
    did_form = tables.merge(BATCHES, formed)
    commits.note(BATCHES, did_form)
    if did_form:
        audited = held(_audited(tables, States(tables), assets))
    updated = tuple(name for name in LEVER_AUDIT.columns if name not in LEVER_AUDIT.key)
    commits.note(
        LEVER_AUDIT,
        tables.merge(
            LEVER_AUDIT,
            audited.select(*AUDIT_COLUMNS),
            update=updated,
            matched_when="NOT t.is_final",
        ),
    )


def _formed(states: States, audited: DataFrame) -> DataFrame:
    proposals, batches = states.of(PROPOSAL_STATES), states.of(BATCH_STATES)
    turns = (
        audited.where("may_batch")
        .select("space_id", "cycle", "lever")
        .unionByName(correction_turns(states.of(SPACE_STATES), proposals, batches))
    )
    return detect_conflicts_and_batch(proposals, turns, batches)


def _audited(tables: Tables, states: States, assets: DataFrame) -> DataFrame:
    return audit_rows(
        states.of(SPACE_STATES),
        states.of(PROPOSAL_STATES),
        states.of(BATCH_STATES),
        states.of(CLUSTER_STATES),
        tables.read(LEVER_AUDIT),
        assets,
    )
