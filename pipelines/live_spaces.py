"""Registers a Genie Space with the loop: who answers, where its files are, what it is asked."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace
from pathlib import Path

from genie.catalog import name_parts
from genie.live_space import ANSWERER_KIND
from genie.project import Project
from pipelines.load import record_benchmarks, set_aside_questions
from pipelines.load_files import read_questions
from pipelines.questions import active_benchmarks
from pipelines.spaces import Space, register_spaces, registered_spaces, request_evaluations
from pipelines.tables import Tables
from transforms.errors import InvalidInputError
from transforms.live_state import short_name
from transforms.serialized_space import SpaceConfig


@dataclass(frozen=True, slots=True)
class LiveSpace:
    """A deployed project: the space's name in the history, its title, its Genie Space, its folder.

    ``warehouse_id`` is None where the session's own catalog is what the space answers from.
    """

    space_id: str
    title: str
    genie_space_id: str
    folder: Path
    config: SpaceConfig
    warehouse_id: str | None = None

    @classmethod
    def of_project(cls, project: Project, title: str, genie_space_id: str) -> LiveSpace:
        """A space of the history, named after its folder."""
        name = project.folder.resolve().name
        return cls(name, title, genie_space_id, project.folder, project.config)


@dataclass(frozen=True, slots=True)
class Registered:
    """What registering did; ``question_count`` counts active benchmarks."""

    space_id: str
    question_count: int
    set_aside_count: int
    request_ids: tuple[str, ...]
    is_new: bool


def register_live_space(
    tables: Tables,
    live: LiveSpace,
    *,
    policy: str | None,
    target_accuracy: float | None = None,
    requested_by: str,
) -> Registered | None:
    """Record the space and the questions of its folder, and ask for a first evaluation.

    What people have set before stays where ``policy`` and ``target_accuracy`` (0-1) are None. A
    folder without questions keeps those that are recorded; None, and nothing written, when there
    are none of these either. Registering the same again writes nothing. Raises InvalidInputError
    for faulty questions and for a configuration whose tables are not of one schema, or of another
    catalog than the history; nothing is written then.
    """
    _check_catalog(live.config, tables.catalog)
    questions, set_aside = read_questions(live.folder, live.space_id)
    schema = data_schema(live.config)
    before = registered_spaces(tables).get(live.space_id)
    if not questions and not active_benchmarks(tables, live.space_id):
        return None
    if before is None:
        space = Space(live.space_id, live.title, live.space_id, schema)
    else:
        space = before.space
    space = replace(
        space,
        data_schema=schema,
        answerer=f"{ANSWERER_KIND}{live.genie_space_id}",
        answerer_hash=None,
        warehouse_id=live.warehouse_id,
        repo_home=str(live.folder.resolve()),
        policy=policy or space.policy,
        target_accuracy=(space.target_accuracy if target_accuracy is None else target_accuracy),
    )
    set_aside_questions(tables, live.space_id, set_aside)
    if questions:  # none at all is a folder without benchmarks, not the end of them
        record_benchmarks(tables, questions, [live.space_id])
    is_new = register_spaces(tables, [space])
    request_ids = request_evaluations(tables, [live.space_id], requested_by=requested_by)
    count = len(active_benchmarks(tables, live.space_id))
    return Registered(live.space_id, count, len(set_aside), request_ids, is_new)


def _check_catalog(config: SpaceConfig, catalog: str | None) -> None:
    """What is evaluated are tables in the catalog of the history; a laptop has but one."""
    if catalog is None:
        return
    sources = config.content.data_sources
    named = [name_parts(one.identifier) for one in (*sources.tables, *sources.metric_views)]
    others = {parts[0].lower() for parts in named if len(parts) == 3} - {catalog.lower()}
    if others:
        raise InvalidInputError(
            f"its tables are in {', '.join(sorted(others))}, and the history is in {catalog}",
            where="space.json",
            remedy="deploy the bundle with --var catalog=... of the tables",
        )


def data_schema(config: SpaceConfig) -> str:
    """The one schema that the tables of a configuration are in.

    Raises InvalidInputError where they are in several, or there are none.
    """
    sources = config.content.data_sources
    names: Collection[str] = {
        short_name(one.identifier).rpartition(".")[0].lower()
        for one in (*sources.tables, *sources.metric_views)
    }
    if len(names) != 1:
        raise InvalidInputError(
            f"its tables are in {len(names)} schemas: {', '.join(sorted(names))}",
            where="space.json",
            remedy="expected SQL names tables without a schema, so that all have to be in one",
        )
    return next(iter(names))
