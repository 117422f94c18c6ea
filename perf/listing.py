"""How long commands that only list take, as whole processes: start, imports, reading, printing.

Run it with ``python -m perf.listing HOME [--times N]``: a home that has been evaluated and
optimized. With ``--times`` its evaluations are repeated N times in a copy, so that there is a long
history behind what is listed. Prints the best and the median of each command, the processor time,
and the machine; run it alone.
"""

from __future__ import annotations

import argparse
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
from deltalake import DeltaTable, write_deltalake

from jobs.home import Home
from jobs.reading import SCHEMA
from perf.machine import describe_machine, seconds
from transforms.contracts import (
    ARBITER_VERDICTS_TABLE,
    CLUSTER_MEMBERS,
    EVAL_RESULTS,
    EVALUATION_REQUESTS,
    EVALUATIONS,
    FAILURES,
    JUDGE_VERDICTS,
    TABLES,
    Table,
)

COMMANDS = (
    "--version",
    "status",
    "history",
    "levers",
    "failures",
    "failures --limit 0 --json",
    "clusters",
    "proposals",
    "batches",
    "tables list",
)
RUNS = 5
_GROWS_WITH_EVALUATIONS = (
    EVALUATION_REQUESTS,
    EVALUATIONS,
    EVAL_RESULTS,
    JUDGE_VERDICTS,
    FAILURES,
    ARBITER_VERDICTS_TABLE,
    CLUSTER_MEMBERS,
)
_IDS = ("evaluation_id", "request_id", "verdict_id", "failure_id")
_TIMES = ("started_at", "finished_at", "recorded_at")


def main(home: Home, times: int) -> None:
    """Time every command on the home, or on a copy with a longer history."""
    print(describe_machine())
    with tempfile.TemporaryDirectory() as scratch:
        if times > 1:
            home = repeated(home, Home(Path(scratch)), times)
        counts = {t.name: DeltaTable(home.table_path(SCHEMA, t.name)).count() for t in TABLES}
        print(", ".join(f"{count} {name}" for name, count in counts.items() if count))
        for command in COMMANDS:
            before = processor_seconds()
            took = sorted(seconds(call(home, command)) for _ in range(RUNS))
            used = (processor_seconds() - before) / RUNS
            print(
                f"{command:28} best {took[0]:.2f} s, median {statistics.median(took):.2f} s, "
                f"processor {used:.2f} s"
            )


def processor_seconds() -> float:
    """Processor time of all processes started so far: what is left of a busy machine's noise."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def call(home: Home, command: str) -> Callable[[], object]:
    """Run one command to its end, as a process of its own, its output thrown away."""
    program = [sys.executable, "-c", "from jobs.cli import main; main()", "--home", str(home.root)]

    def run() -> None:
        subprocess.run([*program, *command.split()], check=True, stdout=subprocess.DEVNULL)

    return run


def repeated(home: Home, copy: Home, times: int) -> Home:
    """A copy of the home in which every evaluation was made ``times`` times, an hour apart."""
    copy.create()
    for table in TABLES:
        source, target = home.table_path(SCHEMA, table.name), copy.table_path(SCHEMA, table.name)
        if table not in _GROWS_WITH_EVALUATIONS:
            shutil.copytree(source, target)
            continue
        rows = DeltaTable(source).to_pyarrow_table()
        history = [_made_anew(table, rows, number) for number in range(times)]
        write_deltalake(target, pa.concat_tables(history), mode="append")
    return copy


def _made_anew(table: Table, rows: pa.Table, number: int) -> pa.Table:
    """The rows with other ids, ``number`` hours later."""
    for position, name in enumerate(table.columns):
        column = rows.column(name)
        if name in _IDS:
            column = pc.binary_join_element_wise(column, f"{number:04}", "")
        elif name in _TIMES:
            column = pc.add(column, pa.scalar(timedelta(hours=number)))
        rows = rows.set_column(position, rows.schema.field(name), column)
    return rows


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("home", type=Path, metavar="HOME")
    parser.add_argument("--times", type=int, default=1, metavar="N")
    given = parser.parse_args()
    main(Home(given.home.absolute()), given.times)
