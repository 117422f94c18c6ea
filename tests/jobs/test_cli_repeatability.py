"""``repeatability``: unstable questions of train by name, those of other splits by count."""

from __future__ import annotations

import json

import pytest
from typer.testing import CliRunner

from jobs.cli import app
from jobs.home import Home
from tests.jobs import seeded
from tests.jobs.seeded import SPLIT_OF, TEXT_OF, append
from transforms import contracts as c

LIVE = "genie:g1"


def repeated(question_id: str, *counts: int, iteration: int = 1) -> dict:
    asked = sum(counts)
    return {
        "space_id": "shop",
        "evaluation_id": seeded.evaluation_id(iteration=iteration),
        "question_id": question_id,
        "split": SPLIT_OF[question_id],
        "question": TEXT_OF[question_id],
        "answerer": LIVE,
        "state_hash": "state",
        "asked_count": asked,
        "answers": [
            {"asked_count": n, "genie_sql": f"SELECT {n}", "result_hash": str(n)} for n in counts
        ],
        "result_share": counts[0] / asked,
        "sql_count": len(counts),
        "sql_share": counts[0] / asked,
        "is_unstable": counts[0] / asked < 0.9,
    }


@pytest.fixture
def shop(tmp_path) -> Home:
    home = Home(tmp_path / "home")
    seeded.create(home)
    append(home, c.SPACES, [seeded.space(answerer=LIVE)])
    append(home, c.EVALUATIONS, [seeded.evaluation(iteration=n, answerer=LIVE) for n in (0, 1)])
    append(home, c.REPEATED_QUESTIONS, [repeated("q1", 1, 1, iteration=0)])
    rows = [repeated("q1", 3), repeated("q2", 2, 1), repeated("q3", 1, 1, 1), repeated("q4", 2)]
    append(home, c.REPEATED_QUESTIONS, rows)
    return home


def shown(home: Home, *words: str) -> str:
    done = CliRunner().invoke(app, ["--home", str(home.root), "repeatability", *words])
    assert done.exit_code == 0, done.output
    return done.stdout


def test_unstable_train_questions_are_listed_and_others_counted(shop):
    text = shown(shop)
    (line,) = (line for line in text.splitlines() if "q2" in line)
    assert line.split()[:5] == ["q2", "3", "2", "+", "1"]
    assert "67%" in line
    assert "q1" not in text, "its newest askings agree"
    assert "1 of 2 train, 1 of 1 held_out, 0 of 1 sealed" in text
    assert TEXT_OF["q3"] not in text
    assert "q3" not in text


def test_json_gives_stable_ones_too_and_of_one_split_only(shop):
    found = json.loads(shown(shop, "--json"))
    assert [(row["question_id"], row["asked_count"]) for row in found] == [("q2", 3), ("q1", 3)]
    assert found[0]["answers"][0] == {
        "asked_count": 2, "genie_sql": "SELECT 2", "result_hash": "2",
    }  # fmt: skip
    assert [r["question_id"] for r in json.loads(shown(shop, "--json", "--split", "sealed"))] == [
        "q4"
    ]


def test_where_nothing_was_asked_again_the_command_that_does_is_named(tmp_path):
    home = Home(tmp_path / "home")
    seeded.create(home)
    append(home, c.SPACES, [seeded.space()])
    assert "genie-loop evaluate SPACE --again --asks 3" in shown(home)
    assert json.loads(shown(home, "--json")) == []
