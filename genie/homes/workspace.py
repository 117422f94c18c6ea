"""Talking to a workspace: how a client is made, and what its failures become."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from databricks.sdk import WorkspaceClient
from databricks.sdk.errors.base import DatabricksError

from transforms.errors import GenieLoopError, InvalidInputError, TransientError


class WorkspaceError(GenieLoopError, TransientError):
    """The workspace did not do what it was asked; whether it will next time is not known."""


def connect() -> WorkspaceClient:
    """A client for the workspace that the standard environment of the SDK names.

    Raises InvalidInputError when nothing names one.
    """
    try:
        return WorkspaceClient()
    except ValueError as error:
        raise InvalidInputError(
            f"no workspace to change: {error}",
            remedy="set DATABRICKS_HOST and DATABRICKS_TOKEN, or DATABRICKS_CONFIG_PROFILE",
        ) from error


@contextmanager
def talking(where: str) -> Iterator[None]:
    """Turns what the client raises into WorkspaceError, naming what was talked about."""
    try:
        yield
    except (DatabricksError, TimeoutError, ConnectionError) as error:
        raise WorkspaceError(
            f"the workspace failed: {error}",
            where=where,
            remedy="run apply again: it goes on where it stopped",
        ) from error
