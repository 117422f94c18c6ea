"""Which evaluations the gate compares: those of an applied batch, and accepted ones before it."""

from __future__ import annotations

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from transforms.gate_rule import MAX_REPEATS
from transforms.steadiness import asked_twice


def gate_pairs(evaluations: DataFrame, states: DataFrame, decided: DataFrame) -> DataFrame:
    """What is to be compared: one row per batch that new evaluations measured.

    ``evaluations`` are the new ones, ``states`` the view evaluation_states, ``decided`` the view
    batch_gates. Columns: ``space_id``, ``batch_id``, ``application_id``, ``answerer``,
    ``evaluation_ids`` (all of the batch so far, in order), ``baseline_evaluation_id`` (NULL:
    nothing was accepted before), ``baseline_evaluation_ids`` (it and the newest others that show
    the same state, in order), ``twice_ids`` (see ``asked_twice``; may be NULL). A batch that is
    accepted or rejected already is left alone.
    """
    settled = decided.where(F.col("decision") != "undecided").select("batch_id")
    is_measuring = F.col("application_id").isNotNull() & F.col("batch_id").isNotNull()
    measured = evaluations.where(is_measuring).select("batch_id").distinct()
    after = (
        states.where(is_measuring & (F.col("state") != "accepted"))
        .join(measured, "batch_id", "left_semi")
        .join(settled, "batch_id", "left_anti")
        .groupBy("space_id", "batch_id")
        .agg(
            F.max("application_id").alias("application_id"),
            F.max_by("answerer", "started_at").alias("answerer"),
            F.min("started_at").alias("first_started_at"),
            F.sort_array(F.collect_list(F.struct("started_at", "evaluation_id"))).alias("seen"),
        )
        .withColumn("evaluation_ids", _ids("seen"))
    )
    whole = states.where(ASKS_TRAIN)
    return (
        after.join(baselines(after, whole.where("state = 'accepted'")), "batch_id", "left")
        .join(asked_twice(whole), "space_id", "left")
        .drop("seen", "first_started_at")
    )


ASKS_TRAIN = "kind <> 'canary' AND asks_train"


def _ids(seen: str | Column) -> Column:
    return F.transform(seen, lambda one: one["evaluation_id"])


def baselines(after: DataFrame, accepted: DataFrame) -> DataFrame:
    """By batch the last accepted evaluation before it, and those of the same state.

    ``after`` has ``space_id``, ``batch_id`` and ``first_started_at``; ``accepted`` are rows of the
    view evaluation_states. Columns: ``batch_id``, ``baseline_evaluation_id``,
    ``baseline_evaluation_ids``. A batch without one has no row.
    """
    shown = accepted.select("space_id", "started_at", "evaluation_id", "state_hash")
    is_before = F.col("started_at") < F.col("first_started_at")
    before = (
        after.select("space_id", "batch_id", "first_started_at")
        .join(shown, "space_id")
        .where(is_before)
    )
    one = F.struct("started_at", "evaluation_id")
    last = before.groupBy("batch_id").agg(
        F.max_by("evaluation_id", one).alias("baseline_evaluation_id"),
        F.max_by("state_hash", one).alias("state_hash"),
    )
    # As many as may measure the batch itself: more would only be older.
    newest = F.slice(F.sort_array(F.collect_list(one), asc=False), 1, MAX_REPEATS + 1)
    return (
        last.join(before.select("batch_id", "state_hash", *_ONE), ["batch_id", "state_hash"])
        .groupBy("batch_id", "baseline_evaluation_id")
        .agg(_ids(F.sort_array(newest)).alias("baseline_evaluation_ids"))
    )


_ONE = ("started_at", "evaluation_id")
