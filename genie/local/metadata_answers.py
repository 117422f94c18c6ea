"""The engine of the embedded workspace: answers by the metadata that the catalog has just now."""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence

from genie.local.engine.answer import EngineAnswer as MetadataAnswer
from genie.local.engine.building import build_visible_space
from genie.local.engine.engine import MetadataEngine
from genie.local.engine.visible import VisibleSpace
from genie.local.live_catalog import LiveCatalog
from genie.local.seams import EngineAnswer, SqlBackend, SqlRequest, SqlResult, Turn
from transforms.errors import GenieLoopError
from transforms.read_only import parse_query
from transforms.serialized_space import SpaceConfig

MAX_AGE_S = 60.0
_KEPT_SPACES = 8
_LOOKING = ("describe", "desc", "show", "explain")


class WatchedBackend:
    """A backend that counts the statements which may have changed the catalog or the data."""

    def __init__(self, backend: SqlBackend) -> None:
        self.inner = backend
        self._lock = threading.Lock()
        self._changes = 0

    @property
    def changes(self) -> int:
        """How many statements that are not queries were begun or ended."""
        return self._changes

    def execute(self, request: SqlRequest) -> SqlResult:
        """Run one statement to its end. Raises SqlFailedError, also when it was cancelled."""
        if _is_harmless(request.sql):
            return self.inner.execute(request)
        self._count()
        try:
            return self.inner.execute(request)
        finally:
            self._count()  # what was read meanwhile may be either

    def cancel(self, tag: str) -> None:
        """End the execution of that tag soon; nothing happens when there is none."""
        self.inner.cancel(tag)

    def _count(self) -> None:
        with self._lock:
            self._changes += 1


def _is_harmless(sql: str) -> bool:
    """Whether a statement surely changes nothing; anything that is not understood may."""
    if sql.lstrip().lower().startswith(_LOOKING):
        return True
    try:
        parse_query(sql)
    except GenieLoopError:
        return False
    return True


class MetadataAnswers:
    """Answers each question by itself, from the space's configuration and the catalog.

    What was read of the catalog is kept until a statement that is no query goes through
    ``backend``, or ``version`` gives another value, and ``max_age_s`` seconds at most: others may
    change the catalog, too. A table whose mark is the same is not read again even then; ``marks``
    gives them by ``schema.table`` in lower case, of those tables that have one. Earlier questions
    of a conversation are not looked at.
    """

    def __init__(
        self,
        engine: MetadataEngine,
        backend: WatchedBackend,
        *,
        version: Callable[[], object] = lambda: None,
        marks: Callable[[], Mapping[str, object]] = dict,
        max_age_s: float = MAX_AGE_S,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._engine = engine
        self._backend = backend
        self._version = version
        self._marks = marks
        self._max_age_s = max_age_s
        self._clock = clock
        self._lock = threading.Lock()
        self._catalog = LiveCatalog(backend.inner, marks())
        self._read_at = clock()
        self._read_as = (backend.changes, version())
        self._spaces: OrderedDict[str, VisibleSpace] = OrderedDict()

    def answer(self, config: SpaceConfig, question: str, history: Sequence[Turn]) -> EngineAnswer:
        """SQL with the reasons for it as description, or what was not understood as text.

        Raises StatementFailedError when the catalog cannot be read.
        """
        return _with_reasons(self._engine.answer(self._visible(config), question))

    def _visible(self, config: SpaceConfig) -> VisibleSpace:
        with self._lock:
            self._forget_what_may_be_stale()
            space = self._spaces.get(config.text)
            if space is None:
                document = config.to_dict()
                space = build_visible_space(document, self._catalog.describe(document))
                self._spaces[config.text] = space
            self._spaces.move_to_end(config.text)
            while len(self._spaces) > _KEPT_SPACES:
                self._spaces.popitem(last=False)
            return space

    def _forget_what_may_be_stale(self) -> None:
        now, is_now = self._clock(), (self._backend.changes, self._version())
        if is_now != self._read_as or now - self._read_at > self._max_age_s:
            self._catalog = self._catalog.renewed(self._marks())
            self._spaces.clear()
            self._read_at, self._read_as = now, is_now


def _with_reasons(answer: MetadataAnswer) -> EngineAnswer:
    reasons = "\n".join(f"{one.step}: {one.about} ({one.because})" for one in answer.trace)
    return EngineAnswer(sql=answer.sql, text=answer.text, description=reasons or None)
