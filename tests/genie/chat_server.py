"""A chat model on the loopback interface whose every answer is written down beforehand."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass
class Scripted:
    """One HTTP answer; it is begun after ``delay_s`` and takes ``drip_s`` between two bytes."""

    status: int = 200
    body: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)
    delay_s: float = 0.0
    drip_s: float = 0.0


def completion(content: Any, *, finish="stop", refusal=None, tokens: int | None = 100) -> Scripted:
    """A chat completion with that content; what is no text is its JSON."""
    text = content if isinstance(content, str | list) or content is None else json.dumps(content)
    message = {"role": "assistant", "content": text, "refusal": refusal}
    answer: dict[str, Any] = {"choices": [{"message": message, "finish_reason": finish}]}
    if tokens is not None:
        answer["usage"] = {"total_tokens": tokens}
    return Scripted(body=json.dumps(answer))


class ChatServer:
    """Answers each request by ``answers``: a list whose last repeats, or a function of the body.

    ``requests`` are the bodies that came, ``headers`` and ``paths`` go with them.
    """

    def __init__(self, *answers: Scripted, by: Callable[[dict], Scripted] | None = None):
        self._answers, self._by = list(answers), by
        self._lock = threading.Lock()
        self.requests: list[dict[str, Any]] = []
        self.headers: list[dict[str, str]] = []
        self.paths: list[str] = []
        self.in_flight = self.most_in_flight = 0
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_port}/v1"

    def __enter__(self):
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()
        return self

    def __exit__(self, *_):
        self._server.shutdown()
        self._server.server_close()

    def _next(self, handler, body) -> Scripted:
        with self._lock:
            self.requests.append(body)
            self.headers.append(dict(handler.headers))
            self.paths.append(handler.path)
            if self._by is not None:
                return self._by(body)
            return self._answers.pop(0) if len(self._answers) > 1 else self._answers[0]

    def _handler(self):
        server = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self):
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                with server._lock:
                    server.in_flight += 1
                    server.most_in_flight = max(server.most_in_flight, server.in_flight)
                try:
                    self._answer(server._next(self, body))
                except (BrokenPipeError, ConnectionResetError):
                    pass  # whoever asked has given up, as it was meant to
                finally:
                    with server._lock:
                        server.in_flight -= 1

            def _answer(self, scripted):
                time.sleep(scripted.delay_s)
                content = scripted.body.encode()
                self.send_response(scripted.status)
                for name, value in scripted.headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                if not scripted.drip_s:
                    self.wfile.write(content)
                    return
                for position in range(len(content)):
                    self.wfile.write(content[position : position + 1])
                    time.sleep(scripted.drip_s)

            def log_message(self, *_):
                pass

        return Handler
