"""The MLflow run of an evaluation: metrics linked to the model version, and the artifacts."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from genie.mlflow_store import EVALUATION_TAG, MlflowStore

_FINISHED = "FINISHED"


@dataclass(frozen=True, slots=True)
class EvaluationRun:
    """What is tracked of one evaluation.

    ``artifacts`` go by path (``evaluation/failures.json``) and hold plain JSON values;
    ``started_ms`` and ``finished_ms`` are milliseconds since 1970, UTC.
    """

    evaluation_id: str
    name: str
    domain: str
    model_id: str
    iteration: int
    metrics: Mapping[str, float]
    params: Mapping[str, str]
    tags: Mapping[str, str]
    artifacts: Mapping[str, Any]
    started_ms: int
    finished_ms: int


def record_run(store: MlflowStore, evaluation: EvaluationRun) -> str:
    """Record the run once; its id. A run that was left unfinished is completed, not repeated."""
    from mlflow.entities import LoggedModelInput, Metric, Param, RunTag

    client = store.client
    experiment_id = store.experiment_id(evaluation.domain)
    found = client.search_runs(
        [experiment_id], f"tags.`{EVALUATION_TAG}` = '{evaluation.evaluation_id}'", max_results=1
    )
    if found and found[0].info.status == _FINISHED:
        return str(found[0].info.run_id)
    run = found[0] if found else client.create_run(
        experiment_id,
        start_time=evaluation.started_ms,
        tags={EVALUATION_TAG: evaluation.evaluation_id},
        run_name=evaluation.name,
    )  # fmt: skip
    run_id = str(run.info.run_id)
    client.log_inputs(run_id, models=[LoggedModelInput(model_id=evaluation.model_id)])
    client.log_batch(
        run_id,
        metrics=[
            Metric(name, value, evaluation.finished_ms, evaluation.iteration,
                   model_id=evaluation.model_id, run_id=run_id)
            for name, value in sorted(evaluation.metrics.items())
        ],
        params=[Param(key, value) for key, value in sorted(evaluation.params.items())],
        tags=[RunTag(key, value) for key, value in sorted(evaluation.tags.items())],
    )  # fmt: skip
    with tempfile.TemporaryDirectory() as folder:
        for path, value in evaluation.artifacts.items():
            target = Path(folder) / path
            target.parent.mkdir(parents=True, exist_ok=True)
            text = json.dumps(value, indent=1, ensure_ascii=False, allow_nan=False)
            target.write_text(text, encoding="utf-8")
        client.log_artifacts(run_id, folder)
    client.set_terminated(run_id, _FINISHED, end_time=evaluation.finished_ms)
    return run_id
