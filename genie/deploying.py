"""Deploying a project: what its files define is made live, and what people changed is not lost.

Nothing is changed before everything is read and decided. After each object its live content is
recorded; whatever differs later, from the file and from that record, was changed by somebody else.
Running it again goes on where it stopped.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal

from databricks.sdk import WorkspaceClient

from genie.catalog import RunSql
from genie.deployables import (
    Content,
    DefinedFunction,
    DefinedMetricView,
    Deployable,
    DeployedSpace,
    TableComments,
)
from genie.project import Project
from genie.warehouse_sql import warehouse_sql
from genie.workspace_check import list_spaces
from genie.workspace_errors import telling
from transforms.errors import InvalidInputError, StateConflictError
from transforms.identity import content_hash

_READ_AT_ONCE = 4

Action = Literal["created", "updated", "unchanged", "replaced"]


@dataclass(frozen=True, slots=True)
class Deployed:
    """An object when it was deployed last: the hash of the file's content, and what it became.

    They differ where the workspace keeps another text than it was given.
    """

    wanted: str
    live: Content


@dataclass(frozen=True, slots=True)
class DeployedObject:
    """What became of one object; ``replaced`` overwrote what somebody else had changed."""

    key: str
    action: Action


@dataclass(frozen=True, slots=True)
class DeployReport:
    """The space, and every object in the order in which they were deployed."""

    space_id: str
    objects: tuple[DeployedObject, ...]

    @property
    def changed(self) -> int:
        """How many objects were written."""
        return sum(one.action != "unchanged" for one in self.objects)


class DeployRecord:
    """What was deployed last, in a JSON file that is replaced whole after each object."""

    def __init__(self, path: Path) -> None:
        """Read what is there. Raises InvalidInputError for a file that is no record."""
        self._path = path
        self.space_id: str | None = None
        self._objects: dict[str, Deployed] = {}
        if not path.exists():
            return
        try:
            raw = json.loads(path.read_text(encoding="utf-8"))
            self.space_id = raw["space_id"]
            self._objects = {key: Deployed(**value) for key, value in raw["objects"].items()}
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise InvalidInputError(
                f"this record of deployments cannot be read: {error}",
                where=str(path),
                remedy="delete it; then what differs in the workspace counts as changed by others",
            ) from error

    def find(self, key: str) -> Deployed | None:
        """What was deployed of an object."""
        return self._objects.get(key)

    def keep(self, space_id: str | None, key: str, deployed: Deployed) -> None:
        """Record an object; durable when this returns."""
        if self.space_id == space_id and self._objects.get(key) == deployed:
            return
        self.space_id = space_id
        self._objects[key] = deployed
        text = {
            "space_id": space_id,
            "objects": {name: asdict(one) for name, one in sorted(self._objects.items())},
        }
        self._path.parent.mkdir(parents=True, exist_ok=True)
        beside = self._path.with_suffix(".new")
        with beside.open("w", encoding="utf-8") as file:
            file.write(json.dumps(text, indent=1))
            file.flush()
            os.fsync(file.fileno())
        beside.replace(self._path)


def deploy(
    client: WorkspaceClient,
    project: Project,
    record: DeployRecord,
    *,
    title: str,
    warehouse_id: str | None = None,
    space_id: str | None = None,
    force: bool = False,
    run: RunSql | None = None,
    on_object: Callable[[DeployedObject], None] = lambda done: None,
) -> DeployReport:
    """Make live what a project defines: comments of tables, metric views, functions, the space.

    ``client`` comes from ``one_try_client``: a request whose answer is lost is not sent again, and
    the next deployment finds what it did. The space is ``space_id``, else the recorded one, else
    the one of that ``title``; where there is none it is created. ``force`` overwrites what somebody
    else has changed. ``on_object`` is told each object when it is done.

    Raises StateConflictError, before anything is changed, when the workspace holds something that
    neither the files nor the last deployment put there; InvalidInputError for tables that are not
    there and for what the workspace refuses; GenieLoopError for a workspace that does not answer.
    """
    warehouse_id = warehouse_id or only_warehouse(client)
    ask = run or warehouse_sql(client, warehouse_id)
    found = space_id or _known_space(client, record.space_id) or _space_titled(client, title)
    space = DeployedSpace(client, project.config, title, warehouse_id, found)
    objects: list[Deployable] = [
        *(TableComments(notes, ask) for notes in project.tables),
        *(DefinedMetricView(one, ask) for one in project.metric_views),
        *(DefinedFunction(one, ask) for one in project.functions),
        space,
    ]
    planned = _planned(objects, record, force=force)
    done: list[DeployedObject] = []
    for one, (action, live) in zip(objects, planned, strict=True):
        if action != "unchanged":
            one.write()
            live = one.read()
        assert live is not None  # it was there before, or was just written
        record.keep(space.space_id, one.key, Deployed(content_hash(one.wanted), live))
        done.append(DeployedObject(one.key, action))
        on_object(done[-1])
    assert space.space_id is not None  # it is the last one, and it is there now
    return DeployReport(space.space_id, tuple(done))


def _planned(
    objects: Sequence[Deployable], record: DeployRecord, *, force: bool
) -> list[tuple[Action, Content | None]]:
    """What is to be done with each object, and what is live of it."""
    with ThreadPoolExecutor(_READ_AT_ONCE, thread_name_prefix="deploy") as pool:
        read = list(pool.map(lambda one: one.read(), objects))
    planned = [
        (action_of(one, live, record.find(one.key)), live)
        for one, live in zip(objects, read, strict=True)
    ]
    conflicts = [
        one.key
        for one, (action, _) in zip(objects, planned, strict=True)
        if action == "replaced" and not force
    ]
    if conflicts:
        raise StateConflictError(
            "the workspace holds what neither the files nor the last deployment put there; "
            "nothing was changed: " + ", ".join(conflicts),
            remedy="bring these changes into the files, or overwrite them with --force",
        )
    return planned


def action_of(one: Deployable, live: Content | None, last: Deployed | None) -> Action:
    """What is to be done with an object; ``replaced`` would overwrite what others changed."""
    if live is None:
        return "created"
    wanted_hash = content_hash(one.wanted)
    if content_hash(live) == wanted_hash or last == Deployed(wanted_hash, live):
        return "unchanged"
    return "updated" if one.is_ours(live, last.live if last else None) else "replaced"


def only_warehouse(client: WorkspaceClient) -> str:
    """The id of the one SQL warehouse that there is.

    Raises InvalidInputError when there are several, or none, and what ``telling`` raises.
    """
    with telling(client, "the SQL warehouses cannot be listed"):
        found = [warehouse.id for warehouse in client.warehouses.list() if warehouse.id]
    if len(found) != 1:
        raise InvalidInputError(
            f"which SQL warehouse is meant? There are {len(found)}: {', '.join(found[:10])}",
            where=client.config.host,
            remedy="name one with --warehouse",
        )
    return found[0]


def _known_space(client: WorkspaceClient, space_id: str | None) -> str | None:
    """The id, when its space is still there."""
    return next((found for found, _ in list_spaces(client) if found == space_id), None)


def _space_titled(client: WorkspaceClient, title: str) -> str | None:
    found = [space_id for space_id, its_title in list_spaces(client) if its_title == title]
    if len(found) > 1:
        raise InvalidInputError(
            f"{len(found)} spaces have the title {title!r}: {', '.join(found)}",
            where=client.config.host,
            remedy="name one of them with --space",
        )
    return found[0] if found else None
