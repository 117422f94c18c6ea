"""Opens what a job works with, the home's lock, Spark and tables, and shows how far it is."""

from __future__ import annotations

import contextlib
import logging
import math
import os
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from jobs import screens
from jobs.cli_shared import Command, utc_now
from jobs.context import SETTLING_S, JobContext
from jobs.reading import SCHEMA
from transforms.errors import InvalidInputError

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID

_SETTLING = "GENIE_LOOP_SETTLING_SECONDS"


@contextlib.contextmanager
def opened(command: Command, *, name: str, serves: bool = True) -> Iterator[JobContext]:
    """Own the home and start Spark on it, until the block ends; ``name`` is told to who comes.

    What asks a Genie Space meanwhile reaches the home's own workspace, unless the environment names
    another; ``serves`` is False for a command that serves it itself. Raises HomeBusyError when
    another process owns the home, MissingRuntimeError where Spark cannot start, InvalidInputError
    for a setting in the environment that is none.
    """
    from jobs.embedded import served_to_this_process
    from jobs.model_judge import ModelJudgeConfig
    from jobs.session import SessionSettings, open_session
    from jobs.small_tables import SmallTables
    from pipelines.tables import Tables

    home = command.home
    settling_s = settling_seconds(os.environ)
    model_judge = ModelJudgeConfig.from_environment(os.environ)
    settings = SessionSettings.from_environment(os.environ)
    err = screens.console(on_stderr=True)
    with contextlib.ExitStack() as stack:
        with err.status("Starting Spark"):
            session = open_session(
                home, settings, command=f"genie-loop {name}", now=utc_now(), say=err.print
            )
            spark = stack.enter_context(session)
        _keep_logs(command)
        if serves:
            stack.enter_context(served_to_this_process(home, spark, utc_now().date(), os.environ))
        tables = Tables(
            spark,
            schema=SCHEMA,
            clock=utc_now,
            commit_guard=home.committing,
            rows_at_hand=SmallTables(home),
        )
        for sentence in tables.upgrade():
            err.print(f"An earlier version made these tables: {sentence}")
        yield JobContext(
            tables=tables,
            checkpoints=home.checkpoints,
            tracking_uri=home.tracking_uri,
            clock=utc_now,
            artifacts=home.artifacts,
            settling_s=settling_s,
            model_judge=model_judge,
        )


def settling_seconds(environ: Mapping[str, str]) -> float:
    """``GENIE_LOOP_SETTLING_SECONDS``: how long until questions are answered from a change.

    By default 0 in the home's own workspace, where a change is seen at once, and ``SETTLING_S`` in
    another one. Raises InvalidInputError for what is no number of seconds.
    """
    from jobs.embedded import names_workspace

    given = environ.get(_SETTLING)
    if not given:
        return SETTLING_S if names_workspace(environ) else 0.0
    try:
        seconds = float(given)
    except ValueError:
        seconds = math.nan
    if not 0 <= seconds < math.inf:
        raise InvalidInputError(
            f"not a number of seconds: {given!r}", where=_SETTLING, remedy="give 0 or more"
        )
    return seconds


class Bars:
    """Progress bars on stderr, one for each thing that is going on, gone when it is done.

    Nothing is shown where stderr is no terminal.
    """

    def __init__(self) -> None:
        from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

        err = screens.console(on_stderr=True)
        self._progress: Progress = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            TimeElapsedColumn(),
            console=err,
            transient=True,
            disable=not err.is_terminal,
        )
        self._tasks: dict[str, TaskID] = {}

    @contextlib.contextmanager
    def shown(self) -> Iterator[Bars]:
        """Show the bars until the block ends."""
        with self._progress:
            yield self

    def __call__(self, what: str, done: int, total: int) -> None:
        """See ``jobs.context.Progress``."""
        if what not in self._tasks:
            self._tasks[what] = self._progress.add_task(what, total=None)
        if total and done >= total:
            self._progress.remove_task(self._tasks.pop(what))
            return
        self._progress.update(
            self._tasks[what],
            completed=done,
            total=total or None,
            description=f"{what} {done}/{total}" if total else what,
        )


def _keep_logs(command: Command) -> None:
    """Python's logs go to a file in the home, and to stderr only when asked for."""
    handlers: list[logging.Handler] = [
        logging.FileHandler(command.home.logs / "genie-loop.log", encoding="utf-8")
    ]
    if command.is_verbose:
        handlers.append(logging.StreamHandler())
    logging.basicConfig(
        level=logging.INFO,
        handlers=handlers,
        format="%(asctime)s %(levelname)s %(name)s: %(message)s",
        force=True,
    )
