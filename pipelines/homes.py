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
from genie.one_try import environment_client
from genie.patching.changes import DocumentKind
from genie.warehouse_sql import warehouse_sql
from pipelines.registered_home import BenchmarkHome, BenchmarkStatusHome, RegisteredSpaceHome
from pipelines.session_sql import session_sql
from pipelines.spaces import Space
from pipelines.tables import Tables

Connect = Callable[[str], WorkspaceClient]
"""Gives a client for the workspace, told what it is wanted for; see ``environment_client``."""


def open_homes(tables: Tables, space: Space, connect: Connect = environment_client) -> SpaceHomes:
    """Where the changes of a space land.

    A space that Genie answers for (``genie:SPACE_ID``) is changed on its workspace, the catalog
    through its warehouse where it names one. Any other is the configuration registered here, over
    the catalog of this session. Raises InvalidInputError for a repo home that is not there.
    """
    kind, _, argument = (space.answerer or "").partition(":")
    run = session_sql(tables.spark)
    live: dict[DocumentKind, Home] = {
        "benchmark": BenchmarkHome(tables),
        "benchmark_status": BenchmarkStatusHome(tables),
    }
    if kind == "genie":
        client = connect(space.answerer or "")
        place = Place("live", "space", argument)
        live["space"] = LiveSpaceHome(client)
        if space.warehouse_id is not None:
            run = warehouse_sql(client, space.warehouse_id)
    else:
        place = Place("live", "registered_space", space.space_id)
        live["registered_space"] = RegisteredSpaceHome(tables)
    catalog = CatalogHome(run, tables.catalog)
    live |= {"comment": catalog, "metric_view": catalog, "function": catalog}
    repo = RepoHome(Path(space.repo_home)) if space.repo_home else None
    return SpaceHomes(live, place, repo)
