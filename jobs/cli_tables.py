"""``tables``: create the tables of the history, document them, list what is in them."""

from __future__ import annotations

import typer

from jobs import screens
from jobs.cli_shared import Json, command_of
from jobs.delta_log import BEFORE_ANY_VERSION, latest_version
from jobs.reading import History, Row
from jobs.screens import Column
from transforms.contracts import TABLES, Table

app = typer.Typer(help="The Delta tables that hold the whole history.", no_args_is_help=True)


@app.command()
def create(context: typer.Context) -> None:
    """Create the tables and views that are missing; twice changes nothing.

    Tables of an earlier version get the columns that are new. One that is in any other way not what
    its contract says is named in an error and never altered.
    """
    from jobs.cli_session import opened

    with opened(command_of(context), name="tables create") as job:
        report = job.tables.create()
    for name in report.created:
        screens.print_lines(f"created {name}")
    screens.print_lines(f"{len(report.created)} created, {len(report.unchanged)} unchanged")


@app.command()
def docs() -> None:
    """Print the documentation of all tables and views as Markdown, as docs/tables.md has it."""
    from transforms.table_docs import tables_markdown

    print(tables_markdown(), end="")


@app.command("list")
def list_tables(context: typer.Context, as_json: Json = False) -> None:
    """List the tables: rows, Delta version, where they are, what a row is."""
    history = command_of(context).history
    rows = [_described(history, table) for table in TABLES]
    if as_json:
        screens.print_json(rows)
        return
    screens.print_lines(f"Folder: {history.path(TABLES[0].name).parent}")
    screens.print_table(rows, _COLUMNS)
    if not history.is_there:
        screens.print_lines("", "No table is there yet: genie-loop tables create, or load")


def _described(history: History, table: Table) -> Row:
    version = latest_version(history.path(table.name))
    is_there = version != BEFORE_ANY_VERSION
    return {
        "table": table.name,
        "row_count": _row_count(history, table) if is_there else None,
        "version": version if is_there else None,
        "path": str(history.path(table.name)),
        "comment": table.comment,
    }


def _row_count(history: History, table: Table) -> int:
    (row,) = history.select(f"SELECT COUNT(*) AS row_count FROM {table.name}")
    return int(row["row_count"])


def _number(value: int | None) -> str:
    return "-" if value is None else str(value)


_COLUMNS = (
    Column("table", lambda row: row["table"]),
    Column("rows", lambda row: _number(row["row_count"]), align="right"),
    Column("version", lambda row: _number(row["version"]), align="right"),
    Column("a row is", lambda row: row["comment"], wraps=True),
)
