"""``why``: the whole story of a proposal, from the failures behind it to what it changed."""

from __future__ import annotations

import json
from collections.abc import Sequence

import typer

from jobs import screens
from jobs.benchmark_texts import hidden, train_questions
from jobs.cli_changes import (
    PROPOSALS,
    REFUSALS,
    change_fields,
    decision_line,
    refusal_line,
    rollback_line,
    state_with_reason,
)
from jobs.cli_shared import Id, Json, command_of
from jobs.ids import select_one
from jobs.question_changes import question_changes
from jobs.reading import History, Row
from jobs.right_by_luck import lucky_answers
from jobs.screens import Column
from transforms.gate_rule import GATED_SPLITS
from transforms.rules import RULES

_CLUSTER = "SELECT * FROM cluster_states WHERE cluster_id = :id"
# The failures that the proposal rests on: those of its cluster in its evaluation.
_FAILURES = """
SELECT f.question_id, f.question, f.judge, f.rule, f.expected_fragment, f.actual_fragment,
  f.expected_sql, f.genie_sql, f.asi
FROM failures f
JOIN cluster_members m ON m.failure_id = f.failure_id
WHERE m.cluster_id = :cluster AND f.evaluation_id = :evaluation AND f.split = 'train'
ORDER BY f.question_id, f.judge, f.ordinal
"""
_BATCH = "SELECT * FROM batch_states WHERE batch_id = :id"
_APPLICATIONS = """
SELECT application_id, direction, proposal_ids, state_hash, verified_at, recorded_at
FROM applications WHERE batch_id = :id
ORDER BY recorded_at, application_id
"""
_GATE = """
SELECT number, decision, evaluation_ids, baseline_evaluation_id, train_net, held_out_net,
  statistics, rationale, stop_reason, recorded_at
FROM gate_decisions WHERE batch_id = :id
ORDER BY number
"""


def why(context: typer.Context, proposal: Id, as_json: Json = False) -> None:
    """Tell the story of a proposal: its failures, the change, who approved it, what it did.

    Only train questions are shown; those of held_out and sealed are counted.
    """
    history = command_of(context).history
    row = hidden(select_one(history, PROPOSALS, "proposal", proposal, space=None))
    story = _story(history, row)
    if as_json:
        screens.print_json([story])
    else:
        _print(story)


def _story(history: History, row: Row) -> Row:
    cluster, batch = row["cluster_id"], row["batch_id"]
    failures = []
    if cluster:
        failures = history.select(_FAILURES, cluster=cluster, evaluation=row["evaluation_id"])
    gate = history.select(_GATE, id=batch) if batch else []
    return {
        **row,
        "cluster": _first(history.select(_CLUSTER, id=cluster)) if cluster else None,
        "failures": failures,
        "leak_refusals": history.select(REFUSALS, proposal=row["proposal_id"]),
        "batch": _first(history.select(_BATCH, id=batch)) if batch else None,
        "applications": history.select(_APPLICATIONS, id=batch) if batch else [],
        "gate_decisions": [{**one, "statistics": _parsed(one["statistics"])} for one in gate],
        "effect": _effect(history, row, gate[-1]) if gate else None,
    }


def _effect(history: History, row: Row, gate: Row) -> Row | None:
    """What became of the questions it was to fix, and of all others, since the baseline."""
    if gate["baseline_evaluation_id"] is None:
        return None
    numbers = _parsed(gate["statistics"]) or {}
    before = numbers.get("baseline_evaluation_ids", [gate["baseline_evaluation_id"]])
    changes = question_changes(history, before, gate["evaluation_ids"])
    meant = {
        one["question_id"]: one
        for one in train_questions(history, row["space_id"], row["question_ids"])
    }
    lucky = {
        one["question_id"] for one in lucky_answers(history, gate["evaluation_ids"], split="train")
    }
    train = [{**one, "is_coincidental": one["question_id"] in lucky} for one in changes.train]
    return {
        "meant": [one for one in train if one["question_id"] in meant],
        "others": [
            one
            for one in train
            if one["question_id"] not in meant and one["change"] in ("fixed", "broken")
        ],
        "splits": changes.split_rows(),
    }


def _first(rows: Sequence[Row]) -> Row | None:
    return rows[0] if rows else None


def _parsed(text: str | None) -> Row | None:
    return None if text is None else json.loads(text)


def _print(story: Row) -> None:
    screens.print_fields(
        [
            ("proposal", story["proposal_id"]),
            ("space", story["space_id"]),
            ("state", state_with_reason(story)),
            ("lever", screens.lever(story["lever"])),
            ("refused", "\n".join(refusal_line(one) for one in story["leak_refusals"])),
        ]
    )
    _print_causes(story)
    screens.print_lines("")
    screens.print_heading("What it changes")
    screens.print_fields(change_fields(story), indent=2)
    _print_batch(story)
    if story["effect"] is not None:
        _print_effect(story["effect"], len(story["batch"]["proposal_ids"]))


def _print_causes(story: Row) -> None:
    cluster, failures = story["cluster"], story["failures"]
    screens.print_lines("")
    if cluster is None:
        screens.print_lines("No cluster is behind it: it corrects a benchmark.")
        return
    rule = RULES.get(cluster["cause"])
    screens.print_heading("What goes wrong")
    screens.print_fields(
        [
            ("cluster", f"{cluster['cluster_id']} ({cluster['state']})"),
            ("cause", rule.description if rule else cluster["cause"]),
            ("failure type", f"{cluster['failure_type']} (rule {cluster['cause']})"),
            ("blamed", "\n".join(cluster["blame_set"])),
        ],
        indent=2,
    )
    screens.print_lines("")
    questions = {failure["question_id"] for failure in failures}
    count = f"{screens.count(len(failures), 'train failure')} of "
    count += screens.count(len(questions), "question")
    screens.print_heading(f"{count} in evaluation {screens.short(story['evaluation_id'])}")
    for failure in failures:
        screens.print_lines(f"  {failure['question_id']}  {failure['question']}")
        screens.print_fields(_failure_fields(failure), indent=4)


def _failure_fields(failure: Row) -> list[tuple[str, str | None]]:
    """The smallest parts that differ; where none were found, the whole statements."""
    expected, produced = failure["expected_fragment"], failure["actual_fragment"]
    if expected is None and produced is None:
        expected, produced = failure["expected_sql"], failure["genie_sql"]
    return [
        ("expected", expected or "nothing"),
        ("produced", produced or "nothing"),
        ("says", failure["judge"]),
    ]


def _print_batch(story: Row) -> None:
    batch = story["batch"]
    screens.print_lines("")
    if batch is None:
        screens.print_lines("It is in no batch.")
        return
    screens.print_heading("What became of it")
    others = len(batch["proposal_ids"]) - 1
    beside = f", with {screens.count(others, 'other proposal')}" if others else ""
    screens.print_fields(
        [
            ("batch", f"{batch['batch_id']} ({batch['state']}){beside}"),
            ("approval", decision_line(batch) or "not yet"),
            *(_application_field(one, story) for one in story["applications"]),
            *(field for one in story["gate_decisions"] for field in _gate_fields(one)),
            ("rolled back", rollback_line(batch)),
        ],
        indent=2,
    )


def _application_field(application: Row, story: Row) -> tuple[str, str]:
    name = "applied" if application["direction"] == "apply" else "undone"
    when = f"{screens.when(application['verified_at'])}, read back"
    made = application["proposal_ids"]
    if made is not None and story["proposal_id"] not in made:
        when += "; without this one: there was no place for it"
    return name, when


def _gate_fields(gate: Row) -> list[tuple[str, str | None]]:
    numbers = gate["statistics"] or {}
    nets = f"train {gate['train_net']:+d}, held_out {gate['held_out_net']:+d}"
    return [
        ("gate", gate["rationale"]),
        ("net gain", nets),
        ("compared with", screens.short(gate["baseline_evaluation_id"]) or "nothing"),
        *(
            ("statistics", _proof(split, numbers[split]))
            for split in GATED_SPLITS
            if split in numbers
        ),
        ("the loop ends", gate["stop_reason"]),
    ]


def _proof(split: str, numbers: Row) -> str:
    """What the changes of a split prove, in one line."""
    if not numbers["compared_count"]:
        return f"{split}: nothing to compare"
    return (
        f"{split}: accuracy {numbers['accuracy_before']:.0%} before, "
        f"{numbers['accuracy_after']:.0%} after, {screens.difference(numbers)}; without effect as "
        f"good in {numbers['p_gain']:.1%}, as bad in {numbers['p_harm']:.1%} of cases"
    )


def _print_effect(effect: Row, proposals: int) -> None:
    screens.print_lines("")
    screens.print_heading("What it did")
    for heading, rows in (
        ("Questions it was to fix:", effect["meant"]),
        ("Other train questions that changed:", effect["others"]),
    ):
        if rows:
            screens.print_lines(heading)
            screens.print_table(rows, _EFFECT_COLUMNS)
    screens.print_table(effect["splits"], _SPLIT_COLUMNS)
    if proposals > 1:
        screens.print_lines("These are the effects of all proposals of the batch together.")


def _now(row: Row) -> str:
    """What became of a question; what is right may be so by luck."""
    change = str(row["change"]).replace("_", " ")
    is_right = row["change"] in ("fixed", "still_right")
    return f"{change}, by luck" if is_right and row["is_coincidental"] else change


_EFFECT_COLUMNS = (
    Column("id", lambda row: row["question_id"]),
    Column("now", _now),
    Column("question", lambda row: row["question"], wraps=True),
)
_SPLIT_COLUMNS = (
    Column("split", lambda row: row["split"]),
    Column("compared", lambda row: str(row["compared_count"]), align="right"),
    Column("fixed", lambda row: str(row["fixed_count"]), align="right"),
    Column("broken", lambda row: str(row["broken_count"]), align="right"),
    Column("difference (95 %)", screens.difference),
    Column("p", screens.p_value, align="right"),
)
