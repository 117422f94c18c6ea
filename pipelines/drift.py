"""How a table in the catalog differs from its contract."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from pyspark.sql import DataFrame
from pyspark.sql.types import DataType, StructType

from pipelines.ddl import table_properties
from transforms.contracts import Table

_CHECKS = "delta.constraints."


@dataclass(frozen=True, slots=True)
class Detail:
    """What Delta says of a table besides its schema."""

    comment: str | None
    clustered_by: tuple[str, ...]
    partitioned_by: tuple[str, ...]
    properties: Mapping[str, str]

    @classmethod
    def of(cls, detail: DataFrame) -> Detail:
        """From the one row of DESCRIBE DETAIL."""
        row = detail.select(
            "description", "clusteringColumns", "partitionColumns", "properties"
        ).collect()[0]
        return cls(
            comment=row.description,
            clustered_by=tuple(row.clusteringColumns or ()),
            partitioned_by=tuple(row.partitionColumns or ()),
            properties=row.properties,
        )


def differences(table: Table, schema: StructType, detail: Detail) -> tuple[str, ...]:
    """Every difference between a table and its contract, in words; none when they agree."""
    return (
        *_column_differences(table, schema),
        *_order_differences(table, schema),
        *_layout_differences(table, detail),
        *_property_differences(table_properties(table), detail.properties),
    )


def _column_differences(table: Table, schema: StructType) -> Iterator[str]:
    found = {field.name: field for field in schema.fields}
    for field in table.fields:
        there = found.pop(field.name, None)
        if there is None:
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
        if found != value:
            yield f"{_called(name)} is {found or 'missing'}, not {value}"
    for name, value in there.items():
        if name.startswith(_CHECKS) and name not in wanted:
            yield f"{_called(name)} ({value}) is not in the contract"


def _called(property_name: str) -> str:
    if property_name.startswith(_CHECKS):
        return f"CHECK constraint {property_name.removeprefix(_CHECKS)}"
    return f"property {property_name}"


def _listed(names: Sequence[str]) -> str:
    return ", ".join(names) if names else "nothing"
