"""Changes to a configuration. Each gives a new one that obeys the platform's rules of order and id.

Ids of new items are hashes of their content: the same change made twice, here or on another
machine, is one change. Whatever an edit does not mention keeps its bytes.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Sequence
from typing import Any, Literal

from transforms.errors import InvalidInputError
from transforms.serialized_space.config import SpaceConfig
from transforms.serialized_space.rules import SNIPPET_KINDS
from transforms.serialized_space.splicing import canonical
from transforms.serialized_space.text import split_text

SnippetKind = Literal["filters", "expressions", "measures"]
Relationship = Literal["MANY_TO_ONE", "ONE_TO_MANY", "ONE_TO_ONE", "MANY_TO_MANY"]

_BEGINS_WITH_WHERE = re.compile(r"\s*where\b", re.IGNORECASE)


def add_table(
    config: SpaceConfig,
    identifier: str,
    *,
    description: str | None = None,
    is_metric_view: bool = False,
) -> SpaceConfig:
    """With a table or metric view of that name; one that is there keeps what is said of it."""

    def change(document: dict[str, Any]) -> None:
        kind = "metric_views" if is_metric_view else "tables"
        sources = _array(document, "data_sources", kind)
        if any(source.get("identifier") == identifier for source in sources):
            return
        source: dict[str, Any] = {"identifier": identifier}
        if description:
            source["description"] = split_text(description)
        _insert(sources, source, "identifier")

    return _edit(config, change)


def set_table_description(config: SpaceConfig, identifier: str, text: str) -> SpaceConfig:
    """With that description of a table or metric view; an empty text takes it away.

    Raises InvalidInputError when the space has no such table or metric view; so do all edits of
    columns.
    """
    return _edit(
        config,
        lambda document: _set(_source(document, identifier), "description", split_text(text)),
    )


def set_column_description(
    config: SpaceConfig, identifier: str, column: str, text: str
) -> SpaceConfig:
    """With that description of a column; an empty text takes it away."""
    return _edit_column(config, identifier, column, {"description": split_text(text)})


def set_column_synonyms(
    config: SpaceConfig, identifier: str, column: str, synonyms: Sequence[str]
) -> SpaceConfig:
    """With exactly these synonyms of a column, in this order, each once."""
    return _edit_column(config, identifier, column, {"synonyms": list(dict.fromkeys(synonyms))})


def set_column_assistance(
    config: SpaceConfig,
    identifier: str,
    column: str,
    *,
    format_assistance: bool,
    entity_matching: bool,
) -> SpaceConfig:
    """With values of the column shown to the model, and matched with words of the question.

    Raises InvalidInputError for matching without format assistance, which the platform refuses.
    """
    if entity_matching and not format_assistance:
        raise InvalidInputError(
            "enable_entity_matching requires enable_format_assistance",
            where=f"{identifier}.{column}",
            remedy="ask for both, or for format assistance alone",
        )

    flags = {
        "enable_format_assistance": format_assistance,
        "enable_entity_matching": entity_matching,
    }
    return _edit_column(config, identifier, column, flags)


def add_join_spec(
    config: SpaceConfig,
    left: str,
    right: str,
    condition: str,
    relationship: Relationship,
    *,
    comment: str | None = None,
    instruction: str | None = None,
) -> SpaceConfig:
    """With a join of two tables; ``condition`` names them by the last parts of their names."""
    item = {
        "left": {"identifier": left, "alias": left.rpartition(".")[2]},
        "right": {"identifier": right, "alias": right.rpartition(".")[2]},
        "sql": [f"{condition}\n", f"--rt=FROM_RELATIONSHIP_TYPE_{relationship}--"],
        **_texts(comment=comment, instruction=instruction),
    }
    return _edit(config, lambda document: _add(document, ("instructions", "join_specs"), item))


def add_sql_snippet(
    config: SpaceConfig,
    kind: SnippetKind,
    sql: str,
    display_name: str,
    *,
    alias: str | None = None,
    synonyms: Sequence[str] = (),
    instruction: str | None = None,
    comment: str | None = None,
) -> SpaceConfig:
    """With a named fragment of SQL.

    Raises InvalidInputError for a filter that begins with WHERE or has an alias.
    """
    if kind == "filters" and (alias is not None or _BEGINS_WITH_WHERE.match(sql)):
        raise InvalidInputError(
            "a filter is a condition without WHERE and without an alias",
            where=display_name,
            remedy="give the condition alone",
        )
    item: dict[str, Any] = {"sql": split_text(sql), "display_name": display_name}
    if alias is not None:
        item["alias"] = alias
    if synonyms:
        item["synonyms"] = list(dict.fromkeys(synonyms))
    item |= _texts(instruction=instruction, comment=comment)
    path = ("instructions", "sql_snippets", kind)
    return _edit(config, lambda document: _add(document, path, item))


def add_example(
    config: SpaceConfig, question: str, sql: str, *, usage_guidance: str | None = None
) -> SpaceConfig:
    """With a question and the SQL that answers it."""
    item = {
        "question": split_text(question),
        "sql": split_text(sql),
        **_texts(usage_guidance=usage_guidance),
    }
    path = ("instructions", "example_question_sqls")
    return _edit(config, lambda document: _add(document, path, item))


def add_sql_function(
    config: SpaceConfig, identifier: str, *, description: str | None = None
) -> SpaceConfig:
    """With a SQL function that answers may call; one that is there stays as it is."""

    def change(document: dict[str, Any]) -> None:
        functions = _array(document, "instructions", "sql_functions")
        if any(function.get("identifier") == identifier for function in functions):
            return
        item = {"identifier": identifier}
        if description:
            item["description"] = description
        _add(document, ("instructions", "sql_functions"), item)

    return _edit(config, change)


def set_text_instruction(config: SpaceConfig, text: str) -> SpaceConfig:
    """With exactly this general instruction; an empty text takes it away."""

    def change(document: dict[str, Any]) -> None:
        instructions = _array(document, "instructions", "text_instructions")
        if not text:
            instructions.clear()
        elif instructions:
            instructions[0]["content"] = split_text(text)
        else:
            _add(document, ("instructions", "text_instructions"), {"content": split_text(text)})

    return _edit(config, change)


def add_text_instruction(config: SpaceConfig, text: str) -> SpaceConfig:
    """With a paragraph more in the general instruction, of which there is at most one.

    A paragraph that is in it already is not added again.
    """
    instructions = config.content.instructions.text_instructions
    present = "".join(instructions[0].content) if instructions else ""
    if text in present:
        return config
    gap = "" if not present else "\n" if present.endswith("\n") else "\n\n"
    return set_text_instruction(config, present + gap + text)


def add_sample_question(config: SpaceConfig, question: str) -> SpaceConfig:
    """With a question that the space's page offers."""
    item = {"question": split_text(question)}
    return _edit(config, lambda document: _add(document, ("config", "sample_questions"), item))


def add_benchmark(config: SpaceConfig, question: str, sql: str) -> SpaceConfig:
    """With a question and its expected SQL to measure the space by."""
    item = {
        "question": split_text(question),
        "answer": [{"format": "SQL", "content": split_text(sql)}],
    }
    return _edit(config, lambda document: _add(document, ("benchmarks", "questions"), item))


def set_benchmark_sql(config: SpaceConfig, benchmark_id: str, sql: str) -> SpaceConfig:
    """With another expected SQL of a benchmark, which keeps its id.

    Raises InvalidInputError when there is no such benchmark.
    """

    def change(document: dict[str, Any]) -> None:
        for question in _array(document, "benchmarks", "questions"):
            if question.get("id") == benchmark_id:
                question["answer"] = [{"format": "SQL", "content": split_text(sql)}]
                return
        raise _no_such("benchmark", benchmark_id)

    return _edit(config, change)


def remove_item(config: SpaceConfig, item_id: str) -> SpaceConfig:
    """Without the instruction, snippet, join, sample question or benchmark of that id.

    Raises InvalidInputError when there is none.
    """

    def change(document: dict[str, Any]) -> None:
        for path in _ITEM_ARRAYS:
            items = _array(document, *path)
            for position, item in enumerate(items):
                if item.get("id") == item_id:
                    del items[position]
                    return
        raise _no_such("item", item_id)

    return _edit(config, change)


_ITEM_ARRAYS = (
    ("config", "sample_questions"),
    ("instructions", "text_instructions"),
    ("instructions", "example_question_sqls"),
    ("instructions", "sql_functions"),
    ("instructions", "join_specs"),
    *(("instructions", "sql_snippets", kind) for kind in SNIPPET_KINDS),
    ("benchmarks", "questions"),
)


def _edit(config: SpaceConfig, change: Callable[[dict[str, Any]], None]) -> SpaceConfig:
    """The configuration with a change made to a copy of its document.

    Raises InvalidInputError when the document has not the shape that edits rely on.
    """
    _ = config.content
    document = config.to_dict()
    change(document)
    _drop_empty(document, config.to_dict())
    return config.edited(document)


def _drop_empty(document: dict[str, Any], before: dict[str, Any]) -> None:
    """Take away the containers that an edit looked into and left empty, and nobody wrote."""
    for key, value in list(document.items()):
        earlier = before.get(key)
        if isinstance(value, dict):
            _drop_empty(value, earlier if isinstance(earlier, dict) else {})
        if value in ({}, []) and key not in before:
            del document[key]


def _array(document: dict[str, Any], *path: str) -> list[dict[str, Any]]:
    """The array at a path, made where it is missing."""
    *parents, name = path
    for parent in parents:
        if document.get(parent) is None:
            document[parent] = {}
        document = document[parent]
    if document.get(name) is None:
        document[name] = []
    array: list[dict[str, Any]] = document[name]
    return array


def _insert(items: list[dict[str, Any]], item: dict[str, Any], *keys: str) -> None:
    """Insert where the order by ``keys`` wants it, without moving what is there."""

    def order(of: dict[str, Any]) -> tuple[str, ...]:
        return tuple(of.get(key) or "" for key in keys)

    position = next(
        (place for place, other in enumerate(items) if order(other) > order(item)), len(items)
    )
    items.insert(position, item)


def _add(document: dict[str, Any], path: tuple[str, ...], item: dict[str, Any]) -> None:
    """Insert an item under the id of its content, unless just this item is there."""
    items = _array(document, *path)
    if any(canonical({**other, "id": ""}) == canonical({**item, "id": ""}) for other in items):
        return
    taken = {other.get("id") for array in _ITEM_ARRAYS for other in _array(document, *array)}
    seed = canonical([path[-1], item])
    attempt = 0
    while (item_id := _hashed(seed, attempt)) in taken:  # an item of this content was edited since
        attempt += 1
    _insert(items, {"id": item_id, **item}, "id", "identifier")


def _hashed(seed: str, attempt: int) -> str:
    return hashlib.sha256(f"{attempt}:{seed}".encode()).hexdigest()[:32]


def _source(document: dict[str, Any], identifier: str) -> dict[str, Any]:
    for kind in ("tables", "metric_views"):
        for source in _array(document, "data_sources", kind):
            if source.get("identifier") == identifier:
                return source
    raise _no_such("table or metric view", identifier)


def _edit_column(
    config: SpaceConfig, identifier: str, name: str, fields: dict[str, Any]
) -> SpaceConfig:
    """With these fields of what is said of a column, which begins where nothing is said yet."""

    def change(document: dict[str, Any]) -> None:
        source = _source(document, identifier)
        columns = source.get("column_configs") or []
        column = next((c for c in columns if c.get("column_name") == name), None)
        if column is None and any(fields.values()):
            column = {"column_name": name}
            _insert(_array(source, "column_configs"), column, "column_name")
        if column is not None:
            for field, value in fields.items():
                _set(column, field, value)

    return _edit(config, change)


def _set(target: dict[str, Any], field: str, value: Any) -> None:
    """Set a field; what is empty or false is left out, as the platform leaves it out."""
    if value:
        target[field] = value
    else:
        target.pop(field, None)


def _texts(**texts: str | None) -> dict[str, list[str]]:
    return {name: split_text(text) for name, text in texts.items() if text}


def _no_such(kind: str, name: str) -> InvalidInputError:
    return InvalidInputError(
        f"there is no {kind} {name}",
        where="serialized_space",
        remedy="name one that the space has",
    )
