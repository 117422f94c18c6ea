"""The state that is evaluated: what the catalog and the space's configuration say together."""

from __future__ import annotations

import json

import pytest

from pipelines.load import load
from pipelines.snapshot import record_profiles, take_snapshot
from pipelines.spaces import Space, registered_spaces
from tests.pipelines.folders import RIGHT, make_folder, schema
from tests.pipelines.histories import rows, versions
from transforms.contracts import PROFILES

CONFIG = {
    "instructions": ["Prices are in euros."],
    "join_specs": [{"left": "sale", "right": "shop", "condition": "sale.shop_id = shop.id",
                    "relationship": "MANY_TO_ONE"}],
    "snippets": [{"kind": "filter", "sql": "price > 0", "display_name": "paid",
                  "synonyms": ["not free"]}],
    "columns": {"sale.price": {"synonyms": ["cost"], "description": "what was paid"}},
}  # fmt: skip


@pytest.fixture
def folder(tables, tmp_path):
    """A folder of two systems whose schema file also configures the space."""
    folder = make_folder(tmp_path, answers={"one": RIGHT, "two": RIGHT})
    (folder / "schema.json").write_text(json.dumps({**schema(), "space": CONFIG}, indent=1))
    load(tables, folder)
    return folder


def space_of(tables, name):
    return registered_spaces(tables)[f"shop_world-{name}"].space


def test_a_state_is_the_catalog_and_the_configuration_together(tables, folder):
    snapshot = take_snapshot(tables, space_of(tables, "one"))
    state = snapshot.state
    assert [table.name for table in state.tables] == ["shop_world.sale", "shop_world.shop"]
    shop, sale = state.table("shop"), state.table("sale")
    assert shop is not None
    assert sale is not None
    assert shop.comment == "Where we sell"
    assert [c.is_primary_key for c in shop.columns] == [True, False, False]
    assert sale.columns[1].references == "shop_world.shop.id"
    assert sale.columns[2].comment == "day of the sale"
    assert (sale.columns[3].synonyms, sale.columns[3].description) == (("cost",), "what was paid")
    assert state.instructions == ("Prices are in euros.",)
    assert state.join_specs[0].relationship == "MANY_TO_ONE"
    assert state.snippets[0].synonyms == ("not free",)
    held = versions(tables, "shop_world.shop", "shop_world.sale")
    assert snapshot.data_versions == {name: held[name] for name in snapshot.data_versions}
    assert snapshot.size_bytes > 0


def test_a_table_is_of_the_kind_that_its_folder_declares(tables, folder):
    declared = schema()
    declared["tables"]["sale"]["kind"] = "monitoring_table"
    (folder / "schema.json").write_text(json.dumps({**declared, "space": CONFIG}, indent=1))
    load(tables, folder)
    state = take_snapshot(tables, space_of(tables, "one")).state
    assert {table.name: table.kind for table in state.tables} == {
        "shop_world.sale": "monitoring_table",
        "shop_world.shop": "table",
    }


def test_the_same_metadata_is_the_same_state_in_every_space(tables, folder):
    one = take_snapshot(tables, space_of(tables, "one")).state
    two = take_snapshot(tables, space_of(tables, "two")).state
    assert one.state_hash == two.state_hash
    tables.spark.sql("ALTER TABLE shop_world.shop ALTER COLUMN name COMMENT 'the sign'")
    assert take_snapshot(tables, space_of(tables, "one")).state.state_hash != one.state_hash
    tables.spark.sql("DROP TABLE shop_world.shop")


def test_a_space_whose_schema_is_not_there_is_not_configured(tables):
    snapshot = take_snapshot(tables, Space("s", "Title", "domain", "no_such_schema"))
    assert not snapshot.state.is_configured
    assert snapshot.data_versions == {}


def test_a_table_is_profiled_once_for_all_spaces_and_again_when_it_has_changed(
    tables, folder, monkeypatch
):
    import pipelines.snapshot as pipeline

    read = []
    column_values = pipeline.column_values

    def noted(name, table):
        read.append(name)
        return column_values(name, table)

    monkeypatch.setattr(pipeline, "column_values", noted)
    one = take_snapshot(tables, space_of(tables, "one"))
    first = record_profiles(tables, one)
    assert (first.is_written, len(read)) == (True, 2)
    assert first.values.contains("shop_world.shop.country", "Peru") is True
    assert first.values.contains("shop_world.shop.country", "peru") is False
    assert first.values.nearest("shop_world.shop.country", "peru") == "Peru"

    second = record_profiles(tables, take_snapshot(tables, space_of(tables, "two")))
    assert (second.is_written, len(read)) == (True, 2), "copied, not read again"
    assert second.values == first.values
    assert record_profiles(tables, one).is_written is False
    profiles = rows(tables, PROFILES)
    assert len({row["profile_id"] for row in profiles}) == len(profiles) == 2 * (2 + 3 + 4)

    tables.spark.sql("INSERT INTO shop_world.shop VALUES (4, 'West', 'peru')")
    changed = record_profiles(tables, take_snapshot(tables, space_of(tables, "one")))
    assert (changed.is_written, len(read)) == (True, 3), "only the table that has changed"
    assert changed.values.contains("shop_world.shop.country", "peru") is True

    before = take_snapshot(tables, space_of(tables, "one"))
    tables.spark.sql("ALTER TABLE shop_world.shop ALTER COLUMN country COMMENT 'where it is'")
    after = take_snapshot(tables, space_of(tables, "one"))
    assert after.data_versions != before.data_versions
    assert (after.data_ids, after.data_since) == (before.data_ids, before.data_since)
    commented = record_profiles(tables, after)
    assert (commented.is_written, len(read)) == (True, 3), "the rows are the same"
    assert commented.values == changed.values
    version = after.data_versions["shop_world.shop"]
    newest = [row for row in rows(tables, PROFILES) if row["table_version"] == version]
    assert {row["column_name"]: row["comment"] for row in newest}["country"] == "where it is"
    tables.spark.sql("DROP TABLE shop_world.shop")


def test_a_table_without_rows_has_a_profile(tables, tmp_path):
    folder = make_folder(tmp_path, answers={"one": RIGHT})
    (folder / "tables" / "sale.csv").write_text("id,shop_id,sold_on,price\n")
    load(tables, folder)
    snapshot = take_snapshot(tables, space_of(tables, "one"))
    record_profiles(tables, snapshot)
    of_sale = [row for row in rows(tables, PROFILES) if row["table_name"] == "shop_world.sale"]
    assert len(of_sale) == 5
    assert {row["row_count"] for row in of_sale} == {0}
    tables.spark.sql("DROP TABLE shop_world.sale")
