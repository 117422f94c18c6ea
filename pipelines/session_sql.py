"""Runs SQL statements on the session at hand: the catalog of a laptop."""

from __future__ import annotations

from collections.abc import Sequence

from pyspark.errors import PySparkException
from pyspark.sql import SparkSession

from genie.catalog import Row, RunSql, StatementFailedError


def session_sql(spark: SparkSession) -> RunSql:
    """Runs statements on a session; for those whose values are all texts."""

    def run(sql: str) -> Sequence[Row]:
        try:
            return [tuple(row) for row in spark.sql(sql).collect()]
        except PySparkException as error:
            raise StatementFailedError(
                str(error).split("\n", maxsplit=1)[0], where=sql, sql_state=error.getSqlState()
            ) from error

    return run
