"""The sample deployed to the embedded workspace and asked there, with Spark behind all of it."""

from __future__ import annotations

import json
import runpy
import shutil
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from genie.deploying import DeployRecord, deploy
from genie.genie_answerer import GenieAnswerer
from genie.initializing import draft_of_space, write_project
from genie.local.warehouses import WAREHOUSE_ID
from genie.one_try import one_try_client
from genie.patching.create_statements import literal_value
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

    def deploy(self, folder="project"):
        project = read_project(self.root / folder)
        record = DeployRecord(self.root / f"{folder}.json")
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

    begun = draft_of_space(world.client, world.space_id)
    assert begun.left_out == ()
    write_project(world.root / "begun", begun)
    assert world.deploy("begun") == again

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


def test_definitions_with_odd_texts_are_begun_exactly(world):
    odd = r"'it\'s \"x\" ''y'' ${z} \\ %'"
    world.spark.sql(
        f"CREATE OR REPLACE FUNCTION wanderbricks.odd() RETURNS TABLE (n INT COMMENT {odd}) "
        f"COMMENT {odd} RETURN SELECT 1"
    )
    world.spark.sql(
        f"CREATE VIEW wanderbricks.odd_metrics (k COMMENT {odd}, `a b`) WITH METRICS LANGUAGE YAML "
        f"COMMENT {odd} AS $$version: 0.1\nsource: wanderbricks.users\ndimensions:\n"
        "- {name: k, expr: user_type}\nmeasures:\n- {name: n, expr: COUNT(*)}$$"
    )
    config = {
        "version": 2,
        "data_sources": {"metric_views": [{"identifier": "wanderbricks.odd_metrics"}]},
        "instructions": {"sql_functions": [{"id": "1" * 32, "identifier": "wanderbricks.odd"}]},
    }
    made = world.client.genie.create_space(WAREHOUSE_ID, json.dumps(config), title="Odd")
    begun = draft_of_space(world.client, made.space_id)
    assert (begun.left_out, len(begun.files)) == ((), 4)


@pytest.mark.parametrize(
    "literal",
    [r"'it\'s'", "'it''s'", "'a\"\"b'", '"a""b"', "\"it''s\"", r"'\u00e9\101\0\n\%\_\q'"],
)
def test_a_literal_says_to_spark_what_is_read_here(spark, literal):
    assert spark.sql(f"SELECT {literal}").first()[0] == literal_value(literal)
