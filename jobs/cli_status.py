"""``status``: where each space stands, which jobs are due and why, what waits for people."""

from __future__ import annotations

import typer

from jobs import screens
from jobs.cli_shared import Command, Json, command_of, utc_now
from jobs.home import Owner
from jobs.left_out import left_out, left_out_lines, with_left_out
from jobs.positions import read_progress
from jobs.reading import Row
from jobs.right_by_luck import luck_in_all, luck_of
from jobs.runner import pending_jobs
from jobs.schedule import Due, progress_of
from jobs.screens import Column, split_counts
from jobs.triggers import read_triggers

_SPACES = """
SELECT s.space_id, s.title, s.state, s.policy, s.answerer, s.data_schema, s.evaluation_id,
  s.iteration, s.cycle, s.target_accuracy, e.kind, e.finished_at, s.question_count,
  s.correct_count, e.splits, e.outcome_counts, COALESCE(c.open_clusters, 0) AS open_clusters
FROM space_states s
LEFT JOIN evaluations e ON e.evaluation_id = s.evaluation_id
LEFT JOIN (
  SELECT space_id, COUNT(*) AS open_clusters
  FROM cluster_states
  WHERE state IN ('open', 'addressed', 'regressed')
  GROUP BY space_id
) c ON c.space_id = s.space_id
ORDER BY s.space_id
"""

_TO_DECIDE = """
SELECT b.space_id, b.batch_id, b.kind, b.lever, b.risk,
  array_length(b.proposal_ids) AS proposal_count
FROM batch_states b
JOIN space_states s ON s.space_id = b.space_id
WHERE b.state = 'proposed' AND (b.risk <> 'low' OR s.policy = 'manual')
ORDER BY b.space_id, b.recorded_at, b.batch_id
"""


def status(context: typer.Context, as_json: Json = False) -> None:
    """Show the spaces, what is due and why, and the batches that wait for approval."""
    command = command_of(context)
    owner = command.home.owner()
    history = command.history
    spaces = [split_counts(row) for row in history.select(_SPACES)] if history.is_there else []
    benchmarks = left_out(history)
    luck_lines = _with_luck(command, spaces)
    spaces = with_left_out(spaces, benchmarks)
    jobs = _jobs(command, owner)
    batches = history.select(_TO_DECIDE) if history.is_there else []
    for batch in batches:
        batch["command"] = f"genie-loop approve {screens.short(batch['batch_id'])}"
    if as_json:
        named = (("space", spaces), ("job", jobs), ("batch", batches))
        screens.print_json({"about": about, **row} for about, rows in named for row in rows)
        return
    _print_home(command, owner)
    screens.print_lines("")
    if spaces:
        screens.print_table(spaces, _SPACE_COLUMNS)
        screens.print_lines(
            *screens.fault_lines(spaces),
            *left_out_lines(benchmarks, [row["space_id"] for row in spaces]),
            *luck_lines,
        )
    else:
        screens.print_lines("There is no space yet. Load one: genie-loop load FOLDER")
    screens.print_lines("")
    _print_jobs(jobs)
    screens.print_lines("")
    _print_to_decide(batches)


def _with_luck(command: Command, spaces: list[Row]) -> list[str]:
    """Add ``coincidental_count``, None where that was not checked; gives what to tell people."""
    ids = [row["evaluation_id"] for row in spaces if row["evaluation_id"] is not None]
    counts = luck_of(command.history, ids) if ids else {}
    lines = []
    for row in spaces:
        luck = luck_in_all(counts, row["evaluation_id"])
        row["coincidental_count"] = luck.coincidental_count if luck.checked_count else None
        if luck.coincidental_count:
            shown = f"genie-loop failures --coincidental --space {row['space_id']}"
            lines.append(f"{row['space_id']}: {luck.text} ({shown})")
    return lines


def pending_work(command: Command) -> tuple[Due, ...]:
    """The jobs that are due in a home, from the tables' logs alone."""
    tables = command.history.path("spaces").parent
    return pending_jobs(read_triggers(), read_progress(command.home.runner_file), tables)


def _jobs(command: Command, owner: Owner | None) -> list[Row]:
    """What ``--json`` shows of the jobs that are due or running."""
    progress = read_progress(command.home.runner_file)
    rows = []
    for due in pending_work(command):
        at = progress_of(progress, due.job)
        can_run = owner is not None and owner.command in ("genie-loop run", f"genie-loop {due.job}")
        rows.append(
            {
                "job": due.job,
                "is_running": can_run and at.is_unfinished,
                "reason": due.reason,
                "updated_tables": list(due.updated),
                "may_start_at": due.start_at,
                "waits_for": due.waits_for,
                "last_failure": at.failure,
            }
        )
    return rows


def _print_home(command: Command, owner: Owner | None) -> None:
    owned = (
        f"owned by process {owner.pid} (`{owner.command}`) since {owner.since}"
        if owner
        else "no process owns it now"
    )
    screens.print_lines(f"Home {command.home.root}: {owned}")


def _print_jobs(jobs: list[Row]) -> None:
    running = [row["job"] for row in jobs if row["is_running"]]
    due = [row for row in jobs if not row["is_running"]]
    if running:
        screens.print_lines(f"Running now: {', '.join(running)}")
    if not jobs:
        screens.print_lines("No job is due.")
    if due:
        goes_on = "" if running else " (start them: genie-loop run)"
        screens.print_heading(f"Due jobs{goes_on}")
    for row in due:
        left = (row["may_start_at"] - utc_now()).total_seconds() if row["may_start_at"] else 0
        wait = f"; may start in {left:.0f} s, {row['waits_for']}" if left > 0 else ""
        failure = f"; it failed: {row['last_failure']}" if row["last_failure"] else ""
        screens.print_lines(f"  {row['job']}: {row['reason']}{wait}{failure}")


def _print_to_decide(batches: list[Row]) -> None:
    if not batches:
        screens.print_lines("No batch waits for approval.")
        return
    screens.print_heading("Batches that wait for approval (look first: genie-loop batches show ID)")
    screens.print_table(batches, _TO_DECIDE_COLUMNS, group_by="space_id")


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
    Column("to approve it", lambda row: row["command"]),
)
