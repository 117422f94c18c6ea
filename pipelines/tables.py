"""The history's tables: created as their contracts say, appended to exactly once, merged by key."""

from __future__ import annotations

import re
from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

import pyarrow as pa
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F
from pyspark.sql.types import StructType

from pipelines.ddl import (
    CreateReport,
    add_column_sql,
    create_table_sql,
    quote_name,
    renew_check_sql,
)
from pipelines.drift import differences, former_checks, read_detail
from pipelines.merge_sql import RECORDED_AT, is_changed, merge_statement, same_key
from pipelines.views import create_views
from transforms.contracts import TABLES, Table
from transforms.errors import ContractDriftError, ContractViolationError
from transforms.view_model import View

__all__ = ["CreateReport", "TableFacts", "Tables", "quote_name"]

_PENDING = "genie_loop_rows_to_merge"  # a temporary view, gone after the merge


@dataclass(frozen=True, slots=True)
class TableFacts:
    """What a table's log says about it; ``commits`` are (version, operation), newest first."""

    table_id: str
    comment: str | None
    properties: Mapping[str, str]
    size_bytes: int
    commits: Sequence[tuple[int, str]]

    @property
    def version(self) -> int:
        """The newest version."""
        return self.commits[0][0]


class RowsAtHand(Protocol):
    """Tells of tables without Spark, where there is a quicker way; rows of small ones only."""

    def mark(self, schema: str, table: Table) -> Hashable | None:
        """Another value after every commit; None when there is no such table."""

    def columns(self, schema: str, table: Table) -> Sequence[str] | None:
        """The table's columns as they are; None when there is no such table."""

    def rows(self, schema: str, table: Table) -> pa.Table | None:
        """All rows, columns in the contract's order; None when they are too many."""

    def view(self, schema: str, view: View) -> pa.Table | None:
        """The rows of a view of the schema's tables; None when one of these is too large."""

    def facts(self, schema: str, name: str, commits: int) -> TableFacts | None:
        """What is known of any table and its newest commits; None where that is not at hand."""


class Tables:
    """The tables of one schema, through one Spark session.

    ``clock`` gives aware UTC times; ``commit_guard`` is held around every commit and need not be
    reentrant; ``rows_at_hand`` is asked before a table is read. Works over Spark Connect too:
    nothing here reaches into a JVM.
    """

    def __init__(
        self,
        spark: SparkSession,
        *,
        schema: str = "genie_loop",
        catalog: str | None = None,
        clock: Callable[[], datetime],
        commit_guard: Callable[[], AbstractContextManager[None]] = nullcontext,
        rows_at_hand: RowsAtHand | None = None,
    ) -> None:
        self.spark = spark
        self.schema = schema
        self.catalog = catalog
        self.clock = clock
        self._guard = commit_guard
        self._rows_at_hand = rows_at_hand
        self._at_hand: dict[str, tuple[Hashable, DataFrame | None]] = {}
        self._view_schemas: dict[str, StructType] = {}

    def name(self, table: Table) -> str:
        """The table's full name, quoted, ready for SQL."""
        return quote_name(self.catalog, self.schema, table.name)

    def create(self) -> CreateReport:
        """Create the tables and views that are missing; a second call commits nothing.

        Tables made by an earlier version are upgraded. Raises ContractDriftError, naming every
        table that is not what its contract says and every other difference, before anything is
        created; such a table is never altered.
        """
        database = quote_name(self.catalog, self.schema)
        if not self.spark.catalog.databaseExists(database):
            self.spark.sql(f"CREATE SCHEMA IF NOT EXISTS {database}")
        there = {row.tableName for row in self.spark.sql(f"SHOW TABLES IN {database}").collect()}
        self._refuse_drift([table for table in TABLES if table.name in there])
        upgraded = self.upgrade()
        missing = [table for table in TABLES if table.name not in there]
        for table in missing:
            with self._committing(table):
                self.spark.sql(create_table_sql(table, self.name(table)))
        views = create_views(self)
        return CreateReport(
            created=(*(table.name for table in missing), *views.created),
            unchanged=(*(t.name for t in TABLES if t.name in there), *views.unchanged),
            upgraded=upgraded,
        )

    def upgrade(self) -> tuple[str, ...]:
        """Give tables made by an earlier version the columns and constraints that are new.

        A sentence each says what was done. Tables that are not there stay so; with nothing to do,
        nothing is committed. What is cut off is finished by the next call.
        """
        done = []
        for table in TABLES:
            there = self._columns_there(table) if table.added or table.former_checks else None
            if there is None:
                continue
            for field in table.added:
                if field.name not in there:
                    with self._committing(table):
                        self.spark.sql(add_column_sql(table, self.name(table), field))
                    done.append(f"{table.name} has the new column {field.name}")
            done += self._renew_checks(table)
        return tuple(done)

    def _renew_checks(self, table: Table) -> list[str]:
        if not table.former_checks:
            return []
        former = former_checks(table, self.facts(self.schema, table.name, 1).properties)
        for name in former:
            for statement in renew_check_sql(table, self.name(table), name):
                with self._committing(table):
                    self.spark.sql(statement)
        return [f"{table.name} allows more by the constraint {name}" for name in former]

    def _columns_there(self, table: Table) -> Sequence[str] | None:
        if self._rows_at_hand is not None:
            return self._rows_at_hand.columns(self.schema, table)
        name = self.name(table)
        return self.spark.table(name).columns if self.spark.catalog.tableExists(name) else None

    def _refuse_drift(self, tables: Sequence[Table]) -> None:
        drifted = {}
        for table in tables:
            schema = self.spark.table(self.name(table)).schema
            found = differences(table, schema, read_detail(self.spark, self.name(table)))
            if found:
                drifted[table.name] = found
        if drifted:
            raise ContractDriftError(
                "these tables are not what their contracts say:\n"
                + "\n".join(f"  {name}: {what}" for name, all_ in drifted.items() for what in all_),
                where=self.schema,
                remedy="nothing was changed; alter the tables yourself, or drop them (their "
                "history goes with them) and create them again",
            )

    def read(self, table: Table) -> DataFrame:
        """All rows of the table, columns in the contract's order.

        A small table's are those of now, a large one's those of when they are looked at.
        """
        small = self._small(table)
        return self.spark.table(self.name(table)) if small is None else small

    def _small(self, table: Table) -> DataFrame | None:
        """All rows where they are at hand, else None."""
        if self._rows_at_hand is None:
            return None
        mark = self._rows_at_hand.mark(self.schema, table)
        if mark is None:
            return None
        known = self._at_hand.get(table.name)
        if known is None or known[0] != mark:
            rows = self._rows_at_hand.rows(self.schema, table)
            known = (mark, None if rows is None else self._local(rows, table.ddl_schema))
            self._at_hand[table.name] = known
        return known[1]

    def _local(self, rows: pa.Table, schema: str | StructType) -> DataFrame:
        # PySpark cannot convert timestamps of which there are none.
        data: Any = rows if rows.num_rows else []
        return self.spark.createDataFrame(data, schema)

    def view_at_hand(self, view: View) -> DataFrame | None:
        """The rows of a view as they are now, where all it is made of is small; else None.

        Raises ContractDriftError where the catalog's view has other columns.
        """
        if self._rows_at_hand is None:
            return None
        rows = self._rows_at_hand.view(self.schema, view)
        if rows is None:
            return None
        if view.name not in self._view_schemas:
            name = quote_name(self.catalog, self.schema, view.name)
            schema = self.spark.table(name).schema
            if schema.names != rows.schema.names:
                raise ContractDriftError(
                    f"the view {view.name} was made by another version of genie-loop",
                    where=self.schema,
                    remedy="make the views anew, which changes no row: genie-loop tables create",
                )
            self._view_schemas[view.name] = schema
        return self._local(rows, self._view_schemas[view.name])  # casts: counts differ in type

    def facts(self, schema: str, name: str, commits: int) -> TableFacts:
        """What is known of any Delta table of the catalog, and its newest ``commits``.

        Raises AnalysisException where there is no such Delta table.
        """
        found = self._rows_at_hand.facts(schema, name, commits) if self._rows_at_hand else None
        if found is not None:
            return found
        quoted = quote_name(self.catalog, schema, name)
        detail = self.spark.sql(f"DESCRIBE DETAIL {quoted}").collect()[0]
        history = self.spark.sql(f"DESCRIBE HISTORY {quoted} LIMIT {commits:d}")
        return TableFacts(
            table_id=detail.id,
            comment=detail.description,
            properties=detail.properties,
            size_bytes=detail.sizeInBytes or 0,
            commits=[tuple(row) for row in history.select("version", "operation").collect()],
        )

    def new_only(self, table: Table, rows: DataFrame) -> DataFrame:
        """The rows whose key the table does not hold yet."""
        held = self.read(table).select(*table.key).alias("t")
        return rows.alias("s").join(held, on=F.expr(same_key(table)), how="left_anti")

    def append(self, table: Table, rows: DataFrame, *, transaction: str, version: int = 1) -> bool:
        """Append rows exactly once per ``transaction`` and ``version``; whether it committed.

        ``rows`` has the contract's columns in any order; ``recorded_at`` may be left out and is
        then now. Later versions of one transaction must rise: Delta skips what is not above the
        last. No rows, or a replay: no commit. Raises ContractViolationError for rows that the
        contract forbids; nothing is written then.
        """
        if rows.isEmpty():
            return False
        return self._append(table, rows, transaction, version)

    def append_rows(
        self,
        table: Table,
        rows: Sequence[Mapping[str, Any]],
        *,
        transaction: str,
        version: int = 1,
    ) -> bool:
        """``append`` of a few rows that are at hand; columns left out are NULL.

        Raises ContractViolationError for rows that the contract forbids; nothing is written then.
        """
        if not rows:
            return False
        return self._append(table, self.frame(table, rows), transaction, version)

    def frame(self, table: Table, rows: Sequence[Mapping[str, Any]]) -> DataFrame:
        """Rows that are at hand as a DataFrame of the table's columns, in the contract's order.

        Columns left out are NULL, ``recorded_at`` is now. Raises ContractViolationError for
        columns that the contract does not have, and for NULLs that it forbids.
        """
        defaults = {RECORDED_AT: self.clock()}
        values = [
            tuple(row.get(column, defaults.get(column)) for column in table.columns) for row in rows
        ]
        problems = {
            *(f"no such column: {name}" for row in rows for name in row.keys() - {*table.columns}),
            *(
                f"column {field.name} must not be NULL"
                for row in values
                for field, value in zip(table.fields, row, strict=True)
                if value is None and not field.is_nullable
            ),
        }
        if problems:
            raise ContractViolationError("; ".join(sorted(problems)), where=table.name)
        return self.spark.createDataFrame(values, table.ddl_schema)

    def _append(self, table: Table, rows: DataFrame, transaction: str, version: int) -> bool:
        writer = (
            self._in_contract_order(table, rows)
            .write.format("delta")
            .mode("append")
            .option("txnAppId", f"{table.name}:{transaction}")
            .option("txnVersion", version)
        )
        with self._committing(table):
            before = self._mark(table)
            writer.saveAsTable(self.name(table))
            return self._mark(table) != before

    def merge(
        self,
        table: Table,
        rows: DataFrame,
        *,
        update: Sequence[str] = (),
        matched_when: str | None = None,
    ) -> bool:
        """Insert the rows whose key is new, update the others; whether it committed.

        ``update`` names the columns that a row already there takes over, if ``matched_when`` (SQL
        over the aliases t, the table, and s, the rows) holds and any of them but ``recorded_at``
        differs. Nothing to do: no commit. Raises ContractViolationError when two rows have the
        same key, or for rows that the contract forbids; nothing is written then.
        """
        source = self._in_contract_order(table, rows)
        target = self.read(table).withColumn("_is_there", F.lit(True))
        is_new = F.col("t._is_there").isNull()
        is_due = is_new | F.expr(is_changed(update, matched_when)) if update else is_new
        pending = (
            source.alias("s")
            .join(target.alias("t"), on=F.expr(same_key(table)), how="left")
            .where(is_due)
            .select("s.*")
        )
        if not self._has_rows_with_distinct_keys(table, pending):
            return False
        session = pending.sparkSession  # of a stream's batch: not the one that made the stream
        pending.createOrReplaceTempView(_PENDING)
        try:
            with self._committing(table):
                session.sql(
                    merge_statement(table, self.name(table), _PENDING, update, matched_when)
                )
        finally:
            session.catalog.dropTempView(_PENDING)
        return True

    def _has_rows_with_distinct_keys(self, table: Table, rows: DataFrame) -> bool:
        by_key = rows.groupBy(*table.key).agg(F.count("*").alias("rows"))
        most = by_key.orderBy(F.desc("rows")).limit(1).collect()
        if not most:
            return False
        if most[0]["rows"] > 1:
            key = {column: most[0][column] for column in table.key}
            raise ContractViolationError(
                f"{most[0]['rows']} rows to merge have the same key {key}", where=table.name
            )
        return True

    def _in_contract_order(self, table: Table, rows: DataFrame) -> DataFrame:
        if RECORDED_AT not in rows.columns:
            rows = rows.withColumn(RECORDED_AT, F.lit(self.clock()))
        return rows.select(*(F.col(quote_name(column)) for column in table.columns))

    def _mark(self, table: Table) -> Hashable:
        """Another value after every commit."""
        if self._rows_at_hand is not None:
            return self._rows_at_hand.mark(self.schema, table)
        detail = self.spark.sql(f"DESCRIBE DETAIL {self.name(table)}").collect()[0]
        modified: datetime = detail.lastModified
        return modified

    @contextmanager
    def _committing(self, table: Table) -> Iterator[None]:
        with self._guard(), _typed_violations(table):
            yield


_CHECK_VIOLATION = re.compile(
    r"CHECK constraint (?P<name>\S+) .*?violated by row with values:\s*(?P<values>.*?)"
    r"(?:\n\tat |\n\n|$)",
    re.DOTALL,
)
_NULL_VIOLATION = re.compile(r"NOT NULL constraint violated for column: (?P<column>[^\s.]+)")


@contextmanager
def _typed_violations(table: Table) -> Iterator[None]:
    """Turn Delta's refusal of a row into ContractViolationError, whichever way Spark is reached."""
    try:
        yield
    except Exception as error:
        violation = _violation(table, str(error))
        if violation is None:
            raise
        raise violation from error


def _violation(table: Table, message: str) -> ContractViolationError | None:
    if check := _CHECK_VIOLATION.search(message):
        name = check["name"]
        return ContractViolationError(
            f"a row violates the CHECK constraint {name} ({table.checks.get(name, 'unknown')}); "
            f"its values: {' '.join(check['values'].split())}",
            where=table.name,
        )
    if null := _NULL_VIOLATION.search(message):
        return ContractViolationError(f"column {null['column']} must not be NULL", where=table.name)
    return None
