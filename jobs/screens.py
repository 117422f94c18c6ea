"""What commands print: tables a person can read in 100 columns, or JSON that a program can."""

from __future__ import annotations

import json
import re
import shutil
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Literal

from jobs.visible import visible, visible_json
from transforms.contracts import SPLITS
from transforms.statistics import wilson
from transforms.wording import count as count

if TYPE_CHECKING:
    from rich.console import Console

    from jobs.reading import Row

WIDTH = 100  # where no terminal says otherwise, and never less
WIDEST = 160
_GAP = 2  # between columns
_NARROWEST = 12  # of a column that wraps
SHORT_ID = 8  # hex digits shown of an id; commands take any unique beginning

LEVER_NAMES = {
    0: "benchmark corrections",
    1: "tables and columns",
    2: "metric views",
    3: "table functions",
    4: "monitoring tables",
    5: "ML tables",
    6: "space",
}
_FULL_ID = re.compile(r"\b[a-z]+-[0-9a-f]{20}\b")
_STYLES = {
    "accepted": "green",
    "approved": "green",
    "resolved": "green",
    "target": "green",
    "low": "green",
    "medium": "yellow",
    "waiting": "yellow",
    "stale": "yellow",
    "regressed": "red",
    "rejected": "red",
    "refused": "red",
    "high": "red",
}


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a table: heading, what to show of a row, and how.

    A column that ``wraps`` shares the width that the others leave; the others are never cut.
    """

    heading: str
    cell: Callable[[Row], str]
    wraps: bool = False
    align: Literal["left", "right"] = "left"


def console(*, on_stderr: bool = False) -> Console:
    """Where to print; without colours where it is not a terminal."""
    from rich.console import Console

    return Console(stderr=on_stderr, width=_width(), highlight=False, soft_wrap=False)


def print_json(rows: Iterable[Mapping[str, Any]]) -> None:
    """The rows as one JSON list of objects; times in ISO 8601, UTC."""
    text = json.dumps(list(rows), indent=2, ensure_ascii=False, default=_plain)
    sys.stdout.write(visible_json(text) + "\n")


def print_lines(*lines: str) -> None:
    """Lines of text; wrapped between words on a terminal, and as they are anywhere else."""
    out = console()
    for line in lines:
        out.print(visible(line), markup=False, soft_wrap=not out.is_terminal)
    sys.stdout.flush()  # a run that is piped shows what it did when it did it


def print_table(
    rows: Sequence[Row], columns: Sequence[Column], *, group_by: str | None = None
) -> None:
    """Rows under one heading; with ``group_by``, under a line for each value of that column.

    Rows of one group must follow one another.
    """
    from rich.padding import Padding
    from rich.table import Table
    from rich.text import Text

    out = console()
    indent = 2 if group_by else 0
    headings = [visible(column.heading) for column in columns]
    cells = [[visible(column.cell(row)) for column in columns] for row in rows]
    widths = _widths(columns, [headings, *cells], out.width - indent)
    out.width = max(out.width, sum(widths) + _GAP * len(widths) + indent)  # rather than cut an id

    def table(lines: Iterable[Sequence[str]], style: str) -> Padding:
        made = Table(box=None, show_header=False, padding=(0, _GAP, 0, 0), pad_edge=False)
        for column, width in zip(columns, widths, strict=True):
            made.add_column(
                width=width,
                justify=column.align,
                no_wrap=not column.wraps,
                overflow="fold",
                style=style,
            )
        for line in lines:
            made.add_row(*(Text(cell, style=_STYLES.get(cell, "")) for cell in line))
        return Padding(made, (0, 0, 0, indent), expand=False)

    out.print(table([headings], "bold"))
    for heading, group in _groups(rows, cells, group_by):
        if heading is not None:
            out.print(visible(heading), style="bold cyan", markup=False)
        out.print(table(group, ""))


def print_fields(fields: Sequence[tuple[str, str | None]], *, indent: int = 0) -> None:
    """Names and values under one another; those without a value are left out."""
    from rich.padding import Padding
    from rich.table import Table
    from rich.text import Text

    shown = [(name, value) for name, value in fields if value]
    made = Table(box=None, show_header=False, padding=(0, 2, 0, 0), pad_edge=False)
    made.add_column(no_wrap=True, style="bold")
    made.add_column(overflow="fold")
    for name, value in shown:
        made.add_row(Text(visible(name)), Text(visible(value), style=_STYLES.get(value, "")))
    console().print(Padding(made, (0, 0, 0, indent), expand=False))


def print_heading(text: str, style: str = "bold") -> None:
    """A line that begins a part of a screen."""
    console().print(visible(text), style=style, markup=False)


def short(identifier: str | None) -> str:
    """The beginning of an id that people copy: the kind left out, eight hex digits."""
    if identifier is None:
        return ""
    return identifier.rpartition("-")[2][:SHORT_ID]


def with_short_ids(text: str) -> str:
    """A text with the ids in it as ``short`` gives them."""
    return _FULL_ID.sub(lambda found: short(found[0]), text)


def share(part: int, count: int) -> str:
    """``41/58 71%``; a dash where there is nothing."""
    return f"{part}/{count} {part / count:4.0%}" if count else "-"


def target(wanted: float | None) -> str:
    """``90%``: the share that should be reached; a dash where there is none."""
    return "-" if wanted is None else f"{wanted:.0%}"


def accuracy(correct: int, count: int) -> str:
    """``41/58 71% 58-81``: right ones, their share and its 95 % interval in per cent."""
    interval = wilson(correct, count)
    if interval is None:
        return "-"
    return f"{share(correct, count)} {interval.low * 100:.0f}-{interval.high * 100:.0f}"


def difference(numbers: Row) -> str:
    """``+6.2 (+1.5 to +12.3)``: change of accuracy in points with its interval, of one split.

    Of a row with ``difference``, ``difference_low`` and ``difference_high``; a dash where nothing
    could be compared.
    """
    if numbers["difference"] is None:
        return "-"
    shown = _points(numbers["difference"])
    if numbers["difference_low"] is None:
        return shown
    low, high = _points(numbers["difference_low"]), _points(numbers["difference_high"])
    return f"{shown} ({low} to {high})"


def _points(share: float) -> str:
    return f"{share * 100:+.1f}"


def p_value(numbers: Row) -> str:
    """``0.031``: the two-sided p-value of one split; a dash where nothing could be compared."""
    if numbers["difference"] is None:
        return "-"
    return f"{numbers['p_value']:.3f}" if numbers["p_value"] >= 0.001 else "<0.001"


def split_counts(row: Row) -> Row:
    """A row of evaluations with ``<split>_count`` and ``<split>_correct`` in place of ``splits``.

    Both are 0 for a split whose questions were not asked, and where there is no evaluation.
    """
    counted = {of["split"]: of for of in row["splits"] or ()}
    flat = {name: value for name, value in row.items() if name != "splits"}
    for split in SPLITS:
        of = counted.get(split, {"question_count": 0, "correct_count": 0})
        flat[f"{split}_count"] = of["question_count"]
        flat[f"{split}_correct"] = of["correct_count"]
    return flat


def split_columns() -> tuple[Column, ...]:
    """The three splits side by side, as ``accuracy`` shows them, of rows of ``split_counts``."""

    def cell(split: str) -> Callable[[Row], str]:
        return lambda row: accuracy(row[f"{split}_correct"], row[f"{split}_count"])

    return tuple(Column(split, cell(split)) for split in SPLITS)


def fault_lines(rows: Iterable[Row]) -> list[str]:
    """A line for each evaluation in which the platform failed: those questions count as wrong."""
    faults = [(row, (row["outcome_counts"] or {}).get("infrastructure", 0)) for row in rows]
    return [
        f"{row['space_id']}: the platform failed on {count(number, 'question')} of evaluation "
        f"{short(row['evaluation_id'])}; counted as wrong until asked again"
        for row, number in faults
        if number
    ]


def when(at: datetime | None) -> str:
    """A time for people, UTC, to the minute."""
    return "" if at is None else f"{at.astimezone(UTC):%Y-%m-%d %H:%M}"


def lever(number: int) -> str:
    """``1 tables and columns``; corrections of benchmarks are no lever and have no number."""
    return f"{number} {LEVER_NAMES[number]}" if number else LEVER_NAMES[number]


def _width() -> int:
    if not sys.stdout.isatty():
        return WIDTH
    return min(max(shutil.get_terminal_size().columns, WIDTH), WIDEST)


def _widths(columns: Sequence[Column], cells: Sequence[Sequence[str]], width: int) -> Sequence[int]:
    """Widths that fill ``width`` at most: wrapping columns share what the others leave.

    ``cells`` are those of the headings and of the rows. Each gets its longest word first, where
    that is not excessive, then what it would like.
    """
    from rich.cells import cell_len

    natural = [max(map(cell_len, ["", *_lines(cells, i)])) for i, _ in enumerate(columns)]
    wrapping = [i for i, c in enumerate(columns) if c.wraps]
    left = width - _GAP * (len(columns) - 1)
    left -= sum(n for i, n in enumerate(natural) if i not in wrapping)
    widths = list(natural)
    for position, i in enumerate(wrapping):
        words = [word for line in _lines(cells, i) for word in line.split()]
        fair = max(left // (len(wrapping) - position), _NARROWEST)
        widths[i] = min(max(map(cell_len, words), default=0), fair)
        left -= widths[i]
    for position, i in enumerate(sorted(wrapping, key=lambda i: natural[i] - widths[i])):
        extra = max(min(natural[i] - widths[i], left // (len(wrapping) - position)), 0)
        widths[i] += extra
        left -= extra
    return widths


def _lines(cells: Sequence[Sequence[str]], column: int) -> Iterable[str]:
    return (line for row in cells for line in row[column].splitlines())


def _groups(
    rows: Sequence[Row], cells: Sequence[Sequence[str]], group_by: str | None
) -> Iterable[tuple[str | None, Sequence[Sequence[str]]]]:
    if group_by is None:
        return [(None, cells)]
    groups: dict[str, list[Sequence[str]]] = {}
    for row, line in zip(rows, cells, strict=True):
        groups.setdefault(str(row[group_by]), []).append(line)
    return list(groups.items())


def _plain(value: object) -> str:
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat().replace("+00:00", "Z")
    raise TypeError(f"no JSON for {type(value).__name__}")
