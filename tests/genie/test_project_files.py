"""What the files of a project say is what was live, whatever stands in comments and names."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from genie.catalog import FOREIGN_KEYS, KIND, PRIMARY_KEY, Member, Relation, Routine
from genie.definition_files import read_definition
from genie.patching.create_statements import literal_value, quoted_text
from genie.patching.table_files import defined_table
from genie.project_files import (
    file_stems,
    function_file,
    metric_view_file,
    questions_file,
    space_file,
    table_file,
)
from transforms.serialized_space import SpaceConfig
from transforms.serialized_space.edits import add_benchmark, add_example, add_sample_question
from transforms.serialized_space.rules import MAX_BYTES


@pytest.mark.parametrize(
    ("declared", "kind"), [("ml_table", "ml_table"), ("somewhat", "table"), ("", "table")]
)
def test_a_table_is_written_with_the_kind_that_it_declares(declared, kind):
    relation = Relation("s.t", "table", (Member("id", "int"),), properties={KIND: declared})
    assert yaml.safe_load(table_file(relation))["kind"] == kind


def test_a_table_is_written_with_types_keys_and_comments():
    relation = Relation(
        "c.s.sales",
        "table",
        (
            Member("id", "bigint", "yes"),
            Member("shop", "bigint"),
            Member("tags", "array<struct<Name:string>>", "a: b # c"),
        ),
        "two\nlines",
        properties={
            PRIMARY_KEY: '["id"]',
            FOREIGN_KEYS: '[{"column": "shop", "references": "shops.shop_id"}]',
        },
    )
    assert table_file(relation) == (
        "table: c.s.sales\n"
        "kind: table\n"
        'comment: "two\\nlines"\n'
        "columns:\n"
        "  - name: id\n"
        "    type: bigint\n"
        '    comment: "yes"\n'
        "    primary_key: true\n"
        "  - name: shop\n"
        "    type: bigint\n"
        "    references: shops.shop_id\n"
        "  - name: tags\n"
        "    type: array<struct<Name:string>>\n"
        '    comment: "a: b # c"\n'
    )


@settings(deadline=None)
@given(comment=st.text(min_size=1), column=st.text(min_size=1))
def test_a_table_file_says_every_text_exactly(comment, column):
    text = table_file(Relation("s.t", "view", (Member(column, "int", comment),), comment))
    told = yaml.safe_load(text)
    assert (told["comment"], told["columns"][0]["name"]) == (comment, column)
    assert told["columns"][0]["comment"] == comment
    assert defined_table(text) == "s.t"


@settings(deadline=None)
@given(text=st.text())
def test_a_literal_says_what_was_quoted(text):
    assert literal_value(quoted_text(text)) == text


@settings(deadline=None)
@given(comment=st.text(min_size=1))
def test_a_metric_view_and_its_comments_are_written_exactly(comment):
    view = Relation("s.v", "metric_view", (Member("a b", "", comment),), comment, "\nversion: 0.1")
    wanted = read_definition(metric_view_file(view), "v.sql").wanted
    assert wanted == view


def test_a_function_without_parameters_is_written():
    routine = Routine("s.f", (), (Member("n", "INT", "how many"),), None, "SELECT 1 -- one")
    made = read_definition(function_file(routine), "f.sql").wanted
    assert made == replace(routine, body="SELECT 1")


def test_what_is_no_metric_view_or_table_function_is_told():
    with pytest.raises(ValueError, match="not a metric view but a table"):
        metric_view_file(Relation("s.t", "table", ()))
    with pytest.raises(ValueError, match="not a SQL table function"):
        function_file(Routine("s.f", (), (), None, "1"))


def lines_of(config):
    made = questions_file(config)
    lines = [json.loads(line) for line in made.text.splitlines()]
    assert len(lines) == made.count
    return made, lines


def test_questions_are_the_benchmarks_and_what_the_page_offers_without_what_examples_answer():
    config = SpaceConfig.empty()
    config = add_benchmark(config, "How many sales?\n", "SELECT COUNT(*)\nFROM sales\n")
    config = add_benchmark(config, "Known?", "SELECT 1")
    config = add_example(config, "known?", "SELECT 1")
    config = add_example(config, "Which shops?", "SELECT name FROM shops")
    for offered in ("how  many SALES?", "Which shops?", "What can I ask?", "what can I ask?", " "):
        config = add_sample_question(config, offered)
    made, lines = lines_of(config)
    said = {line["question"]: line["expected_sql"] for line in lines}
    (question,) = said.keys() - {"How many sales?", "Known?"}
    assert question.lower() == "what can i ask?"
    assert said["How many sales?"] == "SELECT COUNT(*)\nFROM sales"
    assert said[question] is None
    assert len({line["question_id"] for line in lines}) == 3
    assert (made.count, made.without_sql, made.known, made.left_out) == (3, 1, 1, 1)


def test_a_space_without_questions_has_an_empty_file():
    assert questions_file(SpaceConfig.empty()).text == ""


def test_a_configuration_is_laid_out_unless_that_makes_it_too_large():
    small = SpaceConfig.parse('{"version":2,"config":{"sample_questions":[]}}')
    assert space_file(small).startswith('{\n  "version": 2,\n')
    assert SpaceConfig.parse(space_file(small)).to_dict() == small.to_dict()
    large = SpaceConfig.parse('{"a":[' + ",".join(["1"] * (MAX_BYTES // 4)) + "]}")
    assert space_file(large) == large.text


def test_every_name_has_a_file_of_its_own_on_every_file_system():
    names = ["c.s.sales", "c.t.Sales", "c.s.plain", "s.`a/b`", "s.`a b`", "s.`..`", "x." + "y" * 99]
    stems = file_stems(names)
    assert stems["c.s.plain"] == "plain"
    assert (stems["c.s.sales"], stems["c.t.Sales"]) == ("c.s.sales", "c.t.Sales")
    assert len({stem.lower() for stem in stems.values()}) == len(names)
    assert all(stem and stem[0] != "." and "/" not in stem for stem in stems.values())
    assert all(len(stem) <= 61 for stem in stems.values())
