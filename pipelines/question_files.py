"""Files of questions: read and checked, with every fault told at once with its file and line.

Single questions that cannot be benchmarks (no SQL, not a read-only query) are not faults: they are
set aside.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import yaml

from genie.json_lines import Line, read_json_lines
from transforms.benchmark_import import id_of_words
from transforms.benchmarks import BenchmarkQuestion
from transforms.contracts import BENCHMARKS
from transforms.errors import InvalidInputError
from transforms.sql_text import QueryRefusedError, SqlParseError, parse_query
from transforms.wording import count

QUESTION_FILES = (".jsonl", ".yaml", ".yml")


@dataclass(frozen=True, slots=True)
class SetAside:
    """A row that cannot be taken in: where it was going, where it stood, what was wrong."""

    intended_table: str
    source_path: str
    source_line: int
    raw_row: str
    reason: str


@dataclass(frozen=True, slots=True)
class ReadQuestions:
    """The questions of a file, those ``set_aside``, the ids of both, and what was wrong."""

    questions: tuple[BenchmarkQuestion, ...] = ()
    set_aside: tuple[SetAside, ...] = ()
    known_ids: frozenset[str] = frozenset()
    problems: tuple[str, ...] = ()

    def checked(self, where: str) -> ReadQuestions:
        """The same. Raises InvalidInputError with every fault, where there is one."""
        if self.problems:
            raise InvalidInputError(
                f"{count(len(self.problems), 'fault')} in the questions; nothing was recorded",
                where=where,
                remedy="correct the file and try again",
                problems=self.problems,
            )
        return self


def read_question_file(path: Path, label: str, *, gives_ids: bool = False) -> ReadQuestions:
    """The questions of a file of JSON lines or YAML; ``label`` is what its faults name it.

    With ``gives_ids`` a question without a ``question_id`` gets one of its words.
    """
    lines, problems = (
        read_json_lines(path, label) if path.suffix == ".jsonl" else _read_yaml_list(path, label)
    )
    found = read_question_lines([_with_id(one) for one in lines] if gives_ids else lines, label)
    problems = [*problems, *found.problems]
    if not lines and not problems:
        problems.append(f"{label}: there are no questions")
    return replace(found, problems=tuple(problems))


def read_question_lines(lines: Sequence[Line], label: str) -> ReadQuestions:
    """The questions among objects with the keys of ``questions.jsonl``."""
    problems: list[str] = []
    questions: list[BenchmarkQuestion] = []
    set_aside: list[SetAside] = []
    first_seen: dict[str, int] = {}
    for line in lines:
        faults = [
            f"{label}:{line.number}: {fault}" for fault in _question_faults(line.value, first_seen)
        ]
        problems += faults
        if faults:
            continue
        first_seen[line.value["question_id"]] = line.number
        reason = _why_no_benchmark(line.value.get("expected_sql"))
        if reason is None:
            questions.append(_benchmark(line, label))
        else:
            raw_row = json.dumps(line.value, ensure_ascii=False, sort_keys=True, default=str)
            set_aside.append(SetAside(BENCHMARKS.name, label, line.number, raw_row, reason))
    return ReadQuestions(tuple(questions), tuple(set_aside), frozenset(first_seen), tuple(problems))


def _with_id(line: Line) -> Line:
    question = line.value.get("question")
    if line.value.get("question_id") is not None or not isinstance(question, str):
        return line
    return replace(line, value={**line.value, "question_id": id_of_words(question)})


def _question_faults(raw: Mapping[str, Any], first_seen: Mapping[str, int]) -> Iterator[str]:
    for key in ("question_id", "question"):
        if not isinstance(raw.get(key), str) or not raw[key].strip():
            yield f"{key} must be a text that is not empty"
    for key in ("expected_sql", "expected_asset", "category", "difficulty", "quarantined"):
        if not isinstance(raw.get(key), str | None):
            yield f"{key} must be a text or null"
    question_id = raw.get("question_id")
    if isinstance(question_id, str) and question_id in first_seen:
        yield f"question_id {question_id} is already on line {first_seen[question_id]}"


def _why_no_benchmark(expected_sql: str | None) -> str | None:
    if not expected_sql or not expected_sql.strip():
        return "the question has no expected SQL; add it to the file"
    try:
        parse_query(expected_sql)
    except (QueryRefusedError, SqlParseError) as error:
        return f"the expected SQL is not a single read-only query: {error.reason}; correct it"
    return None


def _benchmark(line: Line, label: str) -> BenchmarkQuestion:
    return BenchmarkQuestion(
        question_id=line.value["question_id"],
        question=line.value["question"],
        expected_sql=line.value["expected_sql"],
        expected_asset=line.value.get("expected_asset"),
        category=line.value.get("category") or line.value.get("difficulty"),
        source_path=label,
        source_line=line.number,
        quarantined=line.value.get("quarantined"),
    )


def _read_yaml_list(path: Path, label: str) -> tuple[list[Line], list[str]]:
    """The objects of a YAML list with the line each begins on."""
    lines: list[Line] = []
    problems: list[str] = []
    try:
        loader = yaml.SafeLoader(path.read_text(encoding="utf-8-sig"))
        root = loader.get_single_node()
        if not isinstance(root, yaml.SequenceNode):
            return [], [f"{label}:1: a list of questions is expected"]
        for node in root.value:
            number = node.start_mark.line + 1
            value = loader.construct_object(node, deep=True)
            if isinstance(value, dict):
                lines.append(Line(number, value))
            else:
                problems.append(f"{label}:{number}: an object is expected for every question")
    except yaml.MarkedYAMLError as error:
        number = error.problem_mark.line + 1 if error.problem_mark else 1
        problems.append(f"{label}:{number}: not YAML: {error.problem}")
    except (OSError, ValueError, yaml.YAMLError) as error:
        problems.append(f"{label}: cannot be read: {error}")
    return lines, problems
