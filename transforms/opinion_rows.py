"""Opinions of a model put into the rows of judged answers, where the rules left a gap.

A verdict of a rule is never touched. What a model says has its name in ``model``; where it says
nothing, the verdict stays ``skipped`` and its rationale says why.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from transforms.evaluation_rows import ACTION_OF_VERDICT, ARBITER, JudgedRows, Row
from transforms.failing import question_pattern
from transforms.identity import make_id
from transforms.opinion_prompts import ASKED_JUDGES
from transforms.opinion_replies import Opinion, Silence

NOTHING_DECIDES = "nothing_decides"
"""The arbiter's rule after which a model is asked; every other one is an answer."""
RULE_OF_MODEL = "model_decides"
"""The rule of a ruling and of a failure that come from a model."""

_JUDGEABLE = ("correct", "incorrect", "not_comparable")  # both queries are there and plan
_UNEXPLAINED = "results_differ"
_CONFIRMATIONS = {"ground_truth_correct": "confirmed", "neither_correct": "suspect"}
_ANSWER_KEY = ("evaluation_id", "question_id", "attempt")

AnswerKey = tuple[str, str, int]
"""Which answer: evaluation, question, attempt."""


class Gap(NamedTuple):
    """A verdict that rules left open."""

    answer: AnswerKey
    judge: str


def key_of(row: Mapping[str, Any]) -> AnswerKey:
    """Which answer a row is about."""
    evaluation_id, question_id, attempt = (row[name] for name in _ANSWER_KEY)
    return (evaluation_id, question_id, attempt)


def gaps(judged: JudgedRows) -> list[Gap]:
    """What a model may be asked, in order of what most depends on it."""
    judgeable = {
        key_of(row)
        for row in judged.completions
        if row["outcome"] in _JUDGEABLE and (row["genie_sql"] or "").strip()
    }
    undecided = {key_of(row) for row in judged.rulings if row["rule"] == NOTHING_DECIDES}
    found = [
        Gap(key_of(row), row["judge"])
        for row in judged.verdicts
        if row["value"] == "skipped"
        and row["judge"] in ASKED_JUDGES
        and key_of(row) in (undecided if row["judge"] == ARBITER else judgeable)
    ]
    return sorted(found, key=lambda gap: ASKED_JUDGES.index(gap.judge))


def left_open(judged: JudgedRows, why: Silence) -> JudgedRows:
    """The rows where no model is asked: every gap says why."""
    return with_opinions(judged, dict.fromkeys(gaps(judged), why), "")


def with_opinions(
    judged: JudgedRows, said: Mapping[Gap, Opinion | Silence], model: str
) -> JudgedRows:
    """The rows with what a model said in the gaps that ``said`` names.

    ``model`` names the model and the version of what it was asked. A ruling of a model has the
    consequences of any ruling: failures are confirmed, or are none. A failure that says no more
    than that the results differ makes room for one in which the model says what is wrong.
    """
    verdicts = [_verdict(row, said.get(Gap(key_of(row), row["judge"])), model)
                for row in judged.verdicts]  # fmt: skip
    rulings = [_ruling(row, said.get(Gap(key_of(row), ARBITER)), model) for row in judged.rulings]
    failures = [
        kept
        for row in judged.failures
        if (kept := _confirmed(row, said.get(Gap(key_of(row), ARBITER)))) is not None
    ]
    return JudgedRows(
        list(judged.completions), verdicts, _explained(failures, judged, said), rulings
    )


def _verdict(row: Row, opinion: Opinion | Silence | None, model: str) -> Row:
    if opinion is None:
        return row
    if isinstance(opinion, Silence):
        return {**row, "rationale": f"{row['rationale']} {opinion.reason}"}
    return {
        **row,
        "value": opinion.verdict,
        "confidence": opinion.confidence,
        "rationale": opinion.told,
        "model": model,
    }


def _ruling(row: Row, opinion: Opinion | Silence | None, model: str) -> Row:
    if opinion is None:
        return row
    if isinstance(opinion, Silence):
        return {**row, "evidence": f"{row['evidence']} {opinion.reason}"}
    return {
        **row,
        "verdict": opinion.verdict,
        "confidence": opinion.confidence,
        "rule": RULE_OF_MODEL,
        "evidence": opinion.told,
        "action": ACTION_OF_VERDICT[opinion.verdict],
        "model": model,
    }


def _confirmed(failure: Row, ruling: Opinion | Silence | None) -> Row | None:
    """The failure as a ruling leaves it: None where there is none left."""
    if not isinstance(ruling, Opinion):
        return failure
    confirmation = _CONFIRMATIONS.get(ruling.verdict)
    return {**failure, "confirmation": confirmation} if confirmation else None


def _explained(
    failures: list[Row], judged: JudgedRows, said: Mapping[Gap, Opinion | Silence]
) -> list[Row]:
    rules: dict[AnswerKey, set[str]] = {}
    for row in failures:
        rules.setdefault(key_of(row), set()).add(row["rule"])
    verdict_ids = {Gap(key_of(row), row["judge"]): row["verdict_id"] for row in judged.verdicts}
    explained = []
    for row in failures:
        key = key_of(row)
        found = [
            (judge, opinion)
            for judge in ("semantic_equivalence", "completeness")
            if isinstance(opinion := said.get(Gap(key, judge)), Opinion) and opinion.failure
        ]
        if rules[key] != {_UNEXPLAINED} or not found:
            explained.append(row)
        else:  # one cause is one failure: that of the first judge who names it
            judge, opinion = found[0]
            explained.append(_failure(row, judge, opinion, verdict_ids[Gap(key, judge)]))
    return explained


def _failure(unexplained: Row, judge: str, opinion: Opinion, verdict_id: str) -> Row:
    failure = opinion.failure
    assert failure is not None
    is_of_meaning = judge == "semantic_equivalence"
    expected = opinion.quoted("expected_sql" if is_of_meaning else "question")
    produced = opinion.quoted("produced_sql")
    asi = {
        "failure_type": failure.failure_type,
        "severity": failure.severity,
        "confidence": opinion.confidence,
        "wrong_clause": failure.wrong_clause,
        "blame_set": list(failure.blame) or [f"space:{unexplained['space_id']}"],
        "quoted_metadata_text": None,
        "missing_metadata": failure.missing_metadata,
        "ambiguity_detected": failure.is_ambiguous,
        "expected_value": expected,
        "actual_value": produced,
        "counterfactual_fix": failure.fix or opinion.rationale,
        "affected_question_pattern": question_pattern(unexplained["question"], ()),
    }
    return {
        **unexplained,
        "failure_id": make_id("failure", verdict_id, 1),
        "verdict_id": verdict_id,
        "ordinal": 1,
        "judge": judge,
        "rule": f"{RULE_OF_MODEL}_{judge}",
        "asi": asi,
        "expected_fragment": expected if is_of_meaning else None,
        "actual_fragment": produced,
    }
