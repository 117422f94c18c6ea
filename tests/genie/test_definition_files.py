"""Definitions in files are read as the catalog tells them, so that the two can be compared."""

from __future__ import annotations

from pathlib import Path

import pytest

from genie.catalog import Member, read_relation, read_routine
from genie.definition_files import plain_type, read_definition
from genie.project import read_project
from tests.genie.recorded_catalog import run_recorded
from transforms.errors import InvalidInputError

SAMPLE = Path(__file__).parents[2] / "samples" / "wanderbricks"


def definition(kind, name):
    return read_definition((SAMPLE / "assets" / kind / f"{name}.sql").read_text(), f"{name}.sql")


def test_a_metric_view_in_a_file_is_the_one_that_spark_made_of_it():
    wanted = definition("metric_views", "payment_metrics").wanted
    live = read_relation(run_recorded, "wanderbricks.payment_metrics")
    assert (wanted.name, wanted.kind, wanted.comment) == (live.name, live.kind, live.comment)
    assert wanted.definition == live.definition
    assert [(c.name, c.comment) for c in wanted.columns] == [
        (c.name, c.comment) for c in live.columns
    ]


@pytest.mark.parametrize("name", ["occupancy_by_month", "guest_history"])
def test_a_function_in_a_file_is_the_one_that_spark_made_of_it(name):
    made = definition("functions", name)
    assert made.wanted == read_routine(run_recorded, f"wanderbricks.{name}")
    assert made.statement.startswith("CREATE OR REPLACE FUNCTION")
    assert not made.statement.endswith(";")


def test_quotes_escapes_and_nested_types_are_read():
    made = read_definition(
        "CREATE OR REPLACE FUNCTION `a b`.f(x STRUCT<y: INT, z: DECIMAL(10, 2)> COMMENT 'it''s',\n"
        " n STRING DEFAULT concat('a', 'b') COMMENT \"q\\\"\") RETURNS TABLE (k INT) "
        "COMMENT 'a\\nb'\nDETERMINISTIC RETURN SELECT 1 -- why\n;",
        "f.sql",
    ).wanted
    assert made.name == "a b.f"
    assert made.parameters == (
        Member("x", "STRUCT<y: INT, z: DECIMAL(10, 2)>", "it's"),
        Member("n", "STRING", 'q"', "concat('a', 'b')"),
    )
    assert (made.comment, made.body) == ("a\nb", "SELECT 1")


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "f.sql:1: CREATE is expected, and the end is there"),
        ("CREATE VIEW a AS $$ $$", "f.sql:1: OR is expected, and 'VIEW' is there"),
        ("CREATE OR REPLACE\nVIEW a AS SELECT 1", "WITH METRICS LANGUAGE YAML, and 'SELECT'"),
        ("CREATE OR REPLACE VIEW a WITH METRICS AS $$x$$; DROP TABLE b", "nothing may follow"),
        ("CREATE OR REPLACE FUNCTION a() RETURNS INT RETURN 1", "TABLE is expected, and 'INT'"),
        ("CREATE OR REPLACE FUNCTION a(b) RETURNS TABLE (c INT) RETURN 1", "a type or a value"),
        ("CREATE OR REPLACE FUNCTION a() RETURNS TABLE (c INT) RETURN", "a query is expected"),
    ],
)
def test_what_is_no_definition_is_told_with_its_line(text, problem):
    with pytest.raises(InvalidInputError) as told:
        read_definition(text, "f.sql")
    assert problem in str(told.value)


def test_types_have_one_spelling():
    assert plain_type("decimal( 10, 2 )") == plain_type("NUMERIC(10,2)") == "DECIMAL(10,2)"
    assert plain_type("array<integer>") == "ARRAY<INT>"


def test_the_sample_is_a_project():
    project = read_project(SAMPLE)
    counts = (len(project.tables), len(project.metric_views), len(project.functions))
    assert counts == (19, 3, 5)
    assert project.config.counts().tables == 19


def test_everything_that_is_wrong_with_a_folder_is_told_at_once(tmp_path):
    for name, text in {
        "tables/a.yml": "table: s.a\ncolumns: [{name: b}]",
        "tables/b.yml": "table: [",
        "tables/c.yml": "table: s.A\ncolumns: []",
        "metric_views/d.sql": "SELECT 1",
        "functions/e.sql": "CREATE OR REPLACE VIEW s.e WITH METRICS LANGUAGE YAML AS $$x$$",
    }.items():
        path = tmp_path / "assets" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    with pytest.raises(InvalidInputError) as told:
        read_project(tmp_path)
    problems = "\n".join(told.value.problems)
    for part in (
        "space.json: cannot be read",
        "tables/b.yml: not a table",
        "d.sql:1: CREATE is",
        "e.sql: it does not define one of the functions",
        "s.A is defined by two",
    ):
        assert part in problems
