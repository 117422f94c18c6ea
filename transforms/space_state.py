"""The metadata of a space as one value: what answers may rest on, what an evaluation records."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from functools import cached_property
from typing import Any, Literal

AssetKind = Literal["table", "metric_view", "function", "monitoring_table", "ml_table"]
TABLE_KINDS: tuple[AssetKind, ...] = ("table", "monitoring_table", "ml_table")
"""The kinds that a table can be declared to be of; the first is that of one that declares none."""


@dataclass(frozen=True, slots=True)
class ColumnState:
    """A column as the catalog and the space describe it.

    ``references`` is ``schema.table.column`` of a declared foreign key. ``is_measure`` marks the
    measures of a metric view. ``synonyms`` and ``description`` come from the space's config.
    """

    name: str
    data_type: str
    comment: str | None = None
    is_primary_key: bool = False
    references: str | None = None
    synonyms: tuple[str, ...] = ()
    description: str | None = None
    is_measure: bool = False


@dataclass(frozen=True, slots=True)
class TableState:
    """A table or view; ``name`` is ``schema.table`` in the spelling of the catalog.

    ``definition`` is the YAML of a metric view.
    """

    name: str
    columns: tuple[ColumnState, ...]
    comment: str | None = None
    kind: AssetKind = "table"
    definition: str | None = None

    def column(self, name: str) -> ColumnState | None:
        """The column of that name, ignoring case, or None."""
        return next((c for c in self.columns if c.name.lower() == name.lower()), None)


@dataclass(frozen=True, slots=True)
class FunctionState:
    """A SQL table function; ``name`` is ``schema.function``.

    ``definition`` is what else decides its answers: defaults, what it returns, its body.
    """

    name: str
    parameters: tuple[ColumnState, ...] = ()
    comment: str | None = None
    definition: str | None = None


@dataclass(frozen=True, slots=True)
class JoinSpec:
    """How two tables join; ``condition`` is SQL over the tables' last name parts."""

    left: str
    right: str
    condition: str
    relationship: str | None = None


@dataclass(frozen=True, slots=True)
class Snippet:
    """A named fragment of SQL: a filter, an expression or a measure."""

    kind: Literal["filter", "expression", "measure"]
    sql: str
    display_name: str
    synonyms: tuple[str, ...] = ()


@dataclass(frozen=True)
class SpaceState:
    """Everything about a space that an answer may depend on. ``state_hash`` identifies it.

    ``serialized_space`` is the whole configuration of a live space, canonical and without its
    benchmarks; None for a space whose answers are recorded.
    """

    space_id: str
    data_schema: str
    tables: tuple[TableState, ...]
    functions: tuple[FunctionState, ...] = ()
    join_specs: tuple[JoinSpec, ...] = ()
    snippets: tuple[Snippet, ...] = ()
    instructions: tuple[str, ...] = ()
    serialized_space: str | None = None

    def table(self, name: str) -> TableState | None:
        """The table of that name (qualified or not, ignoring case), or None."""
        wanted = name.lower()
        qualified = wanted if "." in wanted else f"{self.data_schema}.{wanted}".lower()
        return next((t for t in self.tables if t.name.lower() == qualified), None)

    def columns(self) -> Iterator[tuple[TableState, ColumnState]]:
        """Every column with its table."""
        for table in self.tables:
            for column in table.columns:
                yield table, column

    @property
    def is_configured(self) -> bool:
        """Whether there is anything to answer from (rule 8)."""
        return bool(self.tables or self.functions)

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON values; the full state that a model version stores.

        What only live spaces have is left out where it is not there, so that the state of a space
        whose answers are recorded is the one that earlier versions stored.
        """
        raw = asdict(self)
        for holder in (raw, *raw["tables"], *raw["functions"]):
            for name in ("serialized_space", "definition"):
                if name in holder and holder[name] is None:
                    del holder[name]
        return raw

    @classmethod
    def from_dict(cls, raw: dict[str, Any]) -> SpaceState:
        """The inverse of ``to_dict``. Raises KeyError or TypeError for anything else."""

        def columns(items: list[dict[str, Any]]) -> tuple[ColumnState, ...]:
            return tuple(
                ColumnState(**{**item, "synonyms": tuple(item.get("synonyms", ()))})
                for item in items
            )

        return cls(
            space_id=raw["space_id"],
            data_schema=raw["data_schema"],
            tables=tuple(
                TableState(**{**t, "columns": columns(t["columns"])}) for t in raw["tables"]
            ),
            functions=tuple(
                FunctionState(**{**f, "parameters": columns(f["parameters"])})
                for f in raw.get("functions", ())
            ),
            join_specs=tuple(JoinSpec(**j) for j in raw.get("join_specs", ())),
            snippets=tuple(
                Snippet(**{**s, "synonyms": tuple(s.get("synonyms", ()))})
                for s in raw.get("snippets", ())
            ),
            instructions=tuple(raw.get("instructions", ())),
            serialized_space=raw.get("serialized_space"),
        )

    @cached_property
    def state_hash(self) -> str:
        """SHA-256 over the state without its ``space_id``: equal metadata has an equal hash."""
        content = {key: value for key, value in self.to_dict().items() if key != "space_id"}
        return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


def changed_parts(before: SpaceState, after: SpaceState) -> tuple[str, ...]:
    """What differs between two states of a space, in words: assets by name, its configuration."""
    assets = _assets(before), _assets(after)
    names = sorted(assets[0].keys() | assets[1].keys())
    changed = [name for name in names if assets[0].get(name) != assets[1].get(name)]
    is_same = _configuration(before) == _configuration(after)
    return (*changed, *(() if is_same else ("its configuration",)))


def _assets(state: SpaceState) -> dict[str, TableState | FunctionState]:
    tables = {f"{table.kind.replace('_', ' ')} {table.name}": table for table in state.tables}
    return {**tables, **{f"function {one.name}": one for one in state.functions}}


def _configuration(state: SpaceState) -> tuple[object, ...]:
    return (state.join_specs, state.snippets, state.instructions, state.serialized_space)


@dataclass(frozen=True, slots=True)
class ColumnProfile:
    """What is known of a column's values; ``column`` is ``schema.table.column``.

    ``values`` are the most frequent ones as text; all of them when ``is_complete``.
    """

    column: str
    row_count: int
    distinct_count: int | None = None
    null_count: int | None = None
    min_value: str | None = None
    max_value: str | None = None
    values: tuple[str, ...] = ()
    is_complete: bool = False
    value_format: str | None = None

    @property
    def is_unique(self) -> bool:
        """Whether no value that is not NULL occurs twice."""
        if self.distinct_count is None or self.null_count is None:
            return False
        return self.distinct_count == self.row_count - self.null_count
