"""Holds new proposals against the benchmarks of every space over the same data."""

from __future__ import annotations

from collections.abc import Iterator

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from pipelines.evidence import Evaluations
from pipelines.states import held
from pipelines.tables import Tables
from transforms.contracts import BENCHMARKS, LEAK_REFUSALS, PROPOSALS, Table
from transforms.firewall import leaks


def refuse_leaks(
    tables: Tables,
    evaluations: Evaluations,
    spaces: DataFrame,
    *,
    transaction: str,
    version: int,
) -> Iterator[tuple[Table, bool]]:
    """Refuse what reproduces a benchmark among the proposals that rest on these evaluations.

    ``spaces`` is the view latest_spaces. Gives the table and whether it committed, for each commit
    that it tried. Corrections are left out: they are benchmarks.
    """
    schemas = spaces.select("space_id", "data_schema")
    proposals = evaluations.rows(PROPOSALS).where("lever > 0").join(schemas, "space_id", "inner")
    if proposals.isEmpty():
        return
    held_against = (
        tables.read(BENCHMARKS)
        .join(schemas, "space_id", "inner")
        .join(proposals.select("data_schema").distinct(), "data_schema", "left_semi")
    )
    has_statements = not proposals.where(F.lower("patch").contains("select")).isEmpty()
    found = held(leaks(proposals, held_against, has_statements=has_statements))
    yield (
        LEAK_REFUSALS,
        tables.append(
            LEAK_REFUSALS,
            tables.new_only(LEAK_REFUSALS, found),
            transaction=transaction,
            version=version,
        ),
    )
