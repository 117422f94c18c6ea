"""``demo``: the whole loop on the sample space, in the home's own workspace."""

from __future__ import annotations

import getpass
import os
import runpy
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from jobs import screens
from jobs.cli_changes import print_batches
from jobs.cli_errors import exit_code_of, say
from jobs.cli_history import print_history, print_levers
from jobs.cli_runs import Shown, run_job, runner_of
from jobs.cli_session import Bars, opened
from jobs.cli_shared import Command, command_of
from jobs.cli_workspace import make_live, register
from transforms.errors import InvalidInputError

if TYPE_CHECKING:
    from jobs.context import JobContext
    from jobs.reading import Row

_SAMPLE = Path("samples/wanderbricks")
_POLICY = "auto_low_risk"
_TARGET = 0.6  # of the questions on both splits: what this space's owner has asked for


def demo(
    context: typer.Context,
    sample: Annotated[
        Path, typer.Option(metavar="FOLDER", help="The sample's folder in a clone.")
    ] = _SAMPLE,
    bookings: Annotated[
        int | None, typer.Option(min=100, help="Size of the sample; by default 100,000.")
    ] = None,
    target: Annotated[
        float, typer.Option(min=0, max=1, metavar="SHARE", help="Where the loop stops.")
    ] = _TARGET,
) -> None:
    """Run the whole loop on the sample space: baseline, changes, gate, until nothing is left to do.

    Everything is made in the home: rows, tables, metric views, functions, the space in the embedded
    workspace, and a copy of the repository's files, which the loop changes. Batches of low risk are
    approved by policy. Cut off, the same command goes on.
    """
    from jobs.embedded import forget_workspace

    generator = sample / "generate.py"
    if not generator.is_file():
        raise InvalidInputError(
            "the sample is not there",
            where=str(sample),
            remedy="run this in a clone of the repository, or name its folder with --sample",
        )
    command = command_of(context)
    space = sample.resolve().name
    project = command.home.root / "demo" / "project" / space
    rows = command.home.root / "demo" / "rows" / space
    shown = Shown(command)
    forget_workspace(os.environ)  # a sample does not belong into the workspace of a business
    command.home.workspace.mkdir(parents=True, exist_ok=True)  # served when it is there
    with shown.interruptible(), opened(command, name="demo") as job:
        if not project.is_dir():
            shutil.copytree(sample, project)
        _prepare(command, job, generator, rows, project, bookings, target)
        runner = runner_of(command, lambda name: run_job(name, job), shown)
        summary = runner.run(ignores_waiting=True)
    _show(command, space, sample, project)
    if summary.failures:
        raise typer.Exit(exit_code_of(summary.failures[0][1]))


def _prepare(
    command: Command,
    job: JobContext,
    generator: Path,
    rows: Path,
    project: Path,
    bookings: int | None,
    target: float,
) -> None:
    """Rows, tables, live objects and the registered space; what is there already is kept."""
    from genie.one_try import environment_client
    from genie.project import read_project
    from pipelines.load import load

    with Bars().shown() as bars:
        if not (rows / "schema.json").is_file():
            say("Making the rows of the sample")
            made = runpy.run_path(str(generator))
            made["write"](rows, **({} if bookings is None else {"bookings": bookings}))
        say("Loading them into Delta tables")
        bars("creating tables", 0, 0)
        job.tables.create()
        bars("creating tables", 1, 1)
        load(job.tables, rows, requested_by=getpass.getuser(), progress=bars)
    say("Deploying metric views, functions and the space")
    files = read_project(project)
    report = make_live(environment_client("demo"), command, files, title=rows.name)
    register(job.tables, files, rows.name, report, _POLICY, target)


def _show(command: Command, space: str, sample: Path, project: Path) -> None:
    """What the loop did, and where to look next."""
    history = command.history
    for heading, show in (
        ("Evaluations", print_history),
        ("Levers", print_levers),
        ("Batches", print_batches),
    ):
        screens.print_lines("")
        screens.print_heading(heading)
        show(history, space)
    first = _first_batch(history.select(_BATCHES, space=space))
    screens.print_lines(
        "",
        "Look further:",
        *([f"  genie-loop batches show {first}"] if first else []),
        "  genie-loop proposals; genie-loop clusters; genie-loop failures",
        f"  git diff --no-index {sample} {project}",
        f"  mlflow ui --backend-store-uri {command.home.tracking_uri}",
        f"  the tables: {command.home.table_path('genie_loop', 'evaluations').parent}",
        "  a query to try: SELECT * FROM genie_loop.evaluation_summary ORDER BY iteration",
    )


_BATCHES = """
SELECT batch_id, state FROM batch_states
WHERE space_id = :space
ORDER BY CASE state WHEN 'accepted' THEN 0 ELSE 1 END, recorded_at
"""


def _first_batch(rows: list[Row]) -> str | None:
    return screens.short(rows[0]["batch_id"]) if rows else None
