"""Reading JSON-lines files: every faulty line is told with its place, not only the first."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn


@dataclass(frozen=True, slots=True)
class Line:
    """One JSON object and the line it stood on, counted from 1."""

    number: int
    value: dict[str, Any]


def read_json_lines(path: Path, label: str) -> tuple[list[Line], list[str]]:
    """The objects of a file, and what is wrong with the other lines, as ``label:line: problem``.

    Empty lines are left out. Never raises for what the file holds or for its absence.
    """
    problems: list[str] = []
    return list(each_json_line(path, label, problems)), problems


def each_json_line(path: Path, label: str, problems: list[str]) -> Iterator[Line]:
    """As ``read_json_lines``, one object at a time; what is wrong is added to ``problems``."""
    try:
        with path.open("rb") as file:
            for number, raw in enumerate(file, start=1):
                line = raw.removesuffix(b"\n")
                if number == 1:
                    line = line.removeprefix(b"\xef\xbb\xbf")
                if not line.strip():
                    continue
                value = _object(line, f"{label}:{number}", problems)
                if value is not None:
                    yield Line(number, value)
    except OSError as error:
        problems.append(f"{label}: cannot be read: {error.strerror}")


def _object(line: bytes, place: str, problems: list[str]) -> dict[str, Any] | None:
    try:
        value = json.loads(line.decode(), parse_constant=_refuse_constant)
        json.dumps(value, ensure_ascii=False).encode()  # an escape may be half a character
    except UnicodeError:
        problems.append(f"{place}: not UTF-8 text")
    except json.JSONDecodeError as error:
        problems.append(f"{place}: not JSON: {error.msg}, column {error.colno}")
    except (ValueError, RecursionError) as error:
        problems.append(f"{place}: not JSON: {error}")
    else:
        if isinstance(value, dict):
            return value
        problems.append(f"{place}: a JSON object is expected on every line")
    return None


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not a JSON value")
