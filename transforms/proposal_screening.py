"""Which drafts become proposals: none whose change is on its way or done, none twice."""

from __future__ import annotations

from pyspark.sql import DataFrame, Window
from pyspark.sql import functions as F

from transforms.proposal_rows import PROPOSAL_COLUMNS

# A change in one of these states is on its way or done: drafting it again would change nothing.
_PENDING_OR_DONE = ("open", "waiting", "batched", "applied", "accepted")


def new_changes(drafts: DataFrame, states: DataFrame) -> DataFrame:
    """The drafts whose change is neither on its way nor done, each change once.

    ``drafts`` have the columns of ``DRAFT_SCHEMA``, and so has the result; ``states`` is the view
    proposal_states. What was declined, rejected or refused may come back, but then on other
    evidence: on the same it would be the same proposal, which the table holds already. Of two
    drafts of one change in one space, the one of higher impact is taken.
    """
    same_change = Window.partitionBy("space_id", "patch").orderBy(
        F.desc("impact"), F.desc("confidence"), "proposal_id"
    )
    once = (
        drafts.withColumn("position", F.row_number().over(same_change))
        .where("position = 1")
        .drop("position")
    )
    pending = states.where(F.col("state").isin(*_PENDING_OR_DONE)).select("space_id", "patch")
    return once.join(pending, ["space_id", "patch"], "left_anti")


def with_questions_at_risk(drafts: DataFrame, eval_results: DataFrame) -> DataFrame:
    """Drafts in ``PROPOSAL_COLUMNS``, with the train questions that are right and would see it.

    ``eval_results`` are those of the evaluations that the drafts rest on. A question sees a change
    when its expected SQL mentions every name in ``touched_names``, and always when there is none. A
    change of a benchmark, lever 0, changes nothing that the space answers from.
    """
    is_right = (F.col("split") == "train") & (F.col("attempt") == 1) & F.col("is_correct")
    words = F.array_distinct(F.regexp_extract_all(F.lower("expected_sql"), F.lit(r"(\w+)"), 1))
    right = eval_results.where(is_right).select(
        "evaluation_id", "question_id", words.alias("words")
    )
    touching = drafts.select("proposal_id", "evaluation_id", "touched_names")
    all_of_evaluation = right.groupBy("evaluation_id").agg(
        F.count_distinct("question_id").alias("right_count")
    )
    # Joined by the last name, which for a column is the column, and then checked for the others.
    by_word = right.select(
        "evaluation_id", "question_id", "words", F.explode("words").alias("word")
    )
    seen = (
        touching.where(F.size("touched_names") > 0)
        .withColumn("word", F.element_at("touched_names", -1))
        .join(by_word, ["evaluation_id", "word"], "inner")
        .where(F.size(F.array_except("touched_names", "words")) == 0)
        .groupBy("proposal_id")
        .agg(F.count_distinct("question_id").alias("seen_count"))
    )
    at_risk = (
        F.when(F.col("lever") == 0, 0)
        .when(F.size("touched_names") == 0, F.col("right_count"))
        .otherwise(F.col("seen_count"))
    )
    return (
        drafts.join(all_of_evaluation, "evaluation_id", "left")
        .join(seen, "proposal_id", "left")
        .withColumn("questions_at_risk", F.coalesce(at_risk, F.lit(0)).cast("int"))
        .select(*PROPOSAL_COLUMNS)
    )
