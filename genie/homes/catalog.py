"""The live catalog: comments of tables and columns, metric views, SQL table functions."""

from __future__ import annotations

from collections.abc import Sequence

from genie.catalog import (
    Relation,
    Row,
    RunSql,
    StatementFailedError,
    parse_relation,
    parse_routine,
)
from genie.homes.base import MissingObjectError, Place, RefusedWriteError, drifted, missing
from genie.homes.definitions import function_sql, metric_view_sql
from genie.patching.create_statements import quoted_name, quoted_text
from transforms.errors import InvalidInputError

_IS_THERE = "TABLE_OR_VIEW_ALREADY_EXISTS"


class CatalogHome:
    """Documents of kind ``comment``, ``metric_view`` and ``function``.

    The last two are the statements that create the object, written here from what the catalog
    says: one text for equal objects. ``run`` reads and changes the catalog; ``catalog`` is where
    names of two parts are looked up, None leaves it to ``run``.
    """

    def __init__(self, run: RunSql, catalog: str | None = None) -> None:
        self._run = run
        self._catalog = catalog

    def read(self, place: Place) -> str:
        """See ``Home``."""
        if place.kind == "comment":
            return self._comment(place)
        parts = self._parts(place)
        try:
            if place.kind == "function":
                rows = self._described(place, f"DESCRIBE FUNCTION EXTENDED {self._name(place)}")
                return function_sql(
                    parts, parse_routine(place.name, [row[0] or "" for row in rows])
                )
            return metric_view_sql(parts, self._relation(place))
        except ValueError as error:
            raise InvalidInputError(
                str(error), where=str(place), remedy="name a metric view or a SQL table function"
            ) from error

    def write(self, place: Place, content: str, *, expected: str | None) -> None:
        """See ``Home``. A metric view is dropped and created where it cannot be replaced."""
        try:
            found: str | None = self.read(place)
        except MissingObjectError:
            found = None
        if found != expected:
            raise drifted(place)
        try:
            if place.kind == "comment":
                self._run(self._comment_sql(place, content))
            else:
                self._create(place, content, expected)
        except StatementFailedError as error:
            raise RefusedWriteError(
                f"the catalog does not take it: {error.what}",
                where=str(place),
                remedy="the objects are as they were; correct the proposal",
            ) from error

    def _create(self, place: Place, content: str, before: str | None) -> None:
        try:
            self._run(content)
        except StatementFailedError as error:
            if _IS_THERE not in error.what:
                raise
            # Spark 4.2 does not replace a metric view.
            self._run(f"DROP VIEW {self._name(place)}")
            try:
                self._run(content)
            except StatementFailedError:
                if before is not None:
                    self._run(before)
                raise

    def _comment(self, place: Place) -> str:
        relation = self._relation(place)
        if place.column is None:
            return relation.comment or ""
        for column in relation.columns:
            if column.name.lower() == place.column.lower():
                return column.comment or ""
        raise missing(place)

    def _relation(self, place: Place) -> Relation:
        rows = self._described(place, f"DESCRIBE TABLE EXTENDED {self._name(place)}")
        return parse_relation(place.name, rows, {})

    def _described(self, place: Place, sql: str) -> Sequence[Row]:
        try:
            return self._run(sql)
        except StatementFailedError as error:
            if error.is_missing:
                raise missing(place, error.what) from error
            raise

    def _parts(self, place: Place) -> list[str]:
        parts = place.name.split(".")
        return [self._catalog, *parts] if self._catalog and len(parts) == 2 else parts

    def _name(self, place: Place) -> str:
        return quoted_name(*self._parts(place))

    def _comment_sql(self, place: Place, comment: str) -> str:
        if place.column is None:
            return f"COMMENT ON TABLE {self._name(place)} IS {quoted_text(comment)}"
        column = quoted_name(place.column)
        written = quoted_text(comment)
        return f"ALTER TABLE {self._name(place)} ALTER COLUMN {column} COMMENT {written}"
