"""Plans from the states: the next batch of each space, the audit of its levers, its end.

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
from transforms.closing import final_requests, spaces_at_the_end_of_a_cycle
from transforms.contracts import BATCHES, EVALUATION_REQUESTS, EVALUATIONS, LEVER_AUDIT
from transforms.lever_progress import AUDIT_COLUMNS, audit_rows, correction_turns, ripe_proposals
from transforms.views import SPACE_STATES


def plan(tables: Tables, *, commits: Commits) -> None:
    """Form the batches whose turn it is, bring the lever audit up to date, and conclude.

    All of it goes by key, and a final audit row stays as it is. A cycle that ends with something
    accepted is followed by the next one at once: no table's update would start it.
    """
    while _plan_cycle(tables, commits):
        pass


def _plan_cycle(tables: Tables, commits: Commits) -> bool:
    """Plan where every space stands; whether one of them begins another cycle."""
    states = States(tables)
    assets = schema_assets(tables, states.of(SPACE_STATES).where("evaluation_id IS NOT NULL"))
    audited = held(_audited(tables, states, assets))
    did_form = tables.merge(BATCHES, held(_formed(states, audited)))
    commits.note(BATCHES, did_form)
    if did_form:
        states = States(tables)
        audited = held(_audited(tables, states, assets))
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
    ended = held(spaces_at_the_end_of_a_cycle(states.of(SPACE_STATES), audited))
    requests = final_requests(states.of(SPACE_STATES), ended, tables.read(EVALUATIONS))
    commits.note(EVALUATION_REQUESTS, tables.merge(EVALUATION_REQUESTS, requests))
    return not ended.where("has_accepted").isEmpty()


def _formed(states: States, audited: DataFrame) -> DataFrame:
    proposals, batches = ripe_proposals(states.of(PROPOSAL_STATES)), states.of(BATCH_STATES)
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
