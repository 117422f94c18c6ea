"""What a table's Delta log says about its updates, read as files: no JVM, no Delta reader.

A commit counts as an update when one of its actions changes data (``dataChange: true``); creating
a table, altering its properties and compacting its files do not.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from transforms.errors import ContractDriftError
from transforms.identity import content_hash

BEFORE_ANY_VERSION = -1  # the position of a reader that has seen nothing

_COMMIT = re.compile(r"^(\d{20})\.json$")
_CHECKPOINT = re.compile(r"^(\d{20})\.checkpoint\b.*\.(?:parquet|json)$")


@dataclass(frozen=True, slots=True)
class Updates:
    """What happened to a table after a version.

    ``version`` is the latest one, ``BEFORE_ANY_VERSION`` when there is no table. ``changed_at`` is
    when data last changed after the asked version, UTC; None when it did not.
    """

    version: int
    changed_at: datetime | None = None


def latest_version(table: Path) -> int:
    """The latest version of the table in that folder; BEFORE_ANY_VERSION when there is none."""
    commits, checkpoints = _listing(table)
    return max([*commits, *checkpoints], default=BEFORE_ANY_VERSION)


def updates_after(table: Path, version: int) -> Updates:
    """What happened to the table after ``version``.

    Where commits after ``version`` were cleaned up, they may have changed data, so they count as an
    update. So does a table whose latest version is lower than ``version``: it was made anew.

    Raises ContractDriftError for a log that is not Delta's.
    """
    commits, checkpoints = _listing(table)
    latest = max([*commits, *checkpoints], default=BEFORE_ANY_VERSION)
    after = version if version <= latest else BEFORE_ANY_VERSION
    for number in range(latest, after, -1):  # the newest change decides
        path = commits.get(number)
        if path is None:
            oldest_known = commits.get(number + 1) or checkpoints[latest]
            return Updates(latest, _modified_at(oldest_known))
        changed_at = _data_changed_at(path)
        if changed_at is not None:
            return Updates(latest, changed_at)
    return Updates(latest)


def data_id(table: Path) -> str | None:
    """Another id for other rows or columns of the table in that folder; comments are neither.

    None where there is no table, or where the log no longer says since when its rows are the same.
    Raises ContractDriftError for a log that is not Delta's.
    """
    commits, checkpoints = _listing(table)
    since, columns = None, None
    for number in range(max([*commits, *checkpoints], default=BEFORE_ANY_VERSION), -1, -1):
        if number not in commits:
            return None
        for action in _actions(commits[number]):
            changes = (action.get("add"), action.get("remove"))
            if since is None and any(change and change["dataChange"] for change in changes):
                since = number
            if columns is None and (metadata := action.get("metaData")):
                schema = json.loads(metadata["schemaString"])
                columns = (metadata["id"], _without_comments(schema))
        if since is not None and columns is not None:
            break
    return None if columns is None else content_hash(since, columns)


def _without_comments(schema: Any) -> Any:
    """A schema without what is said of its columns, nested ones too."""
    if isinstance(schema, dict):
        return {key: _without_comments(schema[key]) for key in schema if key != "metadata"}
    if isinstance(schema, list):
        return [_without_comments(item) for item in schema]
    return schema


def _listing(table: Path) -> tuple[dict[int, Path], dict[int, Path]]:
    """Commits and checkpoints by version."""
    commits: dict[int, Path] = {}
    checkpoints: dict[int, Path] = {}
    try:
        entries = list((table / "_delta_log").iterdir())
    except (FileNotFoundError, NotADirectoryError):
        return commits, checkpoints
    for entry in entries:
        if found := _COMMIT.match(entry.name):
            commits[int(found[1])] = entry
        elif found := _CHECKPOINT.match(entry.name):
            checkpoints[int(found[1])] = entry
    return commits, checkpoints


def _data_changed_at(commit: Path) -> datetime | None:
    """When the commit changed data; None when it did not."""
    has_changed = False
    committed_at = None
    for action in _actions(commit):
        changes = (action.get("add"), action.get("remove"))
        has_changed |= any(change and change["dataChange"] for change in changes)
        if info := action.get("commitInfo"):
            milliseconds = info.get("inCommitTimestamp") or info.get("timestamp")
            if milliseconds is not None:
                committed_at = datetime.fromtimestamp(milliseconds / 1000, UTC)
    if not has_changed:
        return None
    return committed_at or _modified_at(commit)


def _actions(commit: Path) -> Iterator[dict[str, Any]]:
    with commit.open(encoding="utf-8") as lines:
        for line in lines:
            if not line.strip():
                continue
            try:
                action = json.loads(line)
            except ValueError as error:
                raise _not_a_log(commit, str(error)) from error
            if not isinstance(action, dict):
                raise _not_a_log(commit, "a line is not a JSON object")
            yield action


def _modified_at(path: Path) -> datetime:
    return datetime.fromtimestamp(path.stat().st_mtime, UTC)


def _not_a_log(commit: Path, why: str) -> ContractDriftError:
    return ContractDriftError(
        f"this commit is not one of Delta's: {why}",
        where=str(commit),
        remedy="restore the table's _delta_log from a copy; data files alone make no table",
    )
