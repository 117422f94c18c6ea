"""How a loop ends: which spaces go on with another cycle, and which are measured a last time."""

from __future__ import annotations

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from transforms.contracts import EVALUATION_REQUESTS
from transforms.spark_ids import id_column

REQUEST_COLUMNS = tuple(name for name in EVALUATION_REQUESTS.columns if name != "recorded_at")


def spaces_at_the_end_of_a_cycle(spaces: DataFrame, audited: DataFrame) -> DataFrame:
    """Spaces whose six levers are final now: ``space_id``, ``has_accepted`` in this cycle.

    ``spaces`` is the view space_states of before these audit rows; ``audited`` are the rows of
    ``audit_rows``, one per lever that was not final before.
    """
    over = (
        audited.groupBy("space_id", F.col("cycle").alias("audited_cycle"))
        .agg(F.every("is_final").alias("is_over"))
        .where("is_over")
    )
    # The view counts what was accepted in the newest cycle that has audit rows.
    is_counted = F.col("audited_cycle") == F.col("cycle")
    return over.join(spaces, "space_id").select(
        "space_id", (is_counted & (F.col("accepted_count") > 0)).alias("has_accepted")
    )


def final_requests(spaces: DataFrame, ended: DataFrame, evaluations: DataFrame) -> DataFrame:
    """A request to ask the sealed questions of every space whose loop has ended.

    ``ended`` is what ``spaces_at_the_end_of_a_cycle`` gives. One request for each last accepted
    evaluation; none where that one asked the sealed questions itself. Columns:
    ``REQUEST_COLUMNS``.
    """
    plateau = ended.where(~F.col("has_accepted")).select("space_id", F.lit(True).alias("is_level"))
    has_stopped = F.col("state").isin("target", "maximum", "plateau")
    asked_sealed = F.exists(
        "splits", lambda one: (one["split"] == "sealed") & (one["question_count"] > 0)
    )
    measured = evaluations.where(asked_sealed).select("evaluation_id")
    return (
        spaces.join(plateau, "space_id", "left")
        .where(F.col("evaluation_id").isNotNull() & (has_stopped | F.col("is_level")))
        .join(measured, "evaluation_id", "left_anti")
        .withColumn("kind", F.lit("final"))
        .withColumn("ordinal", F.col("iteration"))
        .withColumn("application_id", F.lit(None).cast("string"))
        .withColumn("splits", F.array(F.lit("sealed")))
        .withColumn("requested_by", F.lit("optimize"))
        .withColumn(
            "request_id",
            id_column("request", F.col("space_id"), F.lit("final"), F.col("evaluation_id")),
        )
        .select(*REQUEST_COLUMNS)
    )
