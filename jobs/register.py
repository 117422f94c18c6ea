"""The register job: takes a deployed Genie Space of the workspace into the loop.

The one job that a person starts, with its parameters: that a project was deployed is in no table.
On a laptop ``genie-loop deploy`` does the same for the home's own workspace.
"""

from __future__ import annotations

import argparse
import logging
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from genie.one_try import environment_client
from genie.project import read_project
from genie.workspace_check import read_space
from jobs.context import JobReport
from jobs.entry_point import print_report, session_tables
from pipelines.homes import Connect
from pipelines.live_spaces import LiveSpace, register_live_space
from pipelines.tables import Tables
from transforms.contracts import POLICIES
from transforms.errors import InvalidInputError
from transforms.wording import count

JOB = "register"


@dataclass(frozen=True, slots=True)
class RegisterConfig:
    """What is registered: a project folder of the workspace, and the Genie Space deployed from it.

    The jobs write to ``folder`` later. What people have set before stays where ``policy`` and
    ``target`` (0-1) are None.
    """

    catalog: str
    schema: str
    folder: Path
    space: str
    policy: str | None = None
    target: float | None = None

    @classmethod
    def parse(cls, argv: Sequence[str] | None = None) -> RegisterConfig:
        """From the command line's arguments; an empty one counts as not given.

        Ends the process with exit code 2 for arguments that are missing, unknown or wrong.
        """
        parser = argparse.ArgumentParser(prog=JOB, description="Take a Genie Space into the loop.")
        parser.add_argument("--catalog", required=True, help="catalog of the history")
        parser.add_argument("--schema", required=True, help="schema of the history")
        parser.add_argument("--folder", required=True, help="the project's folder")
        parser.add_argument("--space", required=True, help="the Genie Space")
        parser.add_argument("--policy", choices=("", *POLICIES), help="who approves batches")
        parser.add_argument("--target", help="where the loop stops, as a share (0-1)")
        given = parser.parse_args(argv)
        missing = [name for name in ("folder", "space") if not getattr(given, name)]
        if missing:
            parser.error(f"give the parameters {' and '.join(missing)}")
        try:
            target = float(given.target) if given.target else None
        except ValueError:
            parser.error(f"target: {given.target!r} is no share")
        if target is not None and not 0 <= target <= 1:
            parser.error(f"target: {target} is no share of 0 to 1")
        return cls(
            given.catalog,
            given.schema,
            Path(given.folder),
            given.space,
            given.policy or None,
            target,
        )


def main(argv: Sequence[str] | None = None) -> None:
    """Start the job on Databricks, with the parameters that its run was given."""
    config = RegisterConfig.parse(argv)
    logging.basicConfig(level=logging.INFO)
    print_report(run(session_tables(config.catalog, config.schema), config))


def run(
    tables: Tables, config: RegisterConfig, *, connect: Connect = environment_client
) -> JobReport:
    """Register the space with the questions of its folder, and ask for a first evaluation.

    Again, it writes only what has changed. Raises InvalidInputError for a folder that is no project
    or has no questions, for a space that is not there, and for tables that the loop cannot reach;
    nothing is written then.
    """
    project = read_project(config.folder)
    found, _ = read_space(connect(f"genie:{config.space}"), config.space)
    registered = register_live_space(
        tables,
        LiveSpace.of_project(project, found.title, config.space),
        policy=config.policy,
        target_accuracy=config.target,
        requested_by=JOB,
    )
    if registered is None:
        raise InvalidInputError(
            "there is nothing to ask the space",
            where=str(config.folder / "questions.jsonl"),
            remedy="write questions with their expected SQL; docs/data-format.md says how",
        )
    lines = (
        f"{registered.space_id}: answered by Genie Space {config.space}",
        f"{registered.question_count} questions, {registered.set_aside_count} set aside",
        f"{count(len(registered.request_ids), 'evaluation')} asked for",
    )
    return JobReport(JOB, lines, int(registered.is_new) + bool(registered.request_ids))
