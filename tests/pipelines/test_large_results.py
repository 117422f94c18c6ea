"""Results compared in Spark: the same outcome, in the same words, as for results at hand."""

from __future__ import annotations

from collections import Counter
from itertools import product

import pytest

from pipelines.execution import ExecutionPolicy, executing
from pipelines.judging import Judging, judge_answers
from pipelines.large_results import compare_in_spark, pair_in_spark
from transforms.judgement import ProfiledValues
from transforms.result_ladder import POLICIES, climb
from transforms.results import compare
from transforms.space_state import SpaceState

pytestmark = pytest.mark.slow


def table(names: str, *rows: str) -> str:
    return f"SELECT * FROM VALUES {', '.join(f'({row})' for row in rows)} AS t({names})"


BASE = table("id, name", "1, 'x'", "2, 'y'")
THIRD = "CAST(1 AS DOUBLE) / 3"
CASES = {
    "the same": (BASE, BASE),
    "names in another case": (BASE, table("ID, Name", "1, 'x'", "2, 'y'")),
    "other names": (BASE, table("id, n", "1, 'x'", "2, 'y'")),
    "other order of rows": (BASE, table("id, name", "2, 'y'", "1, 'x'")),
    "an order over partitions": (
        "SELECT id FROM range(0, 1000, 1, 7) ORDER BY id",
        "SELECT id FROM range(0, 1000, 1, 3)",
    ),
    "the other order over partitions": (
        "SELECT id FROM range(0, 1000, 1, 7) ORDER BY id",
        "SELECT id FROM range(0, 1000, 1, 3) ORDER BY id DESC",
    ),
    "other order of columns": (BASE, table("name, id", "'x', 1", "'y', 2")),
    "other order of columns and rows": (BASE, table("name, id", "'y', 2", "'x', 1")),
    "columns that look alike": (
        table("a, b, c", "1, 2, 3", "2, 1, 3", "3, 3, 1"),
        table("b, c, a", "2, 1, 3", "1, 2, 3", "3, 3, 1"),
    ),
    "columns that look alike, in other rows": (
        table("a, b, c", "1, 2, 3", "2, 3, 1", "3, 1, 2"),
        table("a, b, c", "2, 1, 3", "1, 3, 2", "3, 2, 1"),
    ),
    "columns that look alike, in no arrangement": (
        table("a, b, c", "1, 1, 1", "2, 2, 2"),
        table("a, b, c", "1, 1, 2", "2, 2, 1"),
    ),
    "integers as floats": (BASE, table("id, name", "1D, 'x'", "2D, 'y'")),
    "integers as decimals": (BASE, table("id, name", "1.00, 'x'", "2.00, 'y'")),
    "noise of floats": ("SELECT 0.3D AS a", "SELECT 0.1D + 0.2D AS a"),
    "a division of decimals": ("SELECT 0.333333 AS a", f"SELECT {THIRD} AS a"),
    "rounded to five decimals": ("SELECT 0.33333 AS a", f"SELECT {THIRD} AS a"),
    "rounded to four decimals": ("SELECT 0.3333 AS a", f"SELECT {THIRD} AS a"),
    "rounded in an array": (f"SELECT ARRAY(1D, {THIRD}) AS a", "SELECT ARRAY(1D, 0.33333D) AS a"),
    "rounded in a map": (f"SELECT MAP('a', {THIRD}) AS a", "SELECT MAP('a', 0.33333D) AS a"),
    "one of many rounded": (
        "SELECT id, id / 7D AS a FROM range(100)",
        "SELECT id, IF(id = 9, 1.28571D, id / 7D) AS a FROM range(100)",
    ),
    "all rounded": (
        "SELECT id, id / 7D AS a FROM range(100)",
        "SELECT id, ROUND(id / 7D, 6) AS a FROM range(100)",
    ),
    "rounded, and columns swapped": (
        "SELECT id, id / 7D AS a FROM range(100)",
        "SELECT ROUND(id / 7D, 6) AS a, id FROM range(100)",
    ),
    "one of many another": (
        "SELECT id, id / 7D AS a FROM range(100)",
        "SELECT id, IF(id = 9, 1.286D, id / 7D) AS a FROM range(100)",
    ),
    "a FLOAT and what it is written as": ("SELECT 0.1D AS a", "SELECT CAST(0.1 AS FLOAT) AS a"),
    "a FLOAT and a DOUBLE of one calculation": (
        f"SELECT {THIRD} AS a",
        "SELECT CAST(1 AS FLOAT) / CAST(3 AS FLOAT) AS a",
    ),
    "a FLOAT that became a DOUBLE": (
        "SELECT 0.1D AS a",
        "SELECT CAST(CAST(0.1 AS FLOAT) AS DOUBLE) AS a",
    ),
    "a further column": (BASE, table("id, more, name", "1, 7, 'x'", "2, 8, 'y'")),
    "a further column, and another order": (
        BASE,
        table("more, name, id", "8, 'y', 2", "7, 'x', 1"),
    ),
    "a missing column": (BASE, table("id", "1", "2")),
    "rows that appear twice": (BASE, table("id, name", "1, 'x'", "1, 'x'", "2, 'y'")),
    "rows that appear twice, columns swapped": (
        BASE,
        table("name, id", "'x', 1", "'x', 1", "'y', 2"),
    ),
    "other rows appear twice": (
        table("id", "1", "1", "2"),
        table("id", "1", "2", "2"),
    ),
    "another value": (BASE, table("id, name", "1, 'x'", "3, 'y'")),
    "another pairing of the same values": (BASE, table("id, name", "1, 'y'", "2, 'x'")),
    "a missing row": (BASE, table("id, name", "1, 'x'")),
    "nothing and nothing": ("SELECT 1 AS a WHERE FALSE", "SELECT 'x' AS a WHERE FALSE"),
    "nothing, with a further column": (
        "SELECT 1 AS a WHERE FALSE",
        "SELECT 1 AS b, 2 AS a WHERE FALSE",
    ),
    "nothing against a row": ("SELECT 1 AS a WHERE FALSE", "SELECT 1 AS a"),
    "two columns of one name": ("SELECT 1 AS a, 2 AS a", "SELECT 2 AS a, 1 AS a"),
    "a text that reads like the date": (
        "SELECT DATE '2024-01-31' AS a",
        "SELECT '2024-01-31' AS a",
    ),
    "a text with leading zeros": ("SELECT '00123' AS a", "SELECT 123 AS a"),
    "two texts with one number": ("SELECT '00123' AS a", "SELECT '123' AS a"),
    "NULL and empty text": ("SELECT CAST(NULL AS STRING) AS a", "SELECT '' AS a"),
    "NULL and NULL of another type": ("SELECT CAST(NULL AS STRING) AS a", "SELECT NULL AS a"),
    "NaN": ("SELECT CAST('NaN' AS DOUBLE) AS a", "SELECT CAST('NaN' AS FLOAT) AS a"),
    "NaN and NULL": ("SELECT CAST('NaN' AS DOUBLE) AS a", "SELECT CAST(NULL AS DOUBLE) AS a"),
    "infinities of two signs": (
        "SELECT CAST('Infinity' AS DOUBLE) AS a",
        "SELECT CAST('-Infinity' AS DOUBLE) AS a",
    ),
    "negative zero": ("SELECT -0.0D AS a", "SELECT 0 AS a"),
    "true and one": ("SELECT TRUE AS a", "SELECT 1 AS a"),
    "large integers": ("SELECT 9223372036854775807 AS a", "SELECT 9223372036854775806 AS a"),
    "amounts of money": ("SELECT 1000000000.10 AS a", "SELECT 1000000000.11 AS a"),
    "amounts of money as floats": ("SELECT 1000000.1D AS a", "SELECT 1000000.11D AS a"),
    "one instant in two zones": (
        "SELECT TIMESTAMP '2024-01-01 00:30:00Z' AS a",
        "SELECT TIMESTAMP '2024-01-01 01:30:00+01:00' AS a",
    ),
    "an instant and a wall clock": (
        "SELECT TIMESTAMP '2024-01-01 00:30:00' AS a",
        "SELECT TIMESTAMP_NTZ '2024-01-01 00:30:00' AS a",
    ),
    "a date and midnight": (
        "SELECT DATE '2024-01-31' AS a",
        "SELECT TIMESTAMP '2024-01-31 00:00:00' AS a",
    ),
    "a year that Python has not": (
        "SELECT DATE '-0044-03-15' AS a, TIMESTAMP '12024-01-01 00:00:00' AS b",
        "SELECT DATE '-0044-03-15' AS a, TIMESTAMP '12024-01-01 00:00:01' AS b",
    ),
    "a time and its text": ("SELECT TIME '01:02:00' AS a", "SELECT '01:02:00' AS a"),
    "months and a year": ("SELECT INTERVAL '12' MONTH AS a", "SELECT INTERVAL '1' YEAR AS a"),
    "months and their number": ("SELECT INTERVAL '12' MONTH AS a", "SELECT 12 AS a"),
    "an interval and its seconds": ("SELECT INTERVAL '5' SECOND AS a", "SELECT 5 AS a"),
    "binary and text": ("SELECT CAST('ab' AS BINARY) AS a", "SELECT 'ab' AS a"),
    "variants": ("SELECT PARSE_JSON('[1]') AS a", "SELECT PARSE_JSON('[ 1 ]') AS a"),
    "arrays of numbers": ("SELECT ARRAY(1, 2) AS a", "SELECT ARRAY(1D, 2D) AS a"),
    "arrays in another order": ("SELECT ARRAY(1, 2) AS a", "SELECT ARRAY(2, 1) AS a"),
    "an array and a struct": ("SELECT ARRAY(1, 2) AS a", "SELECT STRUCT(1, 2) AS a"),
    "structs with other names of fields": (
        "SELECT NAMED_STRUCT('x', 1, 'y', DATE '2024-01-31') AS a",
        "SELECT NAMED_STRUCT('p', 1, 'q', DATE '2024-01-31') AS a",
    ),
    "maps in another order": (
        "SELECT MAP('a', 1, 'b', NULL) AS a",
        "SELECT MAP('b', NULL, 'a', 1) AS a",
    ),
    "maps with another pairing": (
        "SELECT MAP(1, 'a', 2, 'b') AS a",
        "SELECT MAP(1, 'b', 2, 'a') AS a",
    ),
    "noise beside the same number without it": (
        "SELECT 'a' AS g, 0.1D + 0.2D AS n UNION ALL SELECT 'b', 0.3D UNION ALL SELECT 'c', 7.5D",
        "SELECT 'b' AS g, 0.1D + 0.2D AS n UNION ALL SELECT 'a', 0.3D UNION ALL SELECT 'c', 7.5D",
    ),
    "a number that both have, and one rounded to it": (
        "SELECT 'a' AS g, 0.333333D AS n UNION ALL SELECT 'b', 0.33333D",
        "SELECT 'a' AS g, 0.333333D AS n UNION ALL SELECT 'b', 0.333333D",
    ),
    "maps by arrays": (
        "SELECT MAP(ARRAY(1), DATE '2024-01-31') AS a",
        "SELECT MAP(ARRAY(1), DATE '2024-01-31') AS a",
    ),
}  # fmt: skip


@pytest.fixture(scope="module")
def executor(spark):
    with executing(spark, "default", [], ExecutionPolicy(workers=1), size_bytes=1) as opened:
        yield opened


@pytest.mark.parametrize(("expected", "produced"), CASES.values(), ids=CASES)
def test_results_in_spark_meet_where_results_at_hand_do(spark, executor, expected, produced):
    at_hand = executor.execute(expected), executor.execute(produced)
    assert [execution.status for execution in at_hand] == ["ok", "ok"]
    frames = spark.sql(expected), spark.sql(produced)
    with pair_in_spark(*frames, is_official=True) as pair:
        for policy, is_ordered in product(POLICIES, (False, True)):
            in_spark = climb(pair, policy=policy, is_ordered=is_ordered)
            assert in_spark == compare(*at_hand, policy=policy, is_ordered=is_ordered), policy


def test_the_cases_meet_on_every_step_that_values_decide(executor):
    steps = Counter(
        compare(executor.execute(expected), executor.execute(produced)).step
        for expected, produced in CASES.values()
    )
    assert set(steps) == {
        "equal", "alias", "row_order", "column_order", "numeric_type", "rounding", "extra_columns",
        "duplicates", "different",
    }  # fmt: skip


def answered(sql: str, expected_sql: str) -> dict[str, object]:
    return {
        "space_id": "s", "evaluation_id": "e", "question_id": "q", "attempt": 1, "group_id": "g",
        "split": "train", "question": "Which numbers are there?", "expected_sql": expected_sql,
        "expected_asset": None, "genie_sql": sql, "answer_outcome": "answered",
        "answer_error": None,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("sql", "outcome", "step"),
    [
        ("SELECT id AS n FROM range(0, 20)", "correct", "alias"),
        ("SELECT id FROM range(0, 20) ORDER BY id DESC", "correct", "row_order"),
        ("SELECT id FROM range(0, 21)", "incorrect", "different"),
        ("SELECT id FROM range(0, 5)", "incorrect", "different"),
        ("SELECT 1 / (id - 19) FROM range(0, 20)", "sql_error", None),
    ],
)
def test_answers_that_are_too_large_to_collect_are_judged_all_the_same(spark, sql, outcome, step):
    policy = ExecutionPolicy(workers=1, max_rows=10)
    with executing(spark, "default", [], policy, size_bytes=1) as executor:
        judging = Judging(executor, SpaceState("s", "default", ()), ProfiledValues({}), "bag", 1)
        judged = judge_answers([answered(sql, "SELECT id FROM range(0, 20)")], judging)
    [row] = judged.completions
    assert (row["outcome"], row["match_step"]) == (outcome, step)
    assert row["is_correct"] is (outcome == "correct")


def test_a_comparison_that_takes_too_long_is_given_up(spark):
    endless = "SELECT SHA2(CAST(id AS STRING), 512) FROM range(0, 1000000000)"
    policy = ExecutionPolicy(workers=1, compare_timeout_s=2)
    with executing(spark, "default", [], policy, size_bytes=1) as executor:
        given_up = executor.compare(endless, endless, policy="bag", is_ordered=False)
        assert (given_up.step, given_up.is_correct) == ("not_comparable", False)
        assert given_up.detail == "large results took longer than 2 s"
        one = executor.compare("SELECT 1", "SELECT 1", policy="bag", is_ordered=False)
        assert one.is_correct


def test_nothing_is_kept_in_memory_afterwards(spark):
    before = spark.sparkContext._jsc.getPersistentRDDs().size()
    frames = [spark.sql(f"SELECT id / {by}D AS a FROM range(9)") for by in (7, 3)]
    compare_in_spark(*frames, policy="bag_any_column", is_ordered=False)
    assert spark.sparkContext._jsc.getPersistentRDDs().size() == before
