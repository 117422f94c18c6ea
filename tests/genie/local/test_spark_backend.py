"""Statements on a real Spark session: cells, limits, parameters, errors, cancelling."""

from __future__ import annotations

import threading
import time

import pytest

from genie.local.seams import SqlFailedError, SqlRequest
from genie.local.spark_backend import SparkBackend

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def backend(spark):
    return SparkBackend(spark)


def run(backend, sql, **options):
    return backend.execute(SqlRequest(sql, "t1", **options))


@pytest.mark.parametrize(
    ("expression", "type_text", "cell"),
    [
        ("1", "int", "1"),
        ("CAST(1.5 AS DECIMAL(10,2))", "decimal(10,2)", "1.50"),
        ("1e10D", "double", "1.0E10"),
        ("true", "boolean", "true"),
        ("'a'", "string", "a"),
        ("CAST(NULL AS STRING)", "string", None),
        ("DATE'2026-01-31'", "date", "2026-01-31"),
        ("TIMESTAMP'2026-01-31 10:00:00'", "timestamp", "2026-01-31T10:00:00.000Z"),
        ("TIMESTAMP_NTZ'2026-01-31 10:00:00'", "timestamp_ntz", "2026-01-31T10:00:00.000"),
        ("array(1, 2)", "array<int>", "[1,2]"),
        ("map('a', 1)", "map<string,int>", '{"a":1}'),
        ("named_struct('a', 1)", "struct<a:int>", '{"a":1}'),
        ("CAST('a' AS BINARY)", "binary", "YQ=="),
    ],
)
def test_cells_are_written_as_the_statement_api_writes_them(backend, expression, type_text, cell):
    result = run(backend, f"SELECT {expression} AS x")
    assert [(column.name, column.type_text) for column in result.columns] == [("x", type_text)]
    assert result.rows == ((cell,),)


def test_columns_may_share_a_name_and_rows_stop_at_the_limit(backend):
    result = run(backend, "SELECT id AS a, id + 1 AS a FROM range(5) ORDER BY 1", row_limit=2)
    assert [column.name for column in result.columns] == ["a", "a"]
    assert (result.rows, result.is_truncated) == ((("0", "1"), ("1", "2")), True)
    assert not run(backend, "SELECT 1 FROM range(2)", row_limit=2).is_truncated


def test_definitions_and_schemas_work(backend):
    run(backend, "CREATE SCHEMA IF NOT EXISTS backend_test")
    run(backend, "CREATE OR REPLACE VIEW v AS SELECT 5 AS n", schema="backend_test")
    try:
        assert run(backend, "SELECT n FROM v", schema="backend_test").rows == (("5",),)
        with pytest.raises(SqlFailedError):
            run(backend, "SELECT n FROM v")
    finally:
        run(backend, "DROP SCHEMA backend_test CASCADE")


def test_parameters_are_refused_by_a_session_with_deltas_parser(backend):
    with pytest.raises(SqlFailedError, match="parameters are not supported by the parser"):
        run(backend, "SELECT 1 + :m", parameters={"m": 2})


def test_an_error_is_told_without_the_stack_of_the_jvm(backend):
    with pytest.raises(SqlFailedError) as caught:
        run(backend, "SELECT * FROM not_there")
    assert caught.value.what.startswith("[TABLE_OR_VIEW_NOT_FOUND]")
    assert caught.value.sql_state == "42P01"
    assert "\tat " not in caught.value.what


def test_a_statement_that_runs_is_cancelled_by_its_tag(backend):
    failed = []

    def execute():
        try:
            run(backend, "SELECT count(*) FROM range(100000) a JOIN range(10000000) b "
                         "ON a.id % 7 = b.id % 11")  # fmt: skip
        except SqlFailedError as error:
            failed.append(error)

    thread = threading.Thread(target=execute)
    thread.start()
    deadline = time.monotonic() + 60
    while thread.is_alive() and time.monotonic() < deadline:
        backend.cancel("t1")
        thread.join(0.5)
    assert len(failed) == 1
    backend.cancel("t1")  # nothing runs: nothing happens
