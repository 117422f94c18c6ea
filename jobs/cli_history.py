"""``history`` and ``levers``: how each space got where it stands."""

from __future__ import annotations

import typer

from jobs import screens
from jobs.cli_shared import Json, Limit, Space, command_of, rows_of, show_list
from jobs.left_out import left_out, left_out_lines
from jobs.reading import History, Row
from jobs.screens import Column, split_counts

_EVALUATIONS = """
SELECT space_id, evaluation_id, kind, cycle, iteration, batch_id, state, answerer,
  comparison_policy, judge_version, model_id, mlflow_run_id, question_count, correct_count,
  accuracy, splits, outcome_counts, arbiter_counts, failure_count, started_at, finished_at
FROM evaluation_states
WHERE :space IS NULL OR space_id = :space
ORDER BY space_id, started_at, evaluation_id
"""

_LEVERS = """
SELECT space_id, cycle, lever, is_attempted, proposals_generated, proposals_applied, skip_reason,
  is_final, evaluation_id, recorded_at
FROM lever_audit
WHERE :space IS NULL OR space_id = :space
ORDER BY space_id, cycle, lever
"""


def history(
    context: typer.Context, space: Space = None, limit: Limit = None, as_json: Json = False
) -> None:
    """List the evaluations of each space over time, the splits side by side.

    Beside each accuracy stands its 95 % interval, in per cent.
    """
    print_history(command_of(context).history, space, limit=limit, as_json=as_json)


def print_history(
    history: History, space: str | None, *, limit: int | None = None, as_json: bool = False
) -> None:
    """What ``history`` shows."""
    rows = rows_of(history, _EVALUATIONS, space)
    show_list(
        [split_counts(row) for row in rows],
        _EVALUATION_COLUMNS,
        as_json=as_json,
        if_none="There is no evaluation yet. Evaluate: genie-loop run",
        limit=limit,
        keeps_last=True,
    )
    if not as_json:
        spaces = {row["space_id"] for row in rows}
        benchmarks = left_out(history) if rows else []
        screens.print_lines(*screens.fault_lines(rows), *left_out_lines(benchmarks, spaces))


def levers(context: typer.Context, space: Space = None, as_json: Json = False) -> None:
    """List what was tried with each lever in each cycle, and why not."""
    print_levers(command_of(context).history, space, as_json=as_json)


def print_levers(history: History, space: str | None, *, as_json: bool = False) -> None:
    """What ``levers`` shows."""
    show_list(
        rows_of(history, _LEVERS, space),
        _LEVER_COLUMNS,
        as_json=as_json,
        if_none="No lever was audited yet: optimize does it after an evaluation. genie-loop run",
    )


def _iteration(row: Row) -> str:
    return f"{row['iteration']} {row['kind']}"


_EVALUATION_COLUMNS = (
    Column("evaluation", lambda row: screens.short(row["evaluation_id"])),
    Column("iteration", _iteration),
    Column("finished (UTC)", lambda row: screens.when(row["finished_at"]), wraps=True),
    *screens.split_columns(),
    Column("state", lambda row: row["state"]),
)
_LEVER_COLUMNS = (
    Column("cycle", lambda row: str(row["cycle"]), align="right"),
    Column("lever", lambda row: screens.lever(row["lever"])),
    Column("attempted", lambda row: "yes" if row["is_attempted"] else "no"),
    Column("proposed", lambda row: str(row["proposals_generated"]), align="right"),
    Column("applied", lambda row: str(row["proposals_applied"]), align="right"),
    Column("final", lambda row: "yes" if row["is_final"] else "no"),
    Column("why not", lambda row: screens.with_short_ids(row["skip_reason"] or ""), wraps=True),
)
