"""Several answers to one question: which are one, what share the dominant has, when to stop."""

from __future__ import annotations

from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from transforms.repeatability import (
    ASKED_ONCE,
    TARGET,
    Asking,
    is_decided,
    needs_results,
    repeatability,
    repeated,
)

A, B, C = (Asking(f"SELECT {name}", f"result of {name}") for name in "abc")
OTHER_SQL = Asking("SELECT a, written otherwise", "result of a")
NO_SQL = Asking(None)


def told(*askings):
    found = repeated(askings)
    return (found.result_share, found.sql_share, len(found.answers), found.is_unstable)


CASES = {
    "the same twice": ((A, A), (1.0, 1.0, 1, False)),
    "two answers": ((A, B), (0.5, 0.5, 2, True)),
    "one result of two queries": ((A, OTHER_SQL), (1.0, 0.5, 1, False)),
    "one query whose result is not there once": ((A, Asking(A.sql)), (1.0, 1.0, 1, False)),
    "one query that gives two results": ((A, Asking(A.sql, "another")), (1.0, 1.0, 1, False)),
    "no SQL twice is one answer": ((NO_SQL, NO_SQL), (1.0, 1.0, 1, False)),
    "no SQL is another answer": ((A, NO_SQL, A), (2 / 3, 2 / 3, 2, True)),
    "results of other data are not compared": (
        (A, Asking("SELECT x", A.result_hash, data="later")), (0.5, 0.5, 2, True),
    ),
    "but one query is one on all data": (
        (A, Asking(A.sql, "grown", "later"), Asking("SELECT x", "grown", "later")),
        (1.0, 2 / 3, 1, False),
    ),
    "without results the SQL decides": (
        (Asking("SELECT 1"), Asking("SELECT 2"), Asking("SELECT 1")), (2 / 3, 2 / 3, 2, True),
    ),
    "nine of ten reach the target": ((A,) * 9 + (B,), (0.9, 0.9, 2, False)),
    "eight of nine do not": ((A,) * 8 + (B,), (8 / 9, 8 / 9, 2, True)),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES)
def test_answers_are_one_by_result_and_then_by_sql(case):
    askings, expected = CASES[case]
    assert told(*askings) == expected


def test_the_dominant_answer_comes_first_and_of_two_the_one_given_first():
    assert [sql for _, sql, _ in repeated((B, A, C, A)).answers] == [A.sql, B.sql, C.sql]


def test_the_verdict_says_how_often_and_is_skipped_for_what_was_asked_once():
    assert repeatability(repeated([A])) == ASKED_ONCE
    assert repeatability(repeated([A, OTHER_SQL])).value == "yes"
    said = repeatability(repeated([A, B, A]))
    assert (said.value, said.confidence) == ("no", 1.0)
    assert said.rationale == "2 of 3 askings give one answer; the SQL is written in 2 ways."


@pytest.mark.parametrize(
    ("askings", "left", "is_over"),
    [
        ((), 1, False),
        ((A,), 0, True),
        ((A,), 1, False),
        ((A, A), 1, False),  # of three, one otherwise misses the target
        ((A, B), 1, False),  # which is the dominant one
        ((A, B, A), 2, False),
        ((A, B, A, A), 1, True),  # unstable whatever comes, and the third A cannot be caught up
        ((A,) * 9, 1, True),  # nine of ten is enough
        ((A,) * 8 + (B,), 1, False),
        ((A,) * 8 + (B,), 11, False),
    ],
)
def test_asking_ends_when_nothing_can_change(askings, left, is_over):
    assert is_decided(askings, left) is is_over


@given(st.lists(st.sampled_from([A, B, C, NO_SQL]), max_size=6), st.integers(0, 4))
def test_what_is_decided_comes_out_the_same_whatever_further_askings_say(askings, left):
    if len(askings) < 2 or not is_decided(askings, left):
        return
    now = repeated(askings)
    for further in product([A, B, C, NO_SQL], repeat=left):
        then = repeated([*askings, *further])
        assert then.is_unstable == now.is_unstable
        assert then.answers[0][1] == now.answers[0][1]


@given(st.lists(st.sampled_from([A, B, C, NO_SQL, OTHER_SQL]), min_size=2, max_size=8))
def test_every_asking_is_counted_once_and_results_tell_apart_no_more_than_sql(askings):
    found = repeated(askings)
    assert sum(count for count, _, _ in found.answers) == found.asked_count == len(askings)
    assert found.sql_share <= found.result_share <= 1
    assert found.is_unstable == (found.result_share < TARGET)
    if not needs_results(askings):
        assert found.result_share == 1
