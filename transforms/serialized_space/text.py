"""Texts as arrays of strings: elements are joined without a separator."""

from __future__ import annotations

import re
from collections.abc import Sequence

MAX_TEXT_CHARACTERS = 25_000

_LINE = re.compile(r"[^\n]*\n|[^\n]+")


def split_text(text: str) -> list[str]:
    """A text as the elements of a text array, one per line, each with its own newline.

    A line that is longer than one element may be is cut; the elements joined are the text.
    """
    return [
        line[start : start + MAX_TEXT_CHARACTERS]
        for line in _LINE.findall(text)
        for start in range(0, len(line), MAX_TEXT_CHARACTERS)
    ]


def join_text(elements: Sequence[str]) -> str:
    """The text that a text array holds. The inverse of ``split_text``."""
    return "".join(elements)
