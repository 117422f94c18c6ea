"""Opinions in rows: only where rules left a gap, with the consequences that any verdict has."""

from __future__ import annotations

import pytest

from tests.transforms.opinions import FAILURE
from tests.transforms.test_evaluation_rows import ANSWER, ONE, TWO
from transforms.contracts import ARBITER_VERDICTS_TABLE, FAILURES, JUDGE_VERDICTS
from transforms.evaluation_rows import judged_rows
from transforms.judgement import ArbiterRuling, Asi, Comparison, Failure, Judgement, Verdict
from transforms.opinion_replies import Opinion, OpinionFailure, Quote, Silence
from transforms.opinion_rows import Gap, gaps, with_opinions

KEY = ("evaluation-1", "q1", 1)
ARBITER = Gap(KEY, "arbiter")
MEANING = Gap(KEY, "semantic_equivalence")
COMPLETENESS = Gap(KEY, "completeness")
UNEXPLAINED = Failure(
    "result_correctness", "results_differ", Asi("other", "major", 0.5, ("space:s",)), None, None
)


def judged(
    *, outcome="incorrect", rule="nothing_decides", meaning="skipped", failures=(UNEXPLAINED,),
    answer=ANSWER,
):  # fmt: skip
    ruling = ArbiterRuling("skipped", rule, "Nothing speaks for one.")
    verdicts = (
        Verdict("schema_accuracy", "skipped", "As it was."),
        Verdict("semantic_equivalence", meaning, "The trees are alike."),
        Verdict("completeness", "skipped", "Nothing tells."),
        Verdict("result_correctness", "no", "They differ.", 1.0),
        Verdict("arbiter", "skipped", ruling.evidence),
    )
    comparison = Comparison("different", False, "they differ")
    judgement = Judgement(outcome, comparison, verdicts, failures, ruling, "unarbitrated")
    return judged_rows(answer, ONE, TWO, judgement)


def opinion(verdict, *, failure=False):
    wrong = OpinionFailure("missing_filter", "minor", "WHERE", (), None, True, None)
    return Opinion(verdict, "So it is.", 0.6, (Quote("expected_sql", "SELECT 1"),),
                   wrong if failure else None)  # fmt: skip


def by_judge(rows):
    return {row["judge"]: row for row in rows.verdicts}


def test_a_model_is_asked_about_gaps_that_it_can_fill():
    assert gaps(judged()) == [ARBITER, COMPLETENESS, MEANING]
    assert gaps(judged(meaning="no")) == [ARBITER, COMPLETENESS]
    assert gaps(judged(rule="expected_sql_does_not_run")) == [COMPLETENESS, MEANING]
    assert gaps(judged(outcome="correct", rule="tie_at_limit")) == [COMPLETENESS, MEANING]


@pytest.mark.parametrize(
    "outcome", ["no_sql", "refused", "sql_error", "expected_sql_error", "infrastructure"]
)
def test_where_a_query_is_missing_there_is_nothing_to_ask_about(outcome):
    assert gaps(judged(outcome=outcome, rule="expected_sql_does_not_run")) == []


def test_an_opinion_says_whose_it_is():
    rows = with_opinions(judged(), {MEANING: opinion("yes")}, "m/1")
    said = by_judge(rows)["semantic_equivalence"]
    assert (said["value"], said["confidence"], said["model"]) == ("yes", 0.6, "m/1")
    assert said["rationale"] == "So it is. Quoted: expected_sql: SELECT 1"
    others = [row for row in rows.verdicts if row["judge"] != "semantic_equivalence"]
    assert others == [r for r in judged().verdicts if r["judge"] != "semantic_equivalence"]


def test_silence_leaves_the_verdict_skipped_and_says_why():
    silence = Silence("No model was asked: none is configured.")
    before = judged()
    rows = with_opinions(before, dict.fromkeys(gaps(before), silence), "")
    for judge in ("semantic_equivalence", "completeness", "arbiter"):
        said = by_judge(rows)[judge]
        assert said["value"] == "skipped"
        assert said["rationale"].endswith(f". {silence.reason}")
        assert "model" not in said
    assert rows.rulings[0]["verdict"] == "skipped"
    assert rows.rulings[0]["evidence"].endswith(silence.reason)
    assert (rows.failures, rows.completions) == (before.failures, before.completions)


@pytest.mark.parametrize(
    ("verdict", "action", "confirmations"),
    [
        ("ground_truth_correct", "cluster", ["confirmed"]),
        ("neither_correct", "review", ["suspect"]),
        ("genie_correct", "correct", []),
        ("both_correct", "none", []),
    ],
)
def test_a_ruling_of_a_model_has_the_consequences_of_any(verdict, action, confirmations):
    rows = with_opinions(judged(), {ARBITER: opinion(verdict)}, "m/1")
    (ruling,) = rows.rulings
    assert (ruling["verdict"], ruling["action"]) == (verdict, action)
    assert (ruling["rule"], ruling["model"]) == ("model_decides", "m/1")
    assert by_judge(rows)["arbiter"]["value"] == verdict
    assert [row["confirmation"] for row in rows.failures] == confirmations


def test_what_a_model_explains_is_one_failure():
    said = {
        MEANING: opinion("no", failure=True),
        COMPLETENESS: opinion("no", failure=True),
        ARBITER: opinion("ground_truth_correct"),
    }
    before = judged()
    (failure,) = with_opinions(before, said, "m/1").failures
    assert (failure["judge"], failure["rule"]) == (
        "semantic_equivalence", "model_decides_semantic_equivalence",
    )  # fmt: skip
    assert failure["verdict_id"] == by_judge(before)["semantic_equivalence"]["verdict_id"]
    assert failure["confirmation"] == "confirmed"
    asi = failure["asi"]
    assert len(asi) == 12
    assert asi["blame_set"] == ["space:s"], "the smallest thing that is known to be to blame"
    assert (asi["expected_value"], asi["actual_value"]) == ("SELECT 1", None)
    assert asi["counterfactual_fix"] == "So it is."


def test_a_failure_that_a_rule_has_named_stays_as_it_is():
    named = Failure("schema_accuracy", "rule", Asi("other", "major", 0.9, ("column:d.t.c",)))
    before = judged(failures=(named,))
    said = {MEANING: opinion("no", failure=True)}
    assert with_opinions(before, said, "m/1").failures == before.failures


def test_an_answer_that_is_right_has_no_failure_of_a_model():
    before = judged(outcome="correct", rule="tie_at_limit", failures=())
    rows = with_opinions(before, {MEANING: opinion("no", failure=True)}, "m/1")
    assert rows.failures == []


def test_rows_fit_their_tables():
    said = {gap: opinion("no", failure=True) for gap in (MEANING, COMPLETENESS)}
    rows = with_opinions(judged(), {**said, ARBITER: opinion("neither_correct")}, "m/1")
    for table, found in (
        (JUDGE_VERDICTS, rows.verdicts),
        (ARBITER_VERDICTS_TABLE, rows.rulings),
        (FAILURES, rows.failures),
    ):
        assert all(row.keys() <= set(table.columns) for row in found)
    assert FAILURE["failure_type"] == rows.failures[0]["asi"]["failure_type"]
