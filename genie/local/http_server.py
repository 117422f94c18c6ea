"""HTTP on the loopback interface: the token, JSON in and out, and the scripted faults."""

from __future__ import annotations

import hmac
import json
import logging
import re
import socket
import socketserver
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from genie.local.api_errors import ApiError, malformed, no_endpoint, unauthenticated
from genie.local.faults import Faults
from genie.local.requests import Request

_LOG = logging.getLogger(__name__)
_MAX_BODY_BYTES = 16 * 1024 * 1024
_IDLE_S = 120.0

Endpoint = Callable[[Request], dict[str, Any]]


@dataclass(frozen=True, slots=True)
class Route:
    """An endpoint; each ``*`` of ``path`` stands for one part of the path, an id."""

    method: str
    path: str
    endpoint: Endpoint

    def ids(self, method: str, path: str) -> tuple[str, ...] | None:
        """The ids of a request that belongs here, None for any other."""
        pattern = re.escape(self.path).replace(r"\*", "([^/]+)")
        found = re.fullmatch(pattern, path) if method == self.method else None
        return tuple(unquote(part) for part in found.groups()) if found else None


class LocalServer(ThreadingHTTPServer):
    """Serves the routes on a free port of 127.0.0.1, one thread per connection."""

    daemon_threads = True
    block_on_close = False
    request_queue_size = 128

    def __init__(self, routes: Sequence[Route], token: str, faults: Faults) -> None:
        self.routes = tuple(routes)
        self.token = token
        self.faults = faults
        self._connections: set[socket.socket] = set()
        self._lock = threading.Lock()
        super().__init__(("127.0.0.1", 0), _Handler)

    def server_bind(self) -> None:
        """Bind without asking for the name of this machine, which may take seconds."""
        socketserver.TCPServer.server_bind(self)
        self.server_name, self.server_port = "127.0.0.1", self.server_address[1]

    @property
    def host(self) -> str:
        """What a client is given as its host."""
        return f"http://127.0.0.1:{self.server_port}"

    def opened(self, connection: socket.socket) -> None:
        """Remember a connection, to close it when the server stops."""
        with self._lock:
            self._connections.add(connection)

    def closed(self, connection: socket.socket) -> None:
        """Forget a connection."""
        with self._lock:
            self._connections.discard(connection)

    def close_connections(self) -> None:
        """Cut every open connection: nobody is served by a workspace that has stopped."""
        with self._lock:
            for connection in self._connections:
                _cut(connection)


def _cut(connection: socket.socket) -> None:
    try:
        connection.shutdown(socket.SHUT_RDWR)
    except OSError:
        _LOG.debug("the client was faster in closing its connection")


class _DroppedError(Exception):
    """The connection is to be cut without an answer."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True  # with it, every call waits 40 ms
    wbufsize = -1  # head and body leave in one packet
    timeout = _IDLE_S
    server: LocalServer

    def setup(self) -> None:
        super().setup()
        self.server.opened(self.connection)

    def finish(self) -> None:
        self.server.closed(self.connection)
        super().finish()

    def log_message(self, format: str, *args: Any) -> None:
        _LOG.debug(format, *args)

    def _serve(self) -> None:
        url = urlsplit(self.path)
        try:
            body = self._read_body()
            self._check_token(url.path)
            status, answer, headers = 200, self._answer(url.path, url.query, body), {}
        except _DroppedError:
            self.close_connection = True
            _cut(self.connection)
            return
        except ApiError as error:
            status = error.status
            answer = {"error_code": error.error_code, "message": error.message}
            headers = (
                {} if error.retry_after_s is None else {"Retry-After": str(error.retry_after_s)}
            )
        except Exception as error:
            _LOG.exception("%s %s failed", self.command, url.path)
            status, headers = 500, {}
            message = f"{type(error).__name__}: {error}"
            answer = {"error_code": "INTERNAL_ERROR", "message": message}
        self._send(status, answer, headers)

    do_GET = do_POST = do_PATCH = do_PUT = do_DELETE = _serve  # noqa: N815

    def _read_body(self) -> bytes:
        length = self.headers.get("Content-Length", "0")
        if "Transfer-Encoding" in self.headers or not length.isdecimal():
            self.close_connection = True  # what follows cannot be told from the next request
            raise malformed("a body needs a Content-Length")
        if int(length) > _MAX_BODY_BYTES:
            self.close_connection = True
            raise malformed(f"a body may hold {_MAX_BODY_BYTES} bytes at most")
        return self.rfile.read(int(length))

    def _check_token(self, path: str) -> None:
        if path.startswith("/.well-known/"):  # asked for before there is a token
            raise no_endpoint(self.command, path)
        kind, _, token = self.headers.get("Authorization", "").partition(" ")
        is_known = hmac.compare_digest(token.strip().encode(), self.server.token.encode())
        if kind.lower() != "bearer" or not is_known:
            raise unauthenticated("Credential was not sent or was not valid for this workspace.")

    def _answer(self, path: str, query: str, raw_body: bytes) -> dict[str, Any]:
        fault = self.server.faults.take(self.command, path)
        if fault is not None:
            time.sleep(fault.delay_s)
            if fault.action == "drop_before":
                raise _DroppedError
            if fault.action == "respond":
                message = f"scripted fault: {fault.error_code}"
                raise ApiError(
                    fault.status, fault.error_code, message, retry_after_s=fault.retry_after_s
                )
        answer = self._dispatch(path, query, raw_body)
        if fault is not None and fault.action == "drop_after":
            raise _DroppedError
        return answer

    def _dispatch(self, path: str, query: str, raw_body: bytes) -> dict[str, Any]:
        for route in self.server.routes:
            ids = route.ids(self.command, path.rstrip("/"))
            if ids is not None:
                return route.endpoint(Request(ids, dict(parse_qsl(query)), _json(raw_body)))
        raise no_endpoint(self.command, path)

    def _send(self, status: int, answer: dict[str, Any], headers: dict[str, str]) -> None:
        content = json.dumps(answer).encode()
        try:
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(content)))
            for name, value in headers.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(content)
        except OSError:  # the client has left; what was asked is done
            self.close_connection = True


def _json(raw: bytes) -> dict[str, Any]:
    if not raw.strip():
        return {}
    try:
        body = json.loads(raw)
    except ValueError as error:
        raise malformed(f"Could not parse request object: {error}") from error
    if not isinstance(body, dict):
        raise malformed("Could not parse request object: a JSON object is expected")
    return body
