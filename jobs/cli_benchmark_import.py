"""``benchmarks import``: questions from a file, or from a Genie Space, as benchmarks of a space."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from jobs import screens
from jobs.benchmark_arguments import FILES, SpaceId, check_is_registered
from jobs.cli_session import opened
from jobs.cli_shared import Json, command_of
from jobs.reading import Row
from jobs.screens import Column
from transforms.contracts import SPLITS
from transforms.errors import InvalidInputError

if TYPE_CHECKING:
    from pipelines.benchmark_import import ImportReport


def import_benchmarks(
    context: typer.Context,
    space: SpaceId,
    file: Annotated[
        Path | None,
        typer.Argument(metavar="[FILE]", help=f"Questions: {', '.join(FILES)}."),
    ] = None,
    from_space: Annotated[
        bool, typer.Option("--from-space", help="The benchmarks that the Genie Space holds itself.")
    ] = False,
    from_conversations: Annotated[
        bool,
        typer.Option("--from-conversations", help="What people asked it and called right."),
    ] = False,
    with_near_duplicates: Annotated[
        bool,
        typer.Option("--with-near-duplicates", help="Take in paraphrases of what is there too."),
    ] = False,
    is_rehearsal: Annotated[
        bool, typer.Option("--rehearse", help="Only say what would be taken in.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Take questions in as benchmarks of a space: new ones, and new versions of changed ones.

    Nothing is taken away, and a question that is there already stays as it is. Questions that ask
    nearly what another one asks are told and left out.
    """
    if sum((file is not None, from_space, from_conversations)) != 1:
        raise InvalidInputError(
            "where are the questions to come from?",
            where="benchmarks import",
            remedy="give one of FILE, --from-space and --from-conversations",
        )
    if file is not None and (file.suffix not in FILES or not file.is_file()):
        raise InvalidInputError(
            f"not a file of questions; they are read from {', '.join(FILES)}",
            where=str(file),
            remedy="docs/data-format.md shows one",
        )
    command = command_of(context)
    check_is_registered(command.history, space)
    left_out: Mapping[str, int] = {}
    with opened(command, name="benchmarks") as job:
        from jobs.benchmark_jobs import import_file, import_live

        if file is not None:
            report = import_file(
                job,
                space,
                file,
                with_near_duplicates=with_near_duplicates,
                is_rehearsal=is_rehearsal,
            )
        else:
            report, left_out = import_live(
                job,
                space,
                from_conversations=from_conversations,
                with_near_duplicates=with_near_duplicates,
                is_rehearsal=is_rehearsal,
            )
    if as_json:
        screens.print_json([_import_row(report, left_out, is_rehearsal=is_rehearsal)])
    else:
        print_import(report, left_out, is_rehearsal=is_rehearsal)


def _import_row(
    report: ImportReport, left_out: Mapping[str, int], *, is_rehearsal: bool
) -> dict[str, Any]:
    return {
        "space_id": report.space_id,
        "is_rehearsal": is_rehearsal,
        "recorded": [
            {name: row[name] for name in ("question_id", "benchmark_version", "split", "group_id")}
            for row in report.rows
        ],
        "new": [one.question_id for one in report.plan.new],
        "changed": [one.question_id for one in report.plan.changed],
        "unchanged": list(report.plan.unchanged_ids),
        "near_duplicates": _near_rows(report),
        "set_aside_count": report.set_aside_count,
        "left_out": dict(left_out),
        "repo_file": report.repo_file,
    }


def _near_rows(report: ImportReport) -> list[Row]:
    return [
        {
            "question_id": one.question.question_id,
            "question": one.question.question,
            "like": list(one.like),
            "has_same_words": one.has_same_words,
        }
        for one in report.plan.near_duplicates
    ]


def print_import(report: ImportReport, left_out: Mapping[str, int], *, is_rehearsal: bool) -> None:
    """What ``benchmarks import`` shows."""
    plan, splits = report.plan, Counter(row["split"] for row in report.rows)
    would = "would be " if is_rehearsal else ""
    shared = ", ".join(f"{split} {splits[split]}" for split in SPLITS)
    screens.print_lines(
        f"{screens.count(len(report.rows), 'question')} {would}recorded ({shared}): "
        f"{len(plan.new)} new, {len(plan.changed)} changed; {len(plan.unchanged_ids)} as before"
    )
    if plan.near_duplicates:
        screens.print_lines("")
        screens.print_heading("Nearly what is asked already (--with-near-duplicates takes in all")
        screens.print_lines(
            "but those in the same words; they join the group of what they are like)"
        )
        screens.print_table(_near_rows(report), _NEAR_COLUMNS)
    if report.set_aside_count:
        screens.print_lines(
            f"{screens.count(report.set_aside_count, 'question')} without a read-only query "
            f"{would}set aside with the reason, in the table quarantine"
        )
    if any(left_out.values()):
        told = ", ".join(f"{count} {name.replace('_', ' ')}" for name, count in left_out.items())
        screens.print_lines(f"Left out of the conversations: {told}")
    if report.repo_file:
        screens.print_lines(f"The questions are in {report.repo_file} too.")
    if report.rows and not is_rehearsal:
        # Without --again, a space that was evaluated once would not be asked the new questions.
        screens.print_lines(
            f"Next: genie-loop benchmarks check {report.space_id}",
            f"Then: genie-loop evaluate {report.space_id} --again",
        )


_NEAR_COLUMNS = (
    Column("id", lambda row: row["question_id"]),
    Column("question", lambda row: row["question"], wraps=True),
    Column("like", lambda row: ", ".join(row["like"]), wraps=True),
    Column("same words", lambda row: "yes" if row["has_same_words"] else "no"),
)
