"""SQL that defines tables: names and texts are quoted by a builder, never pasted."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from sqlglot import exp

from transforms.contracts import Field, Table

_DIALECT = "databricks"

# Any Delta reader can read the tables (no deletion vectors). A replay is recognised, and a stream
# or the trigger runner can go on from where it stood, for a year.
PROPERTIES = {
    "delta.enableDeletionVectors": "false",
    "delta.setTransactionRetentionDuration": "interval 365 days",
    "delta.logRetentionDuration": "interval 365 days",
}


CHECKS = "delta.constraints."  # what Delta puts before the name of a CHECK constraint


@dataclass(frozen=True, slots=True)
class CreateReport:
    """Names of the tables and views that were created, and of those that were there already.

    ``upgraded`` says, a sentence each, what tables made by an earlier version have now.
    """

    created: tuple[str, ...]
    unchanged: tuple[str, ...]
    upgraded: tuple[str, ...] = ()


def quote_name(*parts: str | None) -> str:
    """A possibly qualified name, every part in backticks; parts that are None are left out."""
    return ".".join(
        exp.to_identifier(part, quoted=True).sql(dialect=_DIALECT)
        for part in parts
        if part is not None
    )


def quote_text(text: str) -> str:
    """A string literal."""
    return exp.Literal.string(text).sql(dialect=_DIALECT)


def table_properties(table: Table) -> dict[str, str]:
    """Everything the contract asks of the table's properties, CHECK constraints included."""
    checks = {f"{CHECKS}{name}": check for name, check in table.checks.items()}
    return PROPERTIES | checks


def create_table_sql(table: Table, name: str) -> str:
    """One statement, hence one commit: columns, constraints, clustering, comments.

    ``name`` is quoted already.
    """
    return "\n".join(_create_table(table, name))


def add_column_sql(table: Table, name: str, field: Field) -> str:
    """One statement that gives a table, by its quoted name, a column in the contract's place."""
    before = table.columns[table.columns.index(field.name) - 1]
    return f"ALTER TABLE {name} ADD COLUMN {_column(field).strip()} AFTER {quote_name(before)}"


def renew_check_sql(table: Table, name: str, check: str) -> tuple[str, str]:
    """Two statements that give a table, by its quoted name, a constraint in place of a former."""
    constraint = quote_name(check)
    return (
        f"ALTER TABLE {name} DROP CONSTRAINT IF EXISTS {constraint}",
        f"ALTER TABLE {name} ADD CONSTRAINT {constraint} CHECK ({table.checks[check]})",
    )


def _create_table(table: Table, name: str) -> Iterator[str]:
    yield f"CREATE TABLE {name} ("
    yield ",\n".join(_column(field) for field in table.fields)
    yield ") USING DELTA"
    if table.cluster_by:
        yield f"CLUSTER BY ({', '.join(quote_name(column) for column in table.cluster_by)})"
    yield f"COMMENT {quote_text(table.comment)}"
    pairs = (f"{quote_text(k)} = {quote_text(v)}" for k, v in table_properties(table).items())
    yield f"TBLPROPERTIES ({', '.join(pairs)})"


def _column(field: Field) -> str:
    needed = "" if field.is_nullable else " NOT NULL"
    return (
        f"  {quote_name(field.name)} {field.data_type}{needed} COMMENT {quote_text(field.comment)}"
    )
