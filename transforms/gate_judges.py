"""Whether a judge says no more often after a batch than before it: a veto of the gate."""

from __future__ import annotations

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

MAX_FALL_SHARE = 0.05  # of the answers judged before and after
MAX_FALL_COUNT = 2  # questions
_VALUES = ("yes", "no")


def fallen_judges(
    pairs: DataFrame, judged_verdicts: DataFrame, splits: tuple[str, ...]
) -> DataFrame:
    """Per batch the judges that fell by more than both bounds, over answers judged both times.

    ``pairs`` has ``batch_id``, ``baseline_evaluation_id`` and ``evaluation_ids``;
    ``judged_verdicts`` is what ``one_set.judged_verdicts`` gives of all evaluations named there. A
    verdict is compared with one on the same benchmark by the same judges only. Of several
    evaluations after the batch the newest verdict counts that is one. Columns: ``batch_id``,
    ``fallen`` (ARRAY<STRING>, one sentence each, in order of the judges). A batch after which none
    fell has no row.
    """
    verdicts = judged_verdicts.where(
        F.col("split").isin(*splits)
        & F.col("value").isin(*_VALUES)  # not what was skipped, and not the arbiter's
    ).withColumn("says_yes", F.col("value") == "yes")
    before = pairs.select("batch_id", F.col("baseline_evaluation_id").alias("evaluation_id")).join(
        verdicts, "evaluation_id", "inner"
    )
    after = (
        pairs.select("batch_id", F.posexplode("evaluation_ids").alias("position", "evaluation_id"))
        .join(verdicts.where("is_own"), "evaluation_id", "inner")
        .groupBy("batch_id", "question_id", "judge")
        .agg(F.max_by(F.struct("benchmark", "says_yes"), "position").alias("newest"))
        .select(
            "batch_id",
            "question_id",
            "judge",
            "newest.benchmark",
            F.col("newest.says_yes").alias("says_yes_after"),
        )
    )
    counted = (
        before.join(after, ["batch_id", "question_id", "benchmark", "judge"], "inner")
        .groupBy("batch_id", "judge")
        .agg(
            F.count("*").alias("both"),
            F.count_if("says_yes").alias("yes_before"),
            F.count_if("says_yes_after").alias("yes_after"),
        )
        .withColumn("fall", F.col("yes_before") - F.col("yes_after"))
    )
    fell = counted.where(
        (F.col("fall") > MAX_FALL_COUNT) & (F.col("fall") > MAX_FALL_SHARE * F.col("both"))
    )
    said = F.format_string(
        "%s fell from %d to %d of %d", F.col("judge"), "yes_before", "yes_after", "both"
    )
    return fell.groupBy("batch_id").agg(F.sort_array(F.collect_list(said)).alias("fallen"))
