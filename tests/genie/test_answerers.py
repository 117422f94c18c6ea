"""Recorded answers: what is replayed, what is refused, and where the faults are."""

from __future__ import annotations

import json

import pytest

from genie.answerers import Answer, open_answerer
from genie.recorded import check_recorded_answers
from transforms.errors import InvalidInputError


def recording(folder, *lines):
    path = folder / "system.jsonl"
    path.write_text("\n".join(x if isinstance(x, str) else json.dumps(x) for x in lines))
    return path


def test_recorded_sql_is_replayed_and_extra_keys_are_ignored(tmp_path):
    path = recording(tmp_path, {"question_id": "q1", "sql": "SELECT 1", "official_strict": True})
    answer = open_answerer(f"recorded:{path}").ask("q1", "One?", timeout_s=1)
    assert answer == Answer("answered", sql="SELECT 1")


@pytest.mark.parametrize(
    ("line", "error"),
    [
        pytest.param({"question_id": "other", "sql": "SELECT 1"}, "no answer was recorded",
                     id="nothing recorded"),
        pytest.param({"question_id": "q1", "sql": None}, "an answer without SQL was recorded",
                     id="null"),
        pytest.param({"question_id": "q1", "sql": "  \n"}, "an answer without SQL was recorded",
                     id="blank"),
    ],
)  # fmt: skip
def test_a_question_without_recorded_sql_has_an_answer_without_sql(tmp_path, line, error):
    answerer = open_answerer(f"recorded:{recording(tmp_path, line)}")
    assert answerer.ask("q1", "One?", timeout_s=1) == Answer("no_sql", error=error)


def test_every_faulty_line_is_told_with_its_number(tmp_path):
    path = recording(
        tmp_path,
        {"question_id": "q1", "sql": "SELECT 1"},
        "not json",
        "[1]",
        "",
        {"question_id": "q1", "sql": "SELECT 2"},
        {"question_id": "q2", "sql": 5},
        {"question_id": "q3"},
        {"sql": "SELECT 1"},
        '{"question_id": "q4", "sql": NaN}',
    )
    with pytest.raises(InvalidInputError) as caught:
        open_answerer(f"recorded:{path}")
    found = {problem.removeprefix(f"{path}:") for problem in caught.value.problems}
    assert found == {
        "2: not JSON: Expecting value, column 1",
        "3: a JSON object is expected on every line",
        "5: q1 is already answered on line 1",
        "6: sql must be a text, or null for an answer without SQL",
        "7: sql must be a text, or null for an answer without SQL",
        "8: question_id must be a text that is not empty",
        "9: not JSON: NaN is not a JSON value",
    }


def test_an_answer_to_an_unknown_question_is_a_fault_where_questions_are_known(tmp_path):
    path = recording(tmp_path, {"question_id": "q7", "sql": "SELECT 1"})
    assert check_recorded_answers(path, "f")[1] == []
    assert check_recorded_answers(path, "f", {"q1"})[1] == ["f:1: there is no question q7"]


def test_bytes_that_are_not_text_and_a_byte_order_mark_are_coped_with(tmp_path):
    path = tmp_path / "system.jsonl"
    path.write_bytes(
        b'\xef\xbb\xbf{"question_id": "q1", "sql": null}\n\xff\xfe\n'
        b'{"question_id": "q2", "sql": "\\ud800"}\n'
    )
    recorded, problems = check_recorded_answers(path, "f")
    assert dict(recorded.sql_by_question) == {"q1": None}
    assert problems == ["f:2: not UTF-8 text", "f:3: not UTF-8 text"]


@pytest.mark.parametrize("spec", ["oracle:x", "recorded", "recorded:", ""])
def test_an_unknown_answerer_is_refused_with_the_known_ones(spec):
    with pytest.raises(InvalidInputError, match="recorded:PATH"):
        open_answerer(spec)


def test_a_missing_recording_is_named(tmp_path):
    with pytest.raises(InvalidInputError, match=r"gone\.jsonl: cannot be read"):
        open_answerer(f"recorded:{tmp_path / 'gone.jsonl'}")


def test_the_hash_of_a_recording_follows_its_content(tmp_path):
    path = recording(tmp_path, {"question_id": "q1", "sql": "SELECT 1"})
    first = open_answerer(f"recorded:{path}").source_hash
    assert open_answerer(f"recorded:{path}").source_hash == first
    recording(tmp_path, {"question_id": "q1", "sql": "SELECT 2"})
    assert open_answerer(f"recorded:{path}").source_hash != first


@pytest.mark.parametrize(
    ("outcome", "sql"),
    [("answered", None), ("no_sql", "SELECT 1"), ("timed_out", "SELECT 1"), ("failed", "SELECT 1")],
)
def test_an_answer_cannot_contradict_itself(outcome, sql):
    with pytest.raises(ValueError, match=outcome):
        Answer(outcome, sql=sql)
