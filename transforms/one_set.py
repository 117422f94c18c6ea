"""Answers and verdicts by what they were judged on, so that only like is compared with like.

A verdict is of one version of a benchmark, one version of the judges and one comparison policy.
``benchmark`` names the three. Where they changed between two evaluations, the stored answers are
judged again (``rejudged_results``), and then have verdicts on both.
"""

from __future__ import annotations

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

_JUDGED_BY = ("judge_version", "comparison_policy")
_ANSWER = ("evaluation_id", "question_id", "group_id", "split", "outcome", "is_correct")


def benchmark_key(version: Column | str = "benchmark_version") -> Column:
    """What a verdict was given on, alike for verdicts that can be compared."""
    return F.concat_ws(" ", version, *_JUDGED_BY)


def judged_answers(
    eval_results: DataFrame, evaluations: DataFrame, rejudged: DataFrame
) -> DataFrame:
    """Every answer as often as it was judged; ``is_own``: when it was asked.

    ``eval_results`` and ``rejudged`` are rows of those contracts of the same evaluations,
    ``evaluations`` holds theirs. Columns: ``evaluation_id``, ``question_id``, ``group_id``,
    ``split``, ``outcome``, ``is_correct``, ``benchmark``, ``is_own``.
    """
    own = eval_results.where("attempt = 1").join(
        evaluations.select("evaluation_id", *_JUDGED_BY), "evaluation_id", "inner"
    )
    again = rejudged.where("attempt = 1 AND benchmark_version IS NOT NULL")
    return _answers(own, is_own=True).unionByName(_answers(again, is_own=False))


def _answers(judged: DataFrame, *, is_own: bool) -> DataFrame:
    return judged.select(
        *_ANSWER, benchmark_key().alias("benchmark"), F.lit(is_own).alias("is_own")
    )


def judged_verdicts(
    judge_verdicts: DataFrame, eval_results: DataFrame, evaluations: DataFrame, rejudged: DataFrame
) -> DataFrame:
    """Every verdict of every judge, with what it was given on; see ``judged_answers``.

    Columns: ``evaluation_id``, ``question_id``, ``split``, ``judge``, ``value``, ``benchmark``,
    ``is_own``.
    """
    versions = eval_results.where("attempt = 1").select(
        "evaluation_id", "question_id", "benchmark_version"
    )
    own = (
        judge_verdicts.where("attempt = 1")
        .join(versions, ["evaluation_id", "question_id"], "inner")
        .join(evaluations.select("evaluation_id", *_JUDGED_BY), "evaluation_id", "inner")
    )
    again = rejudged.where("attempt = 1 AND benchmark_version IS NOT NULL").select(
        "evaluation_id", "question_id", "split", "benchmark_version", *_JUDGED_BY,
        F.explode("verdicts").alias("judge", "value"),
    )  # fmt: skip
    return _verdicts(own, is_own=True).unionByName(_verdicts(again, is_own=False))


def _verdicts(judged: DataFrame, *, is_own: bool) -> DataFrame:
    return judged.select(
        "evaluation_id", "question_id", "split", "judge", "value",
        benchmark_key().alias("benchmark"), F.lit(is_own).alias("is_own"),
    )  # fmt: skip
