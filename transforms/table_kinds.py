"""Tables whose comments have a lever of their own: 4 for monitoring tables, 5 for ML tables.

Which kind a table is of is declared, never guessed: ``kind`` in the file that describes it becomes
the property ``genie_loop.kind`` of the table, and that the ``kind`` of the table in every state.
"""

from __future__ import annotations

from collections.abc import Mapping

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from transforms.patches import (
    Patch,
    SetColumnComment,
    SetMlTableComment,
    SetMonitoringComment,
    SetTableComment,
)
from transforms.space_state import AssetKind

_COMMENTS: Mapping[AssetKind, type[SetMonitoringComment | SetMlTableComment]] = {
    "monitoring_table": SetMonitoringComment,
    "ml_table": SetMlTableComment,
}
OWN_LEVERS: Mapping[AssetKind, int] = {kind: patch.lever for kind, patch in _COMMENTS.items()}
"""The lever of comments on tables of these kinds; on all other tables they are lever 1."""


def at_its_lever(patch: Patch, kind: AssetKind) -> Patch:
    """The same comment as a patch of the lever that tables of this kind have; others as they are.

    Synonyms are the space's own, whatever table they are about, and stay with lever 1.
    """
    comment = _COMMENTS.get(kind)
    if comment is None or not isinstance(patch, SetTableComment | SetColumnComment):
        return patch
    column = patch.column if isinstance(patch, SetColumnComment) else None
    return comment(table=patch.table, column=column, comment=patch.comment)


def own_levers(evaluations: DataFrame, versions: DataFrame) -> DataFrame:
    """``evaluation_id`` and ``own_levers``: by table, in lower case, the lever that is its own.

    ``versions`` holds the states that were evaluated. An evaluation whose state is not recorded has
    no row.
    """
    levers = F.create_map(*(F.lit(one) for pair in OWN_LEVERS.items() for one in pair))
    tables = F.from_json("state", "tables ARRAY<STRUCT<name STRING, kind STRING>>")["tables"]
    of_kind = F.filter(tables, lambda table: table["kind"].isin(*OWN_LEVERS))
    entries = F.transform(
        of_kind, lambda table: F.struct(F.lower(table["name"]), levers[table["kind"]])
    )
    return evaluations.join(versions, ["space_id", "state_hash"], "inner").select(
        "evaluation_id", F.map_from_entries(entries).alias("own_levers")
    )


def own_lever(blame: Column, levers: Column) -> Column:
    """The lever of the table that a blame is about, or that its column is of; NULL for others."""
    name = F.lower(F.regexp_replace(blame, "^[^:]*:", ""))
    table = F.when(blame.startswith("table:"), name).when(
        blame.startswith("column:"), F.regexp_replace(name, r"\.[^.]*$", "")
    )
    return F.try_element_at(levers, table)
