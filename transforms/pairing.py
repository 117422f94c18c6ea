"""Two sides of a comparison, question by question: what changed, and what cannot be compared.

A side is one evaluation, or several of the same state. A question is compared with itself only, in
one version of its benchmark. Every question of either side is counted: as compared, or as one of
the ways in which it was not.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from transforms.contracts import SPLITS
from transforms.statistics import CONFIDENCE, Asked, Paired, paired

COMPARED = ("fixed", "broken", "still_right", "still_wrong")
LEFT_OUT = ("unknown", "other_benchmark", "only_before", "only_after")
"""``unknown``: the platform failed to answer, before or after, so that nothing is known."""


@dataclass(frozen=True, slots=True)
class Answered:
    """What one side answered to a question in one version of its benchmark.

    ``benchmark`` names that version, alike on both sides; ``known_count`` counts the answers that
    the platform gave, ``right_count`` those of them that are right.
    """

    question_id: str
    group_id: str
    split: str
    benchmark: str
    known_count: int
    right_count: int


@dataclass(frozen=True, slots=True)
class Pair:
    """A question with both sides; None where a side did not ask it. One of them is there."""

    before: Answered | None
    after: Answered | None

    @property
    def any_side(self) -> Answered:
        """The newer side that asked."""
        side = self.after or self.before
        assert side is not None
        return side

    @property
    def asked(self) -> Asked | None:
        """The question as the statistics take it; None where it cannot be compared."""
        before, after = self.before, self.after
        if before is None or after is None or before.benchmark != after.benchmark:
            return None
        if not before.known_count or not after.known_count:
            return None
        return Asked(
            after.group_id,
            before.right_count,
            before.known_count,
            after.right_count,
            after.known_count,
        )

    @property
    def change(self) -> str:
        """One of COMPARED or LEFT_OUT.

        Asked several times, a question is fixed where a larger share of its answers is right than
        before, and still right where that share is the same and more than half.
        """
        if self.before is None or self.after is None:
            return "only_after" if self.before is None else "only_before"
        if self.before.benchmark != self.after.benchmark:
            return "other_benchmark"
        asked = self.asked
        if asked is None:
            return "unknown"
        if asked.difference:
            return "fixed" if asked.difference > 0 else "broken"
        is_right = 2 * asked.right_after > asked.count_after
        return "still_right" if is_right else "still_wrong"

    @property
    def bounds(self) -> tuple[Fraction, Fraction]:
        """The least and the most that the question could add to the net, were everything known."""
        if self.change not in (*COMPARED, "unknown"):
            return Fraction(0), Fraction(0)
        before, after = _bounds(self.before), _bounds(self.after)
        return after[0] - before[1], after[1] - before[0]


def _bounds(side: Answered | None) -> tuple[Fraction, Fraction]:
    """The least and the largest share of right answers that a side may have."""
    if side is None or not side.known_count:
        return Fraction(0), Fraction(1)
    share = Fraction(side.right_count, side.known_count)
    return share, share


@dataclass(frozen=True, slots=True)
class SplitComparison:
    """The questions of one split: how many changed how, what that proves, and its bounds.

    ``least`` and ``most`` bound the net in questions, whatever the answers would have been that
    the platform failed to give; without such they are ``paired.net``.
    """

    split: str
    counts: Mapping[str, int]
    paired: Paired
    least: Fraction
    most: Fraction

    @property
    def verdict(self) -> str:
        """better, worse, or no difference: where chance explains it in more than 1 of 20 cases.

        Without a question that can be compared there is nothing to compare.
        """
        if not self.paired.question_count:
            return "nothing to compare"
        if self.paired.p_value > 1 - CONFIDENCE:
            return "no difference shown"
        return "better" if self.paired.net > 0 else "worse"

    def numbers(self) -> dict[str, Any]:
        """Everything as JSON knows it; shares and chances 0 to 1, counts in questions."""
        interval = self.paired.interval
        return {
            "compared_count": self.paired.question_count,
            **{f"{change}_count": self.counts[change] for change in (*COMPARED, *LEFT_OUT)},
            "accuracy_before": self.paired.accuracy_before,
            "accuracy_after": self.paired.accuracy_after,
            "net": float(self.paired.net),
            "difference": self.paired.difference,
            "difference_low": interval.low if interval else None,
            "difference_high": interval.high if interval else None,
            "p_gain": self.paired.p_gain,
            "p_harm": self.paired.p_harm,
            "p_value": self.paired.p_value,
        }


def pair_up(before: Iterable[Answered], after: Iterable[Answered]) -> list[Pair]:
    """Both sides by question, in order of ``question_id``.

    A side that asked a question in several versions is compared in the version that both have, and
    where there are several or none, in the last that is given.
    """
    sides = (_by_question(before), _by_question(after))
    paired_up = []
    for question_id in sorted({*sides[0], *sides[1]}):
        left, right = (side.get(question_id, {}) for side in sides)
        common = [benchmark for benchmark in right if benchmark in left]
        chosen = common[-1] if common else None
        paired_up.append(Pair(_version(left, chosen), _version(right, chosen)))
    return paired_up


def _by_question(side: Iterable[Answered]) -> dict[str, dict[str, Answered]]:
    by_question: dict[str, dict[str, Answered]] = {}
    for answered in side:
        by_question.setdefault(answered.question_id, {})[answered.benchmark] = answered
    return by_question


def _version(versions: Mapping[str, Answered], benchmark: str | None) -> Answered | None:
    if benchmark is not None:
        return versions[benchmark]
    return [*versions.values()][-1] if versions else None


def compare_split(of_all: Sequence[Pair], split: str) -> SplitComparison:
    """Compare the questions of one split."""
    mine = [pair for pair in of_all if pair.any_side.split == split]
    counts = Counter(pair.change for pair in mine)
    bounds = [pair.bounds for pair in mine]
    return SplitComparison(
        split,
        {change: counts[change] for change in (*COMPARED, *LEFT_OUT)},
        paired([asked for pair in mine if (asked := pair.asked) is not None]),
        sum((least for least, _ in bounds), Fraction(0)),
        sum((most for _, most in bounds), Fraction(0)),
    )


def compare_splits(of_all: Sequence[Pair]) -> list[SplitComparison]:
    """Every split, side by side, in order."""
    return [compare_split(of_all, split) for split in SPLITS]
