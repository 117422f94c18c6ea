"""``run``, ``evaluate``, ``optimize`` and ``apply``: commands that start jobs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from jobs import screens
from jobs.cli_errors import exit_code_of
from jobs.cli_runs import Shown, run_job, runner_of, show_report
from jobs.cli_session import opened
from jobs.cli_shared import Command, check_space, command_of
from jobs.cli_status import pending_work
from jobs.context import MAX_ASKS, JobContext
from transforms.errors import InvalidInputError

Asks = Annotated[
    int,
    typer.Option(
        metavar="K",
        min=1,
        max=MAX_ASKS,
        help="Ask a question up to K times, as long as it can say more about whether the answer "
        "repeats. The first answer counts; a recording is asked once.",
    ),
]
_SPACES = "SELECT space_id, answerer FROM latest_spaces ORDER BY space_id"


Luck = Annotated[
    bool,
    typer.Option(
        "--check-coincidences",
        help="Look for answers that are right by luck: run both queries on perturbed copies.",
    ),
]


def run(
    context: typer.Context,
    no_wait: Annotated[
        bool, typer.Option("--no-wait", help="Start what is due without its waiting times.")
    ] = False,
    max_runs: Annotated[
        int | None, typer.Option(min=1, help="Stop after so many runs of jobs.")
    ] = None,
    check_coincidences: Luck = False,
    asks: Asks = 1,
) -> None:
    """Start the jobs that table updates call for, as Databricks would, until nothing is pending.

    Go on where the last run stopped, however it ended. Ctrl-C leaves nothing half-done.
    """
    command = command_of(context)
    if not pending_work(command):
        screens.print_lines("Nothing is pending.")
        return
    shown = Shown(command)
    with shown.interruptible(), opened(command, name="run") as job_context:
        chosen = replace(job_context, checks_coincidences=check_coincidences, asks=asks)
        runner = runner_of(command, lambda job: run_job(job, chosen), shown)
        summary = runner.run(ignores_waiting=no_wait, max_runs=max_runs)
    runs = screens.count(len(summary.reports) + len(summary.failures), "run")
    pending = ", ".join(due.job for due in summary.pending)
    screens.print_lines(f"{runs}; still due: {pending}" if pending else f"{runs}; nothing is due")
    if summary.failures:
        raise typer.Exit(exit_code_of(summary.failures[0][1]))


def evaluate(
    context: typer.Context,
    space: Annotated[
        str | None, typer.Argument(metavar="[SPACE]", help="Ask for this space (its id).")
    ] = None,
    again: Annotated[
        bool, typer.Option("--again", help="Ask even if it was evaluated before.")
    ] = False,
    answers: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="From now on, SPACE is answered by this recording."),
    ] = None,
    check_coincidences: Luck = False,
    asks: Asks = 1,
) -> None:
    """Evaluate what was asked for and not evaluated yet; with SPACE or --again, ask first.

    Every question gets a row with an outcome. Run again, nothing is pending and nothing is written.
    """
    command = command_of(context)
    spaces = _spaces_to_ask(command, space, again=again, answers=answers)
    shown = Shown(command)
    with shown.interruptible(), opened(command, name="evaluate") as job_context:
        if spaces:
            _ask(job_context, spaces, again=again, answers=answers)
        chosen = replace(job_context, checks_coincidences=check_coincidences, asks=asks)
        start_job(command, "evaluate", chosen, shown)


def optimize(context: typer.Context) -> None:
    """Run the optimize job now: triage, gate, clusters, proposals, batches, lever audit."""
    command = command_of(context)
    shown = Shown(command)
    with shown.interruptible(), opened(command, name="optimize") as job_context:
        start_job(command, "optimize", job_context, shown)


def apply(context: typer.Context) -> None:
    """Run the apply job now: do the batches that are approved, undo those that are rejected.

    Run again, it goes on where it stopped; nothing pending, nothing is touched.
    """
    command = command_of(context)
    shown = Shown(command)
    with shown.interruptible(), opened(command, name="apply") as job_context:
        start_job(command, "apply", job_context, shown)


def start_job(command: Command, job: str, job_context: JobContext, shown: Shown) -> None:
    """Run a job by hand; it counts as a run of that job."""
    shown.running = job
    runner = runner_of(command, lambda name: run_job(name, job_context), shown)
    show_report(runner.start(job))


def _spaces_to_ask(
    command: Command, space: str | None, *, again: bool, answers: Path | None
) -> Sequence[str]:
    """The spaces to ask an evaluation for. Raises InvalidInputError before Spark is started."""
    if answers is not None and space is None:
        raise InvalidInputError(
            "which space do these answers belong to?",
            where="--answers",
            remedy="name it: genie-loop evaluate SPACE --answers FILE",
        )
    rows = command.history.select(_SPACES) if command.history.is_there else []
    if not rows:
        raise InvalidInputError(
            "there is no space to evaluate",
            where=str(command.home.root),
            remedy="load one: genie-loop load FOLDER",
        )
    answered = [row["space_id"] for row in rows if row["answerer"] is not None]
    if space is None:
        return answered if again else []
    check_space(command.history, space)
    if space not in answered and answers is None:
        raise InvalidInputError(
            "nothing answers for this space",
            where=space,
            remedy="give recorded answers: genie-loop evaluate SPACE --answers FILE",
        )
    return [space]


def _ask(
    job_context: JobContext, spaces: Sequence[str], *, again: bool, answers: Path | None
) -> None:
    from pipelines.answering import answer_from
    from pipelines.spaces import request_evaluations

    is_answered_anew = answers is not None and answer_from(job_context.tables, spaces[0], answers)
    asked = request_evaluations(
        job_context.tables,
        spaces,
        requested_by="genie-loop evaluate",
        again=again or is_answered_anew,
    )
    if not asked:
        screens.print_lines(
            f"{spaces[0]} was asked for before; --again asks for one more evaluation"
        )
