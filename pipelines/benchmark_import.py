"""Takes questions in as benchmarks of a space that is registered: from a file, from the space.

The file of questions in the space's repo home is brought up to date first, then the table: cut off
in between, the same import goes on.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from genie.asked_questions import AskedQuestions
from genie.homes.base import MissingObjectError, Place
from genie.homes.files import RepoHome
from genie.json_lines import Line
from genie.patching.questions import with_questions
from genie.project_files import benchmark_lines
from pipelines.load import recorded_benchmarks, set_aside_questions
from pipelines.question_files import ReadQuestions, read_question_lines
from pipelines.spaces import registered_spaces
from pipelines.tables import Tables
from transforms.benchmark_import import ImportPlan, plan_import
from transforms.benchmark_lines import question_line
from transforms.benchmarks import BenchmarkQuestion, added_versions
from transforms.contracts import BENCHMARKS
from transforms.errors import InvalidInputError
from transforms.identity import content_hash, make_id
from transforms.serialized_space import SpaceConfig


@dataclass(frozen=True, slots=True)
class ImportReport:
    """What an import brought; ``rows`` are the versions recorded, in full.

    ``repo_file`` is the file of questions that was changed, None where there is none or it had
    everything; ``wrote`` counts commits.
    """

    space_id: str
    plan: ImportPlan
    rows: tuple[dict[str, Any], ...]
    set_aside_count: int
    repo_file: str | None
    wrote: int


def import_questions(
    tables: Tables,
    space_id: str,
    asked: ReadQuestions,
    *,
    with_near_duplicates: bool = False,
    is_rehearsal: bool = False,
) -> ImportReport:
    """Record what is new or changed among the questions; nothing is taken away.

    ``is_rehearsal`` only says what would be recorded. The next evaluation asks the new questions.
    Raises InvalidInputError for a space that is not registered and for faulty questions, and what
    a repo home raises whose files cannot be read or written; nothing is recorded then.
    """
    registered = registered_spaces(tables).get(space_id)
    if registered is None:
        raise InvalidInputError("there is no such space", where=space_id)
    asked = asked.checked(space_id)
    recorded = recorded_benchmarks(tables, [space_id])[space_id]
    plan = plan_import(asked.questions, recorded)
    taken: Sequence[BenchmarkQuestion] = plan.taken(with_near_duplicates=with_near_duplicates)
    repo = _RepoFile.of(registered.space.repo_home)
    if repo is not None:  # from now on that is where they stand
        stands_in = f"{space_id}/{repo.place.name}"
        taken = [replace(one, source_path=stands_in, source_line=None) for one in taken]
    rows = tuple({**row, "space_id": space_id} for row in added_versions(taken, recorded))
    report = ImportReport(space_id, plan, rows, len(asked.set_aside), None, 0)
    if is_rehearsal:
        return report
    wrote = int(set_aside_questions(tables, space_id, asked.set_aside))
    repo_file = None if repo is None else repo.bring_up_to_date(rows)
    wrote += tables.append_rows(BENCHMARKS, rows, transaction=content_hash(rows))
    return replace(report, repo_file=repo_file, wrote=wrote)


@dataclass(frozen=True, slots=True)
class _RepoFile:
    """The file of questions in a repo home."""

    home: RepoHome
    place: Place
    path: Path

    @classmethod
    def of(cls, repo_home: str | None) -> _RepoFile | None:
        """None without a repo home, and for one that holds no questions."""
        if repo_home is None:
            return None
        home = RepoHome(Path(repo_home))
        try:
            place = home.questions_file()
        except MissingObjectError:
            return None
        return cls(home, place, Path(repo_home) / place.name)

    def bring_up_to_date(self, rows: Sequence[dict[str, Any]]) -> str | None:
        """Write the questions into the file; its path if that changed anything."""
        before = self.home.read(self.place)
        after = with_questions(before, [question_line(row) for row in rows])
        if after == before:
            return None
        self.home.write(self.place, after, expected=before)
        return str(self.path)


def questions_of_space(config: SpaceConfig, genie_space_id: str) -> ReadQuestions:
    """The benchmarks that a Genie Space holds itself, under their ids there."""
    return _read(benchmark_lines(config), f"genie space {genie_space_id}")


def questions_of_conversations(asked: AskedQuestions, genie_space_id: str) -> ReadQuestions:
    """The questions whose answers people have called right, with the SQL of these answers."""
    lines = [
        {
            "question_id": make_id("asked", one.message_id),
            "question": one.question,
            "expected_sql": one.sql,
        }
        for one in asked.questions
        if one.rating == "POSITIVE"
    ]
    return _read(lines, f"conversations of genie space {genie_space_id}")


def _read(lines: Sequence[dict[str, Any]], label: str) -> ReadQuestions:
    kept = [line for line in lines if line["question"]]
    return read_question_lines([Line(n, line) for n, line in enumerate(kept, start=1)], label)
