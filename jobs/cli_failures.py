"""``failures``: what was wrong in an evaluation, question by question.

Questions of held_out and sealed are shown as counts only, unless their split is asked for: who
reads them while improving a space would fit the space to them.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from itertools import groupby
from typing import Annotated

import typer

from jobs import screens
from jobs.arbitrated import not_right, print_rulings, unexplained_lines, verdict_line, verdicts
from jobs.cli_shared import Json, Limit, Space, command_of, limited, rows_of, show_list
from jobs.ids import select_one
from jobs.question_blocks import print_question_blocks
from jobs.reading import History, Row
from jobs.right_by_luck import count_line, luck_of, lucky_answers, print_lucky
from transforms.contracts import JUDGES, SPLITS
from transforms.errors import InvalidInputError

_EVALUATIONS = """
SELECT space_id, evaluation_id, iteration, kind, splits, finished_at
FROM evaluations
WHERE :space IS NULL OR space_id = :space
ORDER BY space_id, started_at DESC, evaluation_id DESC
"""
_EVALUATION = """
SELECT space_id, evaluation_id, iteration, kind, splits, finished_at
FROM evaluations
WHERE starts_with(evaluation_id, :id)
"""

_CHOSEN = """
evaluation_id IN :evaluations
  AND (:question IS NULL OR question_id = :question)
  AND (:judge IS NULL OR judge = :judge)
"""
_FAILURES = f"""
SELECT * FROM failures
WHERE {_CHOSEN} AND split = :split
ORDER BY space_id, evaluation_id, question_id, judge, ordinal
"""
_COUNTS = f"""
SELECT split, COUNT(*) AS failure_count, COUNT(DISTINCT concat(space_id, '/', question_id))
  AS question_count
FROM failures
WHERE {_CHOSEN}
GROUP BY split
"""


def failures(
    context: typer.Context,
    space: Space = None,
    evaluation: Annotated[
        str | None,
        typer.Option(
            metavar="ID", help="This evaluation; by default each space's last of the split."
        ),
    ] = None,
    question: Annotated[
        str | None, typer.Option(metavar="ID", help="Only this question (its id).")
    ] = None,
    judge: Annotated[
        str | None, typer.Option(metavar="JUDGE", help=f"One of {', '.join(JUDGES)}.")
    ] = None,
    split: Annotated[
        str, typer.Option(metavar="SPLIT", help=f"Whose questions to show: {', '.join(SPLITS)}.")
    ] = "train",
    coincidental: Annotated[
        bool,
        typer.Option("--coincidental", help="What is right by luck, instead of what is wrong."),
    ] = False,
    limit: Limit = None,
    as_json: Json = False,
) -> None:
    """List what was wrong in an evaluation, question by question.

    Only train questions are shown; those of held_out and sealed are counted, so that nobody fits
    the space to them. `--split held_out` shows them all the same.
    """
    _one_of("--judge", judge, JUDGES)
    _one_of("--split", split, SPLITS)
    history = command_of(context).history
    evaluations = _evaluations(history, evaluation, space, split)
    if not evaluations:
        none = "There is no evaluation yet. Evaluate: genie-loop run"
        show_list([], (), as_json=as_json, if_none=none)
        return
    ids = [row["evaluation_id"] for row in evaluations]
    which = _evaluation_lines(evaluations, split)
    luck = luck_of(history, ids, question)
    show = partial(_show, split=split, limit=limit, as_json=as_json)
    if coincidental:
        _only_without("--coincidental", "--judge", judge)
        found = lucky_answers(history, ids, split, question)
        show(found, print_lucky, [*which, count_line(luck)])
        return
    if judge == "arbiter":
        ruled = verdicts(history, ids, question)
        of_split = [row for row in ruled if row["split"] == split]
        show(of_split, print_rulings, [*which, verdict_line(ruled)])
        return
    counts = history.select(_COUNTS, evaluations=ids, question=question, judge=judge)
    rows = history.select(
        _FAILURES,
        evaluations=ids,
        question=question,
        judge=judge,
        split=split,
    )
    wrong = not_right(history, ids, question) if judge is None and not as_json else []
    told = [*which, *_count_lines(counts, split), *unexplained_lines(wrong)]
    if any(one.coincidental_count for one in luck.values()):
        told.append(f"{count_line(luck)} (--coincidental shows them)")

    def print_failures(shown: Sequence[Row]) -> None:
        print_question_blocks(shown, _failure_fields)
        if question is not None:
            print_rulings([row for row in wrong if row["split"] == split])

    show(rows, print_failures, told)


def _only_without(option: str, other: str, given: str | None) -> None:
    if given is not None:
        raise InvalidInputError(
            f"{option} shows answers that every judge passed", where=other, remedy="leave it out"
        )


def _show(
    rows: Sequence[Row],
    print_rows: Callable[[Sequence[Row]], None],
    told: Sequence[str],
    *,
    split: str,
    limit: int | None,
    as_json: bool,
) -> None:
    """The rows of a split, cut to the limit, with what is told of all."""
    shown = limited(rows, limit, as_json=as_json)
    if as_json:
        screens.print_json(shown)
        return
    print_rows(shown)
    screens.print_lines(*told)
    if len(shown) < len(rows):
        screens.print_lines(f"{len(rows) - len(shown)} more of {split}; --limit 0 shows all.")


def _failure_fields(row: Row) -> list[tuple[str, str | None]]:
    asi = row["asi"]
    judged = f"{asi['failure_type']}, says {row['judge']} (confidence {asi['confidence']:.2f})"
    differs = row["expected_fragment"] is not None or row["actual_fragment"] is not None
    return [
        (
            "wrong",
            judged + ("" if row["confirmation"] == "confirmed" else f"; {row['confirmation']}"),
        ),
        ("blamed", "\n".join(asi["blame_set"])),
        ("expected", (row["expected_fragment"] or "nothing") if differs else asi["expected_value"]),
        ("found", (row["actual_fragment"] or "nothing") if differs else asi["actual_value"]),
        ("would help", asi["counterfactual_fix"]),
    ]


def _evaluations(
    history: History, evaluation: str | None, space: str | None, split: str
) -> list[Row]:
    """The evaluation that is named, or of each space the last one that asked the split.

    Where none asked it, the last one. ``later_count`` were begun after it.
    """
    if not history.is_there:
        return []
    if evaluation is not None:
        return [{**select_one(history, _EVALUATION, "evaluation", evaluation), "later_count": 0}]
    found = []
    for _, group in groupby(rows_of(history, _EVALUATIONS, space), key=lambda row: row["space_id"]):
        newest_first = list(group)
        asked = (n for n, row in enumerate(newest_first) if _asked(row, split))
        later_count = next(asked, 0)
        found.append({**newest_first[later_count], "later_count": later_count})
    return found


def _asked(evaluation: Row, split: str) -> bool:
    return any(of["split"] == split and of["question_count"] for of in evaluation["splits"] or ())


def _evaluation_lines(evaluations: Sequence[Row], split: str) -> list[str]:
    """Which evaluation of each space is shown, and why not a later one."""
    lines = []
    for row in evaluations:
        told = f"{row['space_id']}: evaluation {screens.short(row['evaluation_id'])}, iteration "
        told += f"{row['iteration']} {row['kind']}, {screens.when(row['finished_at'])}"
        if not _asked(row, split):
            told += f"; it asked nothing of {split}"
        elif row["later_count"]:
            later = "a later one" if row["later_count"] == 1 else f"{row['later_count']} later ones"
            told += f"; {later} asked nothing of {split}"
        lines.append(told)
    return lines


def _count_lines(counts: Sequence[Row], split: str) -> list[str]:
    by_split = {row["split"]: row for row in counts}

    def told(name: str) -> str:
        row = by_split.get(name, {"failure_count": 0, "question_count": 0})
        failed = screens.count(row["failure_count"], "failure")
        return f"{name}: {failed} in {screens.count(row['question_count'], 'question')}"

    lines = ["; ".join(told(name) for name in SPLITS)]
    if any(name != split and name in by_split for name in SPLITS):
        lines.append("Questions of another split are shown when it is asked for (--split).")
    return lines


def _one_of(option: str, value: str | None, known: Sequence[str]) -> None:
    if value is not None and value not in known:
        raise InvalidInputError(
            f"{value!r} is none of {', '.join(known)}", where=option, remedy="give one of them"
        )
