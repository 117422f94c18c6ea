"""Ties are read from values: what a LIMIT may choose, and in which orders rows may stand."""

from __future__ import annotations

import pytest

from tests.transforms.executions import column, result
from transforms.judgement import Execution
from transforms.read_only import parse_query
from transforms.results import compare
from transforms.ties import Ranking, like_produced, ranking_of


@pytest.mark.parametrize(
    ("sql", "ranked"),
    [
        (
            "SELECT name FROM t ORDER BY x DESC LIMIT 1",
            (
                "SELECT * FROM (SELECT name, RANK() OVER (ORDER BY x DESC) AS `__rank` FROM t) AS "
                "`__ranked_all` WHERE `__rank` <= 1"
            ),
        ),
        (
            "SELECT a, COUNT(*) AS n FROM t GROUP BY a ORDER BY n DESC, 1 LIMIT 3 OFFSET 2",
            (
                "SELECT * FROM (SELECT a, COUNT(*) AS n, RANK() OVER (ORDER BY COUNT(*) DESC, a) "
                "AS `__rank` FROM t GROUP BY a) AS `__ranked_all` WHERE `__rank` <= 5"
            ),
        ),
        (
            "SELECT DISTINCT a AS z FROM t ORDER BY a LIMIT 2",
            (
                "SELECT * FROM (SELECT *, RANK() OVER (ORDER BY `z`) AS `__rank` FROM (SELECT "
                "DISTINCT a AS z FROM t) AS `__ranked`) AS `__ranked_all` WHERE `__rank` <= 2"
            ),
        ),
        (
            "WITH q AS (SELECT 1 AS a) SELECT a FROM q UNION SELECT b FROM u ORDER BY a LIMIT 1",
            (
                "WITH q AS (SELECT 1 AS a) SELECT * FROM (SELECT *, RANK() OVER (ORDER BY `a`) AS "
                "`__rank` FROM (SELECT a FROM q UNION SELECT b FROM u) AS `__ranked`) AS "
                "`__ranked_all` WHERE `__rank` <= 1"
            ),
        ),
        (
            "SELECT a FROM t LIMIT 5",
            "SELECT * FROM (SELECT a, 1 AS `__rank` FROM t) AS `__ranked_all` WHERE `__rank` <= 5",
        ),
        (
            "SELECT a FROM t ORDER BY a NULLS LAST",
            "SELECT a, RANK() OVER (ORDER BY a NULLS LAST) AS `__rank` FROM t",
        ),
    ],
)
def test_the_ranking_of_a_query_is_a_query_for_all_rows_with_their_rank(sql, ranked):
    ranking = ranking_of(parse_query(sql))
    assert ranking is not None
    assert ranking.sql == ranked


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT a FROM t",
        "SELECT a FROM t LIMIT ALL",
        "SELECT a FROM t ORDER BY a LIMIT 1 + 1",
        "SELECT * FROM t ORDER BY 1 LIMIT 1",
        "SELECT a FROM t ORDER BY 2 LIMIT 1",
        "SELECT DISTINCT a, a FROM t ORDER BY a LIMIT 1",
        "SELECT DISTINCT a + 1 FROM t ORDER BY a + 1 LIMIT 1",
        "(SELECT a FROM t) ORDER BY a LIMIT 1",
    ],
)
def test_what_leaves_nothing_open_or_cannot_be_ranked_has_no_ranking(sql):
    assert ranking_of(parse_query(sql)) is None


# name: (ranked rows with their rank, skip, count, produced rows, right where order counts, right)
RANKED = [("a", 1), ("b", 2), ("c", 2), ("d", 2), ("e", 5)]
CUTS = {
    "the first": (RANKED, 0, 1, "a", True, True),
    "not the first": (RANKED, 0, 1, "b", False, False),
    "one that ties": (RANKED, 0, 2, "ad", True, True),
    "one that ties, before the first": (RANKED, 0, 2, "da", False, True),
    "one beyond the tie": (RANKED, 0, 2, "ae", False, False),
    "the first is missing": (RANKED, 0, 2, "bc", False, False),
    "a tie in another order": (RANKED, 0, 5, "adcbe", True, True),
    "one twice": (RANKED, 0, 3, "abb", False, False),
    "one too few": (RANKED, 0, 3, "ab", False, False),
    "cut at both ends of one tie": (RANKED, 2, 1, "c", True, True),
    "cut at both ends of two ties": (
        [("a", 1), ("b", 1), ("c", 1), ("d", 4), ("e", 4)], 1, 3, "bae", True, True,
    ),
    "cut at both ends, one side too long": (
        [("a", 1), ("b", 1), ("c", 1), ("d", 4), ("e", 4)], 1, 3, "ade", False, False,
    ),
    "beyond what is skipped": (RANKED, 1, 1, "a", False, False),
    "all, without a limit": (RANKED, 0, None, "acbde", True, True),
    "without order any will do": ([("a", 1), ("b", 1), ("c", 1)], 0, 2, "ca", True, True),
}  # fmt: skip


@pytest.mark.parametrize("is_ordered", [True, False])
@pytest.mark.parametrize(
    ("ranked", "skip", "count", "rows", "right_in_order", "right"), CUTS.values(), ids=CUTS
)
def test_rows_are_chosen_where_their_ranks_leave_that_open(
    ranked, skip, count, rows, right_in_order, right, is_ordered
):
    produced = column(*rows)
    twin = like_produced(result(ranked), Ranking("", skip, count), produced, is_ordered=is_ordered)
    assert (twin is not None) is (right_in_order if is_ordered else right)
    if twin is not None:
        assert compare(twin, produced, is_ordered=is_ordered).is_correct


@pytest.mark.parametrize(
    ("count", "skip", "rows", "is_right"),
    [(2, 0, "abcd", True), (2, 0, "abc", False), (1, 0, "a", True), (1, 0, "ab", False),
     (2, 1, "bcd", False)],
)  # fmt: skip
def test_rows_that_tie_with_the_last_one_may_all_be_there(count, skip, rows, is_right):
    ranked = result([(name, rank) for name, rank in RANKED if rank <= count + skip])
    ranking = Ranking("", skip, count)
    twin = like_produced(ranked, ranking, column(*rows), is_ordered=True, may_keep_ties=True)
    assert (twin is not None) is is_right
    if len(rows) > count:
        assert like_produced(ranked, ranking, column(*rows), is_ordered=True) is None


def test_columns_may_stand_in_another_order_and_further_ones_beside_them():
    ranked = result([(1, "x", 1), (2, "y", 1), (3, "x", 1)], "id name rank")
    produced = result([("x", 7, 3.0)], "n more key")
    twin = like_produced(ranked, Ranking("", 0, 1), produced, is_ordered=True)
    assert twin is not None
    assert (twin.columns, twin.rows) == (("id", "name"), ((3, "x"),))


def test_values_of_several_rows_are_not_one_of_them():
    ranked = result([(1, "x", 1), (2, "y", 1)])
    assert like_produced(ranked, Ranking("", 0, 1), result([(1, "y")]), is_ordered=False) is None


def test_without_the_ranked_rows_nothing_is_known():
    failed = Execution("too_large", error="more than 10 rows")
    assert like_produced(failed, Ranking("", 0, 1), column("a"), is_ordered=False) is None
