"""Open proposals into batches: one lever, few patches, one batch in flight per space and object."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F

from transforms.contracts import BATCHES
from transforms.proposal_values import RISKS
from transforms.spark_ids import id_column

MAX_PATCHES = 5
MIN_CORRECTIONS = 3  # open corrections that make a batch

BATCH_COLUMNS = tuple(name for name in BATCHES.columns if name != "recorded_at")


def patches_hash(patches: Sequence[str]) -> str:
    """The content hash of a batch: SHA-256 over the hashes of its patches' JSON, in order."""
    hashes = (hashlib.sha256(patch.encode()).hexdigest() for patch in patches)
    return hashlib.sha256("\n".join(hashes).encode()).hexdigest()


def patches_hash_column(patches: Column) -> Column:
    """``patches_hash`` of an array of texts."""
    return F.sha2(F.concat_ws("\n", F.transform(patches, lambda patch: F.sha2(patch, 256))), 256)


def changed_object(target: Column, space_id: Column) -> Column:
    """The object that a change of ``target`` is seen through: one batch in flight for each.

    A column belongs to its table, a measure to its metric view, a parameter to its function;
    everything else is the space's own.
    """
    kind = F.substring_index(target, ":", 1)
    name = F.regexp_replace(target, "^[^:]*:", "")
    return (
        F.when(kind == "table", target)
        .when(
            kind.isin("column", "measure"),
            F.concat(F.lit("table:"), F.regexp_replace(name, r"\.[^.]*$", "")),
        )
        .when(kind == "function", F.concat(F.lit("function:"), F.substring_index(name, ".", 2)))
        .otherwise(F.concat(F.lit("space:"), space_id))
    )


def detect_conflicts_and_batch(
    proposals: DataFrame, turns: DataFrame, batches: DataFrame
) -> DataFrame:
    """The next batch of each space whose turn it is: rows of ``BATCH_COLUMNS``.

    ``proposals`` is the view proposal_states; of two that would change the same differently, only
    the one of higher impact is taken, the other is left for later. A batch holds one risk, the
    lowest there is: what a policy may approve does not wait for what a person has to. ``turns``
    says which lever may form a batch (``space_id``, ``cycle``, ``lever``; lever 0: corrections),
    ``batches`` is the view batch_states. A batch that touches what one in flight touches, approved
    and not settled, waits for it.
    """
    candidates = proposals.where(F.col("state") == "open").join(
        turns, ["space_id", "lever"], "inner"
    )
    highest_first = (F.desc("impact"), F.desc("confidence"), F.asc("proposal_id"))
    of_target = Window.partitionBy("space_id", "lever", "target", "target_field")
    of_batch = Window.partitionBy("space_id", "lever")
    chosen = (
        candidates.withColumn(
            "among_conflicts", F.row_number().over(of_target.orderBy(*highest_first))
        )
        .where("among_conflicts = 1")
        .withColumn("risk_rank", _risk_rank())
        .withColumn("is_least_risk", F.col("risk_rank") == F.min("risk_rank").over(of_batch))
        .where("is_least_risk")
        .withColumn("position", F.row_number().over(of_batch.orderBy(*highest_first)))
        .where(F.col("position") <= MAX_PATCHES)
    )
    return _with_waiting(_formed(chosen), batches).select(*BATCH_COLUMNS)


def _risk_rank() -> Column:
    """1 for the lowest risk."""
    return F.array_position(F.array(*(F.lit(risk) for risk in RISKS)), F.col("risk")).cast("int")


def _formed(chosen: DataFrame) -> DataFrame:
    in_order = F.sort_array(F.collect_list(F.struct("position", "proposal_id", "patch")))
    target_object = changed_object(F.col("target"), F.col("space_id"))
    formed = (
        chosen.withColumn("object", target_object)
        .groupBy("space_id", "cycle", "lever")
        .agg(
            in_order.alias("members"),
            F.array_sort(F.array_distinct(F.flatten(F.collect_list("question_ids")))).alias(
                "question_ids"
            ),
            F.array_sort(F.collect_set("object")).alias("targets"),
            F.max("risk_rank").alias("risk_rank"),
        )
    )
    patches = F.transform("members", lambda member: member["patch"])
    return (
        formed.withColumn("kind", F.when(F.col("lever") == 0, "correction").otherwise("lever"))
        .withColumn("parent_batch_id", F.lit(None).cast("string"))
        .withColumn("content_hash", patches_hash_column(patches))
        .withColumn("proposal_ids", F.transform("members", lambda member: member["proposal_id"]))
        .withColumn(
            "risk", F.element_at(F.array(*(F.lit(risk) for risk in RISKS)), F.col("risk_rank"))
        )
        .withColumn(
            "batch_id",
            id_column(
                "batch",
                F.col("space_id"),
                F.col("cycle").cast("string"),
                F.col("lever").cast("string"),
                F.col("content_hash"),
            ),
        )
    )


def _with_waiting(formed: DataFrame, batches: DataFrame) -> DataFrame:
    """Adds the first batch in flight in the way; the order is that of the view batch_states."""
    objects = F.explode(F.array_union("targets", F.array(F.concat(F.lit("in:"), "space_id"))))
    is_begun = F.col("begun_at").isNotNull()
    ahead = batches.where(F.col("state").isin("approved", "applied", "rejected")).select(
        F.col("batch_id").alias("other_id"),
        F.col("state").alias("other_state"),
        F.col("space_id").alias("other_space_id"),
        F.struct(~is_begun, "recorded_at", "kind", "batch_id").alias("other_place"),
        objects.alias("object"),
    )
    waiting = (
        formed.select("batch_id", "space_id", objects.alias("object"))
        .join(ahead, "object", "inner")
        .groupBy("batch_id", "space_id")
        .agg(
            F.min_by(
                F.struct("other_id", "other_state", "other_space_id", "object"),
                F.struct("other_place", "object"),
            ).alias("first")
        )
    )
    is_same_space = F.col("first.other_space_id") == F.col("space_id")
    reason = F.when(
        is_same_space,
        F.concat(
            F.lit("one batch of a space is in flight at a time: "),
            "first.other_id",
            F.lit(" is "),
            "first.other_state",
        ),
    ).otherwise(
        F.concat(
            F.lit("space "),
            "first.other_space_id",
            F.lit(" is changing "),
            "first.object",
            F.lit(": "),
            "first.other_id",
            F.lit(" is "),
            "first.other_state",
        )
    )
    return formed.join(
        waiting.select(
            "batch_id",
            F.col("first.other_id").alias("waiting_for"),
            reason.alias("waiting_reason"),
        ),
        "batch_id",
        "left",
    )
