"""Whether a question that is asked several times gets one answer.

Two answers are one where their results on the same data are equal, or else their canonical SQL
is. Asking again costs as much as asking: ``is_decided`` says when it can change nothing any more.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from transforms.judgement import Asi, Failure, Verdict
from transforms.rules import RULES

TARGET = 0.90
"""Share of the askings that have to give one answer: below it a question is unstable."""
ASKED_ONCE = Verdict(
    "repeatability", "skipped", "Asked once: only several askings tell whether answers repeat."
)


@dataclass(frozen=True, slots=True)
class Asking:
    """One answer that the platform gave to a question.

    ``sql`` is canonical (``sql_text.canonical_sql``), None where the answer has none.
    ``result_hash`` is that of its result, None where there is none; ``data`` names the data that
    it is a result of, alike for results that can be compared.
    """

    sql: str | None
    result_hash: str | None = None
    data: str = ""


@dataclass(frozen=True, slots=True)
class Repeated:
    """The answers to one question that was asked several times.

    ``answers`` are the different ones as (how often, canonical SQL as first written, hash of that
    asking's result), the most frequent first, of those the one given first. Shares are 0 to 1.
    """

    asked_count: int
    answers: tuple[tuple[int, str | None, str | None], ...]
    sql_count: int
    sql_share: float

    @property
    def result_share(self) -> float:
        """The share of the dominant answer."""
        return self.answers[0][0] / self.asked_count

    @property
    def is_unstable(self) -> bool:
        """Whether the dominant answer is given less often than the target asks for."""
        return self.result_share < TARGET


def repeated(askings: Sequence[Asking]) -> Repeated | None:
    """What several askings of one question show, in the order asked; None for fewer than two."""
    if len(askings) < 2:
        return None
    first: dict[int, Asking] = {}
    keys = _answers(askings)
    for key, asking in zip(keys, askings, strict=True):
        first.setdefault(key, asking)
    counts = Counter(keys)  # in the order first given, which a stable sort keeps
    written = Counter(asking.sql for asking in askings)
    return Repeated(
        len(askings),
        tuple((n, first[key].sql, first[key].result_hash) for key, n in counts.most_common()),
        len(written),
        max(written.values()) / len(askings),
    )


def is_decided(askings: Sequence[Asking], left: int) -> bool:
    """Whether ``left`` further askings at most can change nothing that is concluded.

    Two things are: which answer is the dominant one, and whether the question is unstable. The
    first is open while another answer can draw level, the second while the target can still be
    missed and still be reached.
    """
    if left <= 0:
        return True
    counts = [count for _, count in Counter(_answers(askings)).most_common()]
    most, second = (*counts, 0, 0)[:2]
    is_dominant = most > second + left
    asked_at_most = len(askings) + left
    can_be_missed = most < TARGET * asked_at_most
    can_be_reached = most + left >= TARGET * asked_at_most
    return is_dominant and not (can_be_missed and can_be_reached)


def needs_results(askings: Sequence[Asking]) -> bool:
    """Whether the results have to be looked at: where all SQL is one, all answers are."""
    return len({asking.sql for asking in askings}) > 1


def repeatability(found: Repeated | None) -> Verdict:
    """The verdict of the judge over the askings of one question."""
    if found is None:
        return ASKED_ONCE
    most = found.answers[0][0]
    ways = "one way" if found.sql_count == 1 else f"{found.sql_count} ways"
    told = f"{most} of {found.asked_count} askings give one answer; the SQL is written in {ways}."
    return Verdict("repeatability", "no" if found.is_unstable else "yes", told, 1.0)


def failure_of(found: Repeated, space_id: str) -> Failure | None:
    """What is wrong where a question is unstable; None where it is not."""
    if not found.is_unstable:
        return None
    rule = RULES["answers_vary"]
    counts = " + ".join(str(count) for count, _, _ in found.answers)
    (_, dominant, _), (_, other, _) = found.answers[:2]
    return Failure(
        judge=rule.judge,
        rule="answers_vary",
        asi=Asi(
            failure_type=rule.failure_type,
            severity=rule.severity,
            confidence=rule.confidence,
            blame_set=(f"space:{space_id}",),
            expected_value="one answer",
            actual_value=f"{len(found.answers)} answers in {found.asked_count} askings: {counts}",
            missing_metadata="Nothing decides between the readings that the answers show.",
            ambiguity_detected=True,
            counterfactual_fix="Say which of the readings is meant, where both find it: in the "
            "comments, synonyms or instructions of what they read differently.",
        ),
        expected_fragment=dominant,
        actual_fragment=other,
    )


def _answers(askings: Sequence[Asking]) -> list[int]:
    """For each asking the position of the first one that gave the same answer."""
    group = list(range(len(askings)))
    seen: dict[tuple[str | None, ...], int] = {}
    for position, asking in enumerate(askings):
        marks: list[tuple[str | None, ...]] = [("sql", asking.sql)]
        if asking.result_hash is not None:
            marks.append(("result", asking.data, asking.result_hash))
        for mark in marks:
            joined = {group[position], group[seen.setdefault(mark, position)]}
            group = [min(joined) if one in joined else one for one in group]
    return group
