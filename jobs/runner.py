"""The local trigger runner: starts the jobs that table updates call for, one after another."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Protocol

from jobs.context import JobReport
from jobs.delta_log import latest_version, updates_after
from jobs.positions import read_progress, write_progress
from jobs.schedule import (
    Due,
    Idle,
    JobProgress,
    Observed,
    Progress,
    Start,
    due,
    failed,
    next_step,
    progress_of,
    retried,
    seen,
    started,
    succeeded,
)
from jobs.triggers import Trigger
from transforms.errors import GenieLoopError

LONGEST_NAP = timedelta(seconds=5)  # people may approve while the runner waits


class Listener(Protocol):
    """What is shown of a run. Nothing it does changes what is run."""

    def starts(self, due: Due) -> None:
        """The job is about to be started."""

    def finished(self, report: JobReport) -> None:
        """The job succeeded."""

    def failed(self, job: str, error: Exception) -> None:
        """The job failed; its positions stay."""

    def waits(self, due: Due, until: datetime, now: datetime) -> None:
        """Nothing may start before ``until``; told again after every nap."""


@dataclass(frozen=True, slots=True)
class RunSummary:
    """What one ``run`` did: reports in order, the errors of failed jobs, and what is still due."""

    reports: tuple[JobReport, ...]
    failures: tuple[tuple[str, Exception], ...]
    pending: tuple[Due, ...]


@dataclass(frozen=True)
class Runner:
    """Starts jobs for the updates of the tables in one folder of Delta tables.

    ``tables`` is the folder that holds the tables, one folder each; ``state`` is ``runner.json``.
    The caller owns the home, so that there is one runner; ``run_job`` runs the job of that name to
    its end and raises when it fails.
    """

    triggers: Sequence[Trigger]
    tables: Path
    state: Path
    run_job: Callable[[str], JobReport]
    clock: Callable[[], datetime]
    sleep: Callable[[float], None]
    listener: Listener

    def run(self, *, ignores_waiting: bool = False, max_runs: int | None = None) -> RunSummary:
        """Start jobs until nothing is pending, or ``max_runs`` were started.

        A job that fails is not started again here unless one of its tables is updated once more;
        the others go on. Raises what is no Exception (KeyboardInterrupt) at once: the run it cuts
        off is started again by the next ``run``.
        """
        self._forget_failures()
        reports: list[JobReport] = []
        failures: list[tuple[str, Exception]] = []
        while max_runs is None or len(reports) + len(failures) < max_runs:
            now = self.clock()
            progress = read_progress(self.state)
            observed = self._observed(progress)
            step = next_step(
                self.triggers, progress, observed, now, ignores_waiting=ignores_waiting
            )
            if isinstance(step, Idle):
                break
            if isinstance(step, Start):
                self.listener.starts(step.due)
                try:
                    reports.append(self.start(step.due.job))
                except Exception as error:
                    failures.append((step.due.job, error))
                    self.listener.failed(step.due.job, error)
                else:
                    self.listener.finished(reports[-1])
            else:
                self.listener.waits(step.due, step.until, now)
                self.sleep(min(step.until - now, LONGEST_NAP).total_seconds())
        return RunSummary(tuple(reports), tuple(failures), self.pending())

    def start(self, job: str) -> JobReport:
        """Run one job now, whatever its trigger says, and keep how far it has got.

        Raises whatever the job raises; its positions then stay where they were.
        """
        trigger = next(t for t in self.triggers if t.job == job)
        versions = {table: latest_version(self.tables / table) for table in trigger.tables}
        progress = started(self._progress(job), versions, self.clock())
        self._store(job, progress)
        try:
            report = self.run_job(job)
        except Exception as error:
            self._store(job, failed(progress, one_line(error)))
            raise
        self._store(job, succeeded(progress))
        return report

    def pending(self) -> tuple[Due, ...]:
        """The jobs that have something to do, those that failed included."""
        return pending_jobs(self.triggers, read_progress(self.state), self.tables)

    def _forget_failures(self) -> None:
        progress = read_progress(self.state)
        if any(p.failure is not None for p in progress.values()):
            write_progress(self.state, {job: retried(p) for job, p in progress.items()})

    def _observed(self, progress: Progress) -> Mapping[str, Observed]:
        return {t.job: observe(t, progress_of(progress, t.job), self.tables) for t in self.triggers}

    def _progress(self, job: str) -> JobProgress:
        return progress_of(read_progress(self.state), job)

    def _store(self, job: str, progress: JobProgress) -> None:
        write_progress(self.state, {**read_progress(self.state), job: progress})


def pending_jobs(triggers: Sequence[Trigger], progress: Progress, tables: Path) -> tuple[Due, ...]:
    """The jobs that a new ``run`` would start, those that failed last time included."""
    found = []
    for trigger in triggers:
        resumed = retried(progress_of(progress, trigger.job))
        found.append(due(trigger, resumed, observe(trigger, resumed, tables)))
    return tuple(d for d in found if d is not None)


def observe(trigger: Trigger, progress: JobProgress, tables: Path) -> Observed:
    """What happened to the tables of a trigger since the job has seen them."""
    return {table: updates_after(tables / table, seen(progress, table)) for table in trigger.tables}


def one_line(error: Exception) -> str:
    """An error in one line, without its remedy."""
    text = error.what if isinstance(error, GenieLoopError) else f"{type(error).__name__}: {error}"
    return text.strip().splitlines()[0]
