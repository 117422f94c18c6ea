"""What a query's result depends on."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from transforms.query_sources import Readable, result_key, with_signature


def function(body: str) -> str:
    return json.dumps({"defaults": {"n": "upper('a')"}, "returns": [], "body": body})


READABLE = Readable(
    schema="shop",
    data_ids={"shop.sale": "s1", "shop.item": "i1", "other.sale": "o1"},
    metric_views={
        "shop.kpi": "version: 0.1\nsource: shop.sale\nfilter: price > 0\n"
        "measures:\n- {name: n, expr: SUM(price)}\n",
        "shop.odd": "source: SELECT * FROM sale\nmeasures: []\n",
        "shop.torn": "source: [",
    },
    functions={
        "shop.top": function("SELECT * FROM shop.item ORDER BY price LIMIT 1"),
        "shop.twice": function("2 * (SELECT COUNT(*) FROM shop.top())"),
        "shop.lost": function("SELECT * FROM elsewhere.t"),
        "shop.dice": function("rand()"),
    },
    builtins=frozenset({"count", "sum", "upper", "measure", "unix_timestamp"}),
)
CHANGED = {
    "sale": replace(READABLE, data_ids={**READABLE.data_ids, "shop.sale": "s2"}),
    "item": replace(READABLE, data_ids={**READABLE.data_ids, "shop.item": "i2"}),
    "kpi": replace(READABLE, metric_views={"shop.kpi": "source: shop.sale\nmeasures: []\n"}),
    "top": replace(
        READABLE, functions={**READABLE.functions, "shop.top": function("SELECT * FROM shop.item")}
    ),
}


@pytest.mark.parametrize(
    ("sql", "depends_on"),
    [
        ("SELECT 1", set()),
        ("SELECT COUNT(*) FROM sale", {"sale"}),
        ("SELECT COUNT(*) FROM SHOP.`Sale` s", {"sale"}),
        ("SELECT COUNT(*) FROM spark_catalog.shop.sale", {"sale"}),
        ("SELECT 1 FROM other.sale", set()),
        ("SELECT 'sale' FROM item JOIN sale USING (id)", {"sale", "item"}),
        ("WITH q AS (SELECT id FROM sale) SELECT * FROM q", {"sale"}),
        ("WITH item (id) AS (SELECT id FROM sale) SELECT * FROM item", {"sale", "item"}),
        ("SELECT id IN (SELECT id FROM item) FROM sale", {"sale", "item"}),
        ("SELECT MEASURE(n) FROM kpi", {"sale", "kpi"}),
        ("SELECT * FROM shop.top()", {"item", "top"}),
        ("SELECT twice()", {"item", "top"}),
        ("SELECT unix_timestamp(sold_at) FROM sale", {"sale"}),
    ],
)
def test_a_key_changes_with_the_data_and_the_definitions_that_are_read(sql, depends_on):
    key = result_key(sql, READABLE)
    assert key is not None
    assert {name for name, changed in CHANGED.items() if result_key(sql, changed) != key} == (
        depends_on
    )


def test_another_text_has_another_key_though_the_rows_may_be_the_same():
    assert result_key("SELECT 1 AS a", READABLE) != result_key("SELECT 1 AS b", READABLE)


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT * FROM nowhere",
        "SELECT * FROM elsewhere.sale",
        "SELECT * FROM another_catalog.shop.sale",
        "SELECT mystery(price) FROM sale",
        "SELECT elsewhere.top()",
        "SELECT * FROM odd",
        "SELECT * FROM torn",
        "SELECT * FROM lost()",
        "SELECT dice()",
        "SELECT current_date FROM sale",
        "SELECT upper(CURRENT_DATE()) FROM sale",
        "SELECT unix_timestamp() FROM sale",
        "SELECT rand()",
        "SELECT * FROM sale TABLESAMPLE (10 PERCENT)",
        "DELETE FROM sale",
        "no SQL",
    ],
)
def test_what_is_not_understood_or_differs_each_time_has_no_key(sql):
    assert result_key(sql, READABLE) is None


def test_names_without_a_schema_have_no_key_where_nobody_knows_what_they_mean():
    anywhere = replace(READABLE, schema=None)
    assert result_key("SELECT id FROM sale", anywhere) is None
    assert result_key("SELECT id FROM shop.sale", anywhere) is not None


def test_a_table_that_is_called_as_a_function_does_not_stand_for_it():
    data_ids = {**READABLE.data_ids, "shop.top": "t1"}
    both = replace(READABLE, data_ids=data_ids)
    changed = replace(CHANGED["top"], data_ids=data_ids)
    sql = "SELECT * FROM top JOIN top()"
    assert result_key(sql, both) != result_key(sql, changed)


def test_a_function_of_other_parameters_gives_another_key():
    definition = json.dumps({"defaults": {}, "returns": [], "body": "SELECT 1"})

    def key(*parameters):
        functions = {"s.f": with_signature(definition, parameters)}
        return result_key("SELECT * FROM s.f(1, 2)", Readable(None, {}, functions=functions))

    first = key(("a", "int"), ("b", "int"))
    assert first == key(("a", "int"), ("b", "int"))
    assert len({first, key(("b", "int"), ("a", "int")), key(("a", "int"), ("b", "date"))}) == 3
