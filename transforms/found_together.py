"""Runs the search for shared words over whole evaluations, distributed, and gives failures of it.

What many questions show together becomes rows like those of ``failures``: the same failure, seen
again for a cause that no single answer shows. They are clustered with the others and not stored.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import pyarrow as pa
from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F

from transforms.contracts import FAILURES
from transforms.shared_causes import CAUSES
from transforms.space_state import SpaceState
from transforms.triage import confirmed_train_failures
from transforms.word_evidence import AskedRow, word_findings

MAX_QUESTIONS = 2_000
"""Train questions of one evaluation that are looked at together; wrong ones come first."""

_FOUND = pa.schema(
    [
        ("failure_id", pa.string()),
        ("cause", pa.string()),
        ("blame", pa.string()),
        ("fragment", pa.string()),
        ("confidence", pa.float64()),
        ("terms", pa.list_(pa.string())),
    ]
)
_FOUND_DDL = (
    "failure_id STRING, cause STRING, blame STRING, fragment STRING, confidence DOUBLE, "
    "terms ARRAY<STRING>"
)


def found_together(
    failures: DataFrame, eval_results: DataFrame, evaluations: DataFrame, versions: DataFrame
) -> DataFrame:
    """Failures in the columns of the contract but ``recorded_at``, for what questions share.

    ``failures`` and ``eval_results`` are rows of those contracts, of ``evaluations``; an
    evaluation's rows come all together. ``versions`` holds the states that were evaluated. Only
    train questions are looked at, and only those with a confirmed failure give a row; an evaluation
    whose state is not recorded gives none.
    """
    confirmed = confirmed_train_failures(failures)
    states = evaluations.join(versions.select("space_id", "state_hash", "state"), _VERSION).select(
        "evaluation_id", "state"
    )
    of_evaluation = (
        _asked(eval_results, confirmed)
        .groupBy("evaluation_id")
        .cogroup(states.groupBy("evaluation_id"))
    )
    found = of_evaluation.applyInArrow(_search, _FOUND_DDL)
    columns = [name for name in FAILURES.columns if name != "recorded_at"]
    again = {
        "rule": F.col("cause"),
        "asi": _asi(),
        "expected_fragment": F.col("fragment"),
        "actual_fragment": F.lit(None).cast("string"),
        "unexplained_terms": F.col("terms"),
    }
    return confirmed.join(found, "failure_id", "inner").select(
        *(again.get(name, F.col(name)).alias(name) for name in columns)
    )


_VERSION = ["space_id", "state_hash"]


def _asked(eval_results: DataFrame, confirmed: DataFrame) -> DataFrame:
    """The train questions of each evaluation, each with one of its confirmed failures if any."""
    one_failure = confirmed.groupBy("evaluation_id", "question_id").agg(
        F.min("failure_id").alias("failure_id")
    )
    is_train = (F.col("split") == "train") & (F.col("attempt") == 1)
    wrong_first = Window.partitionBy("evaluation_id").orderBy(
        F.col("failure_id").isNull(), F.sha2("question_id", 256)
    )
    return (
        eval_results.where(is_train)
        .select("evaluation_id", "question_id", "group_id", "question", "expected_sql")
        .join(one_failure, ["evaluation_id", "question_id"], "left")
        .withColumn("position", F.row_number().over(wrong_first))
        .where(F.col("position") <= MAX_QUESTIONS)
        .drop("position")
    )


def _search(asked: pa.Table, states: pa.Table) -> pa.Table:
    """What the questions of one evaluation show together; runs in Spark's workers."""
    known = states.to_pylist()
    rows: list[dict[str, Any]] = asked.to_pylist()
    if not known or not any(row["failure_id"] for row in rows):
        return _FOUND.empty_table()
    state = SpaceState.from_dict(json.loads(known[0]["state"]))
    failure_of = {row["question_id"]: row["failure_id"] for row in rows}
    findings = word_findings([_asked_row(row) for row in rows], state)
    return pa.Table.from_pylist(
        [
            {
                "failure_id": failure_of[one.question_id],
                "cause": one.cause,
                "blame": one.blame,
                "fragment": one.fragment,
                "confidence": one.confidence,
                "terms": list(one.terms),
            }
            for one in findings
        ],
        schema=_FOUND,
    )


def _asked_row(row: Mapping[str, Any]) -> AskedRow:
    return AskedRow(
        question_id=row["question_id"],
        group_id=row["group_id"],
        question=row["question"],
        expected_sql=row["expected_sql"],
        is_wrong=row["failure_id"] is not None,
    )


def _asi() -> Column:
    """The failure's side information with type, confidence and blame of the shared cause."""
    types = F.create_map(*(F.lit(x) for name, c in CAUSES.items() for x in (name, c.failure_type)))
    return (
        F.col("asi")
        .withField("failure_type", types[F.col("cause")])
        .withField("confidence", F.col("confidence"))
        .withField("blame_set", F.array("blame"))
        .withField("counterfactual_fix", F.lit(None).cast("string"))
    )
