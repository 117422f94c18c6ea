"""Whether a question asks for an order of rows, and whether rows are in one."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import pairwise
from typing import Any, Literal

Direction = Literal["rises", "falls"]
_DIRECTIONS = (
    "ascending|descending|alphabetical|alphabetic|chronological|increasing|decreasing|numerical|"
    "lexicographic|lexicographical|rising|falling|reverse|reversed|sorted|ranked"
)
_ORDER = re.compile(
    rf"\bin (?:an? |the )?(?:{_DIRECTIONS})(?: \w+)? order\b"
    rf"|\b(?:{_DIRECTIONS}) order\b"
    r"|\b(?:alphabetically|chronologically)\b"
    r"|\bsort(?:ed|ing)?(?: \w+){0,3} (?:by|from|in|on)\b"
    r"|\bsort(?:ed)? (?:them|it|the \w+)\b"
    # 'ordered by' is also what customers do
    r"|\border (?:them|it|these|those|the (?:results?|rows|list|output|names?)) by\b"
    r"|\brank(?:ed|ing)?(?: \w+){1,6}? by\b"
    r"|\bfrom (?:the )?(?:most|least|[a-z]{3,}est) to (?:the )?(?:most|least|[a-z]{3,}est)\b",
    re.IGNORECASE,
)
_RISING = re.compile(
    r"\bascending\b|\b(?:increasing|rising)(?: \w+)? order\b"
    r"|(?<!reverse )(?<!reversed )\b(?:alphabetical|chronological)(?:ly)?\b",
    re.IGNORECASE,
)
_FALLING = re.compile(
    r"\bdescending\b|\b(?:decreasing|falling)(?: \w+)? order\b"
    r"|\breversed? (?:alphabetical|chronological)(?:ly)?\b",
    re.IGNORECASE,
)
_MOST, _LEAST = "most|largest|biggest|greatest|highest", "least|fewest|smallest|lowest"
_FROM_TO = r"\bfrom (?:the )?(?:{})\b.*? to (?:the )?(?:{})\b"
_UPWARDS = re.compile(_FROM_TO.format(_LEAST, _MOST), re.IGNORECASE)
_DOWNWARDS = re.compile(_FROM_TO.format(_MOST, _LEAST), re.IGNORECASE)
# The highest place has the smallest number.
_PLACE = re.compile(r"\b(?:rank|ranking|place|position|priority)\b", re.IGNORECASE)


def asked_direction(question: str) -> Direction | None:
    """Whether the order that a question asks for rises or falls; None where it does not say."""
    if asked_order(question) is None:
        return None
    has_pairs = _PLACE.search(question) is None
    rises = _RISING.search(question) or (has_pairs and _UPWARDS.search(question))
    falls = _FALLING.search(question) or (has_pairs and _DOWNWARDS.search(question))
    if bool(rises) == bool(falls):
        return None
    return "rises" if rises else "falls"


def asked_order(question: str) -> str | None:
    """The words with which a question asks for an order of rows; None where it does not."""
    found = _ORDER.search(question)
    return found.group(0) if found else None


def is_in_some_order(rows: Sequence[Sequence[Any]], direction: Direction | None = None) -> bool:
    """Whether some column rises or falls throughout, and is not the same in every row.

    With a direction, whether one does so in this. NULL stands anywhere. Values that Python does not
    order are in none.
    """
    found = {_direction([row[position] for row in rows]) for position in range(len(rows[0]))}
    return bool(found - {None}) if direction is None else direction in found


def _direction(values: Sequence[Any]) -> Direction | None:
    known = [value for value in values if value is not None]
    try:
        rises = all(one <= other for one, other in pairwise(known))
        falls = all(one >= other for one, other in pairwise(known))
    except TypeError:
        return None
    if rises == falls:
        return None
    return "rises" if rises else "falls"
