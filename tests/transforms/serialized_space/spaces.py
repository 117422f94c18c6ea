"""A small valid space to test with, and ways to write one."""

from __future__ import annotations

import copy
import json
from typing import Any

ID = "0123456789abcdef0123456789abcd{:02x}".format

SPACE: dict[str, Any] = {
    "version": 2,
    "config": {"sample_questions": [{"id": ID(1), "question": ["How many rides?"]}]},
    "data_sources": {
        "tables": [
            {
                "identifier": "main.bikes.rides",
                "description": ["One row per ride.\n", "Grüße from the depot."],
                "column_configs": [
                    {"column_name": "ended_at", "description": ["When it ended"]},
                    {
                        "column_name": "kind",
                        "synonyms": ["type"],
                        "enable_format_assistance": True,
                        "enable_entity_matching": True,
                    },
                ],
            },
            {"identifier": "main.bikes.stations"},
        ],
        "metric_views": [{"identifier": "main.bikes.ride_metrics"}],
    },
    "instructions": {
        "text_instructions": [{"id": ID(2), "content": ["Weeks begin on Monday in Zürich.\n"]}],
        "example_question_sqls": [
            {
                "id": ID(3),
                "question": ["Rides per station"],
                "sql": ["SELECT station, count(*)\n", "FROM main.bikes.rides GROUP BY 1"],
                "parameters": [
                    {
                        "name": "day",
                        "type_hint": "DATE",
                        "default_value": {"values": ["2026-01-01"]},
                    }
                ],
            }
        ],
        "sql_functions": [{"id": ID(4), "identifier": "main.bikes.rides_of"}],
        "join_specs": [
            {
                "id": ID(5),
                "left": {"identifier": "main.bikes.rides", "alias": "rides"},
                "right": {"identifier": "main.bikes.stations", "alias": "stations"},
                "sql": [
                    "`rides`.`station` = `stations`.`id`\n",
                    "--rt=FROM_RELATIONSHIP_TYPE_MANY_TO_ONE--",
                ],
            }
        ],
        "sql_snippets": {
            "filters": [{"id": ID(6), "sql": ["kind = 'e'"], "display_name": "electric"}],
            "measures": [
                {"id": ID(7), "sql": ["count(*)"], "display_name": "rides", "alias": "rides"}
            ],
        },
    },
    "benchmarks": {
        "questions": [
            {
                "id": ID(8),
                "question": ["How many rides were there?"],
                "answer": [{"format": "SQL", "content": ["SELECT count(*) FROM main.bikes.rides"]}],
            }
        ]
    },
}

WRITINGS: dict[str, dict[str, Any]] = {
    "one line": {},
    "compact": {"separators": (",", ":"), "ensure_ascii": False},
    "two blanks": {"indent": 2, "ensure_ascii": False},
    "four blanks, escaped": {"indent": 4},
    "tabs": {"indent": "\t", "ensure_ascii": False},
}


def space(**changes: Any) -> dict[str, Any]:
    """A copy of the space; each change is ``path__to__value=value``, positions as numbers."""
    made = copy.deepcopy(SPACE)
    for path, value in changes.items():
        *parents, last = [int(key) if key.isdigit() else key for key in path.split("__")]
        target: Any = made
        for key in parents:
            target = target[key]
        target[last] = value
    return made


def written(document: dict[str, Any], writing: str = "two blanks") -> str:
    """The document as JSON text in one of the ways of writing."""
    return json.dumps(document, **WRITINGS[writing]) + "\n"
