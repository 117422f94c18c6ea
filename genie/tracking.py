"""The MLflow run of an evaluation: metrics linked to the model version, artifacts, traces.

A run is opened before anybody is asked, and its id is known from then on. What it holds is logged
by comparing: what is there stays, what is missing is logged, so that the same call records an
evaluation, completes one that was cut off, and does nothing where nothing is missing.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from genie.mlflow_store import EVALUATION_TAG, MlflowStore
from genie.traces import AnswerTrace, TraceLinks, log_traces

if TYPE_CHECKING:
    from mlflow.entities import LoggedModel, Run

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
    traces: tuple[AnswerTrace, ...] = ()


@dataclass(frozen=True, slots=True)
class Logged:
    """What was missing of an evaluation and is logged now; all zero when nothing was.

    ``values`` counts metrics, params, tags and the link to the version.
    """

    run_id: str
    is_run_new: bool
    values: int
    artifacts: int
    traces: int
    has_version: bool

    @property
    def is_nothing(self) -> bool:
        """Whether everything was there before."""
        return not (self.is_run_new or self.values or self.artifacts or self.traces)


def open_run(
    store: MlflowStore, experiment_id: str, evaluation_id: str, name: str, started_ms: int
) -> str:
    """The id of the evaluation's run, created when it is not there."""
    found = _find_run(store, experiment_id, evaluation_id)
    return found or _create_run(store, experiment_id, evaluation_id, name, started_ms)


def record_run(store: MlflowStore, evaluation: EvaluationRun) -> Logged:
    """Log what is missing of an evaluation; a run that has everything is left as it is.

    Raises TrackingError when the store does not have what was logged, and whatever MLflow raises.
    """
    model = _find_model(store, evaluation.model_id)
    experiment_id = (
        store.experiment_id(evaluation.domain) if model is None else str(model.experiment_id)
    )
    found = _find_run(store, experiment_id, evaluation.evaluation_id)
    run_id = found or _create_run(
        store, experiment_id, evaluation.evaluation_id, evaluation.name, evaluation.started_ms
    )
    run = store.client.get_run(run_id)
    model_id = None if model is None else evaluation.model_id
    values = _log_values(store, run, evaluation, model_id)
    artifacts = _missing_artifacts(store, run, evaluation.artifacts)
    _log_artifacts(store, run_id, {path: evaluation.artifacts[path] for path in artifacts})
    links = TraceLinks(experiment_id, evaluation.evaluation_id, run_id, model_id)
    traces = log_traces(store, links, evaluation.traces)
    if run.info.status != _FINISHED:
        store.client.set_terminated(run_id, _FINISHED, end_time=evaluation.finished_ms)
    return Logged(
        run_id=run_id,
        is_run_new=found is None,
        values=values,
        artifacts=len(artifacts),
        traces=traces,
        has_version=model is not None,
    )


def _find_run(store: MlflowStore, experiment_id: str, evaluation_id: str) -> str | None:
    found = store.client.search_runs(
        [experiment_id], f"tags.`{EVALUATION_TAG}` = '{evaluation_id}'", max_results=1
    )
    return str(found[0].info.run_id) if found else None


def _create_run(
    store: MlflowStore, experiment_id: str, evaluation_id: str, name: str, started_ms: int
) -> str:
    run = store.client.create_run(
        experiment_id, start_time=started_ms, tags={EVALUATION_TAG: evaluation_id}, run_name=name
    )
    return str(run.info.run_id)


def _find_model(store: MlflowStore, model_id: str) -> LoggedModel | None:
    """The version; None where the store never had it, or has it no more."""
    from mlflow.exceptions import MlflowException
    from mlflow.protos.databricks_pb2 import RESOURCE_DOES_NOT_EXIST, ErrorCode

    try:
        return store.client.get_logged_model(model_id)
    except MlflowException as error:
        if error.error_code == ErrorCode.Name(RESOURCE_DOES_NOT_EXIST):
            return None
        raise


def _log_values(
    store: MlflowStore, run: Run, evaluation: EvaluationRun, model_id: str | None
) -> int:
    """Log metrics, params, tags and the link to the version where missing; how many those were."""
    from mlflow.entities import LoggedModelInput, Metric, Param, RunTag

    run_id = str(run.info.run_id)
    linked = {str(model.model_id) for model in (run.inputs.model_inputs if run.inputs else ())}
    unlinked = [] if model_id is None or model_id in linked else [model_id]
    if unlinked:
        store.client.log_inputs(run_id, models=[LoggedModelInput(m) for m in unlinked])
    metrics = [
        Metric(name, value, evaluation.finished_ms, evaluation.iteration,
               model_id=model_id, run_id=run_id)
        for name, value in sorted(evaluation.metrics.items())
        if run.data.metrics.get(name) != value
    ]  # fmt: skip
    params = [Param(k, v) for k, v in sorted(evaluation.params.items()) if k not in run.data.params]
    tags = [RunTag(k, v) for k, v in sorted(evaluation.tags.items()) if run.data.tags.get(k) != v]
    if metrics or params or tags:
        store.client.log_batch(run_id, metrics=metrics, params=params, tags=tags)
    return len(metrics) + len(params) + len(tags) + len(unlinked)


def _missing_artifacts(store: MlflowStore, run: Run, artifacts: Mapping[str, Any]) -> list[str]:
    """Paths that are not there; all of them where a try may have left one half-written."""
    if run.info.status != _FINISHED:
        return sorted(artifacts)
    folders = {path.rpartition("/")[0] for path in artifacts}
    there: Collection[str] = {
        file.path
        for folder in sorted(folders)
        for file in store.client.list_artifacts(run.info.run_id, folder or None)
    }
    return sorted(artifacts.keys() - there)


def _log_artifacts(store: MlflowStore, run_id: str, artifacts: Mapping[str, Any]) -> None:
    if not artifacts:
        return
    with tempfile.TemporaryDirectory() as folder:
        for path, value in artifacts.items():
            target = Path(folder) / path
            target.parent.mkdir(parents=True, exist_ok=True)
            text = json.dumps(value, indent=1, ensure_ascii=False, allow_nan=False)
            target.write_text(text, encoding="utf-8")
        store.client.log_artifacts(run_id, folder)
