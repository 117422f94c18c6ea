"""How long a session takes to be up, as a whole process: a home of its own, and one that is there.

Run it with ``python -m perf.session_start``. Prints seconds and the machine; run it alone.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile

from perf.machine import describe_machine, seconds

_UP = """
import os, pathlib, sys
from datetime import UTC, datetime
from jobs.home import Home
from jobs.session import SessionSettings, open_session
home = Home(pathlib.Path(sys.argv[1]))
settings = SessionSettings.from_environment(os.environ)
with open_session(home, settings, command="perf", now=datetime.now(UTC)) as spark:
    spark.sql("SHOW SCHEMAS").collect()
    os._exit(0)  # up is what is measured; stopping is not
"""


def main(repeats: int = 3) -> None:
    """Print how long the first and the later sessions of a home take."""
    print(describe_machine())
    for number in range(1, repeats + 1):
        with tempfile.TemporaryDirectory() as home:
            command = [sys.executable, "-c", _UP, home]
            first = seconds(lambda: subprocess.run(command, check=True))  # noqa: B023
            again = seconds(lambda: subprocess.run(command, check=True))  # noqa: B023
        print(f"run {number}: new home {first:.1f} s, home that is there {again:.1f} s")


if __name__ == "__main__":
    main()
