"""The live catalog: comments of tables and columns, metric views, SQL table functions."""

from __future__ import annotations

from genie.homes.base import MissingObjectError, Place, RefusedWriteError, drifted, missing
from genie.homes.descriptions import described_table, function_sql, metric_view_sql
from genie.homes.sql_runner import SqlRefusedError, SqlRunner
from genie.patching.create_statements import quoted_name, quoted_text
from transforms.errors import InvalidInputError

_IS_MISSING = ("NOT_FOUND", "UNRESOLVED_ROUTINE", "cannot be found", "does not exist")
_IS_THERE = "TABLE_OR_VIEW_ALREADY_EXISTS"


class CatalogHome:
    """Documents of kind ``comment``, ``metric_view`` and ``function``.

    The last two are the statements that create the object, written here from what the catalog
    says: one text for equal objects. ``catalog`` is where names of two parts are looked up; None
    leaves it to the runner.
    """

    def __init__(self, runner: SqlRunner, catalog: str | None = None) -> None:
        self._runner = runner
        self._catalog = catalog

    def read(self, place: Place) -> str:
        """See ``Home``."""
        if place.kind == "comment":
            return self._comment(place)
        parts = self._parts(place)
        try:
            if place.kind == "function":
                return function_sql(
                    parts, self._described(place, f"DESCRIBE FUNCTION EXTENDED {self._name(place)}")
                )
            described = described_table(self._table_rows(place))
            return metric_view_sql(parts, described)
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
                self._runner.run(self._comment_sql(place, content))
            else:
                self._create(place, content, expected)
        except SqlRefusedError as error:
            raise RefusedWriteError(
                f"the catalog does not take it: {error.what}",
                where=str(place),
                remedy="the objects are as they were; correct the proposal",
            ) from error

    def _create(self, place: Place, content: str, before: str | None) -> None:
        try:
            self._runner.run(content)
        except SqlRefusedError as error:
            if _IS_THERE not in error.what:
                raise
            # Spark 4.2 does not replace a metric view.
            self._runner.run(f"DROP VIEW {self._name(place)}")
            try:
                self._runner.run(content)
            except SqlRefusedError:
                if before is not None:
                    self._runner.run(before)
                raise

    def _comment(self, place: Place) -> str:
        described = described_table(self._table_rows(place))
        if place.column is None:
            return described.comment
        for name, comment in described.columns:
            if name.lower() == place.column.lower():
                return comment or ""
        raise missing(place)

    def _table_rows(self, place: Place) -> list[tuple[str | None, ...]]:
        return self._described(place, f"DESCRIBE TABLE EXTENDED {self._name(place)}")

    def _described(self, place: Place, sql: str) -> list[tuple[str | None, ...]]:
        try:
            return self._runner.run(sql)
        except SqlRefusedError as error:
            if any(sign in error.what for sign in _IS_MISSING):
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
