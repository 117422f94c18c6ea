"""A configuration is read as it is written, and refused for what the platform refuses."""

from __future__ import annotations

import json

import pytest

from tests.transforms.serialized_space.spaces import ID, SPACE, WRITINGS, space, written
from transforms.errors import InvalidInputError
from transforms.serialized_space import Counts, SpaceConfig, join_text, split_text

PROTO = "databricks.datarooms.export."
EXPECTED = "Expected lowercase 32-hex UUID without hyphens"
RIDES = "main.bikes.rides"
TABLE = "data_sources__tables__0"
COLUMN = f"{TABLE}__column_configs__1"
EXAMPLE = "instructions__example_question_sqls__0"
BENCHMARK = "benchmarks__questions__0"


def config(**changes):
    return SpaceConfig.parse(written(space(**changes)))


@pytest.mark.parametrize("writing", WRITINGS)
def test_what_is_read_and_written_keeps_every_byte(writing):
    text = written(SPACE, writing)
    read = SpaceConfig.parse(text)
    assert read.serialize() == text
    assert read.edited(read.to_dict()).serialize() == text
    assert read.validate() == ()


def test_fields_are_typed():
    content = config().content
    table = content.data_sources.tables[0]
    assert join_text(table.description) == "One row per ride.\nGrüße from the depot."
    assert [c.enable_entity_matching for c in table.column_configs] == [False, True]
    assert content.instructions.join_specs[0].left.alias == "rides"
    assert content.instructions.sql_snippets.measures[0].alias == "rides"
    parameter = content.instructions.example_question_sqls[0].parameters[0]
    assert parameter.default_value.values == ("2026-01-01",)


def test_counts_tell_what_there_is():
    assert config().counts() == Counts(
        tables=2, metric_views=1, functions=1, instructions=1, examples=1, join_specs=1,
        snippets=2, benchmarks=1,
    )  # fmt: skip
    assert config().counts().is_configured
    assert not SpaceConfig.empty().counts().is_configured
    assert SpaceConfig.empty().validate() == ()


@pytest.mark.parametrize("writing", WRITINGS)
def test_without_benchmarks_nothing_of_them_is_left(writing):
    shown = SpaceConfig.parse(written(SPACE, writing)).without_benchmarks()
    rest = {key: value for key, value in SPACE.items() if key != "benchmarks"}
    assert shown.serialize() == written(rest, writing)
    assert shown.without_benchmarks() == shown


def test_a_document_that_would_be_refused_is_still_kept_as_it_is():
    text = '{"version": 1, "later": [null], "benchmarks": "none"}'
    read = SpaceConfig.parse(text)
    assert read.serialize() == text
    assert read.without_benchmarks().serialize() == '{"version": 1, "later": [null]}'
    with pytest.raises(InvalidInputError, match="Cannot find field: later"):
        _ = read.content


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "not JSON: Expecting value"),
        ('{"version": 2,\n oops}', "line 2, column 2"),
        ("[]", "a JSON object is expected"),
        ('{"version": 2, "version": 2}', "the key 'version' is twice in one object"),
        ('{"version": NaN}', "NaN is not a JSON value"),
        ('{"version": "\\ud800"}', "half a character"),
        ('{"a": ' + "[" * 200 + "]" * 200 + "}", "more than 100 levels"),
        ('{"a": ' + "[" * 100_000 + "]" * 100_000 + "}", "not JSON"),
    ],
    ids=lambda value: value[:24],
)
def test_what_is_no_document_is_refused_with_the_reason(text, reason):
    with pytest.raises(InvalidInputError) as caught:
        SpaceConfig.parse(text)
    assert reason in str(caught.value)


@pytest.mark.parametrize(
    ("changes", "path", "message"),
    [
        ({"failure_clusters": []}, "failure_clusters",
         f"Cannot find field: failure_clusters in message {PROTO}GenieSpaceExport"),
        ({"instructions__sql_snippets__filters__0__alias": "e"},
         "instructions.sql_snippets.filters[0].alias",
         f"Cannot find field: alias in message {PROTO}Filter"),
        ({f"{TABLE}__description": "One row per ride."}, "data_sources.tables[0].description",
         'Expected an array for description but found "One row per ride."'),
        ({f"{TABLE}__description__0": None}, "data_sources.tables[0].description[0]",
         "null is not allowed in the array description"),
        ({f"{TABLE}__description__0": 5}, "data_sources.tables[0].description[0]",
         "Expected a string for description but found 5"),
        ({"config": []}, "config", "Expected an object for config but found []"),
        ({f"{COLUMN}__exclude": 1}, "data_sources.tables[0].column_configs[1].exclude",
         "Expected a boolean for exclude but found 1"),
        ({f"{COLUMN}__get_example_values": True},
         "data_sources.tables[0].column_configs[1].get_example_values",
         "Field get_example_values is of version 1; version 2 has enable_format_assistance"),
        ({f"{COLUMN}__build_value_dictionary": True},
         "data_sources.tables[0].column_configs[1].build_value_dictionary",
         "Field build_value_dictionary is of version 1; version 2 has enable_entity_matching"),
        ({f"{COLUMN}__enable_format_assistance": False},
         "data_sources.tables[0].column_configs[1].enable_entity_matching",
         "enable_entity_matching requires enable_format_assistance"),
        ({"version": 1}, "version", "Unsupported version 1; version 2 is expected"),
        ({"version": True}, "version", "Expected a number for version but found true"),
        ({f"{EXAMPLE}__id": "ex_1"}, "instructions.example_question_sqls[0].id",
         f"Invalid id for example_question_sql.id: 'ex_1'. {EXPECTED}"),
        ({f"{EXAMPLE}__id": "A" * 32}, "instructions.example_question_sqls[0].id",
         f"Invalid id for example_question_sql.id: '{'A' * 32}'. {EXPECTED}"),
        ({"config__sample_questions__0__id": ""}, "config.sample_questions[0].id",
         f"sample_question.id must be provided and non-empty. {EXPECTED}."),
        ({"config__sample_questions__0__id": ID(8)}, "benchmarks.questions[0].id",
         f"Duplicate id '{ID(8)}': it is also at $.config.sample_questions[0].id"),
        ({"instructions__join_specs__0__id": ID(7)}, "instructions.sql_snippets.measures[0].id",
         f"Duplicate id '{ID(7)}': it is also at $.instructions.join_specs[0].id"),
        ({"data_sources__metric_views__0__identifier": RIDES},
         "data_sources.metric_views[0].identifier",
         f"Duplicate identifier '{RIDES}': it is also at $.data_sources.tables[0].identifier"),
        ({f"{TABLE}__identifier": ""}, "data_sources.tables[0].identifier",
         "identifier must be provided and non-empty"),
        ({f"{TABLE}__identifier": "main.x"}, "data_sources.tables",
         "data_sources.tables must be sorted by identifier"),
        ({f"{TABLE}__column_configs__0__column_name": "z"},
         "data_sources.tables[0].column_configs", "column_configs must be sorted by column_name"),
        ({f"{EXAMPLE}__parameters": [{"name": "b"}, {"name": "a"}]},
         "instructions.example_question_sqls[0].parameters", "parameters must be sorted by name"),
        ({"instructions__sql_functions": [{"id": ID(21), "identifier": "b"},
                                          {"id": ID(20), "identifier": "a"}]},
         "instructions.sql_functions",
         "instructions.sql_functions must be sorted by (id, identifier)"),
        ({"instructions__text_instructions": [{"id": ID(20)}, {"id": ID(21)}]},
         "instructions.text_instructions",
         "instructions.text_instructions must contain at most one item"),
        ({f"{BENCHMARK}__answer": []}, "benchmarks.questions[0].answer",
         "a benchmark has exactly one answer, this one has 0"),
        ({f"{BENCHMARK}__answer__0__format": "sql"}, "benchmarks.questions[0].answer[0].format",
         f'Invalid value "sql" for enum type {PROTO}BenchmarkAnswerFormat; SQL is expected'),
        ({f"{TABLE}__description__0": "x" * 25_001}, "data_sources.tables[0].description[0]",
         "25001 characters; at most 25000 are allowed"),
        ({f"{COLUMN}__synonyms": ["x"] * 10_001},
         "data_sources.tables[0].column_configs[1].synonyms",
         "10001 items; at most 10000 are allowed"),
    ],
)  # fmt: skip
def test_what_the_platform_refuses_is_found_with_its_place_and_in_its_words(changes, path, message):
    found = [(violation.path, violation.message) for violation in config(**changes).validate()]
    assert found == [(f"$.{path}", message)]


def many(count, **fields):
    return [
        {key: make(number) if callable(make) else make for key, make in fields.items()}
        for number in range(count)
    ]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"data_sources__tables": many(30, identifier="t{:02}".format)},
         "31 tables and metric views; at most 30 are allowed"),
        ({f"{TABLE}__column_configs": many(
            121, column_name="c{:03}".format, enable_format_assistance=True,
            enable_entity_matching=True)},
         "121 columns with entity matching; at most 120 are allowed"),
        ({"instructions__example_question_sqls": many(99, id="a{:031}".format)},
         "101 instructions; at most 100 are allowed"),
        ({"instructions__sql_snippets__expressions": many(199, id="a{:031}".format)},
         "201 snippets; at most 200 are allowed"),
        ({"benchmarks__questions": many(
            501, id="a{:031}".format, answer=[{"format": "SQL", "content": ["SELECT 1"]}])},
         "501 benchmarks; at most 500 are allowed"),
        ({f"{TABLE}__description": ["x" * 25_000] * 140}, "bytes; at most 3500000 are allowed"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)  # fmt: skip
def test_the_limits_are_the_platforms(changes, message):
    (violation,) = config(**changes).validate()
    assert violation.message.endswith(message)


def test_everything_wrong_is_told_at_once():
    broken = config(
        later=1, version=3, **{f"{TABLE}__description": "text", f"{EXAMPLE}__id": "ex 1"}
    )
    with pytest.raises(InvalidInputError) as caught:
        broken.check()
    assert len(caught.value.problems) == 4
    assert "4 violations" in str(caught.value)


@pytest.mark.parametrize(
    ("text", "elements"),
    [
        ("", []),
        ("one", ["one"]),
        ("one\n", ["one\n"]),
        ("one\n\ntwo", ["one\n", "\n", "two"]),
        ("x" * 25_001, ["x" * 25_000, "x"]),
        ("a\rb\x0bc\u2028d", ["a\rb\x0bc\u2028d"]),
    ],
    ids=["empty", "line", "ended line", "paragraphs", "long", "only newlines end lines"],
)
def test_a_text_is_split_into_lines_that_carry_their_own_end(text, elements):
    assert split_text(text) == elements
    assert join_text(elements) == text


def test_fields_left_out_and_fields_that_are_null_read_the_same():
    left_out = SpaceConfig.parse('{"version": 2}')
    null = SpaceConfig.parse(json.dumps({"version": 2, "config": None, "benchmarks": None}))
    assert null.content == left_out.content
    assert null.validate() == ()
