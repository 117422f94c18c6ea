"""Homes give back exactly what was written, and never overwrite what somebody else changed."""

from __future__ import annotations

import json
import os

import pytest

from genie.homes import DriftedError, MissingObjectError, Place, RefusedWriteError
from genie.homes.files import RepoHome
from genie.local.faults import Fault, Faults
from genie.local.workspace import EmbeddedWorkspace
from genie.one_try import one_try_client
from genie.workspace_errors import WorkspaceError
from tests.genie.homes.fake_catalog import FakeCatalog
from tests.genie.homes.wanderbricks import Sample
from tests.genie.local.fakes import FakeEngine
from transforms.errors import InvalidInputError, TransientError

TABLE = Place("live", "comment", "wanderbricks.bookings")
COLUMN = Place("live", "comment", "wanderbricks.bookings", "status")
VIEW = Place("live", "metric_view", "wanderbricks.payment_metrics")
FUNCTION = Place("live", "function", "wanderbricks.top_destinations")
FILE = Place("repo", "table_file", "assets/tables/bookings.yml")
FAULTS = Faults()


@pytest.fixture(scope="module")
def served(tmp_path_factory):
    catalog = FakeCatalog()
    folder = tmp_path_factory.mktemp("workspace")
    with EmbeddedWorkspace(folder, FakeEngine(), catalog, faults=FAULTS) as workspace:
        client = one_try_client(host=workspace.host, token=workspace.token, auth_type="pat")
        yield Sample(client, catalog, tmp_path_factory.mktemp("sample"))


@pytest.fixture
def sample(served):
    served.reset()
    served.catalog.refuses = None
    served.catalog.replaces_views = False
    return served


def space_of(sample):
    return Place("live", "space", sample.space_id)


def other_content(place, before):
    if place.kind == "space":
        document = json.loads(before)
        document["instructions"]["text_instructions"] = []
        return json.dumps(document, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    if place.kind in ("metric_view", "function"):
        return before.replace("COMMENT '", "COMMENT 'it\\'s ", 1)
    return before + " it's \\ 'new'\n${env:HOME}"


@pytest.mark.parametrize("place", [TABLE, COLUMN, VIEW, FUNCTION, FILE, None], ids=str)
def test_what_is_written_is_what_is_read(sample, place):
    homes = sample.homes()
    place = place or space_of(sample)
    home = homes.of(place)
    before = home.read(place)
    after = other_content(place, before)
    home.write(place, after, expected=before)
    assert home.read(place) == after
    home.write(place, before, expected=after)
    assert home.read(place) == before


@pytest.mark.parametrize("place", [TABLE, COLUMN, VIEW, FUNCTION, FILE, None], ids=str)
def test_what_somebody_changed_meanwhile_is_left_alone(sample, place):
    homes = sample.homes()
    place = place or space_of(sample)
    home = homes.of(place)
    before = home.read(place)
    theirs = other_content(place, before)
    home.write(place, theirs, expected=before)
    with pytest.raises(DriftedError, match="drifted"):
        home.write(place, before, expected=before)
    assert home.read(place) == theirs


def test_a_live_space_keeps_the_bytes_of_what_is_not_changed(sample):
    place = space_of(sample)
    home = sample.homes().of(place)
    before = sample.state()[2]
    content = home.read(place)
    home.write(place, other_content(place, content), expected=content)
    assert len(set(before.splitlines()) - set(sample.state()[2].splitlines())) < 10
    with pytest.raises(RefusedWriteError, match="does not take it"):
        home.write(place, '{"version":2,"unknown":1}', expected=home.read(place))


def test_a_metric_view_is_replaced_where_that_is_possible(sample):
    sample.catalog.replaces_views = True
    home = sample.homes().of(VIEW)
    before = home.read(VIEW)
    home.write(VIEW, other_content(VIEW, before), expected=before)
    assert home.read(VIEW) == other_content(VIEW, before)


def test_a_refused_metric_view_is_there_as_before(sample):
    home = sample.homes().of(VIEW)
    before = home.read(VIEW)
    sample.catalog.refuses = "version: 0.2"
    with pytest.raises(RefusedWriteError, match="not liked"):
        home.write(VIEW, before.replace("version: 0.1", "version: 0.2"), expected=before)
    assert home.read(VIEW) == before


@pytest.mark.parametrize(
    "place",
    [
        Place("live", "comment", "wanderbricks.nothing"),
        Place("live", "comment", "wanderbricks.bookings", "nothing"),
        Place("live", "metric_view", "wanderbricks.nothing"),
        Place("live", "function", "wanderbricks.nothing"),
        Place("live", "space", "0" * 32),
        Place("repo", "table_file", "assets/nothing.yml"),
    ],
    ids=str,
)
def test_what_is_not_there_is_told(sample, place):
    with pytest.raises(MissingObjectError):
        sample.homes().of(place).read(place)


def test_a_table_is_not_a_metric_view(sample):
    place = Place("live", "metric_view", "wanderbricks.bookings")
    with pytest.raises(InvalidInputError, match="not a metric view"):
        sample.homes().of(place).read(place)


@pytest.mark.parametrize("action", ["drop_before", "drop_after", "respond"])
@pytest.mark.parametrize(
    ("place", "method", "path"),
    [(TABLE, "POST", "/sql/statements"), (None, "GET", "/genie/spaces/")],
    ids=["catalog", "space"],
)
def test_a_workspace_that_fails_is_told_as_what_may_pass(sample, place, method, path, action):
    place = place or space_of(sample)
    FAULTS.add(Fault(action, method, path, status=503))
    with pytest.raises(WorkspaceError) as told:
        sample.homes().of(place).read(place)
    assert isinstance(told.value, TransientError)
    assert sample.homes().of(place).read(place)


def test_files_are_found_by_what_they_define(sample):
    home = RepoHome(sample.repo)
    assert home.table_file("main.Wanderbricks.Bookings").name == "assets/tables/bookings.yml"
    view = home.definition("wanderbricks.booking_metrics", "metric_view")
    assert view.name == "assets/metric_views/booking_metrics.sql"
    assert home.space_file().name == "space.json"
    assert home.questions_file().name == "questions.jsonl"
    with pytest.raises(MissingObjectError, match=r"no file in .* defines wanderbricks.nothing"):
        home.table_file("wanderbricks.nothing")
    (sample.repo / "twice.yml").write_text("table: wanderbricks.bookings\n")
    with pytest.raises(InvalidInputError, match="defined in 2 files"):
        home.table_file("wanderbricks.bookings")


def test_a_repo_home_that_is_not_there_is_refused(tmp_path):
    with pytest.raises(InvalidInputError, match="not a folder"):
        RepoHome(tmp_path / "nothing")


def test_a_file_keeps_its_mode_and_a_link_stays_a_link(sample):
    path = sample.repo / FILE.name
    path.chmod(0o640)
    real = path.rename(sample.repo / "real.yml")
    path.symlink_to(real)
    home = RepoHome(sample.repo)
    before = home.read(FILE)
    home.write(FILE, before + "# more\n", expected=before)
    assert path.is_symlink()
    assert os.stat(path).st_mode & 0o777 == 0o640
    assert real.read_text().endswith("# more\n")


def test_a_file_that_is_not_utf_8_is_named(tmp_path):
    (tmp_path / "old.sql").write_bytes(b"-- caf\xe9")
    with pytest.raises(InvalidInputError, match=r"old\.sql: not UTF-8"):
        RepoHome(tmp_path).definition("s.f", "function")
