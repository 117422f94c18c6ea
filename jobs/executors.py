"""Opens what executes the queries of spaces, with results that are known from before."""

from __future__ import annotations

from contextlib import ExitStack
from functools import cached_property
from pathlib import Path

from jobs.context import JobContext
from pipelines.execution import ExecutionPolicy, Executor, Known, executing
from pipelines.kept_results import KeptResults
from pipelines.snapshot import Snapshot
from pipelines.spaces import Space
from transforms.query_sources import Readable

KEPT = Path("evaluate", "results")  # in the folder of the checkpoints


class Executors:
    """One executor at a time, kept as long as evaluations are of the same tables.

    Where it ``is_fresh``, every query is executed: no result is known from before, none is kept.
    """

    def __init__(
        self, context: JobContext, policy: ExecutionPolicy, *, is_fresh: bool = False
    ) -> None:
        self._context = context
        self._policy = policy
        self._open = ExitStack()
        self._key: Readable | None = None
        self._executor: Executor | None = None
        self._kept = KeptResults(context.checkpoints / KEPT)
        self._is_fresh = is_fresh

    def __enter__(self) -> Executors:
        return self

    def __exit__(self, *_: object) -> None:
        self._open.close()
        self._kept.forget_oldest()

    @cached_property
    def _builtins(self) -> frozenset[str]:
        shown = self._context.tables.spark.sql("SHOW SYSTEM FUNCTIONS").collect()
        return frozenset(row[0].lower() for row in shown)

    def executor(self, space: Space, snapshot: Snapshot) -> Executor:
        """The executor on the space's tables as they are now."""
        tables = self._context.tables
        readable = snapshot.readable(space, tables.catalog, self._builtins)
        if self._executor is None or self._key != readable:
            self._open.close()
            self._executor = self._open.enter_context(
                executing(
                    tables.spark,
                    space.data_schema,
                    snapshot.data_versions,
                    self._policy,
                    catalog=tables.catalog,
                    size_bytes=snapshot.size_bytes,
                    # The history holds the expected SQL of every question.
                    hidden_schemas=(tables.schema,),
                    known=None if self._is_fresh else Known(self._kept, readable),
                )
            )
            self._key = readable
        return self._executor
