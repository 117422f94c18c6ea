"""Asking: bounded, retried, timed out; every question has an answer in the end."""

from __future__ import annotations

import threading

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from genie.answerers import Answer
from pipelines.asking import AskPolicy, ToAsk, ask_all
from tests.pipelines.scripted import ScriptedAnswerer
from transforms.errors import AnswererError, UnconfiguredSpaceError

FINE = Answer("answered", sql="SELECT 1")
PATIENT = AskPolicy(max_in_flight=2, timeout_s=30, max_attempts=3, backoff_s=1, max_backoff_s=3)


def to_ask(*question_ids):
    return [ToAsk(question_id, f"{question_id}?") for question_id in question_ids]


def busy():
    return AnswererError("429 too many requests")


def test_a_transient_failure_is_asked_again_after_a_growing_pause():
    answerer = ScriptedAnswerer({"q1": [busy(), busy(), FINE]})
    pauses = []
    (asked,) = ask_all(answerer, to_ask("q1"), PATIENT, sleep=pauses.append)
    assert (asked.answer, asked.ask_count) == (FINE, 3)
    assert pauses == [1, 2]


def test_the_number_of_attempts_and_each_pause_are_bounded():
    policy = AskPolicy(max_attempts=5, backoff_s=1, max_backoff_s=3, timeout_s=30)
    answerer = ScriptedAnswerer({"q1": [busy()]})
    pauses = []
    (asked,) = ask_all(answerer, to_ask("q1"), policy, sleep=pauses.append)
    assert (asked.answer.outcome, asked.ask_count) == ("failed", 5)
    assert "429 too many requests" in (asked.answer.error or "")
    assert pauses == [1, 2, 3, 3]


@pytest.mark.parametrize(
    "answer",
    [Answer("no_sql", text="I cannot"), Answer("timed_out"), Answer("failed", error="FAILED")],
    ids=lambda answer: answer.outcome,
)
def test_what_the_answerer_says_is_final_is_not_asked_again(answer):
    answerer = ScriptedAnswerer({"q1": [answer, FINE]})
    (asked,) = ask_all(answerer, to_ask("q1"), PATIENT)
    assert (asked.answer, asked.ask_count) == (answer, 1)


def test_a_fault_in_the_answerers_code_costs_one_question():
    answerer = ScriptedAnswerer({"q2": [KeyError("oops")]})
    asked = ask_all(answerer, to_ask("q1", "q2", "q3"), PATIENT)
    assert [a.answer.outcome for a in asked] == ["answered", "failed", "answered"]
    assert asked[1].answer.error == "KeyError: 'oops'"


def test_an_answerer_that_can_answer_nothing_ends_the_asking():
    answerer = ScriptedAnswerer({"q2": [UnconfiguredSpaceError("the space is gone")]})
    with pytest.raises(UnconfiguredSpaceError):
        ask_all(answerer, to_ask("q1", "q2", "q3"), PATIENT)


def test_a_call_that_does_not_come_back_is_given_up_and_the_others_go_on():
    release = threading.Event()

    def hang():
        release.wait(30)
        return FINE

    answerer = ScriptedAnswerer({"q1": [hang]})
    policy = AskPolicy(max_in_flight=2, timeout_s=0.1)
    try:
        asked = ask_all(answerer, to_ask("q1", "q2", "q3"), policy)
    finally:
        release.set()
    assert [a.answer.outcome for a in asked] == ["timed_out", "answered", "answered"]
    assert answerer.calls.count("q1") == 1, "it may still be under way at the answerer"


def test_calls_that_hang_keep_their_places():
    release = threading.Event()

    def hang():
        release.wait(30)
        return FINE

    answerer = ScriptedAnswerer(default=hang)
    policy = AskPolicy(max_in_flight=2, timeout_s=0.1)
    try:
        asked = ask_all(answerer, to_ask(*"abcde"), policy)
    finally:
        release.set()
    assert {a.answer.outcome for a in asked} == {"timed_out"}
    assert answerer.most_in_flight == 2
    assert len(answerer.calls) == 2


@settings(deadline=None, max_examples=25)
@given(
    st.lists(st.sampled_from(["fine", "busy once", "busy", "no_sql", "bug"]), max_size=12),
    st.integers(1, 4),
)
def test_every_question_has_its_answer_in_the_order_of_the_questions(kinds, max_in_flight):
    steps = {
        "fine": [FINE],
        "busy once": [busy(), FINE],
        "busy": [busy()],
        "no_sql": [Answer("no_sql")],
        "bug": [ValueError("bug")],
    }
    outcomes = {"fine": "answered", "busy once": "answered", "busy": "failed",
                "no_sql": "no_sql", "bug": "failed"}  # fmt: skip
    ids = [f"q{n}" for n in range(len(kinds))]
    answerer = ScriptedAnswerer({i: steps[kind] for i, kind in zip(ids, kinds, strict=True)})
    policy = AskPolicy(max_in_flight=max_in_flight, timeout_s=30)
    done = []
    asked = ask_all(answerer, to_ask(*ids), policy, sleep=lambda pause: None, on_answer=done.append)
    assert [a.question_id for a in asked] == ids
    assert [a.answer.outcome for a in asked] == [outcomes[kind] for kind in kinds]
    assert sorted(done) == list(range(1, len(kinds) + 1))
    assert answerer.most_in_flight <= max_in_flight
