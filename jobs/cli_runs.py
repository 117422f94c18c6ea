"""Starts jobs from the command line, shows what they do, and says how it goes on after Ctrl-C."""

from __future__ import annotations

import contextlib
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING

from jobs import screens
from jobs.cli_errors import CutOffError, say, tell
from jobs.cli_session import Bars
from jobs.cli_shared import Command, utc_now
from jobs.context import JobContext, JobReport
from jobs.runner import Runner
from jobs.schedule import Due
from jobs.triggers import read_triggers

if TYPE_CHECKING:
    from rich.status import Status


def run_job(job: str, context: JobContext) -> JobReport:
    """Run the job of that name to its end, showing how far it is."""
    from jobs import apply, approve, evaluate, optimize

    entry_points: Mapping[str, Callable[[JobContext], JobReport]] = {
        "apply": apply.run,
        "approve": approve.run,
        "evaluate": evaluate.run,
        "optimize": optimize.run,
    }
    with Bars().shown() as bars:
        return entry_points[job](replace(context, progress=bars))


def runner_of(command: Command, context: Callable[[str], JobReport], shown: Shown) -> Runner:
    """The trigger runner of a home, with the clock of the machine."""
    return Runner(
        triggers=read_triggers(),
        tables=command.history.path("spaces").parent,
        state=command.home.runner_file,
        run_job=context,
        clock=utc_now,
        sleep=time.sleep,
        listener=shown,
    )


class Shown:
    """Tells people what the runner does: reports on stdout, everything else on stderr."""

    def __init__(self, command: Command) -> None:
        self._command = command
        self._status: Status | None = None
        self._waits_for: Due | None = None
        self.running: str | None = None

    def starts(self, due: Due) -> None:
        """See ``jobs.runner.Listener``."""
        self._stop_waiting()
        self.running = due.job
        say(f"{due.job} starts: {due.reason}")

    def finished(self, report: JobReport) -> None:
        """See ``jobs.runner.Listener``."""
        self.running = None
        show_report(report)

    def failed(self, job: str, error: Exception) -> None:
        """See ``jobs.runner.Listener``."""
        self.running = None
        say(f"{job} failed; it has not moved on and is started again by the next run")
        tell(error, self._command.home, is_verbose=self._command.is_verbose)

    def waits(self, due: Due, until: datetime, now: datetime) -> None:
        """See ``jobs.runner.Listener``."""
        seconds = max(round((until - now).total_seconds()), 1)
        text = f"{due.job} starts in {seconds} s: {due.waits_for} ({due.reason})"
        if not sys.stderr.isatty():
            if self._waits_for is None or self._waits_for.job != due.job:
                say(f"{text}; --no-wait starts it at once")
        elif self._status is None:
            self._status = screens.console(on_stderr=True).status(text)
            self._status.start()
        else:
            self._status.update(text)
        self._waits_for = due

    def _stop_waiting(self) -> None:
        self._waits_for = None
        if self._status is not None:
            self._status.stop()
            self._status = None

    @contextlib.contextmanager
    def interruptible(self) -> Iterator[None]:
        """Say after Ctrl-C what was cut off and what goes on next time.

        Raises CutOffError in its place.
        """
        try:
            yield
        except KeyboardInterrupt as error:
            raise CutOffError(self._what_goes_on()) from error
        finally:
            self._stop_waiting()

    def _what_goes_on(self) -> str:
        if self.running is not None:
            return (
                f"Interrupted while {self.running} ran. Nothing is half-done: `genie-loop run` "
                f"starts {self.running} again and keeps what it has committed."
            )
        return "Interrupted while no job ran. `genie-loop run` goes on with what is due."


def show_report(report: JobReport) -> None:
    """What a job says it did."""
    lines = report.lines or ("nothing was pending",)
    screens.print_lines(f"{report.job}: {lines[0]}", *(f"  {line}" for line in lines[1:]))
