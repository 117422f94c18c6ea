"""One suite for every workspace: the embedded one always, a real one where one is configured."""

from __future__ import annotations

import json
import os
import time
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import pytest
from databricks.sdk import WorkspaceClient

from genie.local.workspace import EmbeddedWorkspace
from tests.genie.local.fakes import FakeBackend, FakeEngine, client_of

# Every real workspace has this table, and nobody may change it.
TABLE = "samples.nyctaxi.trips"


@dataclass
class Workspace:
    """A client, and the means to make spaces that are put into the trash afterwards."""

    client: WorkspaceClient
    is_embedded: bool
    warehouse_id: str
    spaces: list[str] = field(default_factory=list)

    @property
    def genie(self):
        return self.client.genie

    def document(self, **parts):
        """A configuration over the one table that is there."""
        return {"version": 2, "data_sources": {"tables": [{"identifier": TABLE}]}, **parts}

    def create(self, **changes):
        space = self.genie.create_space(**{
            "warehouse_id": self.warehouse_id,
            "serialized_space": json.dumps(self.document()),
            "title": f"genie-loop contract {uuid.uuid4().hex[:8]}",
            **changes,
        })  # fmt: skip
        self.spaces.append(space.space_id)
        return space

    def question(self, rows: int) -> str:
        """A question whose answer has that many rows."""
        if self.is_embedded:
            return f"SELECT {rows}"
        return f"Show exactly {rows} rows of {TABLE}, only the fare, no aggregate"

    def until(self, look: Callable[[], object], *, timeout_s: float = 120.0):
        """What ``look`` gives as soon as it gives anything true."""
        deadline = time.monotonic() + timeout_s
        while not (found := look()):
            assert time.monotonic() < deadline, "it did not happen in time"
            time.sleep(0.01 if self.is_embedded else 1.0)
        return found

    def answered(self, message):
        """The message when nothing more happens to it."""

        def done():
            polled = self.genie.get_message(
                message.space_id, message.conversation_id, message.message_id
            )
            return polled if polled.status.value in ("COMPLETED", "FAILED", "CANCELLED") else None

        return self.until(done)


@pytest.fixture(scope="module", params=["embedded", "real"])
def workspace(request, tmp_path_factory) -> Iterator[Workspace]:
    if request.param == "embedded":
        folder = tmp_path_factory.mktemp("workspace")
        with EmbeddedWorkspace(folder, FakeEngine(), FakeBackend()) as served:
            client = client_of(served)
            yield Workspace(client, True, next(iter(client.warehouses.list())).id)
        return
    if not os.environ.get("DATABRICKS_HOST"):
        pytest.skip("DATABRICKS_HOST names no workspace")
    client = WorkspaceClient()
    made = Workspace(client, False, next(iter(client.warehouses.list())).id)
    yield made
    for space_id in made.spaces:
        client.genie.trash_space(space_id)
