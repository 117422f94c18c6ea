"""Ids made by Spark and by Python are the same ids."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st
from pyspark.sql import functions as F

from transforms.batching import patches_hash, patches_hash_column
from transforms.identity import make_id
from transforms.spark_ids import id_column

texts = st.text(st.characters(blacklist_categories=("Cs", "Cc")), max_size=12) | st.sampled_from(
    ['"', "\\", "a\tb", "line\nfeed", "ü", "日本", "'", "/", "\r"]
)


@settings(max_examples=3, deadline=None)
@given(st.lists(st.tuples(texts, texts | st.none()), min_size=40, max_size=40))
def test_an_id_column_gives_what_make_id_gives(spark, pairs):
    frame = spark.createDataFrame(pairs, "a STRING, b STRING")
    made = frame.select("a", "b", id_column("thing", F.col("a"), F.col("b")).alias("id")).collect()
    assert [row["id"] for row in made] == [make_id("thing", row["a"], row["b"]) for row in made]


@settings(max_examples=2, deadline=None)
@given(st.lists(st.lists(texts, min_size=1, max_size=5), min_size=30, max_size=30))
def test_a_batch_has_the_same_content_hash_in_spark_and_in_python(spark, batches):
    frame = spark.createDataFrame([(patches,) for patches in batches], "patches ARRAY<STRING>")
    made = frame.select("patches", patches_hash_column(F.col("patches")).alias("hash")).collect()
    assert [row["hash"] for row in made] == [patches_hash(row["patches"]) for row in made]


def test_the_content_hash_covers_the_order_and_where_one_patch_ends():
    assert patches_hash(["a", "b"]) != patches_hash(["b", "a"])
    assert patches_hash(["ab", "c"]) != patches_hash(["a", "bc"])
    assert patches_hash(["a\nb"]) != patches_hash(["a", "b"])
