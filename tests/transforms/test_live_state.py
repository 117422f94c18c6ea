"""The state of a live space: what its hash covers, and that recorded spaces keep theirs."""

from __future__ import annotations

import json

import pytest

from transforms.live_state import live_state, short_name
from transforms.serialized_space import SpaceConfig
from transforms.space_state import (
    ColumnState,
    FunctionState,
    JoinSpec,
    Snippet,
    SpaceState,
    TableState,
)

ORDERS = TableState("s.orders", (ColumnState("id", "bigint"), ColumnState("price", "double")))
VIEW = TableState("s.takings", (ColumnState("total", "double", is_measure=True),),
                  kind="metric_view", definition="measures: []")  # fmt: skip
BEST = FunctionState("s.best", (ColumnState("n", "int", "how many"),), "best", "SELECT 1")
DOCUMENT = {
    "version": 2,
    "data_sources": {
        "tables": [
            {
                "identifier": "main.s.orders",
                "column_configs": [
                    {"column_name": "PRICE", "synonyms": ["cost"], "description": ["in ", "EUR"]}
                ],
            }
        ]
    },
    "instructions": {
        "text_instructions": [{"id": "a" * 32, "content": ["Be brief.\n", "Be right."]}],
        "join_specs": [
            {
                "id": "b" * 32,
                "left": {"identifier": "s.orders", "alias": "orders"},
                "right": {"identifier": "s.shops", "alias": "shops"},
                "sql": ["`orders`.`x` = `shops`.`y`", "--rt=FROM_RELATIONSHIP_TYPE_MANY_TO_ONE--"],
            }
        ],
        "sql_snippets": {
            "measures": [{"id": "c" * 32, "sql": ["SUM(price)"], "display_name": "takings",
                          "synonyms": ["revenue"]}]
        },
    },
    "benchmarks": {
        "questions": [{"id": "d" * 32, "question": ["Secret?"],
                       "answer": [{"format": "SQL", "content": ["SELECT 7"]}]}]
    },
}  # fmt: skip


def state_of(document=DOCUMENT, tables=(ORDERS, VIEW), functions=(BEST,)):
    config = SpaceConfig.parse(json.dumps(document))
    return live_state("sp", "s", config, tables, functions)


def changed(**parts):
    return {**DOCUMENT, **parts}


def test_the_configuration_is_laid_over_the_catalog():
    state = state_of()
    assert state.table("orders").column("price").synonyms == ("cost",)
    assert state.table("orders").column("price").description == "in EUR"
    assert state.instructions == ("Be brief.\nBe right.",)
    assert state.join_specs == (
        JoinSpec("s.orders", "s.shops", "`orders`.`x` = `shops`.`y`", "MANY_TO_ONE"),
    )
    assert state.snippets == (Snippet("measure", "SUM(price)", "takings", ("revenue",)),)


def test_benchmarks_are_no_part_of_the_state():
    assert "Secret" not in json.dumps(state_of().to_dict())
    assert state_of(changed(benchmarks={})).state_hash == state_of().state_hash


@pytest.mark.parametrize(
    "other",
    [
        state_of(changed(config={"sample_questions": [{"id": "e" * 32, "question": ["Why?"]}]})),
        state_of(tables=(ORDERS,)),
        state_of(tables=(ORDERS, TableState(VIEW.name, VIEW.columns, None, "metric_view", "x"))),
        state_of(functions=()),
        state_of(functions=(FunctionState("s.best", BEST.parameters, "best", "SELECT 2"),)),
    ],
    ids=["configuration", "metric view gone", "its definition", "function gone", "its body"],
)
def test_the_hash_covers_metric_views_functions_and_the_whole_configuration(other):
    assert other.state_hash != state_of().state_hash


def test_a_state_survives_being_stored():
    state = state_of()
    stored = SpaceState.from_dict(json.loads(json.dumps(state.to_dict())))
    assert stored == state
    assert stored.state_hash == state.state_hash


def test_a_configuration_that_names_nothing_is_not_configured():
    assert state_of().is_configured
    assert not state_of({"version": 2}).is_configured


def test_the_state_of_a_recorded_space_is_what_earlier_versions_stored():
    state = SpaceState(
        "sp",
        "shop",
        (
            TableState(
                "shop.sale",
                (
                    ColumnState("id", "bigint", "key", True),
                    ColumnState(
                        "shop_id", "bigint", None, False, "shop.shop.id", ("store",), "which"
                    ),
                ),
                "sales",
            ),
        ),
        (FunctionState("shop.best", (ColumnState("n", "int"),), "best"),),
        (JoinSpec("a", "b", "a.x=b.y", "MANY_TO_ONE"),),
        (Snippet("measure", "SUM(x)", "sum", ("total",)),),
        ("Be brief.",),
    )
    assert state.state_hash == "39e71da6bad0530ac66ff70a77ad54951d885c735f150e64863afe9e69171ef1"
    assert "serialized_space" not in state.to_dict()


def test_names_have_two_parts_in_a_state():
    assert short_name("main.`s`.orders") == short_name("s.orders") == "s.orders"
