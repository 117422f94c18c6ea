"""Statements in prose are found whole, whatever stands around them."""

from __future__ import annotations

import pytest

from transforms.embedded_sql import statements_in

STATEMENT = "SELECT name FROM city WHERE population > 1000000"


@pytest.mark.parametrize(
    "text",
    [
        STATEMENT,
        f"When asked for large cities, use {STATEMENT}",
        f"Use {STATEMENT} whenever people ask for large cities",
        f"Use `{STATEMENT}` for large cities.",
        f"Large cities:\n```sql\n{STATEMENT}\n```\nThat is all.",
        f"Large cities: {STATEMENT}; small ones are not asked for.",
        f"Large cities: {STATEMENT}. Small ones are not asked for.",
        STATEMENT.lower(),
        f"WITH large AS ({STATEMENT}) SELECT name FROM large",
        f"Select what is asked for: {STATEMENT}",
    ],
)
def test_a_statement_is_found_in_prose(text):
    found = statements_in(text)
    assert len(found) == 1
    assert "population > 1000000" in found[0]


def test_two_statements_are_both_found():
    assert statements_in(f"{STATEMENT}; SELECT code FROM country") == (
        STATEMENT,
        "SELECT code FROM country",
    )


@pytest.mark.parametrize(
    "text",
    [
        "Select a region with the region filter.",
        "With superhero data, the name is unique.",
        "population > 1000000",
        "SELECT",
        "",
        "SELECT 1",
    ],
)
def test_prose_and_fragments_are_no_statements(text):
    assert statements_in(text) == ()
