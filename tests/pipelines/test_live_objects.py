"""The objects that a live space names, read from what real Spark said."""

from __future__ import annotations

import json

from pipelines.live_objects import function_states, metric_view_states
from tests.genie.recorded_catalog import run_recorded
from transforms.serialized_space import SpaceConfig

CONFIG = SpaceConfig.parse(
    json.dumps(
        {
            "version": 2,
            "data_sources": {
                "metric_views": [
                    {"identifier": "wanderbricks.clickstream"},
                    {"identifier": "wanderbricks.nope"},
                    {"identifier": "wanderbricks.payment_metrics"},
                ]
            },
            "instructions": {
                "sql_functions": [
                    {"id": "a" * 32, "identifier": "wanderbricks.nope"},
                    {"id": "b" * 32, "identifier": "wanderbricks.occupancy_by_month"},
                ]
            },
        }
    )
)


def test_metric_views_come_with_their_measures_and_definition():
    (view,) = metric_view_states(run_recorded, CONFIG)
    assert (view.name, view.kind) == ("wanderbricks.payment_metrics", "metric_view")
    assert [column.name for column in view.columns if column.is_measure] == [
        "amount_total", "amount_ok", "amount_back", "payments", "fail_rate",
    ]  # fmt: skip
    assert view.definition.startswith("\nversion: 0.1\nsource: >")


def test_functions_come_with_all_that_decides_their_answers():
    (function,) = function_states(run_recorded, CONFIG)
    assert [(one.name, one.comment) for one in function.parameters] == [
        ("in_country", "country"),
        ("in_year", "yr"),
    ]
    definition = json.loads(function.definition)
    assert definition["defaults"] == {"in_year": "2024"}
    assert definition["returns"][2] == ["nights_sold", "BIGINT", "nights"]
    assert definition["body"].endswith("GROUP BY 1")
