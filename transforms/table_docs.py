"""The documentation of every table and view, from their declarations alone."""

from __future__ import annotations

from collections.abc import Iterator

from transforms.contracts import TABLES, Field, Table
from transforms.views import VIEWS, View

_PREAMBLE = """\
# Tables

<!-- Generated from transforms/contracts.py and transforms/views.py by `make docs`; a test fails \
when they differ. -->

One schema, `genie_loop` unless configured, holds the whole history. On a laptop the tables are \
plain Delta folders, `$GENIE_LOOP_HOME/warehouse/genie_loop.db/<table>`, that any Delta reader \
opens. Timestamps are UTC; shares are 0-1; units are in the column's name. States are \
[views](#views) over the rows.

"""


def tables_markdown() -> str:
    """The whole of ``docs/tables.md``, ending in a line break."""
    return _PREAMBLE + "\n".join([*_overview(), "", *_all_tables(), "## Views", "", *_views(VIEWS)])


def _overview() -> Iterator[str]:
    yield "| table | a row is | key |"
    yield "| --- | --- | --- |"
    for table in TABLES:
        link = f"[`{table.name}`](#{table.name})"
        yield f"| {link} | {_cell(table.comment)} | {_names(table.key)} |"


def _all_tables() -> Iterator[str]:
    for table in TABLES:
        yield from _table(table)


def _table(table: Table) -> Iterator[str]:
    yield from (f"## {table.name}", "", f"{table.comment}.", "")
    yield f"Key: {_names(table.key)}."
    if table.cluster_by:
        yield f"Clustered by {_names(table.cluster_by)}."
    yield from ("", "| column | type | NULL | meaning |", "| --- | --- | --- | --- |")
    yield from (_column(field) for field in table.fields)
    yield ""
    if table.checks:
        yield from ("| constraint | always holds |", "| --- | --- |")
        yield from (f"| `{name}` | `{_cell(check)}` |" for name, check in table.checks.items())
        yield ""


def _column(field: Field) -> str:
    null = "may be" if field.is_nullable else "never"
    return f"| `{field.name}` | `{_cell(field.data_type)}` | {null} | {_cell(field.comment)} |"


def _views(views: tuple[View, ...]) -> Iterator[str]:
    yield "Standard SQL that Spark and DataFusion run unchanged, created with the tables."
    yield from ("", "| view | a row is |", "| --- | --- |")
    yield from (f"| `{view.name}` | {_cell(view.comment)} |" for view in views)
    yield ""


def _names(columns: tuple[str, ...]) -> str:
    return ", ".join(f"`{column}`" for column in columns)


def _cell(text: str) -> str:
    return text.replace("|", "\\|")
