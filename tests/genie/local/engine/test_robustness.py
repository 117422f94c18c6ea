"""Whatever stands in the question or in the metadata: an answer, read-only, soon, and the same."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlglot import exp

from genie.local.engine.engine import MAX_TOKENS, MetadataEngine
from genie.local.engine.visible import (
    ExampleParameter,
    VisibleColumn,
    VisibleDimension,
    VisibleExample,
    VisibleFunction,
    VisibleJoin,
    VisibleMeasure,
    VisibleMetricView,
    VisibleParameter,
    VisibleSnippet,
    VisibleSpace,
    VisibleTable,
)
from perf.metadata_engine import LONG_QUESTION, full_size_space
from tests.genie.local.engine.factory import FACTORY
from tests.genie.local.engine.library import LIBRARY
from transforms.sql_text import parse_query

WORDS = (
    "how many total average per by for each not without top most cheapest between and or more "
    "than at least 3 5 2024 in since March orders customers name amount status open 'x' \"y\" "
    "? , . Acme what percentage of which the is are with count distinct sorted descending Q2 last "
    "month id"
).split()
HOSTILE = (
    "1; DROP TABLE t", "' OR 1=1 --", "SELECT 1", "reflect('java.lang.System','exit')", "(" * 300,
    "`", "a`b", "\\", "{{x}}", ":p", "*", "SUM(a) OVER (", "read_files('/etc/passwd')", "\0", "🜁",
    "one of: a, b", "'Y' = yes, 'N' = no", "= = =", "Refers to a.b.c.", "a = 1 OR (SELECT 1)",
    "INSERT INTO t VALUES (1)", "not " * 100, "For x use y.", "Always exclude `a = 1`.",
)  # fmt: skip

text = st.one_of(
    st.sampled_from(HOSTILE),
    st.text(max_size=40),
    st.lists(st.sampled_from(WORDS), max_size=12).map(" ".join),
)
name = st.one_of(
    st.sampled_from(("orders", "customers", "amount", "name", "status", "order_id", "day", "a`b")),
    st.text(min_size=1, max_size=12),
)
kind = st.sampled_from(("string", "int", "double", "date", "timestamp", "boolean", "", "map<a,b>"))
maybe = st.none() | text
texts = st.lists(text, max_size=2).map(tuple)
columns = st.builds(
    VisibleColumn,
    name=name,
    data_type=kind,
    comment=maybe,
    description=maybe,
    synonyms=texts,
    is_primary_key=st.booleans(),
    references=st.none() | st.tuples(name, name),
    values=st.none() | texts,
)
tables = st.builds(
    VisibleTable,
    identifier=name,
    columns=st.lists(columns, max_size=4).map(tuple),
    comment=maybe,
    description=maybe,
)
views = st.builds(
    VisibleMetricView,
    identifier=name,
    dimensions=st.lists(
        st.builds(VisibleDimension, name=name, expr=text, data_type=kind, comment=maybe), max_size=2
    ).map(tuple),
    measures=st.lists(
        st.builds(VisibleMeasure, name=name, expr=text, comment=maybe, synonyms=texts), max_size=2
    ).map(tuple),
    comment=maybe,
)
functions = st.builds(
    VisibleFunction,
    identifier=name,
    parameters=st.lists(
        st.builds(VisibleParameter, name=name, data_type=kind, comment=maybe, default=maybe),
        max_size=3,
    ).map(tuple),
    returns=st.lists(columns, max_size=1).map(tuple),
    comment=maybe,
)
sql = st.one_of(
    text,
    st.sampled_from(
        (
            "orders.amount > 1",
            "SUM(amount)",
            "orders.order_id = customers.order_id",
            "day",
            "a = 'b'",
        )
    ),
)
spaces = st.builds(
    VisibleSpace,
    tables=st.lists(tables, max_size=3).map(tuple),
    metric_views=st.lists(views, max_size=1).map(tuple),
    functions=st.lists(functions, max_size=1).map(tuple),
    examples=st.lists(
        st.builds(
            VisibleExample,
            question=text,
            sql=sql,
            usage_guidance=maybe,
            parameters=st.lists(st.builds(ExampleParameter, name=name), max_size=1).map(tuple),
        ),
        max_size=1,
    ).map(tuple),
    joins=st.lists(
        st.builds(VisibleJoin, left=name, left_alias=name, right=name, right_alias=name, sql=sql),
        max_size=1,
    ).map(tuple),
    snippets=st.lists(
        st.builds(
            VisibleSnippet,
            kind=st.sampled_from(("filter", "expression", "measure")),
            sql=sql,
            display_name=text,
            synonyms=texts,
            instruction=maybe,
        ),
        max_size=2,
    ).map(tuple),
    instructions=text,
)


def assert_sound(answer):
    assert (answer.sql is None) != (answer.text is None)
    if answer.sql is not None:
        parse_query(answer.sql)


def assert_consistent(answer):
    """What Spark would refuse: columns beside aggregates, orders by what is not there."""
    assert_sound(answer)
    query = parse_query(answer.sql) if answer.sql else None
    if not isinstance(query, exp.Select):
        return
    group = query.args.get("group")
    groups = group.expressions if group else []
    outputs = [one.unalias() for one in query.expressions]
    order = query.args.get("order")
    orders = [one.this for one in order.expressions] if order else []
    is_aggregated = bool(groups) or any(map(is_aggregate, outputs))
    if is_aggregated:
        for tree in [*outputs, *orders]:
            assert tree in groups or is_aggregate(tree), answer.sql
    if query.args.get("distinct"):
        assert all(tree in outputs for tree in orders), answer.sql
    where = query.args.get("where")
    assert where is None or not any(
        one.find_ancestor(exp.Subquery) is None for one in where.find_all(exp.AggFunc)
    )


def is_aggregate(tree):
    names = {one.name.upper() for one in tree.find_all(exp.Anonymous)}
    return tree.find(exp.AggFunc) is not None or bool(names & {"MEASURE", "COUNT_IF"})


@settings(deadline=None, max_examples=150)
@given(space=spaces, question=text)
def test_any_space_and_any_question_have_a_sound_answer(space, question):
    assert_sound(MetadataEngine().answer(space, question))


@settings(deadline=None, max_examples=100)
@given(question=st.lists(st.sampled_from(WORDS), max_size=14).map(" ".join))
def test_any_words_in_any_order_have_a_sound_answer(question):
    words = question.replace("orders", "work orders").replace("customers", "machines")
    assert_consistent(MetadataEngine().answer(FACTORY.visible(), words))
    assert_consistent(
        MetadataEngine().answer(LIBRARY.visible(), question.replace("orders", "loans"))
    )


@pytest.mark.parametrize("hostile", HOSTILE)
def test_hostile_fragments_are_never_executed(hostile):
    base = LIBRARY.visible()
    snippets = tuple(
        VisibleSnippet(kind, hostile, "books") for kind in ("filter", "expression", "measure")
    )
    space = replace(
        base,
        snippets=snippets,
        instructions=f"Books are {hostile}\nBooks means `{hostile}`.",
        examples=(VisibleExample("How many books?", hostile),),
    )
    assert_sound(MetadataEngine().answer(space, "How many books?"))


def test_a_question_that_is_too_long_is_not_read():
    assert MetadataEngine().answer(LIBRARY.visible(), "book " * (MAX_TOKENS + 1)).sql is None


def test_a_space_of_full_size_is_answered():
    assert_sound(MetadataEngine().answer(full_size_space(), LONG_QUESTION))


def test_answers_do_not_depend_on_the_hash_seed():
    script = (
        "from genie.local.engine.engine import MetadataEngine\n"
        "from tests.genie.local.engine.library import LIBRARY\n"
        "from tests.genie.local.engine.factory import FACTORY\n"
        "from tests.genie.local.engine.spaces import without_metadata\n"
        "for b in (LIBRARY, FACTORY):\n"
        "    for v in (b.visible(), without_metadata(b).visible()):\n"
        "        for q in [*LIBRARY.questions, *FACTORY.questions]:\n"
        "            print(MetadataEngine().answer(v, q))\n"
    )
    root = Path(__file__).parents[4]
    outputs = {
        subprocess.run(
            [sys.executable, "-c", script],
            cwd=root,
            env={"PYTHONHASHSEED": seed, "PYTHONPATH": str(root)},
            capture_output=True,
            check=True,
        ).stdout
        for seed in ("0", "1", "2")
    }
    assert len(outputs) == 1
    assert outputs.pop()


def test_the_order_of_tables_in_the_space_does_not_matter():
    space = LIBRARY.visible()
    turned = replace(
        space, tables=space.tables[::-1], joins=space.joins[::-1], snippets=space.snippets[::-1]
    )
    for question in LIBRARY.questions:
        engine = MetadataEngine()
        assert engine.answer(space, question).sql == engine.answer(turned, question).sql
