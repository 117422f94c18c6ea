"""Data tables of a space: read from Parquet or CSV, cast strictly, written in one commit each.

Open-source Delta has no PRIMARY KEY, so the declared keys are kept as properties of the table
(``genie_loop.primary_key``, ``genie_loop.foreign_keys``, both JSON) and repeated in the profiles.
``genie_loop.kind`` is the kind of a table that is declared to be of one.
``genie_loop.content_hash`` says what was loaded: the same content is not written again.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import reduce
from operator import and_
from typing import Any

from pyspark.errors import AnalysisException
from pyspark.sql import Column, DataFrame, SparkSession
from pyspark.sql import functions as F
from pyspark.sql.types import DataType, DateType, DecimalType, StringType, StructField, StructType

from genie.catalog import FOREIGN_KEYS, KIND, PRIMARY_KEY
from pipelines.load_files import TableFile
from pipelines.schema_file import ColumnSpec
from pipelines.tables import quote_name
from transforms.errors import InvalidInputError
from transforms.wording import count

CONTENT_HASH = "genie_loop.content_hash"
ROW_COUNT = "genie_loop.row_count"
QUARANTINED_ROWS = "genie_loop.quarantined_rows"
TABLES_AT_ONCE = 3  # most of the time of a small table is planning and commit, in one thread

_LINE = "_genie_loop_line"
_CORRUPT = "_genie_loop_corrupt"
_NO_VALUE = "\x00"  # what nothing between two commas is read as, apart from an empty text in quotes
_NEEDS_COLUMN_MAPPING = set(" ,;{}()\n\t=")
_HEADER_LINES = 1


@dataclass(frozen=True, slots=True)
class PreparedTable:
    """A table that has been looked at and can be written.

    ``name`` is quoted, ready for SQL; ``row_count`` rows fit, ``bad_count`` do not.
    ``is_unchanged``: the table is there already with this content, and nothing is written. ``good``
    holds the declared columns; ``bad`` the rows that do not fit, as columns ``source_line``,
    ``raw_row``, ``reason``. Both are None where there is nothing to read them for.
    """

    file: TableFile
    name: str
    row_count: int
    bad_count: int
    is_unchanged: bool
    good: DataFrame | None = None
    bad: DataFrame | None = None


def prepare_tables(
    spark: SparkSession, database: str, files: Sequence[TableFile]
) -> tuple[PreparedTable, ...]:
    """Look at every file before anything is written. ``database`` is quoted, ready for SQL.

    Raises InvalidInputError with every file that cannot be read as declared, and every table that
    exists and was not loaded here.
    """
    held = _properties_held(spark, database)

    def prepare(file: TableFile) -> PreparedTable | str:
        table = file.spec.name.lower()
        name = f"{database}.{quote_name(table)}"
        try:
            return _prepare(spark, file, name, held.get(table))
        except InvalidInputError as error:
            return f"{file.label}: {error.what}"
        except AnalysisException as error:
            return f"{file.label}: cannot be read as declared: {_first_line(error)}"

    with ThreadPoolExecutor(TABLES_AT_ONCE, thread_name_prefix="prepare") as pool:
        found = list(pool.map(prepare, files))
    problems = [one for one in found if isinstance(one, str)]
    if problems:
        raise InvalidInputError(
            f"{count(len(problems), 'table')} cannot be loaded; nothing was loaded",
            where=database,
            problems=problems,
        )
    return tuple(one for one in found if isinstance(one, PreparedTable))


def _prepare(
    spark: SparkSession, file: TableFile, name: str, held: Mapping[str, str] | None
) -> PreparedTable:
    """``held`` are the properties of the table that is there, None where there is none."""
    if held is not None and CONTENT_HASH not in held:
        raise InvalidInputError(
            f"table {name} exists and was not loaded from a folder; it is not overwritten"
        )
    is_unchanged = held is not None and held[CONTENT_HASH] == file.content_hash
    if held is not None and is_unchanged and held[QUARANTINED_ROWS] == "0":
        return PreparedTable(file, name, int(held[ROW_COUNT]), 0, is_unchanged)
    raw = _read(spark, file)
    columns = file.spec.columns
    good = [_stored(raw, column) for column in columns]
    is_good = _is_good(raw, columns)
    if is_good is None:
        row_count = raw.count()
        _check_row_count(file, row_count)
        return PreparedTable(file, name, row_count, 0, is_unchanged, raw.select(*good))
    # Spark does not find torn rows of CSV by their mark alone: a real column must be read too.
    read = F.count(F.col(quote_name(columns[0].name)))
    row_count, bad_count, _ = raw.agg(F.count("*"), F.count_if(~is_good), read).collect()[0]
    _check_row_count(file, row_count)
    bad = raw.where(~is_good).select(
        F.col(_LINE).alias("source_line"),
        _raw_row(raw, columns).alias("raw_row"),
        _reason(raw, columns).alias("reason"),
    )
    return PreparedTable(
        file,
        name,
        row_count - bad_count,
        bad_count,
        is_unchanged,
        raw.where(is_good).select(*good),
        bad if bad_count else None,
    )


def _check_row_count(file: TableFile, row_count: int) -> None:
    if file.spec.row_count not in (None, row_count):
        raise InvalidInputError(f"{row_count} rows, but the schema says {file.spec.row_count}")


def write_table(table: PreparedTable) -> bool:
    """Write the rows, types, comments and keys in one commit; whether there was anything to do."""
    if table.is_unchanged or table.good is None:
        return False
    writer = table.good.writeTo(table.name).using("delta")
    for key, value in _properties(table).items():
        writer = writer.tableProperty(key, value)
    writer.createOrReplace()
    return True


def _properties(table: PreparedTable) -> dict[str, str]:
    spec = table.file.spec
    keys = [column.name for column in spec.columns if column.is_primary_key]
    foreign = [
        {"column": column.name, "references": reference}
        for column in spec.columns
        for reference in column.references
    ]
    properties = {
        "delta.enableDeletionVectors": "false",
        CONTENT_HASH: table.file.content_hash,
        PRIMARY_KEY: json.dumps(keys),
        FOREIGN_KEYS: json.dumps(foreign),
        ROW_COUNT: str(table.row_count),
        QUARANTINED_ROWS: str(table.bad_count),
    }
    if spec.comment:
        properties["comment"] = spec.comment
    if spec.kind != "table":
        properties[KIND] = spec.kind
    if any(_NEEDS_COLUMN_MAPPING & set(column.name) for column in spec.columns):
        properties["delta.columnMapping.mode"] = "name"
    return properties


def _properties_held(spark: SparkSession, database: str) -> dict[str, dict[str, str]]:
    """The properties of every table in the schema, by its name in lower case."""
    if not spark.catalog.databaseExists(database):
        return {}
    found = spark.sql(f"SHOW TABLES IN {database}").collect()
    names = [row.tableName for row in found if not row.isTemporary]  # of every schema, for Spark
    return {
        name.lower(): {
            row.key: row.value
            for row in spark.sql(f"SHOW TBLPROPERTIES {database}.{quote_name(name)}").collect()
        }
        for name in names
    }


def _read(spark: SparkSession, file: TableFile) -> DataFrame:
    """The file's rows with ``_LINE``: in CSV the line, in Parquet the row, counted from 1."""
    path = str(file.path)
    if file.path.suffix == ".parquet":
        rows = spark.read.parquet(path)
        return rows.select("*", (F.col("_metadata.row_index") + 1).alias(_LINE))
    header = _header(file)
    fields = [StructField(name, StringType()) for name in (*header, _CORRUPT)]
    # A file that may hold line breaks in values is read by one task, in order; that makes the
    # increasing id the number of the record.
    rows = spark.read.option("columnPruning", False).csv(
        path,
        nullValue=_NO_VALUE,
        schema=StructType(fields),
        header=True,
        multiLine=True,
        escape='"',
        mode="PERMISSIVE",
        columnNameOfCorruptRecord=_CORRUPT,
        enforceSchema=True,
    )
    # An empty text is a value of a text column; for any other type it is no value.
    typed = {
        column.name: F.nullif(F.col(quote_name(column.name)), F.lit(""))
        for column in file.spec.columns
        if column.data_type != "STRING"
    }
    number = F.monotonically_increasing_id() + 1 + _HEADER_LINES
    return rows.withColumn(_LINE, number).withColumns(typed)


def _header(file: TableFile) -> list[str]:
    declared = {column.name.lower(): column.name for column in file.spec.columns}
    return [declared[name.lower()] for name in file.columns]


def _is_good(raw: DataFrame, columns: Sequence[ColumnSpec]) -> Column | None:
    """Whether a row fits its declared types; None when every row does by its types alone."""
    conditions = [condition for column in columns if (condition := _fits(raw, column)) is not None]
    if _CORRUPT in raw.columns:
        conditions.append(F.col(_CORRUPT).isNull())
    return reduce(and_, conditions) if conditions else None


def _fits(raw: DataFrame, column: ColumnSpec) -> Column | None:
    """Whether a value can be cast without becoming another value or NULL."""
    value = F.col(quote_name(column.name))
    source = raw.schema[_spelled(raw, column.name)].dataType
    wanted = DataType.fromDDL(column.data_type)
    if source == wanted:
        return None
    cast = value.try_cast(wanted)
    fits = cast.isNotNull()
    if not isinstance(source, StringType):
        fits = fits & cast.try_cast(source).eqNullSafe(value)
    elif isinstance(wanted, DecimalType):
        # A text with more decimals than the type has would be rounded.
        whole = wanted.precision - wanted.scale
        fits = fits & value.try_cast(DecimalType(38, 38 - whole)).eqNullSafe(cast)
    elif isinstance(wanted, DateType):
        # A text with a time of day would lose it.
        fits = fits & value.try_cast("timestamp_ntz").eqNullSafe(cast.cast("timestamp_ntz"))
    return value.isNull() | fits


def _stored(raw: DataFrame, column: ColumnSpec) -> Column:
    metadata: dict[str, Any] = {"comment": column.comment} if column.comment else {}
    value = F.col(quote_name(column.name))
    if _fits(raw, column) is not None:
        value = value.try_cast(column.data_type)
    return value.alias(column.name, metadata=metadata)


def _raw_row(raw: DataFrame, columns: Sequence[ColumnSpec]) -> Column:
    values = F.struct(*(F.col(quote_name(column.name)) for column in columns))
    as_json = F.to_json(values, {"ignoreNullFields": "false"})
    return F.coalesce(F.col(_CORRUPT), as_json) if _CORRUPT in raw.columns else as_json


def _reason(raw: DataFrame, columns: Sequence[ColumnSpec]) -> Column:
    reasons = []
    for column in columns:
        fits = _fits(raw, column)
        if fits is not None:
            said = F.concat(
                F.lit(f"column {column.name}: "),
                F.col(quote_name(column.name)).cast("string"),
                F.lit(f" is not {column.data_type}"),
            )
            reasons.append(F.when(~fits, said))
    if _CORRUPT in raw.columns:
        is_torn = F.col(_CORRUPT).isNotNull()
        reasons.append(F.when(is_torn, F.lit("the row has more or fewer values than the header")))
    return F.concat_ws("; ", *reasons, F.lit("correct the file and load it again"))


def _spelled(raw: DataFrame, name: str) -> str:
    return next(column for column in raw.columns if column.lower() == name.lower())


def _first_line(error: Exception) -> str:
    return str(error).strip().splitlines()[0]
