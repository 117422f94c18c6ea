"""The documentation of the tables is what their declarations say."""

from __future__ import annotations

from pathlib import Path

import pytest

from transforms.contracts import TABLES, Table
from transforms.table_docs import tables_markdown
from transforms.views import VIEWS

DOCUMENT = Path(__file__).parents[2] / "docs" / "tables.md"


def test_the_document_is_up_to_date():
    assert DOCUMENT.read_text() == tables_markdown(), "run `make docs`"


@pytest.mark.parametrize("table", TABLES, ids=lambda table: table.name)
def test_every_column_and_constraint_is_documented(table: Table):
    text = tables_markdown()
    start = text.index(f"\n## {table.name}\n")
    section = text[start : text.index("\n## ", start + 1)]
    for field in table.fields:
        null = "may be" if field.is_nullable else "never"
        assert f"| `{field.name}` | `{field.data_type}` | {null} | {field.comment} |" in section
    for name in table.checks:
        assert f"| `{name}` |" in section


def test_every_view_is_documented():
    text = tables_markdown()
    assert all(f"| `{view.name}` | {view.comment}" in text for view in VIEWS)
