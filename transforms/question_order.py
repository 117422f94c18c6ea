"""Whether a question asks for an order of rows, and whether rows are in one."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import pairwise
from typing import Any

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


def asked_order(question: str) -> str | None:
    """The words with which a question asks for an order of rows; None where it does not."""
    found = _ORDER.search(question)
    return found.group(0) if found else None


def is_in_some_order(rows: Sequence[Sequence[Any]]) -> bool:
    """Whether some column rises or falls throughout, and is not the same in every row.

    NULL stands anywhere. Values that Python does not order are in none.
    """
    return any(_is_monotonic([row[position] for row in rows]) for position in range(len(rows[0])))


def _is_monotonic(values: Sequence[Any]) -> bool:
    known = [value for value in values if value is not None]
    try:
        rises = all(one <= other for one, other in pairwise(known))
        falls = all(one >= other for one, other in pairwise(known))
    except TypeError:
        return False
    return rises != falls
