"""What the docs say of the judges on recorded answers is what the judges say."""

from __future__ import annotations

from pathlib import Path

import pytest
from pyspark.sql import SparkSession

from tests.transforms.recorded_answers import DATA
from tests.transforms.recorded_report import PAGE, JudgedAnswer, drawn, judged_answers, page
from transforms.contracts import JUDGES
from transforms.judgement import Judgement
from transforms.rules import RULES

HAND_CHECKED = Path(__file__).parents[2] / "docs" / "hand-checked.md"
SEED, SIZE, LEAST_RIGHT = 20240502, 50, 45


def checked(heading: str) -> list[tuple[str, ...]]:
    """The rows of a draw: system, id, cause, type, and whether type and blame are right."""
    _, _, section = HAND_CHECKED.read_text().partition(f"## {heading}\n")
    lines = section.partition("\n## ")[0].splitlines()
    cells = [[cell.strip(" `") for cell in line.strip("|").split("|")] for line in lines]
    rows = [row for row in cells if len(row) == 7 and row[0] not in {"system", "---"}]
    assert all(row[6] for row in rows), "each failure has a reading"
    return [tuple(row[:6]) for row in rows]


@pytest.mark.parametrize("heading", ["First draw", "Second draw"])
def test_enough_of_the_failures_that_were_read_are_right(heading):
    rows = checked(heading)
    assert len(rows) == SIZE
    assert sum(row[4:] == ("yes", "yes") for row in rows) >= LEAST_RIGHT
    assert {(row[2], row[3]) for row in rows} <= {
        (name, rule.failure_type) for name, rule in RULES.items()
    }


def answer(system: str, number: int, causes: int) -> JudgedAnswer:
    """An answer with failures, each of another cause."""

    class Failure:
        def __init__(self, rule: str) -> None:
            self.rule, self.asi = rule, self
            self.failure_type = RULES[rule].failure_type

    failures = tuple(map(Failure, list(RULES)[:causes]))
    judged = Judgement("incorrect", None, (), failures, None, None)
    return JudgedAnswer("db", system, f"q{number}", {}, {}, judged)


def test_a_draw_is_spread_over_the_systems_and_has_each_question_and_cause_once():
    answers = [answer(system, n, 3) for system in "abc" for n in range(10)]
    found = drawn(answers, 1, 9)
    assert found == drawn(reversed(answers), 1, 9) != drawn(answers, 2, 9)
    assert [one.system for one in found] == list("abcabcabc")
    every = drawn(answers, 1, 1000)
    assert len({(one.question_id, one.rule) for one in every}) == len(every) == 20
    assert "no_sql" not in {one.rule for one in every}


needs_data = [
    pytest.mark.slow,
    pytest.mark.timeout(1800),
    pytest.mark.skipif(
        not DATA.is_dir(), reason=f"no recorded answers at {DATA}; set GENIE_LOOP_DATA"
    ),
]


@pytest.fixture(scope="module")
def answers(spark: SparkSession) -> list[JudgedAnswer]:
    return list(judged_answers(spark))


class TestOnRealData:
    pytestmark = needs_data

    def test_the_page_says_what_the_judges_say(self, answers):
        assert len(answers) == 833
        assert page(answers) == PAGE.read_text()

    def test_every_judge_says_something_of_every_answer(self, answers):
        for one in answers:
            assert tuple(verdict.judge for verdict in one.judgement.verdicts) == JUDGES
            assert all(verdict.rationale for verdict in one.judgement.verdicts)

    def test_a_failure_is_of_a_judge_that_says_no(self, answers):
        for one in answers:
            said = {verdict.judge: verdict.value for verdict in one.judgement.verdicts}
            assert {said[failure.judge] for failure in one.judgement.failures} <= {"no"}

    def test_what_was_checked_by_hand_is_what_is_drawn(self, answers):
        assert [tuple(one) for one in drawn(answers, SEED, SIZE)] == [
            row[:4] for row in checked("Second draw")
        ]
