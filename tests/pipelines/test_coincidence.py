"""Answers that are right by luck come apart on copies; those that are right do not."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import date
from decimal import Decimal

import pytest

from pipelines.coincidence import (
    CheckedSpace,
    CoincidenceCheck,
    CoincidencePolicy,
    shows_something,
)
from transforms.judgement import Coincidence, Execution, ProfiledValues, Question
from transforms.judging_case import Case
from transforms.space_state import ColumnState, SpaceState, TableState

SCHEMA = "coincidence_world"
OWNER = TableState(
    f"{SCHEMA}.owner",
    (
        ColumnState("owner_id", "int", is_primary_key=True),
        ColumnState("name", "string"),
        ColumnState("town", "string"),
    ),
)
PET = TableState(
    f"{SCHEMA}.pet",
    (
        ColumnState("pet_id", "int", is_primary_key=True),
        ColumnState("owner_id", "int", references=f"{SCHEMA}.owner.owner_id"),
        ColumnState("kind", "string"),
        ColumnState("weight", "decimal(6,2)"),
        ColumnState("born_on", "date"),
        ColumnState("tags", "array<string>"),
    ),
)
SALES = TableState(f"{SCHEMA}.sales", (ColumnState("n", "bigint"),), kind="metric_view")
STATE = SpaceState("s", SCHEMA, (OWNER, PET, SALES))


@pytest.fixture(scope="module")
def world(spark):
    """Every owner has a pet, every dog is heavy: today."""
    spark.sql(f"CREATE SCHEMA IF NOT EXISTS {SCHEMA}")
    owners = [(n, f"owner {n}", "Bonn" if n % 2 else "Kiel") for n in range(1, 21)]
    spark.createDataFrame(owners, "owner_id INT, name STRING, town STRING").write.saveAsTable(
        f"{SCHEMA}.owner"
    )
    pets = [
        (n, n, "dog" if n % 3 == 0 else "cat", Decimal(20 + n if n % 3 == 0 else 3),
         None if n == 7 else date(2020, 1, n), ["x"])
        for n in range(1, 21)
    ]  # fmt: skip
    spark.createDataFrame(
        pets,
        "pet_id INT, owner_id INT, kind STRING, weight DECIMAL(6,2), born_on DATE, "
        "tags ARRAY<STRING>",
    ).write.saveAsTable(f"{SCHEMA}.pet")
    yield spark
    spark.sql(f"DROP SCHEMA {SCHEMA} CASCADE")


def checking(spark, policy=None, **kwargs) -> CoincidenceCheck:
    space = CheckedSpace(STATE, ProfiledValues({}), "bag_any_column")
    return CoincidenceCheck(spark, space, policy or CoincidencePolicy(), **kwargs)


@pytest.fixture(scope="module")
def check(world):
    return checking(world)


def asked(expected_sql: str, sql: str) -> Question:
    return Question("q", "Which?", expected_sql, sql)


DOGS = "SELECT pet_id FROM pet WHERE kind = 'dog'"


@pytest.mark.parametrize(
    ("expected_sql", "sql"),
    [
        (DOGS, "SELECT pet_id FROM pet WHERE weight > 10"),
        (DOGS, f"SELECT pet_id FROM {SCHEMA}.pet WHERE kind = 'dog' AND weight >= 23"),
        (
            "SELECT name FROM owner",
            "SELECT o.name FROM owner o JOIN pet p ON o.owner_id = p.owner_id",
        ),
        (
            "SELECT COUNT(*) FROM pet WHERE weight > 22",
            "SELECT COUNT(*) FROM pet WHERE weight >= 22",
        ),
        (
            "SELECT SUM(weight) FROM pet WHERE pet_id = 3",
            "SELECT AVG(weight) FROM pet WHERE owner_id = 3",
        ),
        (
            "SELECT DISTINCT o.name FROM owner o JOIN pet p ON o.owner_id = p.owner_id",
            "SELECT o.name FROM owner o JOIN pet p ON o.owner_id = p.owner_id",
        ),
        ("SELECT MAX(weight) FROM pet", "SELECT MAX(weight) FROM pet WHERE kind = 'dog'"),
        ("SELECT COUNT(*) FROM pet WHERE pet_id <> 7",
         "SELECT COUNT(born_on) FROM pet"),
        (
            "SELECT pet_id FROM pet ORDER BY weight DESC, pet_id LIMIT 1",
            "SELECT pet_id FROM pet WHERE weight = (SELECT MAX(weight) FROM pet)",
        ),
    ],
)  # fmt: skip
def test_queries_that_agree_by_luck_come_apart(world, check, expected_sql, sql):
    world.catalog.setCurrentDatabase(SCHEMA)
    one, other = (
        sorted(tuple(row) for row in world.sql(text).collect()) for text in (expected_sql, sql)
    )
    world.catalog.setCurrentDatabase("default")
    assert one == other, "they do agree today"
    found = check.check(asked(expected_sql, sql))
    assert found.is_coincidental is True, found.detail
    assert found.detail.startswith("the results agree on the tables as they are, and not on a copy")


@pytest.mark.parametrize(
    ("expected_sql", "sql"),
    [
        (DOGS, "SELECT p.pet_id AS id FROM pet AS p WHERE NOT p.kind <> 'dog'"),
        (
            "SELECT o.name FROM owner o JOIN pet p ON o.owner_id = p.owner_id WHERE p.kind = 'dog'",
            "SELECT name FROM (SELECT * FROM pet JOIN owner USING (owner_id)) WHERE kind = 'dog'",
        ),
        (
            "SELECT pet_id FROM pet ORDER BY weight DESC LIMIT 1",
            "SELECT pet_id FROM pet ORDER BY weight DESC, born_on LIMIT 1",
        ),
        (
            "SELECT pet_id FROM pet ORDER BY weight DESC LIMIT 1",
            "SELECT pet_id FROM pet WHERE weight = (SELECT MAX(weight) FROM pet)",
        ),
        ("SELECT COUNT(*) FROM pet", "SELECT COUNT(pet_id) FROM pet"),
        (
            "SELECT kind FROM pet WHERE pet_id IN (SELECT pet_id FROM pet LIMIT 2)",
            "SELECT kind FROM (SELECT * FROM pet LIMIT 2)",
        ),
    ],
)
def test_queries_that_say_the_same_agree_on_every_copy(check, expected_sql, sql):
    found = check.check(asked(expected_sql, sql))
    assert found.is_coincidental is not True, found.detail


@pytest.mark.parametrize(
    ("selected", "rows", "shows"),
    [
        ("weight", ((), ((None,),)), True),
        ("weight", ((), ()), False),
        ("weight", (((3,),), None), False),
        ("MAX(weight)", ((), ((None,),)), False),
        ("COUNT(*)", (((0,),), ((None,),)), False),
        ("COUNT(*)", (((0,),), ((2,),)), True),
    ],
)
def test_that_there_is_nothing_can_be_said_in_several_ways(selected, rows, shows):
    question = asked(f"SELECT {selected} FROM pet", "SELECT weight FROM pet")
    case = Case(question, Execution("ok"), Execution("ok"), STATE, ProfiledValues({}))
    assert shows_something(case, *rows) is shows


def test_one_query_agrees_with_itself_without_a_copy(check):
    found = check.check(asked("SELECT MEASURE(n) FROM sales", "select measure(s.n) from sales s"))
    assert found == Coincidence(False, "both queries are one query")


@pytest.mark.parametrize(
    ("sql", "why"),
    [
        ("SELECT MEASURE(n) FROM sales", "reads sales"),
        ("SELECT FROM", "cannot be read"),
        ("SELECT COUNT(*) FROM nowhere", "reads nowhere"),
        ("SELECT pet_id FROM pet WHERE pet_id < -5", "no copy gave rows"),
    ],
)
def test_what_cannot_be_checked_says_why(check, sql, why):
    found = check.check(asked(sql, f"SELECT * FROM ({sql})"))
    assert found.is_coincidental is None
    assert found.detail.startswith("not checked: ")
    assert why in found.detail


def test_the_time_of_an_evaluation_is_bounded(world):
    now = iter(range(0, 1000, 10))
    check = checking(world, CoincidencePolicy(budget_s=5), clock=lambda: next(now))
    found = check.check(asked(DOGS, "SELECT pet_id FROM pet"))
    assert (found.is_coincidental, found.detail) == (
        None, "not checked: the time for checks is over",
    )  # fmt: skip


def test_large_tables_are_sampled(world):
    check = checking(world, CoincidencePolicy(max_rows=5))
    found = check.check(asked(DOGS, "SELECT pet_id FROM pet WHERE weight > 10"))
    assert found.is_coincidental is True
    assert len(check._tables[PET.name].rows) <= 5


def test_nothing_is_written_and_no_other_session_sees_a_copy(world, check):
    before = world.table(PET.name).collect()
    with ThreadPoolExecutor(2) as pool:
        found = list(pool.map(check.check, [asked(DOGS, "SELECT pet_id FROM pet")] * 4))
    assert {coincidence.is_coincidental for coincidence in found} == {True}
    assert world.table(PET.name).collect() == before
    assert not world.catalog.tableExists("pet")
