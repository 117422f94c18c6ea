"""``benchmarks``: what a space is measured by: listed, checked, brought in and taken out.

Benchmarks of held_out and sealed are counted only, unless their split is asked for: who reads them
while improving a space fits the space to them.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

import typer

from jobs import screens
from jobs.benchmark_arguments import FILES, SpaceId, Split, check_is_registered, check_split
from jobs.cli_benchmark_check import check
from jobs.cli_benchmark_import import import_benchmarks
from jobs.cli_shared import Json, Limit, Space, command_of, limited, rows_of
from jobs.left_out import left_out_lines
from jobs.screens import Column
from transforms.contracts import SPLITS
from transforms.errors import InvalidInputError

_BENCHMARKS = """
SELECT s.space_id, s.question_id, s.benchmark_version, s.split, s.group_id, s.state, s.suspicion,
  b.source,
  b.expected_asset, s.category, s.question, s.expected_sql, b.source_path, s.recorded_at
FROM benchmark_states s
JOIN current_benchmarks b ON b.space_id = s.space_id AND b.question_id = s.question_id
WHERE :space IS NULL OR s.space_id = :space
ORDER BY s.space_id, s.question_id
"""
_EXPORTED = """
SELECT question_id, question, expected_sql, expected_asset, category FROM current_benchmarks
WHERE space_id = :space AND status = 'active' AND split IN :splits
ORDER BY question_id
"""
app = typer.Typer(help="What a space is measured by: list, check, import, export.")
app.command("check")(check)
app.command("import")(import_benchmarks)


@app.command("list")
def list_benchmarks(
    context: typer.Context,
    space: Space = None,
    split: Split = "train",
    limit: Limit = None,
    as_json: Json = False,
) -> None:
    """List the benchmarks of each space with their states.

    Only train questions are shown; those of held_out and sealed are counted.
    """
    check_split(split)
    rows = rows_of(command_of(context).history, _BENCHMARKS, space)
    chosen = [row for row in rows if row["split"] == split]
    shown = limited(chosen, limit, as_json=as_json)
    if as_json:
        screens.print_json(shown)
        return
    if not rows:
        screens.print_lines("There is no benchmark yet. Load a folder: genie-loop load FOLDER")
        return
    screens.print_table(shown, _LIST_COLUMNS, group_by="space_id")
    screens.print_lines("", _others_line(Counter(row["split"] for row in rows), split))
    screens.print_lines(*left_out_lines(rows, (row["space_id"] for row in rows)))
    if len(shown) < len(chosen):
        screens.print_lines(f"{len(chosen) - len(shown)} more of {split}; --limit 0 shows all.")


@app.command()
def export(
    context: typer.Context,
    space: SpaceId,
    file: Annotated[Path, typer.Argument(metavar="FILE", help=f"To be made: {', '.join(FILES)}.")],
    split: Annotated[
        list[str] | None,
        typer.Option(metavar="SPLIT", help="Only this split; repeat it. By default all."),
    ] = None,
) -> None:
    """Write the active benchmarks of a space to a file that load, deploy and import read."""
    from transforms.benchmark_lines import as_json_lines, as_yaml, question_line

    for one in split or ():
        check_split(one)
    if file.suffix not in FILES:
        raise InvalidInputError(
            f"questions are written to {', '.join(FILES)}",
            where=str(file),
            remedy="give the file one of these endings",
        )
    history = command_of(context).history
    check_is_registered(history, space)
    rows = history.select(_EXPORTED, space=space, splits=split or SPLITS)
    lines = [question_line(row) for row in rows]
    text = as_json_lines(lines) if file.suffix == ".jsonl" else as_yaml(lines)
    try:
        with file.open("x", encoding="utf-8", newline="") as made:
            made.write(text)
    except OSError as error:
        raise InvalidInputError(
            f"the file cannot be made: {error.strerror}",
            where=str(file),
            remedy="name one that is not there yet, in a folder that is",
        ) from error
    screens.print_lines(f"{screens.count(len(lines), 'benchmark')} of {space} in {file}")


def _others_line(counts: Mapping[str, int], split: str) -> str:
    others = ", ".join(f"{counts[one]} of {one}" for one in SPLITS if one != split)
    return f"{counts[split]} of {split}; not shown: {others} (--split shows them)"


_LIST_COLUMNS = (
    Column("id", lambda row: row["question_id"]),
    Column("version", lambda row: f"{row['benchmark_version']} {row['source']}"),
    Column("state", lambda row: row["state"]),
    Column("category", lambda row: row["category"] or ""),
    Column("group", lambda row: screens.short(row["group_id"])),
    Column("question", lambda row: row["question"], wraps=True),
)
