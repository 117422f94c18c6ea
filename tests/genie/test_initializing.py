"""Projects made of what is live: deployed again to where they came from, they change nothing."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
import yaml

import genie.initializing
from genie.catalog import Member, StatementFailedError
from genie.deploying import DeployRecord, deploy
from genie.homes.files import RepoHome
from genie.initializing import (
    ProjectFile,
    draft_of_space,
    draft_of_tables,
    write_project,
)
from genie.local.warehouses import WAREHOUSE_ID
from genie.local.workspace import EmbeddedWorkspace
from genie.one_try import one_try_client
from genie.project import read_project
from tests.genie.fake_catalog import FakeCatalog, table
from tests.genie.local.fakes import FakeBackend, FakeEngine
from tests.genie.recorded_catalog import run_recorded
from transforms.errors import InvalidInputError

SAMPLE = Path(__file__).parents[2] / "samples" / "wanderbricks"


class Place:
    """A workspace with a catalog, and short ways to deploy to it and to begin projects from it."""

    def __init__(self, client, run, records):
        self.client, self.run = client, run
        self.records = records
        self.space_id = None

    def deploy(self, folder, **options):
        """The actions; every deployment is the first one that is recorded."""
        record = DeployRecord(self.records / f"{len(list(self.records.iterdir()))}.json")
        done = deploy(
            self.client, read_project(folder), record, run=self.run, title="Space", **options
        )
        self.space_id = done.space_id
        return [one.action for one in done.objects]

    def init(self, folder):
        draft = draft_of_space(self.client, self.space_id, run=self.run)
        write_project(folder, draft)
        return draft

    def make_space(self, config):
        made = self.client.genie.create_space(WAREHOUSE_ID, json.dumps(config), title="Made")
        self.space_id = made.space_id


@pytest.fixture
def place(tmp_path):
    """Makes places."""
    served = []

    def make(run):
        workspace = EmbeddedWorkspace(
            tmp_path / f"workspace{len(served)}", FakeEngine(), FakeBackend()
        )
        served.append(workspace)
        workspace.__enter__()
        client = one_try_client(host=workspace.host, token=workspace.token, auth_type="pat")
        records = tmp_path / f"records{len(served)}"
        records.mkdir()
        return Place(client, run, records)

    yield make
    for workspace in served:
        workspace.__exit__(None, None, None)


def sample_catalog():
    """The tables of the sample, without any comment."""
    catalog = FakeCatalog()
    for path in SAMPLE.glob("assets/tables/*.yml"):
        told = yaml.safe_load(path.read_text())
        columns = tuple(Member(c["name"], c["type"].lower()) for c in told["columns"])
        catalog.objects[told["table"]] = replace(table(told["table"]), columns=columns)
    return catalog


def content(folder):
    """The text of every file."""
    files = (path for path in folder.rglob("*") if path.is_file())
    return {str(path.relative_to(folder)): path.read_text() for path in files}


def test_a_project_of_a_deployed_space_changes_nothing_there_and_is_the_same_elsewhere(
    place, tmp_path
):
    catalog, other = sample_catalog(), sample_catalog()
    here, elsewhere = place(catalog.run), place(other.run)
    here.deploy(SAMPLE)
    draft = here.init(tmp_path / "first")
    assert draft.left_out == ()
    project = read_project(tmp_path / "first")
    counts = (len(project.tables), len(project.metric_views), len(project.functions))
    assert counts == (19, 3, 5)
    assert project.config.to_dict() == read_project(SAMPLE).config.to_dict()

    changes = len(catalog.changes)
    assert set(here.deploy(tmp_path / "first", space_id=here.space_id)) == {"unchanged"}
    assert len(catalog.changes) == changes
    assert len(here.client.genie.list_spaces().spaces) == 1

    assert set(elsewhere.deploy(tmp_path / "first")) >= {"updated", "created"}
    elsewhere.init(tmp_path / "second")
    assert content(tmp_path / "second") == content(tmp_path / "first")


def test_what_real_spark_says_of_objects_is_written_as_it_is_and_what_is_gone_is_told(
    place, tmp_path
):
    here = place(run_recorded)
    functions = [
        {"id": f"{n:032x}", "identifier": f"wanderbricks.{name}"}
        for n, name in enumerate(["occupancy_by_month", "guest_history", "nope"], start=1)
    ]
    here.make_space(
        {
            "version": 2,
            "data_sources": {
                "tables": [
                    {"identifier": f"wanderbricks.{n}"} for n in ("bookings", "clickstream")
                ],
                "metric_views": [
                    {"identifier": f"wanderbricks.{n}"} for n in ("nope", "payment_metrics")
                ],
            },
            "instructions": {"sql_functions": functions},
        }
    )
    draft = here.init(tmp_path / "p")
    assert (draft.title, draft.left_out) == (
        "Made",
        ("table wanderbricks.nope is not there", "function wanderbricks.nope is not there"),
    )
    assert sorted(content(tmp_path / "p")) == [
        "assets/functions/guest_history.sql",
        "assets/functions/occupancy_by_month.sql",
        "assets/metric_views/payment_metrics.sql",
        "assets/tables/bookings.yml",
        "assets/tables/clickstream.yml",
        "questions.jsonl",
        "space.json",
    ]
    assert set(here.deploy(tmp_path / "p", space_id=here.space_id)) == {"unchanged"}
    bookings = content(tmp_path / "p")["assets/tables/bookings.yml"]
    assert "comment: id\n    references: users.user_id" in bookings


def test_patches_find_every_file_of_a_project(place, tmp_path):
    here = place(sample_catalog().run)
    here.deploy(SAMPLE)
    here.init(tmp_path / "p")
    home = RepoHome(tmp_path / "p")
    assert home.table_file("wanderbricks.users").name == "assets/tables/users.yml"
    view = home.definition("wanderbricks.booking_metrics", "metric_view")
    assert view.name == "assets/metric_views/booking_metrics.sql"
    function = home.definition("wanderbricks.top_destinations", "function")
    assert function.name == "assets/functions/top_destinations.sql"
    assert (home.space_file().name, home.questions_file().name) == ("space.json", "questions.jsonl")


def test_a_function_that_is_no_table_function_has_no_file(place, tmp_path):
    def run(sql):
        assert sql == "DESCRIBE FUNCTION EXTENDED `s`.`tax`"
        return [("Type:          SCALAR",), ("Body:          1",)]

    here = place(run)
    here.make_space(
        {
            "version": 2,
            "instructions": {"sql_functions": [{"id": "1" * 32, "identifier": "s.tax"}]},
        }
    )
    draft = here.init(tmp_path / "p")
    assert draft.left_out == (
        "function s.tax cannot be defined by a file: it is not a SQL table function",
    )
    assert sorted(content(tmp_path / "p")) == ["questions.jsonl", "space.json"]


def test_a_view_that_no_file_says_exactly_has_none(place):
    catalog = FakeCatalog(table("s.v", "total"))
    catalog.objects["s.v"] = replace(
        catalog.objects["s.v"], kind="metric_view", definition="version: 0.1 -- $$"
    )
    with pytest.raises(InvalidInputError, match=r"metric view s\.v cannot be defined by a file"):
        draft_of_tables(place(catalog.run).client, ["s.v"], run=catalog.run)


def test_a_statement_that_fails_for_another_reason_ends_it(place, tmp_path):
    def run(sql):
        raise StatementFailedError("[INSUFFICIENT_PERMISSIONS] no", where=sql)

    here = place(run)
    here.make_space({"version": 2, "data_sources": {"tables": [{"identifier": "s.sales"}]}})
    with pytest.raises(StatementFailedError, match="INSUFFICIENT_PERMISSIONS"):
        here.init(tmp_path / "p")
    assert not (tmp_path / "p").exists()


def test_a_new_space_over_tables_is_valid_and_keeps_their_comments(place, tmp_path):
    catalog = FakeCatalog(table("c.s.shops", "name", comment="where"), table("c.s.sales", "price"))
    catalog.run("CREATE OR REPLACE VIEW c.s.takings (total COMMENT 'sum') WITH METRICS LANGUAGE "
                "YAML AS $$version: 0.1\nsource: c.s.sales$$")  # fmt: skip
    here = place(catalog.run)
    names = ["c.s.takings", "c.s.shops", "c.s.sales", "C.S.Sales"]
    draft = draft_of_tables(here.client, names, run=catalog.run)
    write_project(tmp_path / "shop", draft)
    project = read_project(tmp_path / "shop")
    sources = project.config.to_dict()["data_sources"]
    assert sources == {
        "tables": [{"identifier": "c.s.sales"}, {"identifier": "c.s.shops"}],
        "metric_views": [{"identifier": "c.s.takings"}],
    }
    assert {notes.name: notes.comment for notes in project.tables} == {
        "c.s.shops": "where",
        "c.s.sales": None,
    }
    assert (draft.title, draft.questions.count) == (None, 0)
    assert (tmp_path / "shop" / "questions.jsonl").read_text() == ""
    assert here.deploy(tmp_path / "shop") == ["unchanged"] * 3 + ["created"]


def test_tables_that_are_not_there_are_all_named_and_nothing_is_written(place, tmp_path):
    here = place(FakeCatalog(table("s.sales", "price")).run)
    with pytest.raises(InvalidInputError) as told:
        draft_of_tables(here.client, ["s.sales", "s.gone", "s.lost"], run=here.run)
    assert told.value.problems == ("table s.gone is not there", "table s.lost is not there")
    with pytest.raises(InvalidInputError, match="'sales' names no schema"):
        draft_of_tables(here.client, ["sales", "s.sales"], run=here.run)


def test_what_could_not_be_deployed_is_not_written(place, tmp_path):
    tables = [table(f"s.t{n}", "x") for n in range(31)]
    here = place(FakeCatalog(*tables).run)
    draft = draft_of_tables(here.client, [one.name for one in tables], run=here.run)
    with pytest.raises(InvalidInputError, match="31 tables and metric views; at most 30"):
        write_project(tmp_path / "new" / "p", draft)
    assert list((tmp_path / "new").iterdir()) == []


@pytest.fixture
def draft(place):
    catalog = FakeCatalog(table("s.sales", "price"))
    return draft_of_tables(place(catalog.run).client, ["s.sales"], run=catalog.run)


def test_a_folder_that_is_there_is_left_alone_and_what_is_in_it_is_named(draft, tmp_path):
    folder = tmp_path / "shop"
    folder.mkdir()
    with pytest.raises(InvalidInputError, match="there already: an empty folder"):
        write_project(folder, draft)
    (folder / "space.json").write_text("mine")
    with pytest.raises(InvalidInputError, match=r"there already: space\.json"):
        write_project(folder, draft)
    assert content(folder) == {"space.json": "mine"}
    with pytest.raises(InvalidInputError, match=r"there already: space\.json"):
        write_project(folder / "space.json", draft)


def test_a_folder_that_comes_while_it_is_written_is_left_alone(draft, tmp_path, monkeypatch):
    folder = tmp_path / "shop"

    def read_and_somebody_writes(made):
        folder.mkdir()
        (folder / "mine.txt").write_text("mine")

    monkeypatch.setattr(genie.initializing, "read_project", read_and_somebody_writes)
    with pytest.raises(InvalidInputError, match=r"there already: mine\.txt"):
        write_project(folder, draft)
    assert content(folder) == {"mine.txt": "mine"}
    assert [path.name for path in tmp_path.iterdir() if "shop" in path.name] == ["shop"]


def test_a_folder_that_cannot_be_made_whole_is_not_made_at_all(draft, tmp_path):
    broken = replace(draft, files=(*draft.files, ProjectFile("space.json/x", "nothing", "")))
    with pytest.raises(InvalidInputError, match="cannot be made"):
        write_project(tmp_path / "new" / "shop", broken)
    assert list((tmp_path / "new").iterdir()) == []
