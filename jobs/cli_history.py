"""``status``, ``history`` and ``levers``: where each space stands, and how it got there."""

from __future__ import annotations

from collections.abc import Sequence

import typer

from jobs import screens
from jobs.cli_shared import Command, Json, Space, command_of, show_nothing, utc_now
from jobs.positions import read_progress
from jobs.reading import History, Row
from jobs.runner import pending_jobs
from jobs.schedule import Due
from jobs.screens import Column
from jobs.triggers import read_triggers

NO_SPACES = "There is no space yet. Load one: genie-loop load FOLDER"

_SPACES = """
SELECT s.space_id, s.title, s.state, s.policy, s.answerer, s.data_schema, s.evaluation_id,
  s.iteration, s.cycle, s.target_accuracy, e.kind, e.finished_at,
  e.question_count, e.correct_count,
  e.train_count, e.train_correct, e.held_out_count, e.held_out_correct,
  e.sealed_count, e.sealed_correct, e.infrastructure_count,
  COALESCE(c.open_clusters, 0) AS open_clusters
FROM space_states s
LEFT JOIN evaluation_summary e ON e.evaluation_id = s.evaluation_id
LEFT JOIN (
  SELECT space_id, COUNT(*) AS open_clusters
  FROM cluster_states
  WHERE state IN ('open', 'addressed', 'regressed')
  GROUP BY space_id
) c ON c.space_id = s.space_id
ORDER BY s.space_id
"""

_TO_DECIDE = """
SELECT space_id, batch_id, kind, lever, risk, array_length(proposal_ids) AS proposal_count
FROM batch_states
WHERE state = 'proposed' AND waits_for IS NULL
ORDER BY space_id, recorded_at, batch_id
"""

_EVALUATIONS = """
SELECT * FROM evaluation_summary
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


def status(context: typer.Context, as_json: Json = False) -> None:
    """Show the spaces, what is due and why, and the batches that wait for approval."""
    command = command_of(context)
    history = command.history
    spaces = history.select(_SPACES) if history.is_there else []
    batches = history.select(_TO_DECIDE) if history.is_there else []
    due = pending_work(command)
    failures = {
        job: progress.failure
        for job, progress in read_progress(command.home.runner_file).items()
        if progress.failure is not None
    }
    if as_json:
        screens.print_json(_status_rows(spaces, due, failures, batches))
        return
    _print_home(command)
    if not spaces:
        screens.print_lines("", NO_SPACES)
    else:
        screens.print_lines("")
        screens.print_table(spaces, _SPACE_COLUMNS)
    _print_pending(due, failures)
    _print_to_decide(batches)


def history(context: typer.Context, space: Space = None, as_json: Json = False) -> None:
    """List the evaluations of each space over time, the splits side by side."""
    rows = _rows(command_of(context).history, _EVALUATIONS, space)
    if not rows:
        show_nothing(as_json, "There is no evaluation yet. Evaluate: genie-loop run")
    elif as_json:
        screens.print_json(rows)
    else:
        screens.print_table(rows, _EVALUATION_COLUMNS, group_by="space_id")


def levers(context: typer.Context, space: Space = None, as_json: Json = False) -> None:
    """List what was tried with each lever in each cycle, and why not."""
    rows = _rows(command_of(context).history, _LEVERS, space)
    if not rows:
        show_nothing(
            as_json,
            "No lever was audited yet: optimize does it after an evaluation. genie-loop run",
        )
    elif as_json:
        screens.print_json(rows)
    else:
        screens.print_table(rows, _LEVER_COLUMNS, group_by="space_id")


def pending_work(command: Command) -> tuple[Due, ...]:
    """The jobs that are due in a home, from the tables' logs alone."""
    tables = command.history.path("spaces").parent
    return pending_jobs(read_triggers(), read_progress(command.home.runner_file), tables)


def _rows(history: History, sql: str, space: str | None) -> list[Row]:
    return history.select(sql, space=space) if history.is_there else []


def _status_rows(
    spaces: Sequence[Row], due: Sequence[Due], failures: dict[str, str], batches: Sequence[Row]
) -> list[Row]:
    """Everything ``status`` shows, one object each, told apart by ``about``."""
    return [
        *({"about": "space", **row} for row in spaces),
        *(
            {
                "about": "job",
                "job": d.job,
                "reason": d.reason,
                "updated_tables": list(d.updated),
                "may_start_at": d.start_at,
                "last_failure": failures.get(d.job),
            }
            for d in due
        ),
        *({"about": "batch", **row, "command": _approve(row)} for row in batches),
    ]


def _print_home(command: Command) -> None:
    owner = command.home.owner()
    owned = (
        f"owned by process {owner.pid} (`{owner.command}`) since {owner.since}"
        if owner
        else "nobody runs jobs on it now"
    )
    screens.print_lines(f"Home {command.home.root}: {owned}")


def _print_pending(due: Sequence[Due], failures: dict[str, str]) -> None:
    screens.print_lines("")
    if not due:
        screens.print_lines("No job is due.")
        return
    screens.print_heading("Due jobs (start them: genie-loop run)")
    for d in due:
        left = (d.start_at - utc_now()).total_seconds() if d.start_at else 0
        wait = f"; may start in {left:.0f} s, {d.waits_for}" if left > 0 else ""
        failure = f"; it failed: {failures[d.job]}" if d.job in failures else ""
        screens.print_lines(f"  {d.job}: {d.reason}{wait}{failure}")


def _print_to_decide(batches: Sequence[Row]) -> None:
    screens.print_lines("")
    if not batches:
        screens.print_lines("No batch waits for approval.")
        return
    screens.print_heading("Batches that wait for approval (look first: genie-loop batches show ID)")
    screens.print_table(batches, _TO_DECIDE_COLUMNS, group_by="space_id")


def _approve(row: Row) -> str:
    return f"genie-loop approve {screens.short(row['batch_id'])}"


def _iteration(row: Row) -> str:
    return f"{row['iteration']} {row['kind']}"


_SPACE_COLUMNS = (
    Column("space", lambda row: row["space_id"]),
    *screens.split_columns(),
    Column("clusters", lambda row: str(row["open_clusters"]), align="right"),
    Column("state", lambda row: row["state"]),
)
_TO_DECIDE_COLUMNS = (
    Column("batch", lambda row: screens.short(row["batch_id"])),
    Column("lever", lambda row: screens.lever(row["lever"])),
    Column("proposals", lambda row: str(row["proposal_count"]), align="right"),
    Column("risk", lambda row: row["risk"]),
    Column("to approve it", _approve),
)
_EVALUATION_COLUMNS = (
    Column("evaluation", lambda row: screens.short(row["evaluation_id"])),
    Column("iteration", _iteration),
    Column("finished (UTC)", lambda row: screens.when(row["finished_at"])),
    *screens.split_columns(),
    Column("failures", lambda row: str(row["failure_count"]), align="right"),
    Column("state", lambda row: row["state"]),
)
_LEVER_COLUMNS = (
    Column("cycle", lambda row: str(row["cycle"]), align="right"),
    Column("lever", lambda row: screens.lever(row["lever"])),
    Column("attempted", lambda row: "yes" if row["is_attempted"] else "no"),
    Column("proposed", lambda row: str(row["proposals_generated"]), align="right"),
    Column("applied", lambda row: str(row["proposals_applied"]), align="right"),
    Column("final", lambda row: "yes" if row["is_final"] else "no"),
    Column("why not", lambda row: row["skip_reason"] or "", wraps=True),
)
