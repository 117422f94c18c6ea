"""Causes that no single answer shows, only several questions of one evaluation together."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

WORDS = "words_not_explained"
UNNAMED = "fragment_not_named"
ALWAYS = "condition_not_stated"
VALUES = "value_not_listed"


@dataclass(frozen=True, slots=True)
class SharedCause:
    """What is fixed about a cause that only several questions together show."""

    failure_type: str
    confidence: float
    description: str


CAUSES: Mapping[str, SharedCause] = {
    WORDS: SharedCause(
        "missing_synonym",
        0.9,
        "Two or more groups use words for one part of their SQL that no metadata explains",
    ),
    UNNAMED: SharedCause(
        "missing_instruction", 0.6, "Two or more groups need a fragment that nothing names"
    ),
    ALWAYS: SharedCause(
        "missing_filter",
        0.7,
        "Every group that reads a table, three at least, has a condition that nothing states",
    ),
    VALUES: SharedCause(
        "description_mismatch",
        0.8,
        "A question spells out a value of a column whose values nothing lists",
    ),
}
