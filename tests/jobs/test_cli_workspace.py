"""check, deploy and workspace on the command line; Spark is played, the workspace is served."""

from __future__ import annotations

import contextlib
import json
from types import SimpleNamespace

import pytest
from typer.testing import CliRunner

from genie.local.warehouses import WAREHOUSE_ID
from genie.local.workspace import EmbeddedWorkspace
from jobs import cli_workspace, embedded
from jobs.cli import app
from jobs.context import JobContext
from jobs.home import Home
from tests.genie.fake_catalog import CatalogBackend, FakeCatalog, table
from tests.genie.local.fakes import FakeEngine, client_of
from tests.jobs import seeded
from tests.jobs.seeded import append
from transforms import contracts as c

SPACE = {"version": 2, "data_sources": {"tables": [{"identifier": "s.sales"}]}}


@pytest.fixture
def home(tmp_path) -> Home:
    return Home(tmp_path / "home")


@pytest.fixture
def catalog():
    return FakeCatalog(table("s.sales", "price"))


@pytest.fixture
def served(tmp_path, catalog, monkeypatch):
    """A workspace that the environment names."""
    with EmbeddedWorkspace(tmp_path / "w", FakeEngine(), CatalogBackend(catalog)) as workspace:
        for name, value in embedded.environment_of(workspace).items():
            monkeypatch.setenv(name, value)
        yield workspace


@pytest.fixture
def folder(tmp_path):
    folder = tmp_path / "shop"
    notes = folder / "assets" / "tables" / "sales.yml"
    notes.parent.mkdir(parents=True)
    notes.write_text("table: s.sales\ncomment: what we sold\ncolumns: [{name: price}]\n")
    (folder / "space.json").write_text(json.dumps(SPACE))
    return folder


def call(home, *words):
    return CliRunner().invoke(app, ["--home", str(home.root), *words])


def test_what_is_deployed_is_shown_and_the_second_time_nothing_is_done(home, folder, served):
    first = call(home, "deploy", str(folder))
    assert first.exit_code == 0, first.output
    assert [line.split() for line in first.stdout.splitlines()[:3]] == [
        ["object"], ["table", "s.sales", "updated"], ["space", "created"],
    ]  # fmt: skip
    (space,) = client_of(served).genie.list_spaces().spaces
    assert space.title == "shop"
    params = f"folder=/Workspace/FOLDER/shop,space={space.space_id}"
    assert first.stdout.splitlines()[-4:] == [
        "2 objects changed.",
        f"Next: genie-loop check {space.space_id}",
        f"Then, to improve it in the loop, bring {folder} into the workspace and take it in:",
        f"  databricks bundle run register --params {params}",
    ]
    again = call(home, "deploy", str(folder), "--policy", "auto_low_risk", "--target", "0.7")
    assert "Nothing was new; nothing was changed." in again.stdout
    assert again.stdout.endswith(f"space={space.space_id},policy=auto_low_risk,target=0.7\n")
    assert (home.deployments / "127.0.0.1" / "shop.json").is_file()


def test_a_change_of_somebody_else_ends_with_7_and_force_overwrites_it(
    home, folder, served, catalog
):
    call(home, "deploy", str(folder))
    catalog.run("COMMENT ON TABLE s.sales IS 'mine'")
    refused = call(home, "deploy", str(folder))
    assert refused.exit_code == 7
    assert "nothing was changed: table s.sales" in refused.stderr
    forced = call(home, "deploy", str(folder), "--force", "--json")
    assert [row["action"] for row in json.loads(forced.stdout)] == ["replaced", "unchanged"]


def test_a_folder_that_is_none_ends_with_2_before_anything_is_opened(home, tmp_path):
    missing = call(home, "deploy", str(tmp_path / "nowhere"))
    assert (missing.exit_code, "no such folder" in missing.stderr) == (2, True)
    empty = call(home, "deploy", str(tmp_path))
    assert (empty.exit_code, "space.json: cannot be read" in empty.stderr) == (2, True)


def test_check_counts_every_space_and_ends_with_6_when_one_has_nothing(home, served, folder):
    assert call(home, "check").stdout == "There is no space. Next: genie-loop deploy FOLDER\n"
    call(home, "deploy", str(folder))
    done = call(home, "check")
    assert done.exit_code == 0
    assert "1 tables, 0 metric views" in done.stdout
    empty = client_of(served).genie.create_space(WAREHOUSE_ID, '{"version": 2}', title="Empty")
    told = call(home, "check")
    assert told.exit_code == 6
    assert f"{empty.space_id}: nothing to answer from" in told.stderr
    assert "  Next: genie-loop deploy FOLDER" in told.stdout
    (row,) = json.loads(call(home, "check", empty.space_id, "--json").stdout)
    assert (row["title"], row["is_configured"], row["tables"]) == ("Empty", False, 0)


def test_check_takes_the_name_of_a_registered_space(home, served, folder):
    call(home, "deploy", str(folder))
    (space,) = client_of(served).genie.list_spaces().spaces
    seeded.create(home)
    live = seeded.space("live", answerer=f"genie:{space.space_id}", answerer_hash=None)
    append(home, c.SPACES, [live, seeded.space("taped")])
    assert call(home, "check", "live").stdout.startswith(f"{space.space_id}: shop\n")
    taped = call(home, "check", "taped")
    assert (taped.exit_code, "no Genie Space answers" in taped.stderr) == (2, True)


@pytest.fixture
def played(monkeypatch, catalog):
    """No workspace is named; the home's own is served, over the played catalog."""
    monkeypatch.delenv("DATABRICKS_HOST", raising=False)
    monkeypatch.delenv("DATABRICKS_CONFIG_PROFILE", raising=False)

    @contextlib.contextmanager
    def opened(command, *, name, serves):
        assert not serves
        with command.home.own(f"genie-loop {name}", seeded.NOON):
            # Spark is played, and registering takes real tables.
            tables = SimpleNamespace(spark=None, create=lambda: None)
            yield JobContext(tables, command.home.checkpoints, "sqlite://", lambda: seeded.NOON)

    monkeypatch.setattr(cli_workspace, "opened", opened)
    monkeypatch.setattr(cli_workspace, "register", lambda *_: None)
    monkeypatch.setattr(embedded, "SparkBackend", lambda spark: CatalogBackend(catalog))


def test_without_a_workspace_in_the_environment_the_homes_own_is_used(home, folder, played):
    deployed = call(home, "deploy", str(folder))
    assert deployed.exit_code == 0
    assert "To evaluate it, write questions.jsonl and deploy again." in deployed.stdout
    assert "1 tables" in call(home, "check").stdout


def test_workspace_prints_how_to_reach_it_and_serves_until_ctrl_c(
    home, folder, played, monkeypatch
):
    call(home, "deploy", str(folder))
    seen = []

    def ctrl_c():
        seen.append((home.workspace / "spaces").is_dir())
        raise KeyboardInterrupt

    monkeypatch.setattr(cli_workspace, "wait_for_ctrl_c", ctrl_c)
    done = call(home, "workspace")
    assert (done.exit_code, seen) == (0, [True])
    host, token = done.stdout.splitlines()
    assert host.startswith("export DATABRICKS_HOST=http://127.0.0.1:")
    assert token.startswith("export DATABRICKS_TOKEN=")
    assert done.stderr == "Serving until Ctrl-C.\nClosed.\n"
    (row,) = json.loads(call(home, "workspace", "--json").stdout)
    assert set(row) == {"DATABRICKS_HOST", "DATABRICKS_TOKEN"}


def test_a_job_reaches_the_homes_workspace_only_when_no_other_is_named(home, played):
    def environ_within(environ):
        with embedded.served_to_this_process(home, None, seeded.NOON.date(), environ):
            return dict(environ)

    assert environ_within({}) == {}  # it was never used
    home.workspace.mkdir(parents=True)
    assert environ_within({"DATABRICKS_HOST": "https://other"}) == {
        "DATABRICKS_HOST": "https://other"
    }
    environ = {}
    assert set(environ_within(environ)) == {"DATABRICKS_HOST", "DATABRICKS_TOKEN"}
    assert environ == {}
