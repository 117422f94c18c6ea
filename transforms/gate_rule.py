"""The rule of the gate: accepted, rejected, or undecided and asked again.

The net of the questions decides: train must gain at least one, held-out may lose none. The
statistics say whether it may decide already: where more than MAX_CHANCE of changes without any
effect would look the same, and asking again could show otherwise, the batch is undecided. After
MAX_REPEATS repeats, or where answers do not vary, the net decides as it stands.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import Literal

from transforms.pairing import SplitComparison

GATED_SPLITS = ("train", "held_out")  # sealed questions decide nothing
MIN_TRAIN_NET = 1  # questions
MIN_HELD_OUT_NET = 0  # questions
MAX_CHANCE = 0.10  # of a change without effect to look at least as good, or as bad (one-sided)
MAX_REPEATS = 2

Decision = Literal["accepted", "rejected", "undecided"]


@dataclass(frozen=True, slots=True)
class GateCase:
    """What is known of an applied batch.

    ``asked_count`` evaluations measured it so far. ``is_steady``: the space is known to give the
    same answers when it is asked the same again. ``fallen`` says in a sentence each which judges
    fell. A correction of benchmarks has nothing to gain.
    """

    has_baseline: bool
    is_correction: bool
    train: SplitComparison
    held_out: SplitComparison
    fallen: tuple[str, ...]
    asked_count: int
    is_steady: bool


@dataclass(frozen=True, slots=True)
class Ruling:
    """The decision, and why it is one, as the end of a sentence."""

    decision: Decision
    because: str


def rule_on(case: GateCase) -> Ruling:
    """Decide about a batch."""
    if not case.has_baseline:
        return Ruling(
            "rejected", "there is no accepted evaluation to compare with, so nothing shows a gain"
        )
    if case.fallen:
        return Ruling("rejected", "; ".join(case.fallen))
    if _passes(case, case.train.least, case.held_out.least):
        return _of_a_better_one(case)
    if not _passes(case, case.train.most, case.held_out.most):
        return _of_a_worse_one(case)
    if case.asked_count <= MAX_REPEATS:
        return Ruling(
            "undecided", "the platform failed on questions that could decide: they are asked again"
        )
    return Ruling("rejected", f"the platform still fails after {_repeats(case)}")


def _passes(case: GateCase, train_net: Fraction, held_out_net: Fraction) -> bool:
    """The net rule, in whole questions: a fraction of one decides nothing."""
    min_train_net = 0 if case.is_correction else MIN_TRAIN_NET
    return int(train_net) >= min_train_net and int(held_out_net) >= MIN_HELD_OUT_NET


def _of_a_better_one(case: GateCase) -> Ruling:
    if case.is_correction:
        return Ruling("accepted", "nothing else got worse")
    if case.train.paired.p_gain <= MAX_CHANCE:
        return Ruling("accepted", _looks("good", case.train))
    if case.is_steady:
        return Ruling("accepted", f"{_STEADY}, and the net is a gain")
    if case.asked_count > MAX_REPEATS:
        return Ruling("accepted", f"after {_repeats(case)} the net is still a gain")
    return Ruling(
        "undecided",
        f"{_looks('good', case.train)}: all are asked again",
    )


def _of_a_worse_one(case: GateCase) -> Ruling:
    if not case.is_correction and not case.train.paired.gained_count:
        return Ruling("rejected", "no train question gained, so there is nothing to confirm")
    for split in (case.train, case.held_out):
        if split.paired.p_harm <= MAX_CHANCE:
            return Ruling("rejected", _looks("bad", split))
    if case.is_steady:
        return Ruling("rejected", f"{_STEADY}, and the net is no gain")
    if case.asked_count > MAX_REPEATS:
        return Ruling("rejected", f"after {_repeats(case)} the net is still no gain")
    return Ruling("undecided", f"{_looks('bad', case.train)}: all are asked again")


_STEADY = "asked again the space gives the same answers"


def _looks(how: Literal["good", "bad"], split: SplitComparison) -> str:
    chance = split.paired.p_gain if how == "good" else split.paired.p_harm
    name = split.split.replace("_", "-")
    return f"a change without effect looks as {how} on {name} in {chance:.1%} of cases"


def _repeats(case: GateCase) -> str:
    number = case.asked_count - 1
    return "1 repeat" if number == 1 else f"{number} repeats"
