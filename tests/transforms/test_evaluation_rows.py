"""Judgements as rows: every answer in every count, ids that do not change."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from transforms.contracts import JUDGES, OUTCOMES, SPLITS
from transforms.evaluation_rows import (
    COMPLETION_COLUMNS,
    evaluation_counts,
    judged_rows,
    metrics_of,
    unjudged,
)
from transforms.judgement import (
    ArbiterRuling,
    Asi,
    Comparison,
    Execution,
    Failure,
    Judgement,
    Verdict,
)

ANSWER = {
    "space_id": "s",
    "evaluation_id": "evaluation-1",
    "question_id": "q1",
    "attempt": 1,
    "group_id": "group-1",
    "split": "train",
    "question": "How many?",
    "expected_sql": "SELECT 1",
    "genie_sql": "SELECT 2",
}
ONE = Execution("ok", ("n",), ("int",), ((1,),))
TWO = Execution("ok", ("n",), ("int",), ((2,),))


def failure(judge="logical_accuracy"):
    asi = Asi("wrong_aggregation", "major", 0.9, ("column:d.t.c",))
    return Failure(judge, "rule", asi, "MAX(x)", "MIN(x)", ("least",))


WRONG = Judgement(
    outcome="incorrect",
    comparison=Comparison("different", False, "they differ"),
    verdicts=(
        Verdict("logical_accuracy", "no", "because", 0.9),
        Verdict("result_correctness", "no", "because", 1.0),
    ),
    failures=(failure(), failure(), failure("result_correctness")),
    ruling=ArbiterRuling("ground_truth_correct", "rule", "evidence", 0.8),
    confirmation="confirmed",
)


def test_failures_are_counted_within_their_verdict():
    found = judged_rows(ANSWER, ONE, TWO, WRONG)
    by_judge = {v["judge"]: v["verdict_id"] for v in found.verdicts}
    assert [(f["verdict_id"], f["ordinal"]) for f in found.failures] == [
        (by_judge["logical_accuracy"], 1),
        (by_judge["logical_accuracy"], 2),
        (by_judge["result_correctness"], 1),
    ]
    assert len({f["failure_id"] for f in found.failures}) == 3
    assert found.failures[0]["asi"]["blame_set"] == ["column:d.t.c"]
    assert {f["confirmation"] for f in found.failures} == {"confirmed"}
    assert [r["action"] for r in found.rulings] == ["cluster"]


def test_the_same_judgement_gives_the_same_rows():
    assert judged_rows(ANSWER, ONE, TWO, WRONG) == judged_rows(dict(ANSWER), ONE, TWO, WRONG)


def test_a_completion_says_what_came_of_both_queries():
    late = Execution("timed_out", error="no result within 60 s")
    (row,) = judged_rows(ANSWER, ONE, late, WRONG).completions
    assert {column: row[column] for column in COMPLETION_COLUMNS} | {
        "expected_result_hash": None
    } == {
        "outcome": "incorrect",
        "match_step": "different",
        "is_correct": False,
        "expected_row_count": 1,
        "genie_row_count": None,
        "expected_result_hash": None,
        "genie_result_hash": None,
        "execution_error": "produced: timed_out: no result within 60 s",
    }
    assert row["expected_result_hash"]


def test_what_the_judges_could_not_judge_is_skipped_by_all_and_right_for_none():
    found = judged_rows(ANSWER, ONE, TWO, unjudged("too deep"))
    assert [(v["judge"], v["value"], v["confidence"]) for v in found.verdicts] == [
        (judge, "skipped", None) for judge in JUDGES
    ]
    (row,) = found.completions
    assert (row["outcome"], row["is_correct"]) == ("not_comparable", False)
    assert found.failures == found.rulings == []


RESULTS = st.lists(
    st.fixed_dictionaries(
        {
            "split": st.sampled_from(SPLITS),
            "outcome": st.sampled_from(OUTCOMES),
            "is_correct": st.sampled_from([True, False, None]),
        }
    ),
    max_size=30,
)


@settings(deadline=None)
@given(RESULTS)
def test_every_result_is_in_every_denominator(results):
    counts = evaluation_counts(results, [], 0)
    assert counts["question_count"] == len(results)
    assert sum(counts["outcome_counts"].values()) == len(results)
    assert sum(s["question_count"] for s in counts["splits"]) == len(results)
    assert sum(s["correct_count"] for s in counts["splits"]) == counts["correct_count"]
    assert (counts["accuracy"] is None) is (not results)
    for split in counts["splits"]:
        assert (split["accuracy"] is None) is (split["question_count"] == 0)


def test_a_skipped_verdict_is_not_a_pass_and_the_arbiter_is_counted():
    right = {"outcome": "correct", "is_correct": True}
    faulty = {"outcome": "infrastructure", "is_correct": False}
    results = [
        {"split": "train", **right},
        {"split": "train", **faulty},
        {"split": "sealed", **right},
        {"split": "sealed", **right},
    ]
    verdicts = [
        {"judge": "schema_accuracy", "split": "train", "value": "yes"},
        {"judge": "schema_accuracy", "split": "train", "value": "skipped"},
        {"judge": "schema_accuracy", "split": "sealed", "value": "no"},
        {"judge": "repeatability", "split": "train", "value": "skipped"},
        {"judge": "arbiter", "split": "train", "value": "genie_correct"},
        {"judge": "arbiter", "split": "sealed", "value": "genie_correct"},
    ]
    metrics = metrics_of(results, verdicts)
    bounds = {name: metrics.pop(name) for name in (*metrics,) if name.startswith("accuracy_")}
    assert {name: round(bound, 3) for name, bound in bounds.items()} == {
        "accuracy_low/all": 0.301,
        "accuracy_high/all": 0.954,
        "accuracy_low/sealed": 0.342,
        "accuracy_high/sealed": 1.0,
        "accuracy_low/train": 0.095,
        "accuracy_high/train": 0.905,
    }
    assert metrics == {
        "accuracy/all": 0.75,
        "accuracy/sealed": 1.0,
        "accuracy/train": 0.5,
        "arbiter/genie_correct/all": 2.0,
        "arbiter/genie_correct/sealed": 1.0,
        "arbiter/genie_correct/train": 1.0,
        "infrastructure/all": 1.0,
        "infrastructure/sealed": 0.0,
        "infrastructure/train": 1.0,
        "questions/all": 4.0,
        "questions/sealed": 2.0,
        "questions/train": 2.0,
        "schema_accuracy/all": 0.25,
        "schema_accuracy/sealed": 0.0,
        "schema_accuracy/train": 0.5,
    }
