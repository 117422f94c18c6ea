"""``compare``: question by question, without a word of held-out and sealed questions."""

from __future__ import annotations

import json
import re
from datetime import timedelta

import pytest
from typer.testing import CliRunner

from jobs.cli import app
from jobs.home import Home
from tests.jobs import seeded
from tests.jobs.seeded import NOON, append
from transforms import contracts as c
from transforms.identity import make_id

BEFORE, AFTER = seeded.evaluation_id(), seeded.evaluation_id(iteration=1)


@pytest.fixture
def shop(tmp_path) -> Home:
    home = Home(tmp_path / "home")
    seeded.measured_shop(home)
    return home


def shown(home: Home, *words: str) -> str:
    done = CliRunner().invoke(app, ["--home", str(home.root), "compare", *words])
    assert done.exit_code == 0, done.output
    return done.stdout


def compared(home: Home, before: str = BEFORE, after: str = AFTER, *options: str) -> dict:
    (row,) = json.loads(shown(home, before, after, "--json", *options))
    return row


def by_split(row: dict, count: str) -> dict[str, int]:
    return {split["split"]: split[count] for split in row["splits"] if split[count]}


def test_each_question_is_fixed_broken_or_as_before(shop):
    row = compared(shop)
    assert [q["question_id"] for q in row["fixed"]] == ["q2"]
    assert [q["question_id"] for q in row["broken"]] == ["q1"]
    assert by_split(row, "fixed_count") == {"train": 1, "held_out": 1}
    assert by_split(row, "broken_count") == {"train": 1}
    assert by_split(row, "still_wrong_count") == {"sealed": 1}
    assert row["judges"] == [
        {
            "judge": "result_correctness",
            "target": 0.85,
            "compared_count": 4,
            "left_out_count": 0,
            "yes_before": 1,
            "yes_after": 2,
        }
    ]
    assert row["is_same_benchmark_set"]


def test_compared_the_other_way_round_what_was_fixed_is_broken(shop):
    row = compared(shop, AFTER, BEFORE)
    assert [q["question_id"] for q in row["broken"]] == ["q2"]
    assert [one["batch_id"] for one in row["applied"]] == [make_id("batch", 1)]


def test_a_screen_shows_it_side_by_side_with_what_was_applied(shop):
    text = shown(shop, BEFORE[11:19], AFTER[11:19])
    assert re.search(r"train +1/2  50% 9-91 +1/2  50% 9-91 +1 +1 +0 +0", text)
    assert re.search(r"held_out +0/1   0% 0-79 +1/1 100% 21-100 +1 +0 +0 +0", text)
    assert re.search(r"train +\+0.0 \(-100.0 to \+100.0\) +1.000 +0 +no difference shown", text)
    assert re.search(r"result_correctness +85% +1/4  25% +2/4  50%", text)
    fixed = r"Fixed \(1 of train\)\n.*\n? *q2 +Which customers have no order\? +filter_missing"
    assert re.search(rf"{fixed} -> right", text)
    assert "The benchmark sets are the same." in text
    assert "Say which values column_1 of orders has" in " ".join(text.split())
    assert max(map(len, text.splitlines())) <= 100


def test_held_out_and_sealed_questions_are_counted_and_never_shown(shop):
    for text in (shown(shop, BEFORE, AFTER), shown(shop, BEFORE, AFTER, "--json")):
        for hidden in ("q3", "q4", seeded.TEXT_OF["q3"], seeded.TEXT_OF["q4"]):
            assert hidden not in text


def test_what_was_not_asked_alike_is_left_out_and_told(shop):
    other = {**seeded.eval_result("q1", is_correct=True, iteration=2), "expected_sql": "SELECT 2"}
    failed = {
        **seeded.eval_result("q2", is_correct=False, iteration=2),
        "outcome": "infrastructure",
    }
    append(shop, c.EVAL_RESULTS, [other, failed])
    append(shop, c.EVALUATIONS, [seeded.evaluation(iteration=2, benchmark_set_hash="other")])
    third = seeded.evaluation_id(iteration=2)
    row = compared(shop, BEFORE, third, "--as-recorded")
    assert not row["is_same_benchmark_set"]
    assert by_split(row, "compared_count") == {}
    assert by_split(row, "unknown_count") == {"train": 1}
    assert by_split(row, "other_benchmark_count") == {"train": 1}
    text = shown(shop, BEFORE, third, "--as-recorded")
    assert (
        "benchmark sets differ; left out: 1 that the platform failed to answer, 1 with another"
        in text
    )
    assert "2 asked only before" in text


def test_what_a_judge_skipped_is_counted_beside_what_it_judged(shop):
    values = {
        "asset_routing": [("q1", "yes", "no"), ("q2", "yes", "skipped"), ("q3", "skipped", "no")],
        "repeatability": [("q1", "skipped", "skipped")],
    }
    verdicts = [
        seeded.judge_verdict(question, judge, value, iteration)
        for judge, given in values.items()
        for question, *both in given
        for iteration, value in enumerate(both)
    ]
    append(shop, c.JUDGE_VERDICTS, verdicts)
    counts = ("judge", "compared_count", "left_out_count", "yes_before", "yes_after")
    assert [tuple(row[name] for name in counts) for row in compared(shop)["judges"]] == [
        ("asset_routing", 1, 3, 1, 0),
        ("repeatability", 0, 4, 0, 0),
        ("result_correctness", 4, 0, 1, 2),
    ]
    text = shown(shop, BEFORE, AFTER)
    assert re.search(r"asset_routing +95% +1/1 100% +0/1   0% +3 skipped", text)
    assert re.search(r"repeatability +90% +- +- +4 skipped", text)
    assert re.search(r"result_correctness +85% +1/4  25% +2/4  50% *\n", text)


def test_what_was_judged_again_is_compared_and_told(shop):
    other = {**seeded.eval_result("q1", is_correct=True, iteration=2), "expected_sql": "SELECT 2"}
    append(shop, c.EVAL_RESULTS, [other])
    append(shop, c.EVALUATIONS, [seeded.evaluation(iteration=2)])
    append(shop, c.JUDGE_VERDICTS, [seeded.judge_verdict("q1", "result_correctness", "yes", 2)])
    asked = seeded.eval_result("q1", is_correct=False)
    again = {
        **{name: asked[name] for name in asked.keys() & set(c.REJUDGED_RESULTS.columns)},
        "expected_sql": "SELECT 2",
        "benchmark_hash": "hash",
        "benchmark_set_hash": "set",
        "judge_version": "1",
        "comparison_policy": "bag_any_column",
        "verdicts": [("result_correctness", "no")],
    }
    append(shop, c.REJUDGED_RESULTS, [again])
    third = seeded.evaluation_id(iteration=2)
    row = compared(shop, BEFORE, third)
    assert row["rejudged_count"] == 1
    assert [q["question_id"] for q in row["fixed"]] == ["q1"]
    assert row["judges"] == [
        {
            "judge": "result_correctness",
            "target": 0.85,
            "compared_count": 1,
            "left_out_count": 0,
            "yes_before": 0,
            "yes_after": 1,
        }
    ]
    assert "1 question judged again on one set of benchmarks" in shown(shop, BEFORE, third)


def test_a_state_that_nobody_applied_is_told(shop):
    changed = seeded.evaluation(iteration=2, state_hash="by a person")
    same = seeded.evaluation(iteration=3, state_hash="by a person")
    append(shop, c.EVALUATIONS, [changed, same])
    second, third = (seeded.evaluation_id(iteration=n) for n in (2, 3))
    assert "somebody else changed it" in shown(shop, AFTER, second)
    assert "the state is the same" in shown(shop, second, third)


def test_evaluations_of_two_spaces_are_compared_over_their_common_questions(shop):
    append(shop, c.EVALUATIONS, [seeded.evaluation("other", 1)])
    text = shown(shop, BEFORE, seeded.evaluation_id("other", 1))
    assert "Of different spaces: shop and other." in text
    assert "Nothing was applied" not in text


def test_a_correction_of_a_hidden_benchmark_is_named_and_not_quoted(shop):
    correction = seeded.proposal(
        7, lever=0, cluster_id=None, patch_type="correct_benchmark", summary="SECRET",
        question_ids=["q4"],
    )  # fmt: skip
    append(shop, c.PROPOSALS, [correction])
    append(shop, c.BATCHES, [seeded.batch(7, [7], kind="correction", lever=0)])
    append(shop, c.APPLICATIONS, [seeded.application(7, recorded_at=NOON + timedelta(minutes=30))])
    text = shown(shop, BEFORE, AFTER, "--json")
    assert "SECRET" not in text
    assert "Correct the expected SQL of question q4 (sealed)." in text


def test_an_evaluation_that_is_not_there_is_told(tmp_path):
    done = CliRunner().invoke(app, ["--home", str(tmp_path / "no"), "compare", "aa", "bb"])
    assert done.exit_code == 7
    assert "there is no such evaluation" in done.stderr
