"""A space is steady when it answered everything alike the second time it was asked the same."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from tests.transforms.contract_frames import frame
from transforms.contracts import EVAL_RESULTS, EVALUATIONS
from transforms.steadiness import MIN_SAME_ANSWERS, asked_twice, steady_spaces

START = datetime(2026, 1, 1, tzinfo=UTC)
ENOUGH = MIN_SAME_ANSWERS
# name: SQL of the first and the second asking of each question; whether that shows steadiness
SPACES = {
    "all alike": ([("a", "a")] * ENOUGH, True),
    "one otherwise": ([("a", "a")] * ENOUGH + [("a", "b")], False),
    "no SQL both times": ([(None, None)] * ENOUGH, True),
    "no SQL once": ([("a", "a")] * ENOUGH + [("a", None)], False),
    "too few": ([("a", "a")] * (ENOUGH - 1), False),
    "a platform that failed": ([("a", "a")] * ENOUGH + [("a", "failed")], True),
}


@pytest.fixture(scope="module")
def steady(spark):
    evaluations, results = [], []
    for name, (answers, _) in SPACES.items():
        for number in (0, 1):
            evaluation = _evaluation(name, number)
            evaluations.append(evaluation)
            results += [
                {
                    "evaluation_id": evaluation["evaluation_id"],
                    "question_id": f"q{position}",
                    "attempt": 1,
                    "answer_outcome": "failed" if sql == "failed" else "answered",
                    "genie_sql": sql,
                }
                for position, both in enumerate(answers)
                for sql in [both[number]]
            ]
    twice = asked_twice(frame(spark, EVALUATIONS, evaluations))
    found = steady_spaces(twice, frame(spark, EVAL_RESULTS, results))
    return {row["space_id"] for row in found.collect()}


def _evaluation(space, number, **changed):
    return {
        "space_id": space,
        "evaluation_id": f"{space}/{number}",
        "answerer": "genie:x",
        "state_hash": "state",
        "started_at": START + timedelta(hours=number),
        **changed,
    }


@pytest.mark.parametrize("name", SPACES)
def test_a_space_is_steady_when_it_answers_the_same_again(steady, name):
    assert (name in steady) is SPACES[name][1]


def test_the_newest_two_of_one_state_and_answerer_are_looked_at(spark):
    evaluations = [
        _evaluation("shop", 0),
        _evaluation("shop", 1),
        _evaluation("shop", 2),
        _evaluation("shop", 3, state_hash="other"),
        _evaluation("shop", 4, answerer="genie:y"),
        _evaluation("bank", 0),
        _evaluation("bank", 1, state_hash="other"),
    ]
    rows = asked_twice(frame(spark, EVALUATIONS, evaluations)).collect()
    assert [(row["space_id"], row["twice_ids"]) for row in rows] == [("shop", ["shop/1", "shop/2"])]
