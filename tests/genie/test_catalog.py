"""Reading a catalog by SQL: from what real Spark said, recorded."""

from __future__ import annotations

import pytest

from genie.catalog import (
    Member,
    StatementFailedError,
    name_parts,
    parse_relation,
    parse_routine,
    quoted,
    read_relation,
    read_routine,
)
from tests.genie.recorded_catalog import run_recorded


def test_a_table_has_its_columns_comments_and_properties():
    table = read_relation(run_recorded, "wanderbricks.bookings")
    assert (table.kind, table.comment, table.definition) == ("table", "bookings", None)
    assert table.columns[0] == Member("booking_id", "bigint", "id")
    assert len(table.columns) == 10
    assert table.properties["genie_loop.primary_key"] == '["booking_id"]'


def test_a_column_without_comment_has_none():
    table = read_relation(run_recorded, "wanderbricks.clickstream")
    assert table.columns[:2] == (
        Member("event", "string"),
        Member("metadata", "struct<device:string,referrer:string>", "json"),
    )


def test_a_metric_view_has_its_definition_and_the_comments_of_its_column_list():
    view = read_relation(run_recorded, "wanderbricks.payment_metrics")
    assert (view.kind, view.comment) == ("metric_view", "payment KPIs (finance)")
    assert view.definition.startswith("\nversion: 0.1\nsource: >")
    assert view.columns[5] == Member("amount_ok", "decimal(25,4)", "amt completed")


def test_a_function_has_its_parameters_defaults_result_and_body():
    routine = read_routine(run_recorded, "wanderbricks.occupancy_by_month")
    assert routine.parameters == (
        Member("in_country", "STRING", "country"),
        Member("in_year", "INT", "yr", "2024"),
    )
    assert routine.returns[2] == Member("nights_sold", "BIGINT", "nights")
    assert routine.comment == "occupancy"
    assert routine.body.startswith("SELECT CAST(DATE_TRUNC(")
    assert routine.body.endswith("GROUP BY 1")


@pytest.mark.parametrize(
    ("line", "member"),
    [
        ("a DECIMAL(10, 2) 'it's ok'", Member("a", "DECIMAL(10, 2)", "it's ok")),
        ("a STRING DEFAULT 'EU' 'where'", Member("a", "STRING", "where", "'EU'")),
        ("a STRING DEFAULT 'EU'", Member("a", "STRING", None, "'EU'")),
        ("a STRING DEFAULT f('a', 'b') 'it's'", Member("a", "STRING", "it's", "f('a', 'b')")),
        ("a STRUCT<b: INT, c: STRING>", Member("a", "STRUCT<b: INT, c: STRING>")),
    ],
)
def test_a_parameter_is_read_as_spark_writes_it(line, member):
    assert parse_routine("f", ["Type:          SCALAR", f"Input:         {line}"]).parameters == (
        member,
    )


def test_a_scalar_function_without_parameters_returns_no_table():
    routine = parse_routine("f", ["Type: SCALAR", "Input: ()", "Returns: INT", "Body: 1"])
    assert (routine.parameters, routine.returns, routine.body) == ((), (), "1")


def test_a_body_may_hold_lines_that_look_like_something_else():
    routine = parse_routine(
        "f", ["Type: TABLE", "Returns: a INT", "Body: SELECT 1 /*", "Type: X */"]
    )
    assert routine.body == "SELECT 1 /*\nType: X */"


def test_a_column_that_partitions_a_table_is_no_detail_of_it():
    rows = [("a", "int", ""), ("Comment", "string", ""), ("# Partition Information", "", ""),
            ("# col_name", "data_type", ""), ("Comment", "string", ""), ("", "", ""),
            ("# Detailed Table Information", "", ""), ("Comment", "sales", "")]  # fmt: skip
    table = parse_relation("t", rows, {})
    assert (table.comment, [one.name for one in table.columns]) == ("sales", ["a", "Comment"])


def test_what_is_not_there_is_none_and_what_cannot_be_read_is_raised():
    assert read_relation(run_recorded, "wanderbricks.nope") is None
    assert read_routine(run_recorded, "wanderbricks.nope") is None

    def refused(sql):
        raise StatementFailedError("[INSUFFICIENT_PERMISSIONS] no", sql_state="42501")

    with pytest.raises(StatementFailedError, match="INSUFFICIENT"):
        read_relation(refused, "a.b")


def test_names_are_split_and_quoted_whatever_they_hold():
    assert name_parts("main.`a.b`.`c``d`") == ("main", "a.b", "c`d")
    assert quoted("main.`a.b`.`c``d`") == "`main`.`a.b`.`c``d`"
