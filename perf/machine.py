"""What every benchmark says beside its figures: the machine, and how time is taken."""

from __future__ import annotations

import os
import platform
import time
from collections.abc import Callable


def describe_machine() -> str:
    """Cores, memory and versions, one line."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return (
        f"machine: {os.cpu_count()} cores, {memory:.0f} GiB, {platform.machine()}, "
        f"Python {platform.python_version()}, {platform.system()}"
    )


def seconds(work: Callable[[], object]) -> float:
    """Wall-clock seconds that a piece of work takes."""
    start = time.perf_counter()
    work()
    return time.perf_counter() - start
