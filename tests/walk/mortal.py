"""A process that runs the whole loop once and, when told to, is killed after its n-th commit.

Started as ``python mortal.py HOME FOLDER LIVES``; LIVES 0 means that it is not killed. The
last line of its output is the number of commits it made.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from pyspark.sql import DataFrameWriter, DataFrameWriterV2, SparkSession

from jobs import approve, evaluate, optimize
from jobs.context import JobContext
from jobs.home import Home
from jobs.session import SessionSettings, open_session
from pipelines.load import load
from pipelines.tables import Tables
from transforms.contracts import SPACES

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


class Lives:
    """Counts commits; the process is gone, with no chance to tidy up, when they are used up."""

    def __init__(self, lives: int) -> None:
        self.lives = lives
        self.commits = 0

    def after(self, commit: Callable[..., Any]) -> Callable[..., Any]:
        """The same call, counted once it is through."""

        def counted(*args: Any, **kwargs: Any) -> Any:
            result = commit(*args, **kwargs)
            self.commits += 1
            if self.commits == self.lives:
                os.kill(os.getpid(), signal.SIGKILL)
            return result

        return counted


def _count_merges(counted: Lives) -> None:
    any_sql = SparkSession.sql
    merge = counted.after(any_sql)

    def sql(self: SparkSession, query: str, *args: Any, **kwargs: Any) -> Any:
        run = merge if query.startswith("MERGE INTO") else any_sql
        return run(self, query, *args, **kwargs)

    SparkSession.sql = sql  # type: ignore[method-assign,assignment]


def main(root: str, folder: str, lives: int) -> None:
    """Load, evaluate, optimize, approve, optimize: what the triggers would start, in order."""
    home = Home(Path(root))
    settings = SessionSettings.from_environment({**os.environ, "GENIE_LOOP_MASTER": "local[2]"})
    with open_session(home, settings, command="walk", now=NOW) as spark:
        tables = Tables(spark, clock=lambda: NOW, commit_guard=home.committing)
        if not home.table_path(tables.schema, SPACES.name).is_dir():
            tables.create()
        counted = Lives(lives)
        for owner, name in (
            (DataFrameWriter, "saveAsTable"),
            (DataFrameWriterV2, "createOrReplace"),
        ):
            setattr(owner, name, counted.after(getattr(owner, name)))
        _count_merges(counted)
        load(tables, Path(folder), name="shop", policy="auto_low_risk")
        context = JobContext(
            tables=tables,
            checkpoints=home.checkpoints,
            tracking_uri=home.tracking_uri,
            clock=lambda: NOW,
            artifacts=home.artifacts,
        )
        for job in (evaluate, optimize, approve, optimize):
            job.run(context)
        print(counted.commits, flush=True)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]))
