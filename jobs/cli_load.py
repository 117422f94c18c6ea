"""``load``: a folder of tables, questions and recorded answers becomes spaces."""

from __future__ import annotations

import getpass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from jobs import screens
from jobs.cli_errors import CutOffError
from jobs.cli_session import Bars, opened
from jobs.cli_shared import command_of
from jobs.screens import Column
from transforms.contracts import POLICIES, SPLITS
from transforms.errors import InvalidInputError

if TYPE_CHECKING:
    from pipelines.load import LoadReport

Policy = Annotated[
    str | None,
    typer.Option(help=f"Who approves batches: {', '.join(POLICIES)}; at first manual."),
]
Target = Annotated[
    float | None,
    typer.Option(
        min=0,
        max=1,
        metavar="SHARE",
        help="Share of right answers, on train and on held-out, at which the loop stops; "
        "at first 0.85.",
    ),
]


def load(
    context: typer.Context,
    folder: Annotated[
        Path, typer.Argument(metavar="FOLDER", help="See docs/data-format.md for what is in it.")
    ],
    name: Annotated[
        str | None, typer.Option(help="Name of the data schema; by default the folder's.")
    ] = None,
    policy: Policy = None,
    target: Target = None,
) -> None:
    """Load a folder of tables, questions and recorded answers; each recording becomes a space.

    Everything is checked before anything is written. Loading the same folder again writes nothing.
    """
    check_policy(policy)
    if not folder.is_dir():
        raise InvalidInputError(
            "there is no such folder", where=str(folder), remedy="docs/data-format.md shows one"
        )
    command = command_of(context)
    try:
        with opened(command, name="load") as job, Bars().shown() as bars:
            from pipelines.load import load as load_folder

            bars("creating tables", 0, 0)
            job.tables.create()
            bars("creating tables", 1, 1)
            report = load_folder(
                job.tables,
                folder,
                name=name,
                policy=policy,
                target_accuracy=target,
                requested_by=getpass.getuser(),
                progress=bars,
            )
    except KeyboardInterrupt as error:
        raise CutOffError(
            "Interrupted while loading. The same command again loads what is missing."
        ) from error
    _show(report)


def check_policy(policy: str | None) -> None:
    """Raises InvalidInputError for a policy that there is not."""
    if policy is not None and policy not in POLICIES:
        raise InvalidInputError(
            f"{policy!r} is none of {', '.join(POLICIES)}",
            where="--policy",
            remedy="give one of them",
        )


def _show(report: LoadReport) -> None:
    rows = [
        {
            "table": table.name,
            "rows": table.row_count,
            "set_aside": table.quarantined_count,
            "is_written": table.is_written,
        }
        for table in report.tables
    ]
    screens.print_table(rows, _COLUMNS)
    splits = ", ".join(f"{split} {report.split_counts[split]}" for split in SPLITS)
    screens.print_lines(
        "",
        f"{screens.count(report.question_count, 'question')} in "
        f"{screens.count(report.group_count, 'group')}: {splits}",
    )
    aside = report.quarantined_question_count + sum(t.quarantined_count for t in report.tables)
    if aside:
        screens.print_lines(
            f"{screens.count(aside, 'row')} set aside with the reason, in the table quarantine"
        )
    screens.print_lines("", screens.count(len(report.spaces), "space"))
    for space in report.spaces:
        answered = (
            f"{screens.count(space.answer_count or 0, 'recorded answer')}"
            if space.answerer
            else "nothing answers for it yet"
        )
        screens.print_lines(f"  {space.space_id}: {answered}")
    if not report.wrote:
        screens.print_lines("", "Nothing was new; nothing was written.")
    elif report.request_ids:
        asked = screens.count(len(report.request_ids), "evaluation")
        screens.print_lines("", f"{asked} asked for. Next: genie-loop run")


_COLUMNS = (
    Column("table", lambda row: row["table"]),
    Column("rows", lambda row: str(row["rows"]), align="right"),
    Column("set aside", lambda row: str(row["set_aside"]), align="right"),
    Column("", lambda row: "written" if row["is_written"] else "as before"),
)
