"""Two small fictional businesses and what it takes to change one field of their metadata."""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from genie.local.engine.building import build_visible_space
from genie.local.engine.catalog import (
    CatalogColumn,
    CatalogDescription,
    CatalogForeignKey,
    CatalogTable,
)
from genie.local.engine.visible import VisibleSpace


@dataclass(frozen=True)
class Business:
    """A space's config, its catalog, and questions with the SQL that answers them."""

    config: Mapping[str, Any]
    catalog: CatalogDescription
    questions: Mapping[str, str]

    def visible(self) -> VisibleSpace:
        return build_visible_space(self.config, self.catalog)


def table(identifier, comment, columns, *, key=(), references=None):
    """A table from ``name: (type, comment[, values])``; ``references`` is ``column: table.key``."""
    return CatalogTable(
        identifier=identifier,
        comment=comment,
        columns=tuple(
            CatalogColumn(name, kind, about, tuple(values[0]) if values else None)
            for name, (kind, about, *values) in columns.items()
        ),
        primary_key=(key,) if isinstance(key, str) else key,
        foreign_keys=tuple(
            CatalogForeignKey((column,), target.rpartition(".")[0], (target.rpartition(".")[2],))
            for column, target in (references or {}).items()
        ),
    )


def source(identifier, description=None, **columns):
    """A table of a config; each column is what its column config says."""
    item: dict[str, Any] = {"identifier": identifier}
    if description:
        item["description"] = [description]
    item["column_configs"] = [{"column_name": name, **columns[name]} for name in sorted(columns)]
    return item


MATCHED = {"enable_entity_matching": True, "enable_format_assistance": True}


def snippet(sql, display_name, *synonyms, **more):
    return {"sql": [sql], "display_name": display_name, "synonyms": list(synonyms), **more}


def example(question, sql, **more):
    return {"question": [question], "sql": [sql], **more}


def join(left, right, sql, relationship):
    return {
        "left": {"identifier": left, "alias": left.split(".")[-1]},
        "right": {"identifier": right, "alias": right.split(".")[-1]},
        "sql": [sql, f" --rt=FROM_RELATIONSHIP_TYPE_{relationship}--"],
    }


def without_metadata(business: Business) -> Business:
    """The same assets with names and types only."""
    config = copy.deepcopy(dict(business.config))
    for kind in ("tables", "metric_views"):
        for item in config["data_sources"].get(kind, ()):
            item.pop("description", None)
            item["column_configs"] = []
    functions = config["instructions"].get("sql_functions", [])
    config["instructions"] = {"sql_functions": functions}
    catalog = business.catalog
    bare = CatalogDescription(
        tables=tuple(
            replace(
                t,
                comment=None,
                primary_key=(),
                foreign_keys=(),
                columns=tuple(replace(c, comment=None, values=None) for c in t.columns),
            )
            for t in catalog.tables
        ),
        metric_views=tuple(
            replace(
                v,
                comment=None,
                dimensions=tuple(_bare_member(d, values=None) for d in v.dimensions),
                measures=tuple(_bare_member(m) for m in v.measures),
            )
            for v in catalog.metric_views
        ),
        functions=tuple(
            replace(
                f,
                comment=None,
                parameters=tuple(replace(p, comment=None) for p in f.parameters),
                returns=tuple(replace(c, comment=None) for c in f.returns),
            )
            for f in catalog.functions
        ),
    )
    return Business(config, bare, business.questions)


def _bare_member(member, **more):
    return replace(member, comment=None, display_name=None, synonyms=(), **more)


def changed_table(catalog, identifier, change: Callable[[CatalogTable], CatalogTable]):
    """The catalog with one table changed."""
    tables = tuple(change(t) if t.identifier == identifier else t for t in catalog.tables)
    return replace(catalog, tables=tables)


def changed_column(catalog, identifier, column, **fields):
    """The catalog with fields of one column changed."""

    def change(t: CatalogTable) -> CatalogTable:
        columns = tuple(replace(c, **fields) if c.name == column else c for c in t.columns)
        return replace(t, columns=columns)

    return changed_table(catalog, identifier, change)
