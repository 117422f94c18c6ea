"""Perturbed copies keep to what is declared and known, and differ where queries look."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.transforms.shop import ROWS, STATE
from transforms.copies import COPIES, Copy, perturbed
from transforms.copy_plans import CopyPlan, on_copies, plan_copies
from transforms.query_shape import query_shape
from transforms.read_only import parse_query
from transforms.space_state import ColumnState, TableState

TABLES = [table for table in STATE.tables if table.kind == "table"]
SHOP = {table.name: tuple(ROWS[table.name.partition(".")[2]]) for table in TABLES}


def planned(*sqls: str) -> CopyPlan | str:
    queries = [parse_query(sql) for sql in sqls]
    return plan_copies(queries, [query_shape(query, STATE) for query in queries], STATE)


def test_a_plan_names_the_tables_and_what_the_queries_compare_and_rank():
    plan = planned(
        "SELECT title FROM products WHERE price_cents >= 2500 AND category = 'Home'",
        "WITH orders AS (SELECT 1 AS x) SELECT p.title FROM shop.products p, orders "
        "WHERE title LIKE '%am_' ORDER BY cost_cents LIMIT 1",
    )
    assert plan == CopyPlan(
        ("shop.products",),
        {
            "shop.products.price_cents": (2500, 2499, 2501),
            "shop.products.category": ("Home",),
            "shop.products.title": ("amx", "amx x", "x amx"),
        },
        {
            "shop.products.price_cents": (2500,),
            "shop.products.category": ("Home",),
            "shop.products.title": ("amx",),
        },
        frozenset({"shop.products.cost_cents"}),
    )


@pytest.mark.parametrize(
    ("condition", "column", "values"),
    [
        (
            "ordered_on < DATE '2023-01-01'",
            "orders.ordered_on",
            (date(2023, 1, 1), date(2022, 12, 31), date(2023, 1, 2)),
        ),
        ("total > 60.5", "orders.total", (60.5, 59.5, 61.5)),
        ("status IN ('open', 'lost')", "orders.status", ("lost", "open")),
        ("order_id > 'many'", "orders.order_id", None),
        ("total + 1 > 60", "orders.total", None),
    ],
)
def test_boundaries_are_values_of_the_columns_type(condition, column, values):
    plan = planned(f"SELECT 1 FROM orders WHERE {condition}")
    assert plan.boundaries.get(f"shop.{column}") == values


@pytest.mark.parametrize(
    ("data_type", "literal", "values"),
    [
        ("decimal(8,2)", "2.504", (Decimal("2.50"), Decimal("1.50"), Decimal("3.50"))),
        ("decimal(8)", "3", (Decimal(3), Decimal(2), Decimal(4))),
        ("boolean", "TRUE", (True,)),
        (
            "timestamp",
            "'2024-01-31 10:00:00'",
            tuple(datetime(2024, *day, 10, tzinfo=UTC) for day in ((1, 31), (1, 30), (2, 1))),
        ),
        ("array<int>", "1", None),
    ],
)
def test_boundaries_of_other_types(data_type, literal, values):
    table = TableState("shop.t", (ColumnState("c", data_type),))
    state = replace(STATE, tables=(table,))
    query = parse_query(f"SELECT 1 FROM t WHERE c = {literal}")
    plan = plan_copies([query], [query_shape(query, state)], state)
    assert plan.boundaries.get("shop.t.c") == values


@pytest.mark.parametrize(
    ("sql", "why"),
    [
        ("SELECT region, MEASURE(revenue) FROM sales GROUP BY region", "reads sales"),
        ("SELECT * FROM orders_between('2023-01-01', '2023-02-01')", "table function"),
        ("SELECT * FROM elsewhere", "reads elsewhere"),
        ("SELECT 1", "no table"),
    ],
)
def test_without_tables_of_the_space_there_is_no_plan(sql, why):
    refused = planned(sql)
    assert isinstance(refused, str)
    assert why in refused


def test_on_copies_a_query_has_no_schema_and_else_its_own_text():
    sql = "SELECT shop.orders.total FROM shop.orders JOIN main.shop.regions r ON r.region_id = 1"
    assert on_copies(parse_query(sql), sql) == (
        "SELECT orders.total FROM orders JOIN regions AS r ON r.region_id = 1"
    )
    plain = "SELECT  total FROM orders"
    assert on_copies(parse_query(plain), plain) == plain


PLAN = CopyPlan(
    tuple(SHOP),
    {"shop.products.price_cents": (2500, 2499, 2501), "shop.orders.status": ("lost",)},
    {"shop.products.price_cents": (2500,), "shop.orders.status": ("lost",)},
    frozenset({"shop.orders.total"}),
)


@pytest.mark.parametrize("copy", COPIES, ids=lambda copy: copy.name)
def test_a_copy_keeps_keys_references_and_what_is_known(copy):
    changed = perturbed(SHOP, TABLES, PLAN, copy)
    assert changed != SHOP, "it is another one"
    assert changed == perturbed(SHOP, TABLES, PLAN, copy), "always the same one"
    for table in TABLES:
        rows, before = changed[table.name], SHOP[table.name]
        assert len(rows) == len(before) or (copy.dropped and len(rows) < len(before))
        keys = [at for at, column in enumerate(table.columns) if column.is_primary_key]
        assert len({tuple(row[at] for at in keys) for row in rows}) == len(rows)
        for at, column in enumerate(table.columns):
            values = [row[at] for row in rows]
            if None not in {row[at] for row in before}:
                assert None not in values
            if column.references:
                other, _, key = column.references.rpartition(".")
                known = next(t for t in TABLES if t.name == other)
                position = [c.name for c in known.columns].index(key)
                assert set(values) - {None} <= {row[position] for row in changed[other]}


def test_values_come_from_their_column_or_from_beside_a_constant():
    copy = Copy("test", resampled=0.5, at_boundary=0.5)
    changed = perturbed(SHOP, TABLES, PLAN, copy)
    for name, before in SHOP.items():
        table = next(table for table in TABLES if table.name == name)
        for at, column in enumerate(table.columns):
            beside = PLAN.boundaries.get(f"{name}.{column.name}", ())
            assert {row[at] for row in changed[name]} <= {row[at] for row in before} | set(beside)
    assert {row[4] for row in changed["shop.orders"]} >= {"lost"}
    assert {row[3] for row in changed["shop.products"]} & {2499, 2501}


@pytest.mark.parametrize(("copy", "is_fewer"), [(Copy("t", tied_values=3), True),
                                                (Copy("t", is_untied=True), False)])  # fmt: skip
def test_what_rows_are_ranked_by_ties_or_does_not(copy, is_fewer):
    totals = [row[5] for row in perturbed(SHOP, TABLES, PLAN, copy)["shop.orders"]]
    assert (len(set(totals)) <= 3) if is_fewer else (len(set(totals)) == len(totals))


def test_the_constant_that_a_sample_lacks_is_put_into_a_name_once():
    table = TableState("shop.t", (ColumnState("name", "string"),))
    rows = {"shop.t": (("a",), ("b",), ("c",))}
    plan = CopyPlan(("shop.t",), {"shop.t.name": ("wanted",)})
    names = [row[0] for row in perturbed(rows, [table], plan, Copy("t"))["shop.t"]]
    assert names.count("wanted") == 1
    assert len(set(names)) == 3


@given(
    values=st.lists(
        st.none() | st.integers(0, 5) | st.lists(st.integers(), max_size=1), max_size=12
    ),
    share=st.floats(0, 1),
)
@settings(deadline=None, max_examples=60)
def test_whatever_the_rows_a_copy_has_as_many(values, share):
    table = TableState(
        "s.t", (ColumnState("id", "int", is_primary_key=True), ColumnState("v", "x"))
    )
    rows = {"s.t": tuple(enumerate(values))}
    plan = CopyPlan(("s.t",), ranked=frozenset({"s.t.v"}))
    changed = perturbed(rows, [table], plan, Copy("c", resampled=share, null=share, tied_values=3))
    assert [row[0] for row in changed["s.t"]] == list(range(len(values)))
    assert all(row[1] in [*values, None] for row in changed["s.t"])


def test_what_is_aggregated_is_ranked_and_what_groups_are_compared_with_is_a_boundary():
    plan = planned(
        "SELECT MAX(total) FROM orders GROUP BY status HAVING AVG(total) > 60",
        "SELECT title FROM products WHERE price_cents > (SELECT AVG(cost_cents) FROM products)",
    )
    assert plan.ranked == {
        "shop.orders.total", "shop.products.price_cents", "shop.products.cost_cents",
    }  # fmt: skip
    assert plan.constants == {"shop.orders.total": (60.0,)}


def test_a_constant_whose_case_does_not_count_is_written_as_the_other_query_writes_it():
    plan = planned(
        "SELECT title FROM products WHERE category = 'Home'",
        "SELECT title FROM products WHERE LOWER(category) = 'home'",
    )
    assert plan.boundaries == {"shop.products.category": ("Home",)}


PETS = TableState(
    "s.pet",
    (
        ColumnState("pet_id", "int", is_primary_key=True),
        ColumnState("owner_id", "int", references="s.owner.owner_id"),
        ColumnState("kind", "string"),
        ColumnState("weight", "int"),
    ),
)
OWNERS = TableState("s.owner", (ColumnState("owner_id", "int", is_primary_key=True),))
PET_ROWS = {
    "s.pet": tuple((n, n, "dog" if n % 3 == 0 else "cat", 5) for n in range(1, 21)),
    "s.owner": tuple((n,) for n in range(1, 21)),
}


def test_a_reference_beside_a_declared_key_may_repeat_and_in_a_pure_relation_no_pair_does():
    plan = CopyPlan(("s.pet", "s.owner"))
    pets = perturbed(PET_ROWS, [PETS, OWNERS], plan, Copy("t", resampled=0.5))["s.pet"]
    assert len({row[1] for row in pets}) < len(pets)
    relation = TableState(
        "s.has",
        (
            ColumnState("owner_id", "int", references="s.owner.owner_id"),
            ColumnState("pet_id", "int", references="s.pet.pet_id"),
        ),
    )
    rows = {"s.has": tuple((n % 4, n // 4) for n in range(16))}
    pairs = perturbed(rows, [relation], CopyPlan(("s.has",)), Copy("t", resampled=0.9))["s.has"]
    assert len(set(pairs)) == len(pairs)


@pytest.mark.parametrize("favours", [True, False])
def test_untied_values_are_greatest_or_least_where_the_constants_stand(favours):
    plan = CopyPlan(
        ("s.pet",), {"s.pet.kind": ("dog",)}, {"s.pet.kind": ("dog",)}, frozenset({"s.pet.weight"})
    )
    copy = Copy("t", is_untied=True, favours_constants=favours)
    pets = perturbed({"s.pet": PET_ROWS["s.pet"]}, [PETS], plan, copy)["s.pet"]
    dogs, cats = ([row[3] for row in pets if row[2] == kind] for kind in ("dog", "cat"))
    assert (min(dogs) > max(cats)) if favours else (max(dogs) < min(cats))
    assert len({*dogs, *cats}) == len(pets)


def test_a_reference_is_compared_with_keys_that_are_there():
    plan = CopyPlan(
        ("s.pet", "s.owner"),
        {"s.pet.owner_id": (3, 2, 4, 99, 98, 100)},
        {"s.pet.owner_id": (3, 99)},
    )
    pets = perturbed(PET_ROWS, [PETS, OWNERS], plan, Copy("t", at_boundary=1.0))["s.pet"]
    assert {row[1] for row in pets} == {3}
    pets = perturbed(PET_ROWS, [PETS], plan, Copy("t", at_boundary=1.0))["s.pet"]
    assert {row[1] for row in pets} == {3, 99}
