"""Reading JSON-lines files: every faulty line is told with its place, not only the first."""

from __future__ import annotations

import json
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
    lines: list[Line] = []
    problems: list[str] = []
    try:
        raw_lines = path.read_bytes().removeprefix(b"\xef\xbb\xbf").split(b"\n")
    except OSError as error:
        return [], [f"{label}: cannot be read: {error.strerror}"]
    for number, raw in enumerate(raw_lines, start=1):
        if not raw.strip():
            continue
        try:
            value = json.loads(raw.decode(), parse_constant=_refuse_constant)
            json.dumps(value, ensure_ascii=False).encode()  # an escape may be half a character
        except UnicodeError:
            problems.append(f"{label}:{number}: not UTF-8 text")
        except json.JSONDecodeError as error:
            problems.append(f"{label}:{number}: not JSON: {error.msg}, column {error.colno}")
        except (ValueError, RecursionError) as error:
            problems.append(f"{label}:{number}: not JSON: {error}")
        else:
            if isinstance(value, dict):
                lines.append(Line(number, value))
            else:
                problems.append(f"{label}:{number}: a JSON object is expected on every line")
    return lines, problems


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not a JSON value")
