"""Delta logs as plain files, for what only reads or watches logs."""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path

from jobs.delta_log import latest_version


def commit(table: Path, *, at: datetime, changes_data: bool = True, action: str = "add") -> int:
    """Append one commit to the table's log and return its version."""
    log = table / "_delta_log"
    log.mkdir(parents=True, exist_ok=True)
    version = latest_version(table) + 1
    actions = [
        {"commitInfo": {"timestamp": int(at.timestamp() * 1000), "operation": "WRITE"}},
        {action: {"path": f"{version}.parquet", "dataChange": changes_data}},
    ]
    text = "".join(json.dumps(a) + "\n" for a in actions)
    (log / f"{version:020}.json").write_text(text)
    return version


def create(table: Path, *, at: datetime) -> int:
    """The first commit of a table: a protocol and a schema, no data."""
    log = table / "_delta_log"
    log.mkdir(parents=True, exist_ok=True)
    actions = [
        {"commitInfo": {"timestamp": int(at.timestamp() * 1000), "operation": "CREATE TABLE"}},
        {"protocol": {"minReaderVersion": 1, "minWriterVersion": 7}},
        {"metaData": {"id": table.name, "schemaString": "{}"}},
    ]
    (log / f"{0:020}.json").write_text("".join(json.dumps(a) + "\n" for a in actions))
    return 0
