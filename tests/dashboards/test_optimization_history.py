"""The dashboard reads what is there: its queries run, and its widgets show columns they return."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from pipelines.tables import Tables

DASHBOARD = json.loads(
    (Path(__file__).parents[2] / "dashboards/optimization_history.lvdash.json").read_text()
)
DATASETS = {dataset["name"]: "".join(dataset["queryLines"]) for dataset in DASHBOARD["datasets"]}
WIDGETS = [item["widget"] for page in DASHBOARD["pages"] for item in page["layout"]]


def _queries() -> list[Any]:
    return [
        pytest.param(query["query"], id=f"{widget['name']}-{query['name']}")
        for widget in WIDGETS
        for query in widget["queries"]
    ]


@pytest.fixture(scope="module")
def columns(created_tables: Tables) -> dict[str, set[str]]:
    created_tables.spark.catalog.setCurrentDatabase(created_tables.schema)
    try:
        return {name: set(created_tables.spark.sql(sql).columns) for name, sql in DATASETS.items()}
    finally:
        created_tables.spark.catalog.setCurrentDatabase("default")


@pytest.mark.parametrize("query", _queries())
def test_a_widget_reads_columns_that_its_dataset_returns(
    query: dict[str, Any], columns: dict[str, set[str]]
) -> None:
    read = {
        field["expression"].replace("`", " ").split("(")[-1].strip(" )")
        for field in query["fields"]
        if field["name"] != "space_id_associativity"
    }
    assert read
    assert read <= columns[query["datasetName"]]


@pytest.mark.parametrize("widget", WIDGETS, ids=lambda widget: widget["name"])
def test_a_widget_shows_only_fields_that_it_queries(widget: dict[str, Any]) -> None:
    queried = {field["name"] for query in widget["queries"] for field in query["query"]["fields"]}
    encodings = widget["spec"]["encodings"].values()
    shown = {
        field["fieldName"]
        for encoding in encodings
        for field in (encoding if isinstance(encoding, list) else [encoding])
    }
    assert shown
    assert shown <= queried


def test_every_dataset_can_be_narrowed_to_one_space(columns: dict[str, set[str]]) -> None:
    assert all("space_id" in found for found in columns.values())
