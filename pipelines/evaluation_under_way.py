"""One evaluation under way: what it answers, with what, within what bounds, and what it committed.

Asking (``pipelines/evaluation_asking.py``) and judging (``pipelines/evaluation_judging.py``) have
nothing else in common.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pyspark.sql import DataFrame

from genie.answerers import Answerer
from genie.ask_journal import AskJournal, MemoryAskJournal
from genie.live_space import read_live_config
from genie.mlflow_store import MlflowStore
from pipelines.asking import AskPolicy
from pipelines.coincidence import CoincidencePolicy
from pipelines.execution import ExecutionPolicy, Executor
from pipelines.many_answers import ManyAnswers
from pipelines.repeating import Earlier, earlier_askings
from pipelines.requests import Request
from pipelines.second_opinions import ModelJudge
from pipelines.settling import Settling
from pipelines.snapshot import ReadConfig, Snapshot
from pipelines.spaces import Space
from pipelines.tables import Tables
from transforms.contracts import Table
from transforms.space_state import SpaceState

Progress = Callable[[str, int, int], None]
OpenAnswerer = Callable[[str], Answerer]
OpenExecutor = Callable[[Space, Snapshot], Executor]


@dataclass(frozen=True, slots=True)
class EvaluationPolicy:
    """How a space is asked and its queries are executed.

    A question of a live space is asked ``asks`` times at most, as long as that can say more about
    whether its answer repeats; the first answer is the one that counts. Up to ``few_answers``
    questions are held and judged by the driver; more are asked once, and judged on Spark's
    executors. ``coincidences`` bounds the check which right answers are right by luck; None: there
    is none. Of many answers it looks at ``few_answers``.
    """

    asking: AskPolicy = field(default_factory=AskPolicy)
    asks: int = 1
    execution: ExecutionPolicy = field(default_factory=ExecutionPolicy)
    few_answers: int = 5_000
    coincidences: CoincidencePolicy | None = None


@dataclass(frozen=True, slots=True)
class Services:
    """The outside world of an evaluation.

    ``open_journal`` gives what remembers the questions that a live space was asked; it is called
    only for one. The one that is there by default forgets them with the process. ``settling`` is
    how long live spaces take until they answer from a change. ``model_judge`` is asked where the
    rules of judging are silent, within its bounds for each evaluation; None: nobody is. ``scratch``
    is a folder that Spark's executors see, too: what is in it is of one evaluation, and needed no
    longer.
    """

    store: MlflowStore
    open_answerer: OpenAnswerer
    open_executor: OpenExecutor
    scratch: Path
    read_config: ReadConfig = read_live_config
    open_journal: Callable[[], AskJournal] = MemoryAskJournal
    settling: Settling = field(default_factory=Settling)
    model_judge: ModelJudge | None = None


class UnderWay:
    """One evaluation and what its steps share; ``wrote`` counts its commits."""

    def __init__(
        self,
        tables: Tables,
        request: Request,
        space: Space,
        services: Services,
        policy: EvaluationPolicy,
        progress: Progress,
    ) -> None:
        self.tables = tables
        self.request = request
        self.space = space
        self.services = services
        self.policy = policy
        self.progress = progress
        self.evaluation_id = request.evaluation_id
        self.many = ManyAnswers(tables, request.evaluation_id, services.scratch)
        self.wrote = 0

    def few(self, rows: DataFrame, of_each: int = 1) -> list[dict[str, Any]] | None:
        """The rows, ``of_each`` question so many at most; None: too many to be at hand."""
        limit = self.policy.few_answers * of_each
        first = rows.limit(limit + 1).collect()
        return None if len(first) > limit else [row.asDict(recursive=True) for row in first]

    def rows_of(self, table: Table) -> list[dict[str, Any]]:
        """The evaluation's rows of a table, which are few."""
        return [row.asDict(recursive=True) for row in self.many.rows(table).collect()]

    def append(self, table: Table, rows: Sequence[Mapping[str, Any]]) -> None:
        """Commit new rows of the evaluation, once however often it is tried."""
        self.wrote += self.tables.append_rows(table, rows, transaction=self.evaluation_id)

    def earlier(self, state: SpaceState, snapshot: Snapshot) -> Earlier:
        """What earlier evaluations of the state were answered."""
        return earlier_askings(
            self.tables, self.space, self.evaluation_id, state.state_hash, snapshot.data_versions
        )
