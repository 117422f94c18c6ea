"""Registering a deployed space: once, with the questions of its folder, never without any."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from pipelines.live_spaces import LiveSpace, data_schema, register_live_space
from pipelines.load import load
from pipelines.questions import active_benchmarks
from pipelines.spaces import registered_spaces
from pipelines.tables import Tables
from tests.pipelines.folders import QUESTIONS, make_folder, write_lines
from tests.pipelines.histories import rows, versions
from transforms.contracts import EVALUATION_REQUESTS, QUARANTINE
from transforms.errors import InvalidInputError
from transforms.serialized_space import SpaceConfig


def config(*tables: str) -> SpaceConfig:
    sources = {"tables": [{"identifier": name} for name in tables]}
    return SpaceConfig.parse(json.dumps({"version": 2, "data_sources": sources}))


@pytest.fixture
def live(tmp_path) -> LiveSpace:
    folder = tmp_path / "project"
    folder.mkdir()
    unanswerable = {"question_id": "open", "question": "And without SQL?", "expected_sql": None}
    write_lines(folder / "questions.jsonl", [*QUESTIONS, unanswerable])
    return LiveSpace("shops", "Our shops", "01ef", folder, config("main.shops.shop", "shops.sale"))


def test_a_space_is_registered_once_with_its_questions_and_asked_for(tables, live):
    done = register_live_space(tables, live, policy="auto_low_risk", requested_by="ann")
    assert (done.question_count, done.set_aside_count) == (len(QUESTIONS), 1)
    space = registered_spaces(tables)["shops"].space
    assert (space.answerer, space.data_schema, space.policy) == (
        "genie:01ef",
        "shops",
        "auto_low_risk",
    )
    assert space.repo_home == str(live.folder)
    assert [row["intended_table"] for row in rows(tables, QUARANTINE)] == ["benchmarks"]
    [request] = rows(tables, EVALUATION_REQUESTS)
    assert (request["kind"], request["requested_by"]) == ("baseline", "ann")

    before = versions(tables)
    again = register_live_space(tables, live, policy=None, requested_by="ann")
    assert versions(tables) == before
    assert (again.request_ids, again.is_new) == ((), False)
    moved = replace(live, genie_space_id="02ef")
    wanted = {"policy": None, "target_accuracy": 0.7}
    assert register_live_space(tables, moved, **wanted, requested_by="ann").is_new
    space = registered_spaces(tables)["shops"].space
    assert (space.answerer, space.policy) == ("genie:02ef", "auto_low_risk"), "what was set stays"
    assert space.target_accuracy == 0.7


def test_a_loaded_folder_keeps_its_questions_and_its_genie_space(tables, live, tmp_path):
    folder = make_folder(tmp_path, answers={})
    load(tables, folder)
    live = replace(live, space_id="shop_world", config=config("shop_world.shop"))
    (live.folder / "questions.jsonl").unlink()
    register_live_space(tables, live, policy=None, requested_by="ann")
    assert registered_spaces(tables)["shop_world"].space.answerer == "genie:01ef"
    asked = active_benchmarks(tables, "shop_world")
    assert asked
    load(tables, folder)
    assert registered_spaces(tables)["shop_world"].space.answerer == "genie:01ef"
    assert active_benchmarks(tables, "shop_world") == asked


def test_a_space_without_questions_is_not_registered(tables, live):
    before = versions(tables)
    (live.folder / "questions.jsonl").write_text("\n")
    assert register_live_space(tables, live, policy=None, requested_by="ann") is None
    (live.folder / "questions.jsonl").unlink()
    assert register_live_space(tables, live, policy=None, requested_by="ann") is None
    (live.folder / "questions.jsonl").write_text('{"question_id": 1}\n')
    with pytest.raises(InvalidInputError, match=r"questions\.jsonl:1"):
        register_live_space(tables, live, policy=None, requested_by="ann")
    assert versions(tables) == before


def test_tables_that_the_loop_cannot_reach_are_refused(tables, live):
    before = versions(tables)
    on_databricks = Tables(tables.spark, catalog="spark_catalog", clock=tables.clock)
    with pytest.raises(InvalidInputError, match="in main, and the history is in spark_catalog"):
        register_live_space(on_databricks, live, policy=None, requested_by="ann")
    assert versions(tables) == before
    near = replace(live, config=config("Spark_Catalog.shops.shop", "shops.sale"))
    assert register_live_space(on_databricks, near, policy=None, requested_by="ann").is_new


@pytest.mark.parametrize("tables_", [(), ("a.x", "b.y")])
def test_tables_have_to_be_of_one_schema(tables_):
    with pytest.raises(InvalidInputError, match="schemas"):
        data_schema(config(*tables_))


def test_the_schema_is_the_one_of_the_tables_in_any_case():
    assert data_schema(config("main.Shop.a", "shop.b")) == "shop"
