"""``promote`` and ``rollback``: what is refused before Spark starts, and what MLflow shows."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from genie.mlflow_store import open_store
from genie.model_versions import create_genie_model_version
from jobs.cli import app
from jobs.home import Home
from tests.jobs import seeded
from tests.jobs.seeded import append
from transforms import contracts as c
from transforms.space_state import SpaceState


def call(home: Home | Path, *words: str):
    root = home.root if isinstance(home, Home) else home
    return CliRunner().invoke(app, ["--home", str(root), *words])


@pytest.fixture(scope="module")
def promoted(tmp_path_factory) -> tuple[Home, list[str]]:
    """A home with versions in MLflow: a baseline, one more, and a rejected one with 100 %."""
    home = Home(tmp_path_factory.mktemp("home"))
    seeded.create(home)
    append(home, c.SPACES, [seeded.space(), seeded.space("new")])
    store = open_store(home.tracking_uri, home.artifacts)
    models = [
        create_genie_model_version(
            "shop", SpaceState("shop", "d", ()).to_dict(), n, "retail",
            store=store, evaluation_id=seeded.evaluation_id(iteration=n), started_at="2026",
        )
        for n in range(3)
    ]  # fmt: skip
    rows = [seeded.evaluation(iteration=n, model_id=model) for n, model in enumerate(models)]
    measures = {"application_id": "application-9", "batch_id": "batch-9", "accuracy": 1.0}
    append(home, c.EVALUATIONS, [*rows[:2], {**rows[2], **measures}])
    append(home, c.GATE_DECISIONS, [{**seeded.gate_decision(9, "rejected"), "batch_id": "batch-9"}])
    return home, models


def test_the_last_accepted_version_is_promoted_not_the_one_with_the_highest_accuracy(promoted):
    home, models = promoted
    done = call(home, "promote", "shop", "--json")
    assert done.exit_code == 0, done.output
    (row,) = json.loads(done.stdout)
    assert (row["model_id"], row["is_new"]) == (models[1], True)
    store = open_store(home.tracking_uri)
    assert store.client.get_logged_model(models[1]).tags["genie_loop.alias"] == "champion"
    again = call(home, "promote", "shop")
    assert again.stdout.strip().endswith("was the champion before; nothing written")


@pytest.mark.parametrize(
    ("words", "exit_code", "message"),
    [
        (["promote", "new"], 7, "no evaluation of this space is accepted"),
        (["promote", "nowhere"], 2, "there is no such space"),
        (["rollback", "nothing", "--by", "ann"], 7, "there is no such evaluation"),
        (["rollback", "nothing", "--by", "policy:x"], 2, "is not the name of a person"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else None,
)
def test_what_cannot_be_done_is_told_before_anything_is_started(
    promoted, words, exit_code, message
):
    done = call(promoted[0], *words)
    assert (done.exit_code, done.stdout) == (exit_code, "")
    assert message in done.stderr


def test_where_there_is_no_home_there_is_nothing_to_promote_or_go_back_to(tmp_path):
    assert call(tmp_path / "no", "promote", "shop").exit_code == 7
    assert call(tmp_path / "no", "rollback", "m-1", "--by", "ann").exit_code == 7
    assert not (tmp_path / "no").exists()
