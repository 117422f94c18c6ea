"""How long it takes to evaluate one recorded system, once a session is up.

Run it with ``python -m perf.evaluate_recorded FOLDER [ANSWERS]``: a folder that ``genie-loop load``
takes, and the name of one of its answers files (by default the first). Prints seconds and the
machine; run it alone.
"""

from __future__ import annotations

import argparse
import os
import tempfile
from datetime import UTC, datetime
from pathlib import Path

from jobs import evaluate
from jobs.context import JobContext
from jobs.home import Home
from jobs.session import SessionSettings, open_session
from perf.machine import describe_machine, seconds
from pipelines.load import load
from pipelines.tables import Tables


def main(folder: Path, answers: str | None) -> None:
    """Load the folder with one answers file into a new home, and time its evaluation."""
    print(describe_machine())
    chosen = folder / "answers" / answers if answers else min((folder / "answers").iterdir())
    with tempfile.TemporaryDirectory() as scratch:
        input_folder = Path(scratch) / folder.name
        (input_folder / "answers").mkdir(parents=True)
        for part in folder.iterdir():
            if part.name != "answers":
                (input_folder / part.name).symlink_to(part.absolute())
        (input_folder / "answers" / chosen.name).symlink_to(chosen.absolute())
        _time_evaluation(Home(Path(scratch) / "home"), input_folder)


def _time_evaluation(home: Home, folder: Path) -> None:
    def now() -> datetime:
        return datetime.now(UTC)

    settings = SessionSettings.from_environment(os.environ)
    with open_session(home, settings, command="perf", now=now()) as spark:
        tables = Tables(spark, clock=now, commit_guard=home.committing)
        tables.create()
        loading = seconds(lambda: load(tables, folder))
        context = JobContext(
            tables=tables,
            checkpoints=home.checkpoints,
            tracking_uri=home.tracking_uri,
            clock=now,
            artifacts=home.artifacts,
        )
        evaluating = seconds(lambda: print(*evaluate.run(context).lines, sep="\n"))
        again = seconds(lambda: evaluate.run(context))
    print(f"load {loading:.1f} s, evaluate {evaluating:.1f} s, evaluate again {again:.1f} s")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("answers", nargs="?")
    given = parser.parse_args()
    main(given.folder, given.answers)
