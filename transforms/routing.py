"""Asset routing: whether the answer reads the kind of asset that should answer."""

from __future__ import annotations

from transforms.findings import Finding
from transforms.name_scope import Catalog
from transforms.shape_model import QueryShape

KINDS = ("table", "metric_view", "function", "monitoring_table", "ml_table")
_SPOKEN = {"tvf": "function", "table_function": "function", "mv": "metric_view", "view": "table"}


def asset_kinds(shape: QueryShape, catalog: Catalog) -> frozenset[str]:
    """The kinds of assets a query reads."""
    kinds = {"function"} if shape.functions else set()
    for name in shape.tables:
        table = catalog.table(*name.split("."))
        kinds.add(table.kind if table else "table")
    return frozenset(kinds)


def wanted_kind(expected_asset: str) -> str | None:
    """The kind that a benchmark's expected asset names; None for a word that is no kind."""
    word = expected_asset.strip().lower().replace(" ", "_").replace("-", "_")
    word = _SPOKEN.get(word, word).removesuffix("s") if word not in KINDS else word
    return word if word in KINDS else None


def routing(
    expected_asset: str, expected: QueryShape, produced: QueryShape, catalog: Catalog
) -> Finding | None:
    """A finding when the produced query does not read the expected kind of asset."""
    kind = wanted_kind(expected_asset)
    kinds = asset_kinds(produced, catalog)
    if kind is None or kind in kinds:
        return None
    return Finding(
        rule="asset_kind_wrong",
        blame=_blame(kind, expected, catalog),
        fix=f"Answer from the {kind.replace('_', ' ')}, not from "
        f"{', '.join(sorted(kinds)).replace('_', ' ') or 'nothing'}.",
        expected_fragment=", ".join([*(c.function for c in expected.functions), *expected.tables]),
        actual_fragment=", ".join([*(c.function for c in produced.functions), *produced.tables]),
        expected_value=kind,
        actual_value=", ".join(sorted(kinds)) or None,
        covers=expected.tables_set(),
    )


def _blame(kind: str, expected: QueryShape, catalog: Catalog) -> tuple[str, ...]:
    if kind == "function" and expected.functions:
        return tuple(sorted(f"function:{call.function}" for call in expected.functions))
    if expected.measures:
        return tuple(sorted(f"measure:{name}" for name in expected.measures))
    named = []
    for name in sorted(expected.tables_set()):
        table = catalog.table(*name.split("."))
        if table is not None and table.kind == kind:
            named.append(f"table:{table.name}")
    return tuple(named) or (f"space:{catalog.state.space_id}",)
