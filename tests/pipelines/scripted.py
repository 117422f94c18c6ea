"""An answerer whose every answer, failure and delay is written down beforehand."""

from __future__ import annotations

import threading
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from genie.answerers import Answer

Step = Answer | Exception | Callable[[], Answer]


@dataclass
class ScriptedAnswerer:
    """Takes the next step of a question's script at each call; the last step repeats.

    A step is an answer, an exception to raise, or a function to call. Questions without a script
    get ``default``. ``calls`` and ``most_in_flight`` say what happened.
    """

    scripts: Mapping[str, Sequence[Step]] = field(default_factory=dict)
    default: Step = field(default_factory=lambda: Answer("answered", sql="SELECT 1"))
    source_hash: str | None = None
    calls: list[str] = field(default_factory=list)
    most_in_flight: int = 0

    def __post_init__(self) -> None:
        self._lock = threading.Lock()
        self._in_flight = 0
        self._counts: dict[str, int] = defaultdict(int)

    def ask(self, question_id: str, question: str, *, timeout_s: float) -> Answer:
        """See ``genie.answerers.Answerer``."""
        with self._lock:
            self.calls.append(question_id)
            self._in_flight += 1
            self.most_in_flight = max(self.most_in_flight, self._in_flight)
            script = self.scripts.get(question_id, [self.default])
            step = script[min(self._counts[question_id], len(script) - 1)]
            self._counts[question_id] += 1
        try:
            if isinstance(step, Exception):
                raise step
            return step if isinstance(step, Answer) else step()
        finally:
            with self._lock:
                self._in_flight -= 1
