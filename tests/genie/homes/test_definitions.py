"""An object as the statement that creates it: what is read from it is what was written."""

from __future__ import annotations

from dataclasses import replace

import pytest

from genie.catalog import Member, Relation, Routine
from genie.definition_files import read_definition
from genie.homes.definitions import function_sql, metric_view_sql

ROUTINE = Routine(
    "a.b c",
    (Member("n", "INT", "it's", "3 + 4"), Member("m", "STRING")),
    (Member("x", "BIGINT", "an x"),),
    "what\nit gives",
    "SELECT n\nFROM t",
)
VIEW = Relation("a.v", "metric_view", (Member("x", "", "c"), Member("y", "")), None, "\nv: 0.1\n")


@pytest.mark.parametrize("parameters", [ROUTINE.parameters, ()], ids=["some", "none"])
def test_a_function_is_read_back_as_it_was(parameters):
    routine = replace(ROUTINE, parameters=parameters)
    assert read_definition(function_sql(["a", "b c"], routine), "f").wanted == routine


def test_a_metric_view_is_read_back_as_it_was():
    assert read_definition(metric_view_sql(["a", "v"], VIEW), "v").wanted == VIEW


@pytest.mark.parametrize(
    ("routine", "why"),
    [
        (Routine("f", (), (), None, "1"), "not a SQL table function"),
        (Routine("f", (), ROUTINE.returns, None, ""), "body is not shown"),
    ],
)
def test_what_cannot_be_written_for_sure_is_refused(routine, why):
    with pytest.raises(ValueError, match=why):
        function_sql(["f"], routine)


def test_a_table_is_no_metric_view():
    with pytest.raises(ValueError, match="but a table"):
        metric_view_sql(["t"], Relation("t", "table", ()))
