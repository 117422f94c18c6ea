"""A deployed job: its arguments become its context, on the session that is there."""

from __future__ import annotations

from pathlib import Path

import pytest

from jobs.context import JobContext, JobReport
from jobs.entry_point import JobConfig, start
from pipelines.tables import Tables
from transforms.contracts import APPROVALS

ARGUMENTS = ["--catalog=spark_catalog", "--schema=genie_loop", "--checkpoints=/Volumes/c/s/v"]


def test_a_job_is_given_the_tables_of_its_arguments(
    tables: Tables, capsys: pytest.CaptureFixture[str]
):
    seen: list[JobContext] = []

    def run(context: JobContext) -> JobReport:
        seen.append(context)
        return JobReport(job="evaluate", lines=("one line",), wrote=2)

    start("evaluate", run, [*ARGUMENTS, "--updated_tables=[]", "--check_coincidences=true"])
    (context,) = seen
    assert context.tables.spark is tables.spark
    assert context.tables.name(APPROVALS) == "`spark_catalog`.`genie_loop`.`approvals`"
    assert context.checkpoints == Path("/Volumes/c/s/v")
    assert context.tracking_uri == "databricks"
    assert context.clock().tzinfo is not None
    assert context.checks_coincidences
    assert context.settling_s == 90, "a deployed job asks a real workspace"
    assert capsys.readouterr().out == "evaluate: 2 commits\none line\n"


def test_what_a_job_raises_fails_its_run(tables: Tables):
    def run(context: JobContext) -> JobReport:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        start("evaluate", run, ARGUMENTS)


@pytest.mark.parametrize(
    "argv",
    [
        ["--catalog=c", "--schema=s"],
        [*ARGUMENTS, "--mood=good"],
        [*ARGUMENTS, "--settling_seconds=soon"],
        [*ARGUMENTS, "--check_coincidences=perhaps"],
        [],
    ],
    ids=["one missing", "one unknown", "one that is no number", "one that is no truth", "none"],
)
def test_wrong_arguments_end_the_process(argv: list[str]):
    with pytest.raises(SystemExit) as raised:
        JobConfig.parse("evaluate", argv)
    assert raised.value.code == 2
