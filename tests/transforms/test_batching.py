"""Batches: one lever, five patches, highest impact first, one in flight per space and object."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from pyspark.sql import functions as F

from tests.transforms.contract_frames import frame
from transforms.batching import (
    BATCH_COLUMNS,
    changed_object,
    detect_conflicts_and_batch,
    patches_hash,
)
from transforms.contracts import BATCHES, PROPOSALS

YESTERDAY = datetime(2026, 1, 1, tzinfo=UTC)
STATES = {"state": "STRING", "begun_at": "TIMESTAMP"}


def proposal(name, *, space="shop", lever=1, impact=1.0, state="open", **changed):
    return {
        "space_id": space,
        "proposal_id": name,
        "lever": lever,
        "patch": f"patch of {name}",
        "target": f"column:shop.orders.{name}",
        "target_field": "comment",
        "question_ids": [f"question of {name}"],
        "impact": impact,
        "confidence": 0.5,
        "risk": "low",
        "state": state,
        **changed,
    }


def batched(spark, proposals, turns=(("shop", 1, 1),), batches=()):
    made = detect_conflicts_and_batch(
        frame(spark, PROPOSALS, proposals, also={"state": "STRING"}),
        spark.createDataFrame(list(turns), "space_id STRING, cycle INT, lever INT"),
        frame(spark, BATCHES, list(batches), also=STATES),
    )
    assert tuple(made.columns) == BATCH_COLUMNS
    return {(row["space_id"], row["lever"]): row for row in made.collect()}


def test_the_five_of_highest_impact_are_batched_in_order(spark):
    proposals = [proposal(f"p{n}", impact=float(n)) for n in range(8)]
    row = batched(spark, proposals)["shop", 1]
    assert row["proposal_ids"] == ["p7", "p6", "p5", "p4", "p3"]
    assert row["content_hash"] == patches_hash([f"patch of p{n}" for n in (7, 6, 5, 4, 3)])
    assert row["question_ids"] == [f"question of p{n}" for n in (3, 4, 5, 6, 7)]
    assert row["targets"] == ["table:shop.orders"]
    assert (row["kind"], row["cycle"], row["waiting_for"]) == ("lever", 1, None)


def test_equal_impact_is_settled_by_confidence_then_id_so_that_two_runs_agree(spark):
    proposals = [proposal("b"), proposal("a"), proposal("c", confidence=0.9)]
    assert batched(spark, proposals)["shop", 1]["proposal_ids"] == ["c", "a", "b"]


def test_of_two_that_change_the_same_the_lower_one_waits(spark):
    same = {"target": "column:shop.orders.status"}
    proposals = [
        proposal("low", impact=1.0, **same),
        proposal("high", impact=2.0, **same),
        proposal("synonyms", impact=1.5, target_field="synonyms", **same),
    ]
    assert batched(spark, proposals)["shop", 1]["proposal_ids"] == ["high", "synonyms"]


def test_only_open_proposals_of_the_lever_whose_turn_it_is_are_taken(spark):
    proposals = [
        proposal("open"),
        *(
            proposal(state, state=state, impact=9.0)
            for state in ("waiting", "batched", "applied", "declined", "rejected", "refused")
        ),
        proposal("lever six", lever=6, impact=99.0),
        proposal("elsewhere", space="bank", impact=99.0),
    ]
    made = batched(spark, proposals)
    assert made.keys() == {("shop", 1)}
    assert made["shop", 1]["proposal_ids"] == ["open"]


def test_a_batch_holds_the_lowest_risk_there_is_and_no_other(spark):
    proposals = [
        proposal("sure", risk="low", impact=1.0),
        proposal("bold", risk="high", impact=9.0),
        proposal("fair", risk="medium", impact=5.0),
        proposal("safe", risk="low", impact=2.0),
    ]
    batch = batched(spark, proposals)["shop", 1]
    assert batch["risk"] == "low"
    assert batch["proposal_ids"] == ["safe", "sure"]
    assert batched(spark, proposals[1:3])["shop", 1]["proposal_ids"] == ["fair"]


def in_flight(name, *, space="shop", state="proposed", targets=("table:shop.orders",), **changed):
    return {
        "batch_id": name,
        "space_id": space,
        "kind": "lever",
        "targets": list(targets),
        "state": state,
        "begun_at": YESTERDAY if state in {"applied", "rejected"} else None,
        "recorded_at": YESTERDAY,
        **changed,
    }


def test_a_batch_waits_for_another_space_that_is_changing_the_same_table(spark):
    there = in_flight("batch-0", space="bank", state="applied")
    row = batched(spark, [proposal("p")], batches=[there])["shop", 1]
    assert row["waiting_for"] == "batch-0"
    assert row["waiting_reason"] == ("space bank is changing table:shop.orders: batch-0 is applied")


@pytest.mark.parametrize("state", ["proposed", "accepted", "declined", "undone", "stale"])
def test_a_batch_that_is_not_in_flight_is_in_nobodys_way(spark, state):
    there = in_flight("batch-0", space="bank", state=state)
    assert batched(spark, [proposal("p")], batches=[there])["shop", 1]["waiting_for"] is None


def test_changes_inside_two_spaces_do_not_wait_for_each_other(spark):
    there = in_flight("batch-0", space="bank", targets=["space:bank"])
    proposals = [proposal("p", lever=6, target="space:shop", target_field="instruction:x")]
    made = batched(spark, proposals, turns=[("shop", 1, 6)], batches=[there])
    assert made["shop", 6]["targets"] == ["space:shop"]
    assert made["shop", 6]["waiting_for"] is None


def test_of_batches_in_the_way_the_one_that_was_begun_comes_first(spark):
    also = {"kind": "correction", "targets": ["space:shop"]}
    ahead = [
        in_flight("approved", state="approved", recorded_at=YESTERDAY - timedelta(days=1)),
        in_flight("begun", state="approved", begun_at=YESTERDAY, **also),
        in_flight("undecided", **also),
    ]
    row = batched(spark, [proposal("p")], batches=ahead)["shop", 1]
    assert row["waiting_for"] == "begun"
    assert row["waiting_reason"] == (
        "one batch of a space is in flight at a time: begun is approved"
    )


def test_a_correction_and_a_lever_of_a_space_are_formed_side_by_side(spark):
    corrections = [
        proposal(f"c{n}", lever=0, target=f"benchmark:shop/q{n}", target_field="expected_sql")
        for n in range(3)
    ]
    made = batched(spark, [*corrections, proposal("p")], turns=[("shop", 1, 0), ("shop", 1, 1)])
    correction, lever = made["shop", 0], made["shop", 1]
    assert (correction["kind"], correction["targets"]) == ("correction", ["space:shop"])
    assert (correction["waiting_for"], lever["waiting_for"]) == (None, None)


OBJECTS = {
    "table:shop.orders": "table:shop.orders",
    "column:shop.orders.status": "table:shop.orders",
    "column:main.shop.orders.status": "table:main.shop.orders",
    "measure:shop.sales.revenue": "table:shop.sales",
    "function:shop.top_buyers": "function:shop.top_buyers",
    "function:shop.top_buyers.limit": "function:shop.top_buyers",
    "space:shop-a": "space:shop-a",
    "join:shop.orders=shop.items": "space:shop-a",
    "snippet:filter:a:b.c": "space:shop-a",
    "benchmark:shop-a/q1": "space:shop-a",
}


def test_a_change_is_seen_through_the_object_it_belongs_to(spark):
    frame_ = spark.createDataFrame([(target,) for target in OBJECTS], "target STRING")
    made = frame_.select("target", changed_object(F.col("target"), F.lit("shop-a")).alias("object"))
    assert {row["target"]: row["object"] for row in made.collect()} == OBJECTS
