"""Executions as JSON and back."""

from __future__ import annotations

import math
from datetime import UTC

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from transforms.execution_json import execution_from_json, execution_to_json
from transforms.judgement import Execution, SparkValue

SCALARS = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False)
    | st.text()
    | st.decimals(allow_nan=False, allow_infinity=False)
    | st.dates()
    | st.datetimes(timezones=st.just(UTC)).map(lambda value: value.replace(fold=0))
    | st.datetimes().map(lambda value: value.replace(fold=0))
    | st.times().map(lambda value: value.replace(fold=0))
    | st.timedeltas()
    | st.binary()
    | st.builds(SparkValue, st.sampled_from(["months", "date"]), st.integers() | st.text())
)
KEYS = st.integers() | st.text() | st.dates()
VALUES = st.recursive(
    SCALARS,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.lists(inner, max_size=3).map(tuple)
        | st.dictionaries(KEYS, inner, max_size=3)
    ),
    max_leaves=8,
)


@settings(deadline=None, max_examples=200)
@given(st.lists(st.tuples(VALUES, VALUES), max_size=4).map(tuple))
def test_what_is_read_is_what_was_written_in_value_and_in_type(rows):
    execution = Execution("ok", ("a", "a"), ("int", "string"), rows)
    text = execution_to_json(execution)
    assert text is not None
    read = execution_from_json(text)
    assert read == execution
    assert repr(read) == repr(execution), "1, 1.0 and TRUE are equal, but not the same"


def test_a_number_that_is_none_stays_one():
    text = execution_to_json(Execution("ok", ("a",), ("double",), ((math.nan,), (-math.inf,))))
    assert text is not None
    (first,), (second,) = execution_from_json(text).rows or ()
    assert math.isnan(first)
    assert second == -math.inf


def test_what_has_no_rows_or_values_of_an_unknown_type_is_not_written():
    assert execution_to_json(Execution("sql_error", error="no such column")) is None
    assert execution_to_json(Execution("ok", ("a",), ("object",), ((object(),),))) is None


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"columns": ["a"]', '{"rows": [[{"x": 1}]]}'])
def test_a_torn_text_is_no_execution(text):
    with pytest.raises(ValueError, match=r".+"):
        execution_from_json(text)
