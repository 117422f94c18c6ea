"""Benchmarks: which questions ask the same, which split they belong to, and their versions.

Questions that ask the same share a group, and a group is never divided between splits: otherwise a
change that was tuned on one twin would be tested on the other. Two questions are twins when

- their expected SQL is the same but for aliases, case and layout, or
- their words are nearly the same (``PARAPHRASE_OVERLAP``) and their SQL names the same constants.

The threshold is conservative: on the paraphrases of a public benchmark (Spider's ``world_1``) every
pair above it asks the same thing or about the same thing. Demanding equal constants keeps templates
("... in Aruba", "... in Peru") apart, which would otherwise chain into one large group.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any

import sqlglot
from sqlglot import exp

from transforms.benchmark_identity import benchmark_hash
from transforms.identity import content_hash, make_id
from transforms.sql_text import canonical_sql

PARAPHRASE_OVERLAP = 0.75  # share of their words that two questions have in common (Jaccard)
_FEWEST_WORDS = 3  # shorter questions say too little to be compared by their words

_QUARANTINED = "quarantined"
_SPLIT_BOUNDS = (("train", 50), ("held_out", 75), ("sealed", 100))
_LEAST_TO_MOST_PROTECTED = ("train", "held_out", "sealed")

# Words that say how something is asked for, not what.
_EMPTY_WORDS = frozenset(
    "a an the of in on at to for from by with and or is are was were be been do does did has have "
    "had what which who whom whose where when how that this these those there their its it me us "
    "please list show give find tell many much all each as than whether return provide get count "
    "number name state".split()
)


@dataclass(frozen=True, slots=True)
class BenchmarkQuestion:
    """A question as it was loaded; ``expected_sql`` is a single read-only query.

    ``quarantined`` is why nobody is asked it, None where it is asked.
    """

    question_id: str
    question: str
    expected_sql: str
    expected_asset: str | None = None
    category: str | None = None
    source_path: str | None = None
    source_line: int | None = None
    quarantined: str | None = None

    @property
    def benchmark_hash(self) -> str:
        """What makes a new version: question, expected SQL and expected asset."""
        return benchmark_hash(self.question, self.expected_sql, self.expected_asset)


@dataclass(frozen=True, slots=True)
class Assignment:
    """The group of a question and the split the group is in."""

    group_id: str
    split: str


def twins(questions: Sequence[BenchmarkQuestion]) -> list[list[str]]:
    """The questions' ids, joined with those that ask the same; ids and lists are sorted."""
    return _twins(questions, _canonical(questions))


def split_of(group_id: str) -> str:
    """The split that a group hashes to: train 50 %, held_out 25 %, sealed 25 %."""
    bucket = int(content_hash("split", group_id)[:8], 16) % 100
    return next(split for split, bound in _SPLIT_BOUNDS if bucket < bound)


def group_ids(questions: Sequence[BenchmarkQuestion]) -> dict[str, str]:
    """The group of each question by ``question_id``.

    A group's id is a hash of the smallest canonical SQL in it: neither the order of the questions
    nor their ids matter, so the same questions have the same groups in every space.
    """
    canonical = _canonical(questions)
    groups: dict[str, str] = {}
    for members in _twins(questions, canonical):
        group_id = make_id("group", min(canonical[member] for member in members))
        groups.update(dict.fromkeys(members, group_id))
    return groups


def assign(
    questions: Sequence[BenchmarkQuestion], recorded: Mapping[str, Assignment]
) -> dict[str, Assignment]:
    """The group and split of each question; what is ``recorded`` never moves.

    A new twin of recorded questions joins their group. One that is a twin of two recorded groups
    joins the more protected of them: sealed before held_out before train.
    """
    canonical = _canonical(questions)
    assigned: dict[str, Assignment] = {}
    for members in _twins(questions, canonical):
        known = [recorded[member] for member in members if member in recorded]
        if known:
            newcomer = max(known, key=lambda a: (_protection(a.split), a.group_id))
        else:
            group_id = make_id("group", min(canonical[member] for member in members))
            newcomer = Assignment(group_id, split_of(group_id))
        for member in members:
            assigned[member] = recorded.get(member, newcomer)
    return assigned


def new_versions(
    questions: Sequence[BenchmarkQuestion], recorded: Sequence[Mapping[str, Any]]
) -> list[dict[str, Any]]:
    """Rows of ``benchmarks`` (without ``space_id``) that are missing for these to be the questions.

    ``recorded`` are the space's rows, all versions. A recorded question that is no longer there
    gets a version with status quarantined, if it came from the same file as these: questions that
    were imported from elsewhere stay.
    """
    present = {question.question_id for question in questions}
    places = {_place(question.source_path) for question in questions} - {None}
    retired = [
        {
            **newest,
            "status": _QUARANTINED,
            "source": "imported",  # not by a decision: it is back when its file has it again
            "benchmark_version": newest["benchmark_version"] + 1,
        }
        for question_id, newest in newest_versions(recorded).items()
        if question_id not in present
        and newest["status"] == "active"
        and (not places or _place(newest["source_path"]) in {None, *places})
    ]
    return [*added_versions(questions, recorded), *retired]


def added_versions(
    questions: Sequence[BenchmarkQuestion], recorded: Sequence[Mapping[str, Any]]
) -> list[dict[str, Any]]:
    """Rows of ``benchmarks`` (without ``space_id``) for what is new or changed among the questions.

    A question is compared with the version that was imported last, so that loading the same file
    again does not undo a correction, nor a quarantine that was decided on. Recorded questions stay
    in their group and split.
    """
    imported = {row["question_id"]: row for row in _in_order(recorded) if _is_imported(row)}
    newest = newest_versions(recorded)
    frozen = {
        question_id: Assignment(row["group_id"], row["split"])
        for question_id, row in newest.items()
    }
    present = {question.question_id for question in questions}
    others = [_question(row) for key, row in newest.items() if key not in present]
    assigned = assign([*questions, *others], frozen)
    rows = []
    for question in questions:
        known, last = newest.get(question.question_id), imported.get(question.question_id)
        is_unchanged = (
            known is not None
            and last is not None
            and last["benchmark_hash"] == question.benchmark_hash
            and (known["status"] == _status(question) or is_decided_quarantine(known))
        )
        if not is_unchanged:
            version = known["benchmark_version"] + 1 if known else 1
            rows.append(_row(question, assigned[question.question_id], version))
    return rows


def is_decided_quarantine(version: Mapping[str, Any]) -> bool:
    """Whether a version is quarantined by a decision, and not because its file has it no more."""
    return version["status"] == _QUARANTINED and not _is_imported(version)


def newest_versions(recorded: Sequence[Mapping[str, Any]]) -> dict[str, Mapping[str, Any]]:
    """The newest row of each question, by ``question_id``."""
    return {row["question_id"]: row for row in _in_order(recorded)}


def _in_order(recorded: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    return sorted(recorded, key=lambda row: row["benchmark_version"])


def _is_imported(row: Mapping[str, Any]) -> bool:
    return bool(row["source"] == "imported")


def _place(source_path: str | None) -> str | None:
    """The file without its ending, which people change."""
    return source_path.rpartition(".")[0] if source_path else None


def _row(question: BenchmarkQuestion, assignment: Assignment, version: int) -> dict[str, Any]:
    return {
        "question_id": question.question_id,
        "benchmark_version": version,
        "benchmark_hash": question.benchmark_hash,
        "group_id": assignment.group_id,
        "question": question.question,
        "expected_sql": question.expected_sql,
        "expected_asset": question.expected_asset,
        "category": question.category,
        "split": assignment.split,
        "source": "imported",
        "status": _status(question),
        "source_path": question.source_path,
        "source_line": question.source_line,
    }


def _status(question: BenchmarkQuestion) -> str:
    return "active" if question.quarantined is None else _QUARANTINED


def _question(row: Mapping[str, Any]) -> BenchmarkQuestion:
    return BenchmarkQuestion(row["question_id"], row["question"], row["expected_sql"])


def _protection(split: str) -> int:
    return _LEAST_TO_MOST_PROTECTED.index(split)


def _canonical(questions: Sequence[BenchmarkQuestion]) -> dict[str, str]:
    return {q.question_id: canonical_sql(q.expected_sql) for q in questions}


def _twins(questions: Sequence[BenchmarkQuestion], canonical: Mapping[str, str]) -> list[list[str]]:
    """See ``twins``."""
    parent = {question.question_id: question.question_id for question in questions}

    def root(question_id: str) -> str:
        while parent[question_id] != question_id:
            parent[question_id] = parent[parent[question_id]]
            question_id = parent[question_id]
        return question_id

    def join(left: str, right: str) -> None:
        low, high = sorted((root(left), root(right)))
        parent[high] = low

    by_sql: dict[str, str] = {}
    by_constants: dict[frozenset[str], list[tuple[str, frozenset[str]]]] = {}
    for question in questions:
        question_id = question.question_id
        join(question_id, by_sql.setdefault(canonical[question_id], question_id))
        words = _words(question.question)
        if len(words) >= _FEWEST_WORDS:
            constants = _constants(canonical[question_id])
            by_constants.setdefault(constants, []).append((question_id, words))
    for alike in by_constants.values():
        for (left, left_words), (right, right_words) in combinations(alike, 2):
            overlap = len(left_words & right_words) / len(left_words | right_words)
            if overlap >= PARAPHRASE_OVERLAP:
                join(left, right)
    twins: dict[str, list[str]] = {}
    for question_id in sorted(parent):
        twins.setdefault(root(question_id), []).append(question_id)
    return sorted(twins.values())


def _words(question: str) -> frozenset[str]:
    """The words that say what is asked, without a plural's s."""
    words = re.findall(r"[^\W_]+", question.casefold())
    return frozenset(
        word.rstrip("s") if len(word) > 3 else word for word in words if word not in _EMPTY_WORDS
    )


def _constants(sql: str) -> frozenset[str]:
    """The constants that a query names, ignoring case."""
    tree = sqlglot.parse_one(sql, dialect="spark")
    return frozenset(str(literal.this).casefold() for literal in tree.find_all(exp.Literal))
