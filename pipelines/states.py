"""The state views of one moment, each computed once, however many others are made of it."""

from __future__ import annotations

import re
from typing import Any

from pyspark.sql import DataFrame

from pipelines.tables import Tables
from transforms.contracts import BY_NAME
from transforms.views import VIEWS, View

_VIEWS = {view.name: view for view in VIEWS}
_SOURCE = re.compile(r"\b(FROM|JOIN)\s+(\w+)\b")


def held(frame: DataFrame) -> DataFrame:
    """The frame, computed now and kept beside Spark's workers, in memory or on their disks.

    For what is read more than once: what it was computed from is not read again, and does not
    matter any more when it changes.
    """
    return frame.localCheckpoint(eager=True)


class States:
    """The views over the tables as they are when each is first asked for.

    Through the catalog a view is expanded into the tables below it at every mention, and a state is
    made of states: the same small tables would be read hundreds of times.
    """

    def __init__(self, tables: Tables) -> None:
        self._tables = tables
        self._held: dict[str, DataFrame] = {}

    def of(self, view: View) -> DataFrame:
        """The rows of a view."""
        if view.name not in self._held:
            at_hand = self._tables.view_at_hand(view)
            self._held[view.name] = held(self._computed(view)) if at_hand is None else at_hand
        return self._held[view.name]

    def _computed(self, view: View) -> DataFrame:
        sources: dict[str, Any] = {
            name: self.of(_VIEWS[name]) if name in _VIEWS else self._tables.read(BY_NAME[name])
            for _, name in _SOURCE.findall(view.sql)
        }
        return self._tables.spark.sql(_SOURCE.sub(r"\1 {\2}", view.sql), **sources)
