"""Whether an applied batch made the space better: question by question, never by means.

An evaluation of an applied batch, with its repeats, is compared with the last accepted evaluation,
with those of the same state: what of a question's answers is right now, and what was. The rule is
in ``gate_rule``; sealed questions decide nothing.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import pyarrow as pa
from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from transforms.contracts import EVALUATION_REQUESTS, GATE_DECISIONS
from transforms.gate_judges import fallen_judges
from transforms.gate_rule import GATED_SPLITS, GateCase, rule_on
from transforms.one_set import judged_answers, judged_verdicts
from transforms.pairing import LEFT_OUT, Answered, SplitComparison, compare_split, pair_up
from transforms.spark_ids import id_column
from transforms.steadiness import steady_spaces


class Measured(NamedTuple):
    """Rows of evaluations: of ``evaluations`` itself, and all of theirs in three more tables."""

    evaluations: DataFrame
    eval_results: DataFrame
    rejudged: DataFrame
    judge_verdicts: DataFrame


RECORDED = "recorded:"  # the kind of answerer that cannot answer otherwise

DECISION_COLUMNS = tuple(name for name in GATE_DECISIONS.columns if name != "recorded_at")
REQUEST_COLUMNS = tuple(name for name in EVALUATION_REQUESTS.columns if name != "recorded_at")


def gate_decisions(
    pairs: DataFrame,
    measured: Measured,
    spaces: DataFrame,
    applied_counts: DataFrame,
    batches: DataFrame,
) -> DataFrame:
    """Decide each of ``gate_pairs``: what ``decision_rows`` and ``repeat_requests`` are made of.

    ``measured`` are the rows of all evaluations named there, ``spaces`` the view latest_spaces,
    ``applied_counts`` applied batches per space (``space_id``, ``applied_count``), ``batches`` the
    rows of the batches.
    """
    eval_results, evaluations = measured.eval_results, measured.evaluations
    answers = judged_answers(eval_results, evaluations, measured.rejudged)
    verdicts = judged_verdicts(
        measured.judge_verdicts, eval_results, evaluations, measured.rejudged
    )
    steady = steady_spaces(
        pairs.where("twice_ids IS NOT NULL").select("space_id", "twice_ids").distinct(),
        eval_results,
    ).withColumn("has_repeated", F.lit(True))
    known = (
        pairs.join(_side(pairs, answers, "baseline_evaluation_ids", "before"), *_BY_BATCH)
        .join(_side(pairs, answers, "evaluation_ids", "after"), *_BY_BATCH)
        .join(
            _accuracies(evaluations), F.element_at("evaluation_ids", -1) == F.col("of_id"), "left"
        )
        .join(batches.select("batch_id", F.col("kind").alias("batch_kind")), *_BY_BATCH)
        .join(fallen_judges(pairs, verdicts, GATED_SPLITS), *_BY_BATCH)
        .join(steady, "space_id", "left")
        .withColumn("number", F.size("evaluation_ids"))
    )
    ruled = known.select(*_PASSED_ON, *_CASE).mapInArrow(_rule, _RULED_DDL)
    return _with_stop_reason(
        ruled.join(
            spaces.select("space_id", "target_accuracy", "max_applied_batches"), "space_id", "left"
        )
        .join(applied_counts, "space_id", "left")
        .fillna(0, ["applied_count"])
    )


_BY_BATCH = ("batch_id", "left")


def _side(pairs: DataFrame, answers: DataFrame, ids: str, name: str) -> DataFrame:
    """By batch what one side's evaluations answered: rows of ``Answered``, the newest last.

    An answer stands there as often as it was judged on something else; what it was judged on when
    it was asked counts as newer than what it was judged on again.
    """
    is_known = F.col("outcome") != "infrastructure"
    return (
        pairs.select("batch_id", F.posexplode(ids).alias("position", "evaluation_id"))
        .join(answers, "evaluation_id", "inner")
        .where(F.col("split").isin(*GATED_SPLITS))
        .groupBy("batch_id", "question_id", "group_id", "split", "benchmark")
        .agg(
            F.max(F.struct("position", "is_own")).alias("recency"),
            F.count_if(is_known).alias("known_count"),
            F.count_if(is_known & F.coalesce("is_correct", F.lit(False))).alias("right_count"),
        )
        .groupBy("batch_id")
        .agg(F.sort_array(F.collect_list(F.struct("recency", *_ANSWERED))).alias(name))
    )


_ANSWERED = ("question_id", "group_id", "split", "benchmark", "known_count", "right_count")
# What a decision needs beside the ruling: passed through, so that nothing is computed twice.
_PASSED_ON = (
    "space_id", "batch_id", "application_id", "evaluation_ids", "baseline_evaluation_id", "number",
    "train_accuracy", "held_out_accuracy",
)  # fmt: skip
_CASE = (
    "baseline_evaluation_ids", "before", "after", "batch_kind", "fallen", "answerer",
    "has_repeated",
)  # fmt: skip
_RULED = pa.schema(
    [
        ("space_id", pa.string()),
        ("batch_id", pa.string()),
        ("application_id", pa.string()),
        ("evaluation_ids", pa.list_(pa.string())),
        ("baseline_evaluation_id", pa.string()),
        ("number", pa.int32()),
        ("train_accuracy", pa.float64()),
        ("held_out_accuracy", pa.float64()),
        ("decision", pa.string()),
        ("train_net", pa.int32()),
        ("held_out_net", pa.int32()),
        ("statistics", pa.string()),
        ("rationale", pa.string()),
    ]
)
_RULED_DDL = (
    "space_id STRING, batch_id STRING, application_id STRING, evaluation_ids ARRAY<STRING>, "
    "baseline_evaluation_id STRING, number INT, train_accuracy DOUBLE, held_out_accuracy DOUBLE, "
    "decision STRING, train_net INT, held_out_net INT, statistics STRING, rationale STRING"
)


def _rule(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    for batch in batches:
        rows = [_ruled(row) for row in batch.to_pylist()]
        yield pa.RecordBatch.from_pylist(rows, schema=_RULED)


def _ruled(row: Mapping[str, Any]) -> dict[str, Any]:
    """What is decided of one batch; runs in Spark's workers."""
    of_all = pair_up(_answered(row["before"]), _answered(row["after"]))
    train, held_out = (compare_split(of_all, split) for split in GATED_SPLITS)
    is_recorded = (row["answerer"] or "").startswith(RECORDED)
    case = GateCase(
        has_baseline=bool(row["baseline_evaluation_ids"]),
        is_correction=row["batch_kind"] == "correction",
        train=train,
        held_out=held_out,
        fallen=tuple(row["fallen"] or ()),
        asked_count=row["number"],
        is_steady=is_recorded or bool(row["has_repeated"]),
    )
    ruling = rule_on(case)
    statistics = {
        "train": train.numbers(),
        "held_out": held_out.numbers(),
        "train_accuracy": row["train_accuracy"],
        "held_out_accuracy": row["held_out_accuracy"],
        "baseline_evaluation_ids": list(row["baseline_evaluation_ids"] or ()),
        "is_steady": case.is_steady,
        "fallen": list(case.fallen),
    }
    said = f"{_counts(train)}; {_counts(held_out)}; " if case.has_baseline else ""
    return {
        **{name: row[name] for name in _PASSED_ON},
        "decision": ruling.decision,
        "train_net": int(train.paired.net),
        "held_out_net": int(held_out.paired.net),
        "statistics": json.dumps(statistics),
        "rationale": f"{ruling.decision}: {said}{ruling.because}",
    }


def _answered(side: Sequence[Mapping[str, Any]] | None) -> list[Answered]:
    return [Answered(**{name: one[name] for name in _ANSWERED}) for one in side or ()]


_LEFT_OUT_WORDS = {
    "unknown": "not answered",
    "other_benchmark": "with another benchmark",
    "only_before": "asked only before",
    "only_after": "asked only after",
}


def _counts(split: SplitComparison) -> str:
    name = split.split.replace("_", "-")
    left_out = "".join(
        f", {split.counts[change]} {_LEFT_OUT_WORDS[change]}"
        for change in LEFT_OUT
        if split.counts[change]
    )
    of = split.paired
    return f"{name} {of.gained_count} gained, {of.lost_count} lost of {of.question_count}{left_out}"


def _accuracies(evaluations: DataFrame) -> DataFrame:
    def accuracy(split: str) -> Column:
        of_split = F.filter("splits", lambda one: one["split"] == split)
        return F.when(F.size(of_split) > 0, of_split[0]["accuracy"])

    return evaluations.select(
        F.col("evaluation_id").alias("of_id"),
        accuracy("train").alias("train_accuracy"),
        accuracy("held_out").alias("held_out_accuracy"),
    )


def _with_stop_reason(decided: DataFrame) -> DataFrame:
    is_target_reached = (F.col("train_accuracy") >= F.col("target_accuracy")) & (
        F.col("held_out_accuracy") >= F.col("target_accuracy")
    )
    return decided.withColumn(
        "stop_reason",
        F.when((F.col("decision") == "accepted") & is_target_reached, "target").when(
            (F.col("decision") != "undecided")
            & (F.col("applied_count") >= F.col("max_applied_batches")),
            "maximum",
        ),
    )


def decision_rows(decided: DataFrame) -> DataFrame:
    """Rows of ``gate_decisions`` without ``recorded_at``."""
    return decided.withColumn(
        "gate_decision_id", id_column("gate", F.col("batch_id"), F.col("number").cast("string"))
    ).select(*DECISION_COLUMNS)


def repeat_requests(decided: DataFrame) -> DataFrame:
    """Rows of ``evaluation_requests`` without ``recorded_at``, for what is undecided."""
    return (
        decided.where(F.col("decision") == "undecided")
        .withColumn("kind", F.lit("repeat"))
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
