"""What enough groups call a thing is said where the thing is described, and nothing else is."""

from __future__ import annotations

import json
from typing import Any

import pytest

from genie.local.engine.prose import ListedValue, read_prose
from tests.transforms.test_proposing import FACTS
from transforms.patches import (
    AddColumnSynonyms,
    AddInstruction,
    AddSqlSnippet,
    SetColumnComment,
    SetFunctionComment,
    SetMetricViewMeasure,
    SetTableComment,
)
from transforms.proposal_values import (
    ClusterEvidence,
    DraftProposal,
    Facts,
    FragmentEvidence,
    TermEvidence,
)
from transforms.proposing import propose
from transforms.shared_causes import ALWAYS, CAUSES, UNNAMED, VALUES, WORDS

VIEW = {
    "name": "shop.sales",
    "columns": [
        {"name": "revenue", "comment": "EUR", "is_measure": True},
        {"name": "region", "comment": None, "is_measure": False},
    ],
    "definition": "measures: [{name: revenue, expr: SUM(total)}]",
}
FUNCTION = {
    "name": "shop.orders_between",
    "comment": "orders",
    "parameters": [
        {"name": "from_day", "comment": None},
        {"name": "to_day", "comment": "to"},
        {"name": "wanted", "comment": None},
        {"name": "unused", "comment": None},
    ],
    "definition": json.dumps(
        {
            "body": "SELECT o.id FROM shop.orders AS o WHERE o.sent_on >= from_day "
            "AND to_day > o.sent_on AND o.status = wanted"
        }
    ),
}
CONFIG: dict[str, Any] = {
    "metric_views": [VIEW],
    "functions": [FUNCTION],
    "snippets": [],
    "instructions": ["Amounts are in EUR."],
}
ALL = Facts(columns=FACTS.columns, tables=FACTS.tables, config=CONFIG)


def drafts(
    cause: str,
    blame: str,
    *fragments: str,
    words: tuple[str, ...] = ("settled",),
    groups: int = 2,
    facts: Facts = ALL,
) -> tuple[DraftProposal, ...]:
    return propose(
        ClusterEvidence(
            space_id="shop",
            cluster_id="c",
            rule=cause,
            failure_type="other",
            blame_set=(blame,),
            question_ids=tuple(f"q{n}" for n in range(groups)),
            group_ids=tuple(f"g{n}" for n in range(groups)),
            fragments=tuple(
                FragmentEvidence(sql, None, groups)
                for sql in fragments or (blame.partition(":")[2],)
            ),
            terms=tuple(TermEvidence(word, groups) for word in words),
            fixes=(),
            impact=float(groups),
        ),
        facts,
    )


EXPLAINED = [
    (
        "filter:shop.orders.status IN ('C', 'R')",
        AddSqlSnippet(kind="filter", sql="orders.status IN ('C', 'R')", display_name="settled"),
    ),
    (
        "aggregate:COUNT(DISTINCT shop.orders.buyer_id)",
        AddSqlSnippet(
            kind="measure", sql="COUNT(DISTINCT orders.buyer_id)", display_name="settled"
        ),
    ),
    (
        "value:shop.orders.status = 'C'",
        SetColumnComment(
            table="shop.orders", column="status", comment="order status. 'C' means settled."
        ),
    ),
    (
        "flag:shop.orders.status",
        AddColumnSynonyms(table="shop.orders", column="status", synonyms=("settled",)),
    ),
    (
        "column:shop.people.full_name",
        AddColumnSynonyms(table="shop.people", column="full_name", synonyms=("settled",)),
    ),
    (
        "column:shop.sales.region",
        AddColumnSynonyms(table="shop.sales", column="region", synonyms=("settled",)),
    ),
    (
        "table:shop.orders",
        SetTableComment(table="shop.orders", comment="orders. Also called: settled."),
    ),
    (
        "table:shop.sales",
        AddInstruction(space_id="shop", topic="use shop.sales", text="For settled use sales."),
    ),
    (
        "measure:shop.sales.revenue",
        SetMetricViewMeasure(
            metric_view="shop.sales",
            name="revenue",
            expr="SUM(total)",
            comment="EUR. Also called: settled.",
        ),
    ),
    (
        "function:shop.orders_between",
        SetFunctionComment(
            function="shop.orders_between",
            comment="orders. Answers questions about: settled.",
        ),
    ),
]


@pytest.mark.parametrize(("blame", "patch"), EXPLAINED, ids=[blame for blame, _ in EXPLAINED])
def test_words_are_said_where_the_thing_is_described(blame, patch):
    assert [draft.patch for draft in drafts(WORDS, blame)] == [patch]


@pytest.mark.parametrize("blame", [blame for blame, _ in EXPLAINED])
def test_words_of_one_group_are_never_proposed(blame):
    assert not drafts(WORDS, blame, groups=1)


def test_further_words_are_synonyms_of_a_named_fragment():
    [draft] = drafts(WORDS, EXPLAINED[0][0], words=("settled", "done"))
    assert (draft.patch.display_name, draft.patch.synonyms) == ("settled", ("done",))


def test_a_value_with_several_words_is_decoded_by_each_of_them():
    [draft] = drafts(WORDS, "value:shop.orders.status = 'C'", words=("settled", "all done"))
    assert draft.patch.comment == "order status. 'C' means settled. 'C' means all done."
    assert read_prose(draft.patch.comment).values == (
        ListedValue("C", "settled"),
        ListedValue("C", "all done"),
    )


def test_a_fragment_that_the_space_names_already_is_not_named_again():
    known = {**CONFIG, "snippets": [{"sql": "orders.status IN ('C', 'R')"}]}
    facts = Facts(columns=FACTS.columns, tables=FACTS.tables, config=known)
    assert not drafts(WORDS, EXPLAINED[0][0], facts=facts)


def test_the_same_of_two_tables_gets_two_names_and_one_synonym():
    fragments = ("shop.orders.note IS NULL", "shop.people.note IS NULL")
    made = drafts(WORDS, "filter:note IS NULL", *fragments, words=("plain",))
    assert {(draft.patch.display_name, draft.patch.synonyms) for draft in made} == {
        ("plain (orders)", ("plain",)),
        ("plain (people)", ("plain",)),
    }


def test_a_tables_comment_does_not_repeat_the_words_of_its_name():
    [draft] = drafts(WORDS, "table:shop.orders", words=("web orders",))
    assert draft.patch.comment == "orders. Also called: web."


def test_of_columns_with_one_name_the_expected_one_is_preferred():
    [draft] = drafts(WORDS, "column:shop.orders.status", words=("status",))
    assert draft.patch.text == "For status use orders.status."


def test_a_shared_filter_without_words_is_named_by_its_values():
    [draft] = drafts(UNNAMED, "filter:shop.orders.status IN ('C', 'R')", words=())
    assert draft.patch.display_name == "C or R"
    assert not drafts(UNNAMED, "filter:shop.orders.status IN ('C', 'R')", words=(), groups=1)


def test_a_shared_way_to_write_a_column_is_named_by_the_column():
    [draft] = drafts(UNNAMED, "expression:LOWER(shop.people.full_name)", words=())
    assert (draft.patch.kind, draft.patch.display_name) == ("expression", "full name")


def test_a_condition_that_everybody_has_becomes_an_instruction():
    [draft] = drafts(ALWAYS, "filter:NOT shop.orders.is_test", words=(), groups=3)
    assert draft.patch.text == "Always filter orders by `NOT orders.is_test`."
    assert draft.risk == "medium"


def test_values_that_a_question_spells_out_are_listed():
    [draft] = drafts(VALUES, "column:shop.orders.status", words=(), groups=1)
    assert draft.patch.comment == "order status. Values: 'C', 'R', 'S'."


def test_parameters_are_described_by_the_functions_own_sql():
    made = drafts("function_argument_wrong", "function:shop.orders_between.to_day", words=())
    assert {(draft.patch.parameter, draft.patch.comment) for draft in made} == {
        ("from_day", "Lower bound, itself inclusive (sent_on >= from_day)."),
        ("to_day", "to. Upper bound, itself exclusive (to_day > sent_on)."),
        ("wanted", "Compared with status of orders."),
    }


@pytest.mark.parametrize("definition", [None, "", "{}", '{"body": "not ("}', "[]"])
def test_a_function_that_cannot_be_read_is_not_described(definition):
    functions = [{**FUNCTION, "definition": definition}]
    facts = Facts(columns={}, config={**CONFIG, "functions": functions})
    assert not drafts("function_not_called", "function:shop.orders_between", words=(), facts=facts)


@pytest.mark.parametrize("definition", [None, "", "measures: 3", "a: [", "measures: [{}]"])
def test_a_metric_view_that_cannot_be_read_is_left_alone(definition):
    views = [{**VIEW, "definition": definition}]
    facts = Facts(columns={}, config={**CONFIG, "metric_views": views})
    assert not drafts(WORDS, "measure:shop.sales.revenue", facts=facts)


@pytest.mark.parametrize("cause", sorted(CAUSES.keys() - {ALWAYS}))  # that is about a fragment
def test_nothing_known_gives_no_proposal(cause):
    assert not drafts(cause, "column:shop.gone.column", facts=Facts(columns={}))
