"""What an import brings: what is new, what has changed, and what is asked already."""

from __future__ import annotations

from transforms.benchmark_import import plan_import
from transforms.benchmarks import BenchmarkQuestion, added_versions, new_versions

OPEN = BenchmarkQuestion(
    "q1", "How many shops are open?", "SELECT COUNT(*) FROM shop WHERE open = 1"
)
OLD = BenchmarkQuestion("q2", "Which pets are old?", "SELECT name FROM pet WHERE age > 1")


def asked(question_id, question, sql):
    return BenchmarkQuestion(question_id, question, sql)


def test_new_and_known_questions_are_told_apart_by_their_ids():
    recorded = new_versions([OPEN], [])
    changed = asked("q1", OPEN.question, "SELECT COUNT(*) FROM shop WHERE open = 2")
    plan = plan_import([OPEN, OLD], recorded)
    assert (plan.new, plan.unchanged_ids, plan.changed) == ((OLD,), ("q1",), ())
    plan = plan_import([changed, OLD], recorded)
    assert (plan.new, plan.unchanged_ids, plan.changed) == ((OLD,), (), (changed,))


def test_a_correction_that_was_made_since_stands_and_is_no_change_either():
    (first,) = new_versions([OPEN], [])
    corrected = asked("q1", OPEN.question, "SELECT 1")
    second = {
        **first,
        "benchmark_version": 2,
        "source": "corrected",
        "expected_sql": corrected.expected_sql,
        "benchmark_hash": corrected.benchmark_hash,
    }
    for question in (OPEN, corrected):
        plan = plan_import([question], [first, second])
        assert plan.unchanged_ids == ("q1",)
        assert plan.taken(with_near_duplicates=True) == ()


def test_what_was_quarantined_comes_back_when_it_is_imported_again():
    (first,) = new_versions([OPEN], [])
    gone = {**first, "benchmark_version": 2, "status": "quarantined"}
    plan = plan_import([OPEN], [first, gone])
    assert plan.changed == (OPEN,)
    (back,) = added_versions(plan.taken(with_near_duplicates=False), [first, gone])
    assert (back["benchmark_version"], back["status"]) == (3, "active")


def test_near_duplicates_of_what_is_there_or_comes_with_them_are_found():
    recorded = new_versions([OPEN], [])
    same = asked("n1", "how many shops are  OPEN?", "SELECT 7")
    other_words = asked("n2", "Shops open now: what is the count?", OPEN.expected_sql)
    within = asked("n3", "Old pets, which?", OLD.expected_sql)
    plan = plan_import([same, other_words, OLD, within], recorded)
    assert plan.new == (OLD,)
    found = {one.question.question_id: one for one in plan.near_duplicates}
    assert {name: (one.like, one.has_same_words) for name, one in found.items()} == {
        "n1": (("q1",), True),
        "n2": (("q1",), False),
        "n3": (("q2",), False),
    }
    assert plan.taken(with_near_duplicates=False) == (OLD,)
    assert plan.taken(with_near_duplicates=True) == (OLD, other_words, within)


def test_a_near_duplicate_that_is_taken_in_shares_the_split_of_what_it_is_like():
    (first,) = new_versions([OPEN], [])
    frozen = {**first, "group_id": "group-frozen", "split": "sealed"}
    twin = asked("n2", "Shops open now: what is the count?", OPEN.expected_sql)
    plan = plan_import([twin], [frozen])
    (row,) = added_versions(plan.taken(with_near_duplicates=True), [frozen])
    assert (row["group_id"], row["split"]) == ("group-frozen", "sealed")
