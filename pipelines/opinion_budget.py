"""How much a model may be asked in one evaluation."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

from transforms.errors import NoReplyError

_FAULTS_IN_A_ROW = 3  # requests, each tried for minutes: the endpoint is away


@dataclass(frozen=True, slots=True)
class OpinionPolicy:
    """The bounds of asking a model in one evaluation.

    ``max_calls`` requests, each try counted; ``max_tokens`` sent and received; ``max_seconds``
    since the first of them. ``max_rows`` rows of a result are shown to it, 0: none. ``workers``
    requests are under way at once: so many may still end after tokens or seconds are used up.
    """

    max_calls: int = 200
    max_tokens: int = 1_000_000
    max_seconds: float = 900.0
    max_rows: int = 10
    workers: int = 4


class OpinionBudget:
    """What is left of the bounds. Safe to use from several threads at once."""

    def __init__(
        self, policy: OpinionPolicy, monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        self._policy = policy
        self._monotonic = monotonic
        self._lock = threading.Lock()
        self._calls = 0
        self._tokens = 0
        self._began: float | None = None
        self._faults = 0
        self._closed: str | None = None

    def take(self) -> None:
        """Count one more call. Raises NoReplyError, with the reason, where none may be made."""
        policy = self._policy
        with self._lock:
            if self._began is None:
                self._began = self._monotonic()
            if self._calls >= policy.max_calls:
                self._close(f"{policy.max_calls} calls")
            if self._tokens >= policy.max_tokens:
                self._close(f"{policy.max_tokens} tokens")
            if self._monotonic() - self._began >= policy.max_seconds:
                self._close(f"{policy.max_seconds:g} seconds")
            if self._closed is not None:
                raise NoReplyError(self._closed)
            self._calls += 1

    def replied(self, tokens: int) -> None:
        """Count the tokens of a reply."""
        with self._lock:
            self._tokens += tokens
            self._faults = 0

    def failed(self, error: NoReplyError) -> None:
        """Ask no more after a fault that lasts, or after several outages in a row."""
        with self._lock:
            self._faults += error.kind == "outage"
            if error.kind == "lasting" or self._faults >= _FAULTS_IN_A_ROW:
                self._closed = self._closed or f"it is asked no more after: {error.what}"

    def _close(self, bound: str) -> None:
        self._closed = self._closed or f"the evaluation's budget of {bound} is used up"
