"""Confirmed train failures into clusters that stay the same from one evaluation to the next.

A cluster is (space, cause, canonical blame): the cause is the judge's rule, the blame its sorted
objects. The same failure in ten evaluations is therefore one cluster, in whatever order the
evaluations arrive and however they are cut into batches.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F

from transforms.contracts import CLUSTER_MEMBERS, CLUSTERS
from transforms.spark_ids import content_hash_column, id_column
from transforms.table_kinds import own_lever, own_levers
from transforms.triage import confirmed_train_failures

MAX_FRAGMENTS = 10
MAX_TERMS = 15
MAX_FIXES = 5

MONITORING_TYPES = ("monitoring_gap", "stale_data", "data_freshness")
ML_TYPES = ("ml_feature_missing", "model_scoring_error", "feature_store_mismatch")

CLUSTER_COLUMNS = tuple(name for name in CLUSTERS.columns if name != "recorded_at")
MEMBER_COLUMNS = tuple(name for name in CLUSTER_MEMBERS.columns if name != "recorded_at")

_ITEMS = "array<struct<kind: string, first: string, second: string>>"


class Clustered(NamedTuple):
    """``clusters`` in the columns of the contract but ``recorded_at``; ``members`` likewise."""

    clusters: DataFrame
    members: DataFrame


def cluster_failures(
    failures: DataFrame, evaluations: DataFrame, versions: DataFrame, *, updated_by: str
) -> Clustered:
    """Clusters of new failures, and which failure is in which.

    ``failures`` are rows of that contract, ``evaluations`` the evaluations they are of; an
    evaluation's failures come all together. ``versions`` holds the states that were evaluated: they
    say of what kind a table is. Only confirmed train failures are looked at. ``updated_by`` names
    the stream batch.
    """
    named = _with_cluster(confirmed_train_failures(failures), evaluations, versions)
    clusters = _finished(_seen(named).join(_evidence(named), "cluster_id", "inner"), updated_by)
    return Clustered(clusters, named.select(*MEMBER_COLUMNS))


def merged_clusters(known: DataFrame, new: DataFrame, *, updated_by: str) -> DataFrame:
    """New clusters with what is known of them already added; clusters without news are left out.

    Both in ``CLUSTER_COLUMNS``. Counts add up, sets unite, and impact and evidence are those of the
    later evaluation, whichever of the two it is in. What this stream batch has written already
    (``updated_by``) is not added once more.
    """
    written = known.where(F.col("updated_by") == updated_by).select("cluster_id")
    news = new.join(written, "cluster_id", "left_anti")
    older = known.join(news.select("cluster_id"), "cluster_id", "left_semi")
    first = F.struct("first_seen_at", "first_evaluation_id")
    last = F.struct("last_seen_at", "last_evaluation_id")
    together = (
        older.select(*CLUSTER_COLUMNS)
        .unionByName(news.select(*CLUSTER_COLUMNS))
        .groupBy("cluster_id")
        .agg(
            *(F.min(name).alias(name) for name in _CONSTANT),
            _union("question_ids"),
            _union("group_ids"),
            F.sum("evaluation_count").cast("int").alias("evaluation_count"),
            F.sum("failure_count").alias("failure_count"),
            *(F.min_by(name, first).alias(name) for name in _FIRST),
            *(F.max_by(name, last).alias(name) for name in _LAST),
        )
    )
    return _finished(together, updated_by)


_FIRST = ("first_evaluation_id", "first_seen_at")
_LAST = ("last_evaluation_id", "last_seen_at", "impact", "evidence")
_CONSTANT = ("space_id", "cause", "failure_type", "blame", "blame_set", "lever")


def _with_cluster(failures: DataFrame, evaluations: DataFrame, versions: DataFrame) -> DataFrame:
    """Failures with cause, blame, lever and cluster id, and ``seen``: when, in what evaluation."""
    started = evaluations.select("evaluation_id", "started_at").join(
        own_levers(evaluations, versions), "evaluation_id", "left"
    )
    blame_set = F.array_sort(F.array_distinct("asi.blame_set"))
    return (
        failures.join(F.broadcast(started), "evaluation_id", "inner")
        .withColumn("cause", F.col("rule"))
        .withColumn("blame_set", blame_set)
        .withColumn("blame", F.array_join("blame_set", " + "))
        .withColumn("failure_type", F.col("asi.failure_type"))
        .withColumn("lever", _lever(F.col("blame_set"), F.col("failure_type"), F.col("own_levers")))
        .withColumn("seen", F.struct("started_at", "evaluation_id"))
        .withColumn(
            "cluster_id", id_column("cluster", F.col("space_id"), F.col("cause"), F.col("blame"))
        )
    )


def _lever(blame_set: Column, failure_type: Column, levers: Column) -> Column:
    """The lever that the blamed objects point to: the most durable one where there are several.

    What kind of table is blamed is what it is declared to be, else what the type tells; neither
    tells the lever of another object.
    """

    def lever_of(blame: Column) -> Column:
        is_table = blame.startswith("table:") | blame.startswith("column:")
        is_metric_view = blame.startswith("measure:") | blame.startswith("metric_view:")
        by_type = (
            F.when(is_table & failure_type.isin(*MONITORING_TYPES), 4)
            .when(is_table & failure_type.isin(*ML_TYPES), 5)
            .when(is_table, 1)
            .when(is_metric_view, 2)
            .when(blame.startswith("function:"), 3)
            .otherwise(6)
        )
        return F.coalesce(own_lever(blame, levers), by_type)

    return F.array_min(F.transform(blame_set, lever_of)).cast("int")


def _seen(named: DataFrame) -> DataFrame:
    """Counts and sets per cluster; impact is of the last evaluation."""
    # A decimal average does not depend on the order of the rows, a double's last digits do.
    confidence = F.col("asi.confidence").cast("decimal(9,6)")
    per_evaluation = named.groupBy("cluster_id", "seen").agg(
        *(F.min(name).alias(name) for name in _CONSTANT),
        F.collect_set("question_id").alias("question_ids"),
        F.collect_set("group_id").alias("group_ids"),
        F.count("*").alias("failure_count"),
        F.avg(confidence).alias("confidence"),
    )
    impact = F.size("question_ids") * F.col("confidence")
    return per_evaluation.groupBy("cluster_id").agg(
        *(F.min(name).alias(name) for name in _CONSTANT),
        _union("question_ids"),
        _union("group_ids"),
        F.count("*").cast("int").alias("evaluation_count"),
        F.sum("failure_count").alias("failure_count"),
        F.max_by(impact.cast("double"), "seen").alias("impact"),
        F.min("seen")["evaluation_id"].alias("first_evaluation_id"),
        F.max("seen")["evaluation_id"].alias("last_evaluation_id"),
        F.min("seen")["started_at"].alias("first_seen_at"),
        F.max("seen")["started_at"].alias("last_seen_at"),
    )


def _union(name: str) -> Column:
    return F.array_sort(F.array_distinct(F.flatten(F.collect_list(name)))).alias(name)


def _evidence(named: DataFrame) -> DataFrame:
    """``cluster_id``, ``evidence``: what the cluster's last evaluation shows, most groups first.

    Every array is cut before it is collected, so that a row stays small however large a cluster is.
    """
    items = named.select(
        "cluster_id", "seen", "group_id", F.explode(_items().cast(_ITEMS)).alias("item")
    ).select("cluster_id", "seen", "group_id", "item.*")
    counted = items.groupBy("cluster_id", "seen", "kind", "first", "second").agg(
        F.count_distinct("group_id").cast("int").alias("group_count")
    )
    whole_cluster = Window.partitionBy("cluster_id").rowsBetween(
        Window.unboundedPreceding, Window.unboundedFollowing
    )
    most_groups_first = Window.partitionBy("cluster_id", "kind").orderBy(
        F.desc("group_count"), "first", "second"
    )
    is_in_last = F.col("seen") == F.max("seen").over(whole_cluster)
    ranked = (
        counted.withColumn("is_in_last", is_in_last)
        .where("is_in_last")
        .withColumn("position", F.row_number().over(most_groups_first))
    )
    fragment = F.struct(
        "position", F.col("first").alias("expected"), F.col("second").alias("actual"), "group_count"
    )
    term = F.struct("position", F.col("first").alias("term"), "group_count")
    fix = F.struct("position", F.col("first").alias("fix"))
    return ranked.groupBy("cluster_id").agg(
        F.struct(
            _top("fragment", MAX_FRAGMENTS, fragment, ("expected", "actual", "group_count")),
            _top("term", MAX_TERMS, term, ("term", "group_count")),
            F.transform(_collected("fix", MAX_FIXES, fix), lambda item: item["fix"]).alias("fixes"),
        ).alias("evidence")
    )


def _items() -> Column:
    """What one failure shows. ``failure`` keeps its evaluation, also when it shows nothing else."""

    def item(kind: str, first: Column, second: Column) -> Column:
        return F.struct(F.lit(kind).alias("kind"), first.alias("first"), second.alias("second"))

    nothing = F.lit(None).cast("string")
    expected, actual = F.col("expected_fragment"), F.col("actual_fragment")
    fix = F.col("asi.counterfactual_fix")
    has_fragment = expected.isNotNull() | actual.isNotNull()
    one_each = F.array(
        item("failure", nothing, nothing),
        F.when(has_fragment, item("fragment", expected, actual)),
        F.when(fix.isNotNull(), item("fix", fix, nothing)),
    )
    terms = F.transform("unexplained_terms", lambda term: item("term", term, nothing))
    return F.concat(F.filter(one_each, lambda shown: shown.isNotNull()), terms)


def _collected(kind: str, most: int, item: Column) -> Column:
    is_among_first = (F.col("kind") == kind) & (F.col("position") <= most)
    return F.sort_array(F.collect_list(F.when(is_among_first, item)))


def _top(kind: str, most: int, item: Column, names: Sequence[str]) -> Column:
    return F.transform(
        _collected(kind, most, item), lambda one: F.struct(*(one[n].alias(n) for n in names))
    ).alias(f"{kind}s")


def _finished(clusters: DataFrame, updated_by: str) -> DataFrame:
    evidence_hash = content_hash_column(
        F.col("cause"), F.col("blame"), F.col("group_ids"), F.col("evidence")
    )
    return (
        clusters.withColumn("question_count", F.size("question_ids"))
        .withColumn("evidence_hash", evidence_hash)
        .withColumn("updated_by", F.lit(updated_by))
        .select(*CLUSTER_COLUMNS)
    )
