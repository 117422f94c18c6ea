"""A backend that runs a query once for the same data."""

from __future__ import annotations

import pytest

from genie.local.result_cache import CachingBackend
from genie.local.seams import SqlFailedError, SqlRequest
from tests.genie.local.fakes import FakeBackend


class Data:
    """Says what a query depends on; ``changes`` happen while one is looked at."""

    def __init__(self):
        self.version = 0
        self.is_changing = False

    def depends_on(self, sql):
        self.version += self.is_changing
        return f"{sql} at {self.version}" if sql.startswith("SELECT") else None


@pytest.fixture
def data():
    return Data()


@pytest.fixture
def inner():
    return FakeBackend()


@pytest.fixture
def backend(inner, data):
    return CachingBackend(inner, data.depends_on, max_rows=10)


def test_a_query_runs_once_until_its_data_changes(backend, inner, data):
    first = backend.execute(SqlRequest("SELECT 3", "one"))
    assert backend.execute(SqlRequest("SELECT 3", "two")) == first
    assert len(inner.ran) == 1
    data.version += 1
    assert backend.execute(SqlRequest("SELECT 3", "three")) == first
    assert len(inner.ran) == 2


@pytest.mark.parametrize(
    "other",
    [
        SqlRequest("SELECT 4", "tag"),
        SqlRequest("SELECT 3", "tag", row_limit=2),
        SqlRequest("SELECT 3", "tag", schema="shop"),
        SqlRequest("SELECT 3", "tag", parameters={"n": 1}),
    ],
)
def test_another_request_has_another_result(backend, inner, other):
    backend.execute(SqlRequest("SELECT 3", "tag"))
    backend.execute(other)
    assert len(inner.ran) == 2


def test_statements_failures_and_queries_over_changing_data_run_each_time(backend, inner, data):
    for _ in range(2):
        backend.execute(SqlRequest("DESCRIBE 3", "tag"))
        with pytest.raises(SqlFailedError):
            backend.execute(SqlRequest("SELECT broken", "tag"))
    data.is_changing = True
    backend.execute(SqlRequest("SELECT 3", "tag"))
    data.is_changing = False
    backend.execute(SqlRequest("SELECT 3", "tag"))
    assert len(inner.ran) == 6


def test_what_was_not_used_for_longest_goes_first(backend, inner):
    for sql in ("SELECT 3", "SELECT 4", "SELECT 3", "SELECT 2"):
        backend.execute(SqlRequest(sql, "tag"))
    ran = len(inner.ran)
    backend.execute(SqlRequest("SELECT 3", "tag"))
    assert len(inner.ran) == ran
    backend.execute(SqlRequest("SELECT 4", "tag"))
    assert len(inner.ran) == ran + 1


def test_a_statement_is_cancelled_where_it_runs(backend, inner):
    backend.cancel("tag")
    with pytest.raises(SqlFailedError):
        backend.execute(SqlRequest("SELECT sleep", "tag"))
