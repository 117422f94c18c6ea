"""The sample deployed to the embedded workspace and asked there, with Spark behind all of it."""

from __future__ import annotations

import runpy
import shutil
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from genie.deploying import DeployRecord, deploy
from genie.genie_answerer import GenieAnswerer
from genie.one_try import one_try_client
from genie.patience import Pacing
from genie.project import read_project
from genie.workspace_check import check_space, read_space
from jobs.embedded import serving
from jobs.home import Home
from pipelines.load_files import read_folder
from pipelines.load_tables import prepare_tables, write_table
from pipelines.snapshot import take_snapshot
from pipelines.spaces import Space
from pipelines.tables import Tables
from tests.conftest import NOW

pytestmark = pytest.mark.slow

SAMPLE = Path(__file__).parents[2] / "samples" / "wanderbricks"


@pytest.fixture(scope="module")
def world(spark, tmp_path_factory):
    """The sample's tables at a small size, a workspace, and a copy of the project's files."""
    root = tmp_path_factory.mktemp("live")
    generator: dict[str, Any] = runpy.run_path(str(SAMPLE / "generate.py"))
    generator["write"](root / "rows", bookings=400)
    spark.sql("CREATE DATABASE wanderbricks")
    folder = read_folder(root / "rows", name="wanderbricks", history_schema="genie_loop")
    for table in prepare_tables(spark, "`wanderbricks`", folder.tables):
        write_table(table)
    shutil.copytree(SAMPLE, root / "project")
    with serving(Home(root / "home"), spark, date(2025, 7, 30)) as workspace:
        client = one_try_client(host=workspace.host, token=workspace.token, auth_type="pat")
        yield World(spark, client, root)
    spark.sql("DROP DATABASE wanderbricks CASCADE")


class World:
    """What the tests share; ``deploy`` gives the actions by object."""

    def __init__(self, spark, client, root):
        self.spark, self.client, self.root = spark, client, root
        self.space_id = None

    def deploy(self):
        project = read_project(self.root / "project")
        record = DeployRecord(self.root / "record.json")
        report = deploy(self.client, project, record, title="Wanderbricks")
        self.space_id = report.space_id
        return {one.key: one.action for one in report.objects}

    def state(self):
        tables = Tables(self.spark, clock=lambda: NOW)
        space = Space("w", "W", "w", "wanderbricks", answerer=f"genie:{self.space_id}")
        return take_snapshot(tables, space, lambda one: read_space(self.client, one)[1]).state


def test_what_is_deployed_is_there_answers_and_is_versioned(world):
    first = world.deploy()
    made = {key for key, action in first.items() if action == "created"}
    assert {key.split()[0] for key in made} == {"metric", "function", "space"}
    assert len(made) == 3 + 5 + 1
    again = world.deploy()
    assert set(again.values()) == {"unchanged"}

    check = check_space(world.client, world.space_id)
    assert (check.is_configured, check.problems) == (True, ())
    assert (check.counts.tables, check.counts.metric_views, check.counts.functions) == (19, 3, 5)

    answerer = GenieAnswerer(
        world.client, world.space_id, pacing=Pacing(first_wait_s=0.05, max_wait_s=0.5)
    )
    for question in (
        "How many bookings are cancelled?",
        "Which listings are in Lisbon?",
        "How many hosts are there per country?",
    ):
        answer = answerer.ask(question, question, timeout_s=120)
        assert answer.outcome == "answered", answer
        assert world.spark.sql(answer.sql).take(1), answer.sql

    state = world.state()
    kinds = [table.kind for table in state.tables]
    assert (kinds.count("metric_view"), len(state.functions)) == (3, 5)
    view = world.root / "project" / "assets" / "metric_views" / "payment_metrics.sql"
    view.write_text(view.read_text().replace("'amt completed'", "'what was earned'"))
    assert {k for k, action in world.deploy().items() if action == "updated"} == {
        "metric view wanderbricks.payment_metrics"
    }
    assert world.state().state_hash != state.state_hash
