"""Visible is what the config names and the catalog knows, and nothing else."""

from __future__ import annotations

from genie.local.engine.building import build_visible_space
from genie.local.engine.catalog import CatalogDescription
from tests.genie.local.engine.library import AUTHORS, BOOKS, LENDING, LIBRARY, LOANS, MEMBERS


def test_assets_that_the_space_does_not_name_are_not_visible():
    config = {"data_sources": {"tables": [{"identifier": BOOKS}]}, "instructions": {}}
    space = build_visible_space(config, LIBRARY.catalog)
    assert [table.identifier for table in space.tables] == [BOOKS]
    assert (space.metric_views, space.functions, space.joins) == ((), (), ())


def test_assets_that_the_catalog_does_not_know_are_not_visible():
    assert build_visible_space(LIBRARY.config, CatalogDescription()).tables == ()


def test_excluded_columns_are_not_visible_and_names_are_matched_ignoring_case():
    item = {
        "identifier": BOOKS.upper(),
        "column_configs": [
            {"column_name": "PAGES", "exclude": True},
            {"column_name": "Title", "description": ["What stands ", "on it"], "synonyms": ["x"]},
        ],
    }
    (books,) = build_visible_space({"data_sources": {"tables": [item]}}, LIBRARY.catalog).tables
    assert books.identifier == BOOKS
    columns = {column.name: column for column in books.columns}
    assert "pages" not in columns
    assert columns["title"].description == "What stands on it"
    assert columns["title"].synonyms == ("x",)


def test_values_are_visible_only_with_entity_matching():
    space = LIBRARY.visible()
    tables = {table.identifier: table for table in space.tables}
    names = {column.name: column.values for column in tables[AUTHORS].columns}
    assert names["name"] == ("Ada Holm", "Bo Lindgren")
    bare = build_visible_space(
        {"data_sources": {"tables": [{"identifier": AUTHORS}]}}, LIBRARY.catalog
    )
    assert all(column.values is None for column in bare.tables[0].columns)


def test_a_join_spec_loses_its_marker_and_keeps_what_it_says():
    join = LIBRARY.visible().joins[1]
    assert (join.left, join.right, join.relationship) == (LOANS, MEMBERS, "MANY_TO_ONE")
    assert join.sql == "`loans`.`member_id` = `members`.`member_id`"


def test_synonyms_of_the_space_are_added_to_those_of_a_metric_view():
    (view,) = LIBRARY.visible().metric_views
    assert view.identifier == LENDING
    assert {d.name: d.synonyms for d in view.dimensions}["branch"] == ("site",)


def test_benchmarks_are_not_visible():
    config = {**LIBRARY.config, "benchmarks": {"questions": [{"question": ["secret"]}]}}
    assert build_visible_space(config, LIBRARY.catalog) == LIBRARY.visible()
