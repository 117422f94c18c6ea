"""What every job is given and what it gives back: nothing below ``main`` reads the environment."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:  # listing commands import this module and must not pay for Spark
    from jobs.model_judge import ModelJudgeConfig
    from pipelines.tables import Tables

SETTLING_S = 90.0
"""What a real workspace takes, in seconds, until questions are answered from a change: a changed
configuration is seen after 30, dictionaries of values after 90."""

MAX_ASKS = 20
"""A question is asked no more often than this to see whether its answer repeats."""

Progress = Callable[[str, int, int], None]
"""Called with what is going on, how many are done and of how many; a total of 0 is not known."""


def silent(what: str, done: int, total: int) -> None:
    """A ``Progress`` that shows nothing."""


@dataclass(frozen=True, slots=True)
class JobContext:
    """Everything outside a job that it works with.

    ``checkpoints`` is the folder of stream checkpoints, one folder in it per job. ``tracking_uri``
    is the MLflow store; ``artifacts`` is where a new experiment keeps its artifacts, None where
    the store decides. ``clock`` gives aware UTC times. ``settling_s`` is how many seconds the
    workspace takes until questions are answered from a change. ``model_judge`` says which model is
    asked where the rules of judging are silent; None: none is. ``checks_coincidences``: evaluations
    look for answers that are right by luck. ``asks`` is how often at most a question of a live
    space is asked.
    """

    tables: Tables
    checkpoints: Path
    tracking_uri: str
    clock: Callable[[], datetime]
    artifacts: Path | None = None
    progress: Progress = silent
    settling_s: float = 0.0
    model_judge: ModelJudgeConfig | None = None
    checks_coincidences: bool = False
    asks: int = 1


@dataclass(frozen=True, slots=True)
class JobReport:
    """What a job did: ``lines`` for people; ``wrote`` commits, 0 when nothing was pending."""

    job: str
    lines: tuple[str, ...] = ()
    wrote: int = 0
