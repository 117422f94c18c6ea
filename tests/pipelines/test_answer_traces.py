"""Traces from rows: one per answer, the ASI with its judge, and no benchmark text but train's."""

from __future__ import annotations

import pytest

from pipelines.answer_traces import answer_traces
from tests.jobs import seeded

SECRET = "SELECT secret FROM orders"


def result(question_id, split, **changes):
    return {
        **dict.fromkeys(
            ("answer_text", "answer_error", "match_step", "genie_row_count", "conversation_id",
             "message_id", "latency_ms")
        ),
        **seeded.eval_result(question_id, is_correct=False),
        "split": split, "expected_sql": SECRET, **changes,
    }  # fmt: skip


def failure(question_id, ordinal=1, **changes):
    row = seeded.failure(question_id)
    asi = {**row["asi"], "expected_value": SECRET, "quoted_metadata_text": None}
    return {**row, "ordinal": ordinal, "asi": {**asi, **changes}}


def verdict(question_id, split, judge="logical_accuracy", value="no"):
    return {
        "question_id": question_id, "attempt": 1, "split": split, "judge": judge, "value": value,
        "confidence": 0.75, "rationale": f"expected was {SECRET}",
        "verdict_id": seeded.failure(question_id, judge)["verdict_id"],
    }  # fmt: skip


def traces(split, **changes):
    return answer_traces(
        [result("q2", split, **changes), result("q1", split)],
        [verdict("q2", split), verdict("q2", split, "asset_routing", "skipped")],
        [failure("q2"), failure("q2", 2, failure_type="wrong_join"), failure("q1")],
        started_ms=1000,
    )


def test_every_answer_has_one_trace_in_order_and_every_judge_one_assessment():
    first, second = traces("train", latency_ms=12)
    assert (first.question_id, second.question_id) == ("q1", "q2")
    assert first.trace_id != second.trace_id
    assert traces("train")[1].trace_id == second.trace_id
    assert (first.feedback, first.duration_ms) == ((), 0)
    assert (second.started_ms, second.duration_ms) == (1000, 12)
    assert second.inputs == {"question": seeded.TEXT_OF["q2"]}
    assert second.outputs == {
        "genie_sql": "SELECT 1", "answer_outcome": "answered", "outcome": "incorrect",
        "is_correct": False, "ask_count": 1,
    }  # fmt: skip
    assert second.tags == {
        "genie_loop.space_id": "shop", "genie_loop.question_id": "q2", "genie_loop.attempt": "1",
        "genie_loop.split": "train", "genie_loop.outcome": "incorrect",
    }  # fmt: skip
    assert [(f.judge, f.value) for f in second.feedback] == [
        ("asset_routing", "skipped"), ("logical_accuracy", "no"),
    ]  # fmt: skip


def test_the_asi_of_a_judges_failures_is_in_its_assessment():
    metadata = traces("train")[1].feedback[1].metadata
    assert metadata == {
        "verdict_id": seeded.failure("q2")["verdict_id"],
        "confidence": "0.75",
        "split": "train",
        "failure_count": "2",
        **{
            f"asi.{ordinal}.{name}": value
            for ordinal, failure_type in ((1, "missing_filter"), (2, "wrong_join"))
            for name, value in {
                "failure_type": failure_type,
                "severity": "major",
                "confidence": "0.9",
                "wrong_clause": "WHERE",
                "blame_set": '["column:shop.orders.status"]',
                "ambiguity_detected": "false",
                "expected_value": SECRET,
                "counterfactual_fix": "say what paid means",
                "rule": "filter_missing",
                "confirmation": "confirmed",
            }.items()
        },
    }
    assert traces("train")[1].feedback[0].metadata["failure_count"] == "0"


@pytest.mark.parametrize("split", ["held_out", "sealed"])
def test_what_a_benchmark_of_another_split_expects_is_in_no_trace(split):
    trace = traces(split)[1]
    assert SECRET not in repr(trace)
    assert trace.expectations == {}
    assert [f.value for f in trace.feedback] == ["skipped", "no"], "judges are counted all the same"
    assert trace.feedback[1].metadata["asi.1.failure_type"] == "missing_filter"
    assert "say what paid means" not in repr(trace)
    assert traces("train")[1].expectations == {"expected_sql": SECRET}


@pytest.mark.parametrize(
    ("changes", "preview", "is_fault"),
    [
        ({}, "SELECT 1", False),
        ({"genie_sql": None, "answer_text": "Which year?", "answer_outcome": "no_sql"},
         "Which year?", False),
        ({"genie_sql": None, "answer_error": "503", "answer_outcome": "failed"}, "503", True),
        ({"genie_sql": None, "answer_outcome": "timed_out"}, "", True),
    ],
)  # fmt: skip
def test_a_trace_says_what_came_of_the_asking(changes, preview, is_fault):
    trace = traces("train", **changes)[1]
    assert (trace.preview, trace.is_fault) == (preview, is_fault)
