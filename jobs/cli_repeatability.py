"""``repeatability``: which questions get another answer when they are asked the same again."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from itertools import groupby

import typer

from jobs import screens
from jobs.benchmark_arguments import Split, check_split
from jobs.cli_shared import Json, Limit, Space, command_of, limited, rows_of
from jobs.reading import Row
from jobs.screens import Column
from transforms.contracts import SPLITS

_QUESTIONS = """
SELECT q.space_id, q.answerer, q.state_hash, q.evaluation_id, q.question_id, q.split, q.question,
  q.asked_count, q.answers, q.result_share, q.sql_count, q.sql_share, q.is_unstable
FROM question_repeatability q
JOIN latest_evaluations e ON e.space_id = q.space_id AND e.answerer = q.answerer
  AND e.state_hash = q.state_hash
WHERE :space IS NULL OR q.space_id = :space
ORDER BY q.space_id, q.result_share, q.sql_share, q.question_id
"""


def repeatability(
    context: typer.Context,
    space: Space = None,
    split: Split = "train",
    limit: Limit = None,
    as_json: Json = False,
) -> None:
    """List the questions that get another answer when the same state is asked again.

    What counts is every asking of the state that was last accepted, in all evaluations. Only train
    questions are shown; those of held_out and sealed are counted. With --json stable ones are
    there, too.
    """
    check_split(split)
    rows = rows_of(command_of(context).history, _QUESTIONS, space)
    chosen = [row for row in rows if row["split"] == split]
    if as_json:
        screens.print_json(limited(chosen, limit, as_json=True))
        return
    if not rows:
        screens.print_lines(
            "No question was asked twice in a state that stands. Ask a live space again: "
            "genie-loop evaluate SPACE --again --asks 3"
        )
        return
    unstable = [row for row in chosen if row["is_unstable"]]
    shown = limited(unstable, limit, as_json=False)
    if shown:
        screens.print_table(shown, _COLUMNS, group_by="space_id")
        screens.print_lines("")
    screens.print_lines(*(_told(name, [*of]) for name, of in groupby(rows, key=_space)))
    if len(shown) < len(unstable):
        screens.print_lines(f"{len(unstable) - len(shown)} more of {split}; --limit 0 shows all.")


def _space(row: Row) -> str:
    return str(row["space_id"])


def _told(space_id: str, rows: Sequence[Row]) -> str:
    asked = Counter(row["split"] for row in rows)
    unstable = Counter(row["split"] for row in rows if row["is_unstable"])
    counts = ", ".join(f"{unstable[one]} of {asked[one]} {one}" for one in SPLITS)
    return f"{space_id}: unstable are, of the questions asked more than once, {counts}"


_COLUMNS = (
    Column("question", lambda row: row["question_id"]),
    Column("asked", lambda row: str(row["asked_count"]), align="right"),
    Column("answers", lambda row: " + ".join(str(one["asked_count"]) for one in row["answers"])),
    Column("same result", lambda row: f"{row['result_share']:.0%}", align="right"),
    Column("same SQL", lambda row: f"{row['sql_share']:.0%}", align="right"),
    Column("", lambda row: row["question"], wraps=True),
)
