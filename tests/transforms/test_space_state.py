"""The state of a space as a value: what is told of a difference between two."""

from __future__ import annotations

from dataclasses import replace

import pytest

from transforms.space_state import (
    ColumnState,
    FunctionState,
    JoinSpec,
    SpaceState,
    TableState,
    changed_parts,
)

SHOP = TableState("d.shop", (ColumnState("id", "bigint"),))
SALES = TableState(
    "d.sales", (ColumnState("price", "double", is_measure=True),), None, "metric_view"
)
BEST = FunctionState("d.best", (ColumnState("n", "int"),))
STATE = SpaceState("s", "d", (SHOP, SALES), (BEST,), instructions=("Be brief.",))


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({}, ()),
        ({"space_id": "other"}, ()),
        ({"tables": (replace(SHOP, comment="new"), SALES)}, ("table d.shop",)),
        ({"tables": (SHOP,)}, ("metric view d.sales",)),
        ({"functions": ()}, ("function d.best",)),
        ({"functions": (replace(BEST, definition="SELECT 1"),)}, ("function d.best",)),
        ({"instructions": ()}, ("its configuration",)),
        ({"serialized_space": "{}"}, ("its configuration",)),
        ({"join_specs": (JoinSpec("a", "b", "a.x = b.x"),)}, ("its configuration",)),
        (
            {"tables": (), "functions": (), "instructions": ()},
            ("function d.best", "metric view d.sales", "table d.shop", "its configuration"),
        ),
    ],
)
def test_what_differs_between_two_states_is_named(changes, told):
    other = replace(STATE, **changes)
    assert changed_parts(STATE, other) == changed_parts(other, STATE) == told
    assert (told == ()) == (STATE.state_hash == other.state_hash)
