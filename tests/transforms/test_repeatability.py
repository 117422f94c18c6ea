from __future__ import annotations

import pytest

from transforms.repeatability import ASKED_ONCE, Asking, dominant_share, repeatability


@pytest.mark.parametrize(
    ("askings", "share"),
    [
        ((), None),
        ((Asking("a", "SELECT 1"),), None),
        ((Asking("a", "SELECT 1"), Asking("a", "SELECT 2")), 1.0),
        ((Asking("a", "SELECT 1"), Asking("b", "SELECT 1")), 0.5),
        ((Asking(None, "SELECT x"), Asking(None, "SELECT x"), Asking("a", "SELECT 1")), 2 / 3),
        ((Asking(None, None), Asking(None, None)), 1.0),
    ],
)
def test_answers_are_one_by_result_then_by_sql(
    askings: tuple[Asking, ...], share: float | None
) -> None:
    assert dominant_share(askings) == share


def test_one_asking_says_nothing() -> None:
    assert repeatability((Asking("a", "SELECT 1"),)) is ASKED_ONCE
    assert (ASKED_ONCE.value, ASKED_ONCE.confidence) == ("skipped", None)


def test_the_verdict_says_how_many_agree_and_in_how_many_ways_they_are_written() -> None:
    same = repeatability((Asking("a", "SELECT 1"), Asking("a", "SELECT 2 - 1")))
    assert (same.value, "2 of 2" in same.rationale, "2 way(s)" in same.rationale) == (
        "yes",
        True,
        True,
    )
    other = repeatability((Asking("a", "x"), Asking("a", "x"), Asking("b", "y")))
    assert (other.value, "2 of 3" in other.rationale) == ("no", True)
