"""What MLflow holds of an evaluation, from the evaluation's rows and from nothing else.

``evaluate`` logs it when it has judged; ``genie-loop mlflow sync`` builds the same from the tables.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from genie.tracking import EvaluationRun
from pipelines.answer_traces import answer_traces
from pipelines.artifacts import build_artifacts
from transforms.evaluation_rows import metrics_of

Row = Mapping[str, Any]
TAG_PREFIX = "genie_loop."
_PARAMS = ("state_hash", "benchmark_set_hash", "judge_version", "comparison_policy", "answerer")
_TAGS = ("space_id", "request_id", "kind", "cycle", "iteration", "application_id", "batch_id")


@dataclass(frozen=True, slots=True)
class EvaluationRows:
    """The rows of one evaluation: of ``evaluations``, and all of its rows in four tables."""

    evaluation: Row
    results: Sequence[Row]
    verdicts: Sequence[Row]
    failures: Sequence[Row]
    rulings: Sequence[Row]


def evaluation_run(rows: EvaluationRows, domain: str, parent_model_id: str | None) -> EvaluationRun:
    """The run of an evaluation, with its metrics, tags, artifacts and traces.

    ``domain`` is the space's; ``parent_model_id`` the version that was evaluated before this one.
    """
    evaluation = rows.evaluation
    tags = {f"{TAG_PREFIX}{name}": evaluation[name] for name in _TAGS}
    tags[f"{TAG_PREFIX}parent_model_id"] = parent_model_id
    started_ms = milliseconds(evaluation["started_at"])
    return EvaluationRun(
        evaluation_id=evaluation["evaluation_id"],
        name=run_name(evaluation["space_id"], evaluation["kind"], evaluation["iteration"]),
        domain=domain,
        model_id=evaluation["model_id"],
        iteration=evaluation["iteration"],
        metrics=metrics_of(rows.results, rows.verdicts),
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
