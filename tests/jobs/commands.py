"""Commands as people start them: each a process of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys

from jobs.home import Home


def start(home: Home, *words: str, **environ: str) -> subprocess.Popen[str]:
    """Start a command on a home; ``environ`` goes over the environment of the test."""
    return subprocess.Popen(
        [sys.executable, "-c", "from jobs.cli import main; main()", *words],
        env={**os.environ, **environ, "GENIE_LOOP_HOME": str(home.root)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


def call(home: Home, *words: str, **environ: str) -> str:
    """What a command prints that goes well."""
    process = start(home, *words, **environ)
    out, err = process.communicate(timeout=500)
    assert process.returncode == 0, err
    assert "Traceback" not in err
    return out


def listed(home: Home, *words: str) -> list[dict]:
    """What a command lists as JSON."""
    return json.loads(call(home, *words, "--json"))
