"""Shared words become failures of confirmed train questions, whatever else an evaluation holds."""

from __future__ import annotations

import json
from datetime import UTC, datetime

from tests.transforms.contract_frames import frame
from tests.transforms.shop import STATE
from tests.transforms.test_clustering import failure
from transforms.clustering import cluster_failures
from transforms.contracts import EVAL_RESULTS, EVALUATIONS, FAILURES, VERSIONS
from transforms.found_together import found_together
from transforms.shared_causes import WORDS

DONE = "SELECT COUNT(*) FROM orders WHERE status = 'completed'"
NOISE = "SELECT Region FROM regions"
SPACE = "shop"


def result(question_id, question, sql, *, split="train", evaluation=1, is_correct=False):
    return {
        "space_id": SPACE,
        "evaluation_id": f"evaluation-{evaluation}",
        "question_id": question_id,
        "attempt": 1,
        "group_id": f"group of {question_id}",
        "split": split,
        "question": question,
        "expected_sql": sql,
        "is_correct": is_correct,
    }


def shown(spark, results, failures):
    evaluations = [
        {
            "space_id": SPACE,
            "evaluation_id": f"evaluation-{n}",
            "state_hash": state,
            "started_at": datetime(2026, 1, n, tzinfo=UTC),
        }
        for n, state in ((1, "known"), (2, "never recorded"))
    ]
    state = {"space_id": SPACE, "state_hash": "known", "state": json.dumps(STATE.to_dict())}
    all_failures = frame(spark, FAILURES, failures)
    of_evaluations = frame(spark, EVALUATIONS, evaluations)
    together = found_together(
        all_failures,
        frame(spark, EVAL_RESULTS, results),
        of_evaluations,
        frame(spark, VERSIONS, [state]),
    )
    clustered = cluster_failures(
        all_failures.drop("recorded_at").unionByName(together),
        of_evaluations,
        frame(spark, VERSIONS, [state]),
        updated_by="stream:0",
    )
    return together, clustered


def test_only_confirmed_train_failures_are_evidence_and_become_clusters_of_their_own(spark):
    noise = [result(f"n{n}", "Regions", NOISE, is_correct=True) for n in range(6)]
    results = [
        result("q1", "How many settled orders?", DONE),
        result("q2", "Settled orders in all", DONE),
        # Neither a split that is not train nor what nobody confirmed makes words shared.
        result("h1", "How many finished orders?", DONE, split="held_out"),
        result("h2", "All finished orders", DONE, split="sealed"),
        result("s1", "How many doubtful regions?", NOISE),
        # What was evaluated on a state that nobody recorded says nothing.
        result("q1", "How many settled orders?", DONE, evaluation=2),
        result("q2", "Settled orders in all", DONE, evaluation=2),
        *noise,
    ]
    failures = [
        failure("q1", rule="no_sql"),
        failure("q1", rule="filter_missing"),
        failure("q2", rule="no_sql"),
        failure("h1", rule="no_sql", split="held_out"),
        failure("h2", rule="no_sql", split="sealed"),
        failure("s1", rule="no_sql", confirmation="suspect"),
        failure("q1", 2, rule="no_sql"),
        failure("q2", 2, rule="no_sql"),
    ]
    together, clustered = shown(spark, results, failures)
    rows = together.where(f"rule = '{WORDS}'").collect()
    blame = "value:shop.orders.status = 'completed'"
    assert {(row["question_id"], row["asi"]["blame_set"][0]) for row in rows} == {
        ("q1", blame),
        ("q2", blame),
    }
    assert {row["evaluation_id"] for row in together.collect()} == {"evaluation-1"}
    assert "finished" not in str(together.collect())

    clusters = {row["cause"]: row for row in clustered.clusters.collect()}
    mine = clusters[WORDS]
    assert (mine["blame"], mine["question_ids"], mine["lever"]) == (blame, ["q1", "q2"], 6)
    assert mine["evidence"]["terms"][0].asDict() == {
        "term": "settled orders",
        "group_count": 2,
    }
    assert mine["evidence"]["fragments"][0]["expected"] == "shop.orders.status = 'completed'"
    members = clustered.members.where(f"cluster_id = '{mine['cluster_id']}'").collect()
    assert len(members) == 2
    assert clusters["filter_missing"]["question_ids"] == ["q1"]
