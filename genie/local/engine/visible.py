"""What an engine sees of a space: exactly what Genie would see, as one immutable value."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

SnippetKind = Literal["filter", "expression", "measure"]


@dataclass(frozen=True, slots=True)
class VisibleColumn:
    """A column that the space does not exclude.

    ``comment`` is the catalog's, ``description`` and ``synonyms`` are the space's. ``references``
    is ``(table identifier, column)`` of a declared foreign key. ``values`` are the column's values
    where entity matching is on, None where it is off.
    """

    name: str
    data_type: str
    comment: str | None = None
    description: str | None = None
    synonyms: tuple[str, ...] = ()
    is_primary_key: bool = False
    references: tuple[str, str] | None = None
    values: tuple[str, ...] | None = None


@dataclass(frozen=True, slots=True)
class VisibleTable:
    """A table or view; ``comment`` is the catalog's, ``description`` the space's."""

    identifier: str
    columns: tuple[VisibleColumn, ...]
    comment: str | None = None
    description: str | None = None


@dataclass(frozen=True, slots=True)
class VisibleMeasure:
    """A measure of a metric view; ``expr`` is its aggregate expression."""

    name: str
    expr: str
    comment: str | None = None
    display_name: str | None = None
    synonyms: tuple[str, ...] = ()
    description: str | None = None


@dataclass(frozen=True, slots=True)
class VisibleDimension:
    """A dimension of a metric view; ``values`` as of a column."""

    name: str
    expr: str
    data_type: str = "string"
    comment: str | None = None
    display_name: str | None = None
    synonyms: tuple[str, ...] = ()
    description: str | None = None
    values: tuple[str, ...] | None = None


@dataclass(frozen=True, slots=True)
class VisibleMetricView:
    """A metric view with its definition."""

    identifier: str
    dimensions: tuple[VisibleDimension, ...]
    measures: tuple[VisibleMeasure, ...]
    comment: str | None = None
    description: str | None = None


@dataclass(frozen=True, slots=True)
class VisibleParameter:
    """A parameter of a table function; ``default`` is SQL, None where it must be given."""

    name: str
    data_type: str
    comment: str | None = None
    default: str | None = None


@dataclass(frozen=True, slots=True)
class VisibleFunction:
    """A SQL table function that the space offers."""

    identifier: str
    parameters: tuple[VisibleParameter, ...] = ()
    returns: tuple[VisibleColumn, ...] = ()
    comment: str | None = None
    description: str | None = None


@dataclass(frozen=True, slots=True)
class ExampleParameter:
    """A parameter ``:name`` of an example's SQL; ``default`` is the value as text."""

    name: str
    type_hint: str = "STRING"
    default: str | None = None


@dataclass(frozen=True, slots=True)
class VisibleExample:
    """An example question with its SQL."""

    question: str
    sql: str
    usage_guidance: str | None = None
    parameters: tuple[ExampleParameter, ...] = ()


@dataclass(frozen=True, slots=True)
class VisibleJoin:
    """A join spec; ``sql`` is the condition over the two aliases, without its type marker."""

    left: str
    left_alias: str
    right: str
    right_alias: str
    sql: str
    relationship: str | None = None


@dataclass(frozen=True, slots=True)
class VisibleSnippet:
    """A named fragment of SQL; ``alias`` names the result of an expression or a measure."""

    kind: SnippetKind
    sql: str
    display_name: str
    synonyms: tuple[str, ...] = ()
    instruction: str | None = None
    comment: str | None = None
    alias: str | None = None


@dataclass(frozen=True, slots=True)
class VisibleSpace:
    """Everything that may decide an answer; benchmarks are not part of it."""

    tables: tuple[VisibleTable, ...] = ()
    metric_views: tuple[VisibleMetricView, ...] = ()
    functions: tuple[VisibleFunction, ...] = ()
    examples: tuple[VisibleExample, ...] = ()
    joins: tuple[VisibleJoin, ...] = ()
    snippets: tuple[VisibleSnippet, ...] = ()
    instructions: str = ""
