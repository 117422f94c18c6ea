"""A live Genie Space: its ``serialized_space``, replaced only where its etag still holds."""

from __future__ import annotations

import json

from databricks.sdk import WorkspaceClient
from databricks.sdk import errors as sdk_errors

from genie.homes.base import Place, RefusedWriteError, drifted, missing
from genie.workspace_errors import telling
from transforms.serialized_space import SpaceConfig
from transforms.serialized_space.splicing import canonical


class LiveSpaceHome:
    """Documents of kind ``space``; ``name`` of a place is the id of the Genie Space.

    The platform may write JSON its own way, so a document here is the canonical text of the JSON:
    equal configurations are equal documents, and what does not change keeps its bytes over there.
    """

    def __init__(self, client: WorkspaceClient) -> None:
        self._client = client
        self._genie = client.genie

    def read(self, place: Place) -> str:
        """See ``Home``."""
        with telling(self._client, f"{place} cannot be read"):
            return _document(self._full(place)[0])

    def write(self, place: Place, content: str, *, expected: str | None) -> None:
        """See ``Home``."""
        with telling(self._client, f"{place} cannot be changed"):
            self._write(place, content, expected)

    def _write(self, place: Place, content: str, expected: str | None) -> None:
        text, etag = self._full(place)
        if _document(text) != expected:
            raise drifted(place)
        changed = SpaceConfig.parse(text).edited(json.loads(content))
        try:
            self._genie.update_space(place.name, serialized_space=changed.text, etag=etag)
        except (sdk_errors.Aborted, sdk_errors.ResourceConflict) as error:
            raise drifted(place) from error
        except (sdk_errors.InvalidParameterValue, sdk_errors.BadRequest) as error:
            raise RefusedWriteError(
                f"the platform does not take it: {error}",
                where=str(place),
                remedy="the space is as it was; correct the proposal",
            ) from error

    def _full(self, place: Place) -> tuple[str, str | None]:
        try:
            space = self._genie.get_space(place.name, include_serialized_space=True)
        except sdk_errors.NotFound as error:
            raise missing(place, str(error)) from error
        if not space.serialized_space:
            raise RefusedWriteError(
                "the space does not show its configuration",
                where=str(place),
                remedy="it takes CAN EDIT on the space",
            )
        return space.serialized_space, space.etag


def _document(text: str) -> str:
    return canonical(SpaceConfig.parse(text).to_dict())
