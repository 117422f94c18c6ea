"""Versions of a space's metadata as MLflow LoggedModels: nothing is evaluated without one."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from genie.mlflow_store import EVALUATION_TAG, MlflowStore, safe_name
from transforms.space_state import SpaceState

if TYPE_CHECKING:
    from mlflow.entities import LoggedModel

STARTED_TAG = "genie_loop.started_at"
_STATE_FILE = "state.json"
_PATCHES_FILE = "patch_set.json"
_READY: Literal["READY"] = "READY"


@dataclass(frozen=True, slots=True)
class ModelVersion:
    """A recorded version; ``started_at`` is when its evaluation began, ISO 8601, UTC."""

    model_id: str
    experiment_id: str
    state: SpaceState
    started_at: str


def create_genie_model_version(
    space_id: str,
    space_config: Mapping[str, Any],
    iteration: int,
    domain: str,
    patch_set: Sequence[Mapping[str, Any]] | None = None,
    parent_model_id: str | None = None,
    *,
    store: MlflowStore,
    evaluation_id: str,
    started_at: str,
) -> str:
    """Record the full state of a space before it is evaluated; its ``model_id``.

    ``space_config`` is ``SpaceState.to_dict()``; it and ``patch_set``, the patches that led to it
    from ``parent_model_id``, are stored as artifacts. Called again for the same evaluation and the
    same state it gives the same model, and completes one that was left half-made; after another
    state it is a new one, so that the newest version of an evaluation is the one that is asked.
    """
    config_hash = state_hash(space_config)
    model = _newest(store, domain, evaluation_id)
    if model is None or model.params.get("config_hash") != config_hash:
        params = {
            "space_id": space_id,
            "iteration": str(iteration),
            "domain": domain,
            "config_hash": config_hash,
            "parent_model_id": parent_model_id or "",
        }
        tags = {EVALUATION_TAG: evaluation_id, STARTED_TAG: started_at}
        model = store.client.create_logged_model(
            experiment_id=store.experiment_id(domain),
            name=f"genie-space-{safe_name(domain)}",
            tags=tags,
            params=params,
            model_type="genie_space",
        )
    if str(model.status) != _READY:
        with tempfile.TemporaryDirectory() as folder:
            _write(Path(folder) / _STATE_FILE, space_config)
            _write(Path(folder) / _PATCHES_FILE, list(patch_set or ()))
            store.client.log_model_artifacts(model.model_id, folder)
        store.client.finalize_logged_model(model.model_id, _READY)
    return str(model.model_id)


def find_model_version(store: MlflowStore, domain: str, evaluation_id: str) -> ModelVersion | None:
    """The newest complete version recorded for an evaluation, with its state read back."""
    model = _newest(store, domain, evaluation_id)
    if model is None or str(model.status) != _READY:
        return None
    from mlflow.artifacts import load_dict

    raw = load_dict(f"{model.artifact_location}/{_STATE_FILE}")
    started_at = str(model.tags[STARTED_TAG])
    return ModelVersion(
        str(model.model_id), str(model.experiment_id), SpaceState.from_dict(raw), started_at
    )


def state_hash(space_config: Mapping[str, Any]) -> str:
    """``SpaceState.state_hash`` of a state given as plain values."""
    return SpaceState.from_dict(dict(space_config)).state_hash


def _newest(store: MlflowStore, domain: str, evaluation_id: str) -> LoggedModel | None:
    found = store.client.search_logged_models(
        experiment_ids=[store.experiment_id(domain)],
        filter_string=f"tags.`{EVALUATION_TAG}` = '{evaluation_id}'",
        order_by=[{"field_name": "creation_timestamp", "ascending": False}],
    )
    return next(iter(found), None)


def _write(path: Path, value: Any) -> None:
    path.write_text(json.dumps(value, indent=1, ensure_ascii=False, allow_nan=False))
