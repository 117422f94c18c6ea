"""What counts of right answers prove: an interval for a share, a test and an interval for a change.

Everything is exact or in closed form but the bootstrap, whose resamples are drawn from a hash: the
same rows give the same numbers, in whatever order they come and on whatever machine.
"""

from __future__ import annotations

import hashlib
import math
import struct
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction

CONFIDENCE = 0.95  # of every interval
RESAMPLES = 2000  # of the bootstrap
_Z = 1.959963984540054  # of the normal distribution, for that confidence
_SEED = b"genie-loop bootstrap 1"


@dataclass(frozen=True, slots=True)
class Interval:
    """From ``low`` to ``high``, both included."""

    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Asked:
    """One question on both sides: how many of its answers were right, of how many.

    Both counts of answers are at least 1. Questions of one group ask the same: they are right and
    wrong together, so that the bootstrap draws groups.
    """

    group_id: str
    right_before: int
    count_before: int
    right_after: int
    count_after: int

    @property
    def difference(self) -> Fraction:
        """Share of right answers after minus that before, -1 to 1."""
        before = Fraction(self.right_before, self.count_before)
        return Fraction(self.right_after, self.count_after) - before


@dataclass(frozen=True, slots=True)
class Paired:
    """Two evaluations (or several of each side) over the same questions.

    A question is gained where a larger share of its answers is right after than before, and lost
    where a smaller one is. ``net`` is in questions: the sum of the differences, a fraction where
    questions were asked several times. ``p_gain`` is how likely a change without any effect looks
    at least as good as this one, ``p_harm`` at least as bad, ``p_value`` either way. ``interval``
    is that of the difference in accuracy; None for less than two groups. The accuracies are None
    where there is no question.
    """

    question_count: int
    gained_count: int
    lost_count: int
    net: Fraction
    accuracy_before: float | None
    accuracy_after: float | None
    difference: float | None
    interval: Interval | None
    p_gain: float
    p_harm: float

    @property
    def p_value(self) -> float:
        """Two-sided: twice the smaller of the two, at most 1."""
        return min(1.0, 2 * min(self.p_gain, self.p_harm))


def wilson(correct: int, count: int) -> Interval | None:
    """Wilson's score interval of the share ``correct / count``; None where nothing was asked.

    Unlike the normal approximation it stays within 0 and 1 and says something of 0 and of all.
    """
    if count == 0:
        return None
    share, spread = correct / count, _Z * _Z / count
    centre = share + spread / 2
    half = _Z * math.sqrt((share * (1 - share) + spread / 4) / count)
    low, high = (centre - half) / (1 + spread), (centre + half) / (1 + spread)
    # At the ends one bound is the share itself; what rounding leaves there would be past it.
    return Interval(low if correct else 0.0, high if correct < count else 1.0)


def paired(questions: Sequence[Asked]) -> Paired:
    """Compare the sides of ``questions``, question by question.

    The test is exact: if the change does nothing, which of a question's answers were given before
    it and which after is chance, and every such division is as likely as any other. Where every
    question was asked once on each side, that is McNemar's test.
    """
    differences = [question.difference for question in questions]
    net, count = sum(differences, Fraction(0)), len(questions)
    p_gain, p_harm = _chances(questions, net)
    before = sum(Fraction(q.right_before, q.count_before) for q in questions)
    after = sum(Fraction(q.right_after, q.count_after) for q in questions)
    return Paired(
        question_count=count,
        gained_count=sum(difference > 0 for difference in differences),
        lost_count=sum(difference < 0 for difference in differences),
        net=net,
        accuracy_before=float(before / count) if count else None,
        accuracy_after=float(after / count) if count else None,
        difference=float(net / count) if count else None,
        interval=bootstrap((q.group_id, q.difference) for q in questions),
        p_gain=p_gain,
        p_harm=p_harm,
    )


def bootstrap(differences: Iterable[tuple[str, Fraction]]) -> Interval | None:
    """The percentile bootstrap interval of a mean difference; None for less than two groups.

    Takes the group and the difference of each question. Whole groups are drawn, because the
    questions of one are no evidence independent of each other. Where no question differs, no
    resample does: the interval is 0 to 0, which says nothing of questions that were not asked.
    """
    sums: dict[str, Fraction] = {}
    sizes: Counter[str] = Counter()
    for group_id, difference in differences:
        sums[group_id] = sums.get(group_id, Fraction(0)) + difference
        sizes[group_id] += 1
    # What a group is called must not matter, nor in which order they come.
    groups = sorted((float(sums[group]), sizes[group]) for group in sums)
    if len(groups) < 2:
        return None
    means = sorted(_mean(drawn) for drawn in _resamples(groups))
    outside = (1 - CONFIDENCE) / 2
    low = math.floor(outside * RESAMPLES)
    return Interval(means[low], means[RESAMPLES - 1 - low])


def _mean(groups: Sequence[tuple[float, int]]) -> float:
    return math.fsum(total for total, _ in groups) / sum(size for _, size in groups)


def _resamples(groups: Sequence[tuple[float, int]]) -> Iterable[list[tuple[float, int]]]:
    """As many groups as there are, drawn with replacement, RESAMPLES times."""
    count = len(groups)
    numbers = hashlib.shake_256(_SEED).digest(4 * count * RESAMPLES)
    for drawn in struct.iter_unpack(f"<{count}I", numbers):
        yield [groups[number * count >> 32] for number in drawn]


def _chances(questions: Sequence[Asked], net: Fraction) -> tuple[float, float]:
    """How likely a net at least as high is without any effect, and one at least as low."""
    kinds = Counter(
        (q.count_before, q.count_after, q.right_before + q.right_after) for q in questions
    )
    nets: dict[Fraction, int] = {Fraction(0): 1}  # how many divisions give each net
    for (before, after, right), count in kinds.items():
        one = _divisions(before, after, right)
        if len(one) == 1:
            (value,) = one
            nets = {total + value * count: ways for total, ways in nets.items()}
        else:
            nets = _sums(nets, _repeated(one, count))
    ways = sum(nets.values())
    as_high = sum(number for value, number in nets.items() if value >= net)
    as_low = sum(number for value, number in nets.items() if value <= net)
    return as_high / ways, as_low / ways


def _divisions(before: int, after: int, right: int) -> dict[Fraction, int]:
    """The ways to divide answers, ``right`` of them right, between both sides, by difference."""
    ways: dict[Fraction, int] = {}
    for right_after in range(max(0, right - before), min(after, right) + 1):
        right_before = right - right_after
        difference = Fraction(right_after, after) - Fraction(right_before, before)
        ways[difference] = math.comb(after, right_after) * math.comb(before, right_before)
    return ways


def _repeated(one: Mapping[Fraction, int], count: int) -> dict[Fraction, int]:
    """The sums of ``count`` independent differences of one kind, with their ways."""
    if len(one) == 2:  # a question that was asked once before: the binomial distribution
        (low, low_ways), (high, high_ways) = sorted(one.items())
        return {
            high * n + low * (count - n): math.comb(count, n)
            * high_ways**n
            * low_ways ** (count - n)
            for n in range(count + 1)
        }
    sums: dict[Fraction, int] = {Fraction(0): 1}
    for _ in range(count):
        sums = _sums(sums, one)
    return sums


def _sums(left: Mapping[Fraction, int], right: Mapping[Fraction, int]) -> dict[Fraction, int]:
    sums: dict[Fraction, int] = {}
    for one, ways in left.items():
        for other, times in right.items():
            total = one + other
            sums[total] = sums.get(total, 0) + ways * times
    return sums
