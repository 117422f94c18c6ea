"""What people are told of one evaluation."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from pipelines.tracking import Counted
from transforms.contracts import SPLITS
from transforms.luck import luck_counts
from transforms.statistics import wilson


@dataclass(frozen=True, slots=True)
class EvaluationReport:
    """What one evaluation recorded, and where; ``wrote`` is the number of commits.

    ``luck`` says how many right answers are right by luck; None where that was not checked.
    ``not_tracked`` says why MLflow does not have all of it; None when it has. ``repeated_count``
    questions were asked more than once, and ``unstable_counts`` of each split are unstable;
    ``unstable_ids`` names those of train.
    """

    evaluation_id: str
    space_id: str
    question_count: int
    correct_count: int
    failure_count: int
    action_counts: Mapping[str, int]
    run_id: str
    artifacts_at: str
    wrote: int
    luck: str | None = None
    not_tracked: str | None = None
    repeated_count: int = 0
    unstable_counts: Mapping[str, int] = field(default_factory=dict)
    unstable_ids: Sequence[str] = ()

    @property
    def line(self) -> str:
        """One line for people: how many of each, and where."""
        actions = ", ".join(
            f"{count} {name.replace('_', ' ')}" for name, count in self.action_counts.items()
        )
        counted = (
            f"{self.space_id}: {self.correct_count} of {self.question_count} right"
            f"{self._interval}; {f'{self.luck}; ' if self.luck else ''}{self._repeated}"
            f"{self.question_count} results, {self.failure_count} failures, "
            f"{sum(self.action_counts.values())} arbiter actions ({actions}) "
        )
        if self.not_tracked is None:
            return f"{counted}in {self.artifacts_at} of MLflow run {self.run_id}"
        return (
            f"{counted}in the tables, but not all of it in MLflow ({self.not_tracked}); "
            "log what is missing: genie-loop mlflow sync"
        )

    @property
    def _repeated(self) -> str:
        if not self.repeated_count:
            return ""
        counted = ", ".join(f"{n} {split}" for split, n in self.unstable_counts.items() if n)
        named = f": {', '.join(self.unstable_ids)}" if self.unstable_ids else ""
        unstable = f" ({counted}{named})" if counted else ""
        return (
            f"{sum(self.unstable_counts.values())} of {self.repeated_count} asked again are "
            f"unstable{unstable}; "
        )

    @property
    def _interval(self) -> str:
        interval = wilson(self.correct_count, self.question_count)
        return "" if interval is None else f" ({interval.low:.0%} to {interval.high:.0%})"


def report_of(
    evaluation: Mapping[str, Any],
    counted: Counted,
    not_tracked: str | None,
    repeated: Sequence[Mapping[str, Any]],
    *,
    wrote: int,
) -> EvaluationReport:
    """The report of an evaluation whose rows are recorded, in ``wrote`` commits.

    ``repeated`` are its rows of ``repeated_questions``. Questions of train are named only.
    """
    unstable = [row for row in repeated if row["is_unstable"]]
    return EvaluationReport(
        evaluation_id=evaluation["evaluation_id"],
        space_id=evaluation["space_id"],
        question_count=evaluation["question_count"],
        correct_count=evaluation["correct_count"],
        failure_count=evaluation["failure_count"],
        action_counts=counted.action_counts,
        run_id=evaluation["mlflow_run_id"],
        artifacts_at="evaluation/",
        wrote=wrote,
        luck=luck_counts(counted.results).text,
        not_tracked=not_tracked,
        repeated_count=len(repeated),
        unstable_counts={split: sum(row["split"] == split for row in unstable) for split in SPLITS},
        unstable_ids=sorted(row["question_id"] for row in unstable if row["split"] == "train"),
    )
