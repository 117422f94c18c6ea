"""What the train questions of an evaluation show together, and that no single one of them does."""

from __future__ import annotations

import random
from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from tests.transforms.shop import STATE
from transforms.shared_causes import ALWAYS, CAUSES, UNNAMED, VALUES, WORDS
from transforms.space_state import Snippet
from transforms.word_evidence import PARTLY_EXPLAINED, AskedRow, word_findings

DONE = "SELECT COUNT(*) FROM orders WHERE status = 'completed'"
ACTIVE = "SELECT COUNT(*) FROM customers WHERE is_active"
OTHERS = [
    AskedRow(f"other {n}", f"other {n}", f"Regions, {n}", "SELECT Region FROM regions", True)
    for n in range(6)
]


def row(question_id, question, sql, *, group=None, is_wrong=True):
    return AskedRow(question_id, group or f"group of {question_id}", question, sql, is_wrong)


def found(rows, cause, state=STATE):
    findings = word_findings([*rows, *OTHERS], state)
    return {(one.blame, one.question_id): one for one in findings if one.cause == cause}


def test_words_that_two_groups_share_blame_what_they_stand_for():
    rows = [row("q1", "How many settled orders?", DONE), row("q2", "Settled orders in all", DONE)]
    blame = "value:shop.orders.status = 'completed'"
    made = found(rows, WORDS)
    assert made.keys() == {(blame, "q1"), (blame, "q2")}
    assert made[blame, "q1"].terms == ("settled orders",)
    assert made[blame, "q1"].fragment == "shop.orders.status = 'completed'"


def test_paraphrases_are_one_group_and_show_nothing():
    rows = [row(f"q{n}", "How many settled orders?", DONE, group="one") for n in range(5)]
    assert not found(rows, WORDS)
    assert not found(rows, UNNAMED)


def test_right_questions_count_as_evidence_and_give_no_failure():
    rows = [
        row("q1", "How many settled orders?", DONE),
        row("q2", "Settled orders in all", DONE, is_wrong=False),
    ]
    assert {question for _, question in found(rows, WORDS)} == {"q1"}


def test_what_the_space_has_named_is_not_found_again():
    rows = [row("q1", "How many settled orders?", DONE), row("q2", "Settled orders in all", DONE)]
    snippet = Snippet("filter", "orders.status = 'completed'", "settled orders")
    assert not found(rows, WORDS, replace(STATE, snippets=(snippet,)))


def test_words_that_explain_all_of_a_question_count_more():
    rows = [
        row("q1", "How many settled orders?", DONE),
        row("q2", "How many settled orders went astray?", DONE),
    ]
    blame, full = "value:shop.orders.status = 'completed'", CAUSES[WORDS].confidence
    made = found(rows, WORDS)
    assert made[blame, "q1"].confidence == full
    assert made[blame, "q2"].confidence == full * PARTLY_EXPLAINED


def test_a_fragment_that_two_groups_share_without_words_is_unnamed():
    sql = "SELECT COUNT(*) FROM orders WHERE status IN ('open', 'cancelled')"
    rows = [row("q1", "Pending stuff", sql), row("q2", "Unfinished business", sql)]
    blame = "filter:shop.orders.status IN ('cancelled', 'open')"
    assert found(rows, UNNAMED).keys() == {(blame, "q1"), (blame, "q2")}


def test_a_condition_that_all_readers_of_a_table_have_is_not_stated():
    rows = [row(f"q{n}", word, ACTIVE) for n, word in enumerate(("Folks", "Members", "Crowd"))]
    blame = "flag:shop.customers.is_active"
    assert len(found(rows, ALWAYS)) == 3
    assert {made[0] for made in found(rows, ALWAYS)} == {blame}
    other = row("q9", "Everybody", "SELECT COUNT(*) FROM customers")
    assert not found([*rows, other], ALWAYS)
    assert not found(rows[:2], ALWAYS)


def test_values_that_a_question_spells_out_are_not_listed():
    gold = "SELECT COUNT(*) FROM customers WHERE tier = 'Gold'"
    assert found([row("q1", "How many gold members?", gold)], VALUES).keys() == {
        ("column:shop.customers.tier", "q1")
    }
    assert not found([row("q1", "How many of the best?", gold)], VALUES)


def test_expected_sql_that_is_none_shows_nothing():
    rows = [row(f"q{n}", "How many settled orders?", "SELECT FROM") for n in range(3)]
    assert word_findings(rows, STATE) == ()


@given(
    rows=st.lists(
        st.builds(
            row,
            st.sampled_from([f"q{n}" for n in range(6)]),
            st.sampled_from(["Settled orders", "Late gold members", "People here", ""]),
            st.sampled_from([DONE, ACTIVE, "SELECT SUM(total) FROM orders WHERE status = 'open'"]),
            group=st.sampled_from(["g1", "g2", "g3"]),
            is_wrong=st.booleans(),
        ),
        max_size=6,
        unique_by=lambda one: one.question_id,
    ),
    seed=st.integers(),
)
def test_findings_are_of_wrong_questions_in_any_order_and_shared(rows, seed):
    findings = word_findings(rows, STATE)
    assert word_findings(random.Random(seed).sample(rows, len(rows)), STATE) == findings
    known = {one.question_id: one for one in rows}
    assert all(known[one.question_id].is_wrong for one in findings)
    for cause, blame in {(one.cause, one.blame) for one in findings if one.cause != VALUES}:
        wrong = [one.question_id for one in findings if (one.cause, one.blame) == (cause, blame)]
        assert wrong
        assert len({one.group_id for one in rows}) >= 2
