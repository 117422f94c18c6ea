"""A small home whose tables hold rows as the contracts say, made without Spark."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pyarrow as pa
from deltalake import write_deltalake

from jobs.home import Home
from jobs.reading import SCHEMA
from transforms import contracts as c
from transforms.contracts import BY_NAME, TABLES, Table
from transforms.identity import make_id

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
_SCALARS = {
    "STRING": pa.string(),
    "INT": pa.int32(),
    "BIGINT": pa.int64(),
    "DOUBLE": pa.float64(),
    "BOOLEAN": pa.bool_(),
    "TIMESTAMP": pa.timestamp("us", tz="UTC"),
}


def arrow_type(ddl: str) -> pa.DataType:
    """The Arrow type of a Spark DDL type of the contracts."""
    ddl = ddl.strip()
    if ddl in _SCALARS:
        return _SCALARS[ddl]
    kind, inner = re.fullmatch(r"(\w+)<(.*)>", ddl, re.DOTALL).groups()
    parts = _parts(inner)
    if kind == "ARRAY":
        return pa.list_(arrow_type(inner))
    if kind == "MAP":
        return pa.map_(arrow_type(parts[0]), arrow_type(parts[1]))
    fields = (part.split(":", 1) for part in parts)
    return pa.struct([(name.strip(), arrow_type(of)) for name, of in fields])


def _parts(text: str) -> list[str]:
    """The text split at commas that are in no angle brackets."""
    parts, depth = [""], 0
    for character in text:
        depth += (character == "<") - (character == ">")
        if character == "," and depth == 0:
            parts.append("")
        else:
            parts[-1] += character
    return parts


def arrow_schema(table: Table) -> pa.Schema:
    """The Arrow schema of a table's contract."""
    return pa.schema(
        [pa.field(f.name, arrow_type(f.data_type), nullable=f.is_nullable) for f in table.fields]
    )


def append(home: Home, table: Table, rows: Sequence[Mapping[str, Any]]) -> None:
    """Append rows, checked against the contract's columns; recorded_at is noon if left out."""
    for row in rows:
        assert row.keys() <= set(table.columns), row.keys() - set(table.columns)
    full = [{"recorded_at": NOON, **row} for row in rows]
    data = pa.Table.from_pylist(
        [{name: row.get(name) for name in table.columns} for row in full],
        schema=arrow_schema(table),
    )
    write_deltalake(home.table_path(SCHEMA, table.name), data, mode="append")


def create(home: Home) -> None:
    """Every table, empty."""
    home.create()
    for table in TABLES:
        write_deltalake(
            home.table_path(SCHEMA, table.name), arrow_schema(table).empty_table(), mode="append"
        )


def versions(home: Home) -> dict[str, int]:
    """The latest version of every table."""
    from jobs.delta_log import latest_version

    return {name: latest_version(home.table_path(SCHEMA, name)) for name in BY_NAME}


def space(space_id: str = "shop", **changes: Any) -> dict[str, Any]:
    return {
        "space_id": space_id,
        "registration_id": make_id("registration", space_id),
        "ordinal": 1,
        "title": "The shop",
        "domain": "retail",
        "data_schema": "shop",
        "policy": "manual",
        "answerer": "recorded:answers.jsonl",
        "comparison_policy": "bag_any_column",
        "config": "{}",
        "target_accuracy": 0.85,
        "max_applied_batches": 12,
        **changes,
    }


SPLIT_OF = {"q1": "train", "q2": "train", "q3": "held_out", "q4": "sealed"}
TEXT_OF = {
    "q1": "How many orders were paid?",
    "q2": "Which customers have no order?",
    "q3": "What did the held-out customer buy?",
    "q4": "What is the sealed total?",
}


def benchmark(question_id: str, space_id: str = "shop") -> dict[str, Any]:
    return {
        "space_id": space_id,
        "question_id": question_id,
        "benchmark_version": 1,
        "benchmark_hash": f"hash of {question_id}",
        "group_id": f"group of {question_id}",
        "question": TEXT_OF[question_id],
        "expected_sql": f"SELECT {question_id} FROM orders",
        "split": SPLIT_OF[question_id],
        "source": "imported",
        "status": "active",
    }


def evaluation_id(space_id: str = "shop", iteration: int = 0) -> str:
    return make_id("evaluation", space_id, iteration)


def evaluation(space_id: str = "shop", iteration: int = 0, **changes: Any) -> dict[str, Any]:
    at = NOON + timedelta(hours=iteration)
    return {
        "space_id": space_id,
        "evaluation_id": evaluation_id(space_id, iteration),
        "request_id": make_id("request", space_id, iteration),
        "iteration": iteration,
        "kind": "baseline",
        "answerer": "recorded:answers.jsonl",
        "state_hash": "state",
        "benchmark_set_hash": "benchmarks",
        "judge_version": "1",
        "comparison_policy": "bag_any_column",
        "model_id": "m-1",
        "mlflow_run_id": "run-1",
        "data_versions": {"shop.orders": 0},
        "question_count": 4,
        "correct_count": 1,
        "accuracy": 0.25,
        "outcome_counts": {"correct": 1, "incorrect": 3},
        "arbiter_counts": {"ground_truth_correct": 3},
        "failure_count": 3,
        "splits": [
            {"split": "train", "question_count": 2, "correct_count": 1, "accuracy": 0.5},
            {"split": "held_out", "question_count": 1, "correct_count": 0, "accuracy": 0.0},
            {"split": "sealed", "question_count": 1, "correct_count": 0, "accuracy": 0.0},
        ],
        "started_at": at,
        "finished_at": at + timedelta(minutes=1),
        "recorded_at": at + timedelta(minutes=1),
        **changes,
    }


def eval_result(question_id: str, *, is_correct: bool, iteration: int = 0) -> dict[str, Any]:
    return {
        "space_id": "shop",
        "evaluation_id": evaluation_id(iteration=iteration),
        "question_id": question_id,
        "attempt": 1,
        "benchmark_version": 1,
        "group_id": f"group of {question_id}",
        "split": SPLIT_OF[question_id],
        "question": TEXT_OF[question_id],
        "expected_sql": f"SELECT {question_id} FROM orders",
        "genie_sql": "SELECT 1",
        "answer_outcome": "answered",
        "ask_count": 1,
        "outcome": "correct" if is_correct else "incorrect",
        "match_step": "equal" if is_correct else None,
        "is_correct": is_correct,
    }


def failure(
    question_id: str, judge: str = "logical_accuracy", iteration: int = 0
) -> dict[str, Any]:
    evaluated = evaluation_id(iteration=iteration)
    verdict = make_id("verdict", evaluated, question_id, judge)
    return {
        "space_id": "shop",
        "failure_id": make_id("failure", verdict, 1),
        "verdict_id": verdict,
        "ordinal": 1,
        "evaluation_id": evaluated,
        "question_id": question_id,
        "attempt": 1,
        "group_id": f"group of {question_id}",
        "split": SPLIT_OF[question_id],
        "judge": judge,
        "rule": "filter_missing",
        "question": TEXT_OF[question_id],
        "expected_sql": f"SELECT {question_id} FROM orders",
        "genie_sql": "SELECT 1",
        "asi": {
            "failure_type": "missing_filter",
            "severity": "major",
            "confidence": 0.9,
            "wrong_clause": "WHERE",
            "blame_set": ["column:shop.orders.status"],
            "ambiguity_detected": False,
            "counterfactual_fix": "say what paid means",
        },
        "expected_fragment": "shop.orders.status = 'paid'",
        "actual_fragment": None,
        "unexplained_terms": ["paid"],
        "confirmation": "confirmed",
    }


def cluster(**changes: Any) -> dict[str, Any]:
    return {
        "space_id": "shop",
        "cluster_id": make_id("cluster", "shop", "filter_missing"),
        "cause": "filter_missing",
        "failure_type": "missing_filter",
        "blame": "column:shop.orders.status",
        "blame_set": ["column:shop.orders.status"],
        "lever": 1,
        "question_ids": ["q2"],
        "group_ids": ["group of q2"],
        "question_count": 1,
        "evaluation_count": 1,
        "failure_count": 1,
        "impact": 0.9,
        "first_evaluation_id": evaluation_id(),
        "last_evaluation_id": evaluation_id(),
        "first_seen_at": NOON,
        "last_seen_at": NOON,
        "evidence": {
            "fragments": [
                {"expected": "shop.orders.status = 'paid'", "actual": None, "group_count": 1}
            ],
            "terms": [{"term": "paid", "group_count": 1}],
            "fixes": ["say what paid means"],
        },
        "evidence_hash": "evidence",
        "updated_by": "0",
        **changes,
    }


def proposal(number: int, **changes: Any) -> dict[str, Any]:
    return {
        "space_id": "shop",
        "proposal_id": make_id("proposal", number),
        "cluster_id": make_id("cluster", "shop", "filter_missing"),
        "evaluation_id": evaluation_id(),
        "lever": 1,
        "patch_type": "set_column_comment",
        "patch": "{}",
        "target": f"column:shop.orders.column_{number}",
        "target_field": "comment",
        "before": None,
        "after": "paid, open or cancelled",
        "summary": f"Say which values column_{number} of orders has",
        "evidence": "1 question asks for paid orders, and nothing says how they are marked",
        "evidence_hash": "evidence",
        "question_ids": ["q2"],
        "questions_at_risk": 0,
        "impact": 0.9,
        "confidence": 0.8,
        "risk": "low",
        **changes,
    }


def batch(number: int, proposals: Sequence[int] = (1,), **changes: Any) -> dict[str, Any]:
    return {
        "space_id": "shop",
        "batch_id": make_id("batch", number),
        "kind": "lever",
        "cycle": 1,
        "lever": 1,
        "content_hash": f"content of {number}",
        "proposal_ids": [make_id("proposal", p) for p in proposals],
        "question_ids": ["q2"],
        "targets": [f"column:shop.orders.column_{p}" for p in proposals],
        "risk": "low",
        **changes,
    }


def lever_audit(lever: int, **changes: Any) -> dict[str, Any]:
    return {
        "space_id": "shop",
        "cycle": 1,
        "lever": lever,
        "is_attempted": lever == 1,
        "proposals_generated": 2 if lever == 1 else 0,
        "proposals_applied": 0,
        "skip_reason": None if lever == 1 else "no failure blames an object of this lever",
        "is_final": False,
        "evaluation_id": evaluation_id(),
        **changes,
    }


def shop(home: Home) -> None:
    """One space, evaluated once: a cluster, two proposals, a free batch and one behind it."""
    create(home)
    append(home, c.SPACES, [space()])
    append(home, c.BENCHMARKS, [benchmark(q) for q in SPLIT_OF])
    append(
        home,
        c.EVALUATION_REQUESTS,
        [
            {
                "space_id": "shop",
                "request_id": make_id("request", "shop", 0),
                "kind": "baseline",
                "ordinal": 1,
                "splits": ["train", "held_out", "sealed"],
                "requested_by": "ann",
            }
        ],
    )
    append(home, c.EVAL_RESULTS, [eval_result(q, is_correct=q == "q1") for q in SPLIT_OF])
    append(home, c.FAILURES, [failure("q2"), failure("q3"), failure("q4")])
    append(home, c.EVALUATIONS, [evaluation()])
    append(home, c.CLUSTERS, [cluster()])
    append(home, c.PROPOSALS, [proposal(1), proposal(2)])
    append(home, c.BATCHES, [batch(1), batch(2, [2], recorded_at=NOON + timedelta(minutes=5))])
    append(home, c.LEVER_AUDIT, [lever_audit(lever) for lever in c.LEVERS])


def judge_verdict(question_id: str, judge: str, value: str, iteration: int = 0) -> dict[str, Any]:
    evaluated = evaluation_id(iteration=iteration)
    return {
        "space_id": "shop",
        "verdict_id": make_id("verdict", evaluated, question_id, judge),
        "evaluation_id": evaluated,
        "question_id": question_id,
        "attempt": 1,
        "split": SPLIT_OF[question_id],
        "judge": judge,
        "value": value,
        "rationale": "because",
    }


def approval(number: int, **changes: Any) -> dict[str, Any]:
    return {
        "space_id": "shop",
        "decision_id": make_id("decision", number),
        "batch_id": make_id("batch", number),
        "content_hash": f"content of {number}",
        "decision": "approved",
        "decided_by": "ann",
        **changes,
    }


def intent(number: int, direction: str = "apply", **changes: Any) -> dict[str, Any]:
    return {
        "space_id": "shop",
        "intent_id": make_id("intent", number, direction),
        "batch_id": make_id("batch", number),
        "proposal_id": make_id("proposal", number),
        "direction": direction,
        "position": 1,
        "target": f"column:shop.orders.column_{number}",
        "pre_hash": "before",
        "post_hash": "after",
        "inverse": '{"changes": []}',
        **changes,
    }


def application(number: int, direction: str = "apply", **changes: Any) -> dict[str, Any]:
    return {
        "space_id": "shop",
        "application_id": make_id("application", number, direction),
        "batch_id": make_id("batch", number),
        "direction": direction,
        "state_hash": f"state after {direction} of {number}",
        "verified_at": NOON,
        **changes,
    }


def split_numbers(accuracy: float | None) -> dict[str, Any]:
    """What the gate records of a split; None: nothing to compare."""
    return {
        "compared_count": 0 if accuracy is None else 2,
        "accuracy_before": accuracy,
        "accuracy_after": accuracy,
        "difference": None if accuracy is None else 0.0,
        "difference_low": None,
        "difference_high": None,
        "p_gain": 0.75,
        "p_harm": 0.75,
    }


def gate_decision(number: int, decision: str, **changes: Any) -> dict[str, Any]:
    return {
        "space_id": "shop",
        "gate_decision_id": make_id("gate", number, 1),
        "batch_id": make_id("batch", number),
        "number": 1,
        "evaluation_ids": [evaluation_id(iteration=number)],
        "baseline_evaluation_id": evaluation_id(),
        "decision": decision,
        "train_net": 0,
        "held_out_net": 1,
        "statistics": json.dumps(
            {"train": split_numbers(0.5), "held_out": split_numbers(None), "train_accuracy": 0.5}
        ),
        "rationale": f"{decision}: train 1 gained, 1 lost of 2",
        **changes,
    }


def measured_shop(home: Home, decision: str = "rejected") -> None:
    """``shop``, and batch 1 approved, applied, evaluated and gated.

    It fixes q2 and q3 and breaks q1; q4 stays wrong.
    """
    shop(home)
    failed = failure("q2")
    member = {name: failed[name] for name in ("failure_id", "evaluation_id", "question_id")}
    of_cluster = {"space_id": "shop", "cluster_id": cluster()["cluster_id"]}
    append(home, c.CLUSTER_MEMBERS, [{**of_cluster, **member}])
    verdicts = [("q1", "yes", "no"), ("q2", "no", "yes"), ("q3", "no", "yes"), ("q4", "no", "no")]
    rows = [
        judge_verdict(question, "result_correctness", value, iteration)
        for question, *values in verdicts
        for iteration, value in enumerate(values)
    ]
    append(home, c.JUDGE_VERDICTS, rows)
    append(home, c.APPROVALS, [approval(1, recorded_at=NOON + timedelta(minutes=10))])
    append(home, c.APPLICATIONS, [application(1, recorded_at=NOON + timedelta(minutes=20))])
    append(
        home,
        c.EVAL_RESULTS,
        [eval_result(q, is_correct=q in ("q2", "q3"), iteration=1) for q in SPLIT_OF],
    )
    measures = {
        "application_id": make_id("application", 1, "apply"),
        "batch_id": make_id("batch", 1),
        "state_hash": "state after apply of 1",
        "model_id": "m-2",
    }
    append(home, c.EVALUATIONS, [evaluation(iteration=1, **measures)])
    append(home, c.GATE_DECISIONS, [gate_decision(1, decision)])
