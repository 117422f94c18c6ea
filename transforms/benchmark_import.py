"""What an import would bring: new questions, changed ones, and those that ask what is asked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from transforms.benchmarks import (
    BenchmarkQuestion,
    is_decided_quarantine,
    newest_versions,
    twins,
)
from transforms.identity import make_id


@dataclass(frozen=True, slots=True)
class NearDuplicate:
    """A question that asks nearly the same as others, recorded or before it in the import.

    ``has_same_words`` but for case and blanks, whatever its SQL; else it is a paraphrase, or other
    words for the same SQL.
    """

    question: BenchmarkQuestion
    like: tuple[str, ...]
    has_same_words: bool


@dataclass(frozen=True, slots=True)
class ImportPlan:
    """The questions of an import by what is to be done with them."""

    new: tuple[BenchmarkQuestion, ...]
    changed: tuple[BenchmarkQuestion, ...]
    unchanged_ids: tuple[str, ...]
    near_duplicates: tuple[NearDuplicate, ...]

    def taken(self, *, with_near_duplicates: bool) -> tuple[BenchmarkQuestion, ...]:
        """What is recorded; near duplicates only where somebody wants them, and none word for word.

        One that is taken in joins the group of what it is like, and so its split.
        """
        wanted = [
            one.question
            for one in self.near_duplicates
            if with_near_duplicates and not one.has_same_words
        ]
        return (*self.new, *self.changed, *wanted)


def plan_import(
    questions: Sequence[BenchmarkQuestion], recorded: Sequence[Mapping[str, Any]]
) -> ImportPlan:
    """Compare questions with what is ``recorded`` of the space, all versions.

    A question whose id is known is the same one, changed or not; a correction that was made since
    it was imported stands. Any other is compared by what it asks.
    """
    newest = newest_versions(recorded)
    imported = newest_versions([row for row in recorded if row["source"] == "imported"])
    known = [
        BenchmarkQuestion(row["question_id"], row["question"], row["expected_sql"])
        for row in newest.values()
    ]
    alike = _alike([*known, *(one for one in questions if one.question_id not in newest)])
    words = {one.question_id: _folded(one.question) for one in (*known, *questions)}
    new, changed, unchanged, near = [], [], [], []
    there = set(newest)
    for question in questions:
        question_id = question.question_id
        if question_id in newest:
            versions = (newest[question_id], imported.get(question_id))
            is_known = any(
                row is not None and row["benchmark_hash"] == question.benchmark_hash
                for row in versions
            )
            version = newest[question_id]
            is_left = version["status"] == "active" or is_decided_quarantine(version)
            if is_known and is_left:
                unchanged.append(question_id)
            else:
                changed.append(question)
            continue
        same_words = {one for one in there if words[one] == words[question_id]}
        like = tuple(sorted(alike[question_id] & there | same_words))
        if like:
            near.append(NearDuplicate(question, like, bool(same_words)))
        else:
            new.append(question)
        there.add(question_id)
    return ImportPlan(tuple(new), tuple(changed), tuple(unchanged), tuple(near))


def id_of_words(question: str) -> str:
    """The id of a question that has none: the same words, but for case and blanks, the same id."""
    return make_id("question", _folded(question))


def _alike(questions: Sequence[BenchmarkQuestion]) -> dict[str, set[str]]:
    """By question the others that ask the same."""
    groups = [set(group) for group in twins(questions)]
    return {question_id: group - {question_id} for group in groups for question_id in group}


def _folded(question: str) -> str:
    return " ".join(question.casefold().split())
