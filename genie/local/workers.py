"""A fixed number of threads that do what is queued, and never keep a process from ending."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from queue import SimpleQueue

_LOG = logging.getLogger(__name__)


class Workers:
    """Daemon threads: what hangs in one of them ends with the process."""

    def __init__(self, count: int, name: str) -> None:
        self._queue: SimpleQueue[Callable[[], None] | None] = SimpleQueue()
        self._count = count
        for number in range(count):
            threading.Thread(target=self._run, daemon=True, name=f"{name}-{number}").start()

    def submit(self, task: Callable[[], None]) -> None:
        """Do this as soon as a thread is free."""
        self._queue.put(task)

    def stop(self) -> None:
        """End each thread after what it does now and what is queued before this call."""
        for _ in range(self._count):
            self._queue.put(None)

    def _run(self) -> None:
        while (task := self._queue.get()) is not None:
            try:
                task()
            except Exception:
                # Tasks tell their own failures; what comes this far must not cost a thread.
                _LOG.exception("a task of the embedded workspace failed")
