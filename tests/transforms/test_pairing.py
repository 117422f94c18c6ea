"""Both sides of a comparison: what changed, what is left out and counted, and the bounds."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from transforms.contracts import SPLITS
from transforms.pairing import COMPARED, LEFT_OUT, Answered, compare_splits, pair_up


def answered(right: int, known: int, question="q", benchmark="1", split="train") -> Answered:
    return Answered(question, f"group of {question}", split, benchmark, known, right)


# name: before, after, what changed, least and most that it adds to the net
CHANGES = {
    "wrong, then right": ((0, 1), (1, 1), "fixed", 1, 1),
    "right, then wrong": ((1, 1), (0, 1), "broken", -1, -1),
    "right both times": ((1, 1), (1, 1), "still_right", 0, 0),
    "wrong both times": ((0, 1), (0, 1), "still_wrong", 0, 0),
    "right more often": ((0, 1), (1, 3), "fixed", Fraction(1, 3), Fraction(1, 3)),
    "right less often": ((1, 1), (2, 3), "broken", Fraction(-1, 3), Fraction(-1, 3)),
    "right as often": ((1, 2), (1, 2), "still_wrong", 0, 0),
    "right mostly": ((2, 3), (2, 3), "still_right", 0, 0),
    "not answered after": ((1, 1), (0, 0), "unknown", -1, 0),
    "not answered before": ((0, 0), (1, 1), "unknown", 0, 1),
    "never answered": ((0, 0), (0, 0), "unknown", -1, 1),
}


@pytest.mark.parametrize("name", CHANGES)
def test_a_question_is_compared_with_itself(name):
    before, after, change, least, most = CHANGES[name]
    (pair,) = pair_up([answered(*before)], [answered(*after)])
    assert (pair.change, pair.bounds) == (change, (least, most))


def test_another_version_of_a_benchmark_is_not_compared():
    (pair,) = pair_up([answered(0, 1)], [answered(1, 1, benchmark="2")])
    assert (pair.change, pair.asked) == ("other_benchmark", None)
    assert pair.bounds == (Fraction(0), Fraction(0))


def test_of_several_versions_the_one_that_both_sides_asked_is_compared():
    before = [answered(0, 1), answered(1, 1, benchmark="2")]
    after = [answered(1, 1), answered(1, 1, benchmark="3")]
    (pair,) = pair_up(before, after)
    assert pair.change == "fixed"


def test_what_only_one_side_asked_is_told():
    changes = {
        pair.any_side.question_id: pair.change
        for pair in pair_up([answered(1, 1, "a")], [answered(1, 1, "b")])
    }
    assert changes == {"a": "only_before", "b": "only_after"}


def test_a_verdict_says_what_is_shown_and_when_there_is_nothing_to_compare():
    def verdict(before, after, count):
        names = [f"q{number}" for number in range(count)]
        sides = ([answered(right, 1, name) for name in names] for right in (before, after))
        return compare_splits(pair_up(*sides))[0].verdict

    assert verdict(0, 1, 6) == "better"
    assert verdict(1, 0, 6) == "worse"
    assert verdict(0, 1, 3) == "no difference shown"
    assert verdict(1, 1, 6) == "no difference shown"
    assert verdict(1, 1, 0) == "nothing to compare"
    assert compare_splits(pair_up([answered(1, 1, "a")], []))[0].verdict == "nothing to compare"


sides = st.lists(
    st.builds(
        lambda known, right, question, benchmark: answered(
            min(known, right), known, question, benchmark, SPLITS[ord(question) % 3]
        ),
        st.integers(0, 3),
        st.integers(0, 3),
        st.sampled_from("abcdef"),
        st.sampled_from("12"),
    ),
    max_size=8,
)


@settings(deadline=None)
@given(sides, sides)
def test_every_question_of_either_side_is_counted_once(before, after):
    compared = compare_splits(pair_up(before, after))
    assert tuple(one.split for one in compared) == SPLITS
    asked = {one.question_id for one in (*before, *after)}
    assert sum(sum(one.counts.values()) for one in compared) == len(asked)
    for one in compared:
        numbers = one.numbers()
        assert one.paired.question_count == sum(one.counts[change] for change in COMPARED)
        assert one.least <= one.paired.net <= one.most
        assert one.counts["unknown"] or one.least == one.most == one.paired.net
        assert {f"{change}_count" for change in (*COMPARED, *LEFT_OUT)} <= numbers.keys()
        assert numbers["fixed_count"] == one.paired.gained_count
