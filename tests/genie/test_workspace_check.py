"""The check of a space, over HTTP against the embedded workspace."""

from __future__ import annotations

import json

import pytest

from genie.local.seams import Column, SqlFailedError, SqlResult
from genie.local.warehouses import WAREHOUSE_ID
from genie.local.workspace import EmbeddedWorkspace
from genie.one_try import one_try_client
from genie.workspace_check import check_space
from tests.genie.local.fakes import FakeEngine
from tests.genie.recorded_catalog import RECORDED
from transforms.errors import InvalidInputError
from transforms.serialized_space import SpaceConfig

TABLE = {"identifier": "wanderbricks.bookings"}
GONE = {"identifier": "wanderbricks.nope"}


class RecordedBackend:
    """Says what real Spark said."""

    def execute(self, request):
        said = RECORDED.get(request.sql, {"error": "[INTERNAL_ERROR] broken", "sql_state": "XX000"})
        if "error" in said:
            raise SqlFailedError(said["error"], sql_state=said["sql_state"])
        rows = tuple(tuple(row) for row in said["rows"])
        return SqlResult(tuple(Column(f"c{n}", "string") for n in range(len(rows[0]))), rows)

    def cancel(self, tag):
        raise AssertionError("nothing is cancelled here")


@pytest.fixture
def client(tmp_path):
    with EmbeddedWorkspace(tmp_path, FakeEngine(), RecordedBackend(), chunk_rows=5) as workspace:
        yield one_try_client(host=workspace.host, token=workspace.token, auth_type="pat")


def space_of(client, **parts):
    document = json.dumps({"version": 2, **parts})
    return client.genie.create_space(WAREHOUSE_ID, document, title="Stays").space_id


def test_everything_is_counted_and_looked_up(client):
    space_id = space_of(
        client,
        data_sources={
            "tables": [TABLE],
            "metric_views": [{"identifier": "wanderbricks.payment_metrics"}],
        },
        instructions={
            "text_instructions": [{"id": "a" * 32, "content": ["Be brief."]}],
            "sql_functions": [{"id": "b" * 32, "identifier": "wanderbricks.guest_history"}],
        },
    )
    check = check_space(client, space_id)
    assert check.is_configured
    assert (check.title, check.problems, check.missing, check.next_step) == ("Stays", (), (), None)
    assert check.line == (
        "1 tables, 1 metric views, 1 functions, 1 instructions, 0 examples, 0 join specs, "
        "0 snippets, 0 benchmarks"
    )


def test_a_space_without_assets_is_not_configured(client):
    check = check_space(client, space_of(client))
    assert not check.is_configured
    assert check.problems == ("it names no table, no metric view and no function",)
    assert check.next_step == "genie-loop deploy FOLDER"


def test_a_space_whose_assets_are_all_gone_is_not_configured(client):
    check = check_space(client, space_of(client, data_sources={"tables": [GONE]}))
    assert not check.is_configured
    assert check.missing == ("wanderbricks.nope",)
    assert check.problems == ("table wanderbricks.nope is not there",)


def test_what_cannot_be_read_and_what_is_no_metric_view_are_told(client):
    sources = {
        "tables": [{"identifier": "a.broken"}, TABLE],
        "metric_views": [{"identifier": "wanderbricks.clickstream"}],
    }
    check = check_space(client, space_of(client, data_sources=sources))
    assert check.is_configured
    assert check.problems == (
        "table a.broken cannot be read: [INTERNAL_ERROR] broken",
        "wanderbricks.clickstream is a table, not a metric view",
    )


def test_a_space_that_is_not_there_is_told_with_the_workspace(client):
    with pytest.raises(InvalidInputError, match="space 0815 cannot be read") as told:
        check_space(client, "0815")
    assert told.value.where == client.config.host


def test_a_user_who_may_not_read_the_configuration_is_told(tmp_path):
    with EmbeddedWorkspace(tmp_path, FakeEngine(), RecordedBackend(), level="CAN_RUN") as served:
        client = one_try_client(host=served.host, token=served.token, auth_type="pat")
        space_id = client.genie.create_space(WAREHOUSE_ID, SpaceConfig.empty().text).space_id
        with pytest.raises(InvalidInputError, match="PermissionDenied"):
            check_space(client, space_id)
