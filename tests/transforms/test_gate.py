"""The gate: question by question, train must gain, held-out may veto, chance is asked again."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import pytest

from tests.transforms.contract_frames import frame
from transforms.contracts import (
    BATCHES,
    EVAL_RESULTS,
    EVALUATIONS,
    GATE_DECISIONS,
    JUDGE_VERDICTS,
    REJUDGED_RESULTS,
    SPACES,
)
from transforms.gate import (
    DECISION_COLUMNS,
    REQUEST_COLUMNS,
    Measured,
    decision_rows,
    gate_decisions,
    repeat_requests,
)
from transforms.gate_judges import fallen_judges
from transforms.gate_pairs import gate_pairs
from transforms.one_set import judged_verdicts

START = datetime(2026, 1, 1, tzinfo=UTC)
STATE = {"state": "STRING", "asks_train": "BOOLEAN"}  # what the view adds


def case(train: str, held_out: str = "", sealed: str = "") -> dict[str, list[str]]:
    """Splits, each with one string per question: its answers in the order of the evaluations.

    r right, w wrong, i the platform failed; the first letter is the baseline, the second the
    evaluation after the batch, then come repeats.
    """
    return {"train": train.split(), "held_out": held_out.split(), "sealed": sealed.split()}


LIVE, RECORDED = "genie:space", "recorded:answers"
FOUND = "the platform failed where it could decide"
# name: what was answered, decision, train net, held-out net. Recordings answer the same again.
STEADY = {
    "a train question gained": (case("wr rr ww"), "accepted", 1, 0),
    "a tie": (case("wr rw"), "rejected", 0, 0),
    "nothing changed": (case("rr ww"), "rejected", 0, 0),
    "more lost than gained": (case("wr rw rw"), "rejected", -1, 0),
    "gained more than lost": (case("wr wr rw"), "accepted", 1, 0),
    "held-out lost": (case("wr wr wr", "rw"), "rejected", 3, -1),
    "held-out lost and gained": (case("wr", "rw wr"), "accepted", 1, 0),
    "held-out gained cannot make up for train": (case("rr", "wr wr"), "rejected", 0, 2),
    "sealed decides nothing, lost": (case("wr", "rr", "rw rw"), "accepted", 1, 0),
    "sealed decides nothing, gained": (case("rr", "rr", "wr wr"), "rejected", 0, 0),
    "the platform failed where it cannot matter": (case("wr wr ri"), "accepted", 2, 0),
    FOUND: (case("wr ri"), "undecided", 1, 0),
    "the platform failed before": (case("wr iw"), "undecided", 1, 0),
    "the platform failed, and all the rest says no": (case("rw rw ri"), "rejected", -2, 0),
    "a tie of a correction": (case("wr rw"), "accepted", 0, 0),
    "a correction lost": (case("rw rr"), "rejected", -1, 0),
    "a judge fell": (case("wr"), "rejected", 1, 0),
    "a judge fell a little": (case("wr"), "accepted", 1, 0),
    "a judge fell on sealed questions": (case("wr"), "accepted", 1, 0),
    "a judge fell by a small share": (case("wr"), "accepted", 1, 0),
    "a judge fell where the benchmark changed": (case("wr"), "accepted", 1, 0),
    "a repeat answers what the platform left out": (case("wrr rir"), "accepted", 1, 0),
    "a repeat finds it worse": (case("wrr riw"), "rejected", 0, 0),
    "after two repeats the platform still fails": (case("wrrr riii"), "rejected", 1, 0),
}
# What answers now may answer otherwise another time.
UNSTEADY = {
    "live: gains that chance seldom gives": (case("wr wr wr wr"), "accepted", 4, 0),
    "live: three gains and no loss": (case("wr wr wr rr", "rr"), "undecided", 3, 0),
    "live: the same three gains again": (case("wrr wrr wrr", "rrr"), "accepted", 3, 0),
    "live: one gain after two repeats": (case("wrrr rrrr"), "accepted", 1, 0),
    "live: a gain that does not last": (case("wrww rrrr"), "rejected", 0, 0),
    "live: one held-out question lost": (case("wr wr wr wr wr", "rw"), "undecided", 5, -1),
    "live: it is lost twice": (case("wrr wrr wrr wrr", "rww"), "undecided", 4, -1),
    "live: it is lost for good": (case("wrrr wrrr wrrr wrrr", "rwww"), "rejected", 4, -1),
    "live: it is lost once of two": (case("wrr wrr wrr wrr", "rwr"), "accepted", 4, 0),
    "live: harm that chance may do": (case("rw rw rw rw rw wr"), "undecided", -4, 0),
    "live: more harm": (case("rw rw rw rw rw rw wr"), "rejected", -5, 0),
    "live: harm on held-out": (case("wr wr wr wr", "rw rw rw rw"), "rejected", 4, -4),
    "live: nothing gained": (case("rr rw"), "rejected", -1, 0),
    "live: a tie": (case("wr rw"), "undecided", 0, 0),
    "live: a correction lost one": (case("rw rr"), "undecided", -1, 0),
    "live: it was asked twice before": (case("wwr wwr wwr rwr"), "accepted", 3, 0),
}
ANSWERERS = {**dict.fromkeys(STEADY, RECORDED), **dict.fromkeys(UNSTEADY, LIVE)}
DECISIONS = STEADY | UNSTEADY
TWICE_BEFORE = {"live: it was asked twice before"}


KINDS = {
    name: "correction" if "correction" in name else "lever" for name in DECISIONS
}  # of their batches
# name: split, answers that a judge said yes to before, and after, of how many
FALLS = {
    "a judge fell": ("held_out", 10, 7, 10),
    "a judge fell a little": ("train", 10, 8, 10),
    "a judge fell on sealed questions": ("sealed", 10, 0, 10),
    "a judge fell by a small share": ("train", 80, 77, 80),
    "a judge fell where the benchmark changed": ("train", 10, 0, 10),
}
CORRECTED = {"a judge fell where the benchmark changed"}


@pytest.fixture(scope="module")
def gated(spark):
    """All cases in one DataFrame: a space with a batch each."""
    evaluations, results, verdicts = [], [], []
    for name, (splits, *_) in DECISIONS.items():
        count = max(len(answers) for all_ in splits.values() for answers in all_)
        for number in range(count):
            evaluation_id = f"{name}/{number}"
            evaluations.append(_evaluation(name, evaluation_id, number, splits))
            results += _results(name, evaluation_id, number, splits)
            judged = _verdicts(name, evaluation_id, number)
            verdicts += judged
            results += _asked(judged, results, is_corrected=name in CORRECTED and number > 0)
    frames = {
        "evaluations": frame(spark, EVALUATIONS, evaluations, also=STATE),
        "results": frame(spark, EVAL_RESULTS, results),
        "spaces": frame(
            spark,
            SPACES,
            [
                {"space_id": name, "target_accuracy": 0.85, "max_applied_batches": 12}
                for name in DECISIONS
            ],
        ),
    }
    decided = frame(spark, GATE_DECISIONS, [])
    new = frames["evaluations"].where("state <> 'accepted'")
    pairs = gate_pairs(new, frames["evaluations"], decided)
    applied = spark.createDataFrame([], "space_id STRING, applied_count BIGINT")
    made = gate_decisions(
        pairs,
        Measured(
            frames["evaluations"],
            frames["results"],
            frame(spark, REJUDGED_RESULTS, []),
            frame(spark, JUDGE_VERDICTS, verdicts),
        ),
        frames["spaces"],
        applied,
        frame(spark, BATCHES, [{"batch_id": f"batch of {n}", "kind": k} for n, k in KINDS.items()]),
    )
    made = made.localCheckpoint()
    decisions, repeats = decision_rows(made), repeat_requests(made)
    assert tuple(decisions.columns) == DECISION_COLUMNS
    assert tuple(repeats.columns) == REQUEST_COLUMNS
    return (
        {row["space_id"]: row for row in decisions.collect()},
        {row["space_id"]: row for row in repeats.collect()},
    )


def _evaluation(name, evaluation_id, number, splits):
    is_baseline = number == 0 or (number == 1 and name in TWICE_BEFORE)
    return {
        "space_id": name,
        "evaluation_id": evaluation_id,
        "application_id": None if is_baseline else f"application of {name}",
        "batch_id": None if is_baseline else f"batch of {name}",
        "kind": "baseline" if is_baseline else "repeat",
        "started_at": START + timedelta(hours=number),
        "state": "accepted" if is_baseline else "undecided",
        "state_hash": "before" if is_baseline else "after",
        "judge_version": "1",
        "comparison_policy": "bag",
        "answerer": ANSWERERS.get(name, RECORDED),
        "asks_train": True,
        "splits": [
            {
                "split": split,
                "question_count": len(answers),
                "correct_count": sum(a[number] == "r" for a in answers),
                "accuracy": sum(a[number] == "r" for a in answers) / len(answers),
            }
            for split, answers in splits.items()
            if answers
        ],
    }


def _results(name, evaluation_id, number, splits):
    return [
        {
            "space_id": name,
            "evaluation_id": evaluation_id,
            "question_id": f"{split}-{position}",
            "group_id": f"group of {split}-{position}",
            "attempt": 1,
            "benchmark_version": 1,
            "split": split,
            "outcome": {"r": "correct", "w": "incorrect", "i": "infrastructure"}[answers[number]],
            "is_correct": {"r": True, "w": False, "i": None}[answers[number]],
        }
        for split, all_ in splits.items()
        for position, answers in enumerate(all_)
    ]


def _verdicts(name, evaluation_id, number):
    """What one judge said, and an arbiter, of whom nobody counts yes and no."""
    split, before, after, count = FALLS.get(name, ("train", 1, 1, 1))
    yes = before if number == 0 else after
    said = [("syntax_validity", "yes" if n < yes else "no", n) for n in range(count)]
    said += [("schema_accuracy", "skipped" if number else "yes", n) for n in range(9)]
    return [
        {
            "space_id": name,
            "evaluation_id": evaluation_id,
            "question_id": f"{split}-{position}",
            "attempt": 1,
            "split": split,
            "judge": judge,
            "value": value,
        }
        for judge, value, position in said
    ]


def _asked(judged, known, *, is_corrected):
    """Results of the questions that were judged and have none yet; neither right nor wrong."""
    there = {(row["evaluation_id"], row["question_id"]) for row in known}
    new = {(row["evaluation_id"], row["question_id"]): row for row in judged}
    return [
        {
            **{column: row[column] for column in ("space_id", "evaluation_id", "question_id")},
            "attempt": 1,
            "benchmark_version": 2 if is_corrected else 1,
            "split": "sealed",
            "outcome": "incorrect",
            "is_correct": False,
        }
        for key, row in new.items()
        if key not in there
    ]


def test_a_judge_that_fell_is_named_with_its_counts(gated):
    row = gated[0]["a judge fell"]
    assert row["rationale"].endswith("; syntax_validity fell from 10 to 7 of 10")
    assert json.loads(row["statistics"])["fallen"] == ["syntax_validity fell from 10 to 7 of 10"]


@pytest.mark.parametrize("name", DECISIONS)
def test_the_net_of_train_decides_and_held_out_may_veto(gated, name):
    _, decision, train_net, held_out_net = DECISIONS[name]
    row = gated[0][name]
    assert (row["decision"], row["train_net"], row["held_out_net"]) == (
        decision,
        train_net,
        held_out_net,
    )
    assert row["rationale"].startswith(f"{decision}: ")


@pytest.mark.parametrize("name", DECISIONS)
def test_only_what_is_undecided_is_asked_again(gated, name):
    assert (name in gated[1]) == (DECISIONS[name][1] == "undecided")


def test_a_repeat_asks_train_and_held_out_for_the_same_application(gated):
    row = gated[1][FOUND]
    assert row["kind"] == "repeat"
    assert row["ordinal"] == 1
    assert row["splits"] == ["train", "held_out"]
    assert row["application_id"].startswith("application of ")


def test_a_decision_lists_its_evaluations_in_order_and_what_it_compared_with(gated):
    row = gated[0]["a repeat finds it worse"]
    assert row["evaluation_ids"] == ["a repeat finds it worse/1", "a repeat finds it worse/2"]
    assert row["number"] == 2
    assert row["baseline_evaluation_id"] == "a repeat finds it worse/0"
    statistics = json.loads(row["statistics"])
    assert statistics["train"]["compared_count"] == 2
    assert statistics["baseline_evaluation_ids"] == ["a repeat finds it worse/0"]
    row = gated[0]["live: it was asked twice before"]
    before = ["live: it was asked twice before/0", "live: it was asked twice before/1"]
    assert json.loads(row["statistics"])["baseline_evaluation_ids"] == before
    assert row["baseline_evaluation_id"] == before[-1]


def test_a_decision_records_what_its_numbers_prove(gated):
    row = gated[0]["live: three gains and no loss"]
    assert row["rationale"] == (
        "undecided: train 3 gained, 0 lost of 4; held-out 0 gained, 0 lost of 1; "
        "a change without effect looks as good on train in 12.5% of cases: all are asked again"
    )
    statistics = json.loads(row["statistics"])
    assert not statistics["is_steady"]
    train = statistics["train"]
    assert (train["p_gain"], train["p_harm"], train["p_value"]) == (0.125, 1.0, 0.25)
    assert (train["accuracy_before"], train["accuracy_after"]) == (0.25, 1.0)
    assert train["difference_low"] < train["difference"] == 0.75 <= train["difference_high"]
    assert statistics["held_out"]["p_gain"] == 1.0


def test_what_is_not_compared_is_counted_beside_what_is(gated):
    row = gated[0][FOUND]
    assert "train 1 gained, 0 lost of 1, 1 not answered; held-out" in row["rationale"]
    assert json.loads(row["statistics"])["train"]["unknown_count"] == 1


def test_held_out_questions_are_told_by_counts_only(gated):
    for row in gated[0].values():
        assert "held_out-" not in row["statistics"] + row["rationale"]


def test_reaching_the_target_on_train_and_held_out_ends_the_loop(gated):
    assert gated[0]["sealed decides nothing, lost"]["stop_reason"] == "target"
    assert gated[0]["held-out lost and gained"]["stop_reason"] is None
    assert gated[0]["sealed decides nothing, gained"]["stop_reason"] is None


def _pairs(spark, evaluations, decisions=()):
    states = frame(spark, EVALUATIONS, evaluations, also=STATE)
    new = states.where("state <> 'accepted'")
    return gate_pairs(new, states, frame(spark, GATE_DECISIONS, list(decisions))).collect()


def test_the_baseline_is_the_last_accepted_evaluation_before_the_batch(spark):
    def evaluation(name, hour, **changed):
        return {
            "space_id": "shop",
            "evaluation_id": name,
            "kind": "baseline",
            "started_at": START + timedelta(hours=hour),
            "state": "accepted",
            "asks_train": True,
            "state_hash": "shown",
            **changed,
        }

    measured = {"application_id": "a", "batch_id": "b", "state": "undecided"}
    pairs = _pairs(
        spark,
        [
            evaluation("long ago", -5),
            evaluation("first", -1),
            evaluation("other state", -1, state_hash="other"),
            evaluation("one more", 0),
            evaluation("second", 1),
            evaluation("peek", 2, kind="canary"),
            evaluation("sealed only", 2, kind="final", asks_train=False),
            evaluation("worse", 3, application_id="x", batch_id="c", state="rejected"),
            evaluation("after", 4, **measured),
            evaluation("later", 5),
            evaluation("elsewhere", 3, space_id="bank"),
        ],
        # What "worse" measures was decided.
        [{"batch_id": "c", "number": 1, "decision": "rejected"}],
    )
    assert [(row["batch_id"], row["baseline_evaluation_id"]) for row in pairs] == [("b", "second")]
    # The newest of the same state, as many as may measure the batch itself.
    assert pairs[0]["baseline_evaluation_ids"] == ["first", "one more", "second"]


def test_without_an_accepted_evaluation_nothing_shows_a_gain(spark):
    evaluations = [_evaluation("bare", "bare/1", 1, case("wr"))]
    states = frame(spark, EVALUATIONS, evaluations, also=STATE)
    pairs = gate_pairs(states, states, frame(spark, GATE_DECISIONS, []))
    made = gate_decisions(
        pairs,
        _measured(spark, states, _results("bare", "bare/1", 1, case("wr"))),
        frame(spark, SPACES, [{"space_id": "bare", "target_accuracy": 0.5}]),
        spark.createDataFrame([("bare", 12)], "space_id STRING, applied_count BIGINT"),
        frame(spark, BATCHES, []),
    )
    row = decision_rows(made).collect()[0]
    assert (row["decision"], row["stop_reason"]) == ("rejected", None)
    assert "no accepted evaluation" in row["rationale"]


def _measured(spark, evaluations, results, *, rejudged=(), verdicts=()):
    return Measured(
        evaluations,
        frame(spark, EVAL_RESULTS, results),
        frame(spark, REJUDGED_RESULTS, rejudged),
        frame(spark, JUDGE_VERDICTS, verdicts),
    )


def _rejudged(question_id, *, is_correct, **changed):
    """What the baseline's answer is on version 2 of the benchmark, by the judges of later."""
    return {
        "evaluation_id": "s/0",
        "question_id": question_id,
        "group_id": f"group of {question_id}",
        "attempt": 1,
        "benchmark_version": 2,
        "judge_version": "1",
        "comparison_policy": "bag",
        "split": "train",
        "outcome": "correct" if is_correct else "incorrect",
        "is_correct": is_correct,
        "verdicts": {"schema_accuracy": "yes"},
        **changed,
    }


# name: what was judged again of the baseline, train questions compared, gained, left out
AGAIN = {
    "nothing": ([], 1, 1, 1),
    "the answer is right on the new benchmark": ([("train-1", True)], 2, 1, 0),
    "it is wrong there": ([("train-1", False)], 2, 2, 0),
    "by other judges": ([("train-1", False, "2")], 1, 1, 1),
}


@pytest.mark.parametrize("name", AGAIN)
def test_corrected_benchmarks_are_compared_once_the_old_answers_are_judged_on_them(spark, name):
    again, compared, gained, left_out = AGAIN[name]
    evaluations = [_evaluation("s", f"s/{n}", n, case("wr wr")) for n in (0, 1)]
    results = [row for n in (0, 1) for row in _results("s", f"s/{n}", n, case("wr wr"))]
    results[-1]["benchmark_version"] = 2
    rejudged = [
        _rejudged(question, is_correct=is_right, judge_version=(*by, "1")[0])
        for question, is_right, *by in again
    ]
    states = frame(spark, EVALUATIONS, evaluations, also=STATE)
    made = gate_decisions(
        gate_pairs(states, states, frame(spark, GATE_DECISIONS, [])),
        _measured(spark, states, results, rejudged=rejudged),
        frame(spark, SPACES, [{"space_id": "s", "target_accuracy": 1.0, "max_applied_batches": 3}]),
        spark.createDataFrame([("s", 3)], "space_id STRING, applied_count BIGINT"),
        frame(spark, BATCHES, []),
    )
    row = decision_rows(made).collect()[0]
    train = json.loads(row["statistics"])["train"]
    found = (train["compared_count"], train["fixed_count"], train["other_benchmark_count"])
    assert found == (compared, gained, left_out)
    assert row["stop_reason"] == "maximum"


@pytest.mark.parametrize("is_judged_again", [False, True])
def test_stricter_judges_have_not_fallen(spark, is_judged_again):
    """Verdicts of another version of the judges are compared only with its own on old answers."""
    evaluations = [
        {**_evaluation("s", f"s/{n}", n, case("wr")), "judge_version": f"{n + 1}"} for n in (0, 1)
    ]
    judged = [
        {
            "space_id": "s",
            "evaluation_id": f"s/{n}",
            "question_id": f"train-{position}",
            "attempt": 1,
            "split": "train",
            "judge": "schema_accuracy",
            "value": value,
        }
        for n, value in ((0, "yes"), (1, "no"))
        for position in range(10)
    ]
    results = _asked(judged, [], is_corrected=False)
    again = [
        _rejudged(
            f"train-{position}",
            is_correct=False,
            benchmark_version=1,
            judge_version="2",
            verdicts={"schema_accuracy": "yes"},
        )
        for position in range(10)
    ]
    states = frame(spark, EVALUATIONS, evaluations, also=STATE)
    measured = _measured(
        spark, states, results, rejudged=again if is_judged_again else [], verdicts=judged
    )
    pairs = gate_pairs(states, states, frame(spark, GATE_DECISIONS, []))
    verdicts = judged_verdicts(
        measured.judge_verdicts, measured.eval_results, states, measured.rejudged
    )
    fallen = fallen_judges(pairs, verdicts, ("train",)).collect()
    assert bool(fallen) is is_judged_again, "a fall counts where old answers were judged alike"
