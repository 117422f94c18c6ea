"""Reading a folder's ``schema.json`` (or YAML): tables, columns, types, comments, keys."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from transforms.space_config import SpaceConfig, parse_space_config
from transforms.space_state import TABLE_KINDS, AssetKind

_SCALAR_TYPES = (
    "BOOLEAN", "TINYINT", "SMALLINT", "INT", "BIGINT", "FLOAT", "DOUBLE", "STRING", "DATE",
    "TIMESTAMP", "TIMESTAMP_NTZ", "BINARY",
)  # fmt: skip
_OTHER_NAMES = {"INTEGER": "INT", "LONG": "BIGINT", "REAL": "FLOAT", "NUMERIC": "DECIMAL"}
_DECIMAL = re.compile(r"(?:DECIMAL|NUMERIC)\s*(?:\(\s*(\d+)\s*(?:,\s*(\d+)\s*)?\))?")
_MAX_PRECISION = 38
_NESTED = re.compile(r"(ARRAY|STRUCT)\s*<(.*)>", re.IGNORECASE | re.DOTALL)

TABLE_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_FORBIDDEN_IN_COLUMN = re.compile(r"[.`\x00-\x1f]")  # the canonical name is schema.table.column


@dataclass(frozen=True, slots=True)
class ColumnSpec:
    """A declared column; ``references`` are ``table.column`` of its foreign keys."""

    name: str
    data_type: str
    comment: str | None = None
    is_primary_key: bool = False
    references: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class TableSpec:
    """A declared table; ``row_count`` is what the schema says the file holds, if it says so.

    ``kind`` is ``table``, ``monitoring_table`` or ``ml_table``.
    """

    name: str
    columns: tuple[ColumnSpec, ...]
    comment: str | None = None
    row_count: int | None = None
    kind: AssetKind = "table"


@dataclass(frozen=True, slots=True)
class SchemaFile:
    """What the file declares; ``title`` and ``domain`` are None where it does not say."""

    tables: tuple[TableSpec, ...]
    title: str | None = None
    domain: str | None = None
    config: SpaceConfig = field(default_factory=SpaceConfig)


def read_schema_file(path: Path, label: str) -> tuple[SchemaFile, list[str]]:
    """What a schema file declares and everything that is wrong with it, each with its line."""
    try:
        text = path.read_text(encoding="utf-8-sig")
        raw = json.loads(text) if path.suffix == ".json" else yaml.safe_load(text)
    except OSError as error:
        return SchemaFile(()), [f"{label}: cannot be read: {error.strerror}"]
    except json.JSONDecodeError as error:
        return SchemaFile(()), [f"{label}:{error.lineno}: not JSON: {error.msg}"]
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        return SchemaFile(()), [f"{label}:{line}: not YAML: {error.problem}"]
    except (ValueError, RecursionError, yaml.YAMLError) as error:
        return SchemaFile(()), [f"{label}: cannot be read: {error}"]
    reader = _Reader(label, text)
    return reader.schema(raw), reader.problems


class _Reader:
    """Reads JSON values into specs and notes what is wrong at which path."""

    def __init__(self, label: str, text: str) -> None:
        self._label = label
        self._text = text
        self.problems: list[str] = []

    def schema(self, raw: Any) -> SchemaFile:
        if not isinstance(raw, Mapping) or not isinstance(raw.get("tables"), Mapping):
            self._problem((), "an object with `tables` is expected")
            return SchemaFile(())
        if not raw["tables"]:
            self._problem(("tables",), "no table is declared")
        tables = tuple(self._table(str(name), table) for name, table in raw["tables"].items())
        self._check_unique(("tables",), "table", [table.name for table in tables])
        self._check_references(tables)
        space = raw.get("space") or {}
        if not isinstance(space, Mapping):
            self._problem(("space",), "an object is expected")
            space = {}
        rest = {key: value for key, value in space.items() if key not in ("title", "domain")}
        config, config_problems = parse_space_config(rest)
        for problem in config_problems:
            self._problem(("space",), problem)
        return SchemaFile(
            tables,
            title=self._optional_text(("space", "title"), space.get("title")),
            domain=self._optional_text(("space", "domain"), space.get("domain")),
            config=config,
        )

    def _table(self, name: str, raw: Any) -> TableSpec:
        path = ("tables", name)
        if not TABLE_NAME.fullmatch(name):
            self._problem(path, f"table name {name!r}: letters, digits and _ are expected")
        if not isinstance(raw, Mapping) or not isinstance(raw.get("columns"), list):
            self._problem(path, f"table {name}: an object with a list of `columns` is expected")
            return TableSpec(name, ())
        columns = tuple(
            self._column((*path, "columns", index), name, column)
            for index, column in enumerate(raw["columns"])
        )
        if not columns:
            self._problem(path, f"table {name}: no column is declared")
        self._check_unique(path, f"column of {name}", [column.name for column in columns])
        row_count = raw.get("row_count")
        if row_count is not None and (not isinstance(row_count, int) or row_count < 0):
            self._problem((*path, "row_count"), "row_count must be a whole number")
            row_count = None
        comment = self._optional_text((*path, "comment"), raw.get("comment"))
        declared = raw.get("kind") or "table"
        kind = next((one for one in TABLE_KINDS if one == declared), None)
        if kind is None:
            self._problem((*path, "kind"), f"kind must be one of {', '.join(TABLE_KINDS)}")
        return TableSpec(name, columns, comment, row_count, kind or "table")

    def _column(self, path: tuple[str | int, ...], table: str, raw: Any) -> ColumnSpec:
        if not isinstance(raw, Mapping) or not isinstance(raw.get("name"), str):
            self._problem(path, f"a column of {table}: an object with a `name` is expected")
            return ColumnSpec("?", "STRING")
        name = raw["name"]
        if not name or _FORBIDDEN_IN_COLUMN.search(name):
            self._problem(
                path,
                f"column of {table}: {name!r} is not a name; dots and backquotes are not allowed",
            )
        declared = raw.get("spark_type", raw.get("type"))
        data_type = _known_type(declared)
        if data_type is None:
            known = ", ".join([*_SCALAR_TYPES, "DECIMAL(p,s)", "ARRAY<t>", "STRUCT<name: t, ...>"])
            self._problem(
                path, f"column {table}.{name}: unknown type {declared!r}; known are {known}"
            )
        is_primary_key = raw.get("primary_key") or False
        if not isinstance(is_primary_key, bool):
            self._problem(path, f"column {table}.{name}: primary_key must be true or false")
        references = raw.get("foreign_keys") or ()
        if not isinstance(references, list | tuple) or not all(
            isinstance(reference, str) for reference in references
        ):
            self._problem(path, f"column {table}.{name}: foreign_keys must be a list of texts")
            references = ()
        return ColumnSpec(
            name,
            data_type or "STRING",
            self._optional_text((*path, "comment"), raw.get("comment")),
            bool(is_primary_key),
            tuple(references),
        )

    def _check_references(self, tables: tuple[TableSpec, ...]) -> None:
        known = {f"{t.name}.{c.name}".lower() for t in tables for c in t.columns}
        for table in tables:
            for index, column in enumerate(table.columns):
                for reference in column.references:
                    if reference.lower() not in known:
                        self._problem(
                            ("tables", table.name, "columns", index),
                            f"column {table.name}.{column.name}: foreign key to {reference}, "
                            "which is not declared",
                        )

    def _check_unique(self, path: tuple[str | int, ...], what: str, names: list[str]) -> None:
        seen: set[str] = set()
        for name in names:
            if name.lower() in seen:
                self._problem(path, f"{what} {name} is declared twice (case does not count)")
            seen.add(name.lower())

    def _optional_text(self, path: tuple[str | int, ...], raw: Any) -> str | None:
        if raw is None or isinstance(raw, str):
            return raw or None
        self._problem(path, f"{path[-1]} must be a text")
        return None

    def _problem(self, path: tuple[str | int, ...], what: str) -> None:
        line = _line_of(self._text, path)
        self.problems.append(f"{self._label}:{line}: {what}")


def _known_type(declared: Any) -> str | None:
    """The Spark type in its usual spelling, or None."""
    if not isinstance(declared, str):
        return None
    nested = _NESTED.fullmatch(declared.strip())
    if nested is None:
        return _known_scalar(declared.strip().upper())
    kind, inside = nested[1].upper(), nested[2]
    if kind == "ARRAY":
        element = _known_type(inside)
        return element and f"ARRAY<{element}>"
    fields = [_known_field(field) for field in _top_level_parts(inside)]
    return None if None in fields else f"STRUCT<{', '.join(map(str, fields))}>"


def _known_scalar(name: str) -> str | None:
    decimal = _DECIMAL.fullmatch(name)
    if decimal:
        precision, scale = int(decimal[1] or 10), int(decimal[2] or 0)
        if not 1 <= precision <= _MAX_PRECISION or scale > precision:
            return None
        return f"DECIMAL({precision},{scale})"
    name = _OTHER_NAMES.get(name, name)
    return name if name in _SCALAR_TYPES else None


def _known_field(declared: str) -> str | None:
    """``name: TYPE`` of a struct; the name keeps its case."""
    name, _, data_type = declared.partition(":")
    known = _known_type(data_type)
    return f"{name.strip()}: {known}" if known and TABLE_NAME.fullmatch(name.strip()) else None


def _top_level_parts(text: str) -> list[str]:
    """What stands between the commas that are in no brackets."""
    parts, depth = [""], 0
    for character in text:
        depth += (character in "<(") - (character in ">)")
        if character == "," and depth == 0:
            parts.append("")
        else:
            parts[-1] += character
    return parts


def _line_of(text: str, path: tuple[str | int, ...]) -> int:
    """The line of the value at a path, or of the nearest value around it; only for messages."""
    try:
        # JSON is YAML but for tabs between values, and only YAML's reader keeps the places.
        node = yaml.compose(text.replace("\t", " "), Loader=yaml.SafeLoader)
    except yaml.YAMLError:
        return 1
    line = 1
    for step in path:
        children: dict[str | int, tuple[int, yaml.Node]] = {}
        if isinstance(node, yaml.MappingNode):
            children = {key.value: (key.start_mark.line, value) for key, value in node.value}
        elif isinstance(node, yaml.SequenceNode):
            children = {i: (value.start_mark.line, value) for i, value in enumerate(node.value)}
        if step not in children:
            break
        zero_based, node = children[step]
        line = zero_based + 1
    return line
