"""Scripted failures and limits, for tests of clients: nothing here happens by chance."""

from __future__ import annotations

import math
import threading
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class Fault:
    """What happens to the requests whose method is ``method`` and whose path holds ``path``.

    ``drop_before`` closes the connection instead of doing anything, ``drop_after`` does what was
    asked and closes it instead of answering, ``respond`` answers with ``status``, ``error_code``
    and perhaps Retry-After instead of doing anything, ``delay`` only waits. Each waits ``delay_s``
    seconds first. After ``times`` requests it is used up.
    """

    action: Literal["drop_before", "drop_after", "respond", "delay"]
    method: str = "POST"
    path: str = ""
    status: int = 500
    error_code: str = "INTERNAL_ERROR"
    retry_after_s: int | None = None
    delay_s: float = 0.0
    times: int = 1


class Faults:
    """A script of faults; of several that fit a request the first happens."""

    def __init__(self, script: Iterable[Fault] = ()) -> None:
        self._lock = threading.Lock()
        self._left = [[fault, fault.times] for fault in script]

    def add(self, fault: Fault) -> None:
        """Append to the script; may be called while requests are served."""
        with self._lock:
            self._left.append([fault, fault.times])

    def take(self, method: str, path: str) -> Fault | None:
        """What happens to this request; counted as having happened."""
        with self._lock:
            for entry in self._left:
                fault, left = entry
                assert isinstance(fault, Fault)
                assert isinstance(left, int)
                if left and fault.method == method and fault.path in path:
                    entry[1] = left - 1
                    return fault
        return None


class RateLimit:
    """At most ``per_minute`` questions in any 60 seconds; None for no limit."""

    def __init__(self, per_minute: int | None, clock: Callable[[], float]) -> None:
        self._per_minute = per_minute
        self._clock = clock
        self._lock = threading.Lock()
        self._taken: deque[float] = deque()

    def take(self) -> int | None:
        """None when a question may be asked now, otherwise the whole seconds to wait."""
        if self._per_minute is None:
            return None
        with self._lock:
            now = self._clock()
            while self._taken and now - self._taken[0] >= 60:
                self._taken.popleft()
            if len(self._taken) < self._per_minute:
                self._taken.append(now)
                return None
            return max(1, math.ceil(60 - (now - self._taken[0])))
