"""What a named approval policy decides, so that nobody has to be asked about harmless changes."""

from __future__ import annotations

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from transforms.contracts import APPROVALS
from transforms.spark_ids import id_column

AUTO_LOW_RISK = "auto_low_risk"
DECISION_COLUMNS = tuple(name for name in APPROVALS.columns if name != "recorded_at")


def policy_decisions(spaces: DataFrame, batches: DataFrame, proposals: DataFrame) -> DataFrame:
    """Approvals that the policies of the spaces give now, columns of ``DECISION_COLUMNS``.

    ``spaces`` are the newest registrations, ``batches`` the rows of ``batch_states``. The policy
    ``auto_low_risk`` approves a batch that nobody decided on and whose proposals are all there and
    all of low risk, also one that has to wait its turn; ``manual`` approves nothing.
    """
    trusting = spaces.where(F.col("policy") == AUTO_LOW_RISK).select("space_id")
    undecided = batches.where(F.col("state") == "proposed").join(
        trusting, on="space_id", how="left_semi"
    )
    low_risk = proposals.where(F.col("risk") == "low").select("space_id", "proposal_id")
    low_counts = (
        undecided.select("space_id", "batch_id", F.explode("proposal_ids").alias("proposal_id"))
        .join(low_risk, on=["space_id", "proposal_id"], how="inner")
        .groupBy("batch_id")
        .agg(F.count_distinct("proposal_id").alias("low_count"))
    )
    decided_by = F.lit(f"policy:{AUTO_LOW_RISK}")
    is_harmless = F.col("low_count") == F.size(F.array_distinct("proposal_ids"))
    return (
        undecided.join(low_counts, on="batch_id", how="inner")
        .where(is_harmless)
        .select(
            "space_id",
            id_column(
                "decision", F.col("batch_id"), F.col("content_hash"), F.lit("approved"), decided_by
            ).alias("decision_id"),
            "batch_id",
            "content_hash",
            F.lit("approved").alias("decision"),
            decided_by.alias("decided_by"),
            F.lit("every proposal has low risk").alias("reason"),
        )
    )
