"""The Delta tables of a data schema: columns, comments, keys, and since when rows are the same."""

from __future__ import annotations

import json
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from genie.catalog import FOREIGN_KEYS, PRIMARY_KEY, declared_kind
from pipelines.ddl import quote_name
from pipelines.tables import TableFacts, Tables
from transforms.identity import content_hash
from transforms.space_state import ColumnState, TableState

_READ_AT_ONCE = 4
_COMMITS_LOOKED_AT = 100
# Operations of Delta after which the rows are those of before. What they make of the columns is
# part of a table's data id.
_CHANGES_NO_ROW = frozenset(
    {
        "ADD CONSTRAINT",
        "CHANGE COLUMN",
        "CHANGE COLUMNS",
        "DROP CONSTRAINT",
        "SET TBLPROPERTIES",
        "UNSET TBLPROPERTIES",
    }
)


@dataclass(frozen=True, slots=True)
class DataTable:
    """A table as it is: ``version`` is Delta's, ``size_bytes`` what its files take.

    Its rows are the same from version ``data_since`` on; ``data_id`` is another one for other rows
    or columns.
    """

    state: TableState
    version: int
    data_since: int
    data_id: str
    size_bytes: int


def data_tables(tables: Tables, schema: str) -> list[DataTable]:
    """Every table of a schema by name, views left out; none where there is no such schema."""
    database = quote_name(tables.catalog, schema)
    if not tables.spark.catalog.databaseExists(database):
        return []
    views = {row.viewName for row in tables.spark.sql(f"SHOW VIEWS IN {database}").collect()}
    names = sorted(
        row.tableName
        for row in tables.spark.sql(f"SHOW TABLES IN {database}").collect()
        if not row.isTemporary and row.tableName not in views
    )
    with ThreadPoolExecutor(_READ_AT_ONCE, thread_name_prefix="snapshot") as pool:
        return list(pool.map(lambda name: _data_table(tables, schema, name), names))


def _data_table(tables: Tables, schema: str, name: str) -> DataTable:
    facts = tables.facts(schema, name, _COMMITS_LOOKED_AT)
    data_since = _data_since(facts)
    primary_key = set(json.loads(facts.properties.get(PRIMARY_KEY, "[]")))
    references = {
        key["column"]: f"{schema}.{key['references']}"
        for key in reversed(json.loads(facts.properties.get(FOREIGN_KEYS, "[]")))
    }
    read = tables.spark.table(quote_name(tables.catalog, schema, name))
    columns = tuple(
        ColumnState(
            name=field.name,
            data_type=field.dataType.simpleString(),
            comment=field.metadata.get("comment"),
            is_primary_key=field.name in primary_key,
            references=references.get(field.name),
        )
        for field in read.schema.fields
    )
    return DataTable(
        TableState(f"{schema}.{name}", columns, facts.comment, declared_kind(facts.properties)),
        version=facts.version,
        data_since=data_since,
        data_id=content_hash(
            facts.table_id, data_since, [(column.name, column.data_type) for column in columns]
        ),
        size_bytes=facts.size_bytes,
    )


def _data_since(facts: TableFacts) -> int:
    """The newest version that may have changed rows.

    Where all commits that were looked at changed only what is written about the table, the newest
    counts: what was before them is not known.
    """
    changes: Sequence[int] = [
        version for version, operation in facts.commits if operation not in _CHANGES_NO_ROW
    ]
    return changes[0] if changes else facts.version
