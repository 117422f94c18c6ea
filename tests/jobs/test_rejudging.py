"""Stored answers are judged again where benchmarks or judges changed; nobody is asked."""

from __future__ import annotations

from datetime import timedelta

import pytest

from genie.homes.base import Place
from jobs import evaluate
from jobs.context import JobContext
from jobs.evaluate import EvaluateConfig
from jobs.question_changes import judge_changes, question_changes
from jobs.reading import History
from jobs.rejudging import judge_on_one_set
from pipelines.evaluation_under_way import EvaluationPolicy
from pipelines.load import load
from pipelines.registered_home import BenchmarkHome
from pipelines.spaces import request_evaluations
from tests.conftest import NOW
from tests.jobs import seeded
from tests.pipelines.folders import QUESTIONS, RIGHT, make_folder
from tests.pipelines.histories import rows
from transforms.contracts import (
    APPLICATIONS,
    BATCHES,
    EVAL_RESULTS,
    EVALUATIONS,
    JUDGES,
    REJUDGED_RESULTS,
    SPLITS,
)

SPACE = "shop_world-a"
OTHER_SQL = "SELECT COUNT(*) + 1 FROM shop"


class Shop:
    """A space whose answers are all right, evaluated once, with a clock that can be moved."""

    def __init__(self, tables, folder, tracking_uri):
        self.tables = tables
        self.context = JobContext(tables, folder / "checkpoints", tracking_uri, self.now)
        tables.clock = self.now
        self.hour = 0
        load(tables, make_folder(folder, answers={"a": RIGHT}))
        self.evaluate()

    def now(self):
        return NOW + timedelta(hours=self.hour)

    def evaluate(self):
        return evaluate.run(self.context)

    def apply(self, number):
        """A batch that changes nothing, so that the gate has something to compare."""
        self.hour += 1
        batch = seeded.batch(number, space_id=SPACE)
        made = seeded.application(number, space_id=SPACE, recorded_at=self.now())
        self.tables.append_rows(BATCHES, [batch], transaction=f"batch {number}")
        self.tables.append_rows(APPLICATIONS, [made], transaction=f"application {number}")
        self.hour += 1

    def correct(self, question_id):
        place = Place("live", "benchmark", f"{SPACE}/{question_id}")
        home = BenchmarkHome(self.tables)
        home.write(place, OTHER_SQL, expected=home.read(place))

    def evaluations(self):
        found = rows(self.tables, EVALUATIONS)
        return [row["evaluation_id"] for row in sorted(found, key=lambda row: row["iteration"])]

    def rejudged(self):
        return rows(self.tables, REJUDGED_RESULTS)


@pytest.fixture
def shop(tables, tmp_path, tracking_uri):
    before = tables.clock
    yield Shop(tables, tmp_path, tracking_uri)
    tables.clock = before


@pytest.fixture
def by_later_judges(monkeypatch):
    """The judges of a later version; what they say is the same."""
    monkeypatch.setattr("pipelines.second_opinions.JUDGE_VERSION", "later")


def gated(tables):
    return [row for row in rows(tables, EVAL_RESULTS) if row["split"] != "sealed"]


@pytest.mark.slow
def test_what_the_gate_compares_is_judged_on_the_benchmarks_of_the_new_evaluation(shop):
    tables = shop.tables
    assert shop.rejudged() == []
    corrected = gated(tables)[0]["question_id"]
    shop.correct(corrected)
    shop.apply(1)
    shop.evaluate()
    baseline, measured = shop.evaluations()
    (again,) = shop.rejudged()
    assert (again["evaluation_id"], again["question_id"]) == (baseline, corrected)
    assert (again["benchmark_version"], again["expected_sql"]) == (2, OTHER_SQL)
    assert (again["outcome"], again["is_correct"]) == ("incorrect", False)
    assert again["verdicts"].keys() <= set(JUDGES)
    assert again["verdicts"]["result_correctness"] == "no"
    (asked,) = (row for row in rows(tables, EVALUATIONS) if row["evaluation_id"] == measured)
    assert again["benchmark_set_hash"] == asked["benchmark_set_hash"]
    kept = [row for row in rows(tables, EVAL_RESULTS) if row["evaluation_id"] == baseline]
    assert all(row["is_correct"] for row in kept), "what an evaluation recorded stays as it is"
    assert shop.evaluate().wrote == 0


@pytest.mark.slow
def test_other_judges_judge_all_answers_that_are_compared_again(shop, by_later_judges):
    shop.apply(1)
    shop.evaluate()
    baseline = shop.evaluations()[0]
    compared = {row["question_id"] for row in gated(shop.tables)}
    again = {row["question_id"]: row for row in shop.rejudged()}
    assert again.keys() == compared
    assert {row["evaluation_id"] for row in again.values()} == {baseline}
    assert all(row["is_correct"] and row["judge_version"] == "later" for row in again.values())


@pytest.mark.slow
def test_two_evaluations_on_other_benchmarks_are_compared_once_both_are_judged_on_one(shop, home):
    shop.correct(QUESTIONS[0]["question_id"])
    shop.hour += 1
    request_evaluations(shop.tables, [SPACE], requested_by="test", again=True)
    shop.evaluate()
    before, after = shop.evaluations()
    history = History(home)
    unlike = question_changes(history, [before], [after])
    assert (unlike.unlike_count, unlike.rejudged_count) == (1, 0)
    assert judge_on_one_set(shop.context, before, after)
    alike = question_changes(history, [before], [after])
    assert (alike.unlike_count, alike.rejudged_count) == (0, 1)
    assert sum(one.counts["still_wrong"] for one in alike.splits) == 1
    assert sum(one.paired.question_count for one in alike.splits) == len(QUESTIONS)
    (after_row,) = (row for row in rows(shop.tables, EVALUATIONS) if row["evaluation_id"] == after)
    assert alike.benchmark_set_hash == after_row["benchmark_set_hash"]
    judged = {row["judge"]: row for row in judge_changes(history, before, after, alike.pairs)}
    assert judged["result_correctness"] == {
        "judge": "result_correctness",
        "target": 0.85,
        "compared_count": 4,
        "left_out_count": 0,
        "yes_before": 3,
        "yes_after": 3,
    }
    assert not judge_on_one_set(shop.context, before, after), "a second time nothing is left to do"
    turned = question_changes(history, [after], [before])
    assert (turned.unlike_count, turned.rejudged_count) == (0, 1)
    assert len(SPLITS) == len(turned.splits)


@pytest.mark.slow
def test_many_answers_are_judged_again_as_few_are_and_none_of_them_at_hand(
    shop, by_later_judges, monkeypatch
):
    tables = shop.tables
    shop.correct(gated(tables)[0]["question_id"])
    shop.apply(1)

    def at_hand(*args):
        raise AssertionError("the answers are too many to be at hand")

    with monkeypatch.context() as patch:
        patch.setattr("pipelines.evaluation_judging.judge_again", at_hand)
        many = EvaluateConfig(policy=EvaluationPolicy(few_answers=1))
        evaluate.run(shop.context, many)
        judged = shop.rejudged()
        assert evaluate.run(shop.context, many).wrote == 0
    baseline, measured = shop.evaluations()
    assert {row["evaluation_id"] for row in judged} == {baseline}
    assert len(judged) == len([r for r in gated(tables) if r["evaluation_id"] == baseline])
    assert sorted(row["is_correct"] for row in judged)[:2] == [False, True]
    for table in (REJUDGED_RESULTS, EVALUATIONS):
        after = "" if table is REJUDGED_RESULTS else f" WHERE evaluation_id = '{measured}'"
        tables.spark.sql(f"DELETE FROM {tables.name(table)}{after}")
    evaluate.run(shop.context)
    assert sorted(shop.rejudged(), key=repr) == sorted(judged, key=repr)
