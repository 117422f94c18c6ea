"""Configurations of a space: ``serialized_space``, and what is registered of a loaded folder."""

from __future__ import annotations

import json
from typing import Any, Literal, get_args

from genie.patching.refusals import impossible
from transforms.errors import InvalidInputError
from transforms.patches import (
    AddColumnSynonyms,
    AddExampleQuestion,
    AddInstruction,
    AddJoinSpec,
    AddSqlSnippet,
)
from transforms.serialized_space import SpaceConfig, edits
from transforms.serialized_space.splicing import canonical

SpacePatch = AddColumnSynonyms | AddJoinSpec | AddSqlSnippet | AddInstruction | AddExampleQuestion
SPACE_PATCHES = get_args(SpacePatch)

_KINDS: dict[str, Literal["filters", "expressions", "measures"]] = {
    "filter": "filters",
    "expression": "expressions",
    "measure": "measures",
}


def with_space_patch(text: str, patch: SpacePatch) -> str:
    """The ``serialized_space`` with the patch made; what it does not touch keeps its bytes.

    A canonical text, as it is read from a live space, stays one. Raises
    ImpossiblePatchError where the space does not know the table, or the platform would refuse the
    result.
    """
    try:
        config = SpaceConfig.parse(text)
        made = _edited(config, patch)
        made.check()
    except InvalidInputError as error:
        raise impossible(
            str(error), patch, "change the proposal, or the space that it does not fit"
        ) from error
    is_canonical = canonical(config.to_dict()) == text
    return canonical(made.to_dict()) if is_canonical else made.text


def _edited(config: SpaceConfig, patch: SpacePatch) -> SpaceConfig:
    match patch:
        case AddColumnSynonyms():
            table = _identifier(config, patch.table)
            return edits.set_column_synonyms(
                config,
                table,
                _column_name(config, table, patch.column),
                [*_synonyms(config, table, patch.column), *patch.synonyms],
            )
        case AddJoinSpec():
            return edits.add_join_spec(
                config,
                _identifier(config, patch.left),
                _identifier(config, patch.right),
                patch.sql,
                patch.relationship,
                instruction=patch.instruction,
            )
        case AddSqlSnippet():
            return edits.add_sql_snippet(
                config,
                _KINDS[patch.kind],
                patch.sql,
                patch.display_name,
                synonyms=patch.synonyms,
                instruction=patch.instruction,
            )
        case AddInstruction():
            return edits.add_text_instruction(config, patch.text)
        case AddExampleQuestion():
            return edits.add_example(config, patch.question, patch.sql)


def _identifier(config: SpaceConfig, name: str) -> str:
    """The name by which the space knows a table, with or without the catalog, in any case."""
    sources = config.content.data_sources
    for source in (*sources.tables, *sources.metric_views):
        known, wanted = source.identifier.lower(), name.lower()
        if known == wanted or known.endswith(f".{wanted}") or wanted.endswith(f".{known}"):
            return source.identifier
    raise InvalidInputError(f"the space does not have the table {name}")


def _column(config: SpaceConfig, table: str, name: str) -> Any:
    sources = config.content.data_sources
    for source in (*sources.tables, *sources.metric_views):
        if source.identifier == table:
            for column in source.column_configs:
                if column.column_name.lower() == name.lower():
                    return column
    return None


def _column_name(config: SpaceConfig, table: str, name: str) -> str:
    found = _column(config, table, name)
    return found.column_name if found else name


def _synonyms(config: SpaceConfig, table: str, name: str) -> list[str]:
    found = _column(config, table, name)
    return list(found.synonyms) if found else []


def with_registered_patch(text: str, patch: SpacePatch) -> str:
    """The configuration that is registered of a loaded folder, with the patch made.

    Raises ImpossiblePatchError for what such a configuration has no place for.
    """
    document: dict[str, Any] = json.loads(text)
    match patch:
        case AddColumnSynonyms():
            _add_synonyms(document, patch)
        case AddJoinSpec():
            join = {
                "left": patch.left,
                "right": patch.right,
                "condition": patch.sql,
                "relationship": patch.relationship,
            }
            _refuse_instruction(patch.instruction, patch)
            _add(document, "join_specs", join)
        case AddSqlSnippet():
            _refuse_instruction(patch.instruction, patch)
            snippet = {
                "kind": patch.kind,
                "sql": patch.sql,
                "display_name": patch.display_name,
                "synonyms": list(patch.synonyms),
            }
            _add(document, "snippets", snippet)
        case AddInstruction():
            _add(document, "instructions", patch.text)
        case AddExampleQuestion():
            raise impossible(
                "a registered configuration has no example questions",
                patch,
                "connect a Genie Space, which has",
            )
    if document == json.loads(text):
        return text
    return json.dumps(document, sort_keys=True, ensure_ascii=False)


def _add(document: dict[str, Any], name: str, item: Any) -> None:
    items = document.get(name) or []
    document[name] = items if item in items else [*items, item]


def _add_synonyms(document: dict[str, Any], patch: AddColumnSynonyms) -> None:
    name = f"{patch.table.rpartition('.')[2]}.{patch.column}".lower()
    columns = document.get("columns") or {}
    key = next((known for known in columns if known.lower() == name), name)
    column = {"description": None, **columns.get(key, {})}
    known = column.get("synonyms") or []
    column["synonyms"] = list(dict.fromkeys([*known, *patch.synonyms]))
    document["columns"] = {**columns, key: column}


def _refuse_instruction(instruction: str | None, patch: AddJoinSpec | AddSqlSnippet) -> None:
    if instruction:
        raise impossible(
            "a registered configuration has no place for its instruction",
            patch,
            "leave it out, or propose it as an instruction of the space",
        )
