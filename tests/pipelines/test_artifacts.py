"""Artifacts: rows as JSON, and one entry for everything that follows from a ruling."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime
from decimal import Decimal

import pytest

from pipelines.artifacts import build_artifacts, json_value


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (float("nan"), None),
        (float("-inf"), None),
        (0.5, 0.5),
        (datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC), "2026-01-02T03:04:05+00:00"),
        (date(2026, 1, 2), "2026-01-02"),
        (Decimal("1.50"), "1.50"),
        ({1: (None, [float("nan")])}, {"1": [None, [None]]}),
        (True, True),
    ],
)
def test_values_become_what_json_knows(value, expected):
    assert json_value(value) == expected
    json.dumps(json_value(value), allow_nan=False)


def ruling(question_id, action):
    return {
        "question_id": question_id, "attempt": 1, "question": f"{question_id}?",
        "expected_sql": "SELECT 1", "genie_sql": "SELECT 2", "verdict": "v", "rule": "r",
        "evidence": "e", "action": action,
    }  # fmt: skip


def failure(question_id, ordinal, confirmation, judge="syntax_validity"):
    return {
        "question_id": question_id, "attempt": 1, "question": f"{question_id}?",
        "expected_sql": "SELECT 1", "genie_sql": None, "rule": "no_sql", "judge": judge,
        "ordinal": ordinal, "confirmation": confirmation,
    }  # fmt: skip


def test_every_ruling_and_every_confirmed_answer_has_one_entry():
    rulings = [
        ruling("q4", "none"), ruling("q1", "correct"), ruling("q2", "cluster"),
        ruling("q3", "review"),
    ]  # fmt: skip
    failures = [
        failure("q2", 1, "confirmed"), failure("q5", 2, "confirmed"),
        failure("q5", 1, "confirmed"), failure("q6", 1, "infrastructure"),
    ]  # fmt: skip
    actions = build_artifacts([], failures, rulings).arbiter_actions
    assert {name: [e["question_id"] for e in entries] for name, entries in actions.items()} == {
        "corrections": ["q1"],
        "confirmed_failures": ["q2", "q5"],
        "reviews": ["q3"],
        "no_action": ["q4"],
    }
    assert actions["corrections"][0]["old_gt"] == "SELECT 1"
    assert actions["confirmed_failures"][1] == {
        "question_id": "q5", "attempt": 1, "question": "q5?", "old_gt": "SELECT 1",
        "genie_sql": None, "verdict": None, "rule": "no_sql", "evidence": "no_sql",
    }  # fmt: skip


def test_rows_are_in_a_fixed_order():
    failures = [failure("q2", 1, "confirmed"), failure("q1", 2, "confirmed"),
                failure("q1", 1, "confirmed")]  # fmt: skip
    found = build_artifacts([], failures, []).failures
    assert [(f["question_id"], f["ordinal"]) for f in found] == [("q1", 1), ("q1", 2), ("q2", 1)]
    assert build_artifacts([], list(reversed(failures)), []).failures == found
