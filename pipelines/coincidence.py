"""Whether an answer is right by luck: both queries are run on perturbed copies of the tables.

Copies are views of the tables' names in sessions of their own. Nothing is written, and no other
session sees them.
"""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from functools import cached_property

import pyarrow as pa
from py4j.protocol import Py4JJavaError  # type: ignore[import-untyped]
from pyspark.errors import PySparkException
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql.types import StructType

from pipelines.execution import ExecutionPolicy, Executor, fit_to_small_tables, session_like
from pipelines.tables import quote_name
from transforms.copies import COPIES, Copy, perturbed
from transforms.copy_plans import CopyPlan, on_copies, plan_copies
from transforms.copy_references import Rows, fitted
from transforms.judgement import Coincidence, Execution, Question, ValueLookup
from transforms.judging_case import Case, compare_results
from transforms.result_evidence import is_void
from transforms.results import compare
from transforms.space_state import SpaceState, TableState

_SAMPLE_SEED = 1
_UNWRITABLE = (pa.ArrowException, ValueError, OverflowError)
_UNREADABLE = (PySparkException, Py4JJavaError, *_UNWRITABLE)


@dataclass(frozen=True, slots=True)
class CoincidencePolicy:
    """Bounds of the check: of an evaluation, of a question and of the rows of a copied table.

    A table with more than ``max_rows`` rows is sampled.
    """

    budget_s: float = 300.0
    question_s: float = 30.0
    max_rows: int = 500
    copies: tuple[Copy, ...] = COPIES


@dataclass(frozen=True, slots=True)
class CheckedSpace:
    """What the check has to know of the space whose answers it looks at."""

    state: SpaceState
    values: ValueLookup
    comparison_policy: str
    catalog: str | None = None
    hidden_schemas: Collection[str] = ()


class CoincidenceCheck:
    """Checks answers of one space. Safe to use from ``workers`` threads at once."""

    def __init__(
        self,
        spark: SparkSession,
        space: CheckedSpace,
        policy: CoincidencePolicy,
        *,
        workers: int = 2,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._spark = spark
        self._space = space
        self._policy = policy
        self._clock = clock
        self._ends_at = clock() + policy.budget_s
        self._tables: dict[str, _Table] = {}
        self._lock = threading.Lock()
        self._free: queue.SimpleQueue[SparkSession] = queue.SimpleQueue()
        for _ in range(workers):
            session = session_like(spark)
            session.catalog.setCurrentDatabase(quote_name(space.catalog, space.state.data_schema))
            fit_to_small_tables(session)
            self._free.put(session)

    def check(self, question: Question) -> Coincidence:
        """Whether both queries of an answer, which agree on the tables, agree on copies too.

        Raises only when Spark is gone.
        """
        case = Case(question, _NOT_RUN, _NOT_RUN, self._space.state, self._space.values)
        trees, shapes = (
            (case.expected_tree, case.produced_tree),
            (case.expected_shape, case.produced_shape),
        )
        if trees[0] is None or trees[1] is None or shapes[0] is None or shapes[1] is None:
            return _not_checked("a query cannot be read")
        if case.is_one_query:
            return Coincidence(False, "both queries are one query")
        plan = plan_copies((trees[0], trees[1]), (shapes[0], shapes[1]), self._space.state)
        if isinstance(plan, str):
            return _not_checked(plan)
        ends_at = min(self._ends_at, self._clock() + self._policy.question_s)
        if self._clock() >= ends_at:
            return _not_checked("the time for checks is over")
        try:
            tables = [self._table(name) for name in plan.tables]
        except _UNREADABLE as error:
            return _not_checked(f"a table cannot be copied: {type(error).__name__}")
        sqls = (
            on_copies(trees[0], question.expected_sql),
            on_copies(trees[1], question.produced_sql or ""),
        )
        session = self._free.get()
        try:
            return self._checked(_Checked(question, case, sqls, plan, tables, session, ends_at))
        finally:
            for table in tables:
                session.catalog.dropTempView(table.view)
            self._free.put(session)

    def _checked(self, checked: _Checked) -> Coincidence:
        told = 0
        for copy in self._policy.copies:
            if self._clock() >= checked.ends_at:
                break
            try:
                outcome = self._on_copy(checked, copy)
            except _UNWRITABLE:  # a value that does not fit its column
                continue
            if isinstance(outcome, Coincidence):
                return outcome
            told += outcome
        if not told:
            return _not_checked("no copy gave rows to compare")
        return Coincidence(False, f"the results agree on {told} perturbed copies of the tables")

    def _on_copy(self, checked: _Checked, copy: Copy) -> Coincidence | bool:
        """A finding, or whether the copy showed anything."""
        rows = perturbed(checked.rows, checked.states, checked.plan, copy)
        engine = self._executor(checked, rows)
        expected, produced = (engine.execute(sql) for sql in checked.sqls)
        if not shows_something(checked.case, expected.rows, produced.rows):
            return False
        space = self._space
        case = Case(checked.question, expected, produced, space.state, space.values, engine)
        comparison, _ = compare_results(case, space.comparison_policy)
        if comparison.is_correct or comparison.step == "not_comparable":
            return comparison.is_correct
        # A query that gives other rows when the tables' rows stand in another order proves nothing.
        turned = self._executor(checked, {name: of[::-1] for name, of in rows.items()})
        for sql, result in zip(checked.sqls, (expected, produced), strict=True):
            if not compare(result, turned.execute(sql), policy="bag").is_correct:
                return False
        return Coincidence(
            True,
            f"the results agree on the tables as they are, and not on a copy ({copy.name}): "
            f"{comparison.detail}",
        )

    def _executor(self, checked: _Checked, rows: Mapping[str, Rows]) -> Executor:
        """What runs queries on these rows, in the tables' place."""
        for table in checked.tables:
            table.show(checked.session, rows[table.state.name])
        timeout_s = max(checked.ends_at - self._clock(), 1.0)
        policy = ExecutionPolicy(workers=1, timeout_s=timeout_s)
        return Executor([checked.session], policy, self._space.hidden_schemas)

    def _table(self, name: str) -> _Table:
        with self._lock:
            if name not in self._tables:
                self._tables[name] = self._read(name)
            return self._tables[name]

    def _read(self, name: str) -> _Table:
        state = self._space.state.table(name)
        assert state is not None, "plans name tables of the space"
        table = self._spark.table(quote_name(self._space.catalog, *name.split(".", 1)))
        columns = [column.name for column in state.columns]
        whole = table.select(*columns)
        found = _sampled(whole, self._policy.max_rows)
        return _Table(state, whole.schema, found.toArrow(), is_sampled=found is not whole)


def shows_something(case: Case, *results: Rows | None) -> bool:
    """Whether both results are there and one says more than that there is nothing.

    No rows, NULL and 0 are ways to say that where a query aggregates; else a row of NULL is one row
    more than none.
    """
    given = [rows for rows in results if rows is not None]
    shapes = (case.expected_shape, case.produced_shape)
    aggregates = any(shape is None or shape.aggregates for shape in shapes)
    is_nothing = all(map(is_void, given)) if aggregates else not any(given)
    return len(given) == len(results) and not is_nothing


_NOT_RUN = Execution("sql_error", error="it was not run")


@dataclass(frozen=True)
class _Checked:
    """One answer under the check; ``rows`` are those of its tables that copies are made of."""

    question: Question
    case: Case
    sqls: tuple[str, str]
    plan: CopyPlan
    tables: list[_Table]
    session: SparkSession
    ends_at: float

    @property
    def states(self) -> list[TableState]:
        return [table.state for table in self.tables]

    @cached_property
    def rows(self) -> dict[str, Rows]:
        return fitted(
            {table.state.name: table.rows for table in self.tables},
            self.states,
            [table.state.name for table in self.tables if table.is_sampled],
            self.plan.constants,
        )


@dataclass(frozen=True)
class _Table:
    """Rows of a table as they are, and how other rows are put in its place."""

    state: TableState
    schema: StructType
    arrow: pa.Table
    is_sampled: bool
    rows: Rows = field(init=False)

    def __post_init__(self) -> None:
        columns = [column.to_pylist() for column in self.arrow.columns]
        object.__setattr__(self, "rows", tuple(zip(*columns, strict=True)))

    @property
    def view(self) -> str:
        """The name without its schema, which is what a query finds first."""
        return self.state.name.rpartition(".")[2]

    def show(self, session: SparkSession, rows: Rows) -> None:
        """Let queries of the session find these rows under the table's name."""
        columns = zip(*rows, strict=True) if rows else ((),) * len(self.arrow.columns)
        arrays = [
            pa.array(list(values), type=field.type)
            for values, field in zip(columns, self.arrow.schema, strict=True)
        ]
        table = pa.Table.from_arrays(arrays, schema=self.arrow.schema)
        session.createDataFrame(table, self.schema).createOrReplaceTempView(self.view)


def _sampled(table: DataFrame, max_rows: int) -> DataFrame:
    count = table.count()
    if count <= max_rows:
        return table
    return table.sample(min(1.0, 2 * max_rows / count), seed=_SAMPLE_SEED).limit(max_rows)


def _not_checked(why: str) -> Coincidence:
    return Coincidence(None, f"not checked: {why}")
