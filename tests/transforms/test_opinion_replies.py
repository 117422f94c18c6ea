"""What counts of a reply: only what it can show."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.transforms.opinions import (
    ARBITER,
    COMPLETENESS,
    FAILURE,
    MEANING,
    NO_FAILURE,
    SWAPPED,
    Q,
    reply,
    ruling,
)
from transforms.opinion_replies import MAX_CONFIDENCE, Opinion, Silence, read_reply, settled

APART = (("expected_sql", "SELECT name"), ("produced_sql", "select  DISTINCT\nname"))


def test_an_opinion_has_what_was_quoted_by_its_own_name():
    found = read_reply(ruling("second"), ARBITER)
    assert isinstance(found, Opinion)
    assert (found.verdict, found.confidence) == ("genie_correct", MAX_CONFIDENCE)
    assert found.quoted("expected_sql") == "SELECT name"
    assert found.told == (
        "Because of what is quoted. Quoted: question: shops are in Peru; "
        "expected_sql: SELECT name; produced_sql: SELECT DISTINCT name"
    )
    assert found.failure is None


@pytest.mark.parametrize("value", ["yes", "no"])
def test_same_or_other_metric_is_shown_by_both_queries(value):
    found = read_reply(reply(value, *APART, failure=NO_FAILURE), MEANING)
    assert isinstance(found, Opinion)
    assert found.verdict == value


def test_a_no_says_what_is_wrong_and_blames_only_what_there_is():
    found = read_reply(reply("no", Q, failure=FAILURE), COMPLETENESS)
    assert isinstance(found, Opinion)
    assert found.failure.blame == ("column:d.shop.country",)
    assert (found.failure.failure_type, found.failure.wrong_clause) == ("missing_filter", "WHERE")
    yes = reply("yes", Q, ("produced_sql", "country = 'Peru'"), failure=NO_FAILURE)
    assert read_reply(yes, COMPLETENESS).failure is None


def test_a_fence_around_the_json_does_not_matter():
    assert isinstance(read_reply(f"```json\n{ruling('first')}\n```\n", ARBITER), Opinion)


UNSHOWN = {
    "nothing quoted": reply("second"),
    "no question": reply("second", ("first", "SELECT name"), ("second", "DISTINCT name")),
    "one query only": reply("second", Q, ("second", "DISTINCT name")),
    "made up": reply("second", Q, ("first", "GROUP BY name"), ("second", "DISTINCT name")),
    "from the other query": reply("second", Q, ("first", "DISTINCT"), ("second", "DISTINCT")),
    "what both say": reply("second", Q, ("first", "FROM shop"), ("second", "FROM shop")),
    "a literal alone": reply("second", Q, ("first", "'Peru'"), ("second", "DISTINCT name")),
    "a part of a literal": reply("second", Q, ("first", "Pe"), ("second", "DISTINCT name")),
    "a part of a word": reply("second", Q, ("first", "SELECT na"), ("second", "DISTINCT name")),
    "another spelling": ruling("second", first="country = 'peru'"),
    "small words": reply(
        "second", ("question", "are in"), ("first", "SELECT name"), ("second", "DISTINCT name")
    ),
    "a comment": ruling("second").replace('"first"', '"objects"'),
    "empty": ruling("second", first=""),
}


@pytest.mark.parametrize("text", UNSHOWN.values(), ids=UNSHOWN.keys())
def test_a_verdict_that_is_not_shown_is_none(text):
    found = read_reply(text, ARBITER)
    assert isinstance(found, Silence)
    assert "is not shown by what it quotes" in found.reason
    assert found.is_reply


OTHER_FORMS = {
    "no JSON": "genie_correct",
    "a list": "[]",
    "a text": '"genie_correct"',
    "another value": ruling("genie_correct"),
    "another judge's value": ruling("yes"),
    "a field more": ruling("second", sure=True),
    "a failure more": ruling("second", failure=FAILURE),
    "a confidence in words": ruling("second", confidence="high"),
    "too much confidence": ruling("second", confidence=1.1),
    "no rationale": ruling("second", rationale=""),
    "a quote that is none": ruling("second", evidence=["SELECT name"]),
    "a fence that does not end": "```json\n" + ruling("second"),
    "nested without end": "[" * 100_000,
    "not a number": ruling("second").replace("0.9", "NaN"),
    "too long": ruling("second", rationale="x" * 30_000),
    "a number that is too long to read": ruling("second").replace("0.9", "9" * 5_000),
}


@pytest.mark.parametrize("text", OTHER_FORMS.values(), ids=OTHER_FORMS.keys())
def test_a_reply_of_another_form_is_none(text):
    found = read_reply(text, ARBITER)
    assert isinstance(found, Silence)
    assert not found.is_reply, "another time it may have the right one"


def test_a_failure_of_a_type_there_is_not_is_none():
    said = reply("no", Q, failure={**FAILURE, "failure_type": "bad_luck"})
    assert isinstance(read_reply(said, COMPLETENESS), Silence)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (reply("cannot_tell"), "The model cannot tell."),
        (ruling("second", confidence=0.4), "The model is not sure enough: 0.40."),
    ],
)
def test_a_model_may_leave_it_open(text, reason):
    assert read_reply(text, ARBITER) == Silence(reason, is_reply=True)


@pytest.mark.parametrize("value", ["first", "second"])
def test_whoever_always_says_the_same_place_says_nothing(value):
    once = read_reply(ruling(value), ARBITER)
    again = read_reply(ruling(value, first="DISTINCT", second="SELECT name"), SWAPPED)
    assert isinstance(once, Opinion)
    assert isinstance(again, Opinion)
    assert isinstance(settled(once, again), Silence)


def test_the_same_verdict_in_both_places_counts_at_its_lower_confidence():
    once = read_reply(ruling("second", confidence=0.9), ARBITER)
    again = read_reply(
        ruling("first", first="DISTINCT", second="SELECT name", confidence=0.55), SWAPPED
    )
    found = settled(once, again)
    assert (found.verdict, found.confidence) == ("genie_correct", 0.55)
    assert settled(once, Silence("away")) == Silence("away")


def test_a_rationale_is_one_line_that_moves_no_cursor():
    found = read_reply(ruling("second", rationale="a\n\x1b[2J b\u202e"), ARBITER)
    assert found.rationale == "a [2J b"


@given(
    st.text(max_size=60)
    | st.recursive(
        st.none() | st.booleans() | st.floats() | st.text(max_size=5),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(
                st.sampled_from(["value", "rationale", "confidence", "evidence", "x"]), inner
            )
        ),
    ).map(json.dumps)
)
def test_no_reply_that_shows_nothing_is_ever_an_opinion(text):
    for request in (ARBITER, MEANING, COMPLETENESS):
        assert isinstance(read_reply(text, request), Silence)


@pytest.mark.parametrize("key", ["a\n\x1b[2J b\u202e", "x" * 10_000])
def test_what_a_model_calls_a_field_is_told_on_one_short_line_that_moves_no_cursor(key):
    found = read_reply(ruling("second", **{key: 1}), ARBITER)
    assert isinstance(found, Silence)
    assert found.reason.startswith("The model's reply has another form: ")
    assert found.reason.isprintable()
    assert len(found.reason) < 500
