"""``failures``: every answer that is not right is shown or counted, of the evaluation it names."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from typer.testing import CliRunner

from jobs.cli import app
from jobs.home import Home
from tests.jobs import seeded
from tests.jobs.seeded import append
from transforms import contracts as c

SEALED_ONLY = [{"split": "sealed", "question_count": 1, "correct_count": 0, "accuracy": 0.0}]


def ruling(question_id: str, verdict: str, iteration: int = 0) -> dict[str, Any]:
    asked = seeded.eval_result(question_id, is_correct=False, iteration=iteration)
    columns = asked.keys() & set(c.ARBITER_VERDICTS_TABLE.columns)
    return {
        **{name: asked[name] for name in columns},
        "verdict": verdict,
        "confidence": None if verdict == "skipped" else 0.8,
        "rule": "columns_added",
        "evidence": f"The answer to {question_id} returns a column more.",
        "action": "review",
    }


@pytest.fixture
def shop(tmp_path) -> Home:
    """A second evaluation: q2 a failure that the arbiter confirms, the others not right either."""
    home = Home(tmp_path / "home")
    seeded.shop(home)
    wrong = [seeded.eval_result(q, is_correct=False, iteration=1) for q in seeded.SPLIT_OF]
    wrong[2]["outcome"] = "infrastructure"
    append(home, c.EVAL_RESULTS, wrong)
    append(home, c.EVALUATIONS, [seeded.evaluation(iteration=1)])
    append(home, c.FAILURES, [seeded.failure("q2", iteration=1)])
    rulings = {"q1": "both_correct", "q2": "ground_truth_correct", "q4": "skipped"}
    append(home, c.ARBITER_VERDICTS_TABLE, [ruling(q, rulings[q], 1) for q in rulings])
    return home


def shown(home: Home, *words: str) -> str:
    done = CliRunner().invoke(app, ["--home", str(home.root), "failures", *words])
    assert done.exit_code == 0, done.output
    return done.stdout


def listed(home: Home, *words: str) -> list[dict]:
    return list(json.loads(shown(home, *words, "--json")))


def test_what_is_not_right_and_no_failure_is_counted_with_what_the_arbiter_says(shop):
    text = shown(shop)
    told = "more answer is not right and is no failure"
    assert f"train: 1 {told}: arbiter both_correct 1\n" in text
    assert f"held_out: 1 {told}: infrastructure 1\n" in text
    assert f"sealed: 1 {told}: arbiter skipped 1\n" in text
    assert "q1 " not in text


def test_where_every_wrong_answer_is_a_failure_nothing_is_added(shop):
    assert "no failure:" not in shown(shop, "--evaluation", seeded.evaluation_id()[11:19])


def test_a_question_without_a_failure_is_shown_with_the_arbiters_evidence(shop):
    text = shown(shop, "--question", "q1")
    assert f"q1  {seeded.TEXT_OF['q1']}\n" in text
    assert re.search(r"arbiter +both_correct, by columns_added \(confidence 0.80\) *\n", text)
    assert re.search(r"evidence +The answer to q1 returns a column more. *\n", text)
    assert re.search(r"expected +SELECT q1 FROM orders *\n +produced +SELECT 1 *\n", text)
    assert listed(shop, "--question", "q1") == []


def test_a_failure_that_is_asked_for_is_shown_with_the_arbiters_evidence_too(shop):
    text = shown(shop, "--question", "q2")
    assert re.search(r"arbiter +ground_truth_correct, by columns_added", text)
    assert "missing_filter, says logical_accuracy" in text
    assert "columns_added" not in shown(shop)


def test_where_the_arbiter_was_not_asked_the_outcome_says_why(shop):
    text = shown(shop, "--question", "q3", "--split", "held_out")
    assert re.search(r"arbiter +not asked: infrastructure *\n", text)


def test_questions_of_another_split_are_not_shown(shop):
    for hidden in ("q3", "q4"):
        text = shown(shop, "--question", hidden)
        assert seeded.TEXT_OF[hidden] not in text
        assert "returns a column more" not in text


def test_the_arbiter_has_verdicts_where_the_judges_have_failures(shop):
    text = shown(shop, "--judge", "arbiter")
    assert text.index("both_correct, by") < text.index("ground_truth_correct, by")
    assert "returns a column more" in text
    assert seeded.TEXT_OF["q4"] not in text
    counts = "train: ground_truth_correct 1, both_correct 1; held_out: none; sealed: skipped 1"
    assert f"Verdicts of the arbiter: {counts}\n" in text
    rows = listed(shop, "--judge", "arbiter")
    assert [(row["question_id"], row["verdict"]) for row in rows] == [
        ("q1", "both_correct"),
        ("q2", "ground_truth_correct"),
    ]
    assert rows[0].keys() == {*c.ARBITER_VERDICTS_TABLE.columns}
    assert "1 more of train; --limit 0 shows all." in shown(
        shop, "--judge", "arbiter", "--limit", "1"
    )


def test_by_default_the_last_evaluation_that_asked_the_split_is_shown_and_named(shop):
    append(shop, c.EVALUATIONS, [seeded.evaluation(iteration=2, splits=SEALED_ONLY)])
    append(shop, c.FAILURES, [seeded.failure("q4", iteration=2)])
    first, last = (seeded.evaluation_id(iteration=n)[11:19] for n in (1, 2))
    text = shown(shop)
    assert f"shop: evaluation {first}, " in text
    assert "a later one asked nothing of train" in " ".join(text.split())
    assert [row["question_id"] for row in listed(shop)] == ["q2"]
    text = shown(shop, "--split", "sealed")
    assert f"shop: evaluation {last}, " in text
    assert "asked nothing" not in text
    assert "q4  What is the sealed total?\n" in text


def test_a_split_that_was_never_asked_shows_the_last_evaluation(tmp_path):
    home = Home(tmp_path / "home")
    seeded.create(home)
    append(home, c.SPACES, [seeded.space()])
    append(
        home, c.EVALUATIONS, [seeded.evaluation(iteration=n, splits=SEALED_ONLY) for n in (0, 1)]
    )
    text = shown(home)
    assert f"shop: evaluation {seeded.evaluation_id(iteration=1)[11:19]}, " in text
    assert "it asked nothing of train" in text
