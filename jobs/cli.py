"""The command ``genie-loop``: its commands, and the options in front of them.

Commands that only list import neither Spark nor MLflow nor sqlglot, and start no JVM.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from jobs import (
    cli_benchmarks,
    cli_changes,
    cli_clusters,
    cli_compare,
    cli_decide,
    cli_demo,
    cli_failures,
    cli_history,
    cli_init,
    cli_load,
    cli_mlflow,
    cli_repeatability,
    cli_status,
    cli_tables,
    cli_versions,
    cli_why,
    cli_work,
    cli_workspace,
)
from jobs.cli_errors import told_errors
from jobs.cli_shared import Command
from jobs.home import Home


class Program(TyperGroup):
    """Tells errors instead of raising them, for every command."""

    def invoke(self, ctx: Any) -> Any:
        """Run the command that was named."""
        home = _home(ctx.params.get("home"))
        with told_errors(home, is_verbose=bool(ctx.params.get("verbose"))):
            return super().invoke(ctx)


app = typer.Typer(
    name="genie-loop",
    cls=Program,
    help="Improves the metadata of Genie Spaces in a closed loop, step by step in Delta tables.",
    epilog="Exit codes and examples: docs/cli.md",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)


def main() -> None:
    """What the installed command runs."""
    app(prog_name="genie-loop")


def _home(given: Path | None) -> Home:
    if given is None:
        return Home.from_environment(os.environ)
    return Home(given.expanduser().absolute())


def _show_version(is_asked: bool) -> None:
    if is_asked:
        from importlib.metadata import version  # slow to import, and seldom asked for

        print(f"genie-loop {version('genie-loop')}")
        raise typer.Exit


@app.callback()
def program(
    context: typer.Context,
    home: Annotated[
        Path | None,
        typer.Option(
            metavar="FOLDER",
            help="Where everything is kept; $GENIE_LOOP_HOME, by default ./.genie-loop.",
        ),
    ] = None,
    show_version: Annotated[
        bool,
        typer.Option("--version", help="Print the version.", callback=_show_version, is_eager=True),
    ] = False,
    verbose: Annotated[
        bool, typer.Option("--verbose", "-v", help="Show tracebacks and what Spark says.")
    ] = False,
) -> None:
    """Options in front of the command's name."""
    context.obj = Command(home=_home(home), is_verbose=verbose)


_START = "Start"
_LOOK = "Look"
_DECIDE = "Decide"

app.command(rich_help_panel=_START)(cli_demo.demo)
app.command(rich_help_panel=_START)(cli_load.load)
app.command(rich_help_panel=_START)(cli_init.init)
app.command(rich_help_panel=_START)(cli_workspace.deploy)
app.command(rich_help_panel=_START)(cli_workspace.workspace)
app.command(rich_help_panel=_START)(cli_work.run)
app.command(rich_help_panel=_START)(cli_work.evaluate)
app.command(rich_help_panel=_START)(cli_work.optimize)
app.command(rich_help_panel=_START)(cli_work.apply)
app.command(rich_help_panel=_DECIDE)(cli_decide.approve)
app.command(rich_help_panel=_DECIDE)(cli_decide.reject)
app.command(rich_help_panel=_DECIDE)(cli_versions.promote)
app.command(rich_help_panel=_DECIDE)(cli_versions.rollback)
app.command(rich_help_panel=_LOOK)(cli_status.status)
app.command(rich_help_panel=_LOOK)(cli_workspace.check)
app.command(rich_help_panel=_LOOK)(cli_history.history)
app.command(rich_help_panel=_LOOK)(cli_history.levers)
app.command(rich_help_panel=_LOOK)(cli_compare.compare)
app.command(rich_help_panel=_LOOK)(cli_failures.failures)
app.command(rich_help_panel=_LOOK)(cli_repeatability.repeatability)
app.add_typer(cli_clusters.clusters_app, name="clusters", rich_help_panel=_LOOK)
app.add_typer(cli_changes.proposals_app, name="proposals", rich_help_panel=_LOOK)
app.add_typer(cli_changes.batches_app, name="batches", rich_help_panel=_LOOK)
app.command(rich_help_panel=_LOOK)(cli_why.why)
app.add_typer(cli_benchmarks.app, name="benchmarks", rich_help_panel=_START)
app.add_typer(cli_tables.app, name="tables", rich_help_panel=_START)
app.add_typer(cli_mlflow.app, name="mlflow", rich_help_panel=_START)
