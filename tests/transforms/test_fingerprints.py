"""Fingerprints find a copy under any disguise of writing, and show nothing of the original."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from transforms.fingerprints import (
    masked_subtree_hashes,
    shingle_hashes,
    similarity,
    tokens,
    tree_similarity,
)

QUERY = (
    "SELECT c.region, SUM(o.amount) AS total FROM orders AS o JOIN customers AS c "
    "ON o.customer_id = c.id WHERE o.status = 'paid' AND o.year > 2023 "
    "GROUP BY c.region ORDER BY total DESC LIMIT 5"
)
DISGUISES = {
    "layout and case": QUERY.lower().replace(" where ", "\n  WHERE\n"),
    "comments and a semicolon": QUERY.replace("FROM", "/* copied */ FROM") + "; -- end",
    "other literals": QUERY.replace("'paid'", "'open'").replace("2023", "-1").replace("5", "99"),
    "other names": (
        "SELECT x.kind, SUM(y.weight) AS total FROM parcels AS y JOIN depots AS x "
        "ON y.depot = x.code WHERE y.state = 'sent' AND y.age > 7 "
        "GROUP BY x.kind ORDER BY total DESC LIMIT 5"
    ),
    "other aliases": QUERY.replace("o.", "t1.").replace("AS o", "t1").replace("total", "s"),
    "conjuncts in another order": QUERY.replace(
        "o.status = 'paid' AND o.year > 2023", "o.year > 2023 AND o.status = 'paid'"
    ),
    "sides of comparisons swapped": QUERY.replace("o.status = 'paid'", "'paid' = o.status").replace(
        "o.year > 2023", "2023 < o.year"
    ),
    "brackets": QUERY.replace("o.status = 'paid'", "((o.status) = ('paid'))"),
    "casts": QUERY.replace("o.amount", "CAST(o.amount AS DECIMAL(10, 2))").replace(
        "o.year", "o.year::INT"
    ),
    "a query in brackets": f"({QUERY})",
    "words that are the default": QUERY.replace("JOIN", "INNER JOIN"),
    "another order of columns": QUERY.replace(
        "c.region, SUM(o.amount) AS total FROM", "SUM(o.amount) AS total, c.region FROM"
    ),
}  # fmt: skip
EDITS = {
    "one column more": QUERY.replace("SELECT", "SELECT c.name,"),
    "one condition more": QUERY.replace("GROUP BY", "AND o.kind = 'x' GROUP BY"),
    "no limit": QUERY.replace("LIMIT 5", ""),
}
OTHERS = {
    "a count of one table": "SELECT COUNT(*) FROM orders WHERE status = 'paid'",
    "a subquery": "SELECT a FROM t WHERE b IN (SELECT b FROM u GROUP BY b HAVING COUNT(*) > 2)",
    "a window": "SELECT a, RANK() OVER (PARTITION BY b ORDER BY c DESC) FROM t",
}


@pytest.mark.parametrize("disguise", DISGUISES.values(), ids=DISGUISES)
def test_a_disguised_query_is_the_same_query(disguise):
    assert tree_similarity(QUERY, disguise) == 1.0


@pytest.mark.parametrize("edited", EDITS.values(), ids=EDITS)
def test_a_query_with_one_member_more_or_less_is_still_alike(edited):
    assert 0.9 <= tree_similarity(QUERY, edited) < 1.0


@pytest.mark.parametrize("other", OTHERS.values(), ids=OTHERS)
def test_another_query_is_not_alike(other):
    assert tree_similarity(QUERY, other) < 0.5


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("SELECT SUM(a) FROM t", "SELECT AVG(a) FROM t"),
        ("SELECT a FROM t ORDER BY b", "SELECT a FROM t ORDER BY b DESC"),
        ("SELECT a FROM t JOIN u ON t.b = u.b", "SELECT a FROM t LEFT JOIN u ON t.b = u.b"),
        ("SELECT a - b FROM t WHERE c - (d + e) > 1", "SELECT a - b FROM t WHERE (d + e) - c > 1"),
        ("SELECT COUNT(a) FROM t", "SELECT COUNT(DISTINCT a) FROM t"),
        ("SELECT a FROM t WHERE a > 1", "SELECT a FROM t WHERE a < 1"),
        ("SELECT YEAR(a) FROM t", "SELECT MONTH(a) FROM t"),
        ("SELECT date_trunc('month', a) FROM t", "SELECT date_trunc('year', a) FROM t"),
        ("SELECT f(a, b.c + 1) FROM t", "SELECT g(a, b.c + 1) FROM t"),
    ],
    ids=str,
)
def test_what_a_query_does_is_not_masked(one, other):
    assert tree_similarity(one, other) < 1.0


def test_fragments_are_compared_like_queries():
    assert tree_similarity("o.status = 'paid' AND o.n > 1", "5 < x AND (y = 'z')") == 1.0
    assert tree_similarity("SUM(a) / COUNT(b)", "SUM(c::DOUBLE) / COUNT(d)") == 1.0
    assert tree_similarity("SUM(a) / COUNT(b)", "MAX(a)") == 0.0


def test_a_fragment_of_a_query_shares_its_parts():
    parts = masked_subtree_hashes("SUM(price * quantity)")
    assert parts
    assert not parts - masked_subtree_hashes("SELECT SUM(a * b), c FROM t GROUP BY c")


def test_a_query_without_its_first_word_is_found_too():
    assert tree_similarity(QUERY, QUERY.removeprefix("SELECT ")) == 1.0


def test_text_that_is_no_sql_is_compared_as_text():
    assert masked_subtree_hashes("the total of all paid orders") == {}
    assert tree_similarity("the total of all (paid", "The total of ALL paid)") == 1.0
    assert tree_similarity("the total of all (paid", "nothing in common here (") == 0.0
    assert tree_similarity("a", "b") == 0.0


def test_thousands_of_operators_are_compared_as_text():
    deep = "SELECT " + " - ".join(["a"] * 5000)
    assert tree_similarity(deep, deep) == 1.0


def test_counted_sets_are_compared_by_what_they_share():
    assert similarity({"a": 2, "b": 1}, {"a": 1, "c": 2}) == pytest.approx(2 / 6)
    assert similarity({}, {}) == 0.0


def test_tokens_leave_out_case_width_and_punctuation():
    assert tokens("How many \uff2f\uff32\uff24\uff25\uff32\uff33, by full_name?") == (
        "how",
        "many",
        "orders",
        "by",
        "full_name",
    )


def test_texts_that_share_eight_tokens_in_a_row_share_a_hash():
    question = "Which five regions had the highest paid order totals after the year 2023?"
    copied = "Use: five regions HAD the highest, paid order totals - always."
    assert shingle_hashes(question) & shingle_hashes(copied)
    assert not shingle_hashes(question) & shingle_hashes("the highest paid order totals by region")


def test_a_short_text_is_found_by_its_own_length():
    short, longer = "How many orders?", "When asked: how many orders? answer 5"
    assert len(shingle_hashes(short)) == 1
    assert shingle_hashes(short) <= shingle_hashes(longer, n=3)
    assert shingle_hashes(short) == shingle_hashes("how MANY orders")
    assert shingle_hashes(" ?! ") == frozenset()


def test_a_run_has_at_least_one_token():
    with pytest.raises(ValueError, match="at least one"):
        shingle_hashes("a b", n=0)


def test_fingerprints_show_nothing_of_the_text():
    shown = " ".join([*shingle_hashes(QUERY), *masked_subtree_hashes(QUERY)])
    assert not any(token in shown for token in tokens(QUERY) if len(token) > 2)
    assert all(len(word) == 32 and int(word, 16) >= 0 for word in shown.split())


def test_fingerprints_are_the_same_in_every_process():
    assert shingle_hashes("a b c") == frozenset({"9c02a410b2ce049ea073ba945d90ba81"})
    assert dict(masked_subtree_hashes("a = 1")) == {"e39f1375119deec574941143bb6e6d24": 1}


PIECES = st.sampled_from("SELECT a t.b FROM t WHERE AND OR = > 1 'x' ( ) , COUNT(*) + NOT".split())


@given(st.lists(PIECES, min_size=1).map(" ".join), st.lists(PIECES).map(" ".join))
@settings(deadline=None)
def test_similarity_is_a_symmetric_share_and_one_for_the_same_text(one, other):
    share = tree_similarity(one, other)
    assert 0.0 <= share <= 1.0
    assert share == tree_similarity(other, one)
    assert tree_similarity(one, one) == (1.0 if tokens(one) else 0.0)


@given(st.text(), st.integers(1, 10))
@settings(deadline=None)
def test_every_text_with_tokens_has_shingles_and_holds_those_of_its_middle(text, n):
    assert bool(shingle_hashes(text, n)) == bool(tokens(text))
    if len(tokens(text)) >= n:
        assert shingle_hashes(text, n) <= shingle_hashes(f"before, {text} after", n)
