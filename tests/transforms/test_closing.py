"""How a loop ends: the next cycle, or the sealed questions, once."""

from __future__ import annotations

import pytest

from tests.transforms.contract_frames import frame
from transforms.closing import REQUEST_COLUMNS, final_requests, spaces_at_the_end_of_a_cycle
from transforms.contracts import EVALUATIONS, LEVER_AUDIT

SPACE_STATE = (
    "space_id STRING, state STRING, evaluation_id STRING, iteration INT, cycle INT, "
    "accepted_count BIGINT"
)


def spaces(spark, *rows):
    names = [part.split()[0] for part in SPACE_STATE.split(", ")]
    blank = {"state": "improving", "evaluation_id": "e1", "iteration": 3, "cycle": 1}
    filled = [{**blank, "accepted_count": 0, **row} for row in rows]
    return spark.createDataFrame([tuple(row[n] for n in names) for row in filled], SPACE_STATE)


def audited(spark, space_id, finals, cycle=1):
    rows = [
        {"space_id": space_id, "cycle": cycle, "lever": lever, "is_final": is_final}
        for lever, is_final in finals.items()
    ]
    return frame(spark, LEVER_AUDIT, rows)


def ended(spark, space, finals, cycle=1):
    found = spaces_at_the_end_of_a_cycle(
        spaces(spark, space), audited(spark, space["space_id"], finals, cycle)
    )
    return [row["has_accepted"] for row in found.collect()]


@pytest.mark.parametrize(
    ("accepted", "finals", "cycle", "expected"),
    [
        (0, {5: True, 6: True}, 1, [False]),
        (2, {5: True, 6: True}, 1, [True]),
        (2, {5: True, 6: False}, 1, []),
        (2, {}, 1, []),
        # The view counts the first cycle; nothing of the second was accepted yet.
        (2, dict.fromkeys(range(1, 7), True), 2, [False]),
    ],
)
def test_a_cycle_ends_when_no_lever_is_open(spark, accepted, finals, cycle, expected):
    space = {"space_id": "a", "accepted_count": accepted}
    assert ended(spark, space, finals, cycle) == expected


def requests(spark, space_rows, ended_rows=(), measured=()):
    evaluations = [
        {
            "evaluation_id": evaluation_id,
            "splits": [
                {"split": "sealed", "question_count": count, "correct_count": 0, "accuracy": None}
            ],
        }
        for evaluation_id, count in measured
    ]
    over = spark.createDataFrame(list(ended_rows), "space_id STRING, has_accepted BOOLEAN")
    return final_requests(
        spaces(spark, *space_rows), over, frame(spark, EVALUATIONS, evaluations)
    ).select(*REQUEST_COLUMNS)


def test_every_space_whose_loop_ended_is_asked_its_sealed_questions(spark):
    rows = [
        {"space_id": "target", "state": "target"},
        {"space_id": "maximum", "state": "maximum"},
        {"space_id": "plateau", "state": "plateau"},
        {"space_id": "level now"},
        {"space_id": "next cycle"},
        {"space_id": "improving"},
        {"space_id": "never asked", "state": "target", "evaluation_id": None},
    ]
    made = requests(spark, rows, [("level now", False), ("next cycle", True)]).collect()
    assert {row["space_id"] for row in made} == {"target", "maximum", "plateau", "level now"}
    assert {(row["kind"], tuple(row["splits"]), row["ordinal"]) for row in made} == {
        ("final", ("sealed",), 3)
    }
    assert len({row["request_id"] for row in made}) == 4


def test_an_evaluation_that_asked_the_sealed_questions_is_its_own_final_one(spark):
    rows = [
        {"space_id": "a", "state": "plateau", "evaluation_id": "baseline"},
        {"space_id": "b", "state": "plateau", "evaluation_id": "applied"},
    ]
    made = requests(spark, rows, measured=[("baseline", 54), ("applied", 0)]).collect()
    assert [row["space_id"] for row in made] == ["b"]


def test_the_request_is_named_after_the_last_accepted_evaluation(spark):
    rows = [{"space_id": "a", "state": "target", "evaluation_id": name} for name in ("e1", "e2")]
    ids = [row["request_id"] for row in requests(spark, rows).collect()]
    assert len(set(ids)) == 2
    again = [row["request_id"] for row in requests(spark, rows).collect()]
    assert sorted(again) == sorted(ids)
