"""Reads what starts each job from its ``*.job.yml``, the file that Databricks deploys."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, cast

from transforms.contracts import BY_NAME
from transforms.errors import InvalidInputError

Condition = Literal["ANY_UPDATED", "ALL_UPDATED"]
CONDITIONS: tuple[Condition, ...] = ("ANY_UPDATED", "ALL_UPDATED")
JOB_FILES = Path(__file__).parent

# Dots inside a reference are not separators of the table's name.
_REFERENCE = re.compile(r"\$\{[^}]*\}|\{\{[^}]*\}\}")


@dataclass(frozen=True, slots=True)
class Trigger:
    """What starts a job: updates of ``tables`` (names in the contracts, in the file's order).

    Both waiting times are in seconds; 0 where the file states none.
    """

    job: str
    tables: tuple[str, ...]
    condition: Condition = "ANY_UPDATED"
    min_time_between_triggers_seconds: int = 0
    wait_after_last_change_seconds: int = 0


def read_triggers(folder: Path = JOB_FILES) -> tuple[Trigger, ...]:
    """The triggers of every ``*.job.yml`` in ``folder``, sorted by job; jobs without one left out.

    Raises InvalidInputError naming every problem of every file.
    """
    triggers: dict[str, Trigger] = {}
    problems: list[str] = []
    for path in sorted(folder.glob("*.job.yml")):
        try:
            found = read_job_file(path)
        except InvalidInputError as error:
            problems.extend(error.problems)
            continue
        for trigger in found:
            if trigger.job in triggers:
                problems.append(f"{path.name}: the job {trigger.job} is declared twice")
            triggers[trigger.job] = trigger
    if problems:
        raise _refused(folder, problems)
    return tuple(triggers[job] for job in sorted(triggers))


def read_job_file(path: Path) -> tuple[Trigger, ...]:
    """The triggers of the jobs that one file declares.

    Raises InvalidInputError for a file that is not a bundle of jobs, for tables that are not in the
    contracts, and for a job that could lose an update: more than one run at once, or no queue.
    """
    import yaml

    try:
        raw = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise _refused(path, [f"{path.name}: cannot be read: {error}"]) from error
    jobs = _at(raw, "resources", "jobs")
    if not isinstance(jobs, Mapping) or not jobs:
        raise _refused(path, [f"{path.name}: no job under resources.jobs"])
    problems: list[str] = []
    triggers: list[Trigger] = []
    for key, job in jobs.items():
        update = _at(job, "trigger", "table_update")
        if update is None:
            continue
        found = [*_queue_problems(job), *_trigger_problems(update)]
        problems.extend(f"{path.name}: job {key}: {problem}" for problem in found)
        if not found:
            triggers.append(_trigger(str(key), update))
    if problems:
        raise _refused(path, problems)
    return tuple(triggers)


def table_of(name: str) -> str:
    """The table that a name of up to three parts, with ``${...}`` references, ends in.

    Raises ValueError when the last part is a reference or empty: nothing here could resolve it.
    """
    last = _REFERENCE.sub("\0", name).split(".")[-1].strip().strip("`")
    if not last or "\0" in last:
        raise ValueError(f"{name!r} does not end in the name of a table")
    return last


def watched_tables(triggers: Iterable[Trigger]) -> tuple[str, ...]:
    """Every table that some trigger names, once, sorted."""
    return tuple(sorted({table for trigger in triggers for table in trigger.tables}))


def _trigger(job: str, update: Mapping[str, Any]) -> Trigger:
    return Trigger(
        job=job,
        tables=tuple(dict.fromkeys(table_of(name) for name in update["table_names"])),
        condition=cast(Condition, update.get("condition", "ANY_UPDATED")),
        min_time_between_triggers_seconds=update.get("min_time_between_triggers_seconds", 0),
        wait_after_last_change_seconds=update.get("wait_after_last_change_seconds", 0),
    )


def _queue_problems(job: Mapping[str, Any]) -> list[str]:
    problems = []
    if job.get("max_concurrent_runs") != 1:
        problems.append("max_concurrent_runs must be written out as 1: one run at a time")
    if _at(job, "queue", "enabled") is not True:
        problems.append("queue.enabled must be true: without it an update during a run is lost")
    return problems


def _trigger_problems(update: object) -> list[str]:
    if not isinstance(update, Mapping):
        return ["trigger.table_update is not a mapping"]
    problems = []
    names = update.get("table_names")
    if not isinstance(names, list) or not names:
        problems.append("trigger.table_update.table_names lists no table")
        names = []
    for name in names:
        try:
            table = table_of(str(name))
        except ValueError as error:
            problems.append(str(error))
            continue
        if table not in BY_NAME:
            problems.append(f"{name}: there is no table {table}; see docs/tables.md")
    if update.get("condition", "ANY_UPDATED") not in CONDITIONS:
        problems.append(f"condition {update['condition']!r} is none of {', '.join(CONDITIONS)}")
    for setting in ("min_time_between_triggers_seconds", "wait_after_last_change_seconds"):
        seconds = update.get(setting, 0)
        if not isinstance(seconds, int) or isinstance(seconds, bool) or seconds < 0:
            problems.append(f"{setting} is {seconds!r}, not a whole number of seconds from 0 up")
    return problems


def _at(raw: object, *keys: str) -> Any:
    """The value under the keys; None when a level is missing or is no mapping."""
    for key in keys:
        if not isinstance(raw, Mapping):
            return None
        raw = raw.get(key)
    return raw


def _refused(path: Path, problems: list[str]) -> InvalidInputError:
    return InvalidInputError(
        "the triggers of the jobs cannot be read",
        where=str(path),
        remedy="correct the job file; docs/cli.md says what a trigger may be",
        problems=problems,
    )
