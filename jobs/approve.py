"""The approve job: the spaces' policies decide on the batches that nobody decided on."""

from __future__ import annotations

from collections.abc import Sequence

from jobs.context import JobContext, JobReport
from jobs.entry_point import start
from pipelines.approving import approve_by_policy

JOB = "approve"


def main(argv: Sequence[str] | None = None) -> None:
    """Start the job on Databricks, with the arguments that its YAML names."""
    start(JOB, run, argv)


def run(context: JobContext) -> JobReport:
    """Approve what the policies approve; nothing undecided, or policy manual: nothing written."""
    context.progress("applying the approval policies", 0, 0)
    approved = approve_by_policy(context.tables)
    lines = tuple(f"{batch} approved: every proposal has low risk" for batch in approved)
    return JobReport(job=JOB, lines=lines, wrote=int(bool(approved)))
