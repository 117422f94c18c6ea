"""The apply job: approved batches are applied, rejected ones undone."""

from __future__ import annotations

from collections.abc import Sequence

from genie.homes.space_homes import SpaceHomes
from genie.one_try import environment_client
from genie.workspace_check import read_space
from jobs.context import JobContext, JobReport
from jobs.entry_point import start
from pipelines.apply_ledger import TableLedger
from pipelines.applying import ApplyReport, Ledger, Services, Work, apply_pending
from pipelines.homes import Connect, open_homes
from pipelines.rolling_back import ask_after_rollback
from pipelines.snapshot import read_state
from pipelines.spaces import Space, registered_spaces
from transforms.errors import GenieLoopError, InvalidInputError
from transforms.serialized_space import SpaceConfig
from transforms.wording import count

JOB = "apply"


def main(argv: Sequence[str] | None = None) -> None:
    """Start the job on Databricks, with the arguments that its YAML names."""
    start(JOB, run, argv)


def run(context: JobContext, *, connect: Connect = environment_client) -> JobReport:
    """Do and undo what is pending; nothing pending: nothing written.

    A batch that cannot be done does not keep the others from it: what was wrong is raised when all
    are done.
    """
    tables = context.tables
    ledger = TableLedger(tables)

    def space(space_id: str) -> Space:
        found = registered_spaces(tables).get(space_id)
        if found is None:
            raise InvalidInputError(
                "there is no such space", where=space_id, remedy="load or register it"
            )
        return found.space

    def homes(space_id: str) -> SpaceHomes:
        return open_homes(tables, space(space_id), connect)

    def config(genie_id: str) -> SpaceConfig:
        return read_space(connect(f"genie:{genie_id}"), genie_id)[1]

    def state_hash(space_id: str) -> str:
        return read_state(tables, space(space_id), config).state_hash

    report = apply_pending(ledger, Services(homes, state_hash), context.progress)
    lines = tuple(line for done in report.done for line in done.lines)
    did_ask = ask_after_rollback(tables)
    if did_ask:
        lines = (*lines, "an evaluation is asked for of what was rolled back")
    if report.failed:
        raise _all_of(report, ledger, lines)
    return JobReport(JOB, lines, ledger.wrote + did_ask)


def _all_of(report: ApplyReport, ledger: Ledger, lines: Sequence[str]) -> GenieLoopError:
    """The one error, or all of them as one with the first's exit code."""
    errors = [error for _, error in report.failed]
    told = [f"{work.batch_id}: {error}{_way_out(work, ledger)}" for work, error in report.failed]
    done = ["these are done:", *lines] if lines else []
    error = GenieLoopError(
        "\n".join([f"{count(len(errors), 'batch', 'batches')} could not be done:", *told, *done])
    )
    error.exit_code = errors[0].exit_code
    return error


def _way_out(work: Work, ledger: Ledger) -> str:
    """How a person gives up a batch that cannot be applied: until then nothing else is."""
    if work.direction == "undo":
        return ""
    if ledger.intents(work.batch_id, "apply"):
        return (
            "\n  Or take back what was made of it, going back to an accepted version "
            "(genie-loop history): genie-loop rollback EVALUATION"
        )
    return (
        f"\n  Or take the approval back, nothing of it was made: genie-loop reject {work.batch_id}"
    )
