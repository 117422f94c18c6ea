"""Which kinds of objects a schema has, as the catalog says: true reasons for levers left out."""

from __future__ import annotations

from pyspark.sql import DataFrame

from pipelines.ddl import quote_name
from pipelines.tables import Tables

METRIC_VIEW_LEVER = 2
FUNCTION_LEVER = 3
_DDL = "data_schema STRING, lever INT, asset_count INT"


def schema_assets(tables: Tables, spaces: DataFrame) -> DataFrame:
    """``data_schema``, ``lever``, ``asset_count``: metric views and functions of each data schema.

    ``spaces`` has ``data_schema``. A schema that the catalog does not have is left out: nothing is
    known of it. One look at the catalog for each schema, however many spaces share it.
    """
    schemas = [row["data_schema"] for row in spaces.select("data_schema").distinct().collect()]
    rows: list[tuple[str, int, int]] = []
    for schema in sorted(schemas):
        if tables.spark.catalog.databaseExists(quote_name(tables.catalog, schema)):
            rows.append((schema, METRIC_VIEW_LEVER, _metric_views(tables, schema)))
            rows.append((schema, FUNCTION_LEVER, _functions(tables, schema)))
    return tables.spark.createDataFrame(rows, _DDL)


def _metric_views(tables: Tables, schema: str) -> int:
    database = quote_name(tables.catalog, schema)
    names = [row["viewName"] for row in tables.spark.sql(f"SHOW VIEWS IN {database}").collect()]
    return sum(_is_metric_view(tables, schema, name) for name in names)


def _is_metric_view(tables: Tables, schema: str, name: str) -> bool:
    described = tables.spark.sql(
        f"DESCRIBE TABLE EXTENDED {quote_name(tables.catalog, schema, name)}"
    )
    return not described.where("col_name = 'Type' AND data_type = 'METRIC_VIEW'").isEmpty()


def _functions(tables: Tables, schema: str) -> int:
    database = quote_name(tables.catalog, schema)
    shown = tables.spark.sql(f"SHOW USER FUNCTIONS IN {database}")
    return sum(schema.lower() in row["function"].lower().split(".") for row in shown.collect())
