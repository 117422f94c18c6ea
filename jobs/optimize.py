"""The optimize job: from new evaluations to batches that wait for approval."""

from __future__ import annotations

from collections.abc import Sequence

from jobs.context import JobContext, JobReport
from jobs.entry_point import start
from pipelines.optimize import Optimized, optimize

JOB = "optimize"


def main(argv: Sequence[str] | None = None) -> None:
    """Start the job on Databricks, with the arguments that its YAML names."""
    start(JOB, run, argv)


def run(context: JobContext) -> JobReport:
    """Do everything that is pending; nothing pending, nothing written.

    Raises MissingEvidenceError for an evaluation without per-row data.
    """
    context.progress("taking in evaluations and planning", 0, 0)
    done = optimize(context.tables, checkpoint=str(context.checkpoints / JOB))
    return JobReport(job=JOB, lines=_lines(done), wrote=done.commits.total())


def _lines(done: Optimized) -> tuple[str, ...]:
    lines = []
    if done.evaluation_count:
        lines.append(f"{_count(done.evaluation_count, 'evaluation')} taken in")
    if done.commits:
        lines.append(f"written to {', '.join(sorted(done.commits))}")
    if "batches" in done.commits:
        lines.append("batches wait for approval: genie-loop batches")
    return tuple(lines)


def _count(number: int, thing: str) -> str:
    return f"{number} {thing}{'' if number == 1 else 's'}"
