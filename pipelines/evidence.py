"""The rows of some evaluations, read without reading those of all the others."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from pipelines.tables import Tables
from transforms.contracts import Table

MAX_EVALUATIONS = 500
"""Evaluations taken in at once: their ids are literals of every query over their rows."""


@dataclass(frozen=True, slots=True)
class Evaluations:
    """Evaluations by id, at least one.

    Rows of one evaluation are committed together, so a file holds few evaluations, and Delta
    compares each literal with the smallest and largest id of each file. (It would not for an IN
    list: there it looks only whether a file overlaps the range of the whole list.)
    """

    tables: Tables
    ids: Sequence[str]

    def rows(self, table: Table) -> DataFrame:
        """Their rows of a table that has ``evaluation_id``."""
        return self.tables.read(table).where(any_of("evaluation_id", self.ids))


def any_of(column: str, values: Sequence[str]) -> Column:
    """Whether the column is one of the values (at least one), as a balanced tree of equalities."""
    if len(values) == 1:
        return F.col(column) == values[0]
    middle = len(values) // 2
    return any_of(column, values[:middle]) | any_of(column, values[middle:])
