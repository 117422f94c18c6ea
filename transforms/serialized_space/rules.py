"""What the platform accepts as ``serialized_space``: every violation, in the platform's words.

The words are the platform's where they are known, so that a person finds them again. A rule looks
at whatever has the right shape, even where something else has not: one run shows everything.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from transforms.serialized_space.model import SpaceExport, element_type, fields_of
from transforms.serialized_space.text import MAX_TEXT_CHARACTERS

MAX_ARRAY_ITEMS = 10_000
MAX_BYTES = 3_500_000
MAX_TABLES = 30
MAX_INSTRUCTIONS = 100
MAX_SNIPPETS = 200
MAX_ENTITY_COLUMNS = 120
MAX_BENCHMARKS = 500

SNIPPET_KINDS = ("filters", "expressions", "measures")

_PROTO = "databricks.datarooms.export."
_ID = re.compile(r"[0-9a-f]{32}")
_EXPECTED_ID = "Expected lowercase 32-hex UUID without hyphens"
_VERSION_1_FIELDS = {
    "get_example_values": "enable_format_assistance",
    "build_value_dictionary": "enable_entity_matching",
}
# Where items with an id stand, and what the platform calls one.
_IDENTIFIED = {
    "config.sample_questions": "sample_question",
    "instructions.text_instructions": "text_instruction",
    "instructions.example_question_sqls": "example_question_sql",
    "instructions.sql_functions": "sql_function",
    "instructions.join_specs": "join_spec",
    "instructions.sql_snippets.filters": "filter",
    "instructions.sql_snippets.expressions": "expression",
    "instructions.sql_snippets.measures": "measure",
    "benchmarks.questions": "benchmark_question",
}
_DATA_SOURCES = ("data_sources.tables", "data_sources.metric_views")


@dataclass(frozen=True, slots=True)
class Violation:
    """One thing the platform refuses; ``path`` is a JSON path (``$.data_sources.tables[0]``)."""

    path: str
    message: str

    def __str__(self) -> str:
        return f"{self.path}: {self.message}"


@dataclass(frozen=True, slots=True)
class _Place:
    path: str
    value: Any

    def child(self, name: str) -> _Place:
        value = self.value.get(name) if isinstance(self.value, dict) else None
        return _Place(f"{self.path}.{name}", value)

    def down(self, dotted: str) -> _Place:
        place = self
        for name in dotted.split("."):
            place = place.child(name)
        return place

    def items(self) -> list[_Place]:
        """The elements that are objects."""
        values = self.value if isinstance(self.value, list) else []
        return [
            _Place(f"{self.path}[{position}]", value)
            for position, value in enumerate(values)
            if isinstance(value, dict)
        ]

    def text(self, name: str) -> str:
        """A text field; the empty text where there is none."""
        value = self.value.get(name)
        return value if isinstance(value, str) else ""


def shape_violations(document: Any) -> tuple[Violation, ...]:
    """Where the document has not the fields and types of version 2."""
    return tuple(_object_shape(SpaceExport, _Place("$", document)))


def violations(document: Any, size_bytes: int) -> tuple[Violation, ...]:
    """Everything the platform would refuse in a document of that many bytes."""
    root = _Place("$", document)
    found = list(shape_violations(document))
    for rule in _RULES:
        found.extend(rule(root))
    if size_bytes > MAX_BYTES:
        found.append(Violation("$", f"{size_bytes} bytes; at most {MAX_BYTES} are allowed"))
    return tuple(found)


def _shown(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= 100 else f"{text[:99]}…"


def _object_shape(message: type, place: _Place) -> Iterator[Violation]:
    if not isinstance(place.value, dict):
        name = place.path.rpartition(".")[2]
        found = _shown(place.value)
        yield Violation(place.path, f"Expected an object for {name} but found {found}")
        return
    fields = fields_of(message)
    for name, value in place.value.items():
        if name in _VERSION_1_FIELDS and "column_name" in fields:
            meant = _VERSION_1_FIELDS[name]
            text = f"Field {name} is of version 1; version 2 has {meant}"
            yield Violation(f"{place.path}.{name}", text)
        elif name not in fields:
            known_as = f"{_PROTO}{message.MESSAGE}"  # type: ignore[attr-defined]
            text = f"Cannot find field: {name} in message {known_as}"
            yield Violation(f"{place.path}.{name}", text)
        elif value is not None:
            yield from _value_shape(fields[name], name, place.child(name))


def _value_shape(hint: Any, name: str, place: _Place) -> Iterator[Violation]:
    item = element_type(hint)
    if item is not None:
        yield from _array_shape(item, name, place)
    elif hasattr(hint, "MESSAGE"):
        yield from _object_shape(hint, place)
    elif type(place.value) is not hint:  # exactly: JSON's true is no number
        meant = {str: "a string", bool: "a boolean", int: "a number"}[hint]
        text = f"Expected {meant} for {name} but found {_shown(place.value)}"
        yield Violation(place.path, text)


def _array_shape(item: Any, name: str, place: _Place) -> Iterator[Violation]:
    if not isinstance(place.value, list):
        text = f"Expected an array for {name} but found {_shown(place.value)}"
        yield Violation(place.path, text)
        return
    for position, value in enumerate(place.value):
        element = _Place(f"{place.path}[{position}]", value)
        if value is None:
            yield Violation(element.path, f"null is not allowed in the array {name}")
        else:
            yield from _value_shape(item, name, element)


def _version(root: _Place) -> Iterator[Violation]:
    version = root.child("version")
    if version.value is None or (type(version.value) is int and version.value != 2):
        text = f"Unsupported version {_shown(version.value)}; version 2 is expected"
        yield Violation(version.path, text)


def _sizes(root: _Place) -> Iterator[Violation]:
    places = [root]
    while places:
        place = places.pop()
        if isinstance(place.value, str) and len(place.value) > MAX_TEXT_CHARACTERS:
            text = f"{len(place.value)} characters; at most {MAX_TEXT_CHARACTERS} are allowed"
            yield Violation(place.path, text)
        elif isinstance(place.value, dict):
            places.extend(place.child(name) for name in reversed(place.value))
        elif isinstance(place.value, list):
            if len(place.value) > MAX_ARRAY_ITEMS:
                text = f"{len(place.value)} items; at most {MAX_ARRAY_ITEMS} are allowed"
                yield Violation(place.path, text)
            places.extend(
                _Place(f"{place.path}[{position}]", value)
                for position, value in reversed(list(enumerate(place.value)))
            )


def _ids(root: _Place) -> Iterator[Violation]:
    for dotted, kind in _IDENTIFIED.items():
        for item in root.down(dotted).items():
            found = item.text("id")
            if not found:
                text = f"{kind}.id must be provided and non-empty. {_EXPECTED_ID}."
                yield Violation(f"{item.path}.id", text)
            elif not _ID.fullmatch(found):
                text = f"Invalid id for {kind}.id: '{found[:100]}'. {_EXPECTED_ID}"
                yield Violation(f"{item.path}.id", text)


def _unique_ids(root: _Place) -> Iterator[Violation]:
    """Sample questions share their ids with benchmarks, all kinds of instructions with another."""
    for is_instruction in (False, True):
        first_seen: dict[str, str] = {}
        for dotted in _IDENTIFIED:
            if dotted.startswith("instructions.") is not is_instruction:
                continue
            for item in root.down(dotted).items():
                if item.text("id"):
                    yield from _unique(first_seen, item, "id")


def _unique_names(root: _Place) -> Iterator[Violation]:
    sources: dict[str, str] = {}
    for dotted in _DATA_SOURCES:
        for source in root.down(dotted).items():
            yield from _unique(sources, source, "identifier", is_required=True)
            columns: dict[str, str] = {}
            for column in source.child("column_configs").items():
                yield from _unique(columns, column, "column_name", is_required=True)
    for function in root.down("instructions.sql_functions").items():
        yield from _unique({}, function, "identifier", is_required=True)
    for example in root.down("instructions.example_question_sqls").items():
        names: dict[str, str] = {}
        for parameter in example.child("parameters").items():
            yield from _unique(names, parameter, "name", is_required=True)


def _unique(
    first_seen: dict[str, str], item: _Place, field: str, *, is_required: bool = False
) -> Iterator[Violation]:
    value = item.text(field)
    path = f"{item.path}.{field}"
    if is_required and not value:
        yield Violation(path, f"{field} must be provided and non-empty")
    elif value in first_seen:
        yield Violation(path, f"Duplicate {field} '{value}': it is also at {first_seen[value]}")
    else:
        first_seen[value] = path


def _sorting(root: _Place) -> Iterator[Violation]:
    for dotted in _DATA_SOURCES:
        yield from _sorted(root.down(dotted), dotted, "identifier")
        for source in root.down(dotted).items():
            yield from _sorted(source.child("column_configs"), "column_configs", "column_name")
    for dotted in _IDENTIFIED:
        keys = ("id", "identifier") if dotted.endswith("sql_functions") else ("id",)
        yield from _sorted(root.down(dotted), dotted, *keys)
    for example in root.down("instructions.example_question_sqls").items():
        yield from _sorted(example.child("parameters"), "parameters", "name")


def _sorted(array: _Place, name: str, *fields: str) -> Iterator[Violation]:
    keys = [tuple(item.text(field) for field in fields) for item in array.items()]
    if keys != sorted(keys):
        by = fields[0] if len(fields) == 1 else f"({', '.join(fields)})"
        yield Violation(array.path, f"{name} must be sorted by {by}")


def _matching(root: _Place) -> Iterator[Violation]:
    for column in _columns(root):
        is_matched = column.value.get("enable_entity_matching") is True
        if is_matched and column.value.get("enable_format_assistance") is not True:
            text = "enable_entity_matching requires enable_format_assistance"
            yield Violation(f"{column.path}.enable_entity_matching", text)


def _columns(root: _Place) -> list[_Place]:
    return [
        column
        for dotted in _DATA_SOURCES
        for source in root.down(dotted).items()
        for column in source.child("column_configs").items()
    ]


def _limits(root: _Place) -> Iterator[Violation]:
    def count(*dotted: str) -> int:
        return sum(len(root.down(name).items()) for name in dotted)

    text_instructions = count("instructions.text_instructions")
    if text_instructions > 1:
        path = "instructions.text_instructions"
        yield Violation(f"$.{path}", f"{path} must contain at most one item")
    matched = sum(c.value.get("enable_entity_matching") is True for c in _columns(root))
    snippets = [f"instructions.sql_snippets.{kind}" for kind in SNIPPET_KINDS]
    functions_and_examples = ("instructions.example_question_sqls", "instructions.sql_functions")
    instructions = count(*functions_and_examples) + min(text_instructions, 1)
    for path, what, found, limit in (
        ("data_sources", "tables and metric views", count(*_DATA_SOURCES), MAX_TABLES),
        ("data_sources", "columns with entity matching", matched, MAX_ENTITY_COLUMNS),
        ("instructions", "instructions", instructions, MAX_INSTRUCTIONS),
        ("instructions.sql_snippets", "snippets", count(*snippets), MAX_SNIPPETS),
        ("benchmarks.questions", "benchmarks", count("benchmarks.questions"), MAX_BENCHMARKS),
    ):
        if found > limit:
            yield Violation(f"$.{path}", f"{found} {what}; at most {limit} are allowed")


def _answers(root: _Place) -> Iterator[Violation]:
    for question in root.down("benchmarks.questions").items():
        answers = question.child("answer")
        found = len(answers.value) if isinstance(answers.value, list) else 0
        if answers.value is None or (isinstance(answers.value, list) and found != 1):
            text = f"a benchmark has exactly one answer, this one has {found}"
            yield Violation(answers.path, text)
        for answer in answers.items():
            if answer.value.get("format") != "SQL":
                text = f"Invalid value {_shown(answer.value.get('format'))} for enum type "
                yield Violation(
                    f"{answer.path}.format", f"{text}{_PROTO}BenchmarkAnswerFormat; SQL is expected"
                )


_RULES: tuple[Callable[[_Place], Iterator[Violation]], ...] = (
    _version,
    _ids,
    _unique_ids,
    _unique_names,
    _sorting,
    _matching,
    _answers,
    _limits,
    _sizes,
)
