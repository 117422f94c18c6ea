"""What optimize costs: a million new failures at once, and ten thousand with a million behind.

Run it with ``python -m perf.optimize_scale [--share N]``; ``--share 10`` makes all counts a tenth.
Both figures come from one run: the million is taken in first and is then what lies behind the ten
thousand, which are taken in once more where nothing lies behind. The driver has 4 GB. Prints
seconds, the ratio, what came out, the largest memory of the JVM, and the machine; run it alone.
"""

from __future__ import annotations

import argparse
import dataclasses
import os
import tempfile
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from jobs.home import Home
from jobs.session import SessionSettings, open_session
from perf.machine import describe_machine, seconds
from pipelines.optimize import optimize
from pipelines.tables import Tables
from transforms.contracts import (
    BATCHES,
    BENCHMARKS,
    CLUSTERS,
    EVAL_RESULTS,
    EVALUATIONS,
    FAILURES,
    LEAK_REFUSALS,
    PROFILES,
    PROPOSALS,
    SPACES,
)

SPACES_COUNT = 10
OLD_EVALUATIONS = 10  # of each space
COLUMNS = 40  # blamed columns of a space, 20 in a table
# Causes that the facts of a column are evidence enough for: each cluster gets a proposal.
RULES = (
    "filter_missing",
    "literal_spelled_differently",
    "literal_not_in_column",
    "literal_wrong",
    "pattern_instead_of_value",
)
TYPES = ("missing_filter",) * len(RULES)
DRIVER_MEMORY = "4g"


@dataclass(frozen=True)
class Wave:
    """One evaluation of every space: all of its questions fail."""

    number: int
    questions: int  # of each space
    first_column: int = 0


def main(share: int) -> None:
    """Measure, with all counts divided by ``share``."""
    print(describe_machine(), f"driver {DRIVER_MEMORY}", sep=", ")
    old_questions = 1_000_000 // SPACES_COUNT // OLD_EVALUATIONS // share
    new_questions = 10_000 // SPACES_COUNT // share
    old = [Wave(number, old_questions) for number in range(OLD_EVALUATIONS)]
    # Half of what the new ones blame was blamed before.
    new = Wave(OLD_EVALUATIONS, new_questions, first_column=COLUMNS // 2)
    settings = dataclasses.replace(
        SessionSettings.from_environment(os.environ), driver_memory=DRIVER_MEMORY
    )
    with tempfile.TemporaryDirectory() as scratch:
        home = Home(Path(scratch))
        with open_session(home, settings, command="perf", now=_now()) as spark:
            histories = {}
            for schema in ("warm", "bare", "long"):
                histories[schema] = Tables(spark, schema=schema, clock=_now)
                histories[schema].create()
                _add_spaces(histories[schema], old_questions)
            _add_wave(histories["warm"], dataclasses.replace(new, questions=10))
            print(f"warm-up: {_optimize(histories['warm'], home):.0f} s")
            for wave in old:
                _add_wave(histories["long"], wave)
            print(f"1,000,000 / {share} new: {_optimize(histories['long'], home):.0f} s")
            _print_counts(histories["long"])
            for schema in ("bare", "long"):
                _add_wave(histories[schema], new)
            without = _optimize(histories["bare"], home)
            _print_counts(histories["bare"])
            behind = _optimize(histories["long"], home)
            _print_counts(histories["long"])
    print(f"10,000 / {share} new: {without:.1f} s with none behind, {behind:.1f} s with the old")
    print(f"ratio {behind / without:.2f}")


def _now() -> datetime:
    return datetime.now(UTC)


def _optimize(tables: Tables, home: Home) -> float:
    checkpoint = str(home.checkpoints / tables.schema)
    return seconds(lambda: optimize(tables, checkpoint=checkpoint))


def _print_counts(tables: Tables) -> None:
    counted = (FAILURES, CLUSTERS, PROPOSALS, LEAK_REFUSALS, BATCHES)
    counts = {table.name: tables.read(table).count() for table in counted}
    told = ", ".join(f"{count:,} {name}" for name, count in counts.items())
    print(f"  {tables.schema}: {told}; largest memory of the JVM: {_jvm_peak():.1f} GiB")
    if not counts[BATCHES.name]:
        raise SystemExit("nothing was proposed: RULES have to be causes that proposers know")


def _jvm_peak() -> float:
    """GiB that the JVM, a child of this process, had resident at most; 0 without /proc."""
    peaks = [0]
    for status in Path("/proc").glob("[0-9]*/status"):
        fields = dict(line.split(":", 1) for line in status.read_text().splitlines() if ":" in line)
        if fields["Name"].strip() == "java" and int(fields["PPid"]) == os.getpid():
            peaks.append(int(fields["VmHWM"].split()[0]))
    return max(peaks) / 2**20


def _spaces(tables: Tables) -> DataFrame:
    ids = tables.spark.range(SPACES_COUNT).withColumnRenamed("id", "space")
    return ids.withColumn("space_id", F.concat(F.lit("space-"), "space"))


def _questions(tables: Tables, count: int, first_column: int = 0) -> DataFrame:
    """``count`` questions of every space, each about one of its columns, by one of the rules."""
    numbers = tables.spark.range(count).withColumnRenamed("id", "question_number")
    column = (F.col("question_number") % COLUMNS + first_column).cast("int")
    rule = (F.floor(F.col("question_number") / COLUMNS) % len(RULES)).cast("int")
    name = F.concat(
        F.lit("shop_"), "space", F.lit(".table_"), F.floor(column / 20), F.lit(".column_"), column
    )
    return (
        _spaces(tables)
        .crossJoin(numbers)
        .withColumn("question_id", F.concat(F.lit("q-"), "question_number"))
        .withColumn("group_id", F.concat("space_id", F.lit("-g-"), "question_number"))
        .withColumn("column_name", name)
        .withColumn("rule", _nth(RULES, rule))
        .withColumn("failure_type", _nth(TYPES, rule))
        .withColumn(
            "question",
            F.concat(F.lit("How does "), "column_name", F.lit(" change for case "),
                     "question_number", F.lit(" in the years after it was first seen?")),
        )
        .withColumn(
            "expected_sql",
            F.concat(F.lit("SELECT "), "column_name", F.lit(" FROM facts WHERE case_id = "),
                     "question_number"),
        )
    )  # fmt: skip


def _nth(names: tuple[str, ...], position: Column) -> Column:
    return F.element_at(F.array(*(F.lit(name) for name in names)), position + 1)


def _add_spaces(tables: Tables, questions: int) -> None:
    spaces = _spaces(tables).select(
        "space_id",
        F.col("space_id").alias("registration_id"),
        F.lit(1).alias("ordinal"),
        F.col("space_id").alias("title"),
        F.lit("perf").alias("domain"),
        F.concat(F.lit("shop_"), "space").alias("data_schema"),
        F.lit("manual").alias("policy"),
        F.lit("bag").alias("comparison_policy"),
        F.lit("{}").alias("config"),
        F.lit(0.85).alias("target_accuracy"),
        F.lit(12).alias("max_applied_batches"),
    )
    tables.append(SPACES, _filled(SPACES.columns, spaces), transaction="perf")
    benchmarks = _questions(tables, questions).select(
        "space_id",
        "question_id",
        F.lit(1).alias("benchmark_version"),
        F.col("question_id").alias("benchmark_hash"),
        "group_id",
        "question",
        "expected_sql",
        F.lit("train").alias("split"),
        F.lit("imported").alias("source"),
        F.lit("active").alias("status"),
    )
    tables.append(BENCHMARKS, _filled(BENCHMARKS.columns, benchmarks), transaction="perf")
    columns = tables.spark.range(COLUMNS * 2).withColumnRenamed("id", "number")
    table = F.concat(F.lit("shop_"), "space", F.lit(".table_"), F.floor(F.col("number") / 20))
    profiles = (
        _spaces(tables)
        .crossJoin(columns)
        .select(
            "space_id",
            F.concat_ws("/", "space_id", "number").alias("profile_id"),
            table.alias("table_name"),
            F.lit(0).cast("bigint").alias("table_version"),
            F.concat(F.lit("column_"), "number").alias("column_name"),
            F.lit("string").alias("data_type"),
            F.lit(False).alias("is_primary_key"),
            F.lit(1_000).cast("bigint").alias("row_count"),
            F.lit(3).cast("bigint").alias("distinct_count"),
            F.lit(0).cast("bigint").alias("null_count"),
            F.array(F.lit("open"), F.lit("shipped"), F.lit("returned")).alias("sample_values"),
            F.lit(True).alias("is_sample_complete"),
        )
    )
    tables.append(PROFILES, _filled(PROFILES.columns, profiles), transaction="perf")


def _filled(names: tuple[str, ...], rows: DataFrame) -> DataFrame:
    """Rows with the columns of a contract that they leave out, NULL."""
    missing = [name for name in names if name not in (*rows.columns, "recorded_at")]
    return rows.withColumns({name: F.lit(None) for name in missing})


def _add_wave(tables: Tables, wave: Wave) -> None:
    """Write a wave as the evaluate job does: an evaluation's rows in files of their own."""
    name = F.concat(F.lit("evaluation-"), F.substring(F.sha2(F.concat_ws(
        "/", "space_id", F.lit(wave.number)), 256), 1, 20))  # fmt: skip
    asked = (
        _questions(tables, wave.questions, wave.first_column)
        .withColumn("evaluation_id", name)
        .withColumn("attempt", F.lit(1))
        .withColumn("split", F.lit("train"))
        .withColumn("genie_sql", F.lit("SELECT other FROM facts"))
        .repartitionByRange(SPACES_COUNT, "evaluation_id")
    )
    transaction = f"wave-{wave.number}"
    results = asked.withColumns(
        {
            "benchmark_version": F.lit(1),
            "answer_outcome": F.lit("answered"),
            "ask_count": F.lit(1),
            "outcome": F.lit("incorrect"),
            "is_correct": F.lit(False),
        }
    )
    tables.append(EVAL_RESULTS, _filled(EVAL_RESULTS.columns, results), transaction=transaction)
    failures = asked.withColumns(
        {
            "failure_id": F.concat_ws("/", "evaluation_id", "question_id"),
            "verdict_id": F.concat_ws("/", "evaluation_id", "question_id"),
            "ordinal": F.lit(1),
            "judge": F.lit("schema_accuracy"),
            "asi": _asi(),
            "expected_fragment": F.col("column_name"),
            "actual_fragment": F.concat("column_name", F.lit("_old")),
            "unexplained_terms": F.array(F.concat(F.lit("word"), F.col("question_number") % 7)),
            "confirmation": F.lit("confirmed"),
        }
    )
    tables.append(FAILURES, _filled(FAILURES.columns, failures), transaction=transaction)
    evaluations = [
        _evaluation(row["space_id"], row["evaluation_id"], wave)
        for row in asked.select("space_id", "evaluation_id").distinct().collect()
    ]
    tables.append_rows(EVALUATIONS, evaluations, transaction=transaction)


def _asi() -> Column:
    nothing = F.lit(None).cast("string")
    return F.struct(
        F.col("failure_type"),
        F.lit("major").alias("severity"),
        F.lit(0.8).alias("confidence"),
        F.lit("SELECT").alias("wrong_clause"),
        F.array(F.concat(F.lit("column:"), "column_name")).alias("blame_set"),
        nothing.alias("quoted_metadata_text"),
        nothing.alias("missing_metadata"),
        F.lit(False).alias("ambiguity_detected"),
        nothing.alias("expected_value"),
        nothing.alias("actual_value"),
        F.concat(F.lit("Describe "), "column_name").alias("counterfactual_fix"),
        nothing.alias("affected_question_pattern"),
    )


def _evaluation(space_id: str, evaluation_id: str, wave: Wave) -> dict[str, object]:
    now = _now()
    return {
        "space_id": space_id,
        "evaluation_id": evaluation_id,
        "request_id": evaluation_id,
        "iteration": wave.number,
        "kind": "baseline",
        "answerer": "recorded:perf",
        "state_hash": "perf",
        "benchmark_set_hash": "perf",
        "judge_version": "perf",
        "comparison_policy": "bag",
        "model_id": "perf",
        "mlflow_run_id": "perf",
        "data_versions": {},
        "question_count": wave.questions,
        "correct_count": 0,
        "accuracy": 0.0,
        "outcome_counts": {"incorrect": wave.questions},
        "arbiter_counts": {},
        "failure_count": wave.questions,
        "splits": [],
        "started_at": now,
        "finished_at": now,
    }


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--share", type=int, default=1, help="divide all counts by this")
    main(parser.parse_args().share)
