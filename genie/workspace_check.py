"""Whether a space has anything to answer from: never judged by a bare GET (rule 8)."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from databricks.sdk import WorkspaceClient
from databricks.sdk.service.dashboards import GenieSpace

from genie.catalog import RunSql, StatementFailedError, read_relation, read_routine
from genie.warehouse_sql import warehouse_sql
from genie.workspace_errors import telling
from transforms.errors import InvalidInputError
from transforms.serialized_space import Counts, SpaceConfig

_log = logging.getLogger(__name__)

_DEPLOY = "genie-loop deploy FOLDER"
_MAX_PAGES = 100


@dataclass(frozen=True, slots=True)
class SpaceCheck:
    """What a space holds, and what of it is there.

    ``missing`` are the assets that its configuration names and the catalog does not have;
    ``problems`` is everything that is wrong, in words; ``next_step`` is a command, or None.
    """

    space_id: str
    title: str
    counts: Counts
    missing: tuple[str, ...]
    problems: tuple[str, ...]
    next_step: str | None

    @property
    def is_configured(self) -> bool:
        """Whether there is anything to answer from that is really there."""
        named = self.counts.tables + self.counts.metric_views + self.counts.functions
        return named > len(self.missing)

    @property
    def line(self) -> str:
        """The counts, for people."""
        return self.counts.line


def check_space(client: WorkspaceClient, space_id: str, *, run: RunSql | None = None) -> SpaceCheck:
    """Read a space with its configuration, count what it holds and look whether it is there.

    ``run`` asks the catalog, by default through the space's warehouse. Raises InvalidInputError for
    a space that is not there or may not be read (it takes CAN EDIT), and WorkspaceError for a
    workspace that does not answer.
    """
    space, config = read_space(client, space_id)
    counts = config.counts()
    _log.info("space %s: %s", space_id, counts.line)
    problems = [str(violation) for violation in config.validate()]
    missing: tuple[str, ...] = ()
    if not counts.is_configured:
        problems.append("it names no table, no metric view and no function")
    elif run is None and not space.warehouse_id:
        problems.append("it has no warehouse, so that nothing can be looked up")
    else:
        ask = run or warehouse_sql(client, space.warehouse_id or "")
        missing, wrong = _look_up(ask, config.to_dict())
        problems.extend(wrong)
    return SpaceCheck(
        space_id=space_id,
        title=space.title,
        counts=counts,
        missing=missing,
        problems=tuple(problems),
        next_step=_DEPLOY if missing or not counts.is_configured else None,
    )


def read_space(client: WorkspaceClient, space_id: str) -> tuple[GenieSpace, SpaceConfig]:
    """A space with its etag, and its configuration.

    Raises InvalidInputError for a space that is not there or whose configuration may not be read.
    """
    with telling(client, f"space {space_id} cannot be read"):
        space = client.genie.get_space(space_id, include_serialized_space=True)
    if space.serialized_space is None:
        raise InvalidInputError(
            f"the workspace keeps the configuration of space {space_id} back",
            where=client.config.host,
            remedy="it takes CAN EDIT on the space",
        )
    return space, SpaceConfig.parse(space.serialized_space)


def list_spaces(client: WorkspaceClient) -> list[tuple[str, str]]:
    """Every space that this user sees: id and title. Raises what ``telling`` raises."""
    spaces: list[tuple[str, str]] = []
    token: str | None = None
    for _ in range(_MAX_PAGES):
        with telling(client, "the spaces cannot be listed"):
            page = client.genie.list_spaces(page_size=100, page_token=token)
        spaces.extend((space.space_id, space.title) for space in page.spaces or ())
        token = page.next_page_token
        if not token:
            break
    return spaces


def _look_up(run: RunSql, document: Mapping[str, Any]) -> tuple[tuple[str, ...], list[str]]:
    """The assets that are not there, and what is wrong with all of them."""
    sources = document.get("data_sources") or {}
    instructions = document.get("instructions") or {}
    wanted: list[tuple[str, list[Any], Callable[[str], str | None]]] = [
        ("table", sources.get("tables") or [], lambda name: _kind(run, name)),
        ("metric view", sources.get("metric_views") or [], lambda name: _kind(run, name)),
        ("function", instructions.get("sql_functions") or [], lambda name: _routine(run, name)),
    ]
    missing: list[str] = []
    problems: list[str] = []
    for meant, items, find in wanted:
        for item in items:
            name = item["identifier"]
            try:
                found = find(name)
            except StatementFailedError as error:
                problems.append(f"{meant} {name} cannot be read: {error.what.splitlines()[0]}")
                continue
            if found is None:
                missing.append(name)
                problems.append(f"{meant} {name} is not there")
            elif meant == "metric view" and found != "metric_view":
                problems.append(f"{name} is a {found}, not a metric view")
    return tuple(missing), problems


def _kind(run: RunSql, name: str) -> str | None:
    relation = read_relation(run, name)
    return relation.kind if relation else None


def _routine(run: RunSql, name: str) -> str | None:
    return "function" if read_routine(run, name) else None
