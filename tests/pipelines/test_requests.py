"""Requests: which are open, and what an evaluation that answers one follows on."""

from __future__ import annotations

import json
from datetime import UTC, datetime

from pipelines.requests import lineage_of, pending_requests
from pipelines.spaces import request_evaluations
from transforms.contracts import (
    APPLICATIONS,
    BATCHES,
    EVALUATION_REQUESTS,
    EVALUATIONS,
    PROPOSALS,
)
from transforms.identity import make_id

NOW = datetime(2026, 1, 2, tzinfo=UTC)


def evaluation(request_id, iteration, model_id, space_id="s"):
    return {
        "space_id": space_id, "evaluation_id": make_id("evaluation", request_id),
        "request_id": request_id, "iteration": iteration, "kind": "baseline", "answerer": "a",
        "state_hash": "h", "benchmark_set_hash": "h", "judge_version": "1",
        "comparison_policy": "p", "model_id": model_id, "mlflow_run_id": "r",
        "data_versions": {}, "question_count": 0, "correct_count": 0, "outcome_counts": {},
        "arbiter_counts": {}, "failure_count": 0, "splits": [], "started_at": NOW,
        "finished_at": NOW,
    }  # fmt: skip


def test_a_request_is_pending_until_its_evaluation_is_there(tables):
    asked = request_evaluations(tables, ["a", "b"], requested_by="test")
    assert request_evaluations(tables, ["a", "b"], requested_by="test") == ()
    assert [r.request_id for r in pending_requests(tables)] == list(asked)
    assert [r.request_id for r in pending_requests(tables, "b")] == [asked[1]]
    tables.append_rows(EVALUATIONS, [evaluation(asked[0], 0, "m-1", "a")], transaction="e")
    assert [r.request_id for r in pending_requests(tables)] == [asked[1]]
    (again,) = request_evaluations(tables, ["a"], requested_by="test", again=True)
    assert {r.request_id for r in pending_requests(tables)} == {asked[1], again}


def test_the_first_evaluation_has_no_parent_and_the_next_one_has(tables):
    request_evaluations(tables, ["s"], requested_by="test")
    (first,) = pending_requests(tables)
    lineage = lineage_of(tables, first)
    assert (lineage.iteration, lineage.parent_model_id, lineage.patches) == (0, None, ())
    tables.append_rows(
        EVALUATIONS,
        [evaluation("r0", 0, "m-0"), evaluation("r1", 1, "m-1"), evaluation("x", 7, "m-x", "t")],
        transaction="e",
    )
    lineage = lineage_of(tables, first)
    assert (lineage.iteration, lineage.parent_model_id) == (2, "m-1")


def test_an_evaluation_of_an_application_knows_its_batch_and_its_patches(tables):
    patches = [{"patch_type": "set_table_comment", "table": "d.t", "comment": c} for c in "ab"]
    proposals = [
        {
            "space_id": "s", "proposal_id": f"proposal-{n}", "cluster_id": "c",
            "evaluation_id": "e", "lever": 1, "patch_type": "set_table_comment",
            "patch": json.dumps(patch), "target": "table:d.t", "target_field": "comment",
            "after": "x", "summary": "x", "evidence": "x", "evidence_hash": "h",
            "question_ids": [], "questions_at_risk": 0, "impact": 1.0, "confidence": 1.0,
            "risk": "low",
        }
        for n, patch in enumerate(patches)
    ]  # fmt: skip
    batch = {
        "space_id": "s", "batch_id": "batch-1", "kind": "lever", "cycle": 2, "lever": 1,
        "content_hash": "h", "proposal_ids": ["proposal-0", "proposal-1"], "question_ids": [],
        "targets": ["table:d.t"], "risk": "low",
    }  # fmt: skip
    application = {
        "space_id": "s", "application_id": "application-1", "batch_id": "batch-1",
        "direction": "apply", "state_hash": "h", "proposal_ids": ["proposal-0", "proposal-1"],
        "verified_at": NOW,
    }  # fmt: skip
    request = {
        "space_id": "s", "request_id": "request-1", "kind": "canary", "ordinal": 1,
        "application_id": "application-1", "splits": ["train"], "requested_by": "test",
    }  # fmt: skip
    for table, some in (
        (PROPOSALS, proposals),
        (BATCHES, [batch]),
        (APPLICATIONS, [application]),
        (EVALUATION_REQUESTS, [request]),
    ):
        tables.append_rows(table, some, transaction="t")
    canary, applied = sorted(pending_requests(tables), key=lambda one: one.kind, reverse=True)
    assert canary.splits == ("train",)
    lineage = lineage_of(tables, canary)
    assert (lineage.batch_id, lineage.cycle) == ("batch-1", 2)
    assert list(lineage.patches) == patches

    # That a batch was applied asks for an evaluation, without a row in evaluation_requests.
    assert (applied.request_id, applied.kind) == ("application-1", "application")
    assert applied.splits == ("train", "held_out"), "sealed questions are not asked for a gate"
    assert lineage_of(tables, applied) == lineage
    undone = {**application, "application_id": "application-2", "direction": "undo"}
    tables.append_rows(APPLICATIONS, [undone], transaction="undo")
    assert [one.kind for one in pending_requests(tables)] == ["canary"], "nothing is left of it"
