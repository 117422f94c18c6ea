"""Reads small tables of a home beside Spark, which takes a second where delta-rs takes none.

A state view is made of dozens of reads. Each costs Spark several jobs over the table's log before
the first row is seen, however few there are; rows at hand cost it none, and an empty table lets it
leave out what is joined to it.
"""

from __future__ import annotations

import pyarrow as pa

from jobs.delta_log import BEFORE_ANY_VERSION, latest_version
from jobs.home import Home
from transforms.contracts import Table

MAX_BYTES = 2 << 20  # of Parquet; beyond it rows stay where they are, beside Spark's workers


class SmallTables:
    """The rows of a home's tables, of each table's newest version, as far as they are few."""

    def __init__(self, home: Home, *, max_bytes: int = MAX_BYTES) -> None:
        self._home = home
        self._max_bytes = max_bytes

    def mark(self, schema: str, table: Table) -> tuple[int, int] | None:
        """See ``RowsAtHand``: the newest version and when its commit was written, in ns."""
        folder = self._home.table_path(schema, table.name)
        version = latest_version(folder)
        if version == BEFORE_ANY_VERSION:
            return None
        commit = folder / "_delta_log" / f"{version:020}.json"
        return version, commit.stat().st_mtime_ns if commit.exists() else 0

    def rows(self, schema: str, table: Table) -> pa.Table | None:
        """See ``RowsAtHand``."""
        from deltalake import DeltaTable

        opened = DeltaTable(self._home.table_path(schema, table.name))
        sizes = pa.table(opened.get_add_actions(flatten=True))["size_bytes"].to_pylist()
        if sum(sizes) > self._max_bytes:
            return None
        return opened.to_pyarrow_table(columns=list(table.columns))
