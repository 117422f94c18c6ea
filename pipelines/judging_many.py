"""Judging more answers than a process should hold: on Spark's executors, from files of results.

Every query is executed once, by the driver's sessions, a few at a time, and what came of it is a
file. Executors judge portions of answers from these files, by the code that judges them at hand,
and write the rows. Where an answer needs the engine, they say so: queries that show ties are
executed and their answers judged once more; what is left, results that are too large or that no
file holds, is judged by the driver, portion by portion.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from pipelines.judging import (
    UNANSWERED,
    EngineNeededError,
    Judging,
    judge_one,
)
from pipelines.merge_sql import RECORDED_AT
from pipelines.result_files import KnownResults, ResultFiles
from pipelines.second_opinions import NOT_CONFIGURED, NOT_OF_SO_MANY
from transforms.contracts import (
    ARBITER_VERDICTS_TABLE,
    EVAL_RESULTS,
    FAILURES,
    JUDGE_VERDICTS,
    Field,
    Table,
)
from transforms.evaluation_rows import COMPLETION_COLUMNS, JudgedRows
from transforms.judgement import Execution, ValueLookup
from transforms.opinion_replies import Silence
from transforms.opinion_rows import left_open
from transforms.read_queries import ReadQueries
from transforms.space_state import SpaceState

Row = dict[str, Any]

_ROUNDS = 2  # an answer needs one further query at most
_PER_TASK = 2_500  # answers; one that asks much of one task leaves the others idle
_PORTION = 250  # answers whose rows are in a process's memory at once
_KEPT_QUERIES = 128  # of one task, read; its answers come sorted by their queries
_NEEDED = "needed"  # why an answer is not judged: a query, or empty for anything else

_ANSWERED = tuple(name for name in EVAL_RESULTS.columns if name not in COMPLETION_COLUMNS)
_LISTS = {"verdicts": JUDGE_VERDICTS, "failures": FAILURES, "rulings": ARBITER_VERDICTS_TABLE}


@dataclass(frozen=True, slots=True)
class JudgedFrames:
    """The rows that judged answers give, by table; ``recorded_at`` is left out of new ones."""

    completions: DataFrame
    verdicts: DataFrame
    failures: DataFrame
    rulings: DataFrame


def judge_many(
    answers: DataFrame,
    count: int,
    judging: Judging,
    execute: Callable[[str], Execution],
    scratch: Path,
    on_executed: Callable[[int], None] = lambda done: None,
) -> JudgedFrames:
    """What ``judge_answers`` gives for the same answers, which are ``count`` rows of
    ``eval_results``.

    ``execute`` is that of ``judging.executor``, or one like it that remembers nothing. ``scratch``
    is an empty folder that driver and executors see; the frames read from it. ``on_executed`` is
    told how many queries have been executed. Raises only when Spark is gone.
    """
    spark = answers.sparkSession
    files = ResultFiles(scratch / "results")
    workers = judging.workers
    execute_each(_queries_of(answers), execute, files, workers, on_executed)
    schema = _arrow_schema(spark)
    work = _JudgeOnExecutor(
        scratch / "results",
        judging.state,
        judging.values,
        judging.comparison_policy,
        schema,
        NOT_CONFIGURED if judging.model_judge is None else NOT_OF_SO_MANY,
    )
    pending, written = answers.select(*_ANSWERED), []
    for number in range(1, _ROUNDS + 1):
        path = str(scratch / f"round-{number}")
        _spread(pending, count).mapInArrow(work, _DDL).write.parquet(path)
        written.append(path)
        left = spark.read.schema(_DDL).parquet(path).where(F.col(_NEEDED).isNotNull())
        queries = left.where(F.col(_NEEDED) != "").select(F.col(_NEEDED).alias("sql")).distinct()
        if number == _ROUNDS or queries.isEmpty():
            break
        execute_each(_texts(queries), execute, files, workers)
        pending = left.select(*_ANSWERED)
    by_driver = scratch / "by-driver"
    if _judge_here(left.select(*_ANSWERED), judging, by_driver, work):
        written.append(str(by_driver))
    return _frames(spark.read.schema(_DDL).parquet(*written).where(F.col(_NEEDED).isNull()))


def _queries_of(answers: DataFrame) -> Iterator[str]:
    """Every query of the answers, once."""
    is_answered = ~F.col("answer_outcome").isin(*UNANSWERED)
    texts = answers.where(is_answered).select(
        F.explode(F.array("expected_sql", "genie_sql")).alias("sql")
    )
    return _texts(texts.where("sql IS NOT NULL").distinct())


def _texts(queries: DataFrame) -> Iterator[str]:
    return (row["sql"] for row in queries.toLocalIterator())


def execute_each(
    queries: Iterable[str],
    execute: Callable[[str], Execution],
    files: ResultFiles,
    workers: int,
    on_executed: Callable[[int], None] = lambda done: None,
) -> None:
    """Execute queries and keep what comes of them, ``workers`` at once and none held afterwards."""

    def run(sql: str) -> None:
        files.keep(sql, execute(sql))

    under_way: set[Future[None]] = set()
    with ThreadPoolExecutor(workers, thread_name_prefix="execute") as pool:
        for done, sql in enumerate(queries):
            if len(under_way) > workers:
                over, under_way = wait(under_way, return_when=FIRST_COMPLETED)
                for future in over:
                    future.result()
            under_way.add(pool.submit(run, sql))
            on_executed(done)
        for future in under_way:
            future.result()


def _spread(answers: DataFrame, count: int) -> DataFrame:
    """The answers in tasks, those to one expected query together: it is read and held once."""
    tasks = max(1, -(-count // _PER_TASK))
    together = answers.repartition(tasks, "expected_sql")
    return together.sortWithinPartitions("expected_sql", "genie_sql")


@dataclass(frozen=True, slots=True)
class _JudgeOnExecutor:
    """Judges batches of answers from files of results."""

    results: Path
    state: SpaceState
    values: ValueLookup
    comparison_policy: str
    schema: pa.Schema
    no_model: Silence

    def __call__(self, batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        engine = KnownResults(ResultFiles(self.results))
        judging = Judging(
            executor=engine,
            state=self.state,
            values=self.values,
            comparison_policy=self.comparison_policy,
            workers=1,
            queries=ReadQueries(self.state, size=_KEPT_QUERIES),
            hash_of=engine.hash_of,
        )
        for batch in batches:
            for start in range(0, batch.num_rows, _PORTION):
                answers = batch.slice(start, _PORTION).to_pylist()
                rows = [self._judged_or_needed(answer, judging) for answer in answers]
                yield pa.RecordBatch.from_pylist(rows, schema=self.schema)

    def judged(self, answer: Row, judging: Judging) -> Row:
        """The rows of one answer as one row."""
        return _as_one(left_open(judge_one(answer, judging), self.no_model))

    def _judged_or_needed(self, answer: Row, judging: Judging) -> Row:
        try:
            return self.judged(answer, judging)
        except EngineNeededError as error:
            is_own = error.sql in (answer["expected_sql"], answer["genie_sql"])
            # Both queries were executed: a result that no file holds is with the engine alone.
            return {**answer, _NEEDED: "" if is_own or error.sql is None else error.sql}


def _as_one(judged: JudgedRows) -> Row:
    """The rows of one answer as one row."""
    (completion,) = judged.completions
    lists = {"verdicts": judged.verdicts, "failures": judged.failures, "rulings": judged.rulings}
    return {**completion, **lists}


def _judge_here(answers: DataFrame, judging: Judging, folder: Path, work: _JudgeOnExecutor) -> bool:
    """Judge answers with the engine at hand, portion by portion; whether there were any."""
    rows = (row.asDict(recursive=True) for row in answers.toLocalIterator())
    number = 0
    with ThreadPoolExecutor(judging.workers, thread_name_prefix="judge") as pool:
        while portion := list(islice(rows, _PORTION)):
            number += 1
            judged = pool.map(lambda answer: work.judged(answer, judging), portion)
            folder.mkdir(parents=True, exist_ok=True)
            table = pa.Table.from_pylist(list(judged), schema=work.schema)
            pq.write_table(table, folder / f"part-{number:06}.parquet")
    return number > 0


def _frames(judged: DataFrame) -> JudgedFrames:
    def listed(name: str) -> DataFrame:
        return judged.select(F.explode(name).alias("one")).select("one.*")

    return JudgedFrames(
        judged.select(*EVAL_RESULTS.columns),
        **{name: listed(name) for name in _LISTS},
    )


def _typed(fields: Iterable[Field], between: str) -> str:
    return ", ".join(f"{field.name}{between}{field.data_type}" for field in fields)


def _list_of(table: Table) -> str:
    own = (field for field in table.fields if field.name != RECORDED_AT)
    return f"ARRAY<STRUCT<{_typed(own, ': ')}>>"


_DDL = ", ".join(
    (
        _typed(EVAL_RESULTS.fields, " "),
        *(f"{name} {_list_of(table)}" for name, table in _LISTS.items()),
        f"{_NEEDED} STRING",
    )
)


def _arrow_schema(spark: SparkSession) -> pa.Schema:
    """``_DDL`` as Arrow has it in this session."""
    return spark.createDataFrame([], _DDL).toArrow().schema
