"""Corrections: counted by evaluation, however often they are merged, and proposed once."""

from __future__ import annotations

from tests.frames import assert_same_rows
from tests.transforms.contract_frames import frame
from transforms.contracts import ARBITER_VERDICTS_TABLE, BENCHMARK_CORRECTIONS
from transforms.corrections import (
    CORRECTION_COLUMNS,
    correction_drafts,
    merged_corrections,
    seen_corrections,
)
from transforms.identity import make_id
from transforms.patches import CorrectBenchmark, parse_patch


def verdict(question="q1", evaluation="e1", *, verdict="genie_correct", **changed):
    return {
        "space_id": "shop",
        "evaluation_id": evaluation,
        "question_id": question,
        "attempt": 1,
        "split": "train",
        "question": f"What of {question}?",
        "expected_sql": "SELECT 1",
        "genie_sql": "SELECT 2",
        "verdict": verdict,
        "confidence": 0.7,
        "evidence": "two is what the data says",
        **changed,
    }


def seen(spark, *verdicts):
    return seen_corrections(frame(spark, ARBITER_VERDICTS_TABLE, list(verdicts)))


def test_only_what_the_arbiter_found_right_against_the_benchmark_is_corrected(spark):
    others = [
        verdict(f"q-{value}", verdict=value)
        for value in ("ground_truth_correct", "both_correct", "neither_correct", "skipped")
    ]
    [row] = seen(spark, verdict(), *others).collect()
    assert row["question_id"] == "q1"
    assert (row["old_gt"], row["genie_sql"], row["times_seen"]) == ("SELECT 1", "SELECT 2", 1)
    assert row["correction_id"] == make_id("correction", "shop", "q1", "SELECT 2")


def test_an_evaluation_counts_once_however_often_it_is_merged(spark):
    known = frame(spark, BENCHMARK_CORRECTIONS, []).select(*CORRECTION_COLUMNS)
    first = seen(spark, verdict(), verdict(evaluation="e2"), verdict(attempt=2))
    second = seen(spark, verdict(evaluation="e2"), verdict(evaluation="e3"))
    once = merged_corrections(known, first)
    [row] = merged_corrections(once, second).collect()
    assert row["evaluation_ids"] == ["e1", "e2", "e3"]
    assert row["times_seen"] == 3
    assert_same_rows(merged_corrections(once, first), once)


def test_known_corrections_without_news_are_left_alone(spark):
    known = seen(spark, verdict("q1"), verdict("q2"))
    merged = merged_corrections(known, seen(spark, verdict("q2", "e9")))
    assert [row["question_id"] for row in merged.collect()] == ["q2"]


def test_a_correction_is_drafted_as_a_patch_of_lever_zero(spark):
    verdicts = [verdict(), verdict(evaluation="e2"), verdict("q2", verdict="skipped")]
    [row] = correction_drafts(frame(spark, ARBITER_VERDICTS_TABLE, verdicts)).collect()
    assert (row["lever"], row["cluster_id"], row["risk"]) == (0, None, "medium")
    assert (row["before"], row["after"]) == ("SELECT 1", "SELECT 2")
    assert parse_patch(row["patch"]) == CorrectBenchmark(
        space_id="shop", question_id="q1", expected_sql="SELECT 2"
    )


def test_the_same_correction_is_the_same_proposal_in_a_later_evaluation(spark):
    def proposal_id(**changed):
        rows = frame(spark, ARBITER_VERDICTS_TABLE, [verdict(**changed)])
        return correction_drafts(rows).collect()[0]["proposal_id"]

    first = proposal_id()
    assert proposal_id(evaluation="e2", evidence="said otherwise", confidence=0.9) == first
    assert proposal_id(expected_sql="SELECT 3") != first, "the benchmark is another one"
    assert proposal_id(genie_sql="SELECT 4") != first, "the answer is another one"
