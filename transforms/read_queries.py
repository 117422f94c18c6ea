"""Queries of one space, read once: the tree of a text, and its shape against the space's state.

Many answers are compared with one expected query, and several systems answer with one text. What a
text is read as follows from the text and the state alone, so that it may be kept.
"""

from __future__ import annotations

from functools import cached_property, lru_cache

from sqlglot import exp

from transforms.errors import GenieLoopError
from transforms.metric_views import expanded
from transforms.name_scope import Catalog
from transforms.query_shape import shape_in
from transforms.shape_model import QueryShape
from transforms.space_state import SpaceState
from transforms.sql_text import canonical_tree, parse_query


class ReadQuery:
    """One text; what is asked for is found out when it is first needed."""

    def __init__(self, sql: str | None, catalog: Catalog) -> None:
        self._sql = sql
        self._catalog = catalog

    @cached_property
    def tree(self) -> exp.Query | None:
        """The parsed query, not to be changed; None for text that is none."""
        try:
            return parse_query(self._sql) if self._sql else None
        except GenieLoopError:
            return None

    @cached_property
    def shape(self) -> QueryShape | None:
        """The shape of the query; None for one that is nested too deeply to be looked into."""
        return _shape(self.tree, self._catalog)

    @cached_property
    def plain(self) -> exp.Query | None:
        """The tree with metric views replaced by what they are defined as; None where none is."""
        return None if self.tree is None else expanded(self.tree, self._catalog)

    @cached_property
    def plain_shape(self) -> QueryShape | None:
        """The shape of ``plain``; that of the query itself where nothing is replaced."""
        return self.shape if self.plain is None else _shape(self.plain, self._catalog)

    @cached_property
    def canonical(self) -> exp.Query | None:
        """The tree that queries share which are only written differently; None where ``shape``."""
        try:
            return None if self.tree is None else canonical_tree(self.tree)
        except RecursionError:
            return None


def _shape(tree: exp.Query | None, catalog: Catalog) -> QueryShape | None:
    try:
        return None if tree is None else shape_in(tree, catalog)
    except RecursionError:
        return None


class ReadQueries:
    """The queries of one space as they are read; the last ``size`` are kept.

    For one thread at a time.
    """

    def __init__(self, state: SpaceState, *, size: int = 2) -> None:
        self.catalog = Catalog(state)
        self._kept = lru_cache(size)(lambda sql: ReadQuery(sql, self.catalog))

    def read(self, sql: str | None) -> ReadQuery:
        """What a text is read as; the same object while it is kept."""
        return self._kept(sql)
