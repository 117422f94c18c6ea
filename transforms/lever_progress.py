"""What the data says of every lever of every space, and the audit rows that follow from it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict

import pyarrow as pa
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from transforms.batching import MIN_CORRECTIONS
from transforms.contracts import LEVER_AUDIT, LEVERS
from transforms.lever_audit import LeverProgress, SpaceProgress, audit

AUDIT_COLUMNS = tuple(name for name in LEVER_AUDIT.columns if name != "recorded_at")
_ROW_SCHEMA = pa.schema(
    [
        ("space_id", pa.string()),
        ("cycle", pa.int32()),
        ("lever", pa.int32()),
        ("is_attempted", pa.bool_()),
        ("proposals_generated", pa.int32()),
        ("proposals_applied", pa.int32()),
        ("skip_reason", pa.string()),
        ("is_final", pa.bool_()),
        ("evaluation_id", pa.string()),
        ("may_batch", pa.bool_()),
    ]
)
_ROW_DDL = (
    "space_id STRING, cycle INT, lever INT, is_attempted BOOLEAN, proposals_generated INT, "
    "proposals_applied INT, skip_reason STRING, is_final BOOLEAN, evaluation_id STRING, "
    "may_batch BOOLEAN"
)
_LEVER = ("space_id", "lever")


def audit_rows(
    spaces: DataFrame,
    proposals: DataFrame,
    batches: DataFrame,
    clusters: DataFrame,
    audits: DataFrame,
    assets: DataFrame,
) -> DataFrame:
    """One row per space and lever that is not final yet: ``AUDIT_COLUMNS`` and ``may_batch``.

    ``spaces``, ``proposals``, ``batches`` and ``clusters`` are the views of their states,
    ``audits`` the rows of lever_audit, ``assets`` how many objects of a kind a schema has
    (``data_schema``, ``lever``, ``asset_count``). Spaces that were never evaluated have no rows.
    """
    current = _current(spaces)
    grid = current.withColumn("lever", F.explode(F.array(*(F.lit(lever) for lever in LEVERS))))
    final = audits.where("is_final").select(*_LEVER, "cycle", "is_final")
    per_lever = (
        grid.join(final, [*_LEVER, "cycle"], "left")
        .join(_proposal_counts(current, proposals, batches), list(_LEVER), "left")
        .join(_batch_counts(current, batches), list(_LEVER), "left")
        .join(_cluster_counts(clusters), list(_LEVER), "left")
        .join(assets, ["data_schema", "lever"], "left")
        .fillna(0, [*_COUNTED])
        .fillna(False, ["is_final"])
    )
    progress = per_lever.groupBy("space_id", "cycle", "evaluation_id", "stop_reason").agg(
        F.collect_list(F.struct(*LeverProgress.__dataclass_fields__)).alias("levers")
    )
    return progress.mapInArrow(_audited, _ROW_DDL)


def correction_turns(spaces: DataFrame, proposals: DataFrame, batches: DataFrame) -> DataFrame:
    """Spaces that may form a correction batch: ``space_id``, ``cycle``, ``lever`` 0.

    At least three corrections are open, or three quarantines, and no correction batch is unsettled.
    """
    is_open = (F.col("lever") == 0) & (F.col("state") == "open")
    enough = proposals.where(is_open)
    in_flight = batches.where((F.col("kind") == "correction") & ~F.col("is_settled"))
    return (
        _current(spaces)
        .join(enough, "space_id", "left_semi")
        .join(in_flight, "space_id", "left_anti")
        .select("space_id", "cycle", F.lit(0).alias("lever"))
    )


def ripe_proposals(proposals: DataFrame) -> DataFrame:
    """The proposals that may be in a batch: of lever 0 only three or more open ones of one type.

    ``proposals`` is the view proposal_states, and so is the result.
    """
    is_open = (F.col("lever") == 0) & (F.col("state") == "open")
    of_type = ("space_id", "lever", "patch_type", "state")
    few = (
        proposals.where(is_open)
        .groupBy(*of_type)
        .agg(F.count("*").alias("open_count"))
        .where(F.col("open_count") < MIN_CORRECTIONS)
    )
    return proposals.join(few, list(of_type), "left_anti")


def _current(spaces: DataFrame) -> DataFrame:
    """Spaces in the cycle they are in: a new one after six final rows and an accepted batch."""
    is_over = F.col("final_count") == len(LEVERS)
    is_next = is_over & (F.col("accepted_count") > 0)
    return spaces.where(F.col("evaluation_id").isNotNull()).select(
        "space_id",
        "data_schema",
        "evaluation_id",
        F.col("gate_stop_reason").alias("stop_reason"),
        (F.col("cycle") + is_next.cast("int")).cast("int").alias("cycle"),
    )


_COUNTED = (
    "generated",
    "open",
    "refused",
    "declined",
    "rejected",
    "stale",
    "applied",
    "batch_count",
    "cluster_count",
)


def _proposal_counts(current: DataFrame, proposals: DataFrame, batches: DataFrame) -> DataFrame:
    cycles = batches.select("batch_id", F.col("cycle").alias("batch_cycle"))
    of_lever = proposals.where("lever > 0").select(*_LEVER, "proposal_id", "state", "batch_id")
    is_pending = F.col("state").isin("open", "waiting")
    is_of_cycle = F.col("batch_cycle").isNull() | (F.col("batch_cycle") == F.col("cycle"))
    return (
        of_lever.join(cycles, "batch_id", "left")
        .join(current.select("space_id", "cycle"), "space_id", "inner")
        .where(is_pending | is_of_cycle)
        .groupBy(*_LEVER)
        .agg(
            F.count("*").cast("int").alias("generated"),
            *(
                F.count_if(F.col("state") == state).cast("int").alias(state)
                for state in ("open", "refused", "declined", "rejected", "stale")
            ),
        )
    )


def _batch_counts(current: DataFrame, batches: DataFrame) -> DataFrame:
    of_cycle = batches.where("lever > 0").join(
        current.select("space_id", "cycle"), ["space_id", "cycle"], "left_semi"
    )
    applied = F.when(F.col("applied_at").isNotNull(), F.size("applied_proposal_ids")).otherwise(0)
    first_unsettled = F.min(
        F.when(~F.col("is_settled"), F.struct("recorded_at", "batch_id", "state", "waits_for"))
    )
    return (
        of_cycle.groupBy(*_LEVER)
        .agg(
            F.count("*").cast("int").alias("batch_count"),
            F.sum(applied).cast("int").alias("applied"),
            first_unsettled.alias("unsettled"),
        )
        .select(
            *_LEVER,
            "batch_count",
            "applied",
            F.col("unsettled.batch_id").alias("batch_id"),
            F.col("unsettled.state").alias("batch_state"),
            F.col("unsettled.waits_for").alias("batch_waits_for"),
        )
    )


def _cluster_counts(clusters: DataFrame) -> DataFrame:
    return (
        clusters.where(F.col("state").isin("open", "addressed", "regressed"))
        .groupBy(*_LEVER)
        .agg(F.count("*").cast("int").alias("cluster_count"))
    )


def _audited(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    for batch in batches:
        rows = []
        for raw in batch.to_pylist():
            space = SpaceProgress(
                space_id=raw["space_id"],
                cycle=raw["cycle"],
                evaluation_id=raw["evaluation_id"],
                stop_reason=raw["stop_reason"],
                levers=[LeverProgress(**lever) for lever in raw["levers"]],
            )
            place = {name: raw[name] for name in ("space_id", "cycle", "evaluation_id")}
            rows += [{**place, **asdict(row)} for row in audit(space)]
        yield pa.RecordBatch.from_pylist(rows, schema=_ROW_SCHEMA)
