"""What expected SQL says of itself: chance, today, what it reads, whether LIMIT cuts among ties."""

from __future__ import annotations

import sqlite3

import pytest

from tests.transforms.shop import STATE
from transforms.benchmark_probes import asks_for_now, assets_read, draws_by_chance, tie_probe

NOW = [
    ("SELECT COUNT(*) FROM orders WHERE ordered_on > current_date()", True),
    ("SELECT current_date", True),
    ("SELECT * FROM orders WHERE ordered_on > now() - INTERVAL 7 DAYS", True),
    ("SELECT unix_timestamp()", True),
    ("SELECT now FROM orders", False),
    ("SELECT 'current_date' AS said", False),
    ("SELECT `current_date` FROM orders", False),
    ("SELECT unix_timestamp(ordered_on) FROM orders", False),
    ("no SQL at all", False),
]


@pytest.mark.parametrize(("sql", "is_so"), NOW)
def test_a_query_that_asks_for_the_time_is_known_by_its_words(sql, is_so):
    assert asks_for_now(sql) is is_so


CHANCE = [
    ("SELECT id FROM orders ORDER BY rand()", True),
    ("SELECT uuid()", True),
    ("SELECT * FROM orders TABLESAMPLE (5 ROWS)", True),
    ("SELECT uuid FROM orders", False),
    ("SELECT id FROM orders ORDER BY id", False),
]


@pytest.mark.parametrize(("sql", "is_so"), CHANCE)
def test_a_query_that_draws_by_chance_is_known_by_its_words(sql, is_so):
    assert draws_by_chance(sql) is is_so


READ = [
    ("SELECT COUNT(*) FROM orders o JOIN shop.customers c USING (customer_id)",
     {"shop.orders", "shop.customers"}),
    ("WITH orders AS (SELECT 1 AS x) SELECT * FROM orders", set()),
    ("SELECT * FROM elsewhere.orders", set()),
    ("SELECT 1", set()),
    ("no SQL", set()),
]  # fmt: skip


@pytest.mark.parametrize(("sql", "assets"), READ)
def test_what_a_query_reads_are_the_assets_that_the_space_has(sql, assets):
    assert assets_read(sql, STATE) == assets


@pytest.fixture(scope="module")
def database():
    made = sqlite3.connect(":memory:")
    made.execute("CREATE TABLE t (name TEXT, score INT, city TEXT)")
    rows = [
        ("a", 9, "x"),
        ("b", 8, "x"),
        ("c", 7, "y"),
        ("d", 7, "z"),
        ("e", 5, "z"),
        ("f", 5, "z"),
    ]
    made.executemany("INSERT INTO t VALUES (?, ?, ?)", rows)
    return made


# SQL, whether its LIMIT cuts among rows that tie and differ
TIES = [
    ("SELECT name FROM t ORDER BY score DESC LIMIT 2", False),
    ("SELECT name FROM t ORDER BY score DESC LIMIT 3", True),
    ("SELECT name FROM t ORDER BY score DESC, name LIMIT 3", False),
    ("SELECT name, score FROM t ORDER BY 2 DESC LIMIT 3", True),
    ("SELECT name AS n, score AS s FROM t ORDER BY s DESC LIMIT 3", True),
    ("SELECT score FROM t ORDER BY score DESC LIMIT 3", False),
    ("SELECT * FROM t ORDER BY score DESC LIMIT 3", True),
    ("SELECT city, SUM(score) FROM t GROUP BY city ORDER BY SUM(score) DESC LIMIT 1", True),
    ("SELECT city, COUNT(*) FROM t GROUP BY city ORDER BY COUNT(*) DESC LIMIT 1", False),
    ("SELECT DISTINCT score FROM t ORDER BY score DESC LIMIT 3", False),
    ("SELECT DISTINCT city, score FROM t ORDER BY score DESC LIMIT 3", True),
    ("SELECT name FROM t LIMIT 2", True),
    ("SELECT city FROM t WHERE city = 'z' LIMIT 2", False),
    ("SELECT name FROM t LIMIT 6", False),
    ("SELECT name FROM t ORDER BY score DESC LIMIT 1 OFFSET 2", True),
    ("SELECT name FROM t UNION ALL SELECT city FROM t ORDER BY name LIMIT 1", False),
    ("SELECT name, score FROM t WHERE score < 8 UNION SELECT 'g', 7 ORDER BY score DESC LIMIT 1",
     True),
]  # fmt: skip


@pytest.mark.parametrize(("sql", "is_cut"), TIES)
def test_a_limit_that_cuts_among_ties_is_found_by_one_row_more(database, sql, is_cut):
    probe = tie_probe(sql)
    assert probe.is_cut(database.execute(probe.sql).fetchall()) is is_cut


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT name FROM t ORDER BY score",
        "SELECT DISTINCT name FROM t ORDER BY score LIMIT 2",
        "SELECT * FROM t ORDER BY 2 LIMIT 2",
        "SELECT name FROM t LIMIT 0",
        "no SQL",
    ],
)
def test_where_nothing_can_be_shown_there_is_no_probe(sql):
    assert tie_probe(sql) is None
