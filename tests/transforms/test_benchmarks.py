"""Which questions share a group, how groups are split, and which versions are written."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from transforms.benchmark_identity import benchmark_set_hash
from transforms.benchmarks import (
    Assignment,
    BenchmarkQuestion,
    assign,
    group_ids,
    new_versions,
    split_of,
)


def asked(question_id, question, sql):
    return BenchmarkQuestion(question_id, question, sql)


OPEN_SHOPS = asked("q1", "How many shops are open?", "SELECT COUNT(*) FROM shop WHERE open = 1")

LARGER_THAN = "SELECT n FROM c WHERE k = 'Asia' AND p > (SELECT {}(p) FROM c WHERE k = 'Africa')"


@pytest.mark.parametrize(
    ("other", "are_twins"),
    [
        pytest.param(
            asked("q2", "Count them.", "select count(*) from SHOP s where s.open = 1"),
            True,
            id="the same SQL with an alias and in other case",
        ),
        pytest.param(
            asked("q2", "Count the shops in Peru.", "SELECT COUNT(*) FROM shop WHERE open = 2"),
            False,
            id="another constant",
        ),
        pytest.param(
            asked("q2", "Which pets are old?", "SELECT name FROM pet WHERE age > 1"),
            False,
            id="another question",
        ),
    ],
)
def test_questions_with_the_same_canonical_sql_share_a_group(other, are_twins):
    groups = group_ids([OPEN_SHOPS, other])
    assert (groups["q1"] == groups["q2"]) is are_twins


@pytest.mark.parametrize(
    ("one", "other", "are_twins"),
    [
        pytest.param(
            asked("a", "Which Asian cities have a larger population than any city in Africa?",
                  LARGER_THAN.format("MAX")),
            asked("b", "What are the Asian cities which have a population larger than any African?",
                  LARGER_THAN.format("MIN")),
            False,
            id="related words that are not nearly the same",
        ),
        pytest.param(
            asked("a", "Which Asian cities have a larger population than any city of Africa?",
                  LARGER_THAN.format("MAX")),
            asked("b", "What are the Asian cities which have larger populations than any Africa?",
                  LARGER_THAN.format("MIN")),
            True,
            id="a paraphrase whose SQL is another",
        ),
        pytest.param(
            asked("a", "How many languages do people speak in Aruba today?",
                  "SELECT COUNT(*) FROM l WHERE c = 'Aruba'"),
            asked("b", "How many languages do people speak in Peru today?",
                  "SELECT COUNT(*) FROM l WHERE c = 'Peru'"),
            False,
            id="a template with another constant",
        ),
    ],
)  # fmt: skip
def test_paraphrases_share_a_group_and_templates_do_not(one, other, are_twins):
    groups = group_ids([one, other])
    assert (groups["a"] == groups["b"]) is are_twins


def test_twins_of_twins_are_twins():
    words = "How many small brown friendly dogs exist?"
    questions = [
        asked("a", "What about dogs?", "SELECT COUNT(*) FROM pet WHERE kind = 'dog'"),
        asked("b", words, "SELECT COUNT(*) FROM pet WHERE kind = 'dog'"),
        asked("c", words, "SELECT COUNT(id) FROM pet WHERE kind = 'dog'"),
    ]
    assert len(set(group_ids(questions).values())) == 1


def test_the_splits_hold_half_a_quarter_and_a_quarter_of_many_groups():
    counts = Counter(split_of(f"group-{n}") for n in range(4000))
    shares = {split: count / 4000 for split, count in counts.items()}
    assert shares == pytest.approx({"train": 0.5, "held_out": 0.25, "sealed": 0.25}, abs=0.03)


QUESTIONS = st.lists(
    st.builds(
        lambda n, k, v: asked(f"q{n}", f"How many {k} things are there?",
                              f"SELECT COUNT(*) FROM thing WHERE kind = '{k}' AND v > {v}"),
        st.integers(0, 30), st.sampled_from(["red", "green", "blue"]), st.integers(0, 3),
    ),
    unique_by=lambda q: q.question_id, min_size=1, max_size=12,
)  # fmt: skip


@settings(deadline=None, max_examples=50)
@given(QUESTIONS, st.randoms(use_true_random=False))
def test_groups_do_not_depend_on_order_or_ids(questions, random):
    shuffled = list(questions)
    random.shuffle(shuffled)
    assert group_ids(shuffled) == group_ids(questions)
    renamed = [asked(f"other-{q.question_id}", q.question, q.expected_sql) for q in questions]
    by_new_id = group_ids(renamed)
    assert {k: by_new_id[f"other-{k}"] for k in group_ids(questions)} == group_ids(questions)


@settings(deadline=None, max_examples=50)
@given(QUESTIONS)
def test_questions_of_one_group_are_never_in_two_splits(questions):
    assigned = assign(questions, {})
    splits = {}
    for assignment in assigned.values():
        splits.setdefault(assignment.group_id, set()).add(assignment.split)
    assert all(len(found) == 1 for found in splits.values())
    assert {k: a.group_id for k, a in assigned.items()} == group_ids(questions)


@settings(deadline=None, max_examples=50)
@given(QUESTIONS, QUESTIONS)
def test_a_recorded_question_never_moves(before, after):
    recorded = assign(before, {})
    again = assign(after, recorded)
    for question_id, assignment in again.items():
        if question_id in recorded:
            assert assignment == recorded[question_id]


def test_a_new_twin_of_two_recorded_groups_joins_the_more_protected_one():
    sql = "SELECT COUNT(*) FROM pet"
    questions = [asked(q, f"{q}?", sql) for q in ("a", "b", "new")]
    recorded = {"a": Assignment("group-1", "train"), "b": Assignment("group-2", "sealed")}
    assert assign(questions, recorded)["new"] == Assignment("group-2", "sealed")


def versions(rows):
    return {(row["question_id"], row["benchmark_version"]): row for row in rows}


def test_the_same_questions_are_written_once():
    first = new_versions([OPEN_SHOPS], [])
    assert [row["benchmark_version"] for row in first] == [1]
    assert new_versions([OPEN_SHOPS], first) == []


def test_a_changed_question_is_a_new_version_in_its_old_split():
    first = new_versions([OPEN_SHOPS], [])
    changed = asked("q1", OPEN_SHOPS.question, "SELECT COUNT(*) FROM shop WHERE open = 3")
    (row,) = new_versions([changed], first)
    assert (row["benchmark_version"], row["expected_sql"]) == (2, changed.expected_sql)
    assert (row["group_id"], row["split"]) == (first[0]["group_id"], first[0]["split"])
    (back,) = new_versions([OPEN_SHOPS], [*first, row])
    assert (back["benchmark_version"], back["expected_sql"]) == (3, OPEN_SHOPS.expected_sql)


def test_loading_again_does_not_undo_a_correction():
    first = new_versions([OPEN_SHOPS], [])
    corrected = {**first[0], "benchmark_version": 2, "source": "corrected",
                 "expected_sql": "SELECT 1", "benchmark_hash": "other"}  # fmt: skip
    assert new_versions([OPEN_SHOPS], [*first, corrected]) == []


def test_a_question_that_is_gone_is_not_asked_any_more_and_can_come_back():
    first = new_versions([OPEN_SHOPS], [])
    other = asked("q2", "Which pets are old?", "SELECT name FROM pet WHERE age > 1")
    rows = versions(new_versions([other], first))
    assert rows["q1", 2]["status"] == "quarantined"
    assert rows["q2", 1]["status"] == "active"
    history = [*first, *rows.values()]
    assert new_versions([other], history) == []
    (back,) = new_versions([OPEN_SHOPS, other], history)
    assert (back["question_id"], back["benchmark_version"], back["status"]) == ("q1", 3, "active")


def test_a_renamed_question_stays_in_the_split_of_the_old_one():
    (first,) = new_versions([OPEN_SHOPS], [])
    frozen = {**first, "group_id": "group-frozen", "split": "sealed"}
    renamed = asked("q9", "Shops that are open, how many?", OPEN_SHOPS.expected_sql)
    rows = versions(new_versions([renamed], [frozen]))
    assert (rows["q9", 1]["group_id"], rows["q9", 1]["split"]) == ("group-frozen", "sealed")


def test_a_set_of_benchmarks_is_the_same_in_any_order_and_another_with_another_version():
    pairs = [("q1", "hash-a"), ("q2", "hash-b")]
    assert benchmark_set_hash(pairs) == benchmark_set_hash(reversed(pairs))
    assert benchmark_set_hash(pairs) != benchmark_set_hash([("q1", "hash-a"), ("q2", "hash-c")])
