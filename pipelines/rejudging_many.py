"""Judging stored answers again where they are too many for a process: on Spark's executors."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from pipelines.evidence import any_of
from pipelines.judging import Judging
from pipelines.judging_many import JudgedFrames, judge_many
from pipelines.merge_sql import RECORDED_AT
from pipelines.second_opinions import judge_version
from pipelines.tables import Tables
from transforms.contracts import EVAL_RESULTS, EVALUATIONS, REJUDGED_RESULTS
from transforms.identity import content_hash
from transforms.judgement import Execution

_KEY = ("evaluation_id", "question_id", "attempt")


@dataclass(frozen=True, slots=True)
class OneLargeSet:
    """What many answers are to be judged on; see ``OneSet``.

    ``benchmarks`` has one row per ``question_id``, with ``question``, ``benchmark_hash`` and the
    columns of ``rejudged_results`` that describe a benchmark. ``set_hash`` names them together.
    """

    benchmarks: DataFrame
    comparison_policy: str
    set_hash: str


def judge_many_again(
    tables: Tables,
    evaluation_ids: Sequence[str],
    one_set: OneLargeSet,
    judging: Judging,
    execute: Callable[[str], Execution],
    scratch: Path,
) -> bool:
    """The rows that ``judge_again`` gives, none of them at hand; whether there were any.

    No model is asked, as none is about the many answers that these are compared with. ``execute``
    and ``scratch`` are those of ``judge_many``.
    """
    if not evaluation_ids:
        return False
    stale = _stale_answers(tables, evaluation_ids, one_set)
    count = stale.count()
    if not count:
        return False
    judged = judge_many(stale, count, replace(judging, model_judge=None), execute, scratch)
    # All that are stale come in one commit: after it nothing is left to be judged under this name.
    wanted = [sorted(evaluation_ids), one_set.set_hash, *_judged_by(one_set)]
    return tables.append(
        REJUDGED_RESULTS, _rejudged(judged, one_set), transaction=content_hash(wanted)
    )


def _judged_by(one_set: OneLargeSet) -> tuple[str, str]:
    return (judge_version(None), one_set.comparison_policy)


def _stale_answers(
    tables: Tables, evaluation_ids: Sequence[str], one_set: OneLargeSet
) -> DataFrame:
    """What ``stale_answers`` gives, with the columns of the benchmarks that it is judged on now."""
    judges, policy = _judged_by(one_set)
    of_these = any_of("evaluation_id", evaluation_ids)
    by_same = (F.col("judge_version") == judges) & (F.col("comparison_policy") == policy)
    judged_so = tables.read(EVALUATIONS).where(of_these & by_same)
    own = judged_so.select("evaluation_id", F.lit(True).alias("is_by_these_judges"))
    again = tables.read(REJUDGED_RESULTS).where(of_these & by_same)
    was = {name: f"was_{name}" for name in ("expected_sql", "expected_asset")}
    answers = (
        tables.read(EVAL_RESULTS)
        .where(of_these & (F.col("attempt") == 1))
        .drop("benchmark_version", "group_id", "split")
        .withColumnsRenamed(was)
    )
    is_same_benchmark = F.lit(True)
    for name, old in was.items():
        is_same_benchmark &= F.col(name).eqNullSafe(F.col(old))
    is_own = is_same_benchmark & F.coalesce("is_by_these_judges", F.lit(False))
    on_the_set = answers.join(one_set.benchmarks, ["question_id", "question"], "inner")
    return (
        on_the_set.join(own, "evaluation_id", "left")
        .where(~is_own)
        .join(again, [*_KEY, "benchmark_hash"], "left_anti")
        .select(*EVAL_RESULTS.columns)
    )


def _rejudged(judged: JudgedFrames, one_set: OneLargeSet) -> DataFrame:
    judges, policy = _judged_by(one_set)
    said = judged.verdicts.groupBy(*_KEY).agg(
        F.map_from_entries(F.collect_list(F.struct("judge", "value"))).alias("verdicts")
    )
    hashes = one_set.benchmarks.select("question_id", "benchmark_hash")
    return (
        judged.completions.join(said, list(_KEY), "inner")
        .join(hashes, "question_id", "inner")
        .withColumn("judge_version", F.lit(judges))
        .withColumn("comparison_policy", F.lit(policy))
        .withColumn("benchmark_set_hash", F.lit(one_set.set_hash))
        .select(*(name for name in REJUDGED_RESULTS.columns if name != RECORDED_AT))
    )
