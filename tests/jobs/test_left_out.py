"""What is in no denominator is told wherever accuracy is: counted, train questions by name."""

from __future__ import annotations

import json

import pytest
from typer.testing import CliRunner

from jobs.cli import app
from jobs.home import Home
from tests.jobs import seeded
from tests.jobs.seeded import append
from transforms import contracts as c

EVALUATION = seeded.evaluation_id()


@pytest.fixture
def shop(tmp_path) -> Home:
    home = Home(tmp_path / "home")
    seeded.create(home)
    append(home, c.SPACES, [seeded.space()])
    benchmarks = [seeded.benchmark(name) for name in seeded.SPLIT_OF]
    quarantined = [
        {**seeded.benchmark(name), "benchmark_version": 2, "status": "quarantined"}
        for name in ("q2", "q3")
    ]
    append(home, c.BENCHMARKS, [*benchmarks, *quarantined])
    append(home, c.EVALUATIONS, [seeded.evaluation()])
    empty = {**seeded.eval_result("q1", is_correct=True), "expected_row_count": 0}
    append(home, c.EVAL_RESULTS, [empty])
    return home


def shown(home: Home, *words: str) -> str:
    done = CliRunner().invoke(app, ["--home", str(home.root), *words])
    assert done.exit_code == 0, done.output
    return done.stdout


@pytest.mark.parametrize(
    "words",
    [("status",), ("history",), ("compare", EVALUATION, EVALUATION), ("benchmarks", "list")],
    ids=lambda words: words[0],
)
def test_what_is_quarantined_or_suspect_is_told_beside_accuracy(shop, words):
    text = " ".join(shown(shop, *words).split())
    assert "shop: 2 quarantined (not asked and in no denominator; 1 train, 1 held_out: q2)" in text
    assert "shop: 1 suspect (counted, and perhaps not worth it; 1 train: q1)" in text


def test_json_counts_them_too(shop):
    (space, *_) = json.loads(shown(shop, "status", "--json"))
    assert (space["quarantined_count"], space["suspect_count"]) == (2, 1)
    (compared,) = json.loads(shown(shop, "compare", EVALUATION, EVALUATION, "--json"))
    assert compared["left_out"] == [
        {"space_id": "shop", "quarantined_count": 2, "suspect_count": 1}
    ]
    states = {
        row["question_id"]: (row["state"], row["suspicion"])
        for row in json.loads(shown(shop, "benchmarks", "list", "--json"))
    }
    assert states == {
        "q1": ("suspect", "its expected SQL gives no row"), "q2": ("quarantined", None),
    }  # fmt: skip
