"""The embedded workspace as a whole: opened on a folder, served until it is closed."""

from __future__ import annotations

import secrets
import threading
import time
from collections.abc import Callable
from pathlib import Path
from types import TracebackType

from genie.local.answering import Answering
from genie.local.conversations import Conversations
from genie.local.faults import Faults, RateLimit
from genie.local.folder import Folder
from genie.local.http_server import LocalServer, Route
from genie.local.messages import Pace
from genie.local.requests import PermissionLevel, Timestamps
from genie.local.seams import Engine, SqlBackend
from genie.local.spaces import Spaces
from genie.local.statements import Statements
from genie.local.warehouses import USER_ID, Warehouses, check_warehouse

_GENIE = "/api/2.0/genie/spaces"
_MESSAGE = f"{_GENIE}/*/conversations/*/messages/*"


class EmbeddedWorkspace:
    """A workspace that ``WorkspaceClient(host=workspace.host, token=workspace.token)`` talks to.

    ``root`` is where everything is kept (``$GENIE_LOOP_HOME/workspace``); one process at a time has
    it open. ``token`` is made up unless it is given. ``questions_per_minute`` answers 429 with
    Retry-After beyond it. ``level`` is what the one user may do with every space. ``clock`` gives
    seconds since 1970.
    """

    def __init__(
        self,
        root: Path,
        engine: Engine,
        backend: SqlBackend,
        *,
        token: str | None = None,
        faults: Faults | None = None,
        pace: Pace | None = None,
        questions_per_minute: int | None = None,
        level: PermissionLevel = "CAN_MANAGE",
        user_name: str = "me@localhost",
        chunk_rows: int = 1_000,
        clock: Callable[[], float] = time.time,
    ) -> None:
        """Open the folder, begin to answer what was left unanswered, and serve.

        Raises HomeBusyError when another process has the folder open, InvalidInputError when a
        document in it cannot be read.
        """
        self._is_closed = False
        self.token = token or secrets.token_urlsafe(32)
        self._folder = Folder(root)
        timestamps = Timestamps(clock)
        try:
            spaces = Spaces(
                self._folder,
                timestamps,
                level=level,
                user_name=user_name,
                check_warehouse=check_warehouse,
            )
            self._statements = Statements(
                backend, check_warehouse=check_warehouse, chunk_rows=chunk_rows
            )
            self._conversations = Conversations(
                self._folder,
                timestamps,
                spaces,
                self._statements,
                Answering(engine, self._statements),
                pace=pace or Pace(),
                limit=RateLimit(questions_per_minute, clock),
                clock=clock,
                user_id=USER_ID,
            )
        except BaseException:
            self._folder.close()
            raise
        routes = [
            *_space_routes(spaces),
            *_conversation_routes(self._conversations),
            *_sql_routes(self._statements, Warehouses(user_name)),
        ]
        self._server = LocalServer(routes, self.token, faults or Faults())
        self._thread = threading.Thread(
            target=self._server.serve_forever,
            kwargs={"poll_interval": 0.05},
            daemon=True,
            name="embedded workspace",
        )
        self._thread.start()

    @property
    def host(self) -> str:
        """``http://127.0.0.1:PORT``."""
        return self._server.host

    def close(self) -> None:
        """Stop serving. What is not answered yet is answered after the next opening.

        Closing again does nothing.
        """
        if self._is_closed:
            return
        self._is_closed = True
        self._conversations.stop()
        self._statements.stop()
        self._server.shutdown()
        self._server.close_connections()
        self._server.server_close()
        self._thread.join()
        self._folder.close()

    def __enter__(self) -> EmbeddedWorkspace:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()


def _space_routes(spaces: Spaces) -> list[Route]:
    return [
        Route("GET", _GENIE, spaces.list_spaces),
        Route("POST", _GENIE, spaces.create_space),
        Route("GET", f"{_GENIE}/*", spaces.get_space),
        Route("PATCH", f"{_GENIE}/*", spaces.update_space),
        Route("DELETE", f"{_GENIE}/*", spaces.trash_space),
        Route("GET", "/api/2.0/permissions/genie/*", spaces.get_permissions),
    ]


def _conversation_routes(conversations: Conversations) -> list[Route]:
    of_space = f"{_GENIE}/*/conversations"
    return [
        Route("POST", f"{_GENIE}/*/start-conversation", conversations.start_conversation),
        Route("GET", of_space, conversations.list_conversations),
        Route("DELETE", f"{of_space}/*", conversations.delete_conversation),
        Route("GET", f"{of_space}/*/messages", conversations.list_messages),
        Route("POST", f"{of_space}/*/messages", conversations.create_message),
        Route("GET", _MESSAGE, conversations.get_message),
        Route("DELETE", _MESSAGE, conversations.delete_message),
        Route("POST", f"{_MESSAGE}/feedback", conversations.rate_message),
        Route("GET", f"{_MESSAGE}/attachments/*/query-result", conversations.get_query_result),
        Route("POST", f"{_MESSAGE}/attachments/*/execute-query", conversations.execute_query),
    ]


def _sql_routes(statements: Statements, warehouses: Warehouses) -> list[Route]:
    base = "/api/2.0/sql/statements"
    return [
        Route("POST", base, statements.execute_statement),
        Route("GET", f"{base}/*", statements.get_statement),
        Route("GET", f"{base}/*/result/chunks/*", statements.get_chunk),
        Route("POST", f"{base}/*/cancel", statements.cancel_statement),
        Route("GET", "/api/2.0/sql/warehouses", warehouses.list_warehouses),
        Route("GET", "/api/2.0/sql/warehouses/*", warehouses.get_warehouse),
        Route("GET", "/api/2.0/preview/scim/v2/Me", warehouses.get_me),
    ]
