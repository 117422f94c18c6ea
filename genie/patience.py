"""How long is waited: between polls, between tries, and in all."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Pacing:
    """How patient the answerer is; all in seconds.

    Between two polls, and between two tries, it waits ``first_wait_s``, doubled each time up to
    ``max_wait_s``, of which a random half is left out. ``clock_margin_s`` is how far the clocks of
    a workspace may be apart. A question whose sending failed is looked for ``looks`` times before
    it is sent again.
    """

    first_wait_s: float = 0.1
    max_wait_s: float = 5.0
    clock_margin_s: float = 5.0
    looks: int = 3


@dataclass(frozen=True, slots=True)
class Timing:
    """Where time comes from: seconds since 1970, seconds that never jump, waiting, chance."""

    now: Callable[[], float] = time.time
    monotonic: Callable[[], float] = time.monotonic
    sleep: Callable[[float], None] = time.sleep
    jitter: Callable[[], float] = random.random


@dataclass(slots=True)
class Attempt:
    """One call of ``ask``: its deadline, and how long it waits next."""

    timing: Timing
    pacing: Pacing
    timeout_s: float
    started: float = field(init=False)
    wait_s: float = field(init=False)

    def __post_init__(self) -> None:
        self.started = self.timing.monotonic()
        self.wait_s = self.pacing.first_wait_s

    @property
    def left_s(self) -> float:
        """Until the answer has to be back; a little less than the caller allows."""
        allowed = self.timeout_s - min(1.0, self.timeout_s * 0.05)
        return allowed - (self.timing.monotonic() - self.started)

    @property
    def elapsed_ms(self) -> int:
        """Since the call began."""
        return round((self.timing.monotonic() - self.started) * 1000)

    def pause(self, retry_after_s: float | None = None) -> None:
        """Wait for as long as the workspace asks, otherwise longer each time, with jitter."""
        if retry_after_s is None:
            wait_s = self.wait_s * (0.5 + self.timing.jitter() / 2)
            self.wait_s = min(self.pacing.max_wait_s, self.wait_s * 2)
        else:
            wait_s = retry_after_s + self.timing.jitter()
        self.timing.sleep(max(0.0, min(wait_s, self.left_s)))
