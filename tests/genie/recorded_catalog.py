"""What real Spark said of some objects of the wanderbricks sample, statement by statement."""

from __future__ import annotations

import json
from pathlib import Path

from genie.catalog import StatementFailedError

RECORDED = json.loads((Path(__file__).parent / "recorded" / "describe.json").read_text())


def run_recorded(sql):
    """A ``RunSql`` that replays; KeyError for a statement that was not recorded."""
    said = RECORDED[sql]
    if "error" in said:
        raise StatementFailedError(said["error"], sql_state=said["sql_state"])
    return [tuple(row) for row in said["rows"]]
