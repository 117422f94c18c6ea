"""Suspect benchmarks: proposed to be quarantined, once, and by three or more."""

from __future__ import annotations

from transforms.lever_progress import ripe_proposals
from transforms.patches import QuarantineBenchmark, parse_patch
from transforms.quarantines import quarantine_drafts

COLUMNS = (
    "space_id STRING, question_id STRING, question STRING, expected_sql STRING, state STRING, "
    "suspicion STRING, suspicion_evaluation_id STRING"
)


def drafted(spark, *, state="suspect", sql="SELECT 1", evaluation="e1"):
    row = ("shop", "q1", "What?", sql, state, "its expected SQL gives no row", evaluation)
    return quarantine_drafts(spark.createDataFrame([row], COLUMNS)).collect()


def test_a_suspect_is_drafted_as_a_patch_of_lever_zero_that_no_policy_approves(spark):
    [row] = drafted(spark)
    assert (row["lever"], row["cluster_id"], row["risk"]) == (0, None, "high")
    assert (row["target"], row["target_field"]) == ("benchmark:shop/q1", "expected_sql")
    assert (row["before"], row["after"]) == (
        "SELECT 1", "quarantined: its expected SQL gives no row",
    )  # fmt: skip
    assert parse_patch(row["patch"]) == QuarantineBenchmark(
        space_id="shop", question_id="q1", reason="its expected SQL gives no row"
    )
    assert drafted(spark, state="active") == drafted(spark, state="quarantined") == []


def test_it_is_the_same_proposal_until_the_benchmark_is_another_one(spark):
    [row] = drafted(spark)
    [later] = drafted(spark, evaluation="e2")
    [other] = drafted(spark, sql="SELECT 2")
    assert row["proposal_id"] == later["proposal_id"] != other["proposal_id"]


def test_three_of_one_type_may_make_a_batch_and_other_levers_any_number(spark):
    def left(*proposals):
        columns = "space_id STRING, lever INT, patch_type STRING, state STRING"
        rows = [("shop", *proposal) for proposal in proposals]
        return ripe_proposals(spark.createDataFrame(rows, columns)).count()

    correction, quarantine = (0, "correct_benchmark", "open"), (0, "quarantine_benchmark", "open")
    assert left(correction, correction, quarantine) == 0, "three, but of two types"
    assert left(*[correction] * 3, quarantine, (1, "set_table_comment", "open")) == 4
