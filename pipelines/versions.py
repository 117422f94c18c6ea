"""The states that were evaluated, kept in the history: what proposals are made against."""

from __future__ import annotations

import json

from pipelines.tables import Tables
from transforms.contracts import VERSIONS
from transforms.space_state import SpaceState


def record_state(tables: Tables, state: SpaceState) -> bool:
    """Keep a state, once for each space that has it; whether it was new."""
    row = {
        "space_id": state.space_id,
        "state_hash": state.state_hash,
        "state": json.dumps(state.to_dict(), ensure_ascii=False, sort_keys=True),
    }
    return tables.merge(VERSIONS, tables.frame(VERSIONS, [row]))
