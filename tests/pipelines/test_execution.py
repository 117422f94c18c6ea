"""Executing queries: typed results, and an end to everything that is not one."""

from __future__ import annotations

import logging
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest
from pyspark.errors import ArithmeticException

from pipelines.execution import ExecutionPolicy, Known, executing
from pipelines.kept_results import KeptResults
from transforms.judgement import Execution, SparkValue
from transforms.query_sources import Readable

SCHEMA = "execution_world"
NAMES = (f"{SCHEMA}.pet", f"{SCHEMA}.toy")
ENDLESS = (
    "SELECT COUNT(*) FROM (SELECT explode(sequence(1, 1000000)) AS x) a "
    "CROSS JOIN (SELECT explode(sequence(1, 1000000)) AS y) b WHERE x + y = 7"
)


@pytest.fixture(scope="module")
def world(spark):
    """Two small tables in a schema of their own."""
    spark.sql(f"CREATE SCHEMA IF NOT EXISTS {SCHEMA}")
    pets = spark.createDataFrame([(1, "Rex"), (2, "Ivy"), (3, None)], "id INT, name STRING")
    pets.writeTo(f"{SCHEMA}.pet").using("delta").createOrReplace()
    toys = spark.createDataFrame([(1, 1)], "id INT, pet_id INT")
    toys.writeTo(f"{SCHEMA}.toy").using("delta").createOrReplace()
    yield spark
    spark.sql(f"DROP SCHEMA {SCHEMA} CASCADE")


@pytest.fixture(scope="module", params=[0, 10**9], ids=["read anew", "held in memory"])
def executor(world, request):
    policy = ExecutionPolicy(max_rows=10, small_bytes=request.param)
    with executing(world, SCHEMA, NAMES, policy, size_bytes=1) as opened:
        yield opened


@pytest.mark.parametrize(
    ("sql", "data_type", "value"),
    [
        ("1", "int", 1),
        ("CAST(1.50 AS DECIMAL(4,2))", "decimal(4,2)", Decimal("1.50")),
        ("DATE '2024-02-29'", "date", date(2024, 2, 29)),
        ("TIMESTAMP '2024-07-01 12:00:00'", "timestamp", datetime(2024, 7, 1, 12, tzinfo=UTC)),
        ("TIMESTAMP_NTZ '2024-07-01 12:00:00'", "timestamp_ntz",
         datetime(2024, 7, 1, 12)),  # noqa: DTZ001 - it has no zone
        ("INTERVAL '1' DAY", "interval day", timedelta(days=1)),
        ("CAST('ab' AS BINARY)", "binary", b"ab"),
        ("ARRAY(1, NULL)", "array<int>", [1, None]),
        ("MAP('a', TIMESTAMP '2024-07-01 12:00:00')", "map<string,timestamp>",
         {"a": datetime(2024, 7, 1, 12, tzinfo=UTC)}),
        ("NAMED_STRUCT('a', 1, 'b', ARRAY(TIMESTAMP '2024-07-01 12:00:00'))",
         "struct<a:int,b:array<timestamp>>", (1, [datetime(2024, 7, 1, 12, tzinfo=UTC)])),
        ("CAST(NULL AS STRING)", "string", None),
        # What PySpark fails at, or gives other digits.
        ("CAST(0.1 AS FLOAT)", "float", 0.1),
        ("ARRAY(CAST(1.1e-7 AS FLOAT), CAST(16777216 AS FLOAT), CAST('-Infinity' AS FLOAT))",
         "array<float>", [1.1e-7, 16777216.0, float("-inf")]),
        ("INTERVAL '1-2' YEAR TO MONTH", "interval year to month", SparkValue("months", 14)),
        ("ARRAY(INTERVAL '1' YEAR, NULL)", "array<interval year>",
         [SparkValue("months", 12), None]),
        ("MAKE_INTERVAL(1, 2, 0, 3)", "interval",
         SparkValue("interval", "1 years 2 months 3 days")),
        ("MAP(ARRAY(1, 2), DATE '2024-02-29')", "map<array<int>,date>",
         {(1, 2): date(2024, 2, 29)}),
        ("MAP(NAMED_STRUCT('a', ARRAY(1)), NULL)", "map<struct<a:array<int>>,void>",
         {((1,),): None}),
        ("DATE '0001-01-01'", "date", date(1, 1, 1)),
        ("DATE '10000-01-01'", "date", SparkValue("date", 2932897)),
        ("TIMESTAMP '0001-01-01 00:00:00'", "timestamp", datetime(1, 1, 1, tzinfo=UTC)),
        ("NAMED_STRUCT('a', 1, 'a', TIMESTAMP '10000-01-01 00:00:00')",
         "struct<a:int,a:timestamp>", (1, SparkValue("timestamp", 253402300800000000))),
        ("CAST(NULL AS STRUCT<a: DATE>)", "struct<a:date>", None),
    ],
)  # fmt: skip
def test_values_come_as_typed_values(executor, sql, data_type, value):
    found = executor.execute(f"SELECT {sql} AS v")
    assert (found.status, found.columns, found.data_types) == ("ok", ("v",), (data_type,))
    assert found.rows == ((value,),)


@pytest.mark.parametrize("sql", [
    "SELECT name FROM pet WHERE id < 3 ORDER BY id",
    f"SELECT name FROM {SCHEMA}.pet WHERE id < 3 ORDER BY id",
    "SELECT p.name FROM PET p WHERE p.id < 3 ORDER BY 1 DESC;",
])  # fmt: skip
def test_tables_of_the_schema_need_no_qualifier(executor, sql):
    assert executor.execute(sql).rows == (("Rex",), ("Ivy",))


@pytest.mark.parametrize(
    ("sql", "status", "error"),
    [
        ("DROP TABLE pet", "refused", "DROP"),
        ("SELECT 1; SELECT 2", "refused", ""),
        ("SELEC 1", "parse_error", ""),
        ("SELECT FROM WHERE", "parse_error", ""),
        ("SELECT nope FROM pet", "sql_error", "`nope` cannot be resolved"),
        ("SELECT * FROM no_such_table", "sql_error", "no_such_table"),
        ("SELECT CAST(name AS INT) FROM pet", "sql_error", 'cannot be cast to "INT"'),
        ("SELECT 1 / 0", "sql_error", "Division by zero"),
        ("SELECT TIMESTAMP_NTZ '10000-01-01 00:00:00'", "sql_error", "cannot be read"),
    ],
)
def test_what_cannot_be_executed_says_why_and_has_no_rows(executor, capfd, sql, status, error):
    found = executor.execute(sql)
    assert (found.status, found.rows) == (status, None)
    assert error in (found.error or "")
    assert "\tat " not in (found.error or "")
    assert capfd.readouterr().err == "", "an error in SQL is a result, not a message"


def test_the_class_of_sparks_error_is_kept(executor):
    assert executor.execute("SELECT 1 / 0").error_class == "DIVIDE_BY_ZERO"


def test_more_rows_than_allowed_are_too_large(executor):
    many = executor.execute("SELECT explode(sequence(1, 11))")
    assert (many.status, many.rows, many.error) == ("too_large", None, "more than 10 rows")
    assert executor.execute("SELECT explode(sequence(1, 10))").row_count == 10


def test_a_query_that_takes_too_long_is_interrupted_and_the_others_are_not(world):
    policy = ExecutionPolicy(workers=2, timeout_s=3.0)
    with (
        executing(world, SCHEMA, NAMES, policy, size_bytes=1) as executor,
        ThreadPoolExecutor(2) as pool,
    ):
        endless = pool.submit(executor.execute, ENDLESS)
        assert executor.execute("SELECT COUNT(*) FROM pet").rows == ((3,),)
        found = endless.result(timeout=120)
        assert (found.status, found.error) == ("timed_out", "no result within 3 s")
        assert executor.execute("SELECT COUNT(*) FROM toy").rows == ((1,),)


def watched(executor, monkeypatch):
    """The SQL that really runs, from now on."""
    executed = []
    run = executor._run

    def note(session, sql, is_late):
        executed.append(sql)
        return run(session, sql, is_late)

    monkeypatch.setattr(executor, "_run", note)
    return executed


def test_identical_sql_is_executed_once_however_many_ask(world, monkeypatch):
    policy = ExecutionPolicy(workers=2)
    with executing(world, SCHEMA, NAMES, policy, size_bytes=1) as executor:
        executed = watched(executor, monkeypatch)
        with ThreadPoolExecutor(4) as pool:
            found = list(pool.map(executor.execute, ["SELECT COUNT(*) FROM pet"] * 8))
        assert executed == ["SELECT COUNT(*) FROM pet"]
        assert {execution.rows for execution in found} == {((3,),)}


def test_results_are_kept_only_up_to_a_number_of_rows(world, monkeypatch):
    policy = ExecutionPolicy(workers=1, max_kept_rows=2)
    with executing(world, SCHEMA, NAMES, policy, size_bytes=1) as executor:
        executed = []
        run = executor._run
        monkeypatch.setattr(
            executor, "_run", lambda s, q, late: executed.append(q) or run(s, q, late)
        )
        for _ in range(2):
            assert executor.execute("SELECT id FROM pet").row_count == 3
            assert executor.execute("SELECT 1").row_count == 1
        assert executed.count("SELECT id FROM pet") == 2
        assert executed.count("SELECT 1") == 1


def test_the_callers_session_is_left_as_it_was(world):
    before = world.catalog.currentDatabase()
    compiled = world.conf.get("spark.sql.codegen.wholeStage")
    with executing(world, SCHEMA, NAMES, ExecutionPolicy(), size_bytes=1) as executor:
        assert executor.execute("SELECT COUNT(*) FROM pet").rows == ((3,),)
        assert world.catalog.currentDatabase() == before
        assert not world.catalog.tableExists("pet")
        assert world.conf.get("spark.sql.codegen.wholeStage") == compiled
    assert not world.table(NAMES[0]).is_cached


def test_groups_of_small_tables_are_made_by_one_task_so_that_none_races_for_a_place(world):
    sql = (
        "SELECT COUNT(DISTINCT task) FROM (SELECT n, SPARK_PARTITION_ID() AS task FROM "
        "(SELECT EXPLODE(SEQUENCE(1, 100)) AS n FROM pet) GROUP BY n)"
    )
    policies = ExecutionPolicy(), ExecutionPolicy(small_bytes=0)
    task_counts = []
    for policy in policies:
        with executing(world, SCHEMA, NAMES, policy, size_bytes=1) as executor:
            task_counts.append(executor.execute(sql).rows)
    assert task_counts == [((1,),), ((2,),)]


def test_tables_of_a_hidden_schema_cannot_be_read(world):
    policy = ExecutionPolicy(workers=1)
    with executing(
        world, SCHEMA, NAMES, policy, size_bytes=1, hidden_schemas=["Secret_World"]
    ) as executor:
        for name in ("secret_world.pet", "spark_catalog.`SECRET_WORLD`.pet"):
            found = executor.execute(f"SELECT 1 WHERE EXISTS (SELECT * FROM {name})")
            assert (found.status, found.rows) == ("refused", None)
        assert executor.execute("SELECT COUNT(*) FROM pet AS secret_world").status == "ok"


def test_errors_in_sql_are_raised_as_ever_afterwards(world, monkeypatch):
    """PySpark logs them with a logger that only it may make."""
    monkeypatch.delitem(logging.Logger.manager.loggerDict, "SQLQueryContextLogger", raising=False)
    with executing(world, SCHEMA, NAMES, ExecutionPolicy(), size_bytes=1):
        pass
    with pytest.raises(ArithmeticException, match="DIVIDE_BY_ZERO"):
        world.sql("SELECT 1 / 0").collect()


def test_a_result_that_is_known_from_before_is_not_computed_again(world, tmp_path):
    store = KeptResults(tmp_path)
    known = Known(store, Readable(SCHEMA, {f"{SCHEMA}.pet": "rows as they are"}))
    before, pets, broken = "SELECT 1 FROM pet", "SELECT id FROM pet", "SELECT nothing FROM pet"
    keys = {sql: known.key(sql) or "" for sql in (before, pets, broken)}
    kept = Execution("ok", ("1",), ("int",), ((7,),))  # nothing that executing would give
    store.keep(keys[before], kept)
    policy = ExecutionPolicy(workers=1)
    with executing(world, SCHEMA, NAMES, policy, size_bytes=1, known=known) as executor:
        assert executor.execute(before) == kept
        assert executor.execute(pets) == store.find(keys[pets])
        assert executor.execute(broken).status == "sql_error"
        assert executor.execute("SELECT id FROM toy").rows == ((1,),), "nobody says what is in it"
    assert store.find(keys[pets]).row_count == 3
    assert store.find(keys[broken]) is None
    assert len(list(tmp_path.glob("*/*"))) == 2
