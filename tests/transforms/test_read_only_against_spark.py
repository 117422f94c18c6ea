"""What passes as a read-only query is one to Spark's own parser too."""

from __future__ import annotations

import re

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from pyspark.errors import ParseException
from sqlglot import exp

from tests.transforms.test_read_only import QUERIES
from transforms.errors import GenieLoopError
from transforms.sql_text import parse_query

# Nodes of Spark's logical plans that do anything but read tables.
EFFECT = re.compile(
    "Insert|Delete|Update|Merge|Create|Drop|Alter|Command|Script|Compound|Immediate|Streaming|"
    "SetVariable|Overwrite"
)
PIECES = [
    *(
        "select from where t a , ( ) . 1 'x' * = ; as join on using with q as ( select 1 ) union "
        "all group by order by lateral view explode values table limit stream pivot"
    ).split(),
    "insert into", "insert overwrite", "delete from", "update t set", "merge into t",
    "using 'cat'", "transform(a)", "map a", "reduce a", "from t", "execute immediate", "begin",
    "end", "-- x\n", "-- x\\\n", "-- x\r", "/* c */", "/* /* */", "/*+ b(t) */", "'", '"', "`",
    "\\'", "''", "r'\\'", "\u0131nsert", "\u017felect", "|>", "?", ":a", "describe", "explain",
    "set", "\u00a0",
]  # fmt: skip
STARTS = [
    "select ",
    "with q as (select 1) ",
    "with q as (select 1) insert into t select * from q",
    "with q as (select 1) from q insert into t select *",
    "with q as (select 1) delete from t where a in (select 1 from q)",
    "select transform(a) using 'cat' from t",
    "select * from (map a using 'cat' from t) ",
    "select a, count(*) from t where b = 'x' group by a having count(*) > 2 order by a limit 3",
]


@pytest.fixture(scope="module")
def plan_of(spark):
    """The plan of a text as Spark parses it, or None where it does not."""
    parser = spark._jsparkSession.sessionState().sqlParser()

    def parse(text):
        try:
            return str(parser.parsePlan(text).toString())
        except ParseException:
            return None

    return parse


@pytest.mark.parametrize("sql", QUERIES.values(), ids=QUERIES)
def test_spark_parses_the_queries_that_pass_as_queries(sql, plan_of):
    plan = plan_of(sql)
    assert plan is not None
    assert not EFFECT.search(plan)


def test_what_spark_does_not_parse_has_no_plan(plan_of):
    assert plan_of("SELECT (1") is None


def test_the_plans_of_statements_would_be_noticed(plan_of):
    for statement in (
        "INSERT INTO t SELECT 1",
        "WITH c AS (SELECT 1) DELETE FROM t",
        "SELECT TRANSFORM(a) USING 'cat' FROM t",
        "DROP TABLE t",
        "BEGIN SELECT 1; END",
        "SET a = 1",
    ):
        assert EFFECT.search(plan_of(statement)), statement


@given(
    start=st.sampled_from(STARTS),
    pieces=st.lists(st.tuples(st.integers(0, 60), st.sampled_from(PIECES)), max_size=6),
)
@settings(
    deadline=None,
    max_examples=600,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
def test_no_text_passes_that_spark_would_do_anything_with_but_read(start, pieces, plan_of):
    text = start
    for at, piece in pieces:
        text = f"{text[:at]} {piece} {text[at:]}"
    try:
        parse_query(text)
    except GenieLoopError:
        return
    plan = plan_of(text)
    assert plan is None or not EFFECT.search(plan)


STRINGS = st.text(
    st.sampled_from("ab'\"\\`%_nu0041x;-/*$é\n\t "), max_size=8
).flatmap(
    lambda body: st.sampled_from([f"'{body}'", f'"{body}"', f"r'{body}'"])
)  # fmt: skip


@example(strings=["''", "''--'", "'0'"])
@given(strings=st.lists(STRINGS, min_size=30, max_size=30))
@settings(
    deadline=None, max_examples=10, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_literals_have_the_values_that_spark_gives_them(strings, spark):
    readable = {}
    for string in strings:
        try:
            tree = parse_query(f"SELECT {string}")
        except GenieLoopError:
            continue
        selected = tree.selects[0]
        if isinstance(selected, exp.Literal | exp.RawString):
            readable[string] = selected.name
    if readable:
        # A comment behind a literal ends with its line.
        row = spark.sql("SELECT " + "\n, ".join(readable)).first()
        assert list(row) == list(readable.values())
