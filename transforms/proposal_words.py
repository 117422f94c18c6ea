"""The sentences that proposals add to metadata; each says only what facts or fragments show."""

from __future__ import annotations

import re
from collections.abc import Sequence

from transforms.proposal_values import ColumnFacts, TableFacts

MAX_LISTED_VALUES = 50  # a longer list is described by examples
MAX_EXAMPLES = 5
MAX_VALUE_LENGTH = 40  # longer values are prose, not codes; listing them explains nothing
_WORD_BREAK = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|[_\W]+")


def spoken(name: str) -> str:
    """A column or value as people say it: ``eye_colour_id`` -> ``eye colour id``."""
    return " ".join(part.lower() for part in _WORD_BREAK.split(name) if part)


def extended(before: str | None, addition: str) -> str | None:
    """``before`` with a sentence added, or None when it says so already."""
    existing = (before or "").strip()
    if addition.casefold().rstrip(".") in existing.casefold():
        return None
    if not existing:
        return addition
    separator = " " if existing.endswith((".", "!", "?")) else ". "
    return f"{existing}{separator}{addition}"


def quoted(value: str) -> str:
    """A data value as a SQL string literal shows it."""
    escaped = value.replace("'", "''")
    return f"'{escaped}'"


def values_sentence(column: ColumnFacts) -> str | None:
    """Which values a text column holds; None where listing them explains nothing.

    Every value when there are at most ``MAX_LISTED_VALUES``; else the most frequent as examples of
    spelling. Columns that are keys, prose or all different have no values worth listing.
    """
    is_text = column.data_type.lower() in {"string", "varchar", "char"}
    values = [value for value in column.sample_values if value.strip()]
    if not is_text or not values or max(map(len, values)) > MAX_VALUE_LENGTH:
        return None
    distinct = column.distinct_count or len(values)
    if column.is_sample_complete and len(values) <= MAX_LISTED_VALUES:
        return f"Values: {', '.join(quoted(value) for value in sorted(values))}."
    is_mostly_unique = distinct * 2 > max(column.row_count, 1)
    if is_mostly_unique and column.row_count > MAX_LISTED_VALUES * 10:
        return None
    examples = ", ".join(quoted(value) for value in values[:MAX_EXAMPLES])
    return f"{distinct} different values, spelled exactly as in {examples}."


def reference_sentence(column: ColumnFacts) -> str | None:
    """Which column a foreign key refers to; None where no key is declared."""
    if not column.references:
        return None
    return f"Refers to {column.references}."


def contrast_sentence(right: ColumnFacts, taken: ColumnFacts) -> str:
    """How a column differs from the one that was taken for it, in the words of their metadata."""
    same_table = right.table.lower() == taken.table.lower()
    other = taken.column if same_table else taken.name
    meaning = f" ({taken.comment.strip().rstrip('.')})" if taken.comment else ""
    return f"Not to be confused with {other}{meaning}."


def grain_sentence(table: TableFacts, repeated: Sequence[ColumnFacts]) -> str | None:
    """What one row of a table is, and which of the columns repeat; None when that is not known.

    With columns given, the sentence is about them: a key alone would not explain why they repeat.
    """
    key = f"One row per {' and '.join(table.primary_key)}." if table.primary_key else None
    repeats = [
        f"{column.column} repeats ({column.row_count} rows hold {column.distinct_count} different "
        "values): use DISTINCT when different ones are asked for."
        for column in repeated
        if column.distinct_count and column.distinct_count < _present(column)
    ]
    if repeated and not repeats:
        return None
    return " ".join([key, *repeats] if key else repeats) or None


def nulls_sentence(column: ColumnFacts) -> str | None:
    """Whether NULL stands for none in a column; None when the counts are not known."""
    if column.null_count is None:
        return None
    if column.null_count:
        return f"NULL in {column.null_count} of {column.row_count} rows: none is known there."
    where = f" in {column.references.rpartition('.')[0]}" if column.references else ""
    return f"Never NULL: a value{where} stands for none."


def _present(column: ColumnFacts) -> int:
    return column.row_count - (column.null_count or 0)
