"""Answers that are right by luck: listed for train, counted for the other splits."""

from __future__ import annotations

import json

import pytest
from deltalake import DeltaTable
from typer.testing import CliRunner

from jobs.cli import app
from jobs.home import Home
from tests.jobs import seeded
from transforms.contracts import EVAL_RESULTS
from transforms.identity import make_id

BEFORE, AFTER = seeded.evaluation_id(), seeded.evaluation_id(iteration=1)
LAST = ("--evaluation", AFTER)
WHY = "the results agree on the tables as they are, and not on a copy (tied): 1 row more"


@pytest.fixture
def shop(tmp_path) -> Home:
    """After the batch q2 (train) and q3 (held_out) are right, by luck; nobody looked before."""
    home = Home(tmp_path / "home")
    seeded.measured_shop(home, "accepted")
    DeltaTable(home.table_path("genie_loop", EVAL_RESULTS.name)).update(
        predicate=f"evaluation_id = '{AFTER}' AND is_correct",
        new_values={"is_coincidental": True, "coincidence_detail": WHY},
    )
    return home


def shown(home: Home, *words: str) -> str:
    done = CliRunner().invoke(app, ["--home", str(home.root), *words])
    assert done.exit_code == 0, done.output
    return done.stdout


def test_failures_lists_what_is_right_by_luck_of_train_and_counts_the_rest(shop):
    text = shown(shop, "failures", *LAST, "--coincidental")
    assert seeded.TEXT_OF["q2"] in text
    assert "copy (tied)" in text
    assert seeded.TEXT_OF["q3"] not in text
    assert "train: 1 of 1; held_out: 1 of 1; sealed: 0 of 0" in text
    (row,) = json.loads(shown(shop, "failures", *LAST, "--coincidental", "--json"))
    assert (row["question_id"], row["coincidence_detail"]) == ("q2", WHY)


def test_failures_says_that_there_are_some_and_where_nobody_looked(shop):
    assert "train: 1 of 1" in shown(shop, "failures", *LAST)
    assert "by luck" not in shown(shop, "failures", "--evaluation", BEFORE)
    text = shown(shop, "failures", "--evaluation", BEFORE, "--coincidental")
    assert "was not checked: evaluate --check-coincidences" in text


def test_what_every_judge_passed_is_not_narrowed_down_to_a_judge(shop):
    words = ["failures", "--coincidental", "--judge", "arbiter"]
    assert CliRunner().invoke(app, ["--home", str(shop.root), *words]).exit_code != 0


def test_compare_tells_luck_from_being_right(shop):
    (row,) = json.loads(shown(shop, "compare", BEFORE, AFTER, "--json"))
    assert row["fixed"][0]["why"].endswith("right by luck; the SQL is the same")
    assert [one["coincidental_count"] for one in row["right_by_luck"]] == [0, 2]
    text = shown(shop, "compare", BEFORE, AFTER)
    assert "After, 2 of 2 right answers are right by luck." in text
    assert "Before," not in text


def test_status_counts_them_in_the_last_evaluation_of_a_space(shop):
    rows = json.loads(shown(shop, "status", "--json"))
    (space,) = [row for row in rows if row["about"] == "space"]
    assert space["coincidental_count"] == 2
    assert "shop: 2 of 2 right answers are right by luck" in shown(shop, "status")


def test_why_says_which_question_of_a_proposal_is_right_by_luck_now(shop):
    proposal = make_id("proposal", 1)
    (story,) = json.loads(shown(shop, "why", proposal, "--json"))
    effect = story["effect"]
    now = {one["question_id"]: one for one in (*effect["meant"], *effect["others"])}
    assert now["q2"]["is_coincidental"]
    assert not now["q1"]["is_coincidental"]
    assert "fixed, by luck" in shown(shop, "why", proposal)
