"""Model versions in MLflow: complete, and made once."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from genie.mlflow_store import open_store, safe_name
from genie.model_versions import create_genie_model_version, find_model_version
from transforms.space_state import ColumnState, SpaceState, TableState

STATE = SpaceState("s", "d", (TableState("d.t", (ColumnState("a", "bigint", "é"),)),))


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    folder = tmp_path_factory.mktemp("mlflow")
    return open_store(f"sqlite:///{folder / 'mlflow.db'}", folder / "artifacts")


def create(store, evaluation_id, state=STATE, **changes):
    values = {"patch_set": [{"patch_type": "x"}], "parent_model_id": "m-parent", **changes}
    return create_genie_model_version(
        "s", state.to_dict(), 3, "shop", **values,
        store=store, evaluation_id=evaluation_id, started_at="2026-01-02T03:04:05+00:00",
    )  # fmt: skip


def model_artifact(store, model_id, name):
    location = store.client.get_logged_model(model_id).artifact_location.removeprefix("file://")
    return json.loads((Path(location) / name).read_text())


def test_a_version_holds_params_the_full_state_and_the_patches(store):
    model_id = create(store, "evaluation-a")
    model = store.client.get_logged_model(model_id)
    assert model.name == "genie-space-shop"
    assert model.params == {
        "space_id": "s", "iteration": "3", "domain": "shop",
        "config_hash": STATE.state_hash, "parent_model_id": "m-parent",
    }  # fmt: skip
    assert SpaceState.from_dict(model_artifact(store, model_id, "state.json")) == STATE
    assert model_artifact(store, model_id, "patch_set.json") == [{"patch_type": "x"}]
    found = find_model_version(store, "shop", "evaluation-a")
    assert (found.model_id, found.state, found.started_at) == (
        model_id, STATE, "2026-01-02T03:04:05+00:00",
    )  # fmt: skip


def test_a_version_is_made_once_per_evaluation_and_state(store):
    first = create(store, "evaluation-b")
    assert create(store, "evaluation-b") == first
    changed = replace(STATE, instructions=("Prices are in euros.",))
    other = create(store, "evaluation-b", changed)
    assert other != first
    assert find_model_version(store, "shop", "evaluation-b").state == changed, "the newest counts"
    assert create(store, "evaluation-c") not in (first, other)


def test_a_state_that_comes_back_is_the_newest_version_again(store):
    changed = replace(STATE, instructions=("Prices are in euros.",))
    models = [create(store, "evaluation-e", state) for state in (STATE, changed, STATE)]
    assert len(set(models)) == 3
    assert find_model_version(store, "shop", "evaluation-e").state == STATE


def test_a_version_that_was_left_half_made_is_completed(store, monkeypatch):
    def crash(*args, **kwargs):
        raise ConnectionError

    with monkeypatch.context() as patch:
        patch.setattr(type(store.client), "log_model_artifacts", crash)
        with pytest.raises(ConnectionError):
            create(store, "evaluation-d")
    assert find_model_version(store, "shop", "evaluation-d") is None
    model_id = create(store, "evaluation-d")
    assert find_model_version(store, "shop", "evaluation-d").model_id == model_id
    found = store.client.search_logged_models(
        [store.experiment_id("shop")],
        "tags.`genie_loop.evaluation_id` = 'evaluation-d'",
    )
    assert [m.model_id for m in found] == [model_id]


@pytest.mark.parametrize(
    ("text", "name"),
    [("shop", "shop"), ("a/b:c.d", "a-b-c-d"), ("größe 1", "gr-e 1"), ("%%", "space")],
)
def test_any_text_can_name_something_in_mlflow(text, name):
    assert safe_name(text) == name
