"""Rules 1 and 2: an evaluation counts only with its rows, and every verdict has its consequence."""

from __future__ import annotations

from collections.abc import Mapping

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

ACTIONS: Mapping[str, str] = {
    "ground_truth_correct": "cluster",
    "genie_correct": "correct",
    "neither_correct": "review",
    "both_correct": "none",
    "skipped": "none",
}
"""What follows from each arbiter verdict: the closed set, so that none is merely counted."""


def missing_evidence(
    evaluations: DataFrame, eval_results: DataFrame, failures: DataFrame, verdicts: DataFrame
) -> DataFrame:
    """The evaluations whose rows are not what they count (rule 1): ``evaluation_id``, ``problem``.

    An evaluation needs one finished ``eval_results`` row per question it counts, as many
    ``failures`` as it counts, and a row in ``arbiter_verdicts`` for each verdict it counts that
    the arbiter did not skip. Empty when all is well, else one row per evaluation that is not.
    """
    was_ruled = F.col("verdict") != "skipped"
    results = eval_results.groupBy("evaluation_id").agg(
        F.count_distinct("question_id").alias("result_rows"),
        F.count_if(F.col("outcome").isNull()).alias("unfinished_rows"),
    )
    explained = failures.groupBy("evaluation_id").agg(F.count("*").alias("failure_rows"))
    ruled = verdicts.groupBy("evaluation_id").agg(F.count_if(was_ruled).alias("verdict_rows"))
    ruled_counts = F.map_values(F.map_filter("arbiter_counts", lambda value, _: value != "skipped"))
    arbitrated = F.aggregate(ruled_counts, F.lit(0), lambda total, count: total + count)
    counted = (
        evaluations.select(
            "evaluation_id", "question_count", "failure_count", arbitrated.alias("verdict_count")
        )
        .join(results, "evaluation_id", "left")
        .join(explained, "evaluation_id", "left")
        .join(ruled, "evaluation_id", "left")
        .fillna(0)
    )
    return counted.select(
        "evaluation_id",
        F.when(F.col("result_rows") == 0, F.lit("it has no rows in eval_results"))
        .when(
            F.col("result_rows") != F.col("question_count"),
            _mismatch("question_count", "questions", "result_rows", "eval_results"),
        )
        .when(
            F.col("unfinished_rows") > 0,
            F.format_string("%d rows of eval_results have no outcome", "unfinished_rows"),
        )
        .when(
            F.col("failure_rows") != F.col("failure_count"),
            _mismatch("failure_count", "failures", "failure_rows", "failures"),
        )
        .when(
            F.col("verdict_rows") != F.col("verdict_count"),
            _mismatch("verdict_count", "arbiter verdicts", "verdict_rows", "arbiter_verdicts"),
        )
        .alias("problem"),
    ).where("problem IS NOT NULL")


def _mismatch(counted: str, things: str, found: str, table: str) -> Column:
    return F.format_string(f"it counts %d {things}, but {table} has %d", counted, found)


def confirmed_train_failures(failures: DataFrame) -> DataFrame:
    """The failures that may be clustered: of the train split, and confirmed (rules 2 and 9).

    Suspect benchmarks, answers that nobody arbitrated and faults of the platform stay out.
    """
    is_train = F.col("split") == "train"
    is_confirmed = F.col("confirmation") == "confirmed"
    return failures.where(is_train & is_confirmed)
