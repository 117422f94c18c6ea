"""``why``: a proposal's story, as far as it has come."""

from __future__ import annotations

import json

import pytest
from typer.testing import CliRunner

from jobs.cli import app
from jobs.home import Home
from tests.jobs import seeded
from tests.jobs.seeded import append
from transforms import contracts as c
from transforms.identity import make_id

ONE = make_id("proposal", 1)


@pytest.fixture
def shop(tmp_path) -> Home:
    home = Home(tmp_path / "home")
    seeded.measured_shop(home)
    return home


def shown(home: Home, *words: str) -> str:
    done = CliRunner().invoke(app, ["--home", str(home.root), "why", *words])
    assert done.exit_code == 0, done.output
    return done.stdout


def told(home: Home, proposal: str = ONE) -> dict:
    (row,) = json.loads(shown(home, proposal, "--json"))
    return row


def test_the_story_goes_from_the_failures_to_what_was_fixed_and_broken(shop):
    text = " ".join(shown(shop, ONE[9:17]).split())
    for part in (
        "state rejected: rejected: train 1 gained",
        f"cluster {make_id('cluster', 'shop', 'filter_missing')}",
        "blamed column:shop.orders.status",
        "1 train failure of 1 question in evaluation",
        "q2 Which customers have no order?",
        "expected shop.orders.status = 'paid' produced nothing",
        "before (nothing) after paid, open or cancelled",
        "nothing says how they are marked",
        f"batch {make_id('batch', 1)} (rejected)",
        "approval approved by ann, 2026-03-01 12:10",
        "applied 2026-03-01 12:00, read back",
        "net gain train +0, held_out +1",
        "statistics train: accuracy 50% before, 50% after, +0.0; without effect as good in 75.0%,",
        "statistics held_out: nothing to compare",
        "q2 fixed Which customers have no order?",
        "q1 broken How many orders were paid?",
        "train 2 1 1 +0.0 (-100.0 to +100.0) 1.000",
        "held_out 1 1 0 +100.0 1.000",
    ):
        assert part in text, part


def test_json_holds_every_chapter(shop):
    row = told(shop)
    assert row["cluster"]["cause"] == "filter_missing"
    assert [one["question_id"] for one in row["failures"]] == ["q2"]
    assert row["batch"]["decided_by"] == "ann"
    assert [one["direction"] for one in row["applications"]] == ["apply"]
    assert row["gate_decisions"][0]["statistics"]["train"]["compared_count"] == 2
    assert [one["question_id"] for one in row["effect"]["meant"]] == ["q2"]
    assert [one["question_id"] for one in row["effect"]["others"]] == ["q1"]


def test_every_answer_counts_where_a_batch_was_measured_several_times(shop):
    ids = [seeded.evaluation_id(iteration=n) for n in (1, 2)]
    append(shop, c.EVALUATIONS, [seeded.evaluation(iteration=2)])
    failed = seeded.eval_result("q2", is_correct=False, iteration=2)
    mended = seeded.eval_result("q1", is_correct=True, iteration=2)
    append(shop, c.EVAL_RESULTS, [{**failed, "outcome": "infrastructure"}, mended])
    decided = seeded.gate_decision(1, "accepted", evaluation_ids=ids)
    again = {**decided, "number": 2, "gate_decision_id": "gate-2"}
    append(shop, c.GATE_DECISIONS, [again])
    effect = told(shop)["effect"]
    assert [(one["question_id"], one["change"]) for one in effect["meant"]] == [("q2", "fixed")]
    assert [(one["question_id"], one["change"]) for one in effect["others"]] == [("q1", "broken")]
    train = effect["splits"][0]
    assert (train["net"], train["accuracy_before"], train["accuracy_after"]) == (0.5, 0.5, 0.75)


def test_the_effect_is_measured_against_all_that_the_gate_compared_with(shop):
    append(shop, c.EVALUATIONS, [seeded.evaluation(iteration=2)])
    append(shop, c.EVAL_RESULTS, [seeded.eval_result("q2", is_correct=True, iteration=2)])
    before = [seeded.evaluation_id(), seeded.evaluation_id(iteration=2)]
    numbers = {"baseline_evaluation_ids": before}
    decided = seeded.gate_decision(1, "accepted", statistics=json.dumps(numbers))
    append(shop, c.GATE_DECISIONS, [{**decided, "number": 2, "gate_decision_id": "gate-2"}])
    train = told(shop)["effect"]["splits"][0]
    assert (train["accuracy_before"], train["net"]) == (0.75, -0.5)


def test_held_out_and_sealed_questions_are_counted_and_never_shown(shop):
    leaking = [seeded.failure(question) for question in ("q3", "q4")]
    members = [
        {
            "space_id": "shop",
            "cluster_id": seeded.cluster()["cluster_id"],
            **{name: one[name] for name in ("failure_id", "evaluation_id", "question_id")},
        }
        for one in leaking
    ]
    append(shop, c.CLUSTER_MEMBERS, members)
    for text in (shown(shop, ONE), shown(shop, ONE, "--json")):
        assert seeded.TEXT_OF["q3"] not in text
        assert seeded.TEXT_OF["q4"] not in text


def test_a_story_ends_where_the_proposal_stands(shop):
    text = shown(shop, make_id("proposal", 2))
    assert "(proposed)" in text
    assert "not yet" in text
    assert "What it did" not in text
    append(shop, c.PROPOSALS, [seeded.proposal(3)])
    assert "It is in no batch." in shown(shop, make_id("proposal", 3))


def test_a_correction_outside_train_is_told_without_its_benchmark(shop):
    secret = dict.fromkeys(("summary", "evidence", "before", "after", "patch"), "SECRET")
    correction = seeded.proposal(
        7, lever=0, cluster_id=None, patch_type="correct_benchmark", question_ids=["q4"], **secret
    )
    append(shop, c.PROPOSALS, [correction])
    for form in ([], ["--json"]):
        assert "SECRET" not in shown(shop, make_id("proposal", 7), *form)
    assert "it corrects a benchmark" in shown(shop, make_id("proposal", 7))


def test_a_proposal_that_is_not_there_is_told(tmp_path):
    done = CliRunner().invoke(app, ["--home", str(tmp_path / "no"), "why", "aa"])
    assert done.exit_code == 7
    assert "there is no such proposal" in done.stderr
