"""Keeps the runner's progress in ``runner.json``: whole or not at all, over any crash."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

from jobs.schedule import JobProgress, Progress
from transforms.errors import ContractDriftError

_FORMAT = 1


def read_progress(path: Path) -> dict[str, JobProgress]:
    """The stored progress by job; empty where nothing was stored yet.

    Raises ContractDriftError for a file that this version did not write.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return {}
    try:
        raw = json.loads(text)
        if raw["format"] != _FORMAT:
            raise ValueError(f"format {raw['format']!r}")
        return {str(job): _from_json(item) for job, item in raw["jobs"].items()}
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise ContractDriftError(
            f"this is not the progress of the trigger runner: {error}",
            where=str(path),
            remedy="delete the file: every job is then started once for nothing, which is harmless",
        ) from error


def write_progress(path: Path, progress: Progress) -> None:
    """Store the progress, atomically: a reader sees the old file or the new one."""
    content = {"format": _FORMAT, "jobs": {job: _to_json(p) for job, p in progress.items()}}
    temporary = path.with_name(f"{path.name}.{os.getpid()}.tmp")
    with temporary.open("w", encoding="utf-8") as file:
        json.dump(content, file, indent=2, sort_keys=True)
        file.flush()
        os.fsync(file.fileno())
    temporary.replace(path)


def _to_json(progress: JobProgress) -> dict[str, Any]:
    at = progress.triggered_at
    return {
        "positions": dict(progress.positions),
        "started_with": None if progress.started_with is None else dict(progress.started_with),
        "triggered_at": None if at is None else at.isoformat(),
        "failure": progress.failure,
    }


def _from_json(raw: Mapping[str, Any]) -> JobProgress:
    at = raw["triggered_at"]
    started_with = raw["started_with"]
    return JobProgress(
        positions=_versions(raw["positions"]),
        started_with=None if started_with is None else _versions(started_with),
        triggered_at=None if at is None else datetime.fromisoformat(at),
        failure=raw["failure"],
    )


def _versions(raw: Mapping[str, Any]) -> dict[str, int]:
    return {str(table): int(version) for table, version in raw.items()}
