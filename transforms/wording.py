"""Words around numbers, for messages and screens."""

from __future__ import annotations


def count(number: int, one: str, many: str | None = None) -> str:
    """``1 batch``, ``2 batches``."""
    return f"{number} {one if number == 1 else many or one + 's'}"
