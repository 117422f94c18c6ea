"""What is told of the warehouse by its files: that something was changed, and what it was."""

from __future__ import annotations

import pytest

from jobs.warehouse_data import WarehouseData, catalog_version, table_marks
from pipelines.session_sql import session_sql

pytestmark = pytest.mark.slow

VIEW = """CREATE VIEW embedded_test.m WITH METRICS LANGUAGE YAML AS $$
version: 0.1
source: embedded_test.t
measures:
- {name: n, expr: COUNT(*)}
$$"""
CHANGES = (
    "COMMENT ON TABLE embedded_test.t IS 'new'",
    "ALTER TABLE embedded_test.t ALTER COLUMN id COMMENT 'new'",
    "INSERT INTO embedded_test.t VALUES (1)",
    VIEW,
    "DROP VIEW embedded_test.m",
    "CREATE FUNCTION embedded_test.f() RETURNS TABLE (n INT) RETURN SELECT 1",
    "CREATE OR REPLACE FUNCTION embedded_test.f() RETURNS TABLE (n INT) RETURN SELECT 2",
)
LOOKS = (
    "SELECT * FROM embedded_test.t",
    "DESCRIBE TABLE EXTENDED embedded_test.t",
    "DESCRIBE FUNCTION EXTENDED embedded_test.f",
    "SHOW TABLES IN embedded_test",
)


def test_every_change_to_the_catalog_gives_another_version_and_looking_gives_none(spark, home):
    spark.sql("CREATE DATABASE embedded_test")
    spark.sql("CREATE TABLE embedded_test.t (id BIGINT) USING delta")
    try:
        for change in CHANGES:
            before = catalog_version(home)
            spark.sql(change).collect()
            assert catalog_version(home) != before, change
        before = catalog_version(home)
        for look in LOOKS:
            spark.sql(look).collect()
            assert catalog_version(home) == before, look
    finally:
        spark.sql("DROP DATABASE embedded_test CASCADE")


FUNCTION = (
    "CREATE OR REPLACE FUNCTION keyed.f() RETURNS TABLE (n INT) RETURN SELECT {} FROM keyed.t"
)
QUERIES = {
    "table": "SELECT COUNT(*) FROM keyed.t",
    "view": "SELECT MEASURE(n) FROM keyed.m",
    "function": "SELECT * FROM keyed.f()",
}


def test_a_result_has_another_key_exactly_when_what_it_is_read_through_has_changed(spark, home):
    data = WarehouseData(home, session_sql(spark))

    def keys():
        return {name: data.result_key(sql) for name, sql in QUERIES.items()}

    def changed(statement):
        before = keys()
        spark.sql(statement).collect()
        after = keys()
        return {name for name in QUERIES if before[name] != after[name]}

    spark.sql("CREATE DATABASE keyed")
    try:
        spark.sql("CREATE TABLE keyed.t (id BIGINT) USING delta")
        spark.sql(VIEW.replace("embedded_test", "keyed"))
        spark.sql(FUNCTION.format(1))
        assert None not in keys().values()
        assert changed("COMMENT ON TABLE keyed.t IS 'new'") == set()
        assert changed(FUNCTION.format(2)) == {"function"}
        assert changed("DROP VIEW keyed.m") == {"view"}
        assert changed("INSERT INTO keyed.t VALUES (1)") == {"table", "function"}
        assert set(table_marks(home)) >= {"keyed.t"}
        assert data.result_key("SELECT * FROM keyed.nobody") is None
    finally:
        spark.sql("DROP DATABASE keyed CASCADE")
