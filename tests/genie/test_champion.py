"""The champion of a space: one version, tagged in MLflow, found by anybody."""

from __future__ import annotations

import pytest

from genie.champion import Promotion, promote_best_model
from genie.mlflow_store import open_store
from genie.model_versions import create_genie_model_version
from transforms.errors import StateConflictError
from transforms.space_state import SpaceState


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    folder = tmp_path_factory.mktemp("mlflow")
    return open_store(f"sqlite:///{folder / 'mlflow.db'}", folder / "artifacts")


def version(store, space_id, number):
    return create_genie_model_version(
        space_id, SpaceState(space_id, "d", ()).to_dict(), number, "shop",
        store=store, evaluation_id=f"{space_id} {number}", started_at="2026-01-02T03:04:05+00:00",
    )  # fmt: skip


def champions(store):
    found = store.client.search_logged_models(
        experiment_ids=[store.experiment_id("shop")],
        filter_string="tags.`genie_loop.alias` = 'champion'",
    )
    return {model.model_id for model in found}


def test_there_is_one_champion_of_each_space(store):
    first, second, other = version(store, "a", 0), version(store, "a", 1), version(store, "b", 0)
    assert promote_best_model("a", "shop", first, store=store) == Promotion(first, None, True)
    assert promote_best_model("a", "shop", first, store=store) == Promotion(first)
    promote_best_model("b", "shop", other, store=store)
    assert promote_best_model("a", "shop", second, store=store) == Promotion(second, first, True)
    assert champions(store) == {second, other}


def test_a_promotion_that_was_cut_off_is_finished_by_the_next(store, monkeypatch):
    first, second = version(store, "c", 0), version(store, "c", 1)
    promote_best_model("c", "shop", first, store=store)

    def crash(*args):
        raise ConnectionError

    with monkeypatch.context() as patch:
        patch.setattr(type(store.client), "delete_logged_model_tag", crash)
        with pytest.raises(ConnectionError):
            promote_best_model("c", "shop", second, store=store)
    assert {first, second} <= champions(store)
    assert promote_best_model("c", "shop", second, store=store) == Promotion(second, first)
    assert champions(store) & {first, second} == {second}


def test_a_version_that_the_store_does_not_have_is_refused(store):
    with pytest.raises(StateConflictError, match="does not have this version"):
        promote_best_model("a", "shop", "m-nothing", store=store)
