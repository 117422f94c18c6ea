"""States: every state word by the rows that make it so, the same in Spark and in DataFusion.

One history holds all of it; the tests only look.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from deltalake import DeltaTable, QueryBuilder

from pipelines.states import States
from pipelines.tables import Tables
from pipelines.views import read_view
from tests.conftest import empty
from transforms.change_views import BATCH_STATES, CLUSTER_STATES, PROPOSAL_STATES
from transforms.contracts import (
    APPLICATION_INTENTS,
    APPLICATIONS,
    APPROVALS,
    ARBITER_VERDICTS_TABLE,
    BATCHES,
    BENCHMARK_CORRECTIONS,
    BENCHMARKS,
    BY_NAME,
    CLUSTERS,
    EVAL_RESULTS,
    EVALUATION_REQUESTS,
    EVALUATIONS,
    GATE_DECISIONS,
    LEAK_REFUSALS,
    LEVER_AUDIT,
    PROPOSALS,
    REPEATED_QUESTIONS,
    SPACES,
)
from transforms.evaluation_views import (
    BENCHMARK_STATES,
    EVALUATION_STATES,
    EVALUATION_SUMMARY,
    LATEST_EVALUATIONS,
    LATEST_SPACES,
    QUESTION_REPEATABILITY,
)
from transforms.views import SPACE_STATES, VIEWS, as_query

DAY = datetime(2026, 1, 1, tzinfo=UTC)


def at(hour: float) -> datetime:
    return DAY + timedelta(hours=hour)


def space(name, hour=0.0, **changed):
    return {
        "space_id": name,
        "registration_id": f"{name} at {hour}",
        "ordinal": int(hour * 60) + 1,
        "title": name,
        "domain": "shop",
        "data_schema": "shop",
        "policy": "manual",
        "comparison_policy": "bag",
        "config": "{}",
        "target_accuracy": 0.85,
        "max_applied_batches": 12,
        "recorded_at": at(hour),
        **changed,
    }


def benchmark(question, version=1, *, hour=0.0, **changed):
    return {
        "space_id": "shop",
        "question_id": question,
        "benchmark_version": version,
        "benchmark_hash": f"{question}/{version}",
        "group_id": question,
        "question": f"What of {question}?",
        "expected_sql": f"SELECT {version}",
        "split": "train",
        "source": "imported" if version == 1 else "corrected",
        "status": "active",
        "recorded_at": at(hour),
        **changed,
    }


def evaluation(name, hour, *, space="shop", **changed):
    return {
        "space_id": space,
        "evaluation_id": name,
        "request_id": f"request of {name}",
        "iteration": 0,
        "kind": "baseline",
        "answerer": "recorded:x",
        "state_hash": "s",
        "benchmark_set_hash": "b",
        "judge_version": "1",
        "comparison_policy": "bag",
        "model_id": "m",
        "mlflow_run_id": "r",
        "data_versions": {"shop.orders": 3},
        "question_count": 4,
        "correct_count": 2,
        "accuracy": 0.5,
        "outcome_counts": {"correct": 2, "incorrect": 2},
        "arbiter_counts": {"skipped": 1},
        "failure_count": 2,
        "splits": [{"split": "train", "question_count": 4, "correct_count": 2, "accuracy": 0.5}],
        "started_at": at(hour),
        "finished_at": at(hour + 0.5),
        "recorded_at": at(hour + 0.5),
        **changed,
    }


def answered(evaluation_id, question, outcome, expected_row_count):
    return {
        "space_id": "shop",
        "evaluation_id": evaluation_id,
        "question_id": question,
        "attempt": 1,
        "benchmark_version": 1,
        "group_id": "g",
        "split": "sealed" if evaluation_id == "first" else "train",
        "question": "?",
        "expected_sql": "SELECT 1",
        "answer_outcome": "answered",
        "ask_count": 1,
        "outcome": outcome,
        "match_step": "equal",
        "is_correct": outcome == "correct",
        "expected_row_count": expected_row_count,
    }


def repeated(evaluation_id, question, state, asked_count):
    return {
        "space_id": "shop",
        "evaluation_id": evaluation_id,
        "question_id": question,
        "split": "train",
        "question": "?",
        "answerer": "genie:x",
        "state_hash": state,
        "asked_count": asked_count,
        "answers": [{"asked_count": asked_count, "genie_sql": "SELECT 1", "result_hash": None}],
        "result_share": 1.0,
        "sql_count": 1,
        "sql_share": 1.0,
        "is_unstable": False,
    }


def cluster(name, first, last, *, evaluation_count=1, questions=("q1",)):
    return {
        "space_id": "shop",
        "cluster_id": name,
        "cause": "wrong_column",
        "failure_type": "wrong_column",
        "blame": name,
        "blame_set": [name],
        "lever": 1,
        "question_ids": list(questions),
        "group_ids": list(questions),
        "question_count": len(questions),
        "evaluation_count": evaluation_count,
        "failure_count": evaluation_count,
        "impact": 1.0,
        "first_evaluation_id": f"at {first}",
        "last_evaluation_id": f"at {last}",
        "first_seen_at": at(first),
        "last_seen_at": at(last),
        "evidence": {"fragments": [], "terms": [], "fixes": []},
        "evidence_hash": name,
        "updated_by": "stream:0",
        "recorded_at": at(last),
    }


def proposal(name, *, target=None, hour=2.0, cluster="any", impact=1.0, space="shop"):
    return {
        "space_id": space,
        "proposal_id": name,
        "cluster_id": cluster,
        "evaluation_id": "second",
        "lever": 1,
        "patch_type": "set_column_comment",
        "patch": f"patch of {name}",
        "target": target or f"column:shop.orders.{name.replace(' ', '_')}",
        "target_field": "comment",
        "after": name,
        "summary": name,
        "evidence": name,
        "evidence_hash": name,
        "question_ids": ["q1"],
        "questions_at_risk": 0,
        "impact": impact,
        "confidence": 0.5,
        "risk": "low",
        "recorded_at": at(hour),
    }


def batch(name, proposals, *, hour=3.0, space="shop", targets=(), cycle=1, kind="lever"):
    return {
        "space_id": space,
        "batch_id": name,
        "kind": kind,
        "cycle": cycle,
        "lever": 1 if kind == "lever" else 0,
        "content_hash": f"content of {name}",
        "proposal_ids": list(proposals),
        "question_ids": ["q1"],
        "targets": list(targets) or [f"table:of.{name}"],
        "risk": "low",
        "recorded_at": at(hour),
    }


def decision(batch, what, *, hour=4.0, content=None, by="ann"):
    return {
        "space_id": "shop",
        "decision_id": f"{batch} {what} {by}",
        "batch_id": batch,
        "content_hash": content or f"content of {batch}",
        "decision": what,
        "decided_by": by,
        "reason": f"{by} says {what}",
        "recorded_at": at(hour),
    }


def application(batch, direction="apply", *, hour=5.0, proposals=None, space="shop"):
    return {
        "space_id": space,
        "application_id": f"{direction} {batch}",
        "batch_id": batch,
        "direction": direction,
        "state_hash": "s",
        "proposal_ids": proposals,
        "verified_at": at(hour),
        "recorded_at": at(hour),
    }


def gate(batch, what, *, number=1, hour=6.0, **changed):
    return {
        "space_id": "shop",
        "gate_decision_id": f"{batch}/{number}",
        "batch_id": batch,
        "number": number,
        "evaluation_ids": [f"after {batch}"],
        "decision": what,
        "train_net": 1,
        "held_out_net": 0,
        "rationale": f"{what}: by test",
        "recorded_at": at(hour),
        **changed,
    }


# The batch and the proposal in it that end in each state.
BATCH_ENDS = (
    "proposed", "approved", "declined", "applied", "accepted", "rejected", "undone", "stale",
)  # fmt: skip
APPLIED = ("applied", "accepted", "rejected", "undone")

HISTORY: dict[str, list[dict[str, Any]]] = {
    SPACES.name: [space("shop"), space("shop", 1, title="The shop"), space("bank"), space("new")],
    BENCHMARKS.name: [
        benchmark("q1"),
        benchmark("corrected"),
        benchmark("corrected", 2, hour=9),
        benchmark("corrected again"),
        benchmark("corrected again", 2, hour=9),
        benchmark("quarantined", status="quarantined"),
        benchmark("suspect"),
        benchmark("neither right once"),
        benchmark("fails"),
        benchmark("fails no more"),
        benchmark("empty"),
        benchmark("empty before", 1),
        benchmark("empty before", 2, hour=9),
        benchmark("to be corrected"),
        benchmark("held out", split="held_out"),
    ],
    BENCHMARK_CORRECTIONS.name: [
        {
            "space_id": "shop",
            "correction_id": question,
            "question_id": question,
            "question": question,
            "old_gt": "SELECT 1",
            "genie_sql": "SELECT 9",
            "evidence": "so",
            "times_seen": 1,
            "evaluation_ids": ["first"],
        }
        for question in ("to be corrected", "corrected")
    ],
    ARBITER_VERDICTS_TABLE.name: [
        {
            "space_id": "shop",
            "evaluation_id": evaluation_id,
            "question_id": question,
            "attempt": 1,
            "split": "train",
            "question": "?",
            "expected_sql": "SELECT 1",
            "genie_sql": "SELECT 2",
            "verdict": "neither_correct",
            "rule": "r",
            "evidence": "e",
            "action": "review",
        }
        for evaluation_id, question in (
            ("first", "suspect"),
            ("second", "suspect"),
            ("first", "neither right once"),
        )
    ],
    EVALUATION_REQUESTS.name: [
        {
            "space_id": "shop",
            "request_id": "request of sealed only",
            "kind": "final",
            "ordinal": 1,
            "splits": ["sealed"],
            "requested_by": "ann",
        }
    ],
    EVALUATIONS.name: [
        evaluation("first", 1),
        evaluation("second", 2),
        evaluation("peek", 6.61, kind="canary"),
        evaluation("sealed only", 6.62, kind="final"),
        evaluation(
            "after accepted", 6, batch_id="accepted", application_id="apply accepted", iteration=1
        ),
        evaluation("after rejected", 6.9, batch_id="rejected", application_id="apply rejected"),
        evaluation("after undone", 6.6, batch_id="undone", application_id="undo undone"),
        evaluation("waiting for the gate", 6.7, batch_id="applied", application_id="apply applied"),
        evaluation("while one is rejected", 7),
        evaluation("of the bank", 1, space="bank"),
    ],
    REPEATED_QUESTIONS.name: [
        repeated("first", "asked twice", "s", 2),
        repeated("while one is rejected", "asked twice", "s", 3),
        repeated("while one is rejected", "asked in another state", "after", 2),
    ],
    EVAL_RESULTS.name: [
        {
            "space_id": "shop",
            "evaluation_id": "first",
            "question_id": f"{split} {outcome}",
            "attempt": 1,
            "benchmark_version": 1,
            "group_id": "g",
            "split": split,
            "question": "?",
            "expected_sql": "SELECT 1",
            "answer_outcome": "answered",
            "ask_count": 1,
            "outcome": outcome,
            "match_step": "identical",
            "is_correct": outcome == "correct",
        }
        for split in ("train", "held_out", "sealed")
        for outcome in ("correct", "incorrect", "infrastructure")
    ]
    + [
        answered("first", "fails", "expected_sql_error", None),
        answered("first", "fails no more", "expected_sql_error", None),
        answered("second", "fails no more", "correct", 1),
        answered("second", "empty", "correct", 0),
        answered("second", "empty before", "incorrect", 0),
    ],
    CLUSTERS.name: [
        cluster("open", 6, 6.6, evaluation_count=3),
        cluster("resolved", 1, 2, evaluation_count=2),
        cluster("only when rejected", 6.65, 6.65),
        cluster("regressed", 1, 6.6, evaluation_count=2),
        cluster("retracted", 6.6, 6.6, questions=("corrected", "corrected again", "quarantined")),
        cluster("half retracted", 6.6, 6.6, questions=("corrected", "q1")),
        cluster("addressed", 6.6, 6.6),
    ],
    PROPOSALS.name: [
        *(proposal(state) for state in BATCH_ENDS if state != "stale"),
        # Another space changed the same column after the batch was formed.
        proposal("stale", target="column:shop.orders.shared"),
        proposal("changes the same", target="column:shop.orders.shared", space="bank"),
        proposal("open", hour=8),
        proposal("higher", target="column:shop.orders.same", impact=2.0, hour=8),
        proposal("lower", target="column:shop.orders.same", hour=8),
        proposal("behind the batch", target="column:shop.orders.proposed", impact=9.0, hour=8),
        proposal("leaks", hour=8),
        proposal("of a resolved cluster", cluster="resolved", hour=8),
        proposal("of a retracted cluster", cluster="retracted", hour=8),
        proposal("not approved of its batch"),
        proposal("for addressed", cluster="addressed"),
        proposal("rolled back"),
        proposal("taken back"),
        proposal("begun"),
    ],
    LEAK_REFUSALS.name: [
        {
            "space_id": "shop",
            "proposal_id": "leaks",
            "fingerprint": fingerprint,
            "split": split,
            "overlap_kind": "sql_text",
            "overlap": 1.0,
        }
        for fingerprint, split in (("f1", "train"), ("f2", "held_out"))
    ],
    BATCHES.name: [
        batch("proposed", ["proposed"], hour=3.0),
        batch("approved", ["approved"], hour=3.1),
        batch("declined", ["declined"], hour=2.1),
        batch("applied", ["applied", "not approved of its batch"], hour=2.2),
        batch("accepted", ["accepted"], hour=2.3),
        batch("rejected", ["rejected"], hour=2.4),
        batch("undone", ["undone"], hour=2.5),
        batch("stale", ["stale"], hour=2.6),
        batch("rolled back", ["rolled back"], hour=2.45),
        batch("taken back", ["taken back"], hour=2.46),
        batch("begun", ["begun"], hour=2.47),
        batch("of the bank", ["changes the same"], space="bank", hour=2.7),
        batch("late", ["for addressed"], hour=2.8),
        batch("same table", ["x"], space="new", targets=["table:of.approved"], hour=3.2),
        batch("of no change yet", ["x"], space="late", targets=["table:of.proposed"], hour=3.2),
        batch("own table", ["x"], space="new space", hour=3.3),
        batch("correction", ["x"], space="corrected space", kind="correction", hour=3.4),
        batch("lever beside it", ["x"], space="corrected space", hour=3.4),
        batch("undecided", ["x"], space="auto space", kind="correction", hour=3.5),
        batch("by policy", ["x"], space="auto space", hour=3.6),
        batch("older", ["x"], space="begun space", kind="correction", hour=3.5),
        batch("first begun", ["x"], space="begun space", hour=3.6),
    ],
    APPROVALS.name: [
        *(decision(state, "approved") for state in ("approved", *APPLIED)),
        *(
            decision(name, "approved")
            for name in ("correction", "lever beside it", "by policy", "older", "first begun")
        ),
        decision("declined", "declined"),
        decision("declined", "approved", by="bob"),  # at the same time: declined counts
        decision("taken back", "approved", by="bob"),
        decision("taken back", "declined", hour=4.5),
        decision("begun", "approved", by="bob"),
        decision("begun", "declined", hour=4.5),
        decision("accepted", "declined", hour=6.2, by="late"),
        decision("proposed", "approved", content="another content"),
        decision("of the bank", "approved"),
        decision("late", "approved"),
        decision("rolled back", "approved"),
        decision("rolled back", "rolled_back", hour=6.35),
    ],
    APPLICATION_INTENTS.name: [
        {
            "space_id": "shop",
            "intent_id": f"intent of {name}",
            "batch_id": name,
            "proposal_id": name,
            "direction": "apply",
            "position": 1,
            "target": f"column:shop.orders.{name}",
            "pre_hash": "before",
            "post_hash": "after",
            "inverse": "{}",
            "recorded_at": at(4.4),
        }
        for name in ("accepted", "begun", "first begun")
    ],
    APPLICATIONS.name: [
        application("applied", proposals=["applied"], hour=6.65),
        application("accepted"),
        application("rejected", hour=6.8),
        application("undone", hour=6.05),
        application("undone", "undo", hour=6.5),
        application("rolled back", hour=6.3),
        application("rolled back", "undo", hour=6.4),
        application("of the bank", space="bank"),
        application("late", hour=7),
    ],
    GATE_DECISIONS.name: [
        gate("accepted", "undecided"),
        gate("accepted", "accepted", number=2, hour=6.1),
        gate("rejected", "rejected", hour=6.2),
        gate("undone", "rejected"),
        gate("rolled back", "accepted", hour=6.32, stop_reason="target"),
    ],
    LEVER_AUDIT.name: [
        {
            "space_id": name,
            "cycle": cycle,
            "lever": lever,
            "is_attempted": False,
            "proposals_generated": 0,
            "proposals_applied": 0,
            "skip_reason": "nothing",
            "is_final": is_final,
            "evaluation_id": "first",
        }
        for name, cycle, is_final in (("shop", 1, True), ("shop", 2, False), ("bank", 1, True))
        for lever in range(1, 7)
    ],
}


@pytest.fixture(scope="module")
def history(created_tables, home) -> Tables:
    empty(created_tables, home)
    for name, rows in HISTORY.items():
        created_tables.append_rows(BY_NAME[name], rows, transaction="history")
    return created_tables


@pytest.fixture(scope="module")
def states(history) -> States:
    """The views as Spark computes them, on Databricks and wherever the tables are large."""
    return States(Tables(history.spark, schema=history.schema, clock=history.clock))


def state_of(states, view, key):
    return {row[key]: row["state"] for row in states.of(view).collect()}


def _plain(value):
    """Rows of both engines as comparable values: DataFusion gives a map as a list of pairs."""
    if isinstance(value, dict):
        return {name: _plain(one) for name, one in value.items()}
    if isinstance(value, list | tuple):
        items = [_plain(one) for one in value]
        is_map = bool(items) and all(isinstance(one, list) and len(one) == 2 for one in items)
        return dict(items) if is_map else items
    if isinstance(value, datetime):
        return value.replace(tzinfo=None)
    return value


def _sorted(rows):
    return sorted((_plain(row) for row in rows), key=repr)


@pytest.mark.parametrize("view", VIEWS, ids=lambda view: view.name)
def test_spark_and_datafusion_see_the_same_rows(history, states, home, view):
    builder = QueryBuilder()
    for name in BY_NAME:
        builder.register(name, DeltaTable(home.table_path(history.schema, name)))
    table = builder.execute(as_query(view)).read_all()
    names = [field.name for field in table.schema]
    columns = [table.column(name).to_pylist() for name in names]
    by_datafusion = _sorted(
        dict(zip(names, row, strict=True)) for row in zip(*columns, strict=True)
    )
    by_spark = _sorted(row.asDict(recursive=True) for row in states.of(view).collect())
    assert by_datafusion == by_spark
    assert by_spark, "a view without rows shows nothing"


@pytest.mark.parametrize("view", VIEWS, ids=lambda view: view.name)
def test_a_view_at_hand_is_the_view_that_spark_computes(history, states, view):
    at_hand, by_spark = history.view_at_hand(view), states.of(view)
    assert [(f.name, f.dataType.simpleString()) for f in at_hand.schema] == [
        (f.name, f.dataType.simpleString()) for f in by_spark.schema
    ]
    plain = [
        _sorted(r.asDict(recursive=True) for r in one.collect()) for one in (at_hand, by_spark)
    ]
    assert plain[0] == plain[1]


@pytest.mark.parametrize("view", [SPACE_STATES, BATCH_STATES], ids=lambda view: view.name)
def test_the_view_in_the_catalog_has_the_same_rows(history, states, view):
    in_catalog = _sorted(row.asDict(recursive=True) for row in read_view(history, view).collect())
    assert in_catalog == _sorted(row.asDict(recursive=True) for row in states.of(view).collect())


def test_every_state_of_a_batch(states):
    found = state_of(states, BATCH_STATES, "batch_id")
    assert {name: found[name] for name in BATCH_ENDS} == {name: name for name in BATCH_ENDS}


def test_a_batch_that_is_settled_is_in_nobodys_way(states):
    settled = {row["state"] for row in states.of(BATCH_STATES).where("is_settled").collect()}
    assert settled == {"declined", "accepted", "undone", "stale"}


def test_a_batch_waits_for_the_first_in_flight_of_its_space_or_table(states):
    waits = {row["batch_id"]: row["waits_for"] for row in states.of(BATCH_STATES).collect()}
    assert waits["same table"] == "approved"
    assert waits["of no change yet"] is None, "what nobody decided on is in nobody's way"
    assert waits["own table"] is None
    assert waits["approved"] == waits["proposed"] == "applied"
    assert waits["correction"] is None
    assert waits["lever beside it"] == "correction", "of two at once the correction comes first"
    assert (waits["by policy"], waits["undecided"]) == (None, "by policy")
    assert (waits["first begun"], waits["older"]) == (None, "first begun")


def test_who_declines_counts_until_it_is_applied_and_undoes_what_was_begun(states):
    rows = {row["batch_id"]: row for row in states.of(BATCH_STATES).collect()}
    names = ("approved", "declined", "taken back", "begun", "accepted")
    assert {name: (rows[name]["state"], rows[name]["decision_reason"]) for name in names} == {
        "approved": ("approved", "ann says approved"),
        "declined": ("declined", "ann says declined"),
        "taken back": ("declined", "ann says declined"),
        "begun": ("rejected", "ann says declined"),
        "accepted": ("accepted", "ann says approved"),
    }


def test_an_approval_of_other_content_approves_nothing(states):
    row = states.of(BATCH_STATES).where("batch_id = 'proposed'").collect()[0]
    assert (row["state"], row["decided_by"]) == ("proposed", None)


PROPOSAL_ENDS = {
    "open": ("open", None),
    "higher": ("open", None),
    "lower": ("waiting", "higher changes the same and comes first"),
    "behind the batch": ("waiting", "proposed changes the same and comes first"),
    "proposed": ("batched", None),
    "approved": ("batched", None),
    "applied": ("applied", None),
    "not approved of its batch": ("declined", None),
    "accepted": ("accepted", None),
    "rejected": ("rejected", "rejected: by test"),
    "undone": ("rejected", "rejected: by test"),
    "rolled back": ("rejected", "rolled back by ann"),
    "declined": ("declined", "ann says declined"),
    "taken back": ("declined", "ann says declined"),
    "begun": ("rejected", "ann says declined"),
    "leaks": ("refused", "it reproduces a benchmark of split held_out"),
    "stale": ("stale", "what it would change has changed"),
    "of a resolved cluster": ("stale", "its cluster is resolved"),
    "of a retracted cluster": ("stale", "its cluster is retracted"),
}


def test_every_state_of_a_proposal_and_why(states):
    rows = {row["proposal_id"]: row for row in states.of(PROPOSAL_STATES).collect()}
    found = {name: (rows[name]["state"], rows[name]["state_reason"]) for name in PROPOSAL_ENDS}
    assert found == PROPOSAL_ENDS


def test_a_proposal_has_one_row(states):
    assert states.of(PROPOSAL_STATES).count() == len(HISTORY[PROPOSALS.name])


def test_every_state_of_a_cluster(states):
    assert state_of(states, CLUSTER_STATES, "cluster_id") == {
        "open": "open",
        "half retracted": "open",
        "resolved": "resolved",
        "only when rejected": "resolved",
        "regressed": "regressed",
        "retracted": "retracted",
        "addressed": "addressed",
    }


def test_every_state_of_a_benchmark(states):
    assert state_of(states, BENCHMARK_STATES, "question_id") == {
        "q1": "active",
        "held out": "active",
        "corrected": "corrected",
        "corrected again": "corrected",
        "quarantined": "quarantined",
        "suspect": "suspect",
        "neither right once": "active",
        "to be corrected": "active",
        "fails": "suspect",
        "fails no more": "active",
        "empty": "suspect",
        "empty before": "corrected",
    }
    told = {row["question_id"]: row["suspicion"] for row in states.of(BENCHMARK_STATES).collect()}
    assert told["suspect"] == "neither its expected SQL nor the answer is right, twice"
    assert told["fails"] == "its expected SQL does not run"
    assert told["empty"] == "its expected SQL gives no row"
    assert told["q1"] is None


def test_an_evaluation_is_accepted_when_what_it_shows_stands(states):
    assert state_of(states, EVALUATION_STATES, "evaluation_id") == {
        "first": "accepted",
        "second": "accepted",
        "peek": "accepted",
        "sealed only": "accepted",
        "after accepted": "accepted",
        "after rejected": "rejected",
        "after undone": "accepted",
        "waiting for the gate": "undecided",
        "while one is rejected": "rejected",
        "of the bank": "accepted",
    }


def test_the_latest_evaluation_is_the_newest_accepted_one_that_asks_train(states):
    rows = states.of(LATEST_EVALUATIONS).collect()
    assert {row["space_id"]: row["evaluation_id"] for row in rows} == {
        "shop": "after undone",
        "bank": "of the bank",
    }


def test_the_newest_registration_of_a_space_counts(states):
    titles = {row["space_id"]: row["title"] for row in states.of(LATEST_SPACES).collect()}
    assert titles == {"shop": "The shop", "bank": "bank", "new": "new"}


def test_a_summary_shows_the_splits_side_by_side(states):
    row = states.of(EVALUATION_SUMMARY).where("evaluation_id = 'first'").collect()[0]
    for split, count in (("train", 3), ("held_out", 3), ("sealed", 5)):
        assert (row[f"{split}_count"], row[f"{split}_correct"]) == (count, 1)
    assert row["infrastructure_count"] == 3


def test_the_newest_askings_of_a_question_in_a_state_are_shown(states):
    found = {
        (row["question_id"], row["state_hash"]): row["asked_count"]
        for row in states.of(QUESTION_REPEATABILITY).collect()
    }
    assert found == {("asked twice", "s"): 3, ("asked in another state", "after"): 2}


def test_a_space_is_on_a_plateau_after_a_cycle_without_an_accepted_batch(states):
    rows = {row["space_id"]: row for row in states.of(SPACE_STATES).collect()}
    assert {name: row["state"] for name, row in rows.items()} == {
        "shop": "improving",
        "bank": "plateau",
        "new": "not evaluated",
    }
    assert (rows["shop"]["cycle"], rows["shop"]["final_count"]) == (2, 0)
