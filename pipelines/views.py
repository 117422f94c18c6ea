"""The state views in the catalog: created from ``transforms.views``, read by name."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from pyspark.sql import DataFrame

from pipelines.ddl import CreateReport, quote_name, quote_text
from transforms.identity import content_hash
from transforms.views import VIEWS, View, as_query

if TYPE_CHECKING:  # Tables.create ends in create_views
    from pipelines.tables import Tables

_HASH = "genie_loop.sql_hash"


def create_views(tables: Tables) -> CreateReport:
    """Create the views that are missing, and replace those that are made in another way.

    The tables have to be there. A second call changes nothing.
    """
    spark = tables.spark
    database = quote_name(tables.catalog, tables.schema)
    there = {row["viewName"] for row in spark.sql(f"SHOW VIEWS IN {database}").collect()}
    unchanged = {view.name for view in VIEWS if view.name in there and _is_as(tables, view)}
    pending = [view for view in VIEWS if view.name not in unchanged]
    with _current_schema(tables):
        for view in pending:
            spark.sql(_create_sql(view))
    return CreateReport(
        created=tuple(view.name for view in pending),
        unchanged=tuple(view.name for view in VIEWS if view.name in unchanged),
    )


def read_view(tables: Tables, view: View) -> DataFrame:
    """The rows of a view, as they are now."""
    return tables.spark.table(quote_name(tables.catalog, tables.schema, view.name))


def _create_sql(view: View) -> str:
    return (
        f"CREATE OR REPLACE VIEW {quote_name(view.name)} COMMENT {quote_text(view.comment)} "
        f"TBLPROPERTIES ({quote_text(_HASH)} = {quote_text(_hash(view))}) AS {view.sql}"
    )


def _hash(view: View) -> str:
    """Of what it is made of, too: the catalog keeps the columns that it had when it was made."""
    return content_hash(as_query(view), view.comment)


def _is_as(tables: Tables, view: View) -> bool:
    name = quote_name(tables.catalog, tables.schema, view.name)
    found = tables.spark.sql(f"SHOW TBLPROPERTIES {name} ({quote_text(_HASH)})").collect()
    return bool(found) and found[0]["value"] == _hash(view)


@contextmanager
def _current_schema(tables: Tables) -> Iterator[None]:
    """Views name tables without a schema, and the catalog remembers the one that is current."""
    catalog = tables.spark.catalog
    before = (catalog.currentCatalog(), catalog.currentDatabase())
    if tables.catalog is not None:
        catalog.setCurrentCatalog(tables.catalog)
    catalog.setCurrentDatabase(tables.schema)
    try:
        yield
    finally:
        catalog.setCurrentCatalog(before[0])
        catalog.setCurrentDatabase(before[1])
