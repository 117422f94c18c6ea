"""Statements on a Spark session: each in the thread that asks, with a tag to cancel it by."""

from __future__ import annotations

import re
import threading
from collections.abc import Sequence

from pyspark.errors import PySparkException
from pyspark.sql import Column as SparkColumn
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F
from pyspark.sql.types import (
    ArrayType,
    BinaryType,
    DataType,
    MapType,
    StructType,
    TimestampNTZType,
    TimestampType,
    VariantType,
)
from pyspark.sql.utils import is_remote

from genie.local.seams import Column, SqlFailedError, SqlRequest, SqlResult

_ERROR_CLASS = re.compile(r"\[[A-Z_.0-9]+\]")
_JSON_TYPES = (ArrayType, MapType, StructType, VariantType)


class SparkBackend:
    """Runs SQL on one session; works on classic Spark and on Spark Connect.

    The session's own current schema is what unqualified names are looked up in. Statements that
    name another one run in a session beside it, which shares the catalog. Timestamps are written in
    the session's time zone, which should be UTC.
    """

    def __init__(self, spark: SparkSession) -> None:
        self._spark = spark
        self._lock = threading.Lock()
        self._running: dict[str, SparkSession] = {}

    def execute(self, request: SqlRequest) -> SqlResult:
        """Run one statement to its end. Raises SqlFailedError, also when it was cancelled."""
        spark = _beside(self._spark) if request.schema else self._spark
        with self._lock:
            self._running[request.tag] = spark
        _add_tag(spark, request.tag)
        try:
            if request.schema:
                spark.catalog.setCurrentDatabase(request.schema)
            frame = spark.sql(request.sql, args=dict(request.parameters) or None)
            return _collect(frame, request.row_limit)
        except PySparkException as error:
            raise SqlFailedError(_message(error, request), sql_state=error.getSqlState()) from error
        except Exception as error:
            # Some failures of the JVM arrive as they are, a broken CHECK constraint for one.
            raise SqlFailedError(_message(error, request)) from error
        finally:
            _remove_tag(spark, request.tag)
            with self._lock:
                self._running.pop(request.tag, None)

    def cancel(self, tag: str) -> None:
        """Interrupt what runs under that tag; what is between two jobs is not interrupted."""
        with self._lock:
            spark = self._running.get(tag)
        if spark is None:
            return
        if is_remote():
            spark.interruptTag(tag)
        else:
            spark.sparkContext.cancelJobsWithTag(tag)


def _beside(spark: SparkSession) -> SparkSession:
    """A session with a current schema of its own over the same catalog."""
    if is_remote():
        beside: SparkSession = spark.cloneSession()  # type: ignore[attr-defined]  # Connect's own
        return beside
    return spark.newSession()


def _add_tag(spark: SparkSession, tag: str) -> None:
    """Tag what this thread starts from now on.

    On classic Spark a session's own tags are known to the thread that set them only, so that no
    other thread could interrupt by them; the tags of jobs are known to all.
    """
    if is_remote():
        spark.addTag(tag)
    else:
        spark.sparkContext.addJobTag(tag)


def _remove_tag(spark: SparkSession, tag: str) -> None:
    if is_remote():
        spark.removeTag(tag)
    else:
        spark.sparkContext.removeJobTag(tag)


def _collect(frame: DataFrame, row_limit: int | None) -> SqlResult:
    fields = frame.schema.fields
    columns = tuple(Column(field.name, field.dataType.simpleString()) for field in fields)
    if not columns:
        return SqlResult()
    # Two columns may have one name: they go by position until the rows are here.
    named = frame.toDF(*[f"c{position}" for position in range(len(fields))])
    cells = named.select(*[_cell(f"c{n}", field.dataType) for n, field in enumerate(fields)])
    wanted = cells if row_limit is None else cells.limit(row_limit + 1)
    rows: Sequence[tuple[str | None, ...]] = [tuple(row) for row in wanted.collect()]
    is_truncated = row_limit is not None and len(rows) > row_limit
    return SqlResult(columns, tuple(rows[:row_limit]), is_truncated)


def _cell(name: str, data_type: DataType) -> SparkColumn:
    """A column as the statement API writes it."""
    column = F.col(name)
    if isinstance(data_type, _JSON_TYPES):
        return F.to_json(column).alias(name)
    if isinstance(data_type, TimestampType):
        return F.date_format(column, "yyyy-MM-dd'T'HH:mm:ss.SSSXXX").alias(name)
    if isinstance(data_type, TimestampNTZType):
        return F.date_format(column, "yyyy-MM-dd'T'HH:mm:ss.SSS").alias(name)
    if isinstance(data_type, BinaryType):
        return F.base64(column).alias(name)
    return column.cast("string").alias(name)


def _message(error: Exception, request: SqlRequest) -> str:
    """What Spark says, from its error class on, without the stack of the JVM."""
    text = str(error).split("\n\tat ")[0].split("\nJVM stacktrace")[0].strip()
    found = _ERROR_CLASS.search(text)
    text = text[found.start() :] if found else text
    if request.parameters and "UNBOUND_SQL_PARAMETER" in text:
        # Delta's parser hands Spark the text without them.
        return f"parameters are not supported by the parser of this Spark session: {text}"
    return text
