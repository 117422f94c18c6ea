"""Deploying a project to the embedded workspace, over HTTP, with the catalog played."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from genie.catalog import KIND, StatementFailedError
from genie.deploying import DeployRecord, deploy
from genie.local.workspace import EmbeddedWorkspace
from genie.one_try import one_try_client
from genie.project import read_project
from tests.genie.fake_catalog import FakeCatalog, table
from tests.genie.local.fakes import FakeBackend, FakeEngine
from transforms.errors import InvalidInputError, StateConflictError

VIEW = """-- for the board
CREATE OR REPLACE VIEW s.takings (total COMMENT 'sum') WITH METRICS LANGUAGE YAML COMMENT 'x' AS $$
version: 0.1
source: s.sales
measures:
- {name: total, expr: SUM(price)}
$$;
"""
FUNCTION = """CREATE OR REPLACE FUNCTION s.best (n INT DEFAULT 3 COMMENT 'how many')
RETURNS TABLE (name STRING) COMMENT 'best' RETURN SELECT name FROM s.sales LIMIT n;
"""
SPACE = {
    "version": 2,
    "data_sources": {
        "tables": [{"identifier": "s.sales"}],
        "metric_views": [{"identifier": "s.takings"}],
    },
}


class World:
    """A project folder, a workspace, a catalog and a record, and short ways to change them."""

    def __init__(self, root, client):
        self.folder = root / "shop"
        self.client = client
        self.catalog = FakeCatalog(table("s.sales", "price", "name"))
        self.record = root / "deployments" / "shop.json"
        self.write("assets/metric_views/takings.sql", VIEW)
        self.write("assets/functions/best.sql", FUNCTION)
        self.notes(price="EUR", name="it's a \\ name")
        self.write("space.json", json.dumps(SPACE))

    def write(self, name, text):
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)

    def notes(self, comment="sales", kind="table", **columns):
        listed = [{"name": name, "comment": said} for name, said in columns.items()]
        noted = {"table": "s.sales", "kind": kind, "comment": comment, "columns": listed}
        self.write("assets/tables/sales.yml", json.dumps(noted))

    def deploy(self, **options):
        done = deploy(
            self.client,
            read_project(self.folder),
            DeployRecord(self.record),
            run=self.catalog.run,
            **{"title": "Shop", **options},
        )
        self.space_id = done.space_id
        return [one.action for one in done.objects]

    def person_changes(self, name, **changes):
        self.catalog.objects[name] = replace(self.catalog.objects[name], **changes)


@pytest.fixture
def world(tmp_path):
    with EmbeddedWorkspace(tmp_path / "w", FakeEngine(), FakeBackend()) as served:
        client = one_try_client(host=served.host, token=served.token, auth_type="pat")
        yield World(tmp_path, client)


def test_everything_is_made_once_and_the_second_time_nothing_is_done(world):
    assert world.deploy() == ["updated", "created", "created", "created"]
    sales = world.catalog.objects["s.sales"]
    assert (sales.comment, sales.columns[1].comment) == ("sales", "it's a \\ name")
    made = len(world.catalog.changes)
    assert world.deploy() == ["unchanged"] * 4
    assert len(world.catalog.changes) == made
    assert len(world.client.genie.list_spaces().spaces) == 1


def test_without_its_record_it_finds_what_is_there(world):
    world.deploy()
    world.record.unlink()
    assert world.deploy() == ["unchanged"] * 4


def test_what_changes_in_the_files_is_updated(world):
    world.deploy()
    world.notes(comment=None, price="euros", name=None)
    world.write("assets/metric_views/takings.sql", VIEW.replace("SUM", "AVG"))
    world.write("assets/functions/best.sql", FUNCTION.replace("DEFAULT 3", "DEFAULT 5"))
    world.write("space.json", json.dumps(SPACE | {"config": {"sample_questions": []}}))
    assert world.deploy() == ["updated"] * 4
    assert "AVG" in world.catalog.objects["s.takings"].definition
    sales = world.catalog.objects["s.sales"]
    assert (sales.comment, [c.comment for c in sales.columns]) == (None, ["euros", None])
    assert world.deploy() == ["unchanged"] * 4


def test_a_kind_that_has_a_lever_of_its_own_is_declared_on_the_table(world):
    world.deploy()
    assert world.catalog.objects["s.sales"].properties == {}
    world.notes(price="EUR", name="it's a \\ name", kind="ml_table")
    assert world.deploy() == ["updated", *["unchanged"] * 3]
    assert world.catalog.objects["s.sales"].properties == {KIND: "ml_table"}
    assert world.deploy() == ["unchanged"] * 4

    world.person_changes("s.sales", properties={KIND: "monitoring_table"})
    with pytest.raises(StateConflictError, match=r"table s\.sales"):
        world.deploy()
    assert world.deploy(force=True) == ["replaced", *["unchanged"] * 3]
    world.notes(price="EUR", name="it's a \\ name")
    assert world.deploy() == ["unchanged"] * 4, "a file that declares none leaves it"
    assert world.catalog.objects["s.sales"].properties == {KIND: "ml_table"}


def test_what_a_person_changed_is_not_overwritten_and_nothing_else_is_done(world):
    world.deploy()
    world.person_changes("s.sales", comment="mine")
    world.person_changes("s.best", comment="mine")
    other = json.dumps({"version": 2, "data_sources": {"tables": [{"identifier": "s.other"}]}})
    world.client.genie.update_space(world.space_id, serialized_space=other)
    world.write("assets/metric_views/takings.sql", VIEW.replace("SUM", "AVG"))
    made = len(world.catalog.changes)
    with pytest.raises(StateConflictError, match=r"table s.sales, function s.best, space"):
        world.deploy()
    assert len(world.catalog.changes) == made
    assert world.deploy(force=True) == ["replaced", "updated", "replaced", "replaced"]
    assert world.deploy() == ["unchanged"] * 4


def test_what_a_person_wrote_where_the_file_says_nothing_counts_as_changed(world):
    world.notes(price=None, name=None)
    world.deploy()
    world.notes(price=None, name="n")
    columns = world.catalog.objects["s.sales"].columns
    world.person_changes("s.sales", columns=(replace(columns[0], comment="mine"), columns[1]))
    with pytest.raises(StateConflictError):
        world.deploy()


def test_a_change_that_is_in_the_files_and_live_already_is_no_conflict(world):
    world.deploy()
    world.person_changes("s.sales", comment="both")
    world.notes(comment="both", price="EUR", name="it's a \\ name")
    assert world.deploy() == ["unchanged"] * 4


@pytest.mark.parametrize("changes", range(6))
def test_a_deployment_that_was_cut_off_is_finished_by_the_next(world, changes):
    world.deploy()
    world.notes(comment="new", price="new", name="new")
    world.write("assets/metric_views/takings.sql", VIEW.replace("SUM", "AVG"))
    world.catalog.breaks_after = len(world.catalog.changes) + changes
    if changes < 5:
        with pytest.raises(StatementFailedError):
            world.deploy()
    world.catalog.breaks_after = None
    world.deploy()
    assert world.deploy() == ["unchanged"] * 4
    assert world.catalog.objects["s.sales"].comment == "new"
    assert "AVG" in world.catalog.objects["s.takings"].definition


def test_a_metric_view_that_cannot_be_made_stays_as_it_was(world):
    world.deploy()
    world.write("assets/metric_views/takings.sql", VIEW.replace("SUM(price)", "broken"))
    with pytest.raises(StatementFailedError, match="METRIC_VIEW_INVALID"):
        world.deploy()
    assert "SUM(price)" in world.catalog.objects["s.takings"].definition


def test_a_table_or_column_that_is_not_there_is_told_before_anything_is_done(world):
    world.notes(price="EUR", cost="EUR")
    with pytest.raises(InvalidInputError, match="no column cost"):
        world.deploy()
    world.catalog.objects.clear()
    with pytest.raises(InvalidInputError, match=r"s\.sales: this table is not there"):
        world.deploy()
    assert world.catalog.changes == []


def test_a_space_that_was_put_into_the_trash_is_made_again(world):
    world.deploy()
    world.client.genie.trash_space(world.space_id)
    assert world.deploy() == ["unchanged"] * 3 + ["created"]


def test_two_spaces_with_the_title_are_told_apart_by_the_id(world):
    ids = [
        world.client.genie.create_space(
            "0000000000000001", json.dumps({"version": 2}), title="Shop"
        ).space_id
        for _ in range(2)
    ]
    with pytest.raises(InvalidInputError, match="2 spaces have the title 'Shop'"):
        world.deploy()
    world.deploy(space_id=ids[1])
    assert world.space_id == ids[1]


def test_a_record_that_is_none_is_told(world):
    world.write("../deployments/shop.json", "[]")
    with pytest.raises(InvalidInputError, match="record of deployments"):
        world.deploy()
