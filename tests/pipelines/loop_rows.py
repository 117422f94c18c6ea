"""Rows of a small history for tests: a space, its benchmarks, evaluations with all their evidence.

Everything is written the way the evaluate job does: the rows first, the evaluation last.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from pipelines.tables import Tables
from transforms.contracts import (
    APPLICATIONS,
    APPROVALS,
    ARBITER_VERDICTS_TABLE,
    BENCHMARKS,
    EVAL_RESULTS,
    EVALUATIONS,
    FAILURES,
    PROFILES,
    SPACES,
)
from transforms.identity import make_id

START = datetime(2026, 1, 2, 3, tzinfo=UTC)


@dataclass(frozen=True)
class Q:
    """A question and how it went: wrong answers have a rule, a blame and a fragment."""

    id: str
    is_correct: bool = False
    split: str = "train"
    group: str | None = None
    question: str | None = None
    expected_sql: str | None = None
    rule: str = "wrong_column"
    failure_type: str = "wrong_column"
    blame: Sequence[str] = ("column:shop.orders.status",)
    expected: str | None = "shop.orders.status"
    actual: str | None = "shop.orders.state"
    terms: Sequence[str] = ("shipped",)
    confirmation: str = "confirmed"
    verdict: str | None = "ground_truth_correct"
    genie_sql: str | None = None
    outcome: str | None = None
    version: int = 1

    @property
    def group_id(self) -> str:
        return self.group or f"group-{self.id}"

    @property
    def text(self) -> str:
        return self.question or f"What about {self.id} of the shop in {self.split}?"

    @property
    def sql(self) -> str:
        return self.expected_sql or f"SELECT status FROM orders WHERE id = '{self.id}'"

    @property
    def produced(self) -> str:
        return self.genie_sql or f"SELECT state FROM orders WHERE id = '{self.id}'"

    @property
    def final_outcome(self) -> str:
        return self.outcome or ("correct" if self.is_correct else "incorrect")

    @property
    def is_failure(self) -> bool:
        fails = not self.is_correct and self.final_outcome != "infrastructure"
        return fails and self.verdict in {"ground_truth_correct", "neither_correct", None}


def add_space(
    tables: Tables, space_id: str = "shop-a", *, schema: str = "shop", **changed: Any
) -> None:
    """A space over a schema with the profile of one table, ``orders``."""
    row = {
        "space_id": space_id,
        "registration_id": make_id("registration", space_id, changed.get("config", "{}")),
        "ordinal": 1,
        "title": space_id,
        "domain": "shop",
        "data_schema": schema,
        "policy": "manual",
        "comparison_policy": "bag_any_column",
        "config": "{}",
        "target_accuracy": 0.85,
        "max_applied_batches": 12,
        **changed,
    }
    tables.append_rows(SPACES, [row], transaction=str(row["registration_id"]))
    columns = ("status", "state", "amount")
    profiles = [_profile(space_id, schema, None), *(_profile(space_id, schema, c) for c in columns)]
    tables.append_rows(PROFILES, profiles, transaction=f"profiles-{space_id}")


def _profile(space_id: str, schema: str, column: str | None) -> dict[str, Any]:
    return {
        "space_id": space_id,
        "profile_id": make_id("profile", space_id, column),
        "table_name": f"{schema}.orders",
        "table_version": 0,
        "column_name": column,
        "data_type": column and "string",
        "comment": None,
        "is_primary_key": False,
        "row_count": 100,
        "distinct_count": column and 3,
        "null_count": column and 0,
        "sample_values": ["open", "shipped", "returned"] if column else None,
        "is_sample_complete": column is not None,
    }


def add_benchmarks(tables: Tables, questions: Sequence[Q], space_id: str = "shop-a") -> None:
    """Benchmarks of the questions, in their versions."""
    rows = [
        {
            "space_id": space_id,
            "question_id": q.id,
            "benchmark_version": q.version,
            "benchmark_hash": make_id("benchmark", q.text, q.sql),
            "group_id": q.group_id,
            "question": q.text,
            "expected_sql": q.sql,
            "split": q.split,
            "source": "imported" if q.version == 1 else "corrected",
            "status": "active",
        }
        for q in questions
    ]
    tables.append_rows(BENCHMARKS, rows, transaction=make_id("benchmarks", space_id, rows))


@dataclass(frozen=True)
class Evaluation:
    """An evaluation to be written; ``number`` counts those of a space and is their time."""

    questions: Sequence[Q]
    number: int = 1
    space_id: str = "shop-a"
    application_id: str | None = None
    batch_id: str | None = None
    kind: str = "baseline"
    changed: Mapping[str, Any] = field(default_factory=dict)

    @property
    def id(self) -> str:
        return make_id("evaluation", self.space_id, self.number)

    @property
    def started_at(self) -> datetime:
        return START + timedelta(hours=self.number)

    @property
    def row(self) -> dict[str, Any]:
        questions = self.questions
        verdicts = [q.verdict for q in questions if q.verdict and not q.is_correct]
        return {
            "space_id": self.space_id,
            "evaluation_id": self.id,
            "request_id": make_id("request", self.space_id, self.number),
            "application_id": self.application_id,
            "batch_id": self.batch_id,
            "cycle": 1,
            "iteration": self.number - 1,
            "kind": self.kind,
            "answerer": "recorded:answers",
            "state_hash": self.application_id or "0" * 64,
            "benchmark_set_hash": "1" * 64,
            "judge_version": "1",
            "comparison_policy": "bag_any_column",
            "model_id": "m-1",
            "mlflow_run_id": "r-1",
            "data_versions": {},
            "question_count": len(questions),
            "correct_count": sum(q.is_correct for q in questions),
            "accuracy": sum(q.is_correct for q in questions) / len(questions),
            "outcome_counts": _counts([q.final_outcome for q in questions]),
            "arbiter_counts": _counts(verdicts),
            "failure_count": sum(q.is_failure for q in questions),
            "splits": [_split(questions, name) for name in ("train", "held_out", "sealed")],
            "started_at": self.started_at,
            "finished_at": self.started_at + timedelta(minutes=10),
            **self.changed,
        }


def _counts(values: Sequence[str | None]) -> dict[str, int]:
    return {value: values.count(value) for value in values if value is not None}


def _split(questions: Sequence[Q], name: str) -> dict[str, Any]:
    mine = [q for q in questions if q.split == name]
    correct = sum(q.is_correct for q in mine)
    return {
        "split": name,
        "question_count": len(mine),
        "correct_count": correct,
        "accuracy": correct / len(mine) if mine else None,
    }


def add_evaluation(tables: Tables, evaluation: Evaluation) -> None:
    """Write an evaluation with its evidence, the evaluation last."""
    add_evidence(tables, evaluation)
    tables.append_rows(EVALUATIONS, [evaluation.row], transaction=evaluation.id)


def add_evidence(tables: Tables, evaluation: Evaluation) -> None:
    """The rows that belong to an evaluation."""
    name = evaluation.id
    tables.append_rows(EVAL_RESULTS, result_rows(evaluation), transaction=name)
    tables.append_rows(FAILURES, failure_rows(evaluation), transaction=name)
    tables.append_rows(ARBITER_VERDICTS_TABLE, verdict_rows(evaluation), transaction=name)


def result_rows(evaluation: Evaluation) -> list[dict[str, Any]]:
    """Rows of eval_results, finished."""
    return [
        {
            **_place(evaluation, q),
            "benchmark_version": q.version,
            "group_id": q.group_id,
            "question": q.text,
            "expected_sql": q.sql,
            "genie_sql": q.produced,
            "answer_outcome": "failed" if q.final_outcome == "infrastructure" else "answered",
            "ask_count": 1,
            "outcome": q.final_outcome,
            "match_step": "identical" if q.is_correct else None,
            "is_correct": None if q.final_outcome == "infrastructure" else q.is_correct,
        }
        for q in evaluation.questions
    ]


def failure_rows(evaluation: Evaluation) -> list[dict[str, Any]]:
    """Rows of failures, one per question that failed."""
    return [
        {
            **_place(evaluation, q),
            "failure_id": make_id("failure", evaluation.id, q.id),
            "verdict_id": make_id("verdict", evaluation.id, q.id),
            "ordinal": 1,
            "group_id": q.group_id,
            "judge": "schema_accuracy",
            "rule": q.rule,
            "question": q.text,
            "expected_sql": q.sql,
            "genie_sql": q.produced,
            "asi": {
                "failure_type": q.failure_type,
                "severity": "major",
                "confidence": 0.9,
                "blame_set": list(q.blame),
                "wrong_clause": "SELECT",
                "quoted_metadata_text": None,
                "missing_metadata": None,
                "ambiguity_detected": False,
                "expected_value": q.expected,
                "actual_value": q.actual,
                "counterfactual_fix": f"Describe {q.blame[0]}",
                "affected_question_pattern": None,
            },
            "expected_fragment": q.expected,
            "actual_fragment": q.actual,
            "unexplained_terms": list(q.terms),
            "confirmation": q.confirmation,
        }
        for q in evaluation.questions
        if q.is_failure
    ]


def verdict_rows(evaluation: Evaluation) -> list[dict[str, Any]]:
    """Rows of arbiter_verdicts, one per wrong answer that was arbitrated."""
    return [
        {
            **_place(evaluation, q),
            "question": q.text,
            "expected_sql": q.sql,
            "genie_sql": q.produced,
            "verdict": q.verdict,
            "confidence": 0.8,
            "rule": "by_test",
            "evidence": "the data says so",
            "action": "correct" if q.verdict == "genie_correct" else "cluster",
        }
        for q in evaluation.questions
        if q.verdict and not q.is_correct
    ]


def _place(evaluation: Evaluation, q: Q) -> dict[str, Any]:
    return {
        "space_id": evaluation.space_id,
        "evaluation_id": evaluation.id,
        "question_id": q.id,
        "attempt": 1,
        "split": q.split,
    }


def decide(tables: Tables, batch: Mapping[str, Any], decision: str = "approved") -> None:
    """A person's decision on a batch."""
    row = {
        "space_id": batch["space_id"],
        "decision_id": make_id("decision", batch["batch_id"], decision),
        "batch_id": batch["batch_id"],
        "content_hash": batch["content_hash"],
        "decision": decision,
        "decided_by": "tester",
    }
    tables.append_rows(APPROVALS, [row], transaction=str(row["decision_id"]))


def apply(tables: Tables, batch: Mapping[str, Any], direction: str = "apply") -> str:
    """What the apply job would record; gives the application's id."""
    application_id = make_id("application", batch["batch_id"], direction)
    row = {
        "space_id": batch["space_id"],
        "application_id": application_id,
        "batch_id": batch["batch_id"],
        "direction": direction,
        "state_hash": "2" * 64,
        "proposal_ids": batch["proposal_ids"],
        "verified_at": tables.clock(),
    }
    tables.append_rows(APPLICATIONS, [row], transaction=application_id)
    return application_id
