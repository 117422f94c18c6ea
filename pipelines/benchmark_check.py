"""Executes the expected SQL of a space's benchmarks and says what is wrong or weak with them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from typing import Any

from pyspark.sql import functions as F

from pipelines.execution import Executor
from pipelines.questions import active_benchmarks
from pipelines.tables import Tables
from transforms.benchmark_coverage import Coverage, coverage
from transforms.benchmark_findings import (
    Answerers,
    BenchmarkFinding,
    Tried,
    alike,
    check_benchmark,
    in_order,
)
from transforms.benchmark_probes import assets_read, tie_probe
from transforms.contracts import EVAL_RESULTS, EVALUATIONS
from transforms.space_state import SpaceState


@dataclass(frozen=True, slots=True)
class BenchmarkCheck:
    """What was found; ``benchmarks`` are the rows that were checked, active ones of all splits."""

    benchmarks: tuple[Mapping[str, Any], ...]
    findings: tuple[BenchmarkFinding, ...]
    coverage: Coverage


def check_benchmarks(
    tables: Tables,
    space_id: str,
    state: SpaceState,
    executor: Executor,
    *,
    workers: int,
    on_checked: Callable[[int, int], None] = lambda done, total: None,
) -> BenchmarkCheck:
    """Check every active benchmark of a space against its ``state`` as it is now.

    ``executor`` has to know no results from before: queries that are executed again are to run
    again. Writes nothing.
    """
    benchmarks = active_benchmarks(tables, space_id)
    answerers = _answerers(tables, benchmarks)
    findings = list(alike(benchmarks))
    with ThreadPoolExecutor(workers, thread_name_prefix="check") as pool:
        tried = pool.map(partial(_try, executor), (row["expected_sql"] for row in benchmarks))
        for done, (benchmark, one) in enumerate(zip(benchmarks, tried, strict=True), start=1):
            known = answerers.get(benchmark["question_id"])
            findings += check_benchmark(benchmark, one, state, known)
            on_checked(done, len(benchmarks))
    assets = {row["question_id"]: assets_read(row["expected_sql"], state) for row in benchmarks}
    return BenchmarkCheck(
        tuple(benchmarks), tuple(in_order(findings)), coverage(benchmarks, assets, state)
    )


def _try(executor: Executor, sql: str) -> Tried:
    result = executor.execute(sql)
    if result.rows is None:
        return Tried(result)
    again = executor.execute(f"{sql}\n")  # the same text would give the same result
    probe = tie_probe(sql)
    probed = None if probe is None else executor.execute(probe.sql)
    return Tried(result, again, probe, probed)


def _answerers(tables: Tables, benchmarks: Sequence[Mapping[str, Any]]) -> dict[str, Answerers]:
    """By question how its newest answers went, of every answerer of any space that was asked it."""
    if not benchmarks:
        return {}
    asked = tables.spark.createDataFrame(
        [(row["question_id"], row["question"], row["expected_sql"]) for row in benchmarks],
        "question_id STRING, question STRING, expected_sql STRING",
    )
    evaluations = tables.read(EVALUATIONS).select("evaluation_id", "answerer", "started_at")
    newest = (
        tables.read(EVAL_RESULTS)
        .where("attempt = 1 AND outcome <> 'infrastructure'")
        .join(asked, ["question_id", "question", "expected_sql"], "left_semi")
        .join(evaluations, "evaluation_id", "inner")
        .groupBy("question_id", "answerer")
        .agg(F.max_by(F.coalesce("is_correct", F.lit(False)), "started_at").alias("is_right"))
        .groupBy("question_id")
        .agg(F.count("*").alias("asked_count"), F.count_if("is_right").alias("right_count"))
    )
    return {
        row["question_id"]: Answerers(row["asked_count"], row["right_count"])
        for row in newest.collect()
    }
