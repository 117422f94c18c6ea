"""What people are told of one evaluation."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pipelines.tracking import Counted
from transforms.luck import luck_counts
from transforms.statistics import wilson


@dataclass(frozen=True, slots=True)
class EvaluationReport:
    """What one evaluation recorded, and where; ``wrote`` is the number of commits.

    ``luck`` says how many right answers are right by luck; None where that was not checked.
    ``not_tracked`` says why MLflow does not have all of it; None when it has.
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

    @property
    def line(self) -> str:
        """One line for people: how many of each, and where."""
        actions = ", ".join(
            f"{count} {name.replace('_', ' ')}" for name, count in self.action_counts.items()
        )
        counted = (
            f"{self.space_id}: {self.correct_count} of {self.question_count} right"
            f"{self._interval}; {f'{self.luck}; ' if self.luck else ''}"
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
    def _interval(self) -> str:
        interval = wilson(self.correct_count, self.question_count)
        return "" if interval is None else f" ({interval.low:.0%} to {interval.high:.0%})"


def report_of(
    evaluation: Mapping[str, Any], counted: Counted, not_tracked: str | None, *, wrote: int
) -> EvaluationReport:
    """The report of an evaluation whose rows are recorded, in ``wrote`` commits."""
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
    )
