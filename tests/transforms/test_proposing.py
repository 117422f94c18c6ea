"""Proposals say what the data's facts and shared evidence say, and nothing else."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from transforms.patches import (
    AddColumnSynonyms,
    AddJoinSpec,
    AddSqlSnippet,
    parse_patch,
    patch_json,
)
from transforms.proposal_instructions import INSTRUCTIONS
from transforms.proposal_rules import PROPOSAL_RULES
from transforms.proposal_values import (
    ClusterEvidence,
    ColumnFacts,
    DraftProposal,
    Facts,
    FragmentEvidence,
    TableFacts,
    TermEvidence,
)
from transforms.proposing import propose
from transforms.rules import RULES
from transforms.shared_causes import CAUSES
from transforms.space_state import AssetKind

STATUS = ColumnFacts(
    table="shop.orders",
    column="status",
    data_type="string",
    comment="order status",
    row_count=900,
    distinct_count=3,
    null_count=0,
    sample_values=("S", "C", "R"),
    is_sample_complete=True,
)
BUYER = ColumnFacts(
    table="shop.orders",
    column="buyer_id",
    data_type="bigint",
    references="shop.people.id",
    row_count=900,
    distinct_count=120,
    null_count=0,
)
PERSON = ColumnFacts(
    table="shop.people",
    column="id",
    data_type="bigint",
    is_primary_key=True,
    row_count=200,
    distinct_count=200,
    null_count=0,
)
FULL_NAME = ColumnFacts(
    table="shop.people", column="full_name", data_type="string", comment="legal name", row_count=200
)
NICKNAME = ColumnFacts(
    table="shop.people", column="nickname", data_type="string", comment="shown name", row_count=200
)
FACTS = Facts(
    columns={c.name.lower(): c for c in (STATUS, BUYER, PERSON, FULL_NAME, NICKNAME)},
    tables={
        "shop.orders": TableFacts("shop.orders", "orders", 900, ("order_id",)),
        "shop.people": TableFacts("shop.people", None, 200, ("id",)),
    },
)


def cluster(
    rule: str,
    *blame: str,
    groups: int = 2,
    fragments: tuple[FragmentEvidence, ...] = (),
    terms: tuple[TermEvidence, ...] = (),
) -> ClusterEvidence:
    return ClusterEvidence(
        space_id="shop",
        cluster_id="cluster-1",
        rule=rule,
        failure_type=(CAUSES.get(rule) or RULES[rule]).failure_type,
        blame_set=blame,
        question_ids=tuple(f"q{n}" for n in range(groups)),
        group_ids=tuple(f"g{n}" for n in range(groups)),
        fragments=fragments,
        terms=terms,
        fixes=(),
        impact=float(groups),
    )


def by_rule(drafts: tuple[DraftProposal, ...]) -> dict[str, DraftProposal]:
    return {draft.rule: draft for draft in drafts}


def test_a_missing_filter_lists_the_values_that_the_data_holds() -> None:
    drafts = propose(cluster("filter_missing", "column:shop.orders.status", groups=1), FACTS)
    assert [draft.patch.after for draft in drafts] == ["order status. Values: 'C', 'R', 'S'."]
    assert drafts[0].before == "order status"


@pytest.mark.parametrize(
    ("kind", "patch_type", "lever"),
    [
        ("table", "set_column_comment", 1),
        ("monitoring_table", "set_monitoring_comment", 4),
        ("ml_table", "set_ml_table_comment", 5),
    ],
)
def test_the_kind_of_the_table_gives_a_comment_its_lever_and_nothing_else(
    kind: AssetKind, patch_type: str, lever: int
) -> None:
    orders = replace(FACTS.tables["shop.orders"], kind=kind)
    facts = replace(FACTS, tables={**FACTS.tables, "shop.orders": orders})
    evidence = cluster("filter_missing", "column:shop.orders.status", groups=1)
    (plain,), (made,) = propose(evidence, FACTS), propose(evidence, facts)
    assert (made.patch.patch_type, made.patch.lever) == (patch_type, lever)
    assert (made.patch.target, made.patch.target_field) == (
        "column:shop.orders.status",
        "comment",
    )
    assert (made.patch.after, made.before) == (plain.patch.after, plain.before)
    assert parse_patch(patch_json(made.patch)) == made.patch

    grain = cluster("duplicates_kept", "table:shop.orders")
    (described,) = (d for d in propose(grain, facts) if d.rule == "describe_grain")
    assert (described.patch.lever, described.patch.target) == (lever, "table:shop.orders")

    words = cluster(
        "output_column_wrong", "column:shop.orders.status", terms=(TermEvidence("phase", 2),)
    )
    named = by_rule(propose(words, facts))["explain_words"]
    assert named.patch.lever == 1, "synonyms are the space's own"


def test_a_comment_that_says_so_already_is_not_proposed_again() -> None:
    told = replace(STATUS, comment="order status. Values: 'C', 'R', 'S'.")
    facts = replace(FACTS, columns={**FACTS.columns, told.name: told})
    assert not propose(cluster("filter_missing", "column:shop.orders.status", groups=1), facts)


@pytest.mark.parametrize(("groups", "is_shared"), [(1, False), (2, True)])
def test_a_filter_is_named_only_when_two_groups_share_it(groups: int, is_shared: bool) -> None:
    fragment = FragmentEvidence("shop.orders.status = 'C'", None, groups)
    drafts = propose(
        cluster("filter_missing", "column:shop.orders.status", groups=2, fragments=(fragment,)),
        FACTS,
    )
    snippets = [d.patch for d in drafts if isinstance(d.patch, AddSqlSnippet)]
    assert [patch.sql for patch in snippets] == (["orders.status = 'C'"] if is_shared else [])


@pytest.mark.parametrize(("groups", "is_shared"), [(1, False), (2, True)])
def test_a_word_becomes_a_synonym_only_when_two_groups_share_it(
    groups: int, is_shared: bool
) -> None:
    found = propose(
        cluster(
            "output_column_wrong",
            "column:shop.people.nickname",
            terms=(TermEvidence("handle", groups),),
        ),
        FACTS,
    )
    synonyms = [d.patch.synonyms for d in found if isinstance(d.patch, AddColumnSynonyms)]
    assert synonyms == ([("handle",)] if is_shared else [])


def test_a_word_of_few_groups_in_a_large_cluster_is_no_synonym() -> None:
    found = propose(
        cluster(
            "output_column_wrong",
            "column:shop.people.nickname",
            groups=9,
            terms=(TermEvidence("berlin", 2),),
        ),
        FACTS,
    )
    assert "explain_words" not in by_rule(found)


def test_an_invented_column_name_becomes_a_synonym_of_the_one_that_was_meant() -> None:
    fragment = FragmentEvidence("shop.people.nickname", "shop.people.screen_name", 1)
    found = by_rule(
        propose(
            cluster(
                "column_unknown", "column:shop.people.nickname", groups=1, fragments=(fragment,)
            ),
            FACTS,
        )
    )
    assert found["explain_invented_name"].patch.after == "screen name"


def test_the_right_column_is_told_apart_from_the_one_that_was_taken() -> None:
    fragment = FragmentEvidence("shop.people.nickname", "shop.people.full_name", 1)
    found = by_rule(
        propose(
            cluster("output_column_wrong", "column:shop.people.nickname", fragments=(fragment,)),
            FACTS,
        )
    )
    assert found["contrast_columns"].patch.after == (
        "shown name. Not to be confused with full_name (legal name)."
    )


def test_a_wrong_join_declares_the_key_and_its_direction() -> None:
    found = propose(
        cluster("join_column_wrong", "join:shop.orders.buyer_id=shop.people.id", groups=1), FACTS
    )
    joins = [draft.patch for draft in found if isinstance(draft.patch, AddJoinSpec)]
    assert [(join.sql, join.relationship) for join in joins] == [
        ("`orders`.`buyer_id` = `people`.`id`", "MANY_TO_ONE")
    ]
    assert by_rule(found)["describe_reference"].patch.after == "Refers to shop.people.id."


def test_a_join_that_the_space_has_already_is_not_declared_again() -> None:
    declared = {"join_specs": [{"left": "shop.people", "right": "shop.orders", "condition": "x"}]}
    found = propose(
        cluster("join_column_wrong", "join:shop.orders.buyer_id=shop.people.id"),
        replace(FACTS, config=declared),
    )
    assert "declare_join" not in by_rule(found)


def test_repeated_values_are_said_with_the_counts_of_the_data() -> None:
    found = by_rule(propose(cluster("distinct_missing", "column:shop.orders.buyer_id"), FACTS))
    assert found["describe_grain"].patch.after == (
        "orders. One row per order_id. buyer_id repeats (900 rows hold 120 different values): use "
        "DISTINCT when different ones are asked for."
    )


def test_a_column_that_does_not_repeat_has_no_grain_to_explain() -> None:
    drafts = propose(cluster("duplicates_kept", "column:shop.people.id"), FACTS)
    assert "describe_grain" not in by_rule(drafts)


def test_where_null_was_looked_for_the_comment_says_that_there_is_none() -> None:
    fragment = FragmentEvidence("shop.people.id = 1", "shop.orders.buyer_id IS NULL", 1)
    found = by_rule(
        propose(
            cluster("null_instead_of_value", "column:shop.people.id", fragments=(fragment,)), FACTS
        )
    )
    assert found["describe_nulls"].patch.after == (
        "Never NULL: a value in shop.people stands for none."
    )


def test_a_guessed_key_is_told_what_it_refers_to() -> None:
    fragment = FragmentEvidence("shop.people.nickname = 'Al'", "shop.orders.buyer_id = 7", 1)
    found = by_rule(
        propose(
            cluster("key_value_guessed", "column:shop.people.nickname", fragments=(fragment,)),
            FACTS,
        )
    )
    assert found["describe_reference"].patch.target == "column:shop.orders.buyer_id"


def test_a_name_that_differs_only_in_spelling_was_not_invented() -> None:
    fragment = FragmentEvidence("shop.people.full_name", "people.FullName", 1)
    evidence = cluster("column_unknown", "column:shop.people.full_name", fragments=(fragment,))
    assert not propose(evidence, FACTS)


@pytest.mark.parametrize("rule", sorted(INSTRUCTIONS))
def test_a_habit_is_instructed_against_when_two_groups_show_it(rule: str) -> None:
    one = propose(cluster(rule, "space:shop", groups=1), FACTS)
    two = propose(cluster(rule, "space:shop", groups=2), FACTS)
    assert "instruct" not in by_rule(one)
    assert by_rule(two)["instruct"].patch.after == INSTRUCTIONS[rule].text


def test_an_instruction_that_the_space_has_already_is_not_given_again() -> None:
    facts = replace(FACTS, config={"instructions": [INSTRUCTIONS["output_not_asked"].text]})
    assert not propose(cluster("output_not_asked", "space:shop"), facts)


def test_every_instruction_is_for_a_rule_that_judges_know() -> None:
    assert set(INSTRUCTIONS) <= set(RULES)


@given(
    rule=st.sampled_from(sorted([*RULES, *CAUSES])),
    blame=st.sampled_from(
        [
            "column:shop.orders.status",
            "column:shop.people.nickname",
            "join:shop.orders.buyer_id=shop.people.id",
            "table:shop.orders",
            "space:shop",
            "column:shop.gone.column",
            "function:shop.f.x",
            "filter:shop.orders.status IN ('C', 'R')",
            "aggregate:COUNT(DISTINCT shop.orders.buyer_id)",
            "value:shop.orders.status = 'C'",
            "flag:shop.orders.status",
            "expression:LOWER(shop.orders.status)",
            "measure:shop.sales.revenue",
        ]
    ),
    groups=st.integers(1, 4),
    expected=st.one_of(
        st.none(),
        st.sampled_from(
            [
                "shop.orders.status = 'C'",
                "COUNT(DISTINCT shop.orders.buyer_id)",
                "shop.people.nickname",
                "SELECT 1",
                "; DROP TABLE x",
            ]
        ),
        st.text(max_size=30),
    ),
    actual=st.one_of(st.none(), st.just("shop.people.full_name"), st.text(max_size=30)),
    term=st.text(min_size=1, max_size=20).filter(str.strip),
)
def test_whatever_the_evidence_drafts_are_valid_known_and_repeatable(
    rule: str, blame: str, groups: int, expected: str | None, actual: str | None, term: str
) -> None:
    evidence = cluster(
        rule,
        blame,
        groups=groups,
        fragments=(FragmentEvidence(expected, actual, groups),),
        terms=(TermEvidence(term, groups),),
    )
    drafts = propose(evidence, FACTS)
    assert drafts == propose(evidence, FACTS)
    for draft in drafts:
        assert parse_patch(patch_json(draft.patch)) == draft.patch
        assert draft.rule in PROPOSAL_RULES
        assert draft.patch.lever == PROPOSAL_RULES[draft.rule].lever
        assert draft.before is None or draft.before in draft.patch.after
