"""Whether a space gives the same answers when it is asked the same again."""

from __future__ import annotations

from pyspark.sql import DataFrame, Window
from pyspark.sql import functions as F

MIN_SAME_ANSWERS = 30
"""Questions that have to be answered alike twice, and none otherwise: then, with 95 % confidence,
less than one question in ten is answered otherwise at another time (the rule of three)."""
_ANSWERS = ("answered", "no_sql")


def asked_twice(evaluations: DataFrame) -> DataFrame:
    """Per space the newest two evaluations in which one answerer was asked about one state.

    Columns: ``space_id``, ``twice_ids`` (the older one first). A space that was never asked twice
    has no row.
    """
    by_state = Window.partitionBy("space_id", "answerer", "state_hash").orderBy(
        "started_at", "evaluation_id"
    )
    both = evaluations.select(
        "space_id",
        "started_at",
        F.array(F.lag("evaluation_id").over(by_state), "evaluation_id").alias("twice_ids"),
    )
    return (
        both.where(F.col("twice_ids")[0].isNotNull())
        .groupBy("space_id")
        .agg(F.max_by("twice_ids", F.struct("started_at", "twice_ids")).alias("twice_ids"))
    )


def steady_spaces(twice: DataFrame, eval_results: DataFrame) -> DataFrame:
    """The spaces that answered everything alike the second time: ``space_id``.

    ``twice`` is what ``asked_twice`` gives, ``eval_results`` holds the rows of those evaluations.
    What the platform failed to answer is no answer; where the SQL is the same, the answer is.
    """
    answers = eval_results.where(
        (F.col("attempt") == 1) & F.col("answer_outcome").isin(*_ANSWERS)
    ).select("evaluation_id", "question_id", "genie_sql")
    older = answers.withColumnsRenamed({"evaluation_id": "older_id", "genie_sql": "older_sql"})
    newer = answers.withColumnRenamed("evaluation_id", "newer_id")
    is_same = F.col("older_sql").eqNullSafe(F.col("genie_sql"))
    return (
        twice.select(
            "space_id",
            F.col("twice_ids")[0].alias("older_id"),
            F.col("twice_ids")[1].alias("newer_id"),
        )
        .join(older, "older_id")
        .join(newer, ["newer_id", "question_id"])
        .groupBy("space_id")
        .agg(F.count("*").alias("both"), F.every(is_same).alias("is_same"))
        .where(F.col("is_same") & (F.col("both") >= MIN_SAME_ANSWERS))
        .select("space_id")
    )
