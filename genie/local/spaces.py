"""Genie Spaces: made, listed, read, changed, put into the trash; kept in the folder."""

from __future__ import annotations

import threading
import uuid
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from typing import Any

from genie.local.api_errors import ApiError, aborted, invalid, not_found
from genie.local.folder import Folder
from genie.local.requests import PermissionLevel, Request, Timestamps, page, require
from transforms.errors import InvalidInputError
from transforms.identity import content_hash
from transforms.serialized_space import SpaceConfig

STALE_ETAG = (
    "Space configuration has been modified since this export was taken. Re-export the space and "
    "merge your changes, or omit the etag to skip conflict detection."
)

_PATCHED = ("title", "description", "warehouse_id", "parent_path", "serialized_space")
_MAX_PROBLEMS = 20


@dataclass(frozen=True, slots=True)
class Space:
    """A space as it is kept; times are milliseconds since 1970."""

    space_id: str
    title: str
    warehouse_id: str
    serialized_space: str
    description: str | None = None
    parent_path: str | None = None
    created_ms: int = 0
    updated_ms: int = 0
    is_trashed: bool = False

    @property
    def etag(self) -> str:
        """A hash of all that can be changed: the same content has the same one."""
        return content_hash(*[getattr(self, name) for name in _PATCHED])


class Spaces:
    """The spaces of the workspace. Every change is on the disk before it is answered."""

    def __init__(
        self,
        folder: Folder,
        timestamps: Timestamps,
        *,
        level: PermissionLevel,
        user_name: str,
        check_warehouse: Callable[[str], None],
    ) -> None:
        self._folder = folder
        self._timestamps = timestamps
        self._level = level
        self._user_name = user_name
        self._check_warehouse = check_warehouse
        self._lock = threading.Lock()
        self._spaces = {raw["space_id"]: Space(**raw) for raw in folder.read_all("spaces")}
        for space in self._spaces.values():
            timestamps.seen(space.updated_ms)

    def find(self, space_id: str) -> Space:
        """The space of that id. Raises ApiError (404) for one that is not there or in the trash."""
        space = self._spaces.get(space_id)
        if space is None or space.is_trashed:
            raise not_found(
                f"Unable to get space [{space_id}]. Caused by Node with resource name "
                f"Some(datarooms/{space_id}) does not exist."
            )
        return space

    def find_any(self, space_id: str) -> Space:
        """The space of that id, also from the trash. Raises KeyError where there never was one."""
        return self._spaces[space_id]

    def list_spaces(self, request: Request) -> dict[str, Any]:
        """``GET /genie/spaces``: oldest first, without configurations."""
        with self._lock:
            spaces = [space for space in self._spaces.values() if not space.is_trashed]
        spaces.sort(key=lambda space: space.created_ms)
        chosen, more = page(spaces, request, lambda space: space.space_id, default_size=100)
        return {"spaces": [_bare(space) for space in chosen], **more}

    def create_space(self, request: Request) -> dict[str, Any]:
        """``POST /genie/spaces``. Sent twice it makes two spaces, as the platform does."""
        serialized_space = _checked(request.required("serialized_space"))
        warehouse_id = request.required("warehouse_id")
        self._check_warehouse(warehouse_id)
        now = self._timestamps.next()
        space = Space(
            space_id=uuid.uuid4().hex,
            title=request.text("title") or "New Space",
            warehouse_id=warehouse_id,
            serialized_space=serialized_space,
            description=request.text("description"),
            parent_path=request.text("parent_path") or f"/Workspace/Users/{self._user_name}",
            created_ms=now,
            updated_ms=now,
        )
        with self._lock:
            self._keep(space)
        return _bare(space)

    def get_space(self, request: Request) -> dict[str, Any]:
        """``GET /genie/spaces/{id}``: the configuration and the etag only when they are asked for.

        Asking for them takes CAN EDIT.
        """
        space = self.find(request.ids[0])
        if request.query.get("include_serialized_space") != "true":
            return _bare(space)
        require(self._level, "CAN_EDIT", f"export space {space.space_id}")
        return _full(space) | {"serialized_space": space.serialized_space}

    def update_space(self, request: Request) -> dict[str, Any]:
        """``PATCH /genie/spaces/{id}``: what is named is replaced whole.

        A stale etag is refused (409), unless the space is already what the request makes of it:
        a request that is sent again after its answer was lost succeeds like the first.
        """
        require(self._level, "CAN_EDIT", f"update space {request.ids[0]}")
        changes: dict[str, Any] = {
            name: value for name in _PATCHED if (value := request.text(name)) is not None
        }
        if "serialized_space" in changes:
            _checked(changes["serialized_space"])
        if "warehouse_id" in changes:
            self._check_warehouse(changes["warehouse_id"])
        etag = request.text("etag")
        with self._lock:
            space = self.find(request.ids[0])
            changed = replace(space, **changes)
            is_changed = changed.etag != space.etag
            if is_changed and etag is not None and etag != space.etag:
                raise aborted(STALE_ETAG)
            if is_changed:
                changed = replace(changed, updated_ms=self._timestamps.next())
                self._keep(changed)
        return _full(changed)

    def trash_space(self, request: Request) -> dict[str, Any]:
        """``DELETE /genie/spaces/{id}``: gone for everybody, still in the folder."""
        require(self._level, "CAN_MANAGE", f"trash space {request.ids[0]}")
        with self._lock:
            self._keep(replace(self.find(request.ids[0]), is_trashed=True))
        return {}

    def get_permissions(self, request: Request) -> dict[str, Any]:
        """``GET /permissions/genie/{id}``: the one user and what the user may do."""
        space = self.find(request.ids[0])
        permission = {"permission_level": self._level, "inherited": False}
        user = {"user_name": self._user_name, "display_name": self._user_name}
        return {
            "object_id": f"/genie/{space.space_id}",
            "object_type": "genie",
            "access_control_list": [{**user, "all_permissions": [permission]}],
        }

    def _keep(self, space: Space) -> None:
        self._folder.write(f"spaces/{space.space_id}.json", asdict(space))
        self._spaces[space.space_id] = space


def _bare(space: Space) -> dict[str, Any]:
    shown: Mapping[str, Any] = {
        "space_id": space.space_id,
        "title": space.title,
        "description": space.description,
        "warehouse_id": space.warehouse_id,
    }
    return {name: value for name, value in shown.items() if value is not None}


def _full(space: Space) -> dict[str, Any]:
    return _bare(space) | {
        "parent_path": space.parent_path,
        "etag": space.etag,
        "create_time": _time(space.created_ms),
        "update_time": _time(space.updated_ms),
    }


def _time(milliseconds: int) -> str:
    made = datetime.fromtimestamp(milliseconds / 1000, UTC)
    return made.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _checked(serialized_space: str) -> str:
    """The text, when it is a configuration. Raises ApiError (400) with what is wrong."""
    try:
        config = SpaceConfig.parse(serialized_space)
    except InvalidInputError as error:
        raise _refused([error.what]) from error
    violations = config.validate()
    if violations:
        raise _refused([f"{found.message} (at {found.path})" for found in violations])
    return serialized_space


def _refused(problems: list[str]) -> ApiError:
    shown = problems[:_MAX_PROBLEMS]
    if len(problems) > len(shown):
        shown.append(f"and {len(problems) - len(shown)} more")
    return invalid("Invalid serialized_space: " + "\n".join(shown))
