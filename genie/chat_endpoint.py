"""A chat model behind an OpenAI-compatible endpoint; Databricks model serving is one.

MLflow's judges (``make_judge``, ``custom_prompt_judge``) are not used to ask it: their replies are
a value and a rationale, without the quotes that are checked here, their keys come from the
process's environment, they wait without a limit in time, do not hear ``Retry-After``, count no
tokens against a budget, and take no address for Databricks endpoints. What they make, ``Feedback``
of an ``LLM_JUDGE``, is what is logged (``genie/traces.py``).
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import requests
from requests.auth import AuthBase
from urllib3.exceptions import HTTPError, ReadTimeoutError

from genie.patience import Attempt, Pacing, Timing
from transforms.errors import InvalidInputError, NoReplyError

if TYPE_CHECKING:
    from databricks.sdk.config import Config

WORKSPACE = "databricks"
"""In place of an address: model serving in the workspace of the SDK's environment."""

_RETRIED = frozenset({408, 409, 425, 429, 500, 502, 503, 504, 529})
_LASTING = frozenset({401, 403, 404})
_LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})
_COMPLETE = ("/invocations", "/chat/completions")
_CONNECT_S = 10.0
_MAX_BYTES = 1_000_000
_MAX_TOLD = 300
_MAX_RETRY_AFTER_S = 60.0


@dataclass(frozen=True, slots=True)
class ChatModel:
    """Which model is asked, where, and how this process shows who it is.

    ``url`` is the base that ``/chat/completions`` is added to, or the whole address where it ends
    in that or in ``/invocations``. ``databricks`` stands for model serving in the workspace that
    the SDK's environment names; None: nobody is asked, what the model replied before still counts.
    Without a ``token``, the SDK's credentials are used where they are for the same host, and none
    otherwise.
    """

    name: str
    url: str | None = None
    token: str | None = field(default=None, repr=False)

    def __post_init__(self) -> None:
        """Raises InvalidInputError for an address that must not or cannot be asked."""
        if self.url in (None, WORKSPACE):
            return
        parts = urlsplit(self.url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise _invalid("not the address of an endpoint", "give https://HOST/PATH")
        if parts.username or parts.password or parts.query or parts.fragment:
            raise _invalid(
                "an address with a name, a password or parameters", "give the token by itself"
            )
        if self.token and parts.scheme == "http" and parts.hostname not in _LOOPBACK:
            raise _invalid("a token would be sent unencrypted", "give an address with https")


def _invalid(what: str, remedy: str) -> InvalidInputError:
    return InvalidInputError(what, where="the model judge's URL", remedy=remedy)


@dataclass(frozen=True, slots=True)
class ChatReply:
    """The text of a reply, and the tokens that the request took in all, as far as is known."""

    text: str
    tokens: int


class ChatEndpoint:
    """Asks one model. Safe to use from several threads at once.

    Each request is tried until ``timeout_s`` (seconds) are over, each try for ``try_timeout_s``.
    """

    def __init__(
        self,
        model: ChatModel,
        *,
        timeout_s: float = 180.0,
        try_timeout_s: float = 60.0,
        max_reply_tokens: int = 4_000,
        pacing: Pacing | None = None,
        timing: Timing | None = None,
    ) -> None:
        self.model = model
        self._timeout_s = timeout_s
        self._try_timeout_s = try_timeout_s
        self._pacing = pacing or Pacing(first_wait_s=1.0, max_wait_s=20.0)
        self._timing = timing or Timing()
        # What endpoints may not know: left out from the first refusal on.
        self._optional: dict[str, Any] = {"temperature": 0, "max_tokens": max_reply_tokens}
        self._has_response_format = True
        self._workspace = _Workspace()

    def reply(
        self,
        messages: Sequence[Mapping[str, str]],
        response_format: Mapping[str, Any],
        before_try: Callable[[], None] = lambda: None,
    ) -> ChatReply:
        """What the model replies; ``before_try`` is called before anything is sent, each time.

        Raises NoReplyError when there is none, and what ``before_try`` raises.
        """
        if self.model.url is None:
            raise NoReplyError("no endpoint is configured to ask it at", "lasting")
        attempt = Attempt(self._timing, self._pacing, self._timeout_s)
        while True:
            before_try()
            address = self._address()
            body = self._body(address, messages, response_format)
            said = self._try(address, body, attempt)
            if isinstance(said, ChatReply):
                return said
            if said.status == 400 and self._leave_out(said.text, body):
                continue
            if said.status is not None and said.status not in _RETRIED:
                raise NoReplyError(said.told, "lasting" if said.status in _LASTING else "one")
            attempt.pause(said.retry_after_s)
            if attempt.left_s <= 0:
                raise NoReplyError(f"{said.told}, for {self._timeout_s:g} s", "outage")

    def _address(self) -> str:
        base = self.model.url or ""
        if base == WORKSPACE:
            config = self._workspace.config
            if config is None or not config.host:
                raise NoReplyError("no workspace is named to ask it in", "lasting")
            base = f"{config.host}/serving-endpoints"
        base = base.rstrip("/")
        return base if base.endswith(_COMPLETE) else f"{base}/chat/completions"

    def _headers(self, address: str) -> dict[str, str]:
        """Who asks: the token, or the workspace's own credentials in that workspace only."""
        if self.model.token:
            return {"Authorization": f"Bearer {self.model.token}"}
        config = self._workspace.config
        if config is None or not _is_same_host(address, config.host or ""):
            return {}
        try:
            return config.authenticate()
        except Exception as error:  # of any of the SDK's ways to log in
            raise NoReplyError(f"nobody can log in: {type(error).__name__}", "lasting") from error

    def _body(
        self,
        address: str,
        messages: Sequence[Mapping[str, str]],
        response_format: Mapping[str, Any],
    ) -> dict[str, Any]:
        body: dict[str, Any] = {"messages": list(messages), **self._optional}
        if not address.endswith("/invocations"):
            body["model"] = self.model.name
        if self._has_response_format:
            body["response_format"] = response_format
        return body

    def _leave_out(self, refusal: str, body: Mapping[str, Any]) -> bool:
        """Whether an endpoint refuses something in the body that it can be asked without."""
        text = refusal.lower()
        for name in ("temperature", "max_tokens"):
            if name in text and name in body:
                self._optional = {k: v for k, v in self._optional.items() if k != name}
                return True
        is_format = any(word in text for word in ("response_format", "json_schema", "structured"))
        if is_format and "response_format" in body:
            self._has_response_format = False
            return True
        return False

    def _try(self, address: str, body: Mapping[str, Any], attempt: Attempt) -> ChatReply | _Fault:
        auth = _Headers(self._headers(address))
        seconds = min(self._try_timeout_s, max(0.1, attempt.left_s))
        try:
            with requests.post(
                address,
                json=body,
                auth=auth,
                timeout=(min(_CONNECT_S, seconds), seconds),
                allow_redirects=False,  # neither data nor token go where nobody sent them
                stream=True,
            ) as response:
                content = self._content(response, seconds)
        except (requests.Timeout, ReadTimeoutError):
            return _Fault(f"the endpoint did not answer within {seconds:g} s")
        except (requests.RequestException, HTTPError) as error:
            return _Fault(f"the endpoint cannot be reached: {type(error).__name__}")
        if response.status_code != 200:
            return _fault(response, content)
        return _reply(content, len(json.dumps(body)))

    def _content(self, response: requests.Response, seconds: float) -> bytes:
        """The body, if all of it is there in time; a body may come byte by byte for ever."""
        until = self._timing.monotonic() + seconds
        content = b""
        while chunk := response.raw.read1(65_536, decode_content=True):
            content += chunk
            if len(content) > _MAX_BYTES:
                raise NoReplyError("the endpoint's answer is too large")
            if self._timing.monotonic() > until:
                raise requests.Timeout
        return content


@dataclass(frozen=True, slots=True)
class _Fault:
    """A try without a reply; ``status`` is None where there was no answer at all."""

    told: str
    status: int | None = None
    text: str = ""
    retry_after_s: float | None = None


def _fault(response: requests.Response, content: bytes) -> _Fault:
    text = content.decode("utf-8", "replace")
    told = f"the endpoint answered {response.status_code}"
    # Who is refused may be told with what key.
    if response.status_code not in (401, 403) and (message := _message(text)):
        told += f": {message}"
    return _Fault(told, response.status_code, text, _retry_after_s(response))


def _message(text: str) -> str:
    """What an error says, on one line."""
    try:
        said = json.loads(text)
        said = said.get("error", said)
        said = said.get("message", "") if isinstance(said, dict) else said
    except (ValueError, AttributeError):
        return ""
    return " ".join("".join(c if c.isprintable() else " " for c in str(said)).split())[:_MAX_TOLD]


def _retry_after_s(response: requests.Response) -> float | None:
    """Seconds that the endpoint asks to wait; None where it says none, or a date."""
    try:
        seconds = float(response.headers.get("Retry-After", ""))
    except ValueError:
        return None
    return min(seconds, _MAX_RETRY_AFTER_S) if seconds >= 0 else None


def _reply(content: bytes, sent_characters: int) -> ChatReply:
    """Raises NoReplyError for what is no reply, a refusal and one that was cut off."""
    try:
        answer = json.loads(content)
        choice = answer["choices"][0]
        message = choice["message"]
        text = _text(message.get("content"))
        refusal, finish = message.get("refusal"), choice.get("finish_reason")
        told = (answer.get("usage") or {}).get("total_tokens")
    except (ValueError, LookupError, TypeError, AttributeError, RecursionError) as error:
        raise NoReplyError("the endpoint's answer is no chat completion") from error
    if refusal or finish == "content_filter":
        raise NoReplyError("the model refuses to judge this")
    if finish == "length":
        raise NoReplyError("the model's reply was cut off")
    if not text.strip():
        raise NoReplyError("the model's reply is empty")
    estimated = (sent_characters + len(text)) // 3
    return ChatReply(text, told if isinstance(told, int) and told >= 0 else estimated)


def _text(content: Any) -> str:
    """The text of a message: as it is, or of its parts that are text."""
    if content is None or isinstance(content, str):
        return content or ""
    return "".join(part["text"] for part in content if part.get("type") == "text")


class _Workspace:
    """The workspace that the SDK's standard environment names; it is looked up once, when asked."""

    def __init__(self) -> None:
        self._lock = threading.Lock()

    @property
    def config(self) -> Config | None:
        """Its address and credentials; None where none is named or nobody can log in there."""
        with self._lock:
            return self._config

    @cached_property
    def _config(self) -> Config | None:
        from genie.one_try import one_try_client  # takes long to import, and a token may do

        try:
            return one_try_client().config
        except ValueError:
            return None


class _Headers(AuthBase):
    """Sets who asks on the request itself, so that no ``.netrc`` speaks for somebody else."""

    def __init__(self, headers: Mapping[str, str]) -> None:
        self._headers = headers

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        request.headers.update(self._headers)
        return request


def _is_same_host(url: str, host: str) -> bool:
    """Whether two addresses are of one server, asked in the same way."""
    one, other = urlsplit(url), urlsplit(host if "://" in host else f"https://{host}")
    return (one.scheme, one.hostname, one.port) == (other.scheme, other.hostname, other.port)
