"""``benchmarks``: listing, checking, importing and exporting what a space is measured by."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import replace

import pytest
from typer.testing import CliRunner

from genie.asked_questions import AskedQuestion, AskedQuestions
from jobs import benchmark_jobs
from jobs.cli import app
from jobs.cli_benchmark_check import print_check
from jobs.cli_benchmark_import import print_import
from jobs.context import JobContext
from jobs.home import Home
from pipelines.benchmark_import import (
    import_questions,
    questions_of_conversations,
    questions_of_space,
)
from pipelines.load import load
from pipelines.question_files import read_question_file
from pipelines.spaces import register_spaces, registered_spaces
from tests.jobs import seeded
from tests.pipelines.folders import QUESTIONS, RIGHT, make_folder, write_lines
from tests.pipelines.histories import rows
from transforms.contracts import BENCHMARKS, QUARANTINE, SPLITS
from transforms.errors import InvalidInputError
from transforms.serialized_space import SpaceConfig

SPACE = "shop_world-a"


@pytest.fixture
def shop(tmp_path) -> Home:
    home = Home(tmp_path / "home")
    seeded.shop(home)
    return home


def called(home: Home, *words: str):
    return CliRunner().invoke(app, ["--home", str(home.root), "benchmarks", *words])


def shown(home: Home, *words: str) -> str:
    done = called(home, *words)
    assert done.exit_code == 0, done.output
    return done.stdout


def test_train_questions_are_listed_and_the_others_counted(shop):
    text = shown(shop, "list")
    assert seeded.TEXT_OF["q1"] in text
    assert "2 of train; not shown: 1 of held_out, 1 of sealed" in text
    for hidden in ("q3", "q4"):
        assert seeded.TEXT_OF[hidden] not in text
    found = json.loads(shown(shop, "list", "--split", "sealed", "--json"))
    assert [row["question_id"] for row in found] == ["q4"]
    assert "1 more of train" in shown(shop, "list", "--limit", "1")


def test_what_is_not_there_or_not_possible_is_refused(shop, tmp_path):
    there = tmp_path / "there.jsonl"
    there.write_text("")
    for words, told in (
        (["list", "--split", "none"], "is none of train"),
        (["export", "shop", str(there)], "cannot be made"),
        (["export", "shop", "questions.csv"], "written to"),
        (["export", "nowhere", str(tmp_path / "x.jsonl")], "no such space"),
        (["import", "shop"], "come from"),
        (["import", "shop", str(there), "--from-space"], "come from"),
        (["import", "shop", str(tmp_path / "no.jsonl")], "not a file of questions"),
        (["check", "nowhere"], "no such space"),
    ):
        done = called(shop, *words)
        assert done.exit_code == 2, words
        assert told in " ".join(done.stderr.split()), words
    assert there.read_text() == ""


@pytest.mark.parametrize("ending", ["jsonl", "yaml"])
def test_what_is_exported_is_read_as_what_it_was(shop, tmp_path, ending):
    file = tmp_path / f"questions.{ending}"
    assert f"4 benchmarks of shop in {file}" in shown(shop, "export", "shop", str(file))
    read = read_question_file(file, "label").checked("here")
    assert [one.question_id for one in read.questions] == ["q1", "q2", "q3", "q4"]
    assert read.questions[0].question == seeded.TEXT_OF["q1"]
    assert read.questions[0].expected_sql == seeded.benchmark("q1")["expected_sql"]
    only = tmp_path / f"train.{ending}"
    shown(shop, "export", "shop", str(only), "--split", "train")
    assert {one.question_id for one in read_question_file(only, "label").questions} == {"q1", "q2"}


WEAK = (
    {"question_id": "none", "question": "Is there a shop in Spain?",
     "expected_sql": "SELECT name FROM shop WHERE country = 'Spain'"},
    {"question_id": "gone", "question": "What is in the cellar?",
     "expected_sql": "SELECT name FROM cellar"},
    {"question_id": "today", "question": "What was sold today?",
     "expected_sql": "SELECT id FROM sale WHERE sold_on < current_date()"},
    {"question_id": "dice", "question": "Name any shop by a throw of the dice",
     "expected_sql": "SELECT name, rand() FROM shop"},
    {"question_id": "tie", "question": "Which sale came first of two?",
     "expected_sql": "SELECT id FROM sale ORDER BY year(sold_on) LIMIT 2"},
    {"question_id": "twin", "question": "how many  shops are there?",
     "expected_sql": "select count(*) from shop"},
    {"question_id": "words", "question": "Count the shops, please",
     "expected_sql": "SELECT COUNT(*) FROM shop"},
)  # fmt: skip


class Loaded:
    """A space of a small folder on the process's tables."""

    def __init__(self, tables, folder):
        self.tables = tables
        self.folder = make_folder(folder, answers={"a": RIGHT})
        load(tables, self.folder)
        self.context = JobContext(tables, folder / "checkpoints", "sqlite://", tables.clock)

    def read(self, *lines):
        path = self.folder.parent / "more.jsonl"
        write_lines(path, lines)
        return read_question_file(path, str(path))

    def newest(self):
        found = sorted(rows(self.tables, BENCHMARKS), key=lambda row: row["benchmark_version"])
        return {row["question_id"]: row for row in found}


@pytest.fixture
def loaded(tables, tmp_path):
    return Loaded(tables, tmp_path)


def test_a_question_that_holds_an_escape_sequence_is_shown_with_it_and_steers_nothing(shop):
    asked = {**seeded.benchmark("q1"), "question_id": "q5", "question": "\x1b[31mred alert\x1b[0m"}
    seeded.append(shop, BENCHMARKS, [asked])
    for options in ((), ("--json",)):
        done = CliRunner().invoke(
            app, ["--home", str(shop.root), "benchmarks", "list", *options], color=True
        )
        assert done.exit_code == 0, done.output
        assert "\x1b[31m" not in done.stdout
        assert "red alert" in done.stdout
    assert json.loads(done.stdout)[-1]["question"] == asked["question"]


def test_the_check_finds_what_is_planted_and_nothing_in_what_is_fine(loaded, capsys):
    write_lines(loaded.folder / "questions.jsonl", [*QUESTIONS, *WEAK])
    load(loaded.tables, loaded.folder)
    found = benchmark_jobs.check(loaded.context, SPACE)
    kinds = {}
    for one in found.findings:
        kinds.setdefault(one.question_id, set()).add(one.kind)
    assert kinds == {
        "none": {"empty"},
        "gone": {"fails", "no_asset"},
        "today": {"depends_on_today"},
        "dice": {"not_deterministic"},
        "tie": {"ambiguous_tie"},
        "twin": {"duplicate"},
        "words": {"paraphrase"},
    }
    (dice,) = [one for one in found.findings if one.kind == "not_deterministic"]
    assert dice.told == "two results of the same SQL on the same data; the SQL draws by chance"
    assets = {one.name: sum(one.counts.values()) for one in found.coverage.assets}
    assert assets == {"shop_world.shop": 7, "shop_world.sale": 4}
    assert {one.name for one in found.coverage.categories} == {"simple", "(none)"}
    print_check(found, "train")
    text = capsys.readouterr().out
    train = {row["question_id"] for row in found.benchmarks if row["split"] == "train"}
    assert "11 benchmarks checked" in text
    for line in WEAK:
        is_train = line["question_id"] in train
        assert (line["question"].split()[0] in text and line["question_id"] in text) or not is_train
        assert is_train or f"\n{line['question_id']} " not in text
    assert max(map(len, text.splitlines())) <= 100


def test_an_import_adds_and_changes_and_takes_nothing_away(loaded, capsys):
    before = loaded.newest()
    asked = loaded.read(
        {**QUESTIONS[0], "expected_sql": "SELECT COUNT(DISTINCT id) FROM shop"},
        QUESTIONS[1],
        {"question_id": "new", "question": "What was the dearest sale?",
         "expected_sql": "SELECT MAX(price) FROM sale", "category": "sales"},
        {"question_id": "near", "question": "The last sale, when was it?",
         "expected_sql": QUESTIONS[3]["expected_sql"]},
        {"question_id": "open", "question": "And without SQL?", "expected_sql": None},
    )  # fmt: skip
    rehearsed = import_questions(loaded.tables, SPACE, asked, is_rehearsal=True)
    assert loaded.newest() == before
    report = import_questions(loaded.tables, SPACE, asked)
    assert report.rows == rehearsed.rows
    assert [row["question_id"] for row in report.rows] == ["new", "q1"]
    assert [one.like for one in report.plan.near_duplicates] == [("q4",)]
    after = loaded.newest()
    assert after.keys() == {*before, "new"}
    assert (after["q1"]["benchmark_version"], after["q1"]["split"]) == (2, before["q1"]["split"])
    assert after["new"]["category"] == "sales"
    assert [row["reason"] for row in rows(loaded.tables, QUARANTINE)] == [
        "the question has no expected SQL; add it to the file"
    ]
    again = import_questions(loaded.tables, SPACE, asked)
    assert (again.wrote, again.rows) == (0, ())
    taken = import_questions(loaded.tables, SPACE, asked, with_near_duplicates=True)
    assert [row["question_id"] for row in taken.rows] == ["near"]
    assert taken.rows[0]["group_id"] == before["q4"]["group_id"]
    print_import(report, {}, is_rehearsal=False)
    text = capsys.readouterr().out
    assert "2 questions recorded" in text
    assert f"genie-loop evaluate {SPACE} --again\n" in text, "nothing else asks them"
    assert "1 new, 1 changed; 1 as before" in text
    assert "The last sale, when was it?" in text


@pytest.mark.parametrize("ending", ["jsonl", "yaml"])
def test_questions_without_an_id_are_recorded_once_under_one_of_their_words(
    loaded, tmp_path, ending
):
    file = tmp_path / f"more.{ending}"

    def imported(*questions):
        lines = [json.dumps(one) for one in questions]
        text = lines if ending == "jsonl" else [f"- {line}" for line in lines]
        file.write_text("".join(f"{line}\n" for line in text))
        choice = {"with_near_duplicates": False, "is_rehearsal": False}
        return benchmark_jobs.import_file(loaded.context, SPACE, file, **choice)

    before = loaded.newest()
    dearest = {
        "question": "What was the dearest sale?",
        "expected_sql": "SELECT MAX(price) FROM sale",
    }
    known = {"question": QUESTIONS[0]["question"], "expected_sql": QUESTIONS[0]["expected_sql"]}
    report = imported(dearest, {"question_id": None, **known})
    (one,) = report.rows
    assert one["question_id"].startswith("question-")
    assert [near.like for near in report.plan.near_duplicates] == [("q1",)], "it has an id there"
    assert imported(dearest).wrote == 0
    (changed,) = imported({**dearest, "expected_sql": "SELECT MAX(sale.price) FROM sale"}).rows
    assert (changed["question_id"], changed["benchmark_version"]) == (one["question_id"], 2)
    assert loaded.newest().keys() == {*before, one["question_id"]}
    with pytest.raises(InvalidInputError, match="1 fault in") as caught:
        imported(dearest, {**dearest, "question": "what was the  dearest sale?"})
    (problem,) = caught.value.problems
    assert problem.endswith(f":2: question_id {one['question_id']} is already on line 1")


def test_what_was_imported_stays_when_the_folder_is_loaded_again(loaded):
    line = {"question_id": "new", "question": "What was the dearest sale?",
            "expected_sql": "SELECT MAX(price) FROM sale"}  # fmt: skip
    import_questions(loaded.tables, SPACE, loaded.read(line))
    write_lines(loaded.folder / "questions.jsonl", QUESTIONS[1:])
    write_lines(loaded.folder / "answers" / "a.jsonl", RIGHT[1:])
    load(loaded.tables, loaded.folder)
    states = {name: row["status"] for name, row in loaded.newest().items()}
    assert states == {"q1": "quarantined", **dict.fromkeys(("q2", "q3", "q4", "new"), "active")}


def test_with_a_repo_home_the_file_there_has_the_questions_too(loaded, tmp_path):
    repo = tmp_path / "repo"
    write_lines(repo / "questions.jsonl", QUESTIONS)
    before = (repo / "questions.jsonl").read_text()
    space = registered_spaces(loaded.tables)[SPACE].space
    register_spaces(loaded.tables, [replace(space, repo_home=str(repo))])
    line = {"question_id": "new", "question": "What was the dearest sale?",
            "expected_sql": "SELECT MAX(price) FROM sale"}  # fmt: skip
    report = import_questions(loaded.tables, SPACE, loaded.read(line))
    assert report.repo_file == str(repo / "questions.jsonl")
    assert (repo / "questions.jsonl").read_text() == before + json.dumps(line) + "\n"
    assert loaded.newest()["new"]["source_path"] == f"{SPACE}/questions.jsonl"
    assert import_questions(loaded.tables, SPACE, loaded.read(line)).wrote == 0


def test_faulty_questions_and_unknown_spaces_are_refused(loaded):
    with pytest.raises(InvalidInputError, match="1 fault in"):
        import_questions(loaded.tables, SPACE, loaded.read({"question": "Who am I?"}))
    with pytest.raises(InvalidInputError, match="no such space"):
        import_questions(loaded.tables, "nowhere", loaded.read(QUESTIONS[0]))
    with pytest.raises(InvalidInputError, match="no Genie Space answers"):
        benchmark_jobs.import_live(
            loaded.context,
            SPACE,
            from_conversations=True,
            with_near_duplicates=False,
            is_rehearsal=False,
        )


def test_the_benchmarks_of_a_genie_space_come_under_their_ids():
    document = {
        "version": 2,
        "benchmarks": {
            "questions": [
                {"id": "a" * 32, "question": ["How many?"],
                 "answer": [{"format": "SQL", "content": ["SELECT ", "1"]}]},
            ]
        },
    }  # fmt: skip
    read = questions_of_space(SpaceConfig.parse(json.dumps(document)), "g")
    (one,) = read.questions
    assert (one.question_id, one.question, one.expected_sql) == ("a" * 32, "How many?", "SELECT 1")


def test_only_what_people_called_right_becomes_a_benchmark():
    asked = AskedQuestions(
        tuple(
            AskedQuestion(f"m{number}", f"Question {number}?", sql, rating)
            for number, (sql, rating) in enumerate(
                [
                    ("SELECT 1", "POSITIVE"),
                    ("SELECT 2", "NEGATIVE"),
                    ("SELECT 3", None),
                    (None, "POSITIVE"),
                ]
            )
        ),
        follow_up_count=5,
    )
    read = questions_of_conversations(asked, "g")
    assert [one.question for one in read.questions] == ["Question 0?"]
    assert [one.reason for one in read.set_aside] == [
        "the question has no expected SQL; add it to the file"
    ]


def test_the_splits_of_a_listing_are_all_of_them(shop):
    counts = Counter(
        row["split"]
        for split in SPLITS
        for row in json.loads(shown(shop, "list", "--split", split, "--json"))
    )
    assert counts == {"train": 2, "held_out": 1, "sealed": 1}
