"""Opens the homes of a registered space: what answers for it says where it lives."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from databricks.sdk import WorkspaceClient

from genie.homes import Home, Place
from genie.homes.catalog import CatalogHome
from genie.homes.files import RepoHome
from genie.homes.live_space import LiveSpaceHome
from genie.homes.space_homes import SpaceHomes
from genie.homes.sql_runner import SessionRunner, SqlRunner, WarehouseRunner
from genie.homes.workspace import connect as connect_by_environment
from genie.patching.changes import DocumentKind
from pipelines.registered_home import BenchmarkHome, RegisteredSpaceHome
from pipelines.spaces import Space
from pipelines.tables import Tables

OpenHomes = Callable[[Space], SpaceHomes]


def open_homes(
    tables: Tables, space: Space, connect: Callable[[], WorkspaceClient] = connect_by_environment
) -> SpaceHomes:
    """Where the changes of a space land.

    A space that Genie answers for (``genie:SPACE_ID``) is changed on its workspace, the catalog
    through its warehouse where it names one. Any other is the configuration registered here, over
    the catalog of this session. Raises InvalidInputError for a repo home that is not there.
    """
    kind, _, argument = (space.answerer or "").partition(":")
    runner: SqlRunner = SessionRunner(tables.spark)
    live: dict[DocumentKind, Home] = {"benchmark": BenchmarkHome(tables)}
    if kind == "genie":
        client = connect()
        place = Place("live", "space", argument)
        live["space"] = LiveSpaceHome(client)
        if space.warehouse_id is not None:
            runner = WarehouseRunner(client, space.warehouse_id)
    else:
        place = Place("live", "registered_space", space.space_id)
        live["registered_space"] = RegisteredSpaceHome(tables)
    catalog = CatalogHome(runner, tables.catalog)
    live |= {"comment": catalog, "metric_view": catalog, "function": catalog}
    repo = RepoHome(Path(space.repo_home)) if space.repo_home else None
    return SpaceHomes(live, place, repo)
