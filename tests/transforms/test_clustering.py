"""Clusters: the same failure is the same cluster, whenever, wherever and in what order it comes."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pyspark.sql import functions as F

from tests.frames import assert_same_rows
from tests.transforms.contract_frames import frame
from transforms.clustering import (
    CLUSTER_COLUMNS,
    MAX_FIXES,
    MAX_FRAGMENTS,
    MAX_TERMS,
    MEMBER_COLUMNS,
    cluster_failures,
    merged_clusters,
)
from transforms.contracts import CLUSTERS, EVALUATIONS, FAILURES, VERSIONS
from transforms.identity import make_id
from transforms.space_state import SpaceState, TableState

START = datetime(2026, 1, 1, tzinfo=UTC)
STATUS = "column:shop.orders.status"
AMOUNT = "column:shop.orders.amount"
CHECKS, SCORES = "shop.Checks", "shop.scores"
STATE = SpaceState(
    "shop",
    "shop",
    tables=(
        TableState("shop.orders", ()),
        TableState(CHECKS, (), kind="monitoring_table"),
        TableState(SCORES, (), kind="ml_table"),
        TableState("shop.sales", (), kind="metric_view"),
    ),
)
VERSION = {"space_id": "shop", "state_hash": "state", "state": json.dumps(STATE.to_dict())}


def failure(question="q1", evaluation=1, *, blame=(STATUS,), rule="wrong_column", **changed):
    asi = {
        "failure_type": changed.pop("failure_type", "wrong_column"),
        "severity": "major",
        "confidence": changed.pop("confidence", 0.9),
        "wrong_clause": None,
        "blame_set": list(blame),
        "quoted_metadata_text": None,
        "missing_metadata": None,
        "ambiguity_detected": False,
        "expected_value": None,
        "actual_value": None,
        "counterfactual_fix": changed.pop("fix", None),
        "affected_question_pattern": None,
    }
    return {
        "space_id": "shop",
        "failure_id": f"{evaluation}/{question}/{rule}/{'+'.join(blame)}",
        "evaluation_id": f"evaluation-{evaluation}",
        "question_id": question,
        "group_id": f"group of {question}",
        "split": "train",
        "rule": rule,
        "asi": asi,
        "unexplained_terms": [],
        "confirmation": "confirmed",
        **changed,
    }


def clustered(spark, failures, *, updated_by="stream:0", evaluations=range(1, 21)):
    started = [
        {
            "space_id": "shop",
            "evaluation_id": f"evaluation-{n}",
            "state_hash": "state" if n < 15 else "never recorded",
            "started_at": START + timedelta(hours=n),
        }
        for n in evaluations
    ]
    return cluster_failures(
        frame(spark, FAILURES, failures),
        frame(spark, EVALUATIONS, started),
        frame(spark, VERSIONS, [VERSION]),
        updated_by=updated_by,
    )


def rows_of(spark, failures):
    return {
        (row["cause"], row["blame"]): row for row in clustered(spark, failures).clusters.collect()
    }


def test_a_cluster_is_space_cause_and_canonical_blame(spark):
    rows = rows_of(
        spark,
        [
            failure("q1", blame=(STATUS, AMOUNT)),
            failure("q2", blame=(AMOUNT, STATUS, AMOUNT)),
            failure("q3", rule="missing_filter", failure_type="missing_filter"),
            failure("q4", space_id="bank"),
            failure("q5", split="held_out"),
            failure("q6", confirmation="suspect"),
        ],
    )
    both = f"{AMOUNT} + {STATUS}"
    assert rows.keys() == {
        ("wrong_column", both),
        ("missing_filter", STATUS),
        ("wrong_column", STATUS),
    }
    row = rows["wrong_column", both]
    assert row["cluster_id"] == make_id("cluster", "shop", "wrong_column", both)
    assert row["blame_set"] == [AMOUNT, STATUS]
    assert row["question_ids"] == ["q1", "q2"]
    assert row["group_ids"] == ["group of q1", "group of q2"]
    assert row["question_count"] == row["failure_count"] == 2
    assert row["impact"] == pytest.approx(1.8)
    assert rows["wrong_column", STATUS]["space_id"] == "bank"


def test_the_same_failure_in_ten_evaluations_is_one_cluster(spark):
    made = clustered(spark, [failure("q1", n) for n in range(1, 11)])
    [row] = made.clusters.collect()
    assert row["evaluation_count"] == row["failure_count"] == 10
    assert row["question_count"] == 1
    assert row["first_evaluation_id"] == "evaluation-1"
    assert row["last_evaluation_id"] == "evaluation-10"
    assert row["last_seen_at"] - row["first_seen_at"] == timedelta(hours=9)
    assert made.members.count() == 10
    assert tuple(made.members.columns) == MEMBER_COLUMNS


def test_impact_and_evidence_are_those_of_the_last_evaluation(spark):
    rows = rows_of(
        spark,
        [
            *(failure(f"q{n}", 1, expected_fragment="old") for n in range(5)),
            failure("q1", 2, expected_fragment="new", confidence=0.5, fix="say so"),
            failure("q2", 2, expected_fragment="new", confidence=1.0),
        ],
    )
    row = rows["wrong_column", STATUS]
    assert row["impact"] == pytest.approx(1.5)
    assert row["evidence"].asDict(recursive=True) == {
        "fragments": [{"expected": "new", "actual": None, "group_count": 2}],
        "terms": [],
        "fixes": ["say so"],
    }


def test_evidence_is_cut_to_what_most_groups_share(spark):
    def numbered(question):
        """Question n shows fragments, terms and fixes 0 to n: number 0 is in all of them."""
        return [
            failure(
                f"q{question}",
                expected_fragment=f"fragment {n:02}",
                unexplained_terms=[f"term {n:02}"],
                fix=f"fix {n:02}",
                failure_id=f"{question}/{n}",
            )
            for n in range(question + 1)
        ]

    failures = [one for question in range(20) for one in numbered(question)]
    evidence = rows_of(spark, failures)["wrong_column", STATUS]["evidence"]
    assert [one["expected"] for one in evidence["fragments"]] == [
        f"fragment {n:02}" for n in range(MAX_FRAGMENTS)
    ]
    assert [one["group_count"] for one in evidence["terms"]] == [20 - n for n in range(MAX_TERMS)]
    assert evidence["fixes"] == [f"fix {n:02}" for n in range(MAX_FIXES)]


def test_twins_count_as_one_group(spark):
    twins = [
        failure(q, group_id="g", expected_fragment="x", unexplained_terms=["word", "word"])
        for q in ("q1", "q2", "q3")
    ]
    row = rows_of(spark, twins)["wrong_column", STATUS]
    assert row["question_count"] == 3
    assert row["group_ids"] == ["g"]
    assert row["evidence"]["fragments"][0]["group_count"] == 1
    assert row["evidence"]["terms"][0]["group_count"] == 1


LEVERS = [
    ((STATUS,), "wrong_column", 1),
    (("table:shop.orders",), "wrong_table", 1),
    (("measure:shop.sales.revenue",), "missing_filter", 2),
    (("function:shop.top_buyers.limit",), "missing_filter", 3),
    (("table:shop.orders_profile_metrics",), "monitoring_gap", 4),
    (("column:shop.scores.scored_at",), "model_scoring_error", 5),
    (("join:shop.orders.id=shop.items.order_id",), "wrong_join", 6),
    (("space:shop",), "missing_instruction", 6),
    (("space:shop", STATUS), "missing_instruction", 1),
    (("function:shop.top_buyers", "measure:shop.sales.revenue"), "wrong_measure", 2),
    # What a table is declared to be decides, whatever went wrong with it.
    ((f"table:{CHECKS}",), "wrong_table", 4),
    (("column:shop.checks.lag",), "missing_synonym", 4),
    ((f"column:{SCORES}.band",), "data_freshness", 5),
    ((f"column:{SCORES}.band", STATUS), "wrong_column", 1),
    # What is blamed decides, not the type: a function is lever 3 whatever went wrong with it.
    (("function:shop.top_buyers",), "stale_data", 3),
]


@pytest.fixture(scope="module")
def levers(spark):
    failures = [
        failure(str(number), blame=blame, rule=str(number), failure_type=failure_type)
        for number, (blame, failure_type, _) in enumerate(LEVERS)
    ]
    return {cause: row["lever"] for (cause, _), row in rows_of(spark, failures).items()}


@pytest.mark.parametrize("number", range(len(LEVERS)), ids=lambda n: "+".join(LEVERS[n][0]))
def test_the_blamed_objects_point_to_the_lever(levers, number):
    assert levers[str(number)] == LEVERS[number][2]


def test_of_a_state_that_is_not_recorded_the_type_tells_the_kind(spark):
    late = [failure("q", 20, blame=(f"table:{CHECKS}",), failure_type=t, rule=t)
            for t in ("wrong_table", "stale_data")]  # fmt: skip
    rows = rows_of(spark, late)
    assert {cause: row["lever"] for (cause, _), row in rows.items()} == {
        "wrong_table": 1,
        "stale_data": 4,
    }


@st.composite
def histories(draw):
    """Failures in evaluations, and the stream batches that the evaluations come in."""
    evaluations = draw(st.permutations(range(1, 7)))
    failures = [
        failure(
            question,
            evaluation,
            blame=draw(st.sampled_from([(STATUS,), (AMOUNT,), (STATUS, AMOUNT)])),
            confidence=draw(st.sampled_from([0.5, 0.7, 0.95])),
            expected_fragment=draw(st.sampled_from([None, "a", "b"])),
            unexplained_terms=draw(st.lists(st.sampled_from(["x", "y"]), max_size=2)),
        )
        for evaluation in evaluations
        for question in draw(st.sets(st.sampled_from(["q1", "q2", "q3"]), max_size=3))
    ]
    cuts = sorted(draw(st.sets(st.integers(1, 5), max_size=2)))
    edges = [0, *cuts, len(evaluations)]
    batches = [evaluations[a:b] for a, b in pairwise(edges)]
    return draw(st.permutations(failures)), batches


@settings(max_examples=5, deadline=None, suppress_health_check=list(HealthCheck))
@given(histories())
def test_however_evaluations_are_cut_into_batches_the_clusters_are_the_same(spark, history):
    failures, batches = history
    known = frame(spark, CLUSTERS, []).select(*CLUSTER_COLUMNS)
    for number, batch in enumerate(batches):
        names = {f"evaluation-{n}" for n in batch}
        new = clustered(
            spark,
            [one for one in failures if one["evaluation_id"] in names],
            updated_by=f"stream:{number}",
        ).clusters
        merged = merged_clusters(known, new, updated_by=f"stream:{number}")
        untouched = known.join(merged, "cluster_id", "left_anti").select(*CLUSTER_COLUMNS)
        known = untouched.unionByName(merged).localCheckpoint()
    at_once = clustered(spark, list(reversed(failures))).clusters
    assert_same_rows(known.drop("updated_by"), at_once.drop("updated_by"))


def test_what_a_batch_has_written_already_is_not_added_once_more(spark):
    new = clustered(spark, [failure("q1"), failure("q2", blame=(AMOUNT,))]).clusters
    half = new.where(F.col("blame") == STATUS)
    replayed = merged_clusters(half, new, updated_by="stream:0")
    assert_same_rows(replayed, new.where(F.col("blame") == AMOUNT))
    assert merged_clusters(new, new, updated_by="stream:0").isEmpty()


def test_new_evidence_has_another_hash_and_old_evidence_has_not(spark):
    def evidence_hash(*failures):
        return rows_of(spark, list(failures))["wrong_column", STATUS]["evidence_hash"]

    first = evidence_hash(failure("q1", expected_fragment="a"))
    assert evidence_hash(failure("q1", 5, expected_fragment="a")) == first, "only later"
    assert evidence_hash(failure("q1", expected_fragment="b")) != first
    assert evidence_hash(failure("q1", expected_fragment="a"), failure("q2")) != first
