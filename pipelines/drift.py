"""How a table in the catalog differs from its contract."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from pyspark.sql import SparkSession
from pyspark.sql.types import DataType, StructType
from sqlglot import tokenize

from pipelines.ddl import CHECKS, table_properties
from transforms.contracts import Table

_PARTITIONS = "# Partition Information"  # sections of DESCRIBE TABLE EXTENDED
_TABLE = "# Detailed Table Information"


@dataclass(frozen=True, slots=True)
class Detail:
    """What the catalog says of a table besides its schema."""

    comment: str | None
    clustered_by: tuple[str, ...]
    partitioned_by: tuple[str, ...]
    properties: Mapping[str, str]


def read_detail(spark: SparkSession, name: str) -> Detail:
    """Of the table with this quoted name; one commit's metadata is read, no file list.

    DESCRIBE DETAIL would say it all but counts the files first, seconds over all tables.
    """
    properties = {row.key: row.value for row in spark.sql(f"SHOW TBLPROPERTIES {name}").collect()}
    described = spark.sql(f"DESCRIBE TABLE EXTENDED {name}").collect()
    comment = None
    partitions = []
    section = ""
    for row in described:
        if row.col_name.startswith("#"):  # a section's name, or the header of its columns
            section = section if row.data_type else row.col_name
        elif section == _PARTITIONS and row.col_name:
            partitions.append(row.col_name)
        elif section == _TABLE and row.col_name == "Comment":
            comment = row.data_type
    return Detail(
        comment=comment,
        clustered_by=tuple(
            ".".join(path) for path in json.loads(properties.get("clusteringColumns", "[]"))
        ),
        partitioned_by=tuple(partitions),
        properties=properties,
    )


def differences(table: Table, schema: StructType, detail: Detail) -> tuple[str, ...]:
    """Every difference between a table and its contract, in words; none when they agree.

    What ``Tables.upgrade`` gives tables of an earlier version is none.
    """
    former = {CHECKS + name for name in former_checks(table, detail.properties)}
    wanted, there = (
        {name: value for name, value in of.items() if name not in former}
        for of in (table_properties(table), detail.properties)
    )
    return (
        *_column_differences(table, schema),
        *_order_differences(table, schema),
        *_layout_differences(table, detail),
        *_property_differences(wanted, there),
    )


def former_checks(table: Table, properties: Mapping[str, str]) -> tuple[str, ...]:
    """The constraints that are what they were in the version before, by name.

    One of those that is missing counts as well: it was being renewed when that was cut off.
    """
    return tuple(
        name
        for name, former in table.former_checks.items()
        if _is_same(CHECKS + name, properties.get(CHECKS + name, former), former)
    )


def _is_same(name: str, one: str | None, other: str) -> bool:
    """Whether two values of a property are one: Delta writes a constraint with other spaces."""
    if one is None or not name.startswith(CHECKS):
        return one == other
    first, second = (
        [(token.token_type, token.text) for token in tokenize(text, read="databricks")]
        for text in (one, other)
    )
    return first == second


def _column_differences(table: Table, schema: StructType) -> Iterator[str]:
    found = {field.name: field for field in schema.fields}
    for field in table.fields:
        there = found.pop(field.name, None)
        if there is None:
            if not field.is_added:
                yield f"column {field.name} is missing"
            continue
        wanted = DataType.fromDDL(field.data_type)
        if there.dataType != wanted:
            yield (
                f"column {field.name} is {there.dataType.simpleString()}, "
                f"not {wanted.simpleString()}"
            )
        if there.nullable != field.is_nullable:
            yield f"column {field.name} {_nullability(there.nullable)}"
        comment = there.metadata.get("comment")
        if comment != field.comment:
            yield f"column {field.name} has the comment {comment!r}, not {field.comment!r}"
    for name in found:
        yield f"column {name} is not in the contract"


def _nullability(is_nullable: bool) -> str:
    return "may be NULL and must not" if is_nullable else "must not be NULL and may"


def _order_differences(table: Table, schema: StructType) -> Iterator[str]:
    there = [name for name in schema.names if name in table.columns]
    wanted = [name for name in table.columns if name in there]
    if there != wanted:
        yield f"columns stand in the order {_listed(there)}, not {_listed(wanted)}"


def _layout_differences(table: Table, detail: Detail) -> Iterator[str]:
    if detail.comment != table.comment:
        yield f"the table's comment is {detail.comment!r}, not {table.comment!r}"
    if detail.clustered_by != table.cluster_by:
        yield f"clustered by {_listed(detail.clustered_by)}, not {_listed(table.cluster_by)}"
    if detail.partitioned_by:
        yield f"partitioned by {_listed(detail.partitioned_by)}, not at all"


def _property_differences(wanted: Mapping[str, str], there: Mapping[str, str]) -> Iterator[str]:
    for name, value in wanted.items():
        found = there.get(name)
        if not _is_same(name, found, value):
            yield f"{_called(name)} is {found or 'missing'}, not {value}"
    for name, value in there.items():
        if name.startswith(CHECKS) and name not in wanted:
            yield f"{_called(name)} ({value}) is not in the contract"


def _called(property_name: str) -> str:
    if property_name.startswith(CHECKS):
        return f"CHECK constraint {property_name.removeprefix(CHECKS)}"
    return f"property {property_name}"


def _listed(names: Sequence[str]) -> str:
    return ", ".join(names) if names else "nothing"
