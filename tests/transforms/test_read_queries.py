"""What is kept of queries is what reading them anew gives."""

from __future__ import annotations

from tests.transforms.shop import STATE
from transforms.judgement import Execution, ProfiledValues, Question
from transforms.judges import judge
from transforms.query_shape import query_shape
from transforms.read_queries import ReadQueries
from transforms.sql_text import parse_query

QUERIES = (
    "SELECT name FROM shop WHERE country = 'Peru'",
    "SELECT s.name, COUNT(*) AS n FROM shop s GROUP BY s.name ORDER BY n DESC LIMIT 1",
    "SELECT * FROM (SELECT name FROM shop) AS x UNION SELECT name FROM shop",
    "SELECT nowhere.x FROM nowhere",
)


def test_a_text_is_read_once_and_as_it_always_is():
    queries = ReadQueries(STATE, size=len(QUERIES))
    for sql in QUERIES * 2:
        assert queries.read(sql).shape == query_shape(parse_query(sql), STATE)
        assert queries.read(sql) is queries.read(sql)


def test_text_that_is_no_query_has_no_tree():
    queries = ReadQueries(STATE)
    for sql in (None, "", "SELECT FROM WHERE", "DROP TABLE shop"):
        read = queries.read(sql)
        assert (read.tree, read.shape, read.canonical) == (None, None, None)


def test_judging_with_queries_that_are_kept_says_the_same_in_any_order():
    result = Execution("ok", ("name",), ("string",), (("a",), ("b",)))
    other = Execution("ok", ("name",), ("string",), (("a",),))
    values = ProfiledValues({})
    pairs = [(ours, theirs) for ours in QUERIES for theirs in QUERIES]

    def judged(ours, theirs, queries):
        asked = Question("q", "Which shops are in Peru?", ours, theirs)
        return judge(asked, result, other, state=STATE, values=values, queries=queries)

    fresh = {pair: judged(*pair, None) for pair in pairs}
    kept = ReadQueries(STATE, size=len(QUERIES))
    for pair in (*pairs, *reversed(pairs)):
        assert judged(*pair, kept) == fresh[pair]
