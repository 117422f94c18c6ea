"""Rule 9: what reproduces a benchmark is refused, however it is dressed up; fragments pass.

All attacks run in one DataFrame, a proposal each.
"""

from __future__ import annotations

import pytest
from pydantic import ValidationError
from pyspark.sql import DataFrame, SparkSession

from transforms.contracts import LEAK_REFUSALS
from transforms.firewall import REFUSAL_COLUMNS, leaks
from transforms.patches import (
    AddColumnSynonyms,
    AddExampleQuestion,
    AddInstruction,
    AddJoinSpec,
    AddSqlSnippet,
    Patch,
    SetColumnComment,
    parse_patch,
    patch_json,
)

TRAIN_SQL = (
    "SELECT c.name FROM customers c JOIN orders o ON c.id = o.customer_id "
    "WHERE o.status = 'shipped' AND o.amount > 100 ORDER BY o.amount DESC LIMIT 5"
)
TRAIN_TWIN_SQL = (
    "SELECT c.city, SUM(CASE WHEN o.status = 'shipped' THEN o.amount ELSE 0 END) "
    "FROM customers c JOIN orders o ON c.id = o.customer_id GROUP BY c.city"
)
OTHER_TRAIN_SQL = (
    "SELECT c.region, SUM(CASE WHEN o.status = 'shipped' THEN o.amount ELSE 0 END) AS total "
    "FROM customers c JOIN orders o ON c.id = o.customer_id WHERE c.region <> 'north' "
    "GROUP BY c.region HAVING COUNT(*) > 3"
)
HELD_OUT_SQL = (
    "SELECT p.title, AVG(r.stars) AS mean FROM products p LEFT JOIN reviews r "
    "ON r.product_id = p.id WHERE p.launched >= '2024-01-01' GROUP BY p.title "
    "HAVING AVG(r.stars) < 3"
)
SEALED_SQL = "SELECT COUNT(DISTINCT customer_id) FROM orders WHERE status = 'returned'"
SHORT_SQL = "SELECT COUNT(*) FROM reviews"

BENCHMARKS = [
    # question, SQL, split, group
    ("Which five customers placed the largest shipped orders above 100 dollars?", TRAIN_SQL,
     "train", "g1"),
    ("How much did customers spend on shipped orders in each city?", TRAIN_TWIN_SQL,
     "train", "g2"),
    ("What is the shipped amount per region, the north left out, where there are enough?",
     OTHER_TRAIN_SQL, "train", "g3"),
    ("Which products launched since 2024 have a mean rating of fewer than three stars?",
     HELD_OUT_SQL, "held_out", "g4"),
    ("How many different customers sent back at least one of their orders?", SEALED_SQL,
     "sealed", "g5"),
    ("How many reviews are there?", SHORT_SQL, "held_out", "g6"),
]  # fmt: skip


def comment(text: str) -> Patch:
    return SetColumnComment(table="shop.orders", column="status", comment=text)


def instruct(text: str) -> Patch:
    return AddInstruction(space_id="shop-a", topic="habits", text=text)


def example(question: str, sql: str) -> Patch:
    return AddExampleQuestion(space_id="shop-a", question=question, sql=sql)


# Every way to write a benchmark into metadata, and the split that it must be refused for.
ATTACKS: dict[str, tuple[Patch, str]] = {
    "an example that is a train benchmark": (example(BENCHMARKS[0][0], TRAIN_SQL), "train"),
    "an example that is a held-out benchmark": (
        example(BENCHMARKS[3][0], HELD_OUT_SQL),
        "held_out",
    ),
    "a comment that quotes a question": (
        comment(f"Order status. People ask: {BENCHMARKS[0][0]}"),
        "train",
    ),
    "a comment that quotes a sealed question in other case and punctuation": (
        comment(f"Status -- '{BENCHMARKS[4][0].upper().replace(' ', '  ').rstrip('?')}'..."),
        "sealed",
    ),
    "a comment with eight words of a question": (
        comment("The status of products launched since 2024 have a mean rating"),
        "held_out",
    ),
    "a question with a word swapped in the middle": (
        comment("Which products launched since 2024 got a mean rating of fewer than three stars?"),
        "held_out",
    ),
    "a question with a filler word put in": (
        comment("How many different customers have ever sent back at least one of their orders?"),
        "sealed",
    ),
    "a short question, whole": (
        comment("Use this when asked: how many reviews are there"),
        "held_out",
    ),
    "a paraphrased question with the same SQL": (
        example("Items out since 2024 that people dislike", HELD_OUT_SQL),
        "held_out",
    ),
    "SQL with other aliases": (
        example(
            "Disliked items",
            HELD_OUT_SQL.replace("p.", "item.")
            .replace("r.", "rating.")
            .replace("products p", "products item")
            .replace("reviews r", "reviews rating"),
        ),
        "held_out",
    ),
    "SQL with other literals": (
        example(
            "Disliked items",
            HELD_OUT_SQL.replace("'2024-01-01'", "'1999-12-31'").replace("< 3", "< 4"),
        ),
        "held_out",
    ),
    "SQL with other aliases, literals and layout": (
        example(
            "Who",
            "select   k.NAME\nfrom customers as k\n join orders as b on b.customer_id = k.id\n"
            "where b.amount > 7 and b.status = 'open'\norder by b.amount desc\nlimit 9",
        ),
        "train",
    ),
    "an instruction that holds a whole statement": (
        instruct(f"For unhappy buyers always run {HELD_OUT_SQL} and show the titles."),
        "held_out",
    ),
    "an instruction that holds a statement with other names and literals": (
        instruct(
            "For returns run select count(distinct o.buyer) from sales o where o.state = 'back' "
            "and nothing else."
        ),
        "sealed",
    ),
    "an instruction that holds a short statement": (
        instruct("When asked for reviews: SELECT COUNT(*) FROM reviews"),
        "held_out",
    ),
    "a statement cut in two, spread over question and SQL": (
        AddSqlSnippet(
            kind="filter",
            sql="o.status = 'shipped' AND o.amount > 100",
            display_name="best",
            instruction="SELECT c.name FROM customers c JOIN orders o ON c.id = o.customer_id "
            "WHERE",
        ),
        "train",
    ),
    "a question cut in two, spread over synonyms": (
        AddColumnSynonyms(
            table="shop.orders",
            column="status",
            synonyms=("how many different customers sent", "back at least one of their orders"),
        ),
        "sealed",
    ),
    "a fragment of one train group only": (
        AddSqlSnippet(
            kind="filter",
            sql="o.status = 'shipped' AND o.amount > 100",
            display_name="large shipped orders",
        ),
        "",  # six tokens: short enough for anybody to have written it
    ),
    "a long fragment of a held-out benchmark": (
        AddSqlSnippet(
            kind="expression",
            sql="CASE WHEN p.launched >= '2024-01-01' THEN p.title END",
            display_name="recent",
            instruction="FROM products p LEFT JOIN reviews r ON r.product_id = p.id",
        ),
        "held_out",
    ),
}

HARMLESS: dict[str, Patch] = {
    "a measure that two train groups share": AddSqlSnippet(
        kind="measure",
        sql="SUM(CASE WHEN o.status = 'shipped' THEN o.amount ELSE 0 END)",
        display_name="shipped amount",
    ),
    "a join that train groups share": AddJoinSpec(
        left="shop.customers",
        right="shop.orders",
        sql="c.id = o.customer_id",
        relationship="ONE_TO_MANY",
        instruction="JOIN orders o ON c.id = o.customer_id",
    ),
    "a list of values": comment("Values: 'open', 'returned', 'shipped'."),
    "a synonym": AddColumnSynonyms(table="shop.orders", column="status", synonyms=("state",)),
    "a general instruction": instruct("Count customers with DISTINCT: orders repeat them."),
    "a statement of its own": example(
        "How many orders came in per month?",
        "SELECT date_trunc('month', placed_at), COUNT(*) FROM orders GROUP BY 1",
    ),
}


@pytest.fixture(scope="module")
def refused(spark: SparkSession) -> dict[str, set[str]]:
    """Splits that each proposal was refused for, by what it tries."""
    found = refusals(spark, {name: patch for name, (patch, _) in ATTACKS.items()} | HARMLESS)
    splits: dict[str, set[str]] = {}
    for row in found.collect():
        splits.setdefault(row["proposal_id"], set()).add(row["split"])
    return splits


def refusals(spark: SparkSession, patches: dict[str, Patch], *, has_statements=True) -> DataFrame:
    proposals = spark.createDataFrame(
        [("shop-a", name, patch_json(patch), "shop") for name, patch in patches.items()],
        "space_id STRING, proposal_id STRING, patch STRING, data_schema STRING",
    )
    # Two spaces over the same data hold the same benchmarks: a group is still one group.
    benchmarks = spark.createDataFrame(
        [
            (space, "shop", group, split, question, sql)
            for space in ("shop-a", "shop-b")
            for question, sql, split, group in BENCHMARKS
        ],
        "space_id STRING, data_schema STRING, group_id STRING, split STRING, question STRING, "
        "expected_sql STRING",
    )
    return leaks(proposals, benchmarks, has_statements=has_statements)


@pytest.mark.parametrize("name", [name for name, (_, split) in ATTACKS.items() if split])
def test_what_reproduces_a_benchmark_is_refused(refused, name):
    assert ATTACKS[name][1] in refused.get(name, set())


@pytest.mark.parametrize(
    "name", [*HARMLESS, *(name for name, (_, split) in ATTACKS.items() if not split)]
)
def test_what_is_nobodys_benchmark_passes(refused, name):
    assert name not in refused


def test_a_refusal_shows_fingerprints_and_nothing_of_the_benchmark(spark):
    patches = {name: patch for name, (patch, _) in ATTACKS.items()}
    found = refusals(spark, patches)
    assert tuple(found.columns) == REFUSAL_COLUMNS
    rows = [row.asDict() for row in found.collect()]
    keys = [tuple(row[key] for key in LEAK_REFUSALS.key) for row in rows]
    assert len(keys) == len(set(keys)), "one row per proposal and fingerprint"
    for row in rows:
        assert set(row["fingerprint"]) <= set("0123456789abcdef")
        assert row["overlap_kind"] in {"question_text", "sql_text", "sql_tree"}
        assert 0 < row["overlap"] <= 1
        texts = [text for question, sql, _, _ in BENCHMARKS for text in (question, sql)]
        assert not any(value in text for value in row.values() if isinstance(value, str)
                       for text in texts)  # fmt: skip


@pytest.mark.parametrize(
    "statement",
    [
        f"({SEALED_SQL})",
        SEALED_SQL,
        f"1 + ({SHORT_SQL})",
        f"CASE WHEN EXISTS ({SEALED_SQL}) THEN 1 END",
    ],
)
def test_a_snippet_cannot_even_be_written_when_it_holds_a_whole_benchmark(statement):
    with pytest.raises(ValidationError):
        AddSqlSnippet(kind="expression", sql=statement, display_name="returns")
    with pytest.raises(ValidationError):
        parse_patch(
            '{"patch_type": "add_sql_snippet", "kind": "measure", "display_name": "x", '
            f'"sql": "{statement}"}}'
        )


def test_benchmarks_of_other_data_do_not_matter(spark):
    proposals = spark.createDataFrame(
        [("bank-a", "p", patch_json(ATTACKS["a comment that quotes a question"][0]), "bank")],
        "space_id STRING, proposal_id STRING, patch STRING, data_schema STRING",
    )
    benchmarks = spark.createDataFrame(
        [("shop-a", "shop", "g1", "train", BENCHMARKS[0][0], TRAIN_SQL)],
        "space_id STRING, data_schema STRING, group_id STRING, split STRING, question STRING, "
        "expected_sql STRING",
    )
    assert leaks(proposals, benchmarks, has_statements=False).isEmpty()
