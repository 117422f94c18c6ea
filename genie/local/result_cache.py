"""Results that are given again while what they depend on is the same, as a SQL warehouse does."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable

from genie.local.seams import SqlBackend, SqlRequest, SqlResult

MAX_ROWS = 500_000
_Key = tuple[str, str | None, int | None]


class CachingBackend:
    """A backend that runs a query once for everything that ``depends_on`` says the same of.

    ``depends_on`` gives, for a text, another value whenever its result may be another one, and None
    for what has to run each time: anything but a query, to begin with. Statements with parameters
    run each time. Results are kept in memory, up to ``max_rows`` rows in all, those used last.
    """

    def __init__(
        self,
        inner: SqlBackend,
        depends_on: Callable[[str], str | None],
        *,
        max_rows: int = MAX_ROWS,
    ) -> None:
        self._inner = inner
        self._depends_on = depends_on
        self._max_rows = max_rows
        self._lock = threading.Lock()
        self._results: OrderedDict[_Key, SqlResult] = OrderedDict()
        self._rows = 0

    def execute(self, request: SqlRequest) -> SqlResult:
        """The result of a statement. Raises SqlFailedError, also when it was cancelled."""
        before = None if request.parameters else self._depends_on(request.sql)
        if before is None:
            return self._inner.execute(request)
        key = (before, request.schema, request.row_limit)
        with self._lock:
            if key in self._results:
                self._results.move_to_end(key)
                return self._results[key]
        result = self._inner.execute(request)
        if self._depends_on(request.sql) == before:  # nothing has changed meanwhile
            self._keep(key, result)
        return result

    def cancel(self, tag: str) -> None:
        """End the execution of that tag soon; nothing happens when there is none."""
        self._inner.cancel(tag)

    def _keep(self, key: _Key, result: SqlResult) -> None:
        with self._lock:
            if key in self._results:
                return
            self._results[key] = result
            self._rows += _size(result)
            while self._rows > self._max_rows:
                _, oldest = self._results.popitem(last=False)
                self._rows -= _size(oldest)


def _size(result: SqlResult) -> int:
    return len(result.rows) + 1
