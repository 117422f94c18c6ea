"""How many right answers are right by luck, counted over rows of ``eval_results``."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class LuckCounts:
    """Of right answers: how many were looked at, could be checked, and are right by luck."""

    correct_count: int
    looked_at_count: int
    checked_count: int
    coincidental_count: int

    @property
    def text(self) -> str | None:
        """In words; None where none was looked at."""
        if not self.looked_at_count:
            return None
        left = self.looked_at_count - self.checked_count
        return f"{self.coincidental_count} of {self.correct_count} right answers " + (
            f"are right by luck ({left} could not be checked)" if left else "are right by luck"
        )


def luck_counts(results: Iterable[Mapping[str, Any]]) -> LuckCounts:
    """The counts over rows of ``eval_results``, of one evaluation or of one of its splits."""
    right = [result for result in results if result["is_correct"]]
    found = [result.get("is_coincidental") for result in right]
    return LuckCounts(
        correct_count=len(right),
        looked_at_count=sum(r.get("coincidence_detail") is not None for r in right),
        checked_count=sum(one is not None for one in found),
        coincidental_count=sum(bool(one) for one in found),
    )
