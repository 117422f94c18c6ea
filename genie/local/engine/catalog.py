"""What the catalog knows of a space's assets, as plain values that others read from it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class CatalogColumn:
    """A column. ``values`` are its distinct values if anybody read them, else None."""

    name: str
    data_type: str
    comment: str | None = None
    values: tuple[str, ...] | None = None


@dataclass(frozen=True, slots=True)
class CatalogForeignKey:
    """A declared foreign key: ``columns`` refer to ``referenced_columns`` of ``table``."""

    columns: tuple[str, ...]
    table: str
    referenced_columns: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class CatalogTable:
    """A table or view by its identifier, as the space spells it."""

    identifier: str
    columns: tuple[CatalogColumn, ...]
    comment: str | None = None
    primary_key: tuple[str, ...] = ()
    foreign_keys: tuple[CatalogForeignKey, ...] = ()


@dataclass(frozen=True, slots=True)
class CatalogDimension:
    """A dimension in the definition of a metric view."""

    name: str
    expr: str
    data_type: str = "string"
    comment: str | None = None
    display_name: str | None = None
    synonyms: tuple[str, ...] = ()
    values: tuple[str, ...] | None = None


@dataclass(frozen=True, slots=True)
class CatalogMeasure:
    """A measure in the definition of a metric view."""

    name: str
    expr: str
    comment: str | None = None
    display_name: str | None = None
    synonyms: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class CatalogMetricView:
    """A metric view with its definition."""

    identifier: str
    dimensions: tuple[CatalogDimension, ...]
    measures: tuple[CatalogMeasure, ...]
    comment: str | None = None


@dataclass(frozen=True, slots=True)
class CatalogParameter:
    """A parameter of a table function; ``default`` is SQL."""

    name: str
    data_type: str
    comment: str | None = None
    default: str | None = None


@dataclass(frozen=True, slots=True)
class CatalogFunction:
    """A SQL table function with its signature."""

    identifier: str
    parameters: tuple[CatalogParameter, ...] = ()
    returns: tuple[CatalogColumn, ...] = ()
    comment: str | None = None


@dataclass(frozen=True, slots=True)
class CatalogDescription:
    """The assets by identifier; those that a space does not name are ignored."""

    tables: tuple[CatalogTable, ...] = ()
    metric_views: tuple[CatalogMetricView, ...] = ()
    functions: tuple[CatalogFunction, ...] = ()
