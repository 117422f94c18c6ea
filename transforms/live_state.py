"""The state of a live space: its configuration over what the catalog says of its assets."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from typing import Literal

from transforms.serialized_space import SpaceConfig, join_text, model
from transforms.serialized_space.splicing import canonical
from transforms.space_state import (
    ColumnState,
    FunctionState,
    JoinSpec,
    Snippet,
    SpaceState,
    TableState,
)

_RELATIONSHIP = re.compile(r"--rt=FROM_RELATIONSHIP_TYPE_(\w+)--")


def short_name(identifier: str) -> str:
    """``schema.name`` of an identifier with or without a catalog."""
    return ".".join(part.strip("`") for part in identifier.split(".")[-2:])


def live_state(
    space_id: str,
    data_schema: str,
    config: SpaceConfig,
    tables: Sequence[TableState],
    functions: Sequence[FunctionState],
) -> SpaceState:
    """The state of a space with this configuration over these objects of the catalog.

    A configuration that names no asset gives a state that is not configured, whatever the catalog
    holds (rule 8). Raises InvalidInputError for a configuration that has not the shape of version
    2.
    """
    content = config.content
    is_configured = config.counts().is_configured
    sources = {
        short_name(source.identifier).lower(): source
        for source in (*content.data_sources.tables, *content.data_sources.metric_views)
    }
    instructions = content.instructions
    return SpaceState(
        space_id=space_id,
        data_schema=data_schema,
        tables=tuple(_described(table, sources) for table in tables) if is_configured else (),
        functions=tuple(functions) if is_configured else (),
        join_specs=tuple(_join(spec) for spec in instructions.join_specs),
        snippets=tuple(
            Snippet(kind, join_text(one.sql), one.display_name, one.synonyms)
            for kind, group in _snippet_groups(instructions.sql_snippets)
            for one in group
        ),
        instructions=tuple(join_text(one.content) for one in instructions.text_instructions),
        serialized_space=canonical(config.without_benchmarks().to_dict()),
    )


def _described(table: TableState, sources: dict[str, model.Table]) -> TableState:
    source = sources.get(table.name.lower())
    if source is None:
        return table
    configs = {config.column_name.lower(): config for config in source.column_configs}

    def described(column: ColumnState) -> ColumnState:
        config = configs.get(column.name.lower())
        if config is None:
            return column
        description = join_text(config.description) or None
        return replace(column, synonyms=config.synonyms, description=description)

    return replace(table, columns=tuple(described(column) for column in table.columns))


def _join(spec: model.JoinSpec) -> JoinSpec:
    text = join_text(spec.sql)
    marker = _RELATIONSHIP.search(text)
    return JoinSpec(
        left=spec.left.identifier if spec.left else "",
        right=spec.right.identifier if spec.right else "",
        condition=_RELATIONSHIP.sub("", text).strip(),
        relationship=marker[1] if marker else None,
    )


def _snippet_groups(
    snippets: model.SqlSnippets,
) -> tuple[tuple[Literal["filter", "expression", "measure"], tuple[model.Filter, ...]], ...]:
    return (
        ("filter", snippets.filters),
        ("expression", snippets.expressions),
        ("measure", snippets.measures),
    )
