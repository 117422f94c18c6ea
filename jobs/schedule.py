"""Which job the local trigger runner starts next: a state machine without clock, files or jobs.

It starts jobs as Databricks' table triggers do. A trigger says "something changed", never "these
rows", so all it has to remember is how far each job has seen each table it watches: the versions at
the start of its last successful run. What is committed during a run is above them, so it makes
exactly one more run, however many commits there were: a queue of one.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from jobs.delta_log import BEFORE_ANY_VERSION, Updates
from jobs.triggers import Trigger

Observed = Mapping[str, Updates]
"""Per watched table, what happened to it after the position that ``seen`` gives."""


@dataclass(frozen=True, slots=True)
class JobProgress:
    """How far a job is. Everything the runner keeps between two processes.

    ``positions``: table -> version at the start of the last successful run. ``started_with``: the
    versions at the start of a run that has not succeeded (yet); None when the last run succeeded.
    ``triggered_at``: when the job was last started for an update. ``failure``: why its last run
    failed; None while a run is going on, was cut off or succeeded.
    """

    positions: Mapping[str, int] = field(default_factory=dict)
    started_with: Mapping[str, int] | None = None
    triggered_at: datetime | None = None
    failure: str | None = None

    @property
    def is_unfinished(self) -> bool:
        """Whether a run was started that neither succeeded nor failed: it was cut off."""
        return self.started_with is not None and self.failure is None


Progress = Mapping[str, JobProgress]


@dataclass(frozen=True, slots=True)
class Due:
    """A job that has something to do, from when on it may start, and why."""

    job: str
    updated: tuple[str, ...]
    start_at: datetime | None
    reason: str
    waits_for: str | None = None


@dataclass(frozen=True, slots=True)
class Start:
    """Start this job now."""

    due: Due


@dataclass(frozen=True, slots=True)
class Wait:
    """Nothing may start before ``until``, when ``due`` may."""

    due: Due
    until: datetime


@dataclass(frozen=True, slots=True)
class Idle:
    """Nothing is pending."""


Step = Start | Wait | Idle


def seen(progress: JobProgress, table: str) -> int:
    """The version after which an update of the table makes the job due.

    A failed run has seen what it was started with: only a further update, or a new ``run`` that
    forgets the failure, starts the job again. Otherwise it would fail in a loop.
    """
    versions = progress.positions
    if progress.failure is not None and progress.started_with is not None:
        versions = progress.started_with
    return versions.get(table, BEFORE_ANY_VERSION)


def due(trigger: Trigger, progress: JobProgress, observed: Observed) -> Due | None:
    """Whether the job has something to do; None when it has not.

    ``start_at`` is None when it may start at once.
    """
    changes = {t: at for t in trigger.tables if (at := observed[t].changed_at) is not None}
    if progress.is_unfinished:
        return Due(trigger.job, tuple(changes), None, "its last run did not finish")
    is_due = len(changes) == len(trigger.tables) if _needs_all(trigger) else bool(changes)
    if not is_due:
        return None
    start_at, waits_for = _earliest_start(trigger, progress, max(changes.values()))
    reason = f"{_listed(tuple(changes))} updated"
    return Due(trigger.job, tuple(changes), start_at, reason, waits_for)


def next_step(
    triggers: Sequence[Trigger],
    progress: Progress,
    observed: Mapping[str, Observed],
    now: datetime,
    *,
    ignores_waiting: bool = False,
) -> Step:
    """What to do now. Of several jobs that may start, the one that was started longest ago."""
    pending = [
        found
        for trigger in triggers
        if (found := due(trigger, progress_of(progress, trigger.job), observed[trigger.job]))
    ]
    if not pending:
        return Idle()
    ready = [d for d in pending if ignores_waiting or d.start_at is None or d.start_at <= now]
    if ready:
        return Start(min(ready, key=lambda d: _turn(progress_of(progress, d.job))))
    later = [(d.start_at, d) for d in pending if d.start_at is not None]
    until, first = min(later, key=lambda pair: pair[0])
    return Wait(first, until)


def progress_of(progress: Progress, job: str) -> JobProgress:
    """The progress of a job; that of a job never started when there is none."""
    return progress.get(job, JobProgress())


def started(progress: JobProgress, versions: Mapping[str, int], now: datetime) -> JobProgress:
    """The job is started, with its tables at these versions.

    A run that follows one that was cut off answers the same trigger: the time of that one counts.
    """
    triggered_at = progress.triggered_at if progress.is_unfinished else now
    return replace(progress, started_with=dict(versions), triggered_at=triggered_at, failure=None)


def succeeded(progress: JobProgress) -> JobProgress:
    """The run that was started has done everything that was pending when it started."""
    positions = {**progress.positions, **(progress.started_with or {})}
    return replace(progress, positions=positions, started_with=None, failure=None)


def failed(progress: JobProgress, failure: str) -> JobProgress:
    """The run that was started has failed: its positions stay where they were."""
    return replace(progress, failure=failure)


def retried(progress: JobProgress) -> JobProgress:
    """Forget a failure, so that the job is due again for what it has not done."""
    return replace(progress, failure=None)


def _needs_all(trigger: Trigger) -> bool:
    return trigger.condition == "ALL_UPDATED"


def _earliest_start(
    trigger: Trigger, progress: JobProgress, changed_at: datetime
) -> tuple[datetime | None, str | None]:
    """When the job may start, and which setting says so."""
    settled = changed_at + timedelta(seconds=trigger.wait_after_last_change_seconds)
    waits = [(settled, f"{trigger.wait_after_last_change_seconds} s after the last change")]
    if progress.triggered_at is not None:
        spacing = timedelta(seconds=trigger.min_time_between_triggers_seconds)
        why = f"{trigger.min_time_between_triggers_seconds} s after its last start"
        waits.append((progress.triggered_at + spacing, why))
    return max(waits, key=lambda wait: wait[0])


def _turn(progress: JobProgress) -> tuple[bool, float]:
    """Jobs never started come first, then the one started longest ago."""
    at = progress.triggered_at
    return (at is not None, at.timestamp() if at is not None else 0.0)


def _listed(names: Sequence[str]) -> str:
    return " and ".join([", ".join(names[:-1]), names[-1]] if len(names) > 1 else names)
