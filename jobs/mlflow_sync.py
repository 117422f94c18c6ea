"""Logs in MLflow what the tables hold of evaluations and MLflow does not.

Reads the tables without a JVM. MLflow is compared with them evaluation by evaluation, by the tag
that every run and trace carries, so that a second time there is nothing left to log.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from genie.mlflow_store import MlflowStore, reaching_mlflow
from genie.tracking import Logged, record_run
from jobs.reading import History
from pipelines.tracking import EvaluationRows, evaluation_run
from transforms.contracts import (
    ARBITER_VERDICTS_TABLE,
    EVAL_RESULTS,
    FAILURES,
    JUDGE_VERDICTS,
    Table,
)

Row = dict[str, Any]

_EVALUATIONS = """
SELECT e.*, s.domain, before.model_id AS parent_model_id
FROM evaluations e
JOIN latest_spaces s ON s.space_id = e.space_id
LEFT JOIN evaluations before
  ON before.space_id = e.space_id AND before.iteration = e.iteration - 1
WHERE :space IS NULL OR e.space_id = :space
ORDER BY e.space_id, e.iteration
"""


def evaluations_of(history: History, space: str | None) -> list[Row]:
    """Rows of ``evaluations`` with the ``domain`` of their space and their ``parent_model_id``."""
    return history.select(_EVALUATIONS, space=space)


def sync(
    history: History, store: MlflowStore, evaluations: list[Row]
) -> Iterator[tuple[Row, Logged]]:
    """Log what is missing of each evaluation in turn; what that was.

    Raises TrackingError where MLflow fails; what was logged until then stays.
    """
    for evaluation in evaluations:
        evaluation_id = evaluation["evaluation_id"]
        rows = EvaluationRows(
            evaluation,
            results=_rows_of(history, EVAL_RESULTS, evaluation_id),
            verdicts=_rows_of(history, JUDGE_VERDICTS, evaluation_id),
            failures=_rows_of(history, FAILURES, evaluation_id),
            rulings=_rows_of(history, ARBITER_VERDICTS_TABLE, evaluation_id),
        )
        run = evaluation_run(rows, evaluation["domain"], evaluation["parent_model_id"])
        with reaching_mlflow(evaluation_id):
            logged = record_run(store, run)
        yield evaluation, logged


def _rows_of(history: History, table: Table, evaluation_id: str) -> list[Row]:
    return history.select(
        f"SELECT * FROM {table.name} WHERE evaluation_id = :evaluation_id",
        evaluation_id=evaluation_id,
    )
