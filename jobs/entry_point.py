"""How a job starts on Databricks: arguments of its ``*.job.yml``, the session that is there."""

from __future__ import annotations

import argparse
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from pyspark.sql import SparkSession

from genie.chat_endpoint import WORKSPACE, ChatModel
from jobs.context import MAX_ASKS, SETTLING_S, JobContext, JobReport
from jobs.model_judge import ModelJudgeConfig
from jobs.visible import visible
from pipelines.tables import Tables

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class JobConfig:
    """Where a deployed job works: the history's schema, and the folder of checkpoints.

    ``updated_tables`` is what its trigger said, for the log only: what is pending is read from the
    tables. ``settling_seconds`` is how long the workspace takes until questions are answered from a
    change. ``judge_model`` is asked at ``judge_url`` where the rules of judging are silent; empty:
    none is. ``check_coincidences``: evaluations look for answers that are right by luck. ``asks``
    is how often at most a question of a live space is asked.
    """

    catalog: str
    schema: str
    checkpoints: Path
    updated_tables: str
    settling_seconds: float
    judge_model: str
    judge_url: str
    check_coincidences: bool
    asks: int

    @classmethod
    def parse(cls, job: str, argv: Sequence[str] | None = None) -> JobConfig:
        """From the command line's arguments, by default this process's.

        Ends the process with exit code 2 for arguments that are missing or unknown.
        """
        parser = argparse.ArgumentParser(prog=job, description=f"Run the {job} job on Databricks.")
        parser.add_argument("--catalog", required=True, help="catalog of the history")
        parser.add_argument("--schema", required=True, help="schema of the history")
        parser.add_argument("--checkpoints", required=True, type=Path, help="a volume's folder")
        parser.add_argument("--updated_tables", default="", help="what the trigger says")
        parser.add_argument(
            "--settling_seconds",
            type=float,
            default=SETTLING_S,
            help="how long a change takes until questions are answered from it",
        )
        parser.add_argument("--judge_model", default="", help="a model to ask; empty: none")
        parser.add_argument("--judge_url", default=WORKSPACE, help="where that model is asked")
        parser.add_argument(
            "--check_coincidences",
            choices=("true", "false"),
            default="false",
            help="whether evaluations look for answers that are right by luck",
        )
        parser.add_argument(
            "--asks",
            type=int,
            choices=range(1, MAX_ASKS + 1),
            default=1,
            metavar="K",
            help=f"how often at most a question is asked, to see whether its answer repeats: 1 to "
            f"{MAX_ASKS}",
        )
        given = vars(parser.parse_args(argv))
        return cls(**{**given, "check_coincidences": given["check_coincidences"] == "true"})

    @property
    def model_judge(self) -> ModelJudgeConfig | None:
        """The model to ask. Raises InvalidInputError for an address that cannot be asked."""
        if not self.judge_model:
            return None
        return ModelJudgeConfig(ChatModel(self.judge_model, self.judge_url))


def start(
    job: str, run: Callable[[JobContext], JobReport], argv: Sequence[str] | None = None
) -> None:
    """Run a job on the session that the platform provides, and print its report.

    Raises what the job raises: the platform then shows the run as failed.
    """
    config = JobConfig.parse(job, argv)
    logging.basicConfig(level=logging.INFO)
    _log.info("updated tables: %s", config.updated_tables or "not said")
    tables = session_tables(config.catalog, config.schema)
    context = JobContext(
        tables=tables,
        checkpoints=config.checkpoints,
        tracking_uri="databricks",
        clock=tables.clock,
        settling_s=config.settling_seconds,
        model_judge=config.model_judge,
        checks_coincidences=config.check_coincidences,
        asks=config.asks,
    )
    print_report(run(context))


def session_tables(catalog: str, schema: str) -> Tables:
    """The history's tables on the session that the platform provides; those missing are made."""
    tables = Tables(
        SparkSession.builder.getOrCreate(),
        catalog=catalog,
        schema=schema,
        clock=lambda: datetime.now(UTC),
    )
    tables.create()
    return tables


def print_report(report: JobReport) -> None:
    """What a job did, as the run's output."""
    print(visible("\n".join((f"{report.job}: {report.wrote} commits", *report.lines))))
