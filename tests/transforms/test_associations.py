"""Words stand for a need only where two train groups say so, and hardly anybody else."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from transforms.associations import SHARED_GROUPS, Asked, associate
from transforms.needs import Need
from transforms.phrases import MAX_PHRASES, is_counted, phrases_of

TABLE = ("shop.orders",)
PAID = Need("value", "shop.orders.status = 'paid'", TABLE)
LATE = Need("filter", "shop.orders.due < shop.orders.sent", TABLE)
ORDERS = Need("table", "shop.orders", TABLE)
SALES = Need("metric", "shop.sales.revenue", ("shop.sales",))


def asked(group, question, *needs, number=1):
    return Asked(
        f"{group}/{number}", group, question, frozenset(needs), is_elsewhere=SALES in needs
    )


NOISE = [asked(f"n{n}", f"How many {word} are there?") for n, word in enumerate("abcdefgh" * 2)]


def nothing_is_said(phrase, need):
    return False


def found(questions, is_said=nothing_is_said):
    return {
        (one.words, one.need.sql): sorted(one.group_ids) for one in associate(questions, is_said)
    }


def test_words_that_two_groups_use_for_a_need_stand_for_it():
    questions = [
        asked("g1", "How many settled bills came in May?", PAID),
        asked("g2", "Sum of the settled bills", PAID),
        *NOISE,
    ]
    assert found(questions) == {("settled bills", PAID.sql): ["g1", "g2"]}


def test_one_group_is_never_enough_however_often_it_is_asked():
    paraphrases = [asked("g1", "All the settled bills", PAID, number=n) for n in range(9)]
    assert found([*paraphrases, *NOISE]) == {}


def test_words_that_others_use_without_the_need_do_not_stand_for_it():
    with_need = [asked(f"g{n}", "How many settled bills?", PAID) for n in range(2)]
    without = [asked(f"x{n}", "How many settled claims?") for n in range(2)]
    assert ("settled", PAID.sql) not in found([*with_need, *without, *NOISE])
    assert ("settled bills", PAID.sql) in found([*with_need, *without, *NOISE])


def test_what_another_kind_of_asset_answers_speaks_for_nothing_else():
    tables = [asked(f"g{n}", "How much is settled?", PAID) for n in range(2)]
    views = [asked(f"v{n}", "KPI: how much is settled?", SALES) for n in range(2)]
    assert found([*tables, *views, *NOISE])["settled", PAID.sql] == ["g0", "g1"]


def test_what_the_metadata_says_already_needs_no_words():
    questions = [asked(f"g{n}", "How many settled bills?", PAID) for n in range(2)]
    assert found([*questions, *NOISE], lambda phrase, need: need == PAID) == {}


def test_a_group_that_other_words_explain_is_no_evidence_for_more_words():
    questions = [
        asked("g1", "How many settled bills does Ann have?", PAID),
        asked("g2", "Show settled bills by size", PAID),
        asked("g3", "Settled amount, rounded", PAID),
        asked("g4", "Settled amount, cut", PAID),
        *NOISE,
    ]
    assert found(questions) == {("settled", PAID.sql): ["g1", "g2", "g3", "g4"]}


def test_a_table_is_called_by_what_is_counted_and_not_by_when():
    questions = [
        asked("g1", "How many parcels went out in spring?", ORDERS),
        asked("g2", "Which parcels came in spring?", ORDERS),
        *NOISE,
    ]
    assert found(questions) == {("parcels", ORDERS.sql): ["g1", "g2"]}


def test_a_negation_belongs_to_the_words():
    questions = [
        asked("g1", "Bills that are not settled", LATE),
        asked("g2", "Who left without being settled?", LATE),
        *NOISE,
    ]
    assert found(questions) == {("not settled", LATE.sql): ["g1", "g2"]}


def test_columns_of_one_name_in_two_tables_share_their_words():
    bills = Need("value", "shop.bills.status = 'paid'", ("shop.bills",))
    questions = [
        asked("g1", "How many settled orders?", PAID),
        asked("g2", "How many settled bills?", bills),
        *NOISE,
    ]
    [one] = associate(questions, nothing_is_said)
    assert (one.words, one.need.sql, one.parts) == ("settled", "status = 'paid'", (bills, PAID))


@given(
    questions=st.lists(
        st.builds(
            asked,
            st.sampled_from(["g1", "g2", "g3", "g4"]),
            st.lists(st.sampled_from(["settled", "bills", "late", "of"]), max_size=5).map(" ".join),
            st.sampled_from([PAID, LATE, ORDERS]),
        ),
        max_size=12,
    ),
    seed=st.integers(),
)
def test_whatever_is_asked_two_groups_share_it_and_the_order_does_not_matter(questions, seed):
    shuffled = random.Random(seed).sample(questions, len(questions))
    associations = associate(questions, nothing_is_said)
    assert associate(shuffled, nothing_is_said) == associations
    assert len({one.phrase for one in associations}) == len(associations)
    for one in associations:
        sharing = {q.group_id for q in questions if one.need in q.needs}
        assert SHARED_GROUPS <= len(one.group_ids) <= len(sharing)


@pytest.mark.parametrize(
    ("question", "phrases", "others"),
    [
        ("How many trips were called off?", {"called off", "trips"}, {"many", "off"}),
        ("Total of 3 bills, settled", {"bills", "settled"}, {"bills settled", "3 bills"}),
        ("Bills of this half year", {"bills"}, {"half year", "year"}),
        ("What was never settled", {"not settled"}, {"settled"}),
        ("", set(), {""}),
    ],
)
def test_phrases_are_runs_of_content_words(question, phrases, others):
    found_phrases = set(phrases_of(question).values())
    assert phrases <= found_phrases
    assert not others & found_phrases


def test_a_value_that_the_question_spells_out_is_no_phrase():
    assert "spain" not in phrases_of("Trips to Spain", ["Spain"]).values()


def test_phrases_of_one_question_are_limited():
    assert len(phrases_of(" ".join(f"word{chr(97 + n % 26) * 3}{n}x" for n in range(999)))) <= (
        MAX_PHRASES
    )


@pytest.mark.parametrize(
    ("question", "is_so"),
    [("How many bills?", True), ("Number of open bills", True), ("Bills in May", False)],
)
def test_what_is_counted_is_told_by_the_words_in_front(question, is_so):
    assert is_counted(question, "bills") is is_so
