"""What MLflow holds of an evaluation, from the evaluation's rows and from nothing else.

``evaluate`` logs it when it has judged; ``genie-loop mlflow sync`` builds the same from the tables.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from genie.tracking import EvaluationRun
from pipelines.answer_traces import answer_traces
from pipelines.artifacts import LIST_OF_ACTION, build_artifacts
from transforms.evaluation_rows import metrics_of

Row = Mapping[str, Any]
TAG_PREFIX = "genie_loop."
_PARAMS = ("state_hash", "benchmark_set_hash", "judge_version", "comparison_policy", "answerer")
_TAGS = ("space_id", "request_id", "kind", "cycle", "iteration", "application_id", "batch_id")


TRACKED_ANSWERS = 2_000  # of one evaluation; more take MLflow minutes, and nobody reads them all


@dataclass(frozen=True, slots=True)
class Counted:
    """What is counted of an evaluation: rows with the columns that counting looks at.

    ``confirmed_count`` is that of answers with confirmed failures that were not arbitrated.
    """

    results: Sequence[Row]
    verdicts: Sequence[Row]
    rulings: Sequence[Row]
    failure_count: int
    confirmed_count: int

    @property
    def action_counts(self) -> dict[str, int]:
        """How many entries each list of the artifact of actions has, or would have."""
        counts = Counter(LIST_OF_ACTION[row["action"]] for row in self.rulings)
        counts[LIST_OF_ACTION["cluster"]] += self.confirmed_count
        return {name: counts[name] for name in LIST_OF_ACTION.values()}


def counted_of(
    results: Sequence[Row], verdicts: Sequence[Row], failures: Sequence[Row], rulings: Sequence[Row]
) -> Counted:
    """What is counted of an evaluation whose rows are all at hand."""
    ruled = {_key(row) for row in rulings}
    confirmed = {_key(row) for row in failures if row["confirmation"] == "confirmed"}
    return Counted(results, verdicts, rulings, len(failures), len(confirmed - ruled))


@dataclass(frozen=True, slots=True)
class EvaluationRows:
    """The rows of one evaluation: of ``evaluations``, and all of its rows in four tables."""

    evaluation: Row
    results: Sequence[Row]
    verdicts: Sequence[Row]
    failures: Sequence[Row]
    rulings: Sequence[Row]

    def tracked(self) -> EvaluationRows:
        """Those of the answers that MLflow is given: ``TRACKED_ANSWERS``, wrong ones first."""
        if len(self.results) <= TRACKED_ANSWERS:
            return self
        in_order = sorted(self.results, key=lambda row: (bool(row["is_correct"]), *_key(row)))
        keys = {_key(row) for row in in_order[:TRACKED_ANSWERS]}
        results, verdicts, failures, rulings = (
            [row for row in rows if _key(row) in keys]
            for rows in (self.results, self.verdicts, self.failures, self.rulings)
        )
        return EvaluationRows(self.evaluation, results, verdicts, failures, rulings)


def _key(row: Row) -> tuple[str, int]:
    return (row["question_id"], row["attempt"])


def evaluation_run(
    rows: EvaluationRows,
    domain: str,
    parent_model_id: str | None,
    counted: Counted | None = None,
) -> EvaluationRun:
    """The run of an evaluation, with its metrics, tags, artifacts and traces.

    ``domain`` is the space's; ``parent_model_id`` the version that was evaluated before this one.
    Where ``rows`` are those ``tracked`` already, ``counted`` is of all.
    """
    counted = counted or counted_of(rows.results, rows.verdicts, rows.failures, rows.rulings)
    rows = rows.tracked()
    evaluation = rows.evaluation
    tags = {f"{TAG_PREFIX}{name}": evaluation[name] for name in _TAGS}
    tags[f"{TAG_PREFIX}parent_model_id"] = parent_model_id
    if len(rows.results) < len(counted.results):
        tags[f"{TAG_PREFIX}tracked_answers"] = f"{len(rows.results)} of {len(counted.results)}"
    started_ms = milliseconds(evaluation["started_at"])
    return EvaluationRun(
        evaluation_id=evaluation["evaluation_id"],
        name=run_name(evaluation["space_id"], evaluation["kind"], evaluation["iteration"]),
        domain=domain,
        model_id=evaluation["model_id"],
        iteration=evaluation["iteration"],
        metrics=metrics_of(counted.results, counted.verdicts),
        params={name: str(evaluation[name]) for name in _PARAMS},
        tags={name: str(value) for name, value in tags.items() if value is not None},
        artifacts=build_artifacts(rows.results, rows.failures, rows.rulings).by_path(),
        started_ms=started_ms,
        finished_ms=milliseconds(evaluation["finished_at"]),
        traces=tuple(answer_traces(rows.results, rows.verdicts, rows.failures, started_ms)),
    )


def run_name(space_id: str, kind: str, iteration: int) -> str:
    """What people see in the list of runs."""
    return f"{space_id} {kind} {iteration}"


def milliseconds(moment: datetime) -> int:
    """Milliseconds since 1970; a time without a zone is the process's local time."""
    return int(moment.astimezone(UTC).timestamp() * 1000)
