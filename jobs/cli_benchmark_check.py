"""``benchmarks check``: what is wrong or weak with a space's benchmarks, what they cover."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import asdict, replace
from typing import TYPE_CHECKING, Any

import typer

from jobs import screens
from jobs.benchmark_arguments import SpaceId, Split, check_is_registered, check_split
from jobs.cli_session import Bars, opened
from jobs.cli_shared import Json, command_of
from jobs.left_out import left_out, left_out_lines, with_left_out
from jobs.reading import Row
from jobs.screens import Column
from transforms.contracts import SPLITS

if TYPE_CHECKING:
    from pipelines.benchmark_check import BenchmarkCheck
    from transforms.benchmark_coverage import CoverageRow


def check(
    context: typer.Context, space: SpaceId, split: Split = "train", as_json: Json = False
) -> None:
    """Execute every expected SQL and say what is wrong or weak with the benchmarks of a space.

    Found are those that fail, give nothing, depend on chance or on today, ask what another one
    asks, or show nothing; and what no benchmark covers. Nothing is changed.
    """
    check_split(split)
    command = command_of(context)
    check_is_registered(command.history, space)
    with opened(command, name="benchmarks") as job, Bars().shown() as bars:
        from jobs.benchmark_jobs import check as check_now

        found = check_now(replace(job, progress=bars), space)
    benchmarks = left_out(command.history)
    if as_json:
        (row,) = with_left_out([_check_row(space, found, split)], benchmarks)
        screens.print_json([row])
    else:
        print_check(found, split)
        screens.print_lines(*left_out_lines(benchmarks, [space]))


def _check_row(space: str, found: BenchmarkCheck, split: str) -> dict[str, Any]:
    return {
        "space_id": space,
        "benchmark_count": len(found.benchmarks),
        "findings": _finding_rows(found, split),
        "finding_counts": _finding_counts(found),
        "splits": [asdict(one) for one in found.coverage.splits],
        "assets": [_coverage_row(one) for one in found.coverage.assets],
        "categories": [_coverage_row(one) for one in found.coverage.categories],
    }


def _finding_rows(found: BenchmarkCheck, split: str) -> list[Row]:
    from transforms.benchmark_findings import KINDS

    texts = {row["question_id"]: row["question"] for row in found.benchmarks}
    return [
        {
            "kind": one.kind,
            "question_id": one.question_id,
            "question": texts[one.question_id],
            "found": one.told,
            "what_to_do": KINDS[one.kind],
        }
        for one in found.findings
        if one.split == split
    ]


def _finding_counts(found: BenchmarkCheck) -> list[Row]:
    """How many benchmarks of each split have what, the gravest first."""
    from transforms.benchmark_findings import KINDS

    counts = Counter((one.kind, one.split) for one in found.findings)
    return [
        {"kind": kind, "meaning": meaning, **{split: counts[kind, split] for split in SPLITS}}
        for kind, meaning in KINDS.items()
        if any(counts[kind, split] for split in SPLITS)
    ]


def _coverage_row(one: CoverageRow) -> Row:
    return {"name": one.name, "kind": one.kind, **one.counts, "missing_in": list(one.missing)}


def print_check(found: BenchmarkCheck, split: str) -> None:
    """What ``benchmarks check`` shows; texts of questions of one split only."""
    rows, counts = _finding_rows(found, split), _finding_counts(found)
    screens.print_heading(f"{screens.count(len(found.benchmarks), 'benchmark')} checked")
    if counts:
        screens.print_table(counts, _COUNT_COLUMNS)
    else:
        screens.print_lines("Nothing was found.")
    if rows:
        screens.print_lines("")
        screens.print_heading(f"What to look at (of {split}; --split shows another)")
        screens.print_table(rows, _FINDING_COLUMNS)
    screens.print_lines("")
    screens.print_heading("Splits")
    splits = [
        {**asdict(one), "told": "" if one.is_likely else "chance seldom divides them so"}
        for one in found.coverage.splits
    ]
    screens.print_table(splits, _SPLIT_COLUMNS)
    for heading, of_kind in (
        ("Assets of the space", found.coverage.assets),
        ("Categories", found.coverage.categories),
    ):
        screens.print_lines("")
        screens.print_heading(heading)
        screens.print_table([_coverage_row(one) for one in of_kind], _COVERAGE_COLUMNS)


def _count_of(split: str) -> Callable[[Row], str]:
    return lambda row: str(row[split])


_SPLITS = tuple(Column(split, _count_of(split), align="right") for split in SPLITS)
_COUNT_COLUMNS = (
    Column("found", lambda row: row["kind"].replace("_", " ")),
    *_SPLITS,
    Column("what to do", lambda row: row["meaning"], wraps=True),
)
_FINDING_COLUMNS = (
    Column("id", lambda row: row["question_id"]),
    Column("found", lambda row: row["kind"].replace("_", " ")),
    Column("question", lambda row: row["question"], wraps=True),
    Column("what", lambda row: row["found"], wraps=True),
)
_SPLIT_COLUMNS = (
    Column("split", lambda row: row["split"]),
    Column("questions", lambda row: str(row["question_count"]), align="right"),
    Column("groups", lambda row: str(row["group_count"]), align="right"),
    Column("wanted", lambda row: f"{row['wanted_share']:.0%}", align="right"),
    Column("", lambda row: row["told"], wraps=True),
)
_COVERAGE_COLUMNS = (
    Column("name", lambda row: row["name"]),
    Column("kind", lambda row: row["kind"].replace("_", " ")),
    *_SPLITS,
    Column("not in", lambda row: ", ".join(row["missing_in"]), wraps=True),
)
