"""Reading a folder: every fault with its file and line, all at once."""

from __future__ import annotations

import json

import pytest
import yaml

from pipelines.load_files import read_folder
from tests.pipelines.folders import (
    QUESTIONS,
    SALES,
    change_schema,
    make_folder,
    schema,
    write_lines,
)
from transforms.errors import InvalidInputError


def read(folder, **options):
    return read_folder(folder, history_schema="genie_loop", **options)


def problems_of(folder, **options):
    with pytest.raises(InvalidInputError) as caught:
        read(folder, **options)
    return caught.value.problems


@pytest.fixture
def folder(tmp_path):
    return make_folder(tmp_path)


def test_a_folder_without_faults_is_read_whole(folder):
    found = read(folder)
    assert found.name == "shop_world"
    assert [(t.spec.name, t.path.name) for t in found.tables] == [
        ("shop", "shop.parquet"),
        ("sale", "sale.csv"),
    ]
    assert [q.question_id for q in found.questions] == ["q1", "q2", "q3", "q4"]
    assert (found.questions[0].category, found.questions[0].source_line) == ("simple", 1)
    assert [a.stem for a in found.answers] == ["right", "wrong"]
    assert found.set_aside == ()


def test_yaml_says_the_same_as_json(folder):
    (folder / "schema.json").unlink()
    (folder / "schema.yaml").write_text(yaml.safe_dump(schema(), sort_keys=False))
    (folder / "questions.jsonl").unlink()
    text = yaml.safe_dump(list(QUESTIONS), sort_keys=False)
    (folder / "questions.yaml").write_text(text)
    found = read(folder)
    assert [q.question for q in found.questions] == [q["question"] for q in QUESTIONS]
    starts = [n for n, line in enumerate(text.splitlines(), start=1) if line.startswith("- ")]
    assert [q.source_line for q in found.questions] == starts
    assert found.tables[1].spec.columns[1].references == ("shop.id",)


def _break_json(folder):
    text = (folder / "questions.jsonl").read_text()
    (folder / "questions.jsonl").write_text(text + "{not json\n")


def _repeat_question(folder):
    write_lines(folder / "questions.jsonl", [*QUESTIONS, QUESTIONS[1]])


def _lose_id(folder):
    write_lines(folder / "questions.jsonl", [*QUESTIONS, {"question": "Why?"}])


def _number_as_question(folder):
    write_lines(folder / "questions.jsonl", [*QUESTIONS, {"question_id": "q9", "question": 9}])


def _no_questions(folder):
    (folder / "questions.jsonl").write_text("\n")


def _two_question_files(folder):
    (folder / "questions.yaml").write_text("[]")


def _unknown_type(folder):
    change_schema(folder, "shop", 1, spark_type="TEXT")


def _unknown_kind(folder):
    path = folder / "schema.json"
    raw = json.loads(path.read_text())
    raw["tables"]["shop"]["kind"] = "view"
    path.write_text(json.dumps(raw, indent=1))


def _type_missing(folder):
    change_schema(folder, "shop", 1, spark_type=None)


def _decimal_too_wide(folder):
    change_schema(folder, "sale", 3, spark_type="DECIMAL(40,2)")


def _struct_of_unknown(folder):
    change_schema(folder, "shop", 1, spark_type="STRUCT<a: STRING, b: TEXT>")


def _struct_without_names(folder):
    change_schema(folder, "shop", 1, spark_type="STRUCT<STRING>")


def _foreign_key_to_nowhere(folder):
    change_schema(folder, "sale", 1, foreign_keys=["shop.number"])


def _column_missing(folder):
    change_schema(folder, "shop", 2, name="land")


def _dotted_column(folder):
    change_schema(folder, "shop", 2, name="a.b")


def _column_twice(folder):
    change_schema(folder, "shop", 2, name="NAME")


def _table_without_file(folder):
    (folder / "tables" / "sale.csv").unlink()


def _file_without_table(folder):
    (folder / "tables" / "staff.csv").write_text("id\n1\n")


def _strange_file(folder):
    (folder / "tables" / "shop.xlsx").write_text("")


def _broken_parquet(folder):
    (folder / "tables" / "shop.parquet").write_text("not parquet")


def _rows_missing(folder):
    raw = json.loads((folder / "schema.json").read_text())
    raw["tables"]["shop"]["row_count"] = 4
    (folder / "schema.json").write_text(json.dumps(raw, indent=1))


def _header_twice(folder):
    (folder / "tables" / "sale.csv").write_text("id,shop_id,sold_on,price,ID\n")


def _answer_to_nothing(folder):
    write_lines(folder / "answers" / "third.jsonl", [{"question_id": "q77", "sql": "SELECT 1"}])


def _answered_twice(folder):
    twice = {"question_id": "q1", "sql": None}
    write_lines(folder / "answers" / "third.jsonl", [twice, twice])


def _broken_schema(folder):
    (folder / "schema.json").write_text('{\n "tables": {\n  "shop": }\n}')


def _tableless_schema(folder):
    (folder / "schema.json").write_text('{"tables": {}}')


def _bad_space(folder):
    raw = {**schema(), "space": {"snippets": [{"kind": "magic", "sql": "1"}], "colour": "red"}}
    (folder / "schema.json").write_text(json.dumps(raw, indent=1))


@pytest.mark.parametrize(
    ("spoil", "expected"),
    [
        (_break_json, "shop_world/questions.jsonl:5: not JSON"),
        (_repeat_question, "shop_world/questions.jsonl:5: question_id q2 is already on line 2"),
        (_lose_id, "shop_world/questions.jsonl:5: question_id must be a text"),
        (_number_as_question, "shop_world/questions.jsonl:5: question must be a text"),
        (_no_questions, "shop_world/questions.jsonl: there are no questions"),
        (_two_question_files, "only one of questions.jsonl, questions.yaml"),
        (_unknown_type, "schema.json:14: column shop.name: unknown type 'TEXT'; known are BOOLEAN"),
        (_unknown_kind, "kind must be one of table, monitoring_table, ml_table"),
        (_type_missing, "schema.json:14: column shop.name: unknown type None"),
        (_decimal_too_wide, "column sale.price: unknown type 'DECIMAL(40,2)'"),
        (_struct_of_unknown, "column shop.name: unknown type 'STRUCT<a: STRING, b: TEXT>'"),
        (_struct_without_names, "column shop.name: unknown type 'STRUCT<STRING>'"),
        (_foreign_key_to_nowhere, "column sale.shop_id: foreign key to shop.number"),
        (_column_missing, "tables/shop.parquet:1: column land is missing"),
        (_column_missing, "tables/shop.parquet:1: column country is not declared"),
        (_dotted_column, "column of shop: 'a.b' is not a name"),
        (_column_twice, "column of shop NAME is declared twice"),
        (_table_without_file, "shop_world/tables: there is no file for table sale"),
        (_file_without_table, "tables/staff.csv: the schema does not declare this table"),
        (_strange_file, "tables/shop.xlsx: tables are read from .parquet and .csv"),
        (_broken_parquet, "tables/shop.parquet: cannot be read"),
        (_rows_missing, "tables/shop.parquet: 3 rows, but the schema says 4"),
        (_header_twice, "tables/sale.csv:1: column ID occurs twice"),
        (_answer_to_nothing, "answers/third.jsonl:1: there is no question q77"),
        (_answered_twice, "answers/third.jsonl:2: q1 is already answered on line 1"),
        (_broken_schema, "shop_world/schema.json:3: not JSON"),
        (_tableless_schema, "no table is declared"),
        (_bad_space, "snippets: a list of objects with kind, sql"),
        (_bad_space, "colour: not known"),
    ],
    ids=lambda value: value.__name__.strip("_") if callable(value) else "",
)
def test_a_fault_is_told_with_its_place(folder, spoil, expected):
    spoil(folder)
    assert any(expected in problem for problem in problems_of(folder)), problems_of(folder)


@pytest.mark.parametrize(
    ("declared", "known"),
    [
        ("array<string>", "ARRAY<STRING>"),
        ("struct<Ok: bool, at: timestamp>", None),
        ("STRUCT<isOk:boolean,at:  timestamp>", "STRUCT<isOk: BOOLEAN, at: TIMESTAMP>"),
        (
            "Array < Struct<price: numeric(8,2), tags: array<string>> >",
            "ARRAY<STRUCT<price: DECIMAL(8,2), tags: ARRAY<STRING>>>",
        ),
        ("ARRAY<>", None),
        ("STRUCT<>", None),
        ("MAP<STRING, STRING>", None),
    ],
)
def test_nested_types_are_known_by_their_parts(folder, declared, known):
    change_schema(folder, "shop", 1, spark_type=declared)
    if known is None:
        assert any("unknown type" in problem for problem in problems_of(folder))
    else:
        shop = read_folder(folder, history_schema="genie_loop").schema.tables[0]
        assert shop.columns[1].data_type == known


def test_all_faults_are_told_at_once(folder):
    for spoil in (_unknown_type, _repeat_question, _file_without_table, _answered_twice):
        spoil(folder)
    told = "\n".join(problems_of(folder))
    for place in ("schema.json:14", "questions.jsonl:5", "staff.csv", "third.jsonl:2"):
        assert place in told


def test_answers_are_compared_with_the_questions_only_where_those_are_sound(folder):
    _answer_to_nothing(folder)
    _repeat_question(folder)
    assert not any("third.jsonl" in problem for problem in problems_of(folder))


@pytest.mark.parametrize("name", ["my-data", "1st", "", "genie_loop", "default"])
def test_a_name_that_cannot_be_a_schema_is_refused_and_another_can_be_given(tmp_path, name):
    folder = make_folder(tmp_path)
    if name:
        assert any(f"{name!r}" in problem for problem in problems_of(folder, name=name))
    assert read(folder, name="Other").name == "other"


def test_a_folder_that_is_none_is_refused(tmp_path):
    with pytest.raises(InvalidInputError, match="not a folder"):
        read(tmp_path / "nowhere")


@pytest.mark.parametrize(
    ("sql", "reason"),
    [
        (None, "the question has no expected SQL"),
        ("   ", "the question has no expected SQL"),
        ("DROP TABLE shop", "not a single read-only query"),
        ("SELECT 1; SELECT 2", "not a single read-only query"),
        ("SELEC 1", "not a single read-only query"),
    ],
)
def test_a_question_that_cannot_be_a_benchmark_is_set_aside_and_the_rest_is_read(
    folder, sql, reason
):
    write_lines(
        folder / "questions.jsonl",
        [*QUESTIONS, {"question_id": "q5", "question": "Why?", "expected_sql": sql}],
    )
    found = read(folder)
    assert len(found.questions) == len(QUESTIONS)
    (aside,) = found.set_aside
    assert (aside.source_path, aside.source_line) == ("shop_world/questions.jsonl", 5)
    assert reason in aside.reason
    assert json.loads(aside.raw_row)["question_id"] == "q5"


def test_the_hash_of_a_table_follows_its_bytes_and_its_declaration(folder):
    before = {t.spec.name: t.content_hash for t in read(folder).tables}
    assert {t.spec.name: t.content_hash for t in read(folder).tables} == before
    change_schema(folder, "shop", 1, comment="another")
    (folder / "tables" / "sale.csv").write_text(SALES + "5,3,2024-04-01,1.00\n")
    after = {t.spec.name: t.content_hash for t in read(folder).tables}
    assert after["shop"] != before["shop"]
    assert after["sale"] != before["sale"]
