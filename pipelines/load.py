"""Loading a folder: Delta tables of data, benchmarks, one space for each recorded system.

Everything is checked before the first write. Then, in this order: the data tables, ``quarantine``,
``benchmarks``, ``spaces``, and last ``evaluation_requests``, which starts the evaluate job. Every
step writes only what is missing, so that a kill in the middle and a second run leave what one run
leaves, and loading the same folder again commits nothing. Tables that a folder no longer has stay
where they are.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import reduce
from pathlib import Path
from typing import Any

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from genie.live_space import live_space_id
from pipelines.codegen import compiled_for
from pipelines.load_files import AnswersFile, Folder, read_folder
from pipelines.load_tables import TABLES_AT_ONCE, PreparedTable, prepare_tables, write_table
from pipelines.question_files import SetAside
from pipelines.questions import active_benchmarks
from pipelines.spaces import (
    Registration,
    Space,
    register_spaces,
    registered_spaces,
    request_evaluations,
)
from pipelines.tables import Tables, quote_name
from transforms.benchmarks import BenchmarkQuestion, new_versions
from transforms.contracts import BENCHMARKS, QUARANTINE, SPLITS
from transforms.identity import content_hash
from transforms.spark_ids import id_column

_SET_ASIDE = (
    "intended_table STRING, source_path STRING, source_line BIGINT, raw_row STRING, reason STRING"
)
# A folder gives a space its first configuration; after that the loop and people change it.
_KEPT = (
    "config", "policy", "comparison_policy", "target_accuracy", "max_applied_batches",
    "warehouse_id", "repo_home",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class LoadedTable:
    """A data table: rows in it, rows of its file set aside, whether it was written now."""

    name: str
    row_count: int
    quarantined_count: int
    is_written: bool


@dataclass(frozen=True, slots=True)
class LoadedSpace:
    """A space: where its answers come from and how many there are (None: no answerer)."""

    space_id: str
    answerer: str | None
    answer_count: int | None


@dataclass(frozen=True, slots=True)
class LoadReport:
    """What a folder became. ``split_counts`` are questions; ``wrote`` is the number of commits."""

    data_schema: str
    tables: tuple[LoadedTable, ...]
    spaces: tuple[LoadedSpace, ...]
    question_count: int
    quarantined_question_count: int
    group_count: int
    split_counts: dict[str, int]
    request_ids: tuple[str, ...]
    wrote: int


def load(
    tables: Tables,
    path: Path,
    *,
    name: str | None = None,
    policy: str | None = None,
    target_accuracy: float | None = None,
    requested_by: str = "load",
    progress: Callable[[str, int, int], None] = lambda what, done, total: None,
) -> LoadReport:
    """Load a folder as spaces; ``name`` replaces the folder's own name as data schema.

    ``policy`` is who approves batches, ``target_accuracy`` (0-1) where the loop stops; None leaves
    them as they are, manual and 0.85 at first. Raises
    InvalidInputError with every fault of the folder, and writes nothing then.
    """
    folder = read_folder(path, name=name, history_schema=tables.schema)
    database = quote_name(tables.catalog, folder.name)
    size_bytes = sum(file.path.stat().st_size for file in folder.tables)
    with compiled_for(tables.spark, size_bytes):
        prepared = prepare_tables(tables.spark, database, folder.tables)
    spaces = _spaces(folder, registered_spaces(tables), policy, target_accuracy)

    if not tables.spark.catalog.databaseExists(database):
        tables.spark.sql(f"CREATE SCHEMA IF NOT EXISTS {database}")
    written: list[bool] = []
    with (
        compiled_for(tables.spark, size_bytes),
        ThreadPoolExecutor(TABLES_AT_ONCE, thread_name_prefix="load") as pool,
    ):
        for is_written in pool.map(write_table, prepared):
            written.append(is_written)
            progress("load tables", len(written), len(prepared))
    wrote = sum(written)
    wrote += _set_aside(tables, folder, prepared)
    wrote += record_benchmarks(tables, folder.questions, [space.space_id for space in spaces])
    wrote += register_spaces(tables, spaces)
    answered = [space.space_id for space in spaces if space.answerer]
    request_ids = request_evaluations(tables, answered, requested_by=requested_by)
    return LoadReport(
        data_schema=folder.name,
        tables=tuple(
            LoadedTable(
                f"{folder.name}.{table.file.spec.name.lower()}",
                table.row_count,
                table.bad_count,
                is_written,
            )
            for table, is_written in zip(prepared, written, strict=True)
        ),
        spaces=tuple(_loaded(space, folder.answers) for space in spaces),
        question_count=len(folder.questions),
        quarantined_question_count=len(folder.set_aside),
        **_group_counts(tables, spaces[0].space_id),
        request_ids=request_ids,
        wrote=wrote + bool(request_ids),
    )


def _spaces(
    folder: Folder,
    registered: Mapping[str, Registration],
    policy: str | None,
    target_accuracy: float | None,
) -> tuple[Space, ...]:
    """The folder's spaces; what people or the loop have set since the first load is kept."""
    title = folder.schema.title or folder.name

    def space(space_id: str, title: str, answers: AnswersFile | None) -> Space:
        before = registered.get(space_id)
        fresh = Space(
            space_id,
            title,
            folder.schema.domain or folder.name,
            folder.name,
            answerer=f"recorded:{answers.path}" if answers else None,
            answerer_hash=answers.recorded.file_hash if answers else None,
            config=folder.schema.config.to_json(),
        )
        kept = {name: getattr(before.space, name) for name in _KEPT} if before else {}
        if before is not None and live_space_id(before.space.answerer) is not None:
            kept["answerer"] = before.space.answerer
        if policy is not None:
            kept["policy"] = policy
        if target_accuracy is not None:
            kept["target_accuracy"] = target_accuracy
        return replace(fresh, **kept)

    if not folder.answers:
        return (space(folder.name, title, None),)
    return tuple(
        space(f"{folder.name}-{answers.stem}", f"{title}, answered by {answers.stem}", answers)
        for answers in folder.answers
    )


def _set_aside(tables: Tables, folder: Folder, prepared: Sequence[PreparedTable]) -> bool:
    """Record, in one commit, what could not be taken in; whether there was anything new."""
    parts = [_set_aside_frame(tables, folder.set_aside)] if folder.set_aside else []
    for table in prepared:
        if table.bad is not None:
            intended = f"{folder.name}.{table.file.spec.name.lower()}"
            parts.append(
                table.bad.select(
                    F.lit(intended).alias("intended_table"),
                    F.lit(table.file.label).alias("source_path"),
                    "source_line",
                    "raw_row",
                    "reason",
                )
            )
    return _quarantine(tables, folder.name, parts)


def set_aside_questions(tables: Tables, space_id: str, items: Sequence[SetAside]) -> bool:
    """Record questions that cannot be benchmarks; whether there was anything new."""
    return _quarantine(tables, space_id, [_set_aside_frame(tables, items)] if items else [])


def _set_aside_frame(tables: Tables, items: Sequence[SetAside]) -> DataFrame:
    lines = [
        (item.intended_table, item.source_path, item.source_line, item.raw_row, item.reason)
        for item in items
    ]
    return tables.spark.createDataFrame(lines, _SET_ASIDE)


def _quarantine(tables: Tables, space_id: str, parts: Sequence[DataFrame]) -> bool:
    if not parts:
        return False
    key = (F.col(column).cast("string") for column in QUARANTINE.key)
    rows = (
        reduce(DataFrame.unionByName, parts)
        .withColumn("space_id", F.lit(space_id))
        .withColumn("quarantine_id", id_column("quarantine", *key))
    )
    return tables.merge(QUARANTINE, rows)


def recorded_benchmarks(
    tables: Tables, space_ids: Sequence[str]
) -> dict[str, list[dict[str, Any]]]:
    """By space its rows of ``benchmarks``, all versions, without ``recorded_at``."""
    recorded: dict[str, list[dict[str, Any]]] = {space_id: [] for space_id in space_ids}
    held = tables.read(BENCHMARKS).where(F.col("space_id").isin(list(recorded))).collect()
    for row in held:
        values = row.asDict()
        del values["recorded_at"]
        recorded[row["space_id"]].append(values)
    return recorded


def record_benchmarks(
    tables: Tables, questions: Sequence[BenchmarkQuestion], space_ids: Sequence[str]
) -> bool:
    """Record what is new or changed among the questions, for each space; whether it committed."""
    recorded = recorded_benchmarks(tables, space_ids)
    rows = [
        {**row, "space_id": space_id}
        for space_id in space_ids
        for row in new_versions(questions, recorded[space_id])
    ]
    return tables.append_rows(BENCHMARKS, rows, transaction=content_hash(rows))


def _loaded(space: Space, answers: Sequence[AnswersFile]) -> LoadedSpace:
    counts = {f"recorded:{file.path}": len(file.recorded.sql_by_question) for file in answers}
    return LoadedSpace(space.space_id, space.answerer, counts.get(space.answerer or ""))


def _group_counts(tables: Tables, space_id: str) -> dict[str, Any]:
    """Groups and questions per split of what is to be asked."""
    rows = active_benchmarks(tables, space_id)
    counts = {split: sum(row["split"] == split for row in rows) for split in SPLITS}
    return {"group_count": len({row["group_id"] for row in rows}), "split_counts": counts}
