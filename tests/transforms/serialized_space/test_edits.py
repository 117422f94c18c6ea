"""Edits obey the platform's rules, are the same when made twice, and touch nothing else."""

from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.transforms.serialized_space.spaces import ID, SPACE, WRITINGS, space, written
from transforms.errors import InvalidInputError
from transforms.serialized_space import SpaceConfig, edits
from transforms.serialized_space.json_spans import read_spans

RIDES, STATIONS = "main.bikes.rides", "main.bikes.stations"

words = st.text(
    st.one_of(st.characters(exclude_categories=["Cs"]), st.just("\n")), min_size=1, max_size=20
)
names = st.sampled_from(["a", "ended_at", "kind", "zz"])
EDITS = {
    "add_table": st.tuples(st.sampled_from(["main.a", RIDES, "main.bikes.s", "z"])),
    "set_table_description": st.tuples(st.sampled_from([RIDES, STATIONS]), words),
    "set_column_description": st.tuples(st.sampled_from([RIDES, STATIONS]), names, words),
    "set_column_synonyms": st.tuples(
        st.sampled_from([RIDES, STATIONS]), names, st.lists(words, max_size=3)
    ),
    "add_join_spec": st.tuples(
        st.just(RIDES), st.just(STATIONS), words, st.sampled_from(["MANY_TO_ONE", "ONE_TO_ONE"])
    ),
    "add_sql_snippet": st.tuples(st.sampled_from(["expressions", "measures"]), words, words),
    "add_example": st.tuples(words, words),
    "add_sql_function": st.tuples(st.sampled_from(["main.f", "main.g"])),
    "set_text_instruction": st.tuples(words),
    "add_text_instruction": st.tuples(words),
    "add_sample_question": st.tuples(words),
    "add_benchmark": st.tuples(words, words),
}
an_edit = st.sampled_from(sorted(EDITS)).flatmap(
    lambda name: EDITS[name].map(lambda arguments: (name, arguments))
)


def config(writing="two blanks", **changes):
    return SpaceConfig.parse(written(space(**changes), writing))


def apply(to, edit):
    name, arguments = edit
    return getattr(edits, name)(to, *arguments)


@settings(max_examples=30, deadline=None)
@given(st.sampled_from(sorted(WRITINGS)), st.lists(an_edit, min_size=1, max_size=5))
def test_whatever_is_edited_the_platform_accepts_it(writing, made):
    edited = config(writing)
    for edit in made:
        edited = apply(edited, edit)
    assert edited.validate() == ()
    assert SpaceConfig.parse(edited.serialize()) == edited


@settings(max_examples=30, deadline=None)
@given(st.sampled_from(sorted(WRITINGS)), an_edit)
def test_an_edit_made_twice_is_made_once(writing, edit):
    once = apply(config(writing), edit)
    assert apply(once, edit) == once


def texts_by_path(text):
    """The bytes of every value that is no container, by a path of keys and ids."""
    found = {}

    def walk(span, value, path):
        if not span.parts:
            found[path] = text[span.start : span.end]
        for part in span.parts or ():
            child = value[part.key]
            key = part.key
            if isinstance(value, list) and isinstance(child, dict):
                key = next(child[k] for k in ("id", "identifier", "column_name", "name", "format")
                           if k in child)  # fmt: skip
            walk(part.value, child, (*path, key))

    walk(read_spans(text), json.loads(text), ())
    return found


TOUCHED = {
    "set_table_description": lambda a: ("data_sources", "tables", a[0], "description"),
    "set_column_description": lambda a: ("data_sources", "tables", a[0], "column_configs", a[1]),
    "set_column_synonyms": lambda a: ("data_sources", "tables", a[0], "column_configs", a[1]),
    "set_text_instruction": lambda a: ("instructions", "text_instructions"),
    "add_text_instruction": lambda a: ("instructions", "text_instructions"),
}


@settings(max_examples=40, deadline=None)
@given(st.sampled_from(sorted(WRITINGS)), an_edit)
def test_what_an_edit_does_not_mention_keeps_its_bytes(writing, edit):
    before = texts_by_path(written(SPACE, writing))
    after = texts_by_path(apply(config(writing), edit).serialize())
    name, arguments = edit
    touched = TOUCHED.get(name, lambda arguments: ("nothing",))(arguments)
    kept = {path: raw for path, raw in before.items() if path[: len(touched)] != touched}
    assert {path: after.get(path) for path in kept} == kept


ADDING = [
    ("add_join_spec", (RIDES, STATIONS, "`rides`.`end` = `stations`.`id`", "MANY_TO_ONE")),
    ("add_sql_snippet", ("filters", "kind = 'b'", "borrowed")),
    ("add_example", ("Rides\nper day?", "SELECT day,\n  count(*)\nFROM rides\n")),
    ("add_sql_function", ("main.bikes.another",)),
    ("add_sample_question", ("Which station?",)),
    ("add_benchmark", ("Which station?", "SELECT 1")),
]


@pytest.mark.parametrize("writing", WRITINGS)
@pytest.mark.parametrize("edit", ADDING, ids=lambda edit: edit[0])
def test_what_is_added_and_removed_again_leaves_no_trace(writing, edit):
    before = config(writing)
    added = apply(before, edit)
    ids = {path[-2] for path in texts_by_path(added.text) if path[-1] == "id"}
    (new_id,) = ids - {path[-2] for path in texts_by_path(before.text) if path[-1] == "id"}
    assert edits.remove_item(added, new_id) == before


def test_a_new_part_is_written_as_the_parts_around_it():
    added = edits.add_sql_snippet(config(), "filters", "kind = 'b'", "borrowed", synonyms=["b"])
    line = next(i for i, text in enumerate(added.text.splitlines()) if "borrowed" in text)
    assert added.text.splitlines()[line - 5 : line + 5] == [
        "        {",
        '          "id": "609a090ad21ca7f9e5daa9f0decf7a03",',
        '          "sql": [',
        "            \"kind = 'b'\"",
        "          ],",
        '          "display_name": "borrowed",',
        '          "synonyms": [',
        '            "b"',
        "          ]",
        "        }",
    ]


def test_a_changed_text_changes_its_lines_and_no_others():
    before = config().text.splitlines()
    after = edits.set_table_description(
        config(), RIDES, "One row per ride.\nGrüße from the yard."
    ).text.splitlines()
    assert [new for old, new in zip(before, after, strict=True) if old != new] == [
        '          "Grüße from the yard."'
    ]


def test_the_id_of_an_item_depends_on_its_content_alone():
    in_a_full_space = edits.add_example(config(), "Rides?", "SELECT 1")
    in_an_empty_one = edits.add_example(SpaceConfig.empty(), "Rides?", "SELECT 1")
    (only,) = in_an_empty_one.content.instructions.example_question_sqls
    assert only in in_a_full_space.content.instructions.example_question_sqls


def test_an_item_edited_since_it_was_added_keeps_its_id_from_the_next():
    added = edits.add_benchmark(SpaceConfig.empty(), "Rides?", "SELECT 1")
    first_id = added.content.benchmarks.questions[0].id
    corrected = edits.set_benchmark_sql(added, first_id, "SELECT 2")
    assert corrected.content.benchmarks.questions[0].answer[0].content == ("SELECT 2",)
    again = edits.add_benchmark(corrected, "Rides?", "SELECT 1")
    assert again.counts().benchmarks == 2
    assert again.validate() == ()


def test_a_text_that_is_taken_away_takes_its_field_with_it():
    assert (
        edits.set_table_description(config(), RIDES, "").content.data_sources.tables[0]
        == (config(data_sources__tables__0__description=[]).content.data_sources.tables[0])
    )
    assert edits.set_column_description(config(), STATIONS, "name", "") == config()
    assert edits.set_text_instruction(config(), "").counts().instructions == 0


def test_assistance_of_a_column_is_switched_on_and_off():
    on = edits.set_column_assistance(
        config(), STATIONS, "name", format_assistance=True, entity_matching=True
    )
    (column,) = on.content.data_sources.tables[1].column_configs
    assert (column.enable_format_assistance, column.enable_entity_matching) == (True, True)
    with pytest.raises(InvalidInputError, match="requires enable_format_assistance"):
        edits.set_column_assistance(
            on, STATIONS, "name", format_assistance=False, entity_matching=True
        )


def test_a_paragraph_of_instructions_is_added_once_and_apart_from_the_rest():
    added = edits.add_text_instruction(config(), "Money is in cents.")
    (instruction,) = added.content.instructions.text_instructions
    assert instruction.id == ID(2)
    assert "".join(instruction.content) == (
        "Weeks begin on Monday in Zürich.\n\nMoney is in cents."
    )
    assert edits.add_text_instruction(added, "Money is in cents.") == added


@pytest.mark.parametrize(
    ("edit", "message"),
    [
        (("set_table_description", ("main.gone", "x")), "no table or metric view main.gone"),
        (("set_column_synonyms", ("main.gone", "c", ["x"])), "no table or metric view main.gone"),
        (("set_benchmark_sql", (ID(99), "SELECT 1")), "no benchmark"),
        (("remove_item", (ID(99),)), "no item"),
        (("add_sql_snippet", ("filters", " Where kind = 'b'", "b")), "without WHERE"),
    ],
    ids=lambda value: value[0] if isinstance(value, tuple) else "",
)
def test_what_cannot_be_edited_is_named(edit, message):
    with pytest.raises(InvalidInputError, match=message):
        apply(config(), edit)


def test_a_document_of_another_shape_is_not_edited():
    with pytest.raises(InvalidInputError, match="Expected an array for description"):
        edits.add_table(config(data_sources__tables__0__description="text"), "main.x")
