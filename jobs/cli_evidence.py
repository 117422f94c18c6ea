"""``failures`` and ``clusters``: what was wrong, and what went wrong for one cause.

Questions of held_out and sealed are shown as counts only, unless their split is asked for: who
reads them while improving a space would fit the space to them.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

import typer

from jobs import screens
from jobs.cli_shared import Id, Json, Space, command_of, show_nothing
from jobs.ids import prefix_of, the_only
from jobs.reading import History, Row
from jobs.screens import Column
from transforms.contracts import JUDGES, SPLITS
from transforms.errors import InvalidInputError

_LAST = """
SELECT space_id, evaluation_id
FROM (
  SELECT space_id, evaluation_id, ROW_NUMBER() OVER (
    PARTITION BY space_id ORDER BY started_at DESC, evaluation_id DESC
  ) AS recency
  FROM evaluations
  WHERE :space IS NULL OR space_id = :space
)
WHERE recency = 1
ORDER BY space_id
"""
_EVALUATION = (
    "SELECT space_id, evaluation_id FROM evaluations WHERE starts_with(evaluation_id, :id)"
)

_CHOSEN = """
evaluation_id IN :evaluations
  AND (:question IS NULL OR question_id = :question)
  AND (:judge IS NULL OR judge = :judge)
"""
_FAILURES = f"""
SELECT * FROM failures
WHERE {_CHOSEN} AND split = :split
ORDER BY space_id, evaluation_id, question_id, judge, ordinal
LIMIT :limit
"""
_COUNTS = f"""
SELECT split, COUNT(*) AS failure_count, COUNT(DISTINCT concat(space_id, '/', question_id))
  AS question_count
FROM failures
WHERE {_CHOSEN}
GROUP BY split
"""

_CLUSTERS = """
SELECT * FROM cluster_states
WHERE (:space IS NULL OR space_id = :space) AND (:id IS NULL OR starts_with(cluster_id, :id))
ORDER BY space_id, CASE WHEN state IN ('open', 'regressed', 'addressed') THEN 0 ELSE 1 END,
  impact DESC, cluster_id
"""
_TRAIN_QUESTIONS = """
SELECT question_id, question, state
FROM benchmark_states
WHERE space_id = :space AND split = 'train' AND question_id IN :questions
ORDER BY question_id
"""
_CLUSTER_PROPOSALS = """
SELECT proposal_id, state, lever, summary FROM proposal_states
WHERE cluster_id = :cluster
ORDER BY recorded_at, proposal_id
"""

_ALL = 2**53  # no limit, as a number that SQL takes

clusters_app = typer.Typer(help="What goes wrong in a space for one cause, over all evaluations.")


def failures(
    context: typer.Context,
    space: Space = None,
    evaluation: Annotated[
        str | None,
        typer.Option(metavar="ID", help="This evaluation; by default the last of each space."),
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
    limit: Annotated[int, typer.Option(min=0, help="At most so many; 0 for all.")] = 50,
    as_json: Json = False,
) -> None:
    """List what was wrong in an evaluation, question by question.

    Only train questions are shown; those of held_out and sealed are counted, so that nobody fits
    the space to them. `--split held_out` shows them all the same.
    """
    _one_of("--judge", judge, JUDGES)
    _one_of("--split", split, SPLITS)
    history = command_of(context).history
    evaluations = _evaluations(history, evaluation, space)
    if not evaluations:
        show_nothing(as_json, "There is no evaluation yet. Evaluate: genie-loop run")
        return
    ids = [row["evaluation_id"] for row in evaluations]
    counts = history.select(_COUNTS, evaluations=ids, question=question, judge=judge)
    rows = history.select(
        _FAILURES,
        evaluations=ids,
        question=question,
        judge=judge,
        split=split,
        limit=limit or _ALL,
    )
    if as_json:
        screens.print_json(rows)
        return
    if rows:
        screens.print_table(rows, _FAILURE_COLUMNS, group_by="space_id", is_spaced=True)
    screens.print_lines("", *_count_lines(counts, split, len(rows)))


@clusters_app.callback(invoke_without_command=True)
def clusters(context: typer.Context, space: Space = None, as_json: Json = False) -> None:
    """List what goes wrong in each space, by cause and blamed objects, the largest first."""
    if context.invoked_subcommand is not None:
        return
    history = command_of(context).history
    rows = history.select(_CLUSTERS, space=space, id=None) if history.is_there else []
    if not rows:
        show_nothing(
            as_json,
            "There is no cluster yet: optimize makes them from the failures of an evaluation. "
            "genie-loop run",
        )
    elif as_json:
        screens.print_json(rows)
    else:
        screens.print_table(rows, _CLUSTER_COLUMNS, group_by="space_id")


@clusters_app.command("show")
def show_cluster(context: typer.Context, cluster: Id, as_json: Json = False) -> None:
    """Show one cluster: its questions, what was expected and produced, and what is proposed."""
    history = command_of(context).history
    prefix = prefix_of("cluster", cluster)
    found = history.select(_CLUSTERS, space=None, id=prefix) if history.is_there else []
    row = the_only(found, "cluster", cluster)
    questions = train_questions(history, row["space_id"], row["question_ids"])
    proposals = history.select(_CLUSTER_PROPOSALS, cluster=row["cluster_id"])
    if as_json:
        screens.print_json([{**row, "questions": questions, "proposals": proposals}])
        return
    _print_cluster(row)
    screens.print_lines("")
    screens.print_heading(f"Questions ({len(questions)}, all train)")
    screens.print_table(questions, QUESTION_COLUMNS)
    screens.print_lines("")
    if proposals:
        screens.print_heading("Proposals (all of one: genie-loop proposals show ID)")
        screens.print_table(proposals, _PROPOSAL_COLUMNS)
    else:
        screens.print_lines("Nothing is proposed for it.")


def train_questions(history: History, space: str, questions: Sequence[str]) -> list[Row]:
    """Id, text and state of those of the questions that are in train; no others are ever shown."""
    return history.select(_TRAIN_QUESTIONS, space=space, questions=questions)


def _print_cluster(row: Row) -> None:
    evidence = row["evidence"]
    fragments = "\n".join(
        f"{f['expected'] or 'nothing'}  instead of  {f['actual'] or 'nothing'}  "
        f"({screens.count(f['group_count'], 'group')})"
        for f in evidence["fragments"]
    )
    terms = ", ".join(f"{t['term']} ({t['group_count']})" for t in evidence["terms"])
    screens.print_fields(
        [
            ("cluster", row["cluster_id"]),
            ("space", row["space_id"]),
            ("state", row["state"]),
            ("failure type", f"{row['failure_type']} (rule {row['cause']})"),
            ("blamed", "\n".join(row["blame_set"])),
            ("lever", screens.lever(row["lever"])),
            ("seen", _seen(row)),
            ("expected", fragments),
            ("unexplained words", terms),
            ("fixes", "\n".join(evidence["fixes"])),
        ]
    )


def _seen(row: Row) -> str:
    failures = screens.count(row["failure_count"], "failure")
    evaluations = screens.count(row["evaluation_count"], "evaluation")
    first, last = screens.when(row["first_seen_at"]), screens.when(row["last_seen_at"])
    return f"{failures} in {evaluations}, first {first}, last {last}"


def _evaluations(history: History, evaluation: str | None, space: str | None) -> list[Row]:
    if not history.is_there:
        return []
    if evaluation is None:
        return history.select(_LAST, space=space)
    found = history.select(_EVALUATION, id=prefix_of("evaluation", evaluation))
    return [the_only(found, "evaluation", evaluation)]


def _count_lines(counts: Sequence[Row], split: str, shown: int) -> list[str]:
    by_split = {row["split"]: row for row in counts}

    def told(name: str) -> str:
        row = by_split.get(name, {"failure_count": 0, "question_count": 0})
        failed = screens.count(row["failure_count"], "failure")
        return f"{name}: {failed} in {screens.count(row['question_count'], 'question')}"

    lines = ["; ".join(told(name) for name in SPLITS)]
    total = by_split.get(split, {"failure_count": 0})["failure_count"]
    if shown < total:
        lines.append(f"Shown are the first {shown} of {split}; --limit 0 shows all.")
    if any(name != split and name in by_split for name in SPLITS):
        lines.append("Questions of another split are shown when it is asked for (--split).")
    return lines


def _one_of(option: str, value: str | None, known: Sequence[str]) -> None:
    if value is not None and value not in known:
        raise InvalidInputError(
            f"{value!r} is none of {', '.join(known)}", where=option, remedy="give one of them"
        )


def _difference(row: Row) -> str:
    expected, actual = row["expected_fragment"], row["actual_fragment"]
    if expected is None and actual is None:
        return row["asi"]["counterfactual_fix"] or ""
    return f"expected {expected or 'nothing'}\nfound {actual or 'nothing'}"


_FAILURE_COLUMNS = (
    Column("question", lambda row: f"{row['question_id']}\n{row['question']}", wraps=True),
    Column("judge", lambda row: f"{row['judge']}\n{row['asi']['failure_type']}"),
    Column("blamed", lambda row: "\n".join(row["asi"]["blame_set"]), wraps=True),
    Column("difference", _difference, wraps=True),
)
_CLUSTER_COLUMNS = (
    Column("cluster", lambda row: screens.short(row["cluster_id"])),
    Column("state", lambda row: row["state"]),
    Column("failure type", lambda row: row["failure_type"]),
    Column("blamed", lambda row: "\n".join(row["blame_set"]), wraps=True),
    Column("lever", lambda row: str(row["lever"]), align="right"),
    Column("questions", lambda row: str(row["question_count"]), align="right"),
    Column("impact", lambda row: f"{row['impact']:.1f}", align="right"),
)
QUESTION_COLUMNS = (
    Column("id", lambda row: row["question_id"]),
    Column("question", lambda row: row["question"], wraps=True),
    Column("benchmark", lambda row: row["state"]),
)
_PROPOSAL_COLUMNS = (
    Column("proposal", lambda row: screens.short(row["proposal_id"])),
    Column("state", lambda row: row["state"]),
    Column("change", lambda row: row["summary"], wraps=True),
)
