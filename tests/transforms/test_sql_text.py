"""Queries that differ in writing only have one canonical text; others keep theirs."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from transforms.sql_text import canonical_sql, qualified_name, quote_identifier

SAME = {
    "layout and case": ("select A from T where B>1", "SELECT a\nFROM t  WHERE b > 1"),
    "comments and a semicolon": ("SELECT a /* x */ FROM t; -- y", "SELECT a FROM t"),
    "needless quotes": ("SELECT `a` FROM `t`", "SELECT a FROM t"),
    "quotes of strings": ('SELECT a FROM t WHERE b = "x"', "SELECT a FROM t WHERE b = 'x'"),
    "escapes in strings": ("SELECT 'it''s'", r"SELECT 'it\'s'"),
    "raw strings": (r"SELECT r'a\b'", r"SELECT 'a\\b'"),
    "names of table aliases": (
        "SELECT x.a FROM t AS x JOIN u y ON x.id = y.id",
        "SELECT T1.a FROM t T1 JOIN u T2 ON T1.id = T2.id",
    ),
    "no alias": (
        "SELECT t.a FROM t JOIN s.u ON t.id = u.id",
        "SELECT x.a FROM t x JOIN s.u y ON x.id = y.id",
    ),
    "qualifiers of the only table": (
        "SELECT t.a FROM t WHERE t.b = 1",
        "SELECT a FROM t WHERE b = 1",
    ),
    "a qualified star": ("SELECT t.* FROM t", "SELECT * FROM t"),
    "schema as qualifier": ("SELECT s.t.a FROM s.t", "SELECT a FROM s.t"),
    "names of common table expressions": (
        "WITH x AS (SELECT a FROM t) SELECT x.a FROM x",
        "WITH yy AS (SELECT a FROM t) SELECT a FROM yy",
    ),
    "aliases in correlated subqueries": (
        "SELECT a FROM t x WHERE EXISTS (SELECT 1 FROM u y WHERE y.id = x.id)",
        "SELECT a FROM t WHERE EXISTS (SELECT 1 FROM u WHERE u.id = t.id)",
    ),
    "names of result columns": ("SELECT COUNT(*) AS n FROM t", "SELECT COUNT(*) FROM t"),
    "order by the name of a result column": (
        "SELECT a, COUNT(*) AS n FROM t GROUP BY a ORDER BY n DESC",
        "SELECT a, COUNT(*) FROM t GROUP BY a ORDER BY COUNT(*) DESC",
    ),
    "default words": (
        "SELECT t.a FROM t INNER JOIN u USING (b) LEFT OUTER JOIN v USING (c) ORDER BY t.a ASC",
        "SELECT t.a FROM t JOIN u USING (b) LEFT JOIN v USING (c) ORDER BY t.a",
    ),
    "operators with two spellings": (
        "SELECT a FROM t WHERE b != 1 AND c == 2",
        "SELECT a FROM t WHERE b <> 1 AND c = 2",
    ),
    "needless brackets": (
        "SELECT a FROM t WHERE ((b = 1) AND (c = 2)) AND d IN (3)",
        "SELECT a FROM t WHERE b = 1 AND c = 2 AND d IN (3)",
    ),
    "casts": (
        "SELECT a::INT, DATE '2024-01-31' FROM t",
        "SELECT CAST(a AS INT), CAST('2024-01-31' AS DATE) FROM t",
    ),
    "hints": ("SELECT /*+ BROADCAST(t) */ a FROM t", "SELECT a FROM t"),
}  # fmt: skip
DIFFERENT = {
    "case of strings": ("SELECT a FROM t WHERE b = 'X'", "SELECT a FROM t WHERE b = 'x'"),
    "order of columns": ("SELECT a, b FROM t", "SELECT b, a FROM t"),
    "needed brackets": (
        "SELECT a FROM t WHERE (b = 1 OR c = 2) AND d = 3",
        "SELECT a FROM t WHERE b = 1 OR c = 2 AND d = 3",
    ),
    "brackets in arithmetic": ("SELECT (a - b) - c FROM t", "SELECT a - (b - c) FROM t"),
    "kind of join": (
        "SELECT t.a FROM t LEFT JOIN u ON t.b = u.b",
        "SELECT t.a FROM t JOIN u ON t.b = u.b",
    ),
    "which table a column is of": (
        "SELECT x.a FROM t x JOIN u y ON x.id = y.id",
        "SELECT y.a FROM t x JOIN u y ON x.id = y.id",
    ),
    "swapped aliases before a struct": (
        "SELECT x.a.b FROM t x JOIN u y ON x.id = y.id",
        "SELECT x.a.b FROM t y JOIN u x ON x.id = y.id",
    ),
    "a count of all columns and a count of rows": (
        "SELECT COUNT(t.*) FROM t",
        "SELECT COUNT(*) FROM t",
    ),
    "a qualifier that an alias hides": (
        "SELECT t.a AS b, t.b AS c FROM t ORDER BY t.b",
        "SELECT t.a AS b, t.b AS c FROM t ORDER BY b",
    ),
    "functions that the parser would write alike": (
        "SELECT PERCENTILE_CONT(0.5) WITHIN GROUP (ORDER BY a) FROM t",
        "SELECT PERCENTILE_APPROX(a, 0.5) FROM t",
    ),
    "direction": ("SELECT a FROM t ORDER BY a", "SELECT a FROM t ORDER BY a DESC"),
    "tables": ("SELECT a FROM s.t", "SELECT a FROM r.t"),
}  # fmt: skip
EVERYTHING = [sql for pair in (*SAME.values(), *DIFFERENT.values()) for sql in pair] + [
    "WITH RECURSIVE c AS (SELECT 1 AS a UNION ALL SELECT a + 1 FROM c) SELECT a FROM c",
    "SELECT * FROM t PIVOT (SUM(a) FOR b IN ('x', 'y'))",
    "SELECT a FROM t QUALIFY ROW_NUMBER() OVER (PARTITION BY b ORDER BY c) = 1",
    "SELECT a FROM (SELECT b AS a FROM t) x, LATERAL (SELECT 1) y",
    "SELECT `order`, `a b` FROM `select`",
    "DROP TABLE t",
    "not SQL at all",
]


@pytest.mark.parametrize(("one", "other"), SAME.values(), ids=SAME)
def test_writing_does_not_count(one, other):
    assert canonical_sql(one) == canonical_sql(other)


@pytest.mark.parametrize(("one", "other"), DIFFERENT.values(), ids=DIFFERENT)
def test_what_may_change_the_rows_counts(one, other):
    assert canonical_sql(one) != canonical_sql(other)


@pytest.mark.parametrize("sql", EVERYTHING)
def test_the_canonical_text_is_its_own_canonical_text(sql):
    assert canonical_sql(canonical_sql(sql)) == canonical_sql(sql)


@pytest.mark.parametrize("sql", ["DROP TABLE t", "SELECT 'open", "", "SELECT 1; SELECT 2"])
def test_what_is_not_one_query_is_given_back_as_it_is(sql):
    assert canonical_sql(sql) == sql


def test_thousands_of_operators_do_not_raise():
    differences = " - ".join(["a"] * 5000)
    assert canonical_sql(f"select {differences} from t") == f"SELECT {differences} FROM t AS t1"


PIECES = st.sampled_from(
    "SELECT a b t.a * , FROM t u x AS WHERE = 1 'y' AND OR ( ) JOIN ON GROUP BY ORDER COUNT(*) "
    "DISTINCT UNION LIMIT WITH IN CASE WHEN THEN END OVER".split()
)


@given(st.lists(PIECES, max_size=20).map(lambda pieces: " ".join(["SELECT", *pieces])))
@settings(deadline=None)
def test_canonical_sql_is_idempotent_for_any_text(sql):
    assert canonical_sql(canonical_sql(sql)) == canonical_sql(sql)


@pytest.mark.parametrize(
    ("name", "quoted"), [("a", "`a`"), ("a b", "`a b`"), ("a`b", "`a``b`"), ("`; --", "```; --`")]
)
def test_any_name_is_quoted_so_that_it_stays_a_name(name, quoted):
    assert quote_identifier(name) == quoted


def test_an_empty_name_is_not_quoted():
    with pytest.raises(ValueError, match="empty"):
        quote_identifier("")


def test_a_qualified_name_is_quoted_part_by_part():
    assert qualified_name("main", "s.x", "t") == "`main`.`s.x`.`t`"
