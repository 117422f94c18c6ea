"""``compare``: two evaluations side by side, over the questions that both asked.

Accuracies carry their intervals, differences the paired statistics of ``transforms.statistics``.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Annotated

import typer

from jobs import screens
from jobs.benchmark_texts import shown_summary
from jobs.cli_errors import say
from jobs.cli_session import opened
from jobs.cli_shared import Command, Json, command_of
from jobs.ids import select_one
from jobs.left_out import left_out, left_out_lines, with_left_out
from jobs.question_changes import judge_changes, question_changes
from jobs.reading import History, Row
from jobs.right_by_luck import luck_in_all, luck_of
from jobs.screens import Column
from transforms.luck import LuckCounts
from transforms.pairing import LEFT_OUT

_EVALUATION = """
SELECT space_id, evaluation_id, kind, iteration, batch_id, state, answerer, comparison_policy,
  judge_version, model_id, state_hash, benchmark_set_hash, started_at, finished_at
FROM evaluation_states
WHERE starts_with(evaluation_id, :id)
"""
# What was found wrong, one row per rule; where none was, how the answer ended.
_FINDINGS = """
SELECT q.evaluation_id, q.question_id, q.is_correct, q.is_coincidental, q.genie_sql, q.outcome,
  q.match_step, f.rule
FROM eval_results q
LEFT JOIN failures f ON f.evaluation_id = q.evaluation_id AND f.question_id = q.question_id
  AND f.attempt = q.attempt
WHERE q.evaluation_id IN :both AND q.attempt = 1 AND q.split = 'train'
ORDER BY q.question_id, q.evaluation_id, f.judge, f.ordinal
"""
_APPLIED = """
SELECT a.application_id, a.batch_id, a.direction, a.recorded_at, b.lever, p.proposal_id, p.summary,
  p.patch_type, p.question_ids, c.split AS benchmark_split
FROM applications a
JOIN batches b ON b.batch_id = a.batch_id
JOIN proposals p ON p.space_id = a.space_id
  AND array_contains(COALESCE(a.proposal_ids, b.proposal_ids), p.proposal_id)
LEFT JOIN current_benchmarks c ON p.patch_type IN ('correct_benchmark', 'quarantine_benchmark')
  AND c.space_id = p.space_id
  AND array_contains(p.question_ids, c.question_id)
WHERE a.space_id = :space AND a.recorded_at > (
    SELECT MIN(started_at) FROM evaluations WHERE evaluation_id IN :both
  ) AND a.recorded_at <= (
    SELECT MAX(started_at) FROM evaluations WHERE evaluation_id IN :both
  )
ORDER BY a.recorded_at, a.application_id, p.proposal_id
"""

Evaluation = Annotated[
    str, typer.Argument(metavar="EVALUATION", help="Id, or a beginning of it that is unique.")
]


def compare(
    context: typer.Context,
    before: Evaluation,
    after: Evaluation,
    as_recorded: Annotated[
        bool,
        typer.Option(
            "--as-recorded",
            help="Judge nothing again: leave out what was judged on another benchmark.",
        ),
    ] = False,
    as_json: Json = False,
) -> None:
    """Compare two evaluations question by question: what changed, why, and what that proves.

    Where benchmarks or judges changed between the two, stored answers are judged again first, on
    one set of benchmarks; nobody is asked. Only train questions are shown; those of held_out and
    sealed are counted.
    """
    command = command_of(context)
    history = command.history
    left, right = _evaluation(history, before), _evaluation(history, after)
    ids = [left["evaluation_id"], right["evaluation_id"]]
    changes = question_changes(history, ids[:1], ids[1:])
    if changes.unlike_count and not as_recorded:
        _judge_on_one_set(command, *ids)
        changes = question_changes(history, ids[:1], ids[1:])
    whys = _whys(history, *ids)
    luck = luck_of(history, ids)
    compared = {
        "before": left,
        "after": right,
        "is_same_benchmark_set": left["benchmark_set_hash"] == right["benchmark_set_hash"],
        "benchmark_set_hash": changes.benchmark_set_hash,
        "rejudged_count": changes.rejudged_count,
        "is_same_state": left["state_hash"] == right["state_hash"],
        "splits": [_with_counts(row) for row in changes.split_rows()],
        "right_by_luck": [
            {"of": of, **asdict(luck_in_all(luck, one))}
            for of, one in zip(("before", "after"), ids, strict=True)
        ],
        "judges": judge_changes(history, ids[0], ids[1], changes.pairs),
        **{
            change: [
                {**row, "why": whys.get(row["question_id"])} for row in changes.train_with(change)
            ]
            for change, _ in _TRAIN_HEADINGS
        },
        "applied": _applied(history, left, right),
    }
    benchmarks = left_out(history)
    spaces = sorted({left["space_id"], right["space_id"]})
    if as_json:
        counts = with_left_out([{"space_id": space} for space in spaces], benchmarks)
        screens.print_json([{**compared, "left_out": counts}])
    else:
        _print(compared)
        screens.print_lines(*left_out_lines(benchmarks, spaces))


def _evaluation(history: History, text: str) -> Row:
    return select_one(history, _EVALUATION, "evaluation", text)


def _judge_on_one_set(command: Command, before: str, after: str) -> None:
    say("Benchmarks or judges have changed in between: judging again on one set of benchmarks")
    with opened(command, name="compare") as job:
        from jobs.rejudging import judge_on_one_set

        judge_on_one_set(job, before, after)


def _with_counts(row: Row) -> Row:
    """A split with its right ones of those compared; every question was asked once on each side."""
    return {
        **row,
        "correct_before": row["still_right_count"] + row["broken_count"],
        "correct_after": row["still_right_count"] + row["fixed_count"],
    }


def _whys(history: History, before: str, after: str) -> dict[str, str]:
    """By train question that both asked, what was found before and what after."""
    found: dict[tuple[str, str], list[Row]] = {}
    for row in history.select(_FINDINGS, both=[before, after]):
        found.setdefault((row["question_id"], row["evaluation_id"]), []).append(row)
    whys = {}
    for question_id, evaluation_id in found:
        was, now = found.get((question_id, before)), found[question_id, evaluation_id]
        if evaluation_id == after and was is not None:
            said = (_found(was), _found(now))
            is_same_sql = was[0]["genie_sql"] == now[0]["genie_sql"]
            told = said[0] if said[0] == said[1] else " -> ".join(said)
            whys[question_id] = f"{told}; the SQL is the same" if is_same_sql else told
    return whys


def _found(rows: Sequence[Row]) -> str:
    if rows[0]["is_correct"]:
        return "right by luck" if rows[0]["is_coincidental"] else "right"
    rules = list(dict.fromkeys(row["rule"] for row in rows if row["rule"] is not None))
    ended = rows[0]["match_step"] or rows[0]["outcome"] or "not judged"
    return ", ".join(rules) or ended


def _applied(history: History, left: Row, right: Row) -> list[Row]:
    """What was applied or undone between the two, in order; nothing where the spaces differ."""
    if left["space_id"] != right["space_id"]:
        return []
    both = [left["evaluation_id"], right["evaluation_id"]]
    return [
        {**row, "summary": shown_summary(row)}
        for row in history.select(_APPLIED, space=left["space_id"], both=both)
    ]


def _print(compared: Row) -> None:
    left, right = compared["before"], compared["after"]
    screens.print_table([{"of": "before", **left}, {"of": "after", **right}], _EVALUATION_COLUMNS)
    screens.print_lines("", *_note_lines(compared), "")
    screens.print_table(compared["splits"], _SPLIT_COLUMNS)
    screens.print_lines("")
    screens.print_table(compared["splits"], _PROOF_COLUMNS)
    screens.print_lines("")
    screens.print_table(compared["judges"], _JUDGE_COLUMNS)
    for change, heading in _TRAIN_HEADINGS:
        _print_questions(heading, compared[change])
    screens.print_lines("")
    if compared["applied"]:
        screens.print_heading("Changed between the two")
        screens.print_table(compared["applied"], _APPLIED_COLUMNS)
    elif left["space_id"] == right["space_id"]:
        told = "the state is the same" if compared["is_same_state"] else _CHANGED_BY_OTHERS
        screens.print_lines(f"Nothing was applied between the two; {told}.")


def _note_lines(compared: Row) -> list[str]:
    """What to know before the numbers are believed."""
    left, right = compared["before"], compared["after"]
    lines = [f"Of different spaces: {left['space_id']} and {right['space_id']}."]
    if left["space_id"] == right["space_id"]:
        lines = [f"Space {left['space_id']}."]
    for column, what in (("comparison_policy", "comparison policies"), ("judge_version", "judges")):
        if left[column] != right[column]:
            lines.append(f"The {what} differ: {left[column]} and {right[column]}.")
    left_out = {
        change: sum(split[f"{change}_count"] for split in compared["splits"]) for change in LEFT_OUT
    }
    told = ", ".join(f"{n} {_LEFT_OUT[change]}" for change, n in left_out.items() if n)
    are = "are the same" if compared["is_same_benchmark_set"] else "differ"
    lines.append(f"The benchmark sets {are}" + (f"; left out: {told}." if told else "."))
    for luck in compared["right_by_luck"]:
        of = luck["of"]
        text = LuckCounts(**{name: n for name, n in luck.items() if name != "of"}).text
        if text is not None:
            lines.append(f"{of.capitalize()}, {text}.")
    if compared["rejudged_count"]:
        again = screens.count(compared["rejudged_count"], "question")
        lines.append(f"{again} judged again on one set of benchmarks, on the data as they are now.")
    return lines


def _skipped(number: int) -> str:
    return f"{number} skipped" if number else ""


def _print_questions(heading: str, questions: Sequence[Row]) -> None:
    screens.print_lines("")
    screens.print_heading(f"{heading} ({len(questions)} of train)")
    if questions:
        screens.print_table(questions, _QUESTION_COLUMNS)


_CHANGED_BY_OTHERS = "but the state is another one: somebody else changed it"
_LEFT_OUT = {
    "unknown": "that the platform failed to answer",
    "other_benchmark": "with another benchmark",
    "only_before": "asked only before",
    "only_after": "asked only after",
}
_TRAIN_HEADINGS = (("fixed", "Fixed"), ("broken", "Broken"), ("still_wrong", "Still wrong"))
_EVALUATION_COLUMNS = (
    Column("", lambda row: row["of"]),
    Column("evaluation", lambda row: screens.short(row["evaluation_id"])),
    Column("iteration", lambda row: f"{row['iteration']} {row['kind']}"),
    Column("finished (UTC)", lambda row: screens.when(row["finished_at"])),
    Column("state", lambda row: row["state"]),
    Column("model", lambda row: row["model_id"]),
)
_SPLIT_COLUMNS = (
    Column("split", lambda row: row["split"]),
    Column("before", lambda row: screens.accuracy(row["correct_before"], row["compared_count"])),
    Column("after", lambda row: screens.accuracy(row["correct_after"], row["compared_count"])),
    Column("fixed", lambda row: str(row["fixed_count"]), align="right"),
    Column("broken", lambda row: str(row["broken_count"]), align="right"),
    Column("still right", lambda row: str(row["still_right_count"]), align="right"),
    Column("still wrong", lambda row: str(row["still_wrong_count"]), align="right"),
)
_PROOF_COLUMNS = (
    Column("split", lambda row: row["split"]),
    Column("difference in points (95 %)", screens.difference),
    Column("p (exact McNemar)", screens.p_value, align="right"),
    Column("left out", lambda row: str(sum(row[f"{c}_count"] for c in LEFT_OUT)), align="right"),
    Column("verdict", lambda row: row["verdict"]),
)
_JUDGE_COLUMNS = (
    Column("judge (all splits)", lambda row: row["judge"]),
    Column("target", lambda row: screens.target(row["target"]), align="right"),
    Column("before", lambda row: screens.share(row["yes_before"], row["compared_count"])),
    Column("after", lambda row: screens.share(row["yes_after"], row["compared_count"])),
    Column("left out", lambda row: _skipped(row["left_out_count"])),
)
_QUESTION_COLUMNS = (
    Column("id", lambda row: row["question_id"]),
    Column("question", lambda row: row["question"], wraps=True),
    Column("before -> after", lambda row: row["why"] or "", wraps=True),
)
_APPLIED_COLUMNS = (
    Column("when (UTC)", lambda row: screens.when(row["recorded_at"])),
    Column("batch", lambda row: screens.short(row["batch_id"])),
    Column("", lambda row: "applied" if row["direction"] == "apply" else "undone"),
    Column("lever", lambda row: str(row["lever"]), align="right"),
    Column("change", lambda row: row["summary"], wraps=True),
)
