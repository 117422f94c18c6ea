"""Where each value stands in a JSON text, so that one can be replaced without touching the rest."""

from __future__ import annotations

import re
from dataclasses import dataclass
from json.decoder import scanstring  # type: ignore[attr-defined]  # it has no stub
from typing import Any

_BLANK = re.compile(r"[ \t\n\r]*")
_SCALAR = re.compile(r"[^ \t\n\r,\]}]+")


@dataclass(frozen=True, slots=True)
class Part:
    """A member of an object or an element of an array, with where it stands.

    ``start`` is where its key begins (in an array: where its value begins). ``key`` is the member's
    name, for an element its position.
    """

    key: str | int
    start: int
    value: Span


@dataclass(frozen=True, slots=True)
class Span:
    """``text[start:end]`` is one JSON value; ``parts`` is what an object or array holds, in order.

    ``parts`` is None for anything else.
    """

    start: int
    end: int
    parts: tuple[Part, ...] | None = None


def read_spans(text: str) -> Span:
    """The spans of a text that is known to be valid JSON. Linear in its length."""
    return _value(text, _skip(text, 0))


def _skip(text: str, position: int) -> int:
    match = _BLANK.match(text, position)
    assert match is not None, "the pattern matches nothing, too"
    return match.end()


def _value(text: str, start: int) -> Span:
    first = text[start]
    if first in "{[":
        return _container(text, start, is_object=first == "{")
    if first == '"':
        return Span(start, _string(text, start)[1])
    match = _SCALAR.match(text, start)
    assert match is not None, "valid JSON has a value here"
    return Span(start, match.end())


def _string(text: str, start: int) -> tuple[str, int]:
    scanned: tuple[str, int] = scanstring(text, start + 1, True)
    return scanned


def _container(text: str, start: int, *, is_object: bool) -> Span:
    parts: list[Part] = []
    position = _skip(text, start + 1)
    while text[position] not in "}]":
        if text[position] == ",":
            position = _skip(text, position + 1)
        part_start = position
        key: Any = len(parts)
        if is_object:
            key, position = _string(text, position)
            position = _skip(text, _skip(text, position) + 1)  # over the colon
        value = _value(text, position)
        parts.append(Part(key, part_start, value))
        position = _skip(text, value.end)
    return Span(start, position + 1, tuple(parts))
