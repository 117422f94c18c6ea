"""Runs a proposer over clusters, distributed, each with what is known of the tables it is about."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import pyarrow as pa
from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F

from transforms.proposal_rows import DRAFT_DDL, DRAFT_SCHEMA, draft_row
from transforms.proposal_values import (
    ClusterEvidence,
    ColumnFacts,
    Facts,
    FragmentEvidence,
    Proposer,
    TableFacts,
    TermEvidence,
)
from transforms.table_kinds import OWN_LEVERS

# Clusters that share their tables are drafted together, so that the facts travel once; a worker
# holds this many at a time.
CLUSTERS_PER_GROUP = 500

_GROUP = ("space_id", "tables_key", "part")


def drafts(
    clusters: DataFrame, profiles: DataFrame, versions: DataFrame, propose: Proposer
) -> DataFrame:
    """What ``propose`` drafts for each cluster: rows of ``DRAFT_SCHEMA``.

    ``clusters`` are rows of that contract, ``profiles`` too (all versions; the newest of each table
    counts), ``versions`` one row per space, its last accepted state (``space_id``, ``state``).
    ``propose`` runs in Spark's workers.
    """
    about = _with_tables(clusters)
    in_groups = _in_groups(about)
    facts = _facts(in_groups, profiles, versions)
    return (
        in_groups.drop("tables")
        .groupBy(*_GROUP)
        .cogroup(facts.groupBy(*_GROUP))
        .applyInArrow(_drafter(propose), DRAFT_DDL)
    )


def _with_tables(clusters: DataFrame) -> DataFrame:
    """Clusters with ``tables``: lower-case names that blame and fragments mention, sorted."""
    blamed = F.flatten(F.transform("blame_set", _tables_of_blame))
    texts = F.transform(
        "evidence.fragments", lambda one: F.concat_ws(" ", one["expected"], one["actual"])
    )
    # Whatever looks like schema.table in a fragment; what is no table finds no profile.
    mentioned = F.regexp_extract_all(
        F.regexp_replace(F.concat_ws(" ", texts), "`", ""), F.lit(r"(\w+\.\w+)\.\w+"), 1
    )
    tables = F.transform(F.concat(blamed, mentioned), F.lower)
    return clusters.withColumn("tables", F.array_sort(F.array_distinct(tables)))


def _tables_of_blame(blame: Column) -> Column:
    """``schema.table`` of each table, column or side of a join that a blame names."""
    kind = F.substring_index(blame, ":", 1)
    names = F.transform(
        F.split(F.regexp_replace(blame, "^[^:]*:", ""), "="),
        lambda name: F.regexp_replace(F.trim(name), "`", ""),
    )
    of_columns = F.transform(names, lambda name: F.regexp_replace(name, r"\.[^.]*$", ""))
    return (
        F.when(kind.isin("column", "join", "measure"), F.concat(of_columns, names))
        .when(kind == "table", names)
        .otherwise(F.array().cast("array<string>"))
    )


def _in_groups(clusters: DataFrame) -> DataFrame:
    same_tables = Window.partitionBy("space_id", "tables").orderBy("cluster_id")
    part = F.floor((F.row_number().over(same_tables) - 1) / CLUSTERS_PER_GROUP).cast("int")
    return clusters.withColumn("part", part).select(
        "space_id",
        F.sha2(F.to_json("tables"), 256).alias("tables_key"),
        "part",
        "tables",
        "cluster_id",
        "cause",
        "failure_type",
        "blame_set",
        "question_ids",
        "group_ids",
        "evidence",
        "evidence_hash",
        "impact",
        "last_evaluation_id",
    )


def _facts(in_groups: DataFrame, profiles: DataFrame, versions: DataFrame) -> DataFrame:
    """Profile rows per group, and one row per group with what else the space's state holds."""
    newest = Window.partitionBy("space_id", "table_name")
    is_newest = F.col("table_version") == F.max("table_version").over(newest)
    current = (
        profiles.withColumn("is_newest", is_newest)
        .where("is_newest")
        .withColumn("name", F.lower("table_name"))
    )
    groups = in_groups.select(*_GROUP, "tables").distinct()
    of_tables = groups.select(*_GROUP, F.explode("tables").alias("name")).join(
        current, ["space_id", "name"], "inner"
    )
    of_space = groups.join(versions.select("space_id", _config().alias("config")), "space_id")
    rows = of_tables.select(*_GROUP, *_PROFILE_COLUMNS).unionByName(
        of_space.select(*_GROUP, "config"), allowMissingColumns=True
    )
    # Columns of their own: the groups come from the clusters that these rows are grouped with.
    return rows.select(*(F.col(name).alias(name) for name in rows.columns))


def _config() -> Column:
    """The part of a state that profiles do not have, as JSON: it travels to every worker."""
    state = F.from_json("state", _STATE_DDL)
    is_metric_view = F.filter(state["tables"], lambda one: one["kind"] == "metric_view")
    has_own_lever = F.filter(state["tables"], lambda one: one["kind"].isin(*OWN_LEVERS))
    kinds = F.transform(has_own_lever, lambda one: F.struct(F.lower(one["name"]), one["kind"]))
    return F.to_json(
        F.struct(
            is_metric_view.alias("metric_views"),
            F.map_from_entries(kinds).alias("kinds"),
            *(state[name].alias(name) for name in _CONFIG_PARTS),
        )
    )


_CONFIG_PARTS = ("functions", "join_specs", "snippets", "instructions")
_COLUMN_DDL = "name STRING, data_type STRING, comment STRING, is_measure BOOLEAN"
_STATE_DDL = (
    "tables ARRAY<STRUCT<name STRING, kind STRING, comment STRING, definition STRING, "
    f"columns ARRAY<STRUCT<{_COLUMN_DDL}>>>>, "
    "functions ARRAY<STRUCT<name STRING, comment STRING, definition STRING, "
    f"parameters ARRAY<STRUCT<{_COLUMN_DDL}>>>>, "
    "join_specs ARRAY<STRUCT<`left` STRING, `right` STRING, condition STRING, "
    "relationship STRING>>, "
    "snippets ARRAY<STRUCT<kind STRING, sql STRING, display_name STRING, "
    "synonyms ARRAY<STRING>>>, "
    "instructions ARRAY<STRING>"
)
_PROFILE_COLUMNS = (
    "table_name",
    "column_name",
    "data_type",
    "comment",
    "is_primary_key",
    "references_column",
    "row_count",
    "distinct_count",
    "null_count",
    "min_value",
    "max_value",
    "sample_values",
    "is_sample_complete",
    "value_format",
)


def _drafter(propose: Proposer) -> Callable[[pa.Table, pa.Table], pa.Table]:
    def draft_group(clusters: pa.Table, facts: pa.Table) -> pa.Table:
        rows: list[dict[str, Any]] = []
        known = facts_of(facts.to_pylist())
        for row in clusters.to_pylist():
            cluster = cluster_of(row)
            rows.extend(
                draft_row(
                    draft,
                    space_id=cluster.space_id,
                    cluster_id=cluster.cluster_id,
                    evaluation_id=row["last_evaluation_id"],
                    evidence_hash=row["evidence_hash"],
                    question_ids=cluster.question_ids,
                    impact=cluster.impact,
                )
                for draft in propose(cluster, known)
            )
        return pa.Table.from_pylist(rows, schema=DRAFT_SCHEMA)

    return draft_group


def cluster_of(row: Mapping[str, Any]) -> ClusterEvidence:
    """The value that a row of ``clusters`` is."""
    evidence = row["evidence"]
    return ClusterEvidence(
        space_id=row["space_id"],
        cluster_id=row["cluster_id"],
        rule=row["cause"],
        failure_type=row["failure_type"],
        blame_set=tuple(row["blame_set"]),
        question_ids=tuple(row["question_ids"]),
        group_ids=tuple(row["group_ids"]),
        fragments=tuple(FragmentEvidence(**one) for one in evidence["fragments"]),
        terms=tuple(TermEvidence(**one) for one in evidence["terms"]),
        fixes=tuple(evidence["fixes"]),
        impact=row["impact"],
    )


def facts_of(rows: list[dict[str, Any]]) -> Facts:
    """The value that rows of ``profiles``, and one row with a ``config``, are."""
    columns = {fact.name.lower(): fact for fact in _columns(rows)}
    configs = [json.loads(row["config"]) for row in rows if row["config"]]
    config = configs[0] if configs else {}
    tables = {}
    for row in rows:
        if row["table_name"] is not None and row["column_name"] is None:
            keys = (c for c in columns.values() if c.table == row["table_name"])
            tables[row["table_name"].lower()] = TableFacts(
                name=row["table_name"],
                comment=row["comment"],
                row_count=row["row_count"],
                primary_key=tuple(sorted(c.column for c in keys if c.is_primary_key)),
                kind=config.get("kinds", {}).get(row["table_name"].lower(), "table"),
            )
    return Facts(columns=columns, tables=tables, config=config)


def _columns(rows: list[dict[str, Any]]) -> Iterator[ColumnFacts]:
    for row in rows:
        if row["column_name"] is not None:
            yield ColumnFacts(
                table=row["table_name"],
                column=row["column_name"],
                data_type=row["data_type"],
                comment=row["comment"],
                is_primary_key=row["is_primary_key"],
                references=row["references_column"],
                row_count=row["row_count"],
                distinct_count=row["distinct_count"],
                null_count=row["null_count"],
                min_value=row["min_value"],
                max_value=row["max_value"],
                sample_values=tuple(row["sample_values"] or ()),
                is_sample_complete=row["is_sample_complete"],
                value_format=row["value_format"],
            )
