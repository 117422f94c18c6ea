"""Recorded answers: a JSON-lines file of ``question_id`` and ``sql``, checked before it is used."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path

from genie.answerers import Answer
from genie.json_lines import each_json_line
from transforms.errors import InvalidInputError


@dataclass(frozen=True, slots=True)
class RecordedAnswers:
    """The recorded SQL by question; None stands for an answer without SQL.

    ``file_hash`` is the SHA-256 of the file's bytes.
    """

    sql_by_question: Mapping[str, str | None]
    file_hash: str


def check_recorded_answers(
    path: Path, label: str, known_questions: Collection[str] | None = None
) -> tuple[RecordedAnswers, list[str]]:
    """The answers of a file and everything that is wrong with it, as ``label:line: problem``.

    Keys other than ``question_id`` and ``sql`` are ignored. With ``known_questions``, an answer to
    any other question is a problem.
    """
    unreadable: list[str] = []
    problems: list[str] = []
    answers: dict[str, str | None] = {}
    first_seen: dict[str, int] = {}
    texts: dict[str, str] = {}  # one object for equal texts
    for line in each_json_line(path, label, unreadable):
        place = f"{label}:{line.number}"
        question_id = line.value.get("question_id")
        if not isinstance(question_id, str) or not question_id.strip():
            problems.append(f"{place}: question_id must be a text that is not empty")
            continue
        if question_id in first_seen:
            earlier = first_seen[question_id]
            problems.append(f"{place}: {question_id} is already answered on line {earlier}")
            continue
        first_seen[question_id] = line.number
        if known_questions is not None and question_id not in known_questions:
            problems.append(f"{place}: there is no question {question_id}")
        sql = line.value.get("sql", False)
        if sql is not None and not isinstance(sql, str):
            problems.append(f"{place}: sql must be a text, or null for an answer without SQL")
            continue
        answers[question_id] = texts.setdefault(sql, sql) if sql and sql.strip() else None
    return RecordedAnswers(answers, _file_hash(path)), unreadable + problems


def _file_hash(path: Path) -> str:
    if not path.is_file():
        return ""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def read_recorded_answers(path: Path) -> RecordedAnswers:
    """The answers of a file. Raises InvalidInputError with every fault and its line."""
    recorded, problems = check_recorded_answers(path, str(path))
    if problems:
        raise InvalidInputError(
            "the recorded answers cannot be replayed",
            where=str(path),
            remedy="one JSON object per line, with question_id and sql",
            problems=problems,
        )
    return recorded


class RecordedAnswerer:
    """Replays the answers of a JSON-lines file, so that any system can be evaluated."""

    def __init__(self, recorded: RecordedAnswers) -> None:
        self._recorded = recorded

    @property
    def source_hash(self) -> str | None:
        """SHA-256 of the file's bytes."""
        return self._recorded.file_hash

    def ask(self, question_id: str, question: str, *, timeout_s: float) -> Answer:
        """The recorded SQL; ``no_sql`` where none was recorded. Never raises, takes no time."""
        if question_id not in self._recorded.sql_by_question:
            return Answer("no_sql", error="no answer was recorded")
        sql = self._recorded.sql_by_question[question_id]
        if sql is None:
            return Answer("no_sql", error="an answer without SQL was recorded")
        return Answer("answered", sql=sql)
