"""Builds what is visible of a space from its serialized config and a description of the catalog."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from genie.local.engine.catalog import (
    CatalogColumn,
    CatalogDescription,
    CatalogFunction,
    CatalogMetricView,
    CatalogTable,
)
from genie.local.engine.visible import (
    ExampleParameter,
    SnippetKind,
    VisibleColumn,
    VisibleDimension,
    VisibleExample,
    VisibleFunction,
    VisibleJoin,
    VisibleMeasure,
    VisibleMetricView,
    VisibleParameter,
    VisibleSnippet,
    VisibleSpace,
    VisibleTable,
)

_Json = Mapping[str, Any]
_SNIPPETS: tuple[tuple[str, SnippetKind], ...] = (
    ("filters", "filter"),
    ("expressions", "expression"),
    ("measures", "measure"),
)
_MARKER = "--rt=FROM_RELATIONSHIP_TYPE_"


def build_visible_space(
    serialized_space: Mapping[str, Any], catalog: CatalogDescription
) -> VisibleSpace:
    """What is visible of a space.

    ``serialized_space`` is the parsed config, version 2; its benchmarks are not read. An asset that
    the config names and the catalog does not know is left out, as is an excluded column: Genie can
    say nothing about either. Identifiers and column names are matched ignoring case; the spelling
    is the catalog's. Values of a column are visible only where entity matching is on.
    """
    sources = serialized_space.get("data_sources") or {}
    instructions = serialized_space.get("instructions") or {}
    tables = {table.identifier.lower(): table for table in catalog.tables}
    views = {view.identifier.lower(): view for view in catalog.metric_views}
    functions = {function.identifier.lower(): function for function in catalog.functions}
    named = [*_items(sources, "tables"), *_items(sources, "metric_views")]
    return VisibleSpace(
        tables=tuple(
            _table(tables[item["identifier"].lower()], item)
            for item in named
            if item["identifier"].lower() in tables
        ),
        metric_views=tuple(
            _metric_view(views[item["identifier"].lower()], item)
            for item in named
            if item["identifier"].lower() in views
        ),
        functions=tuple(
            _function(functions[item["identifier"].lower()], item)
            for item in _items(instructions, "sql_functions")
            if item["identifier"].lower() in functions
        ),
        examples=tuple(_example(item) for item in _items(instructions, "example_question_sqls")),
        joins=tuple(_join(item) for item in _items(instructions, "join_specs")),
        snippets=tuple(_snippets(instructions.get("sql_snippets") or {})),
        instructions="\n".join(
            _text(item.get("content")) or "" for item in _items(instructions, "text_instructions")
        ),
    )


def _items(holder: _Json, key: str) -> Sequence[Any]:
    items: Sequence[Any] = holder.get(key) or ()
    return items


def _text(parts: Sequence[str] | str | None) -> str | None:
    """A text array as one text: its elements carry their own line ends."""
    if not parts:
        return None
    return parts if isinstance(parts, str) else "".join(parts)


def _configs(item: _Json) -> dict[str, _Json]:
    return {one["column_name"].lower(): one for one in _items(item, "column_configs")}


def _seen_values(config: _Json, values: tuple[str, ...] | None) -> tuple[str, ...] | None:
    return values if config.get("enable_entity_matching") else None


def _table(table: CatalogTable, item: _Json) -> VisibleTable:
    configs = _configs(item)
    keys = {name.lower() for name in table.primary_key}
    references = {
        key.columns[0].lower(): (key.table, key.referenced_columns[0])
        for key in table.foreign_keys
        if len(key.columns) == 1 == len(key.referenced_columns)
    }
    columns = []
    for column in table.columns:
        config = configs.get(column.name.lower(), {})
        if config.get("exclude"):
            continue
        columns.append(
            VisibleColumn(
                name=column.name,
                data_type=column.data_type,
                comment=column.comment,
                description=_text(config.get("description")),
                synonyms=tuple(config.get("synonyms") or ()),
                is_primary_key=column.name.lower() in keys,
                references=references.get(column.name.lower()),
                values=_seen_values(config, column.values),
            )
        )
    return VisibleTable(
        table.identifier, tuple(columns), table.comment, _text(item.get("description"))
    )


def _metric_view(view: CatalogMetricView, item: _Json) -> VisibleMetricView:
    configs = _configs(item)

    def config_of(name: str) -> _Json:
        return configs.get(name.lower(), {})

    def synonyms_of(name: str, own: Iterable[str]) -> tuple[str, ...]:
        return tuple(dict.fromkeys((*own, *(config_of(name).get("synonyms") or ()))))

    return VisibleMetricView(
        identifier=view.identifier,
        dimensions=tuple(
            VisibleDimension(
                name=one.name,
                expr=one.expr,
                data_type=one.data_type,
                comment=one.comment,
                display_name=one.display_name,
                synonyms=synonyms_of(one.name, one.synonyms),
                description=_text(config_of(one.name).get("description")),
                values=_seen_values(config_of(one.name), one.values),
            )
            for one in view.dimensions
            if not config_of(one.name).get("exclude")
        ),
        measures=tuple(
            VisibleMeasure(
                name=one.name,
                expr=one.expr,
                comment=one.comment,
                display_name=one.display_name,
                synonyms=synonyms_of(one.name, one.synonyms),
                description=_text(config_of(one.name).get("description")),
            )
            for one in view.measures
            if not config_of(one.name).get("exclude")
        ),
        comment=view.comment,
        description=_text(item.get("description")),
    )


def _function(function: CatalogFunction, item: _Json) -> VisibleFunction:
    return VisibleFunction(
        identifier=function.identifier,
        parameters=tuple(
            VisibleParameter(one.name, one.data_type, one.comment, one.default)
            for one in function.parameters
        ),
        returns=tuple(_returned(column) for column in function.returns),
        comment=function.comment,
        description=_text(item.get("description")),
    )


def _returned(column: CatalogColumn) -> VisibleColumn:
    return VisibleColumn(column.name, column.data_type, column.comment)


def _example(item: _Json) -> VisibleExample:
    return VisibleExample(
        question=_text(item.get("question")) or "",
        sql=_text(item.get("sql")) or "",
        usage_guidance=_text(item.get("usage_guidance")),
        parameters=tuple(
            ExampleParameter(
                name=one["name"],
                type_hint=one.get("type_hint") or "STRING",
                default=next(iter((one.get("default_value") or {}).get("values") or ()), None),
            )
            for one in _items(item, "parameters")
        ),
    )


def _join(item: _Json) -> VisibleJoin:
    left, right = item["left"], item["right"]
    condition, _, marker = (_text(item.get("sql")) or "").partition(_MARKER)
    return VisibleJoin(
        left=left["identifier"],
        left_alias=left.get("alias") or left["identifier"].split(".")[-1],
        right=right["identifier"],
        right_alias=right.get("alias") or right["identifier"].split(".")[-1],
        sql=condition.strip(),
        relationship=marker.partition("--")[0].strip() or None,
    )


def _snippets(groups: _Json) -> Iterable[VisibleSnippet]:
    for key, kind in _SNIPPETS:
        for item in _items(groups, key):
            yield VisibleSnippet(
                kind=kind,
                sql=_text(item.get("sql")) or "",
                display_name=item.get("display_name") or "",
                synonyms=tuple(item.get("synonyms") or ()),
                instruction=_text(item.get("instruction")),
                comment=_text(item.get("comment")),
                alias=item.get("alias"),
            )
