"""Whether an applied batch made the space better: question by question, never by means.

An evaluation of an applied batch is compared with the last accepted evaluation, over the questions
that both asked in the same version. Train questions must gain (net of at least one), held-out
questions may veto (net below zero), and so may a judge that falls; sealed ones decide nothing. A
tie rejects, but for a batch of corrections: what it corrects is not compared, and all the rest
is to stay as it was.

Where the platform failed to answer, a question is neither right nor wrong: the nets are bounded
from both sides, and only if the bounds disagree the batch is undecided and asked again.
"""

from __future__ import annotations

from typing import NamedTuple

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from transforms.contracts import EVALUATION_REQUESTS, GATE_DECISIONS
from transforms.gate_judges import fallen_judges
from transforms.spark_ids import id_column

MIN_TRAIN_NET = 1  # questions
MIN_HELD_OUT_NET = 0  # questions
MAX_REPEATS = 2
GATED_SPLITS = ("train", "held_out")

DECISION_COLUMNS = tuple(name for name in GATE_DECISIONS.columns if name != "recorded_at")
REQUEST_COLUMNS = tuple(name for name in EVALUATION_REQUESTS.columns if name != "recorded_at")


class Gated(NamedTuple):
    """Rows of ``gate_decisions`` and of ``evaluation_requests``, without ``recorded_at``."""

    decisions: DataFrame
    repeats: DataFrame


def gate_pairs(evaluations: DataFrame, states: DataFrame, decided: DataFrame) -> DataFrame:
    """What is to be compared: one row per batch that new evaluations measured.

    ``evaluations`` are the new ones, ``states`` the view evaluation_states, ``decided`` the view
    batch_gates. Columns: ``space_id``, ``batch_id``, ``application_id``, ``evaluation_ids`` (all of
    the batch so far, in order), ``baseline_evaluation_id`` (NULL: nothing was accepted before).
    A batch that is accepted or rejected already is left alone.
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
            F.min("started_at").alias("first_started_at"),
            F.sort_array(F.collect_list(F.struct("started_at", "evaluation_id"))).alias("seen"),
        )
        .withColumn("evaluation_ids", F.transform("seen", lambda one: one["evaluation_id"]))
    )
    is_whole = (F.col("kind") != "canary") & F.col("asks_train")
    accepted = states.where((F.col("state") == "accepted") & is_whole)
    before = accepted.select(
        "space_id",
        F.col("started_at").alias("accepted_at"),
        F.col("evaluation_id").alias("accepted_id"),
    )
    is_before = (F.col("accepted.space_id") == F.col("after.space_id")) & (
        F.col("accepted.accepted_at") < F.col("after.first_started_at")
    )
    last = F.struct("accepted_at", "accepted_id")
    return (
        after.alias("after")
        .join(before.alias("accepted"), is_before, "left")
        .groupBy("after.space_id", "batch_id", "application_id", "evaluation_ids")
        .agg(F.max_by("accepted_id", last).alias("baseline_evaluation_id"))
    )


def gate_decisions(
    pairs: DataFrame,
    eval_results: DataFrame,
    evaluations: DataFrame,
    spaces: DataFrame,
    applied_counts: DataFrame,
    batches: DataFrame,
    judge_verdicts: DataFrame,
) -> Gated:
    """Decide each of ``gate_pairs``.

    ``eval_results`` holds the rows of all evaluations named there, ``evaluations`` their rows,
    ``spaces`` the view latest_spaces, ``applied_counts`` applied batches per space
    (``space_id``, ``applied_count``), ``batches`` the rows of the batches, ``judge_verdicts``
    those of the evaluations.
    """
    nets = _nets(pairs, eval_results)
    compared = (
        pairs.join(nets, ["space_id", "batch_id"], "left")
        .join(
            _accuracies(evaluations), F.element_at("evaluation_ids", -1) == F.col("of_id"), "left"
        )
        .join(
            spaces.select("space_id", "target_accuracy", "max_applied_batches"), "space_id", "left"
        )
        .join(applied_counts, "space_id", "left")
        .join(batches.select("batch_id", F.col("kind").alias("batch_kind")), "batch_id", "left")
        .join(fallen_judges(pairs, judge_verdicts, eval_results, GATED_SPLITS), "batch_id", "left")
        .withColumn("fallen", F.coalesce("fallen", F.array().cast("array<string>")))
        .fillna(0, [*_COUNTS, "applied_count"])
        .withColumn("number", F.size("evaluation_ids"))
    )
    decided = _with_decision(compared)
    repeats = decided.where(F.col("decision") == "undecided")
    return Gated(_decision_rows(decided), _repeat_rows(repeats))


_SPLIT_COUNTS = ("compared", "gained", "lost", "net", "least", "most")
_COUNTS = tuple(f"{split}_{count}" for split in GATED_SPLITS for count in _SPLIT_COUNTS)


def _nets(pairs: DataFrame, eval_results: DataFrame) -> DataFrame:
    """Per batch: questions compared, gained, lost, and the bounds of the net, of both splits."""
    answers = eval_results.where(F.col("attempt") == 1).select(
        "evaluation_id",
        "question_id",
        "benchmark_version",
        "split",
        F.when(F.col("outcome") == "infrastructure", None)
        .otherwise(F.coalesce("is_correct", F.lit(False)))
        .alias("is_right"),
    )
    before = pairs.select("space_id", "batch_id", "baseline_evaluation_id").join(
        answers, F.col("baseline_evaluation_id") == F.col("evaluation_id"), "inner"
    )
    after = (
        pairs.select("batch_id", F.posexplode("evaluation_ids").alias("position", "evaluation_id"))
        .join(answers, "evaluation_id", "inner")
        .groupBy("batch_id", "question_id", "benchmark_version")
        # The newest answer that is one: a repeat fills what the platform left out.
        .agg(
            F.max_by("is_right", F.when(F.col("is_right").isNotNull(), F.col("position"))).alias(
                "is_right_after"
            )
        )
    )
    paired = before.join(after, ["batch_id", "question_id", "benchmark_version"], "inner")
    was, is_now = F.col("is_right"), F.col("is_right_after")
    # Unknown before or after: the least and the most that the truth could add to the net.
    least = F.coalesce(is_now, F.lit(False)).cast("int") - F.coalesce(was, F.lit(True)).cast("int")
    most = F.coalesce(is_now, F.lit(True)).cast("int") - F.coalesce(was, F.lit(False)).cast("int")
    aggregated = []
    for split in GATED_SPLITS:
        is_in = F.col("split") == split
        gained, lost = is_in & ~was & is_now, is_in & was & ~is_now
        aggregated += [
            F.count_if(is_in).alias(f"{split}_compared"),
            F.count_if(gained).alias(f"{split}_gained"),
            F.count_if(lost).alias(f"{split}_lost"),
            (F.count_if(gained) - F.count_if(lost)).alias(f"{split}_net"),
            F.sum(F.when(is_in, least).otherwise(0)).alias(f"{split}_least"),
            F.sum(F.when(is_in, most).otherwise(0)).alias(f"{split}_most"),
        ]
    return paired.groupBy("space_id", "batch_id").agg(*aggregated)


def _accuracies(evaluations: DataFrame) -> DataFrame:
    def accuracy(split: str) -> Column:
        of_split = F.filter("splits", lambda one: one["split"] == split)
        return F.when(F.size(of_split) > 0, of_split[0]["accuracy"])

    return evaluations.select(
        F.col("evaluation_id").alias("of_id"),
        accuracy("train").alias("train_accuracy"),
        accuracy("held_out").alias("held_out_accuracy"),
    )


def _with_decision(compared: DataFrame) -> DataFrame:
    is_correction = F.coalesce(F.col("batch_kind") == "correction", F.lit(False))
    min_train_net = F.when(is_correction, 0).otherwise(MIN_TRAIN_NET)
    has_fallen = F.size("fallen") > 0
    is_better = (
        (F.col("train_least") >= min_train_net)
        & (F.col("held_out_least") >= MIN_HELD_OUT_NET)
        & ~has_fallen
    )
    is_not_better = (
        (F.col("train_most") < min_train_net)
        | (F.col("held_out_most") < MIN_HELD_OUT_NET)
        | has_fallen
    )
    may_repeat = F.col("number") <= MAX_REPEATS
    is_target_reached = (F.col("train_accuracy") >= F.col("target_accuracy")) & (
        F.col("held_out_accuracy") >= F.col("target_accuracy")
    )
    decision = (
        F.when(is_better, "accepted")
        .when(is_not_better | F.col("baseline_evaluation_id").isNull() | ~may_repeat, "rejected")
        .otherwise("undecided")
    )
    return compared.withColumn("decision", decision).withColumn(
        "stop_reason",
        F.when((F.col("decision") == "accepted") & is_target_reached, "target").when(
            (F.col("decision") != "undecided")
            & (F.col("applied_count") >= F.col("max_applied_batches")),
            "maximum",
        ),
    )


def _decision_rows(decided: DataFrame) -> DataFrame:
    counts = F.format_string(
        "train %d gained, %d lost of %d; held-out %d gained, %d lost of %d",
        *(
            F.col(f"{split}_{count}")
            for split in GATED_SPLITS
            for count in ("gained", "lost", "compared")
        ),
    )
    because = (
        F.when(
            F.col("baseline_evaluation_id").isNull(),
            "there is no accepted evaluation to compare with, so nothing shows a gain",
        )
        .when(
            F.col("decision") == "undecided",
            F.concat(
                counts,
                F.lit("; the platform failed on questions that could decide: they are asked again"),
            ),
        )
        .otherwise(F.array_join(F.concat(F.array(counts), "fallen"), "; "))
    )
    statistics = F.to_json(F.struct(*_COUNTS, "train_accuracy", "held_out_accuracy", "fallen"))
    return (
        decided.withColumn("statistics", statistics)
        .withColumn("rationale", F.concat("decision", F.lit(": "), because))
        .withColumn("train_net", F.col("train_net").cast("int"))
        .withColumn("held_out_net", F.col("held_out_net").cast("int"))
        .withColumn(
            "gate_decision_id",
            id_column("gate", F.col("batch_id"), F.col("number").cast("string")),
        )
        .select(*DECISION_COLUMNS)
    )


def _repeat_rows(undecided: DataFrame) -> DataFrame:
    return (
        undecided.withColumn("kind", F.lit("repeat"))
        .withColumn("ordinal", F.col("number").cast("int"))
        .withColumn("splits", F.array(*(F.lit(split) for split in GATED_SPLITS)))
        .withColumn("requested_by", F.lit("optimize"))
        .withColumn(
            "request_id",
            id_column(
                "request", F.col("application_id"), F.lit("repeat"), F.col("number").cast("string")
            ),
        )
        .select(*REQUEST_COLUMNS)
    )
