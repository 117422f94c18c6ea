"""The configuration of a space: what it says beyond the catalog, stored as JSON in ``spaces``."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from transforms.space_state import ColumnState, JoinSpec, Snippet, SpaceState, TableState

_SNIPPET_KINDS = ("filter", "expression", "measure")


@dataclass(frozen=True, slots=True)
class ColumnConfig:
    """What the space says of a column on top of the catalog's comment."""

    synonyms: tuple[str, ...] = ()
    description: str | None = None


@dataclass(frozen=True, slots=True)
class SpaceConfig:
    """Join specs, snippets and instructions; ``columns`` goes by ``table.column`` in lower case."""

    join_specs: tuple[JoinSpec, ...] = ()
    snippets: tuple[Snippet, ...] = ()
    instructions: tuple[str, ...] = ()
    columns: Mapping[str, ColumnConfig] = field(default_factory=dict)

    def to_json(self) -> str:
        """Canonical JSON: equal configurations have equal texts."""
        return json.dumps(asdict(self), sort_keys=True, ensure_ascii=False)

    def state(self, space_id: str, data_schema: str, tables: Sequence[TableState]) -> SpaceState:
        """The state of a space with this configuration over these tables of the catalog."""
        return SpaceState(
            space_id=space_id,
            data_schema=data_schema,
            tables=tuple(self._described(table) for table in tables),
            join_specs=self.join_specs,
            snippets=self.snippets,
            instructions=self.instructions,
        )

    def _described(self, table: TableState) -> TableState:
        short_name = table.name.rpartition(".")[2].lower()

        def described(column: ColumnState) -> ColumnState:
            config = self.columns.get(f"{short_name}.{column.name.lower()}")
            if config is None:
                return column
            return replace(column, synonyms=config.synonyms, description=config.description)

        return replace(table, columns=tuple(described(column) for column in table.columns))


def parse_space_config(raw: Mapping[str, Any]) -> tuple[SpaceConfig, list[str]]:
    """The configuration that JSON values describe, and everything that is wrong with them."""
    problems = [f"{key}: not known" for key in raw.keys() - _PARTS.keys()]
    values: dict[str, Any] = {}
    for key, parse in _PARTS.items():
        try:
            values[key] = parse(raw.get(key))
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            problems.append(f"{key}: {_MEANT[key]} ({type(error).__name__}: {error})")
    return (SpaceConfig(**values) if not problems else SpaceConfig()), problems


def _texts(raw: Any) -> tuple[str, ...]:
    items = [] if raw is None else raw
    if not isinstance(items, list | tuple) or not all(isinstance(item, str) for item in items):
        raise TypeError("a list of texts is expected")
    return tuple(items)


def _text(raw: Any) -> str:
    if not isinstance(raw, str) or not raw.strip():
        raise TypeError("a text is expected")
    return raw


def _optional_text(raw: Any) -> str | None:
    return None if raw is None else _text(raw)


def _join_specs(raw: Any) -> tuple[JoinSpec, ...]:
    return tuple(
        JoinSpec(
            _text(item["left"]),
            _text(item["right"]),
            _text(item["condition"]),
            _optional_text(item.get("relationship")),
        )
        for item in raw or ()
    )


def _snippets(raw: Any) -> tuple[Snippet, ...]:
    return tuple(_snippet(item) for item in raw or ())


def _snippet(raw: Mapping[str, Any]) -> Snippet:
    kind = raw["kind"]
    if kind not in _SNIPPET_KINDS:
        raise ValueError(f"kind must be one of {', '.join(_SNIPPET_KINDS)}")
    return Snippet(kind, _text(raw["sql"]), _text(raw["display_name"]), _texts(raw.get("synonyms")))


def _columns(raw: Any) -> dict[str, ColumnConfig]:
    return {
        str(name).lower(): ColumnConfig(
            _texts(item.get("synonyms")), _optional_text(item.get("description"))
        )
        for name, item in (raw or {}).items()
    }


_PARTS = {
    "join_specs": _join_specs,
    "snippets": _snippets,
    "instructions": _texts,
    "columns": _columns,
}
_MEANT = {
    "join_specs": "a list of objects with left, right, condition and perhaps relationship",
    "snippets": "a list of objects with kind, sql, display_name and perhaps synonyms",
    "instructions": "a list of texts",
    "columns": "an object from table.column to synonyms and description",
}
