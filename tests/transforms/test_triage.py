"""Rules 1 and 2: no evaluation without its rows; only confirmed train failures go on."""

from __future__ import annotations

import pytest

from tests.transforms.contract_frames import frame
from transforms.contracts import ARBITER_VERDICTS_TABLE, EVAL_RESULTS, EVALUATIONS, FAILURES
from transforms.triage import confirmed_train_failures, missing_evidence

# Each evaluation counts 2 questions, 1 failure, 1 verdict; what its tables hold is what varies:
# question ids of eval_results with their outcome, failures, verdicts.
EVIDENCE = {
    "whole": ([("q1", "correct"), ("q2", "incorrect")], 1, ["ground_truth_correct"], None),
    "asked twice": (
        [("q1", "correct"), ("q1", "correct"), ("q2", "incorrect")],
        1,
        ["ground_truth_correct", "skipped"],
        None,
    ),
    "no rows at all": ([], 0, [], "it has no rows in eval_results"),
    "only its mean": ([], 1, ["ground_truth_correct"], "it has no rows in eval_results"),
    "a row lost": (
        [("q1", "correct")],
        1,
        ["ground_truth_correct"],
        "it counts 2 questions, but eval_results has 1",
    ),
    "a row never judged": (
        [("q1", "correct"), ("q2", None)],
        1,
        ["ground_truth_correct"],
        "1 rows of eval_results have no outcome",
    ),
    "failures lost": (
        [("q1", "correct"), ("q2", "incorrect")],
        0,
        ["ground_truth_correct"],
        "it counts 1 failures, but failures has 0",
    ),
    "a failure too many": (
        [("q1", "correct"), ("q2", "incorrect")],
        2,
        ["ground_truth_correct"],
        "it counts 1 failures, but failures has 2",
    ),
    "verdicts lost": (
        [("q1", "correct"), ("q2", "incorrect")],
        1,
        ["skipped"],
        "it counts 1 arbiter verdicts, but arbiter_verdicts has 0",
    ),
}


@pytest.fixture(scope="module")
def problems(spark):
    counted = {
        "question_count": 2,
        "failure_count": 1,
        "arbiter_counts": {"ground_truth_correct": 1, "skipped": 3},
    }
    found = missing_evidence(
        frame(spark, EVALUATIONS, [{"evaluation_id": name, **counted} for name in EVIDENCE]),
        frame(
            spark,
            EVAL_RESULTS,
            [
                {"evaluation_id": name, "question_id": question, "outcome": outcome}
                for name, (results, *_) in EVIDENCE.items()
                for question, outcome in results
            ],
        ),
        frame(
            spark,
            FAILURES,
            [
                {"evaluation_id": name, "failure_id": str(number)}
                for name, (_, count, *_) in EVIDENCE.items()
                for number in range(count)
            ],
        ),
        frame(
            spark,
            ARBITER_VERDICTS_TABLE,
            [
                {"evaluation_id": name, "verdict": verdict}
                for name, (_, _, verdicts, _) in EVIDENCE.items()
                for verdict in verdicts
            ],
        ),
    )
    return {row["evaluation_id"]: row["problem"] for row in found.collect()}


@pytest.mark.parametrize("name", EVIDENCE)
def test_an_evaluation_without_its_rows_is_named_with_what_is_missing(problems, name):
    assert problems.get(name) == EVIDENCE[name][3]


def test_only_confirmed_failures_of_train_are_clustered(spark):
    kinds = [
        (split, confirmation)
        for split in ("train", "held_out", "sealed")
        for confirmation in ("confirmed", "suspect", "unarbitrated", "infrastructure")
    ]
    rows = [{"split": split, "confirmation": confirmation} for split, confirmation in kinds]
    kept = confirmed_train_failures(frame(spark, FAILURES, rows)).collect()
    assert [(row["split"], row["confirmation"]) for row in kept] == [("train", "confirmed")]
