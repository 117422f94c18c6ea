"""What a failed request to a workspace means for people, and for whoever may ask again."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from databricks.sdk import WorkspaceClient

from genie.genie_faults import read_fault
from transforms.errors import GenieLoopError, InvalidInputError, TransientError

_NEVER = {
    "denied": "check DATABRICKS_TOKEN or the profile, and what its user may do",
    "missing": "check the id; it may be of another workspace",
    "rejected": "correct what the workspace names",
}


class WorkspaceError(GenieLoopError, TransientError):
    """The workspace did not do what it was asked, or nobody knows; it may the next time."""


@contextmanager
def telling(client: WorkspaceClient, what: str) -> Iterator[None]:
    """Say what a failed request means; ``what`` is what it was for, as "… cannot be read".

    Raises InvalidInputError where it can never succeed (not there, not allowed, refused as it is)
    and WorkspaceError where it may the next time.
    """
    try:
        yield
    except GenieLoopError:
        raise
    except Exception as raised:
        fault = read_fault(raised)
        told, where = f"{what}: {fault.reason}", client.config.host
        remedy = _NEVER.get(fault.kind)
        if remedy is None:
            raise WorkspaceError(told, where=where, remedy="run it again") from raised
        raise InvalidInputError(told, where=where, remedy=remedy) from raised
