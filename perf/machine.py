"""What every benchmark says beside its figures: the machine, and how time is taken."""

from __future__ import annotations

import os
import platform
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path


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


class PeakMemory:
    """The largest resident memory of this process, of the JVM and of each Python worker, in MiB.

    Measured from the beginning of the block to its end, by the kernel (Linux); workers are looked
    for five times a second.
    """

    def __init__(self) -> None:
        self.driver = self.jvm = self.worker = 0.0
        self.worker_count = 0
        self._over = threading.Event()
        self._watcher = threading.Thread(target=self._watch, daemon=True)

    def __enter__(self) -> PeakMemory:
        for pid in _parents():
            with suppress(OSError):
                Path(f"/proc/{pid}/clear_refs").write_text("5")  # peaks begin anew
        self._watcher.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._watcher.join()
        self._look()

    def __str__(self) -> str:
        return (
            f"Python driver {self.driver:,.0f} MiB, JVM {self.jvm:,.0f} MiB, "
            f"largest of {self.worker_count} Python workers {self.worker:,.0f} MiB"
        )

    def _watch(self) -> None:
        while not self._over.wait(0.2):
            self._look()

    def _look(self) -> None:
        parents, own = _parents(), os.getpid()
        jvms = {pid for pid, (parent, name) in parents.items() if parent == own and name == "java"}
        daemons = {pid for pid, (parent, _) in parents.items() if parent in jvms}
        workers = {pid for pid, (parent, _) in parents.items() if parent in daemons}
        self.driver = max(self.driver, _peak(own))
        self.jvm = max([self.jvm, *map(_peak, jvms)])
        self.worker = max([self.worker, *map(_peak, workers)])
        self.worker_count = max(self.worker_count, len(workers))


def _status(pid: int | str) -> dict[str, str]:
    """What the kernel says of a process; nothing of one that is over."""
    try:
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    except OSError:
        return {}
    return {name: value.strip() for name, _, value in (line.partition(":") for line in lines)}


def _parents() -> dict[int, tuple[int, str]]:
    """By process its parent and its name: this one's, and all below it."""
    found = {}
    for folder in Path("/proc").glob("[0-9]*"):
        status = _status(folder.name)
        if status:
            found[int(folder.name)] = (int(status["PPid"]), status["Name"])
    own, size = {os.getpid()}, 0
    while len(own) > size:
        size = len(own)
        own |= {pid for pid, (parent, _) in found.items() if parent in own}
    return {pid: found[pid] for pid in own if pid in found}


def _peak(pid: int) -> float:
    return int(_status(pid).get("VmHWM", "0").split()[0]) / 2**10
