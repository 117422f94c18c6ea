"""What a catalog says of tables, metric views and table functions, read by SQL statements alone.

The statements and their results are the same on Spark 4.2 and on Databricks: ``DESCRIBE TABLE
EXTENDED``, ``SHOW TBLPROPERTIES`` and ``DESCRIBE FUNCTION EXTENDED``. Spark refuses ``AS JSON`` for
Delta tables, so it is not used.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

import sqlglot
import yaml

from transforms.errors import GenieLoopError
from transforms.space_state import TABLE_KINDS, AssetKind

Row = Sequence[str | None]
RunSql = Callable[[str], Sequence[Row]]
"""Runs one statement to its end and gives its rows.

Raises StatementFailedError for a statement that is refused, and will be when it is sent again; for
one of which nothing is known, anything else.
"""

# Properties of a table that declare its keys as JSON: open-source Delta has no PRIMARY KEY.
PRIMARY_KEY = "genie_loop.primary_key"  # names of columns
FOREIGN_KEYS = "genie_loop.foreign_keys"  # [{"column": …, "references": "table.column"}]
KIND = "genie_loop.kind"  # of a table that has a lever of its own: monitoring_table, ml_table

RelationKind = Literal["table", "view", "metric_view"]

_MISSING_STATES = frozenset({"42P01", "42883", "42704", "3F000"})  # table, routine, object, schema
_MISSING = re.compile(
    r"\[(TABLE_OR_VIEW_NOT_FOUND|UNRESOLVED_ROUTINE|ROUTINE_NOT_FOUND|SCHEMA_NOT_FOUND"
    r"|NO_SUCH_CATALOG_EXCEPTION)"
)
_PART = re.compile(r"`((?:[^`]|``)*)`|([^.`]+)")
_FIELD = re.compile(r"([A-Z][A-Za-z ]*):\s+(.*)", re.DOTALL)
_DEFAULT = re.compile(r"DEFAULT\s+(.+)", re.DOTALL)
_QUOTED = re.compile(r"'(.*)'", re.DOTALL)
_QUOTE = re.compile(r"\s+'")


class StatementFailedError(GenieLoopError):
    """A statement is refused, now and every time; ``sql_state`` is that of the SQL standard."""

    def __init__(
        self, what: str, *, where: str | None = None, sql_state: str | None = None
    ) -> None:
        super().__init__(what, where=where)
        self.sql_state = sql_state

    @property
    def is_missing(self) -> bool:
        """Whether it failed because what it names is not there."""
        return self.sql_state in _MISSING_STATES or bool(_MISSING.search(self.what))


@dataclass(frozen=True, slots=True)
class Member:
    """A column, or a parameter of a function; ``default`` is SQL, of parameters only."""

    name: str
    data_type: str
    comment: str | None = None
    default: str | None = None


@dataclass(frozen=True, slots=True)
class Relation:
    """A table or a view. ``definition`` is the text of a view: YAML where it is a metric view."""

    name: str
    kind: RelationKind
    columns: tuple[Member, ...]
    comment: str | None = None
    definition: str | None = None
    properties: Mapping[str, str] = field(default_factory=dict)

    @property
    def measures(self) -> frozenset[str]:
        """The names of a metric view's measures, in lower case; empty for anything else.

        Raises StatementFailedError for a definition that cannot be read.
        """
        if self.kind != "metric_view":
            return frozenset()
        try:
            listed = yaml.safe_load(self.definition or "").get("measures") or []
            return frozenset(item["name"].lower() for item in listed)
        except (yaml.YAMLError, AttributeError, KeyError, TypeError) as error:
            raise StatementFailedError(
                "the definition of this metric view cannot be read: "
                f"{type(error).__name__}: {error}",
                where=self.name,
            ) from error

    @property
    def table_kind(self) -> AssetKind:
        """What the table is declared to be."""
        return declared_kind(self.properties)

    @property
    def primary_key(self) -> tuple[str, ...]:
        """The columns of the declared primary key."""
        return tuple(json.loads(self.properties.get(PRIMARY_KEY, "[]")))

    @property
    def foreign_keys(self) -> Mapping[str, tuple[str, str]]:
        """By column: the table of the same schema, and its column, that are referred to."""
        declared = json.loads(self.properties.get(FOREIGN_KEYS, "[]"))
        found = {}
        for key in reversed(declared):
            table, _, column = key["references"].rpartition(".")
            found[key["column"]] = (table, column)
        return found


@dataclass(frozen=True, slots=True)
class Routine:
    """A function; ``returns`` is empty where it is none in SQL that returns a table.

    ``body`` is empty where it is not shown; it takes being the owner.
    """

    name: str
    parameters: tuple[Member, ...]
    returns: tuple[Member, ...]
    comment: str | None
    body: str

    @property
    def definition(self) -> str:
        """What decides its answers beside names and comments of parameters, as one text."""
        defaults = {one.name: one.default for one in self.parameters if one.default is not None}
        returns = [[one.name, one.data_type, one.comment] for one in self.returns]
        return json.dumps(
            {"defaults": defaults, "returns": returns, "body": self.body}, ensure_ascii=False
        )


def declared_kind(properties: Mapping[str, str]) -> AssetKind:
    """The kind that a table's properties declare: ``table`` where none of them says another."""
    declared = properties.get(KIND)
    return next((kind for kind in TABLE_KINDS if kind == declared), "table")


def name_parts(identifier: str) -> tuple[str, ...]:
    """Catalog, schema and name, or fewer, of an identifier with or without backticks."""
    return tuple(
        quoted.replace("``", "`") if quoted else plain
        for quoted, plain in _PART.findall(identifier)
    )


def quoted(identifier: str) -> str:
    """An identifier as SQL, every part in backticks."""
    return ".".join(quoted_part(part) for part in name_parts(identifier))


def quoted_part(name: str) -> str:
    """One name as SQL, in backticks."""
    return "`" + name.replace("`", "``") + "`"


def read_relation(run: RunSql, identifier: str) -> Relation | None:
    """The table or view of that name; None where there is none.

    Raises StatementFailedError when it cannot be read for another reason.
    """
    try:
        described = run(f"DESCRIBE TABLE EXTENDED {quoted(identifier)}")
        shown = run(f"SHOW TBLPROPERTIES {quoted(identifier)}")
    except StatementFailedError as error:
        if error.is_missing:
            return None
        raise
    return parse_relation(identifier, described, {str(key): value or "" for key, value in shown})


def read_routine(run: RunSql, identifier: str) -> Routine | None:
    """The SQL function of that name; None where there is none.

    Raises StatementFailedError when it cannot be read for another reason.
    """
    try:
        described = run(f"DESCRIBE FUNCTION EXTENDED {quoted(identifier)}")
    except StatementFailedError as error:
        if error.is_missing:
            return None
        raise
    return parse_routine(identifier, [row[0] or "" for row in described])


def parse_relation(
    identifier: str, described: Sequence[Row], properties: Mapping[str, str]
) -> Relation:
    """What ``DESCRIBE TABLE EXTENDED`` says: columns, then what else is known, under headings.

    Columns that partition the table are listed once more under a heading of their own, and may be
    called as a detail is.
    """
    rows = [tuple(cell or "" for cell in row) for row in described]
    end = next((n for n, row in enumerate(rows) if _is_heading(row)), len(rows))
    details: dict[str, str] = {}
    heading = ""
    for row in rows[end:]:
        if _is_heading(row):
            heading = row[0]
        elif not heading or heading.startswith("# Detailed"):
            details.setdefault(row[0], row[1])
    kinds: dict[str, RelationKind] = {"METRIC_VIEW": "metric_view", "VIEW": "view"}
    return Relation(
        name=identifier,
        kind=kinds.get(details.get("Type", ""), "table"),
        columns=tuple(Member(name, kind, comment or None) for name, kind, comment in rows[:end]),
        comment=details.get("Comment") or None,
        definition=details.get("View Text") or None,
        properties=dict(properties),
    )


def _is_heading(row: Row) -> bool:
    return not row[0] or row[0].startswith("# ")


def parse_routine(identifier: str, lines: Sequence[str]) -> Routine:
    """What ``DESCRIBE FUNCTION EXTENDED`` says: ``Key: value``, further values indented.

    Raises StatementFailedError for a parameter that cannot be read for sure.
    """
    found: dict[str, list[str]] = {}
    key = ""
    for line in lines:
        named = None if line.startswith(" ") else _FIELD.fullmatch(line)
        if named and key != "Body":  # it comes last, and may hold whatever it likes
            key = named[1]
            found[key] = [named[2]]
        elif key:
            found[key].append(line)
    is_sql = found.get("Language", ["SQL"])[0].strip() == "SQL"
    is_table = is_sql and found.get("Type", [""])[0].strip() == "TABLE"
    return Routine(
        name=identifier,
        parameters=_members(found.get("Input", [])),
        returns=_members(found.get("Returns", [])) if is_table else (),
        comment="\n".join(found.get("Comment", [])).strip() or None,
        body="\n".join(found.get("Body", [])).strip(),
    )


def _members(lines: Sequence[str]) -> tuple[Member, ...]:
    return tuple(_member(line.strip()) for line in lines if line.strip() not in ("", "()"))


def _member(line: str) -> Member:
    """``name TYPE [DEFAULT sql] ['comment']``; Spark puts the comment down without any escape."""
    name, _, rest = line.partition(" ")
    data_type, rest = _split_type(rest.strip())
    default = _DEFAULT.fullmatch(rest)
    if default:
        sql, said = _split_default(default[1].strip())
        return Member(name.strip("`"), data_type, said, sql)
    comment = _QUOTED.fullmatch(rest)
    if rest and comment is None:
        raise StatementFailedError(f"this parameter cannot be read for sure: {line}")
    return Member(name.strip("`"), data_type, comment[1] if comment else None)


def _split_default(text: str) -> tuple[str, str | None]:
    """A default and the comment behind it: what is in front of the comment is an expression."""
    for quote in _QUOTE.finditer(text) if text.endswith("'") else ():
        if _is_expression(text[: quote.start()]):
            return text[: quote.start()], text[quote.end() : -1]
    return text, None


def _is_expression(sql: str) -> bool:
    try:
        sqlglot.parse_one(f"SELECT ({sql})", dialect="databricks")
    except sqlglot.errors.SqlglotError:
        return False
    return True


def _split_type(text: str) -> tuple[str, str]:
    """A type and what follows it: a type ends at the first space outside of its brackets."""
    depth = 0
    for position, character in enumerate(text):
        depth += (character in "<(") - (character in ">)")
        if character == " " and depth == 0:
            return text[:position], text[position:].strip()
    return text, ""
