"""``mlflow``: what of the history is logged in MLflow."""

from __future__ import annotations

from typing import TYPE_CHECKING

import typer

from jobs import screens
from jobs.cli_shared import Space, check_space, command_of, utc_now
from jobs.reading import Row

if TYPE_CHECKING:
    from genie.tracking import Logged

app = typer.Typer(help="The runs and traces of evaluations in MLflow.", no_args_is_help=True)


@app.command()
def sync(context: typer.Context, space: Space = None) -> None:
    """Log in MLflow what the tables hold and MLflow does not; twice logs nothing."""
    from genie.mlflow_store import open_store
    from jobs import mlflow_sync

    command = command_of(context)
    history = command.history
    if history.is_there and space is not None:
        check_space(history, space)
    evaluations = mlflow_sync.evaluations_of(history, space) if history.is_there else []
    if not evaluations:
        screens.print_lines("There is no evaluation yet. Evaluate: genie-loop run")
        return
    synced = 0
    with command.home.own("genie-loop mlflow sync", utc_now()):
        store = open_store(command.home.tracking_uri, command.home.artifacts)
        for evaluation, logged in mlflow_sync.sync(history, store, evaluations):
            synced += not logged.is_nothing
            if line := _line(evaluation, logged):
                screens.print_lines(line)
    total = screens.count(len(evaluations), "evaluation")
    screens.print_lines(f"{total}: {synced} had something missing" if synced else
                        f"{total}: MLflow has everything")  # fmt: skip


def _line(evaluation: Row, logged: Logged) -> str | None:
    """What was logged of an evaluation, and whether its version is missing: nobody can log that."""
    counts = (
        (logged.is_run_new, "run"),
        (logged.values, "value"),
        (logged.artifacts, "artifact"),
        (logged.traces, "trace"),
    )
    parts = [screens.count(int(number), what) for number, what in counts if number]
    said = [f"logged {', '.join(parts)}"] if parts else []
    if not logged.has_version:
        said.append(f"the model version {evaluation['model_id']} is not in this store")
    if not said:
        return None
    name = screens.short(evaluation["evaluation_id"])
    return f"{evaluation['space_id']} {evaluation['iteration']} ({name}): {'; '.join(said)}"
