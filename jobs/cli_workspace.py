"""``check``, ``deploy`` and ``workspace``: Genie Spaces, of a real or the embedded workspace."""

from __future__ import annotations

import contextlib
import getpass
import os
import shlex
import threading
from collections.abc import Iterator, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated
from urllib.parse import urlsplit

import typer

from jobs import screens
from jobs.cli_errors import say
from jobs.cli_load import Policy, Target, check_policy
from jobs.cli_session import opened
from jobs.cli_shared import Command, Json, command_of, utc_now
from jobs.screens import Column
from transforms.errors import InvalidInputError, UnconfiguredSpaceError

if TYPE_CHECKING:
    from databricks.sdk import WorkspaceClient

    from genie.deploying import DeployReport
    from genie.project import Project
    from genie.workspace_check import SpaceCheck
    from pipelines.live_spaces import Registered
    from pipelines.tables import Tables


def check(
    context: typer.Context,
    space: Annotated[
        str | None,
        typer.Argument(
            metavar="SPACE",
            help="A space's id, or a Genie Space's; by default every space of the workspace.",
        ),
    ] = None,
    as_json: Json = False,
) -> None:
    """Count what spaces hold, and look whether what they name is there.

    Ends with exit code 6 when one of them has nothing to answer from.
    """
    from genie.workspace_check import check_space, list_spaces

    command = command_of(context)
    space_id = _genie_space(command, space) if space is not None else None
    with connected(command, "check") as (client, _):
        ids = [space_id] if space_id else [found for found, _ in list_spaces(client)]
        checks = [check_space(client, one) for one in ids]
    if as_json:
        screens.print_json([_row(one) for one in checks])
    elif not checks:
        screens.print_lines("There is no space. Next: genie-loop deploy FOLDER")
    for one in () if as_json else checks:
        screens.print_lines(f"{one.space_id}: {one.title}", f"  {one.counts.line}")
        screens.print_lines(*(f"  {problem}" for problem in one.problems))
        screens.print_lines(*([f"  Next: {one.next_step}"] if one.next_step else []))
    empty = [one.space_id for one in checks if not one.is_configured]
    if empty:
        raise UnconfiguredSpaceError(
            "nothing to answer from", where=", ".join(empty), remedy="genie-loop deploy FOLDER"
        )


def deploy(
    context: typer.Context,
    folder: Annotated[Path, typer.Argument(metavar="FOLDER", help="With space.json and assets/.")],
    title: Annotated[
        str | None,
        typer.Option(
            help="Title of the space, to find or to create it; by default the folder's name."
        ),
    ] = None,
    space: Annotated[
        str | None, typer.Option(metavar="ID", help="The Genie Space to update.")
    ] = None,
    warehouse: Annotated[
        str | None, typer.Option(metavar="ID", help="SQL warehouse; by default the only one.")
    ] = None,
    policy: Policy = None,
    target: Target = None,
    force: Annotated[
        bool, typer.Option("--force", help="Overwrite what somebody changed in the workspace.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Make live what a folder's files define: table comments, metric views, functions, the space.

    Deploying again changes nothing. What somebody changed in the workspace meanwhile is refused.
    In the home's own workspace the space is then registered with the questions of the folder, and
    a first evaluation is asked for. In another one a job does that there; its command is shown.
    """
    from genie.project import read_project

    command = command_of(context)
    if not folder.is_dir():
        raise InvalidInputError(
            "there is no such folder",
            where=str(folder),
            remedy="samples/wanderbricks is a complete example",
        )
    check_policy(policy)
    project = read_project(folder)
    name = title or folder.resolve().name
    registered = None
    with connected(command, "deploy") as (client, tables):
        report = make_live(
            client,
            command,
            project,
            title=name,
            warehouse_id=warehouse,
            space_id=space,
            force=force,
        )
        if tables is not None:
            tables.create()
            registered = register(tables, project, name, report, policy, target)
    if as_json:
        screens.print_json(_rows_of(report))
        return
    _print_objects(report)
    if registered is not None:
        _print_registered(report, registered)
    elif tables is not None:
        screens.print_lines(
            "To evaluate it, write questions.jsonl and deploy again.",
            f"Next: genie-loop check {report.space_id}",
        )
    else:
        given = {"space": report.space_id, "policy": policy, "target": target}
        screens.print_lines(
            f"Next: genie-loop check {report.space_id}",
            f"Then, to improve it in the loop, bring {folder} into the workspace and take it in:",
            f"  {_register_command(folder.resolve().name, given)}",
        )


def make_live(
    client: WorkspaceClient,
    command: Command,
    project: Project,
    *,
    title: str,
    warehouse_id: str | None = None,
    space_id: str | None = None,
    force: bool = False,
) -> DeployReport:
    """Deploy a folder's files; what was deployed last is kept in the home."""
    from genie.deploying import DeployRecord, deploy

    host = urlsplit(client.config.host or "").hostname or "workspace"
    record = DeployRecord(command.home.deployments / host / f"{project.folder.resolve().name}.json")
    return deploy(
        client,
        project,
        record,
        title=title,
        warehouse_id=warehouse_id,
        space_id=space_id,
        force=force,
    )


def register(
    tables: Tables,
    project: Project,
    title: str,
    report: DeployReport,
    policy: str | None,
    target: float | None,
) -> Registered | None:
    """Register the deployed space with the questions of its folder, and ask for an evaluation.

    None when there are no questions.
    """
    from pipelines.live_spaces import LiveSpace, register_live_space

    return register_live_space(
        tables,
        LiveSpace.of_project(project, title, report.space_id),
        policy=policy,
        target_accuracy=target,
        requested_by=getpass.getuser(),
    )


def workspace(context: typer.Context, as_json: Json = False) -> None:
    """Serve the embedded workspace on this machine until Ctrl-C; prints how to reach it."""
    from jobs.embedded import environment_of, serving

    command = command_of(context)
    with (
        opened(command, name="workspace", serves=False) as job,
        serving(command.home, job.tables.spark, utc_now().date()) as served,
    ):
        environment = environment_of(served)
        if as_json:
            screens.print_json([environment])
        else:
            screens.print_lines(*(f"export {key}={value}" for key, value in environment.items()))
        say("Serving until Ctrl-C.")
        with contextlib.suppress(KeyboardInterrupt):
            wait_for_ctrl_c()
    say("Closed.")


def wait_for_ctrl_c() -> None:
    """Wait for ever. Raises KeyboardInterrupt."""
    threading.Event().wait()


@contextlib.contextmanager
def connected(command: Command, name: str) -> Iterator[tuple[WorkspaceClient, Tables | None]]:
    """A client for the workspace that the environment names, or for the home's own.

    With the home's own come the tables of the history, which live beside it.
    """
    from genie.one_try import environment_client, one_try_client
    from jobs.embedded import environment_of, names_workspace, serving

    if names_workspace(os.environ):
        yield environment_client(name), None
        return
    with (
        opened(command, name=name, serves=False) as job,
        serving(command.home, job.tables.spark, utc_now().date()) as served,
    ):
        host, token = environment_of(served).values()
        yield one_try_client(host=host, token=token, auth_type="pat"), job.tables


def _genie_space(command: Command, space: str) -> str:
    """The Genie Space of a registered space; any other id is taken for one itself."""
    from genie.live_space import live_space_id

    rows = (
        command.history.select(
            "SELECT answerer FROM latest_spaces WHERE space_id = :space", space=space
        )
        if command.history.is_there
        else []
    )
    if not rows:
        return space
    found = live_space_id(rows[0]["answerer"])
    if found is None:
        raise InvalidInputError(
            "no Genie Space answers for this space, so there is none to check",
            where=space,
            remedy="give the id of a Genie Space",
        )
    return found


def _row(one: SpaceCheck) -> dict[str, object]:
    return {
        "space_id": one.space_id,
        "title": one.title,
        "is_configured": one.is_configured,
        **asdict(one.counts),
        "missing": list(one.missing),
        "problems": list(one.problems),
        "next_step": one.next_step,
    }


def _rows_of(report: DeployReport) -> list[dict[str, object]]:
    return [
        {"space_id": report.space_id, "object": one.key, "action": one.action}
        for one in report.objects
    ]


def _print_objects(report: DeployReport) -> None:
    screens.print_table(
        _rows_of(report),
        (Column("object", lambda row: row["object"]), Column("", lambda row: row["action"])),
    )
    changed = screens.count(report.changed, "object")
    screens.print_lines(
        "",
        f"{changed} changed." if report.changed else "Nothing was new; nothing was changed.",
    )


def _print_registered(report: DeployReport, registered: Registered) -> None:
    questions = screens.count(registered.question_count, "question")
    screens.print_lines(
        f"Space {registered.space_id}: answered by Genie Space {report.space_id}, {questions}"
    )
    if registered.set_aside_count:
        aside = screens.count(registered.set_aside_count, "question")
        screens.print_lines(f"{aside} set aside with the reason, in the table quarantine")
    asked = screens.count(len(registered.request_ids), "evaluation")
    screens.print_lines(f"{asked} asked for." if registered.request_ids else "")
    screens.print_lines("Next: genie-loop run")


def _register_command(name: str, given: Mapping[str, object]) -> str:
    """What starts the register job of the bundle; only what is given is named."""
    params = {"folder": f"/Workspace/FOLDER/{name}", **given}
    named = ",".join(f"{key}={value}" for key, value in params.items() if value is not None)
    return shlex.join(["databricks", "bundle", "run", "register", "--params", named])
