"""Changing single values of a YAML text: everything else keeps its bytes, comments too."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import yaml

_UNFOLDED = 1_000_000_000  # characters before PyYAML would fold a line


def compose(text: str) -> yaml.MappingNode:
    """The top mapping with the places of its values. Raises ValueError for anything else."""
    try:
        node = yaml.compose(text, Loader=yaml.SafeLoader)
    except yaml.YAMLError as error:
        raise ValueError(f"not YAML: {error}") from error
    if not isinstance(node, yaml.MappingNode):
        raise ValueError("a YAML mapping is expected")
    return node


def value_of(mapping: yaml.MappingNode, key: str) -> yaml.Node | None:
    """The value of a key, or None."""
    return next((value for name, value in mapping.value if name.value == key), None)


def scalars(value: str) -> Iterator[str]:
    """Ways to write a text, the plainest first; not each is right everywhere."""
    if value and value == value.strip() and value.isprintable():
        yield value
    yield yaml.safe_dump(value, default_style='"', allow_unicode=True, width=_UNFOLDED).rstrip("\n")


def with_scalar(text: str, mapping: yaml.MappingNode, key: str, scalar: str, *, behind: str) -> str:
    """The text with ``key: scalar`` in a mapping, in place of its value or as a new entry.

    A new entry comes behind the entry ``behind``, or behind the first.
    """
    value = value_of(mapping, key)
    if value is not None:
        start, end = value.start_mark.index, end_of(text, value)
        is_empty = start == end
        return text[:start] + (" " if is_empty else "") + scalar + text[end:]
    neighbour_key, neighbour = next(
        (entry for entry in mapping.value if entry[0].value == behind), mapping.value[0]
    )
    if mapping.flow_style:
        at = end_of(text, neighbour)
        return f"{text[:at]}, {key}: {scalar}{text[at:]}"
    return with_line(
        text, end_of(text, neighbour), " " * neighbour_key.start_mark.column + f"{key}: {scalar}"
    )


def with_line(text: str, position: int, line: str) -> str:
    """The text with a line more behind the one that ``position`` is in."""
    newline = "\r\n" if "\r\n" in text else "\n"
    end = text.find("\n", position)
    end = len(text) if end < 0 else end
    if end > 0 and text[end - 1] == "\r" and end < len(text):
        end -= 1
    return text[:end] + newline + line.replace("\n", newline) + text[end:]


def end_of(text: str, node: yaml.Node) -> int:
    """Where a value ends, without the blanks and comments behind it."""
    if isinstance(node, yaml.CollectionNode) and not node.flow_style and node.value:
        last = node.value[-1]
        return end_of(text, last[1] if isinstance(last, tuple) else last)
    start, end = node.start_mark.index, node.end_mark.index
    return start + len(text[start:end].rstrip())


def is_text_of(text: str, expected: Mapping[str, Any]) -> bool:
    """Whether the text is YAML of exactly this value."""
    try:
        return bool(yaml.safe_load(text) == expected)
    except yaml.YAMLError:
        return False


def first_of(candidates: Iterator[str], expected: Mapping[str, Any]) -> str | None:
    """The first candidate that says exactly what is expected, or None."""
    return next((text for text in candidates if is_text_of(text, expected)), None)
