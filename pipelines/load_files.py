"""Reading and checking a folder that is to become a space. Touches nothing but the files.

Every structural fault is collected and told at once with its file and line. Single questions that
cannot be benchmarks (no SQL, not a read-only query) are not faults: they go to the quarantine.
"""

from __future__ import annotations

import csv
import hashlib
import re
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

import pyarrow.parquet
from pyarrow import ArrowException

from genie.recorded import RecordedAnswers, check_recorded_answers
from pipelines.question_files import QUESTION_FILES, ReadQuestions, SetAside, read_question_file
from pipelines.schema_file import TABLE_NAME, SchemaFile, TableSpec, read_schema_file
from transforms.benchmarks import BenchmarkQuestion
from transforms.errors import InvalidInputError
from transforms.identity import content_hash
from transforms.wording import count

_FORMAT_VERSION = 1  # part of every content hash: another way of writing loads tables anew
_RESERVED_SCHEMAS = ("default", "information_schema", "system", "global_temp", "session")
_STEM = re.compile(r"[A-Za-z0-9_.-]+")


@dataclass(frozen=True, slots=True)
class TableFile:
    """A declared table and its file.

    ``columns`` is the file's header; ``content_hash`` covers the bytes and the declaration.
    """

    spec: TableSpec
    path: Path
    label: str
    columns: tuple[str, ...]
    content_hash: str


@dataclass(frozen=True, slots=True)
class AnswersFile:
    """Recorded answers of one system; ``stem`` names it."""

    stem: str
    path: Path
    recorded: RecordedAnswers


@dataclass(frozen=True, slots=True)
class Folder:
    """A checked folder. ``name`` becomes the data schema."""

    name: str
    schema: SchemaFile
    tables: tuple[TableFile, ...]
    questions: tuple[BenchmarkQuestion, ...]
    set_aside: tuple[SetAside, ...]
    answers: tuple[AnswersFile, ...]


def read_folder(path: Path, *, name: str | None = None, history_schema: str) -> Folder:
    """The folder, checked. ``name`` replaces the folder's own name as data schema.

    Raises InvalidInputError with every structural fault found.
    """
    name = name or path.resolve().name
    if not path.is_dir():
        raise InvalidInputError(
            "not a folder", where=str(path), remedy="give a folder with tables/ and questions"
        )
    problems = _name_problems(name, history_schema)
    schema, schema_problems = _read_schema(path, name)
    tables, table_problems = _match_tables(path, name, schema)
    asked = _read_questions(path, name)
    # An answer to a question whose line is faulty would only be told twice.
    known = None if asked.problems else asked.known_ids
    answers, answer_problems = _read_answers(path, name, known)
    problems += [*schema_problems, *table_problems, *asked.problems, *answer_problems]
    if problems:
        raise InvalidInputError(
            f"{count(len(problems), 'fault')}; nothing was loaded",
            where=str(path),
            remedy="correct the files and load the folder again",
            problems=problems,
        )
    return Folder(name.lower(), schema, tables, asked.questions, asked.set_aside, answers)


def read_questions(
    folder: Path, name: str
) -> tuple[tuple[BenchmarkQuestion, ...], tuple[SetAside, ...]]:
    """The questions of a folder and those that cannot be benchmarks.

    None where there is no file, or an empty one. Raises InvalidInputError with every fault of the
    file.
    """
    files = [folder / f"questions{suffix}" for suffix in QUESTION_FILES]
    if not any(path.is_file() and path.read_bytes().strip() for path in files):
        return (), ()
    found = _read_questions(folder, name).checked(str(folder))
    return found.questions, found.set_aside


def _read_questions(folder: Path, name: str) -> ReadQuestions:
    path, problems = _one_of(folder, "questions", QUESTION_FILES)
    if path is None:
        return ReadQuestions(problems=tuple(problems))
    return read_question_file(path, f"{name}/{path.name}")


def _name_problems(name: str, history_schema: str) -> list[str]:
    if not TABLE_NAME.fullmatch(name):
        return [f"{name!r} cannot name a schema: use letters, digits and _, or give a --name"]
    if name.lower() in (*_RESERVED_SCHEMAS, history_schema.lower()):
        return [f"{name!r} is the name of another schema: rename the folder or give a --name"]
    return []


def _one_of(folder: Path, stem: str, suffixes: tuple[str, ...]) -> tuple[Path | None, list[str]]:
    found = [path for suffix in suffixes if (path := folder / f"{stem}{suffix}").is_file()]
    if len(found) == 1:
        return found[0], []
    names = ", ".join(f"{stem}{suffix}" for suffix in suffixes)
    if found:
        return None, [f"{folder.name}: only one of {names} is expected"]
    return None, [f"{folder.name}: there is none of {names}"]


def _read_schema(folder: Path, name: str) -> tuple[SchemaFile, list[str]]:
    path, problems = _one_of(folder, "schema", (".json", ".yaml", ".yml"))
    if path is None:
        return SchemaFile(()), problems
    return read_schema_file(path, f"{name}/{path.name}")


def _match_tables(
    folder: Path, name: str, schema: SchemaFile
) -> tuple[tuple[TableFile, ...], list[str]]:
    problems: list[str] = []
    files: dict[str, Path] = {}
    for path in _visible_files(folder / "tables"):
        label = f"{name}/tables/{path.name}"
        key = path.stem.lower()
        if path.suffix not in (".parquet", ".csv"):
            problems.append(f"{label}: tables are read from .parquet and .csv files")
        elif key in files:
            problems.append(f"{label}: {files[key].name} holds a table of that name")
        elif schema.tables and key not in {table.name.lower() for table in schema.tables}:
            problems.append(f"{label}: the schema does not declare this table")
        else:
            files[key] = path
    tables = []
    for spec in schema.tables:
        found = files.get(spec.name.lower())
        if found is None:
            problems.append(f"{name}/tables: there is no file for table {spec.name}")
            continue
        label = f"{name}/tables/{found.name}"
        columns, column_problems = _match_columns(found, label, spec)
        problems += column_problems
        tables.append(TableFile(spec, found, label, columns, _table_hash(found, spec)))
    return tuple(tables), problems


def _visible_files(folder: Path) -> list[Path]:
    if not folder.is_dir():
        return []
    return sorted(path for path in folder.iterdir() if not path.name.startswith((".", "_")))


def _match_columns(path: Path, label: str, spec: TableSpec) -> tuple[tuple[str, ...], list[str]]:
    """The columns of a file, and what a glance at its header finds wrong."""
    try:
        is_parquet = path.suffix == ".parquet"
        columns, row_count = _parquet_header(path) if is_parquet else _csv_header(path)
    except (OSError, ArrowException, UnicodeDecodeError, csv.Error) as error:
        return (), [f"{label}: cannot be read: {error}"]
    problems = [f"{label}:1: column {column} occurs twice" for column in _repeated(columns)]
    found = {column.lower() for column in columns}
    declared = {column.name.lower() for column in spec.columns}
    problems += [
        f"{label}:1: column {column.name} is missing"
        for column in spec.columns
        if column.name.lower() not in found
    ]
    problems += [
        f"{label}:1: column {column} is not declared in the schema"
        for column in columns
        if column.lower() not in declared
    ]
    if row_count is not None and spec.row_count not in (None, row_count):
        problems.append(f"{label}: {row_count} rows, but the schema says {spec.row_count}")
    return tuple(columns), problems


def _repeated(names: list[str]) -> list[str]:
    lowered = [name.lower() for name in names]
    return [name for index, name in enumerate(names) if name.lower() in lowered[:index]]


def _parquet_header(path: Path) -> tuple[list[str], int | None]:
    with pyarrow.parquet.ParquetFile(path) as file:
        return list(file.schema_arrow.names), file.metadata.num_rows


def _csv_header(path: Path) -> tuple[list[str], int | None]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        return next(csv.reader(file), []), None


def _table_hash(path: Path, spec: TableSpec) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(1 << 20):
            digest.update(block)
    columns = [
        (c.name, c.data_type, c.comment, c.is_primary_key, c.references) for c in spec.columns
    ]
    declared = [spec.name, spec.comment, columns]
    if spec.kind != "table":
        declared.append(spec.kind)
    return content_hash(_FORMAT_VERSION, digest.hexdigest(), *declared)


def _read_answers(
    folder: Path, name: str, known_questions: Collection[str] | None
) -> tuple[tuple[AnswersFile, ...], list[str]]:
    answers: list[AnswersFile] = []
    problems: list[str] = []
    for path in _visible_files(folder / "answers"):
        label = f"{name}/answers/{path.name}"
        if path.suffix != ".jsonl":
            problems.append(f"{label}: recorded answers are read from .jsonl files")
        elif not _STEM.fullmatch(path.stem):
            problems.append(f"{label}: a file name of letters, digits, . _ and - is expected")
        else:
            recorded, faults = check_recorded_answers(path, label, known_questions)
            problems += faults
            answers.append(AnswersFile(path.stem, path.resolve(), recorded))
    return tuple(answers), problems
