"""Reads small tables of a home beside Spark, which takes a second where delta-rs takes none.

A state view is made of dozens of reads. Each costs Spark several jobs over the table's log before
the first row is seen, however few there are; rows at hand cost it none. The views themselves are
standard SQL, which DataFusion runs in a tenth of the time as long as the tables are small.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pyarrow as pa

from jobs.delta_log import BEFORE_ANY_VERSION, latest_version
from jobs.home import Home
from transforms.contracts import BY_NAME, Table
from transforms.views import View, as_query

if TYPE_CHECKING:
    from deltalake import DeltaTable

    from pipelines.tables import TableFacts

_WORD = re.compile(r"\w+")
MAX_BYTES = 2 << 20  # of Parquet; beyond it rows stay where they are, beside Spark's workers


class SmallTables:
    """The rows of a home's tables, of each table's newest version, as far as they are few."""

    def __init__(self, home: Home, *, max_bytes: int = MAX_BYTES) -> None:
        self._home = home
        self._max_bytes = max_bytes
        self._opened: dict[tuple[str, str], tuple[object, DeltaTable | None]] = {}

    def mark(self, schema: str, table: Table) -> tuple[int, int] | None:
        """See ``RowsAtHand``: the newest version and when its commit was written, in ns."""
        folder = self._home.table_path(schema, table.name)
        version = latest_version(folder)
        if version == BEFORE_ANY_VERSION:
            return None
        commit = folder / "_delta_log" / f"{version:020}.json"
        return version, commit.stat().st_mtime_ns if commit.exists() else 0

    def columns(self, schema: str, table: Table) -> list[str] | None:
        """See ``RowsAtHand``."""
        from deltalake import DeltaTable

        folder = self._home.table_path(schema, table.name)
        if latest_version(folder) == BEFORE_ANY_VERSION:
            return None
        return [field.name for field in DeltaTable(folder).schema().fields]

    def rows(self, schema: str, table: Table) -> pa.Table | None:
        """See ``RowsAtHand``."""
        opened = self._small(schema, table)
        return None if opened is None else opened.to_pyarrow_table(columns=list(table.columns))

    def view(self, schema: str, view: View) -> pa.Table | None:
        """See ``RowsAtHand``."""
        from deltalake import QueryBuilder

        sql = as_query(view)
        builder = QueryBuilder()
        for name in sorted(set(_WORD.findall(sql)) & BY_NAME.keys()):
            opened = self._small(schema, BY_NAME[name])
            if opened is None:
                return None
            builder.register(name, opened)
        return pa.table(builder.execute(sql).read_all())

    def facts(self, schema: str, name: str, commits: int) -> TableFacts | None:
        """See ``RowsAtHand``."""
        from deltalake import DeltaTable

        from pipelines.tables import TableFacts

        folder = self._home.table_path(schema, name)
        if latest_version(folder) == BEFORE_ANY_VERSION:
            return None
        opened = DeltaTable(folder)
        metadata = opened.metadata()
        sizes = pa.table(opened.get_add_actions(flatten=True))["size_bytes"].to_pylist()
        return TableFacts(
            table_id=str(metadata.id),
            comment=metadata.description,
            properties=metadata.configuration,
            size_bytes=sum(sizes),
            commits=[(row["version"], row["operation"]) for row in opened.history(commits)],
        )

    def _small(self, schema: str, table: Table) -> DeltaTable | None:
        """The table, opened; None when it is too large."""
        from deltalake import DeltaTable

        mark = self.mark(schema, table)
        known = self._opened.get((schema, table.name))
        if known is None or known[0] != mark:
            opened = DeltaTable(self._home.table_path(schema, table.name))
            sizes = pa.table(opened.get_add_actions(flatten=True))["size_bytes"].to_pylist()
            known = (mark, opened if sum(sizes) <= self._max_bytes else None)
            self._opened[schema, table.name] = known
        return known[1]
