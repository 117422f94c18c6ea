"""Finds whole statements in prose: an instruction may quote one, with words before and after."""

from __future__ import annotations

import re

from sqlglot import exp

from transforms.errors import GenieLoopError
from transforms.sql_text import parse_query

_START = re.compile(r"\b(select|with)\b", re.IGNORECASE)
# Where a quoted statement is likely to end: fences, quotes, ends of paragraphs and sentences.
_END = re.compile(r"```|`|;|\n\s*\n|[.!?](?=\s|$)|\"")
_MAX_WORDS = 400
_MAX_STARTS = 20


def statements_in(text: str) -> tuple[str, ...]:
    """The statements that a text holds, whole; empty for a text without one.

    From each SELECT or WITH that is not inside a statement found before, the longest stretch that
    is a query. A query without FROM is prose ("select a region"), not a statement.
    """
    found: list[str] = []
    end_of_last = 0
    for start in list(_START.finditer(text))[:_MAX_STARTS]:
        if start.start() < end_of_last:
            continue
        statement = _longest_query(text[start.start() :])
        if statement is not None:
            found.append(statement)
            end_of_last = start.start() + len(statement)
    return tuple(found)


def _longest_query(text: str) -> str | None:
    ends = [match.start() for match in _END.finditer(text)]
    stretches = [text, *(text[:end] for end in reversed(ends))]
    for stretch in stretches:
        if _is_statement(stretch):
            return stretch
    return _cut_after_words(text)


def _cut_after_words(text: str) -> str | None:
    """Words follow the statement without a mark: leave them out one by one, from the end."""
    words = [match.end() for match in re.finditer(r"\S+", text)][:_MAX_WORDS]
    for end in reversed(words):
        if _is_statement(text[:end]):
            return text[:end]
    return None


def _is_statement(text: str) -> bool:
    try:
        tree = parse_query(text)
    except GenieLoopError:
        return False
    return tree.find(exp.From) is not None
