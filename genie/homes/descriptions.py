"""What DESCRIBE says of an object, as the SQL that creates it and as its comments."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

import sqlglot

from genie.patching.create_statements import quoted_name, quoted_text

Row = Sequence[str | None]
_LABEL = re.compile(r"([A-Z][A-Za-z ]*?): *(.*)", re.DOTALL)
_INDENT = " " * 15
_ENTRY = re.compile(r"(?P<name>\w+)\s+(?P<type>\S.*)", re.DOTALL)
_QUOTE = re.compile(r"\s+'")


@dataclass(frozen=True, slots=True)
class DescribedTable:
    """A table or view: ``columns`` with their comments (None: none), ``details`` by label."""

    columns: tuple[tuple[str, str | None], ...]
    details: dict[str, str]

    @property
    def comment(self) -> str:
        """The comment of the table itself; empty where there is none."""
        return self.details.get("Comment", "")


def described_table(rows: Sequence[Row]) -> DescribedTable:
    """The rows of DESCRIBE TABLE EXTENDED: columns first, details behind a heading."""
    columns: list[tuple[str, str | None]] = []
    details: dict[str, str] = {}
    section: str | None = None
    for row in rows:
        name, value, comment = (*row, None, None, None)[:3]
        if not name or name.startswith("#"):
            section = name or ""
        elif section is None:
            columns.append((name, comment or None))
        elif section.startswith("# Detailed") and name not in details:
            details[name] = value or ""
    return DescribedTable(tuple(columns), details)


def metric_view_sql(name: Sequence[str], described: DescribedTable) -> str:
    """The statement that creates a metric view as it is described: one text for equal views.

    Raises ValueError for what is not a metric view.
    """
    body = described.details.get("View Text")
    if described.details.get("Type") != "METRIC_VIEW" or body is None or "$$" in body:
        raise ValueError(f"it is not a metric view but {described.details.get('Type')}")
    columns = ",\n".join(
        f"  {quoted_name(column)}" + (f" COMMENT {quoted_text(comment)}" if comment else "")
        for column, comment in described.columns
    )
    comment = f"COMMENT {quoted_text(described.comment)}\n" if described.comment else ""
    return (
        f"CREATE OR REPLACE VIEW {quoted_name(*name)} (\n{columns}\n)\n"
        f"WITH METRICS\nLANGUAGE YAML\n{comment}AS $${body}$$"
    )


def function_sql(name: Sequence[str], rows: Sequence[Row]) -> str:
    """The statement that creates a SQL table function as DESCRIBE FUNCTION EXTENDED says it is.

    Raises ValueError for any other function, and where the description cannot be read for sure.
    """
    parts = _labelled(rows)
    if parts.get("Type") != ["TABLE"] or parts.get("Language", ["SQL"]) != ["SQL"]:
        raise ValueError("it is not a SQL table function")
    if "Body" not in parts:
        raise ValueError("its body is not shown; it takes being the owner")
    entries = ",\n".join(f"  {_entry(line)}" for line in parts.get("Input", ()))
    returns = ",\n".join(f"  {_entry(line)}" for line in parts.get("Returns", ()))
    comment = "\n".join(parts.get("Comment", ()))
    told = f"COMMENT {quoted_text(comment)}\n" if comment else ""
    body = "\n".join(parts["Body"])
    return (
        f"CREATE OR REPLACE FUNCTION {quoted_name(*name)} (\n{entries}\n)\n"
        f"RETURNS TABLE (\n{returns}\n)\n{told}RETURN\n{body}"
    )


def _labelled(rows: Sequence[Row]) -> dict[str, list[str]]:
    """Lines by label; lines without one belong to the label before."""
    parts: dict[str, list[str]] = {}
    lines: list[str] = []
    for row in rows:
        text = row[0] or ""
        found = _LABEL.fullmatch(text) if not text.startswith(_INDENT) else None
        if found is not None and "Body" not in parts:
            lines = parts.setdefault(found[1], [])
            lines.append(found[2])
        else:
            lines.append(text.removeprefix(_INDENT))
    return parts


def _entry(line: str) -> str:
    """``name TYPE [DEFAULT expression] ['comment']``, whose comment is not escaped, as SQL."""
    found = _ENTRY.fullmatch(line)
    if found is None:
        raise ValueError(f"this cannot be read for sure: {line}")
    head, comment = found["type"], None
    has_default = re.search(r"\sDEFAULT\s", head)
    if line.endswith("'"):
        for quote in _QUOTE.finditer(head):
            left = head[: quote.start()]
            is_whole = not has_default or _is_expression(left[has_default.end() :])
            if (not has_default or quote.start() > has_default.end()) and is_whole:
                head, comment = left, head[quote.end() : -1]
                break
    head = head.rstrip()
    written = f"{quoted_name(found['name'])} {head}"
    return written + (f" COMMENT {quoted_text(comment)}" if comment is not None else "")


def _is_expression(sql: str) -> bool:
    try:
        sqlglot.parse_one(f"SELECT ({sql})", dialect="databricks")
    except sqlglot.errors.SqlglotError:
        return False
    return bool(sql.strip())
