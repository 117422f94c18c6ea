"""Benchmarks as the files hold them that ``load``, ``deploy`` and ``import`` read."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

import yaml

_KEYS = ("question_id", "question", "expected_sql")
_OPTIONAL = ("expected_asset", "category")


def question_line(row: Mapping[str, Any]) -> dict[str, Any]:
    """A question with the keys of ``questions.jsonl``; optional ones only where they say anything.

    ``row`` has the columns of ``benchmarks``.
    """
    return {
        **{key: row[key] for key in _KEYS},
        **{key: row[key] for key in _OPTIONAL if row[key] is not None},
    }


def as_json_lines(lines: Sequence[Mapping[str, Any]]) -> str:
    """One JSON object per line."""
    return "".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines)


def as_yaml(lines: Sequence[Mapping[str, Any]]) -> str:
    """A YAML list of objects."""
    return yaml.safe_dump([dict(line) for line in lines], allow_unicode=True, sort_keys=False)
