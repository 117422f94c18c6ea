"""Tables on which a process crashes: not a kill, but the same point in the order of commits."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from pipelines.tables import Tables


class CrashError(Exception):
    """The process would be gone now."""


class CrashingTables(Tables):
    """Tables on which everything ends just after the n-th commit to a contract table."""

    def arm(self, commits: int) -> CrashingTables:
        """Crash after so many commits; 0 never. ``committed`` names their tables, in order."""
        self._left = commits
        self.committed: list[str] = []
        return self

    def _counted(self, commit: Callable[..., bool], *args: Any, **kwargs: Any) -> bool:
        is_committed = commit(*args, **kwargs)
        self._left -= is_committed
        if is_committed:
            self.committed.append(args[0].name)
        if is_committed and self._left == 0:
            raise CrashError
        return is_committed

    def append_rows(self, *args: Any, **kwargs: Any) -> bool:
        """See ``Tables``."""
        return self._counted(super().append_rows, *args, **kwargs)

    def merge(self, *args: Any, **kwargs: Any) -> bool:
        """See ``Tables``."""
        return self._counted(super().merge, *args, **kwargs)
