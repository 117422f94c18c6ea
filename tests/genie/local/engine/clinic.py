"""A clinic whose metadata is next to nothing, and single changes to it."""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from genie.local.engine.building import build_visible_space
from genie.local.engine.catalog import (
    CatalogColumn,
    CatalogDescription,
    CatalogDimension,
    CatalogFunction,
    CatalogMeasure,
    CatalogMetricView,
    CatalogParameter,
)
from genie.local.engine.visible import VisibleSpace
from tests.genie.local.engine.spaces import (
    MATCHED,
    changed_column,
    changed_table,
    example,
    join,
    snippet,
    table,
)

PATIENTS = "care.main.patients"
DOCTORS = "care.main.doctors"
VISITS = "care.main.visits"
BILLS = "care.main.bills"
ROOMS = "care.main.rooms"
MONEY = "care.main.mv_money"
RECALL = "care.main.f_recall"
IDS = {"patients": PATIENTS, "doctors": DOCTORS, "visits": VISITS, "bills": BILLS, "rooms": ROOMS}

CATALOG = CatalogDescription(
    tables=(
        table(
            PATIENTS,
            None,
            {
                "patient_id": ("bigint", None),
                "name": ("string", None),
                "d1": ("date", None),
                "d2": ("date", None),
                "ins": ("string", None, ["Medi-Plus", "State Fund"]),
                "town": ("string", None, ["Aarhus", "Odense"]),
            },
        ),
        table(
            DOCTORS,
            None,
            {
                "doctor_id": ("bigint", None),
                "name": ("string", None),
                "spec": ("string", None, ["CARDIO", "DERMA"]),
                "grade": ("string", None),
                "room_no": ("string", None),
                "on_call": ("string", None),
            },
        ),
        table(
            VISITS,
            None,
            {
                "visit_id": ("bigint", None),
                "patient_id": ("bigint", None),
                "doc": ("bigint", None),
                "day": ("date", None),
                "booked": ("string", None),
                "a1": ("double", None),
                "a2": ("double", None),
                "k": ("string", None, ["FIRST", "FOLLOW"]),
                "st": ("string", None),
            },
        ),
        table(
            BILLS,
            None,
            {
                "bill_id": ("bigint", None),
                "visit_id": ("bigint", None),
                "total": ("double", None),
                "net": ("double", None),
                "settled": ("string", None),
            },
        ),
        table(
            ROOMS,
            None,
            {"no": ("string", None), "size": ("double", None), "wing": ("string", None)},
        ),
    ),
    metric_views=(
        CatalogMetricView(
            MONEY,
            dimensions=(
                CatalogDimension("dim_a", "doctors.spec"),
                CatalogDimension("dim_b", "patients.ins"),
            ),
            measures=(
                CatalogMeasure("m1", "SUM(total)"),
                CatalogMeasure("m2", "SUM(net)"),
            ),
        ),
    ),
    functions=(
        CatalogFunction(
            RECALL,
            parameters=(
                CatalogParameter("p1", "INT", default="1"),
                CatalogParameter("p2", "INT", default="1"),
            ),
            returns=(CatalogColumn("who", "string"),),
        ),
    ),
)

CONFIG: dict[str, Any] = {
    "data_sources": {
        "tables": [{"identifier": t.identifier, "column_configs": []} for t in CATALOG.tables],
        "metric_views": [{"identifier": MONEY, "column_configs": []}],
    },
    "instructions": {"sql_functions": [{"id": "1" * 32, "identifier": RECALL}]},
}

Change = Callable[[dict[str, Any], CatalogDescription], CatalogDescription]


def space(*changes: Change) -> VisibleSpace:
    """The clinic's space after some changes."""
    config, catalog = copy.deepcopy(CONFIG), CATALOG
    for change in changes:
        catalog = change(config, catalog)
    return build_visible_space(config, catalog)


def _column_config(where: str, **fields: Any) -> Change:
    name, column = where.split(".")

    def change(config, catalog):
        items = config["data_sources"]["tables"] + config["data_sources"]["metric_views"]
        item = next(i for i in items if i["identifier"] in (IDS.get(name), f"care.main.{name}"))
        own = next((c for c in item["column_configs"] if c["column_name"] == column), None)
        if own is None:
            item["column_configs"].append({"column_name": column, **fields})
        else:
            own.update(fields)
        return catalog

    return change


def comment(where: str, text: str) -> Change:
    name, column = where.split(".")
    return lambda config, catalog: changed_column(catalog, IDS[name], column, comment=text)


def data_type(where: str, kind: str) -> Change:
    name, column = where.split(".")
    return lambda config, catalog: changed_column(catalog, IDS[name], column, data_type=kind)


def table_comment(name: str, text: str) -> Change:
    return lambda config, catalog: changed_table(
        catalog, IDS[name], lambda t: replace(t, comment=text)
    )


def table_description(name: str, text: str) -> Change:
    def change(config, catalog):
        items = config["data_sources"]["tables"]
        next(i for i in items if i["identifier"] == IDS[name])["description"] = [text]
        return catalog

    return change


def synonyms(where: str, *words: str) -> Change:
    return _column_config(where, synonyms=list(words))


def description(where: str, text: str) -> Change:
    return _column_config(where, description=[text])


def excluded(where: str) -> Change:
    return _column_config(where, exclude=True)


def matching(where: str) -> Change:
    return _column_config(where, **MATCHED)


def joined(left: str, right: str, sql: str, relationship: str = "MANY_TO_ONE") -> Change:
    return _instruction("join_specs", join(IDS[left], IDS[right], sql, relationship))


def example_sql(question: str, sql: str, **more: Any) -> Change:
    return _instruction("example_question_sqls", example(question, sql, **more))


def told(*lines: str) -> Change:
    return _instruction("text_instructions", {"id": "2" * 32, "content": [f"{x}\n" for x in lines]})


def _instruction(key: str, item: dict[str, Any]) -> Change:
    def change(config, catalog):
        config["instructions"].setdefault(key, []).append(item)
        return catalog

    return change


def named(kind: str, sql: str, display_name: str, *words: str) -> Change:
    def change(config, catalog):
        snippets = config["instructions"].setdefault("sql_snippets", {})
        snippets.setdefault(kind, []).append(snippet(sql, display_name, *words))
        return catalog

    return change


def member(name: str, **fields: Any) -> Change:
    """Fields of a measure or a dimension of the metric view."""

    def change(config, catalog):
        view = catalog.metric_views[0]
        view = replace(
            view,
            dimensions=tuple(
                replace(d, **fields) if d.name == name else d for d in view.dimensions
            ),
            measures=tuple(replace(m, **fields) if m.name == name else m for m in view.measures),
        )
        return replace(catalog, metric_views=(view,))

    return change


def view_comment(text: str) -> Change:
    return lambda config, catalog: replace(
        catalog, metric_views=(replace(catalog.metric_views[0], comment=text),)
    )


def function_comment(text: str) -> Change:
    return lambda config, catalog: replace(
        catalog, functions=(replace(catalog.functions[0], comment=text),)
    )


def parameter(name: str, **fields: Any) -> Change:
    def change(config, catalog):
        function = catalog.functions[0]
        parameters = tuple(
            replace(p, **fields) if p.name == name else p for p in function.parameters
        )
        return replace(catalog, functions=(replace(function, parameters=parameters),))

    return change
