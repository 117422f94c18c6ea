"""Every way in which a table can differ from its contract is seen and said."""

from __future__ import annotations

import pytest
from pyspark.sql import SparkSession

from pipelines.drift import differences, read_detail
from pipelines.tables import Tables
from transforms.contracts import APPROVALS, BENCHMARKS, TABLES, Table


def found(tables: Tables, table: Table) -> tuple[str, ...]:
    detail = read_detail(tables.spark, tables.name(table))
    in_catalog = tables.spark.table(tables.name(table)).schema
    return differences(table, in_catalog, detail)


@pytest.mark.parametrize("table", TABLES, ids=lambda table: table.name)
def test_a_table_just_created_is_what_its_contract_says(tables: Tables, table: Table):
    assert found(tables, table) == ()


DRIFTS = {
    "an extra column": ("ADD COLUMN mood STRING", "column mood is not in the contract"),
    "another comment on a column": (
        "ALTER COLUMN reason COMMENT 'Because'",
        "column reason has the comment 'Because', not 'Why'",
    ),
    "a column that may be NULL": (
        "ALTER COLUMN content_hash DROP NOT NULL",
        "column content_hash may be NULL and must not",
    ),
    "another order": ("ALTER COLUMN reason FIRST", "columns stand in the order reason, space_id"),
    "a missing constraint": (
        "DROP CONSTRAINT decision_known",
        "CHECK constraint decision_known is missing",
    ),
    "a constraint of its own": (
        "ADD CONSTRAINT short CHECK (length(reason) < 10)",
        "CHECK constraint short (length ( reason ) < 10) is not in the contract",
    ),
    "clustering": ("CLUSTER BY (batch_id)", "clustered by batch_id, not nothing"),
    "a property": (
        "SET TBLPROPERTIES ('delta.logRetentionDuration' = 'interval 30 days')",
        "property delta.logRetentionDuration is interval 30 days, not interval 365 days",
    ),
}


@pytest.mark.parametrize(("change", "said"), DRIFTS.values(), ids=DRIFTS.keys())
def test_a_change_is_seen_and_nothing_else(tables: Tables, change: str, said: str):
    tables.spark.sql(f"ALTER TABLE {tables.name(APPROVALS)} {change}")
    (only,) = found(tables, APPROVALS)
    assert only.startswith(said)


def test_clustering_that_was_dropped_is_seen(tables: Tables):
    tables.spark.sql(f"ALTER TABLE {tables.name(BENCHMARKS)} CLUSTER BY NONE")
    assert found(tables, BENCHMARKS) == ("clustered by nothing, not space_id",)


def test_types_missing_columns_and_partitions_are_seen(spark: SparkSession, fixed_clock):
    other = Tables(spark, schema="drifted_layout", clock=fixed_clock)
    spark.sql("CREATE SCHEMA IF NOT EXISTS drifted_layout")
    spark.sql(
        f"CREATE OR REPLACE TABLE {other.name(APPROVALS)} (space_id INT, batch_id STRING) "
        "USING DELTA PARTITIONED BY (batch_id)"
    )
    said = found(other, APPROVALS)
    assert "column space_id is int, not string" in said
    assert "column decision is missing" in said
    assert "partitioned by batch_id, not at all" in said
    assert (
        "the table's comment is None, not 'Decisions on batches, by people or a named policy'"
        in (said)
    )
