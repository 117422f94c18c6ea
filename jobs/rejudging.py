"""Judges what two evaluations answered on one set of benchmarks, so that they can be compared."""

from __future__ import annotations

from jobs.context import JobContext
from jobs.executors import Executors
from jobs.model_judge import model_judge_of
from pipelines.execution import ExecutionPolicy
from pipelines.judging import Judging
from pipelines.rejudging import judge_both_again
from pipelines.second_opinions import judge_version
from pipelines.snapshot import record_profiles, take_snapshot
from pipelines.spaces import registered_spaces


def judge_on_one_set(context: JobContext, before_id: str, after_id: str) -> bool:
    """Judge again what needs it, on data and objects as they are now; whether anything did.

    Nobody is asked. Raises what reading a live space's configuration raises.
    """
    policy = ExecutionPolicy()
    model_judge = model_judge_of(context)
    tables = context.tables
    with Executors(context, policy) as executors:

        def open_judging(space_id: str, comparison_policy: str) -> Judging:
            space = registered_spaces(tables)[space_id].space
            snapshot = take_snapshot(tables, space)
            return Judging(
                executor=executors.executor(space, snapshot),
                state=snapshot.state,
                values=record_profiles(tables, snapshot).values,
                comparison_policy=comparison_policy,
                workers=policy.workers,
                model_judge=model_judge,
            )

        judges = judge_version(model_judge)
        return judge_both_again(tables, before_id, after_id, open_judging, judges)
