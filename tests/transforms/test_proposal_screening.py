"""What becomes a proposal: no change twice, none that is on its way or done."""

from __future__ import annotations

import pytest

from tests.transforms.contract_frames import frame
from transforms.contracts import EVAL_RESULTS, PROPOSALS
from transforms.patches import (
    AddInstruction,
    AddJoinSpec,
    AddSqlSnippet,
    SetColumnComment,
    SetFunctionComment,
    SetMetricViewMeasure,
    SetTableComment,
)
from transforms.proposal_rows import DRAFT_DDL, DRAFT_SCHEMA, PROPOSAL_COLUMNS, touched_names
from transforms.proposal_screening import new_changes, with_questions_at_risk

PENDING_OR_DONE = ("open", "waiting", "batched", "applied", "accepted")
TURNED_DOWN = ("declined", "rejected", "refused", "stale")


def drafts(spark, *rows):
    names = DRAFT_SCHEMA.names
    defaults = {"space_id": "shop", "lever": 1, "impact": 1.0, "confidence": 0.5}
    filled = [{**defaults, **row} for row in rows]
    return spark.createDataFrame([tuple(row.get(n) for n in names) for row in filled], DRAFT_DDL)


def screened(spark, drafted, known):
    states = frame(
        spark, PROPOSALS, [{"space_id": "shop", **row} for row in known], also={"state": "STRING"}
    )
    return sorted(row["proposal_id"] for row in new_changes(drafted, states).collect())


def test_what_is_pending_or_done_is_not_proposed_again_whatever_the_evidence(spark):
    known = [
        {"proposal_id": f"old {state}", "patch": state, "state": state} for state in PENDING_OR_DONE
    ]
    drafted = drafts(
        spark, *({"proposal_id": f"new {state}", "patch": state} for state in PENDING_OR_DONE)
    )
    assert screened(spark, drafted, known) == []


def test_what_was_turned_down_may_come_back_on_other_evidence(spark):
    known = [
        {"proposal_id": f"old {state}", "patch": state, "state": state} for state in TURNED_DOWN
    ]
    drafted = drafts(spark, *({"proposal_id": f"new {s}", "patch": s} for s in TURNED_DOWN))
    assert screened(spark, drafted, known) == sorted(f"new {state}" for state in TURNED_DOWN)


def test_of_two_drafts_of_one_change_the_one_of_higher_impact_is_taken(spark):
    drafted = drafts(
        spark,
        {"proposal_id": "low", "patch": "same", "impact": 1.0},
        {"proposal_id": "high", "patch": "same", "impact": 2.0},
        {"proposal_id": "elsewhere", "patch": "same", "space_id": "bank"},
    )
    assert screened(spark, drafted, []) == ["elsewhere", "high"]


def test_another_space_may_propose_what_this_one_was_denied(spark):
    known = [{"proposal_id": "p", "patch": "same", "state": "declined", "space_id": "bank"}]
    assert screened(spark, drafts(spark, {"proposal_id": "q", "patch": "same"}), known) == ["q"]


def test_questions_at_risk_are_the_right_train_questions_that_would_see_the_change(spark):
    def result(question, sql, *, split="train", is_correct=True, evaluation="e"):
        return {
            "evaluation_id": evaluation,
            "question_id": question,
            "attempt": 1,
            "split": split,
            "expected_sql": sql,
            "is_correct": is_correct,
        }

    results = frame(
        spark,
        EVAL_RESULTS,
        [
            result("q1", "SELECT O.Status FROM Orders O"),
            result("q2", "SELECT id FROM orders WHERE status = 'open'"),
            result("q3", "SELECT id FROM orders"),
            result("q4", "SELECT status FROM parcels"),
            result("wrong", "SELECT status FROM orders", is_correct=False),
            result("held out", "SELECT status FROM orders", split="held_out"),
            result("q1", "SELECT status FROM orders", evaluation="another"),
        ],
    )
    touching = {
        "column": ["orders", "status"],
        "table": ["orders"],
        "everything": [],
        "nothing": ["orders", "weather"],
        "a benchmark": [],
    }
    drafted = drafts(
        spark,
        *(
            {
                "proposal_id": name,
                "evaluation_id": "e",
                "touched_names": names,
                "lever": 0 if name == "a benchmark" else 1,
            }
            for name, names in touching.items()
        ),
    )
    made = with_questions_at_risk(drafted, results)
    assert tuple(made.columns) == PROPOSAL_COLUMNS
    assert {row["proposal_id"]: row["questions_at_risk"] for row in made.collect()} == {
        "column": 2,
        "table": 3,
        "everything": 4,
        "nothing": 0,
        "a benchmark": 0,
    }


@pytest.mark.parametrize(
    ("patch", "names"),
    [
        (SetTableComment(table="shop.Orders", comment="x"), {"orders"}),
        (SetColumnComment(table="shop.orders", column="Status", comment="x"), {"orders", "status"}),
        (
            SetMetricViewMeasure(metric_view="shop.sales", name="revenue", expr="SUM(amount)"),
            {"sales", "revenue"},
        ),
        (SetFunctionComment(function="shop.top", parameter="n", comment="x"), {"top"}),
        (
            AddJoinSpec(
                left="shop.orders", right="shop.items", sql="a.id = b.id",
                relationship="ONE_TO_MANY",
            ),
            {"orders", "items"},
        ),
        (
            AddSqlSnippet(kind="filter", sql="orders.status = 'open'", display_name="open"),
            {"status"},
        ),
        (AddInstruction(space_id="shop", topic="t", text="x"), set()),
    ],
    ids=lambda value: getattr(value, "patch_type", ""),
)  # fmt: skip
def test_a_change_touches_sql_that_mentions_all_its_names(patch, names):
    assert touched_names(patch) == names
