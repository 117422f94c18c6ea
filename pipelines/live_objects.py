"""Metric views and functions that a live space names, as the catalog of the session has them."""

from __future__ import annotations

from genie.catalog import RunSql, read_relation, read_routine
from transforms.live_state import short_name
from transforms.serialized_space import SpaceConfig
from transforms.space_state import ColumnState, FunctionState, TableState


def metric_view_states(run: RunSql, config: SpaceConfig) -> tuple[TableState, ...]:
    """The metric views that the configuration names, in its order; without those that are gone.

    Raises StatementFailedError for one that cannot be read.
    """
    found = []
    for source in config.content.data_sources.metric_views:
        relation = read_relation(run, source.identifier)
        if relation is None or relation.kind != "metric_view":
            continue
        measures = relation.measures
        columns = tuple(
            ColumnState(
                one.name, one.data_type, one.comment, is_measure=one.name.lower() in measures
            )
            for one in relation.columns
        )
        found.append(
            TableState(
                short_name(source.identifier),
                columns,
                relation.comment,
                "metric_view",
                relation.definition,
            )
        )
    return tuple(found)


def function_states(run: RunSql, config: SpaceConfig) -> tuple[FunctionState, ...]:
    """The functions that the configuration names, in its order; without those that are gone.

    Raises StatementFailedError for one that cannot be read.
    """
    named = [one.identifier for one in config.content.instructions.sql_functions]
    routines = [(name, read_routine(run, name)) for name in named]
    return tuple(
        FunctionState(
            short_name(name),
            tuple(ColumnState(one.name, one.data_type, one.comment) for one in routine.parameters),
            routine.comment,
            routine.definition,
        )
        for name, routine in routines
        if routine is not None
    )
