"""What the commands about benchmarks do on an open session."""

from __future__ import annotations

from pathlib import Path

from genie.asked_questions import asked_questions
from genie.live_space import live_space_id
from genie.one_try import environment_client
from genie.workspace_check import read_space
from jobs.context import JobContext
from jobs.executors import Executors
from pipelines.benchmark_check import BenchmarkCheck, check_benchmarks
from pipelines.benchmark_import import (
    ImportReport,
    import_questions,
    questions_of_conversations,
    questions_of_space,
)
from pipelines.execution import ExecutionPolicy
from pipelines.question_files import read_question_file
from pipelines.snapshot import take_snapshot
from pipelines.spaces import registered_spaces
from transforms.errors import InvalidInputError


def check(context: JobContext, space_id: str) -> BenchmarkCheck:
    """Check the benchmarks of a registered space on the data as they are now."""
    space = registered_spaces(context.tables)[space_id].space
    policy = ExecutionPolicy()
    snapshot = take_snapshot(context.tables, space)
    with Executors(context, policy, is_fresh=True) as executors:
        return check_benchmarks(
            context.tables,
            space_id,
            snapshot.state,
            executors.executor(space, snapshot),
            workers=policy.workers,
            on_checked=lambda done, total: context.progress("check", done, total),
        )


def import_file(
    context: JobContext,
    space_id: str,
    path: Path,
    *,
    with_near_duplicates: bool,
    is_rehearsal: bool,
) -> ImportReport:
    """Take in the questions of a file; those without an id get one of their words.

    Raises InvalidInputError with every fault of the file.
    """
    return import_questions(
        context.tables,
        space_id,
        read_question_file(path, str(path), gives_ids=True),
        with_near_duplicates=with_near_duplicates,
        is_rehearsal=is_rehearsal,
    )


def import_live(
    context: JobContext,
    space_id: str,
    *,
    from_conversations: bool,
    with_near_duplicates: bool,
    is_rehearsal: bool,
) -> tuple[ImportReport, dict[str, int]]:
    """Take in what the space's Genie Space holds: its benchmarks, or what people called right.

    Also gives what was left out of conversations, counted by why. Raises InvalidInputError where no
    Genie Space answers for the space, and what reading one raises.
    """
    asked_id = live_space_id(registered_spaces(context.tables)[space_id].space.answerer)
    if asked_id is None:
        raise InvalidInputError(
            "no Genie Space answers for this space",
            where=space_id,
            remedy="import a file: genie-loop benchmarks import SPACE FILE",
        )
    client = environment_client(f"genie:{asked_id}")
    left_out: dict[str, int] = {}
    if from_conversations:
        asked = asked_questions(client, asked_id)
        ratings = [one.rating for one in asked.questions]
        left_out = {
            "rated_negative": ratings.count("NEGATIVE"),
            "not_rated": ratings.count(None),
            "follow_ups": asked.follow_up_count,
        }
        questions = questions_of_conversations(asked, asked_id)
    else:
        questions = questions_of_space(read_space(client, asked_id)[1], asked_id)
    report = import_questions(
        context.tables,
        space_id,
        questions,
        with_near_duplicates=with_near_duplicates,
        is_rehearsal=is_rehearsal,
    )
    return report, left_out
