"""The values that judging takes and gives: no Spark, no I/O."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, Protocol

from transforms.space_state import ColumnProfile

ExecutionStatus = Literal["ok", "refused", "parse_error", "sql_error", "timed_out", "too_large"]


@dataclass(frozen=True, slots=True)
class SparkValue:
    """A value that Python has no type for.

    ``value`` counts from zero: the ``months`` of an interval, the days of a ``date`` or the
    microseconds of a ``timestamp`` since 1970 where its year is not one of 1-9999. An ``interval``
    of months and days is its text.
    """

    kind: str
    value: int | str


@dataclass(frozen=True, slots=True)
class Execution:
    """What came of executing one query.

    ``rows`` are Python values as Spark collects them (Decimal, date, aware datetimes, nested Row as
    tuples, lists, dicts), present exactly when ``status`` is ``ok``; a FLOAT is the number that it
    is written as, and what Python has no type for a ``SparkValue``. ``data_types`` are Spark
    simple strings, one per column. ``error`` says why there are no rows.
    """

    status: ExecutionStatus
    columns: tuple[str, ...] = ()
    data_types: tuple[str, ...] = ()
    rows: tuple[tuple[Any, ...], ...] | None = None
    error: str | None = None
    error_class: str | None = None

    @property
    def row_count(self) -> int | None:
        """Rows of the result; None when there is none."""
        return None if self.rows is None else len(self.rows)


@dataclass(frozen=True, slots=True)
class Asi:
    """Actionable side information: the 12 fields that every failure carries."""

    failure_type: str
    severity: Literal["critical", "major", "minor"]
    confidence: float
    blame_set: tuple[str, ...]
    wrong_clause: str | None = None
    quoted_metadata_text: str | None = None
    missing_metadata: str | None = None
    ambiguity_detected: bool = False
    expected_value: str | None = None
    actual_value: str | None = None
    counterfactual_fix: str | None = None
    affected_question_pattern: str | None = None


@dataclass(frozen=True, slots=True)
class Failure:
    """One thing that explains why a judge said no.

    ``rule`` fixes failure type and confidence. ``expected_fragment`` and ``actual_fragment`` are
    canonical SQL of the smallest parts that differ: columns as ``schema.table.column``.
    """

    judge: str
    rule: str
    asi: Asi
    expected_fragment: str | None = None
    actual_fragment: str | None = None
    unexplained_terms: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Verdict:
    """What one judge says: yes, no or skipped; the arbiter its ruling. Skipped: no confidence."""

    judge: str
    value: Literal[
        "yes",
        "no",
        "skipped",
        "genie_correct",
        "ground_truth_correct",
        "both_correct",
        "neither_correct",
    ]
    rationale: str
    confidence: float | None = None


@dataclass(frozen=True, slots=True)
class ArbiterRuling:
    """Who is right where the results differ, by which rule, on what evidence."""

    verdict: Literal[
        "genie_correct", "ground_truth_correct", "both_correct", "neither_correct", "skipped"
    ]
    rule: str
    evidence: str
    confidence: float | None = None


@dataclass(frozen=True, slots=True)
class Comparison:
    """Where two results meet on the ladder, and whether that is right under the policy."""

    step: str
    is_correct: bool
    detail: str


@dataclass(frozen=True, slots=True)
class Coincidence:
    """Whether two queries agree by luck; None where that is not known. ``detail`` says why."""

    is_coincidental: bool | None
    detail: str


@dataclass(frozen=True, slots=True)
class Question:
    """A benchmark question with the answer that is judged."""

    question_id: str
    question: str
    expected_sql: str
    produced_sql: str | None
    answer_outcome: str = "answered"
    answer_error: str | None = None
    expected_asset: str | None = None


@dataclass(frozen=True, slots=True)
class Judgement:
    """Everything judging gives for one answer.

    ``outcome`` is one of ``contracts.OUTCOMES``. ``ruling`` is None where the arbiter was not asked
    (results agree, or there is nothing to arbitrate). ``confirmation`` applies to all failures.
    """

    outcome: str
    comparison: Comparison | None
    verdicts: tuple[Verdict, ...]
    failures: tuple[Failure, ...]
    ruling: ArbiterRuling | None
    confirmation: str | None


class Engine(Protocol):
    """What judging may ask of the engine that executed both queries, on the same data."""

    def execute(self, sql: str) -> Execution:
        """What comes of a further query."""

    def compare(
        self, expected_sql: str, produced_sql: str, *, policy: str, is_ordered: bool
    ) -> Comparison:
        """The comparison of two results of which one at least is too large to be at hand."""


class ValueLookup(Protocol):
    """What judging may ask about data values; the answers come from profiles or from a query."""

    def contains(self, column: str, literal: str) -> bool | None:
        """Whether ``schema.table.column`` holds the literal; None when it is not known."""

    def nearest(self, column: str, literal: str) -> str | None:
        """A value that differs only in case, spaces or punctuation; None when there is none."""


@dataclass(frozen=True)
class ProfiledValues:
    """A ``ValueLookup`` over column profiles: certain where a profile is complete."""

    profiles: Mapping[str, ColumnProfile]

    def contains(self, column: str, literal: str) -> bool | None:
        """See ``ValueLookup``."""
        profile = self._profile(column)
        if profile is None:
            return None
        if literal in profile.values:
            return True
        return False if profile.is_complete else None

    def nearest(self, column: str, literal: str) -> str | None:
        """See ``ValueLookup``."""
        profile = self._profile(column)
        wanted = _folded(literal)
        if profile is None or not wanted:
            return None
        return next((v for v in profile.values if v != literal and _folded(v) == wanted), None)

    def _profile(self, column: str) -> ColumnProfile | None:
        return self.profiles.get(column.lower())


def _folded(text: str) -> str:
    return "".join(character for character in text.casefold() if character.isalnum())
