"""What tells the embedded workspace that its catalog was changed on the session."""

from __future__ import annotations

import pytest

from jobs.embedded import catalog_version

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
