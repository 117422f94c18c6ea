"""The evaluate job: every request without an evaluation gets one."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field, replace

from genie.answerers import Answerer, open_answerer
from genie.ask_journal import FileAskJournal
from genie.live_space import read_live_config
from genie.mlflow_store import open_store
from jobs.context import JobContext, JobReport
from jobs.executors import Executors
from jobs.model_judge import opened_model_judge
from pipelines.coincidence import CoincidencePolicy
from pipelines.evaluate import evaluate
from pipelines.evaluation_report import EvaluationReport
from pipelines.evaluation_under_way import EvaluationPolicy, Services
from pipelines.requests import pending_requests
from pipelines.settling import Settling
from pipelines.snapshot import ReadConfig
from pipelines.spaces import registered_spaces
from transforms.errors import GenieLoopError

JOB = "evaluate"


@dataclass(frozen=True, slots=True)
class EvaluateConfig:
    """``space_id`` limits the job to one space; ``policy`` bounds asking and execution.

    How often a question is asked is for the context to say. One that checks coincidences does so
    within ``CoincidencePolicy`` where the policy has none of its own.
    """

    space_id: str | None = None
    policy: EvaluationPolicy = field(default_factory=EvaluationPolicy)


def run(
    context: JobContext,
    config: EvaluateConfig | None = None,
    *,
    answerers: Callable[[str], Answerer] = open_answerer,
    read_config: ReadConfig = read_live_config,
    sleep: Callable[[float], None] = time.sleep,
) -> JobReport:
    """Answer every pending request, the oldest first; nothing pending, nothing written.

    Genie Spaces are asked with a journal beside the job's checkpoints, so that a run after a kill
    asks no question a second time; ``read_config`` reads their configuration by their id. One that
    was changed just now is asked when its workspace answers from that; ``sleep`` waits so many
    seconds. Results of queries are kept beside the checkpoints, too, until what they depend on
    changes.

    A space that cannot be evaluated does not keep the others from it: what was wrong with it is
    raised when all are done.
    """
    config = config or EvaluateConfig()
    policy = replace(config.policy, asks=context.asks)
    if context.checks_coincidences and policy.coincidences is None:
        policy = replace(policy, coincidences=CoincidencePolicy())
    pending = pending_requests(context.tables, config.space_id)
    if not pending:
        return JobReport(JOB)
    spaces = registered_spaces(context.tables)
    reports: list[EvaluationReport] = []
    errors: list[GenieLoopError] = []
    with ExitStack() as stack:
        services = Services(
            open_store(context.tracking_uri, context.artifacts),
            answerers,
            stack.enter_context(Executors(context, policy.execution)).executor,
            context.checkpoints / JOB / "judging",
            read_config=read_config,
            open_journal=lambda: FileAskJournal(context.checkpoints / JOB / "asked.jsonl"),
            settling=Settling(context.settling_s, sleep),
            model_judge=stack.enter_context(opened_model_judge(context)),
        )
        for number, request in enumerate(pending, start=1):
            registration = spaces.get(request.space_id)
            try:
                if registration is None:
                    raise GenieLoopError(
                        "an evaluation was asked for, but there is no such space",
                        where=request.space_id,
                        remedy="load its folder: genie-loop load FOLDER",
                    )
                reports.append(
                    evaluate(
                        context.tables,
                        request,
                        registration.space,
                        services,
                        policy,
                        context.progress,
                    )
                )
            except GenieLoopError as error:
                errors.append(error)
            context.progress("evaluate", number, len(pending))
    if errors:
        raise _all_of(errors, reports)
    return JobReport(
        JOB, tuple(report.line for report in reports), sum(report.wrote for report in reports)
    )


def main(argv: Sequence[str] | None = None) -> None:
    """The entry point of the deployed job."""
    from jobs.entry_point import start

    start(JOB, run, argv)


def _all_of(errors: Sequence[GenieLoopError], reports: Sequence[EvaluationReport]) -> Exception:
    """The one error, or all of them as one with the first's exit code."""
    if len(errors) == 1 and not reports:
        return errors[0]
    done = [f"  {report.line}" for report in reports]
    told = [f"  {error}" for error in errors]
    error = GenieLoopError(
        "\n".join(
            [f"{len(errors)} of {len(errors) + len(reports)} evaluations failed:", *told]
            + (["these are recorded:", *done] if done else [])
        )
    )
    error.exit_code = errors[0].exit_code
    return error
