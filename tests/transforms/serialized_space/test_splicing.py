"""A changed value is written into the text it came from, and the rest of the text stays."""

from __future__ import annotations

import copy
import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.transforms.serialized_space.spaces import SPACE, WRITINGS, space, written
from transforms.serialized_space.json_spans import read_spans
from transforms.serialized_space.splicing import splice

scalars = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False, allow_infinity=False),
    st.text(st.characters(exclude_categories=["Cs"]), max_size=8),
)  # fmt: skip
values = st.recursive(
    scalars,
    lambda inner: st.one_of(
        st.lists(inner, max_size=4),
        st.dictionaries(st.sampled_from(["id", "name", "a", "ß", '"']), inner, max_size=4),
    ),
    max_leaves=12,
)
blanks = st.sampled_from(["", " ", "\n  ", "\t", "\r\n"])


def oddly_written(value, draw):
    """JSON with blanks of any kind wherever JSON allows them."""
    if isinstance(value, list):
        inside = ",".join(draw(blanks) + oddly_written(v, draw) + draw(blanks) for v in value)
        return f"[{inside}{draw(blanks)}]"
    if isinstance(value, dict):
        inside = ",".join(
            draw(blanks) + json.dumps(k) + draw(blanks) + ":" + draw(blanks)
            + oddly_written(v, draw) + draw(blanks) for k, v in value.items()
        )  # fmt: skip
        return "{" + inside + draw(blanks) + "}"
    return json.dumps(value)


def every_value(text, span, path=()):
    """The text of every value by its path; elements that have an id go by it."""
    yield path, text[span.start : span.end]
    for part in span.parts or ():
        yield from every_value(text, part.value, (*path, part.key))


def canonical(value):
    return json.dumps(value, sort_keys=True)


@settings(max_examples=60, deadline=None)
@given(st.data(), values)
def test_spans_hold_the_values_they_say(data, value):
    text = data.draw(blanks) + oddly_written(value, data.draw) + data.draw(blanks)
    for path, raw in every_value(text, read_spans(text)):
        found = value
        for key in path:
            found = found[key]
        assert canonical(json.loads(raw)) == canonical(found)


@settings(max_examples=80, deadline=None)
@given(st.data(), values, values)
def test_whatever_changes_the_text_holds_the_new_value(data, old, new):
    text = oddly_written(old, data.draw)
    assert canonical(json.loads(splice(text, old, new))) == canonical(new)


@settings(max_examples=40, deadline=None)
@given(st.data(), values)
def test_what_is_the_same_keeps_every_byte(data, value):
    text = oddly_written(value, data.draw)
    assert splice(text, value, copy.deepcopy(value)) == text


@pytest.mark.parametrize("writing", WRITINGS)
@pytest.mark.parametrize(
    "change",
    [
        {"data_sources__tables__0__description__0": "Every ride.\n"},
        {"data_sources__tables__0__column_configs__0__synonyms": ["end", "Ende"]},
        {"data_sources__tables__1__column_configs": [{"column_name": "x", "synonyms": ["y"]}]},
        {"config__sample_questions": [*SPACE["config"]["sample_questions"], {"id": "f" * 32}]},
        {"benchmarks": {}},
        {"note": None},
    ],
    ids=lambda change: next(iter(change)),
)
def test_a_document_written_by_a_program_stays_written_by_that_program(writing, change):
    """New parts look as if they had been there when the document was written."""
    old, new = written(SPACE, writing), written(space(**change), writing)
    assert splice(old, SPACE, space(**change)) == new
    assert splice(new, space(**change), SPACE) == old


@pytest.mark.parametrize("writing", WRITINGS)
def test_an_element_taken_out_and_put_back_leaves_no_trace(writing):
    text = written(SPACE, writing)
    for position in (0, 1):
        less = space()
        del less["data_sources"]["tables"][position]
        assert splice(splice(text, SPACE, less), less, SPACE) == text


def test_numbers_and_escapes_that_nobody_touched_stay_as_they_were_written():
    text = '{"version": 2.0e0, "a": "\\u00e9\\/", "b": [1,2 ,  3]}'
    old = json.loads(text)
    assert splice(text, old, {**old, "b": [1, 3]}) == (
        '{"version": 2.0e0, "a": "\\u00e9\\/", "b": [1,3]}'
    )


def test_new_lines_are_written_as_the_file_ends_its_lines():
    text = written(SPACE).replace("\n", "\r\n")
    made = splice(text, SPACE, space(data_sources__tables__1__description=["a", "b"]))
    assert "\n" not in made.replace("\r\n", "")


def test_the_order_of_keys_says_nothing():
    assert splice('{"a": 1, "b": 2}', {"a": 1, "b": 2}, {"b": 2, "a": 1}) == '{"a": 1, "b": 2}'
    assert splice('{"a": 1, "b": 2}', {"a": 1, "b": 2}, {"b": 3, "a": 1, "c": 4}) == (
        '{"a": 1, "b": 3, "c": 4}'
    )


def test_true_and_1_are_different_values():
    assert splice('{"a": 1}', {"a": 1}, {"a": True}) == '{"a": true}'
