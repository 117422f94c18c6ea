"""Another recording answers for a space: the right file, registered once, under one name."""

from __future__ import annotations

import pytest

from pipelines.answering import answer_from
from pipelines.load import load
from pipelines.spaces import registered_spaces
from tests.pipelines.folders import QUESTIONS, RIGHT, make_folder, write_lines
from tests.pipelines.histories import versions
from transforms.errors import InvalidInputError


def test_a_recording_that_answers_already_is_no_change_whatever_path_leads_to_it(tables, tmp_path):
    folder = make_folder(tmp_path / "real", answers={"sys": RIGHT})
    load(tables, folder)
    before = versions(tables)
    (tmp_path / "link").symlink_to(folder.parent)
    assert not answer_from(tables, "shop_world-sys", folder / "answers" / "sys.jsonl")
    through = tmp_path / "link" / folder.name / "answers" / "sys.jsonl"
    assert not answer_from(tables, "shop_world-sys", through)
    assert versions(tables) == before

    late = tmp_path / "late.jsonl"
    write_lines(late, RIGHT[:1])
    assert answer_from(tables, "shop_world-sys", late)
    assert registered_spaces(tables)["shop_world-sys"].space.answerer == f"recorded:{late}"


def test_answers_to_questions_that_were_taken_out_are_left_alone(tables, tmp_path):
    folder = make_folder(tmp_path, answers={})
    load(tables, folder)
    write_lines(folder / "questions.jsonl", QUESTIONS[1:])
    load(tables, folder)
    recording = tmp_path / "all.jsonl"
    write_lines(recording, RIGHT)
    assert answer_from(tables, "shop_world", recording)


def test_what_cannot_be_replayed_is_refused_with_every_fault(tables, tmp_path):
    load(tables, make_folder(tmp_path, answers={"sys": RIGHT}))
    before = versions(tables)
    recording = tmp_path / "foreign.jsonl"
    write_lines(recording, [{"question_id": "q99", "sql": "SELECT 1"}, {"question_id": "q1"}])
    with pytest.raises(InvalidInputError, match="cannot be replayed") as refused:
        answer_from(tables, "shop_world-sys", recording)
    assert [problem.partition(": ")[2] for problem in refused.value.problems] == [
        "there is no question q99",
        "sql must be a text, or null for an answer without SQL",
    ]
    with pytest.raises(InvalidInputError, match="no such space"):
        answer_from(tables, "nowhere", recording)
    assert versions(tables) == before
