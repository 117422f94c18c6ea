"""Which version of a space is the one to use: a tag on its LoggedModel in MLflow."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from genie.mlflow_store import MlflowStore
from transforms.errors import StateConflictError

if TYPE_CHECKING:
    from mlflow.entities import LoggedModel

ALIAS_TAG = "genie_loop.alias"
CHAMPION = "champion"


@dataclass(frozen=True, slots=True)
class Promotion:
    """The champion now, and the one before: None where there was none, or it is the same."""

    model_id: str
    former_model_id: str | None = None
    is_new: bool = False


def promote_best_model(
    space_id: str, domain: str, model_id: str, *, store: MlflowStore
) -> Promotion:
    """Make the version of the last accepted evaluation the champion of its space.

    The best version is the last accepted one, not the one with the highest accuracy: the gate has
    compared each with the one before, while the highest of many measurements is partly luck.

    The alias is the tag ``genie_loop.alias`` = ``champion`` of the LoggedModel. MLflow has
    aliases in its model registry only, where a version of a space cannot be everywhere: Unity
    Catalog registers nothing without an MLmodel file and a signature, and a state has neither; and
    MLflow 3 looks a LoggedModel that is to be registered up in the store that the process has set,
    not in the client's. A tag stands on the version itself, and is found in any store by
    ``search_logged_models(filter_string="tags.`genie_loop.alias` = 'champion'")``.

    The new champion is tagged before the former one is not any more: killed in between there are
    two, and the next call leaves one. Raises StateConflictError when the store does not have the
    version.
    """
    champions = [
        str(model.model_id)
        for model in _tagged(store, domain)
        if model.params.get("space_id") == space_id
    ]
    is_new = model_id not in champions
    if is_new:
        _check_is_there(store, model_id)
        store.client.set_logged_model_tags(model_id, {ALIAS_TAG: CHAMPION})
    former = [champion for champion in champions if champion != model_id]
    for champion in former:
        store.client.delete_logged_model_tag(champion, ALIAS_TAG)
    return Promotion(model_id, former[0] if former else None, is_new)


def _tagged(store: MlflowStore, domain: str) -> list[LoggedModel]:
    return list(
        store.client.search_logged_models(
            experiment_ids=[store.experiment_id(domain)],
            filter_string=f"tags.`{ALIAS_TAG}` = '{CHAMPION}'",
            order_by=[{"field_name": "creation_timestamp", "ascending": False}],
        )
    )


def _check_is_there(store: MlflowStore, model_id: str) -> None:
    from mlflow.exceptions import MlflowException

    try:
        store.client.get_logged_model(model_id)
    except MlflowException as error:
        raise StateConflictError(
            f"the MLflow store does not have this version: {str(error).splitlines()[0]}",
            where=model_id,
            remedy="give the store that its evaluation was recorded in",
        ) from error
