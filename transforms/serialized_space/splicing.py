"""Writing a changed JSON value into the text it came from: what did not change keeps its bytes."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Any

from transforms.serialized_space.json_spans import Span, read_spans

# What makes an element of an array the same one before and after a change.
_IDENTITIES = ("id", "identifier", "column_name", "name")

_INDENTED = re.compile(r'^[{\[][ \t]*\r?\n([ \t]+)["{\[]')
_COLON = re.compile(r'"[ \t]*:([ \t]*)')
_COMMA = re.compile(r'["\d\]}el],([ \t]*)["{\[\d]')
_ESCAPED = re.compile(r"\\u(?:00[89a-fA-F]|0[1-9a-fA-F]|[1-9a-fA-F])")


def splice(text: str, old: Any, new: Any) -> str:
    """``text``, which is the JSON of ``old``, changed into JSON of ``new``.

    Members and elements that both have keep their bytes, and so do the blanks between two of them
    that were neighbours before. What is new is written as the text around it is: its indentation,
    its blanks after colons and commas, its way of writing letters beyond ASCII.
    """
    if _is_same(old, new):
        return text
    span = read_spans(text)
    rewriter = _Rewriter(text, _Style.of(text))
    return text[: span.start] + rewriter.rewrite(span, old, new) + text[span.end :]


def canonical(value: Any) -> str:
    """One text for equal JSON values, whatever the order of their keys; 1, 1.0 and true differ."""
    return json.dumps(value, sort_keys=True, ensure_ascii=False, separators=(",", ":"))


def _is_same(left: Any, right: Any) -> bool:
    return canonical(left) == canonical(right)


@dataclass(frozen=True, slots=True)
class _Style:
    """How a text is written. ``indent`` is None where everything stands on one line."""

    indent: str | None
    colon: str
    comma: str
    newline: str
    is_ascii: bool

    @classmethod
    def of(cls, text: str) -> _Style:
        start = text.lstrip(" \t\r\n")
        indented, colon, comma = _INDENTED.match(start), _COLON.search(text), _COMMA.search(text)
        return cls(
            indent=indented[1] if indented else None,
            colon=":" + (colon[1] if colon else " "),
            comma="," + (comma[1] if comma else ("" if colon and not colon[1] else " ")),
            newline="\r\n" if "\r\n" in text else "\n",
            is_ascii=text.isascii() and _ESCAPED.search(text) is not None,
        )

    def render(self, value: Any, margin: str | None) -> str:
        """``value`` as JSON; over several lines, ``margin`` before each, unless it is None."""
        is_over_lines = margin is not None and self.indent is not None
        rendered = json.dumps(
            value,
            ensure_ascii=self.is_ascii,
            indent=self.indent if is_over_lines else None,
            separators=("," if is_over_lines else self.comma, self.colon),
        )
        return rendered.replace("\n", f"{self.newline}{margin}") if is_over_lines else rendered


@dataclass(frozen=True, slots=True)
class _Piece:
    """One part of the container that is written: its text, and its position in the old one."""

    text: str
    old_position: int | None


class _Rewriter:
    def __init__(self, text: str, style: _Style) -> None:
        self._text = text
        self._style = style

    def rewrite(self, span: Span, old: Any, new: Any) -> str:
        """The text of ``new`` where ``old`` stood at ``span``."""
        if _is_same(old, new):
            return self._text[span.start : span.end]
        is_filled = bool(span.parts) and bool(new)
        if is_filled and isinstance(old, dict) and isinstance(new, dict):
            return self._container(span, self._members(span, old, new))
        if is_filled and isinstance(old, list) and isinstance(new, list):
            return self._container(span, self._elements(span, old, new))
        return self._style.render(new, self._margin(span.start))

    def _members(self, span: Span, old: Mapping[str, Any], new: Mapping[str, Any]) -> list[_Piece]:
        parts = span.parts or ()
        positions = {part.key: position for position, part in enumerate(parts)}
        kept = [key for key in new if key in positions]
        is_in_order = kept == sorted(kept, key=lambda key: positions[key])
        keys = list(new)
        if not is_in_order:  # the order of keys says nothing: theirs stays, what is new comes last
            keys = [str(part.key) for part in parts if part.key in new]
            keys += [key for key in new if key not in positions]
        pieces = []
        for key in keys:
            position = positions.get(key)
            if position is None:
                name = json.dumps(key, ensure_ascii=self._style.is_ascii)
                value = self._style.render(new[key], self._inner_margin(span))
                pieces.append(_Piece(name + self._style.colon + value, None))
            else:
                part = parts[position]
                value = self.rewrite(part.value, old[key], new[key])
                pieces.append(_Piece(self._text[part.start : part.value.start] + value, position))
        return pieces

    def _elements(self, span: Span, old: Sequence[Any], new: Sequence[Any]) -> list[_Piece]:
        parts = span.parts or ()
        matcher = SequenceMatcher(
            a=[_identity(item) for item in old],
            b=[_identity(item) for item in new],
            autojunk=False,
        )
        pieces: list[_Piece] = []
        for tag, i1, i2, j1, j2 in matcher.get_opcodes():
            is_paired = tag == "equal" or (tag == "replace" and i2 - i1 == j2 - j1)
            for offset, item in enumerate(new[j1:j2]):
                if is_paired:
                    text = self.rewrite(parts[i1 + offset].value, old[i1 + offset], item)
                    pieces.append(_Piece(text, i1 + offset))
                else:
                    text = self._style.render(item, self._inner_margin(span))
                    pieces.append(_Piece(text, None))
        return pieces

    def _container(self, span: Span, pieces: Sequence[_Piece]) -> str:
        """The container around its pieces, with the blanks it had."""
        parts = span.parts or ()
        text = self._text[span.start : parts[0].start]
        previous: int | None = None
        for number, piece in enumerate(pieces):
            if number:
                is_neighbour = previous is not None and piece.old_position == previous + 1
                text += self._between(span, piece.old_position if is_neighbour else None)
            text += piece.text
            previous = piece.old_position
        return text + self._text[parts[-1].value.end : span.end]

    def _between(self, span: Span, position: int | None) -> str:
        """What stands before the part at ``position``, or before any part that is new there."""
        parts = span.parts or ()
        if position is None and len(parts) == 1:
            lead = self._text[span.start + 1 : parts[0].start]
            return "," + lead if "\n" in lead else self._style.comma
        position = position or 1
        return self._text[parts[position - 1].value.end : parts[position].start]

    def _inner_margin(self, span: Span) -> str | None:
        """The blanks before each line of a new part; None where the parts stand on one line."""
        parts = span.parts or ()
        lead = self._text[span.start + 1 : parts[0].start]
        return lead.rpartition("\n")[2] if "\n" in lead else None

    def _margin(self, position: int) -> str:
        """The blanks that the line of a position begins with."""
        line = self._text[self._text.rfind("\n", 0, position) + 1 : position]
        return line[: len(line) - len(line.lstrip(" \t"))]


def _identity(item: Any) -> str:
    """What an element is recognised by: its id or name, or all of it."""
    if isinstance(item, dict):
        named = [f"{key}={item[key]}" for key in _IDENTITIES if isinstance(item.get(key), str)]
        if named:
            return "\0".join(named[:1])
    return canonical(item)
