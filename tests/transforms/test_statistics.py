"""Intervals and tests against published values, and against counting every possibility."""

from __future__ import annotations

import math
from fractions import Fraction
from itertools import combinations, product
from statistics import NormalDist

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from transforms.statistics import CONFIDENCE, Asked, Interval, bootstrap, paired, wilson

# Newcombe (1998), Two-sided confidence intervals for the single proportion, table I, method 3:
# right ones, asked, 95 % interval to four decimals.
NEWCOMBE = [
    (81, 263, 0.2553, 0.3662),
    (15, 148, 0.0624, 0.1605),
    (0, 20, 0.0000, 0.1611),
    (1, 29, 0.0061, 0.1718),
]


@pytest.mark.parametrize(("correct", "count", "low", "high"), NEWCOMBE)
def test_a_share_has_the_interval_that_newcombe_published(correct, count, low, high):
    interval = wilson(correct, count)
    assert round(interval.low, 4) == low
    assert round(interval.high, 4) == high


@settings(deadline=None)
@given(st.integers(1, 500).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
def test_the_interval_of_a_share_holds_it_and_is_that_of_wrong_answers_turned_round(asked):
    correct, count = asked
    interval, other = wilson(correct, count), wilson(count - correct, count)
    assert 0 <= interval.low <= correct / count <= interval.high <= 1
    assert interval.low == pytest.approx(1 - other.high, abs=1e-12)
    assert wilson(10 * correct, 10 * count).high - interval.high <= 1e-12


def test_the_interval_of_many_answers_is_the_normal_one():
    spread = NormalDist().inv_cdf((1 + CONFIDENCE) / 2) * math.sqrt(0.25 / 10**12)
    assert wilson(5 * 10**11, 10**12).high - 0.5 == pytest.approx(spread, rel=1e-9)


def test_nothing_asked_has_no_interval():
    assert wilson(0, 0) is None


def once(gained: int, lost: int, same: int = 0) -> list[Asked]:
    """Questions asked once on each side, each a group of its own."""
    sides = [(0, 1)] * gained + [(1, 0)] * lost + [(1, 1)] * same
    return [Asked(f"g{n}", before, 1, after, 1) for n, (before, after) in enumerate(sides)]


# Discordant pairs and the two-sided exact p-value of McNemar's test: mlxtend's documentation
# (scenario A of evaluate.mcnemar), and statsmodels' (stats.contingency_tables.mcnemar, exact).
PUBLISHED = [(11, 1, 0.00634765625), (121, 59, 4.434449263755176e-06)]


@pytest.mark.parametrize(("gained", "lost", "p_value"), PUBLISHED)
def test_questions_asked_once_are_compared_by_mcnemars_exact_test(gained, lost, p_value):
    assert paired(once(gained, lost)).p_value == pytest.approx(p_value, rel=1e-12)
    assert paired(once(lost, gained)).p_value == pytest.approx(p_value, rel=1e-12)


# By hand: tails of the binomial distribution of one half.
BY_HAND = [
    (0, 0, 1.0, 1.0),
    (1, 0, 1 / 2, 1.0),
    (3, 0, 1 / 8, 1.0),
    (4, 0, 1 / 16, 1.0),
    (0, 4, 1.0, 1 / 16),
    (5, 1, 7 / 64, 63 / 64),
    (2, 2, 11 / 16, 11 / 16),
]


@pytest.mark.parametrize(("gained", "lost", "p_gain", "p_harm"), BY_HAND)
def test_the_one_sided_values_are_tails_of_the_binomial(gained, lost, p_gain, p_harm):
    found = paired(once(gained, lost, same=60))
    assert (found.p_gain, found.p_harm) == (p_gain, p_harm)
    assert (found.gained_count, found.lost_count, found.net) == (gained, lost, gained - lost)
    assert found.question_count == gained + lost + 60


@pytest.mark.parametrize(
    ("repeats", "p_gain"), [(1, 1 / 8), (2, 1 / 27), (3, 1 / 64)], ids=["one", "two", "three"]
)
def test_gains_that_repeats_confirm_are_ever_less_likely_by_chance(repeats, p_gain):
    confirmed = [Asked(f"g{n}", 0, 1, repeats, repeats) for n in range(3)]
    assert paired(confirmed).p_gain == pytest.approx(p_gain)


def by_counting(questions: list[Asked]) -> tuple[float, float]:
    """The same chances from a list of every division of the answers between both sides."""
    nets = []
    for question in questions:
        before, after = question.count_before, question.count_after
        right = question.right_before + question.right_after
        answers = [1] * right + [0] * (before + after - right)
        mine = []
        for chosen in combinations(range(len(answers)), after):
            got = sum(answers[n] for n in chosen)
            mine.append(Fraction(got, after) - Fraction(right - got, before))
        nets.append(mine)
    seen = sum(question.difference for question in questions)
    all_of_them = [sum(one) for one in product(*nets)]
    high = sum(net >= seen for net in all_of_them)
    low = sum(net <= seen for net in all_of_them)
    return high / len(all_of_them), low / len(all_of_them)


@st.composite
def asked(draw: st.DrawFn) -> Asked:
    before, after = draw(st.integers(1, 3)), draw(st.integers(1, 3))
    return Asked(
        draw(st.sampled_from("abcdef")),
        draw(st.integers(0, before)),
        before,
        draw(st.integers(0, after)),
        after,
    )


@settings(deadline=None)
@given(st.lists(asked(), min_size=1, max_size=4))
def test_with_repeats_the_chances_are_those_of_counting_every_division(questions):
    found = paired(questions)
    assert (found.p_gain, found.p_harm) == pytest.approx(by_counting(questions))


@settings(deadline=None)
@given(st.lists(asked(), max_size=12), st.randoms())
def test_neither_order_nor_names_of_groups_matter(questions, random):
    shuffled = random.sample(questions, len(questions))
    renamed = [
        Asked(f"other {q.group_id}", q.right_before, q.count_before, q.right_after, q.count_after)
        for q in shuffled
    ]
    assert paired(shuffled) == paired(questions) == paired(renamed)


@settings(deadline=None)
@given(st.lists(asked(), max_size=12))
def test_turned_round_gain_is_harm(questions):
    turned = [
        Asked(q.group_id, q.right_after, q.count_after, q.right_before, q.count_before)
        for q in questions
    ]
    found, other = paired(questions), paired(turned)
    assert (found.p_gain, found.net) == (other.p_harm, -other.net)
    assert (found.gained_count, found.p_value) == (other.lost_count, other.p_value)


@settings(deadline=None)
@given(st.lists(asked(), min_size=2, max_size=12))
def test_the_bootstrap_interval_lies_within_what_the_groups_show(questions):
    found = paired(questions)
    groups = {q.group_id for q in questions}
    if len(groups) < 2:
        assert found.interval is None
        return
    means = [
        float(sum(of) / len(of))
        for group in groups
        for of in [[q.difference for q in questions if q.group_id == group]]
    ]
    assert min(means) - 1e-9 <= found.interval.low <= found.interval.high <= max(means) + 1e-9


def test_the_bootstrap_interval_is_near_the_normal_one_where_that_is_good():
    questions = once(60, 20, same=320)
    found = paired(questions)
    share, count = found.difference, len(questions)
    assert share is not None
    assert found.interval is not None
    spread = math.sqrt((80 / count - share**2) / count)
    assert found.interval.low == pytest.approx(share - 1.96 * spread, abs=0.006)
    assert found.interval.high == pytest.approx(share + 1.96 * spread, abs=0.006)
    assert CONFIDENCE == 0.95


def test_twins_are_drawn_together_so_that_they_do_not_count_as_independent():
    gains = [(f"g{n}", Fraction(1)) for n in range(8)] + [(f"h{n}", Fraction(0)) for n in range(8)]
    twins = [(group[0] + str(int(group[1:]) // 4), value) for group, value in gains]
    alone, together = bootstrap(gains), bootstrap(twins)
    assert together.high - together.low > alone.high - alone.low


def test_where_nothing_differs_the_interval_is_nothing():
    assert paired(once(0, 0, same=5)).interval == Interval(0.0, 0.0)
    assert paired([]).difference is None
    assert paired([]).p_value == 1.0
