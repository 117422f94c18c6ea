"""The three artifacts of an evaluation, for people: the tables' rows, row for row, as JSON."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

EVAL_RESULTS_PATH = "evaluation/eval_results.json"
FAILURES_PATH = "evaluation/failures.json"
ACTIONS_PATH = "evaluation/arbiter_actions.json"

LIST_OF_ACTION = {
    "correct": "corrections",
    "cluster": "confirmed_failures",
    "review": "reviews",
    "none": "no_action",
}


@dataclass(frozen=True, slots=True)
class EvaluationArtifacts:
    """Plain JSON values: rows of ``eval_results`` and ``failures``, and what follows of rulings.

    ``arbiter_actions`` has a list for each action, one entry for each row of ``arbiter_verdicts``;
    ``confirmed_failures`` also has the answers that never reach the arbiter because they have no
    SQL that runs.
    """

    eval_results: list[dict[str, Any]]
    failures: list[dict[str, Any]]
    arbiter_actions: dict[str, list[dict[str, Any]]]

    def by_path(self) -> dict[str, Any]:
        """The artifacts by their path in the MLflow run."""
        return {
            EVAL_RESULTS_PATH: self.eval_results,
            FAILURES_PATH: self.failures,
            ACTIONS_PATH: self.arbiter_actions,
        }


def build_artifacts(
    results: Sequence[Mapping[str, Any]],
    failures: Sequence[Mapping[str, Any]],
    rulings: Sequence[Mapping[str, Any]],
) -> EvaluationArtifacts:
    """The artifacts of one evaluation from its rows of the three tables."""
    actions: dict[str, list[dict[str, Any]]] = {name: [] for name in LIST_OF_ACTION.values()}
    arbitrated = set()
    for ruling in _in_order(rulings):
        arbitrated.add(_key(ruling))
        actions[LIST_OF_ACTION[ruling["action"]]].append(_action(ruling, ruling["expected_sql"]))
    confirmed = {_key(f): f for f in failures if f["confirmation"] == "confirmed"}
    for key in sorted(confirmed.keys() - arbitrated):
        entry = {**confirmed[key], "verdict": None, "evidence": confirmed[key]["rule"]}
        actions["confirmed_failures"].append(_action(entry, entry["expected_sql"]))
    return EvaluationArtifacts(
        eval_results=[json_value(row) for row in _in_order(results)],
        failures=[json_value(row) for row in _in_order(failures)],
        arbiter_actions=actions,
    )


def _action(row: Mapping[str, Any], old_gt: str) -> dict[str, Any]:
    return {
        "question_id": row["question_id"],
        "attempt": row["attempt"],
        "question": row["question"],
        "old_gt": old_gt,
        "genie_sql": row["genie_sql"],
        "verdict": row["verdict"],
        "rule": row["rule"],
        "evidence": row["evidence"],
    }


def _key(row: Mapping[str, Any]) -> tuple[str, int]:
    return (row["question_id"], row["attempt"])


def _in_order(rows: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    return sorted(rows, key=lambda r: (*_key(r), r.get("judge", ""), r.get("ordinal", 0)))


def json_value(value: Any) -> Any:
    """The value as JSON knows it: times as ISO 8601, decimals as text, NaN and infinity as null."""
    if isinstance(value, Mapping):
        return {str(key): json_value(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [json_value(item) for item in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat()  # without a zone it is the process's local time
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, Decimal):
        return str(value)
    return value
