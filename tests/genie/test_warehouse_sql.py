"""Statements on a warehouse: what is refused for good, and what may go through the next time."""

from __future__ import annotations

import pytest

from genie.catalog import StatementFailedError
from genie.local.faults import Fault, Faults
from genie.local.warehouses import WAREHOUSE_ID
from genie.local.workspace import EmbeddedWorkspace
from genie.one_try import one_try_client
from genie.warehouse_sql import StatementUnfinishedError, warehouse_sql
from genie.workspace_errors import WorkspaceError
from tests.genie.local.fakes import FakeBackend, FakeEngine
from transforms.errors import InvalidInputError, TransientError


class Clock:
    """Time passes only while somebody sleeps."""

    def __init__(self):
        self.now = 0.0

    def __call__(self):
        return self.now

    def sleep(self, seconds):
        self.now += seconds


@pytest.fixture(scope="module")
def faults():
    return Faults()


@pytest.fixture(scope="module")
def client(tmp_path_factory, faults):
    folder = tmp_path_factory.mktemp("workspace")
    with EmbeddedWorkspace(
        folder, FakeEngine(), FakeBackend(), faults=faults, chunk_rows=2
    ) as served:
        yield one_try_client(host=served.host, token=served.token, auth_type="pat")


def test_all_chunks_of_a_result_are_read(client):
    rows = warehouse_sql(client, WAREHOUSE_ID)("SELECT 5")
    assert rows == [(str(n), None if n % 2 else f"{n}.50") for n in range(5)]


def test_what_is_refused_is_refused_for_good(client):
    with pytest.raises(StatementFailedError) as told:
        warehouse_sql(client, WAREHOUSE_ID)("SELECT broken")
    assert told.value.is_missing
    assert told.value.where == "SELECT broken"
    assert not isinstance(told.value, TransientError)


def test_a_statement_that_takes_too_long_is_cancelled_and_nothing_is_known_of_it(client):
    clock = Clock()
    run = warehouse_sql(
        client, WAREHOUSE_ID, timeout_s=0.4, wait_s=0, sleep=clock.sleep, clock=clock
    )
    with pytest.raises(StatementUnfinishedError, match=r"cancelled after 0.4 s") as told:
        run("SELECT sleep")
    assert isinstance(told.value, TransientError)


def test_a_warehouse_that_is_not_there_is_told_as_an_input_to_correct(client):
    with pytest.raises(InvalidInputError, match="a statement cannot be run"):
        warehouse_sql(client, "no such warehouse")("SELECT 1")


@pytest.mark.parametrize(
    ("fault", "error"),
    [
        (Fault("drop_after", path="/sql/statements"), WorkspaceError),
        (Fault("respond", path="/sql/statements", status=503), WorkspaceError),
        (Fault("respond", path="/sql/statements", status=429), WorkspaceError),
        (
            Fault("respond", path="/sql/statements", status=403, error_code="PERMISSION_DENIED"),
            InvalidInputError,
        ),
    ],
    ids=["dropped", "503", "429", "403"],
)
def test_a_request_that_fails_says_whether_it_may_pass(client, faults, fault, error):
    faults.add(fault)
    with pytest.raises(error):
        warehouse_sql(client, WAREHOUSE_ID)("SELECT 1")
    assert len(warehouse_sql(client, WAREHOUSE_ID)("SELECT 1")) == 1
