"""The client of chat models against a scripted endpoint: replies, refusals, faults, patience."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor

import pytest

from genie.chat_endpoint import WORKSPACE, ChatEndpoint, ChatModel
from genie.patience import Pacing, Timing
from tests.genie.chat_server import ChatServer, Scripted, completion
from transforms.errors import InvalidInputError, NoReplyError

MESSAGES = [{"role": "user", "content": "{}"}]
FORMAT = {"type": "json_schema", "json_schema": {"name": "n", "schema": {}}}
ERROR = json.dumps({"error": {"message": "out\nof order"}})


class Waits:
    """Time that only waiting moves on, at once."""

    def __init__(self):
        self.now = 0.0
        self.waits = []
        self.timing = Timing(monotonic=lambda: self.now, sleep=self.sleep, jitter=lambda: 1.0)

    def sleep(self, seconds):
        self.waits.append(seconds)
        self.now += seconds


def asked(server, *, token=None, url=None, waits=None, **options):
    waits = waits or Waits()
    pacing = Pacing(first_wait_s=1.0, max_wait_s=4.0)
    model = ChatModel("m", url or server.url, token)
    endpoint = ChatEndpoint(model, pacing=pacing, timing=waits.timing, **options)
    return endpoint.reply(MESSAGES, FORMAT)


@pytest.fixture(autouse=True)
def no_workspace(monkeypatch, tmp_path):
    for name in ("DATABRICKS_HOST", "DATABRICKS_TOKEN", "DATABRICKS_CONFIG_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("DATABRICKS_CONFIG_FILE", str(tmp_path / "none"))


def test_a_reply_is_its_text_and_what_it_cost():
    with ChatServer(completion("hello", tokens=42)) as server:
        reply = asked(server, token="secret")
    assert (reply.text, reply.tokens) == ("hello", 42)
    (body,) = server.requests
    assert body["model"] == "m"
    assert body["messages"] == MESSAGES
    assert body["response_format"] == FORMAT
    assert body["temperature"] == 0
    assert server.paths == ["/v1/chat/completions"]
    assert server.headers[0]["Authorization"] == "Bearer secret"


def test_a_serving_endpoint_is_asked_at_its_own_address():
    with ChatServer(completion("hello")) as server:
        url = server.url.removesuffix("/v1") + "/serving-endpoints/judge/invocations"
        asked(server, url=url)
    assert server.paths == ["/serving-endpoints/judge/invocations"]
    assert "model" not in server.requests[0]
    assert "Authorization" not in server.headers[0]


def test_text_in_parts_is_put_together_and_reasoning_left_out():
    parts = [{"type": "reasoning", "summary": []}, {"type": "text", "text": "a"},
             {"type": "text", "text": "b"}]  # fmt: skip
    with ChatServer(completion(parts, tokens=None)) as server:
        reply = asked(server)
    assert reply.text == "ab"
    assert reply.tokens > 0, "estimated where it is not told"


def test_a_fault_that_passes_is_waited_out():
    waits = Waits()
    with ChatServer(Scripted(500, ERROR), Scripted(503), completion("ok")) as server:
        assert asked(server, waits=waits).text == "ok"
    assert waits.waits == [1.0, 2.0]


def test_the_endpoint_says_how_long_to_wait():
    waits = Waits()
    with ChatServer(Scripted(429, headers={"Retry-After": "7"}), completion("ok")) as server:
        assert asked(server, waits=waits).text == "ok"
    assert waits.waits == [8.0], "seven seconds and the jitter"


def test_patience_ends():
    waits = Waits()
    with ChatServer(Scripted(500, ERROR)) as server, pytest.raises(NoReplyError) as raised:
        asked(server, waits=waits, timeout_s=10)
    assert raised.value.kind == "outage"
    assert "answered 500: out of order, for 10 s" in raised.value.what
    assert sum(waits.waits) <= 10


@pytest.mark.parametrize(
    "slow",
    [Scripted(delay_s=3.0), Scripted(body="x" * 1000, drip_s=0.05)],
    ids=["no answer", "byte by byte"],
)
def test_an_answer_that_does_not_come_in_time_is_none(slow):
    model = ChatModel("m", "http://127.0.0.1:1")
    with ChatServer(slow) as server:
        model = ChatModel("m", server.url)
        endpoint = ChatEndpoint(model, timeout_s=0.6, try_timeout_s=0.3)
        with pytest.raises(NoReplyError, match="did not answer within") as raised:
            endpoint.reply(MESSAGES, FORMAT)
    assert raised.value.kind == "outage"


def test_nobody_there_is_an_outage():
    with pytest.raises(NoReplyError, match="cannot be reached") as raised:
        asked(None, url="http://127.0.0.1:9/v1", timeout_s=3)
    assert raised.value.kind == "outage"


@pytest.mark.parametrize(
    ("answer", "kind", "told"),
    [
        (Scripted(401, ERROR), "lasting", "answered 401$"),
        (Scripted(404), "lasting", "answered 404"),
        (Scripted(302, headers={"Location": "http://127.0.0.1:9/"}), "one", "answered 302"),
        (Scripted(400, ERROR), "one", "answered 400"),
        (Scripted(body="<html>"), "one", "no chat completion"),
        (Scripted(body='{"choices": []}'), "one", "no chat completion"),
        (Scripted(body='{"choices": [7]}'), "one", "no chat completion"),
        (completion([7]), "one", "no chat completion"),
        (completion(None, refusal="no"), "one", "refuses"),
        (completion("x", finish="content_filter"), "one", "refuses"),
        (completion("{", finish="length"), "one", "cut off"),
        (completion(" "), "one", "empty"),
        (Scripted(body="x" * 1_100_000), "one", "too large"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_is_no_reply_says_why_and_is_not_tried_again(answer, kind, told):
    with ChatServer(answer) as server, pytest.raises(NoReplyError, match=told) as raised:
        asked(server)
    assert raised.value.kind == kind
    assert len(server.requests) == 1


def test_what_an_endpoint_does_not_know_is_left_out_from_then_on():
    def answer(body):
        for name in ("response_format", "temperature", "max_tokens"):
            if name in body:
                return Scripted(400, json.dumps({"message": f"unsupported parameter: {name}"}))
        return completion("ok")

    with ChatServer(by=answer) as server:
        endpoint = ChatEndpoint(ChatModel("m", server.url), timing=Waits().timing)
        assert endpoint.reply(MESSAGES, FORMAT).text == "ok"
        assert len(server.requests) == 4
        endpoint.reply(MESSAGES, FORMAT)
    assert len(server.requests) == 5


def test_what_is_not_known_is_left_out_by_all_who_ask_at_once():
    def answer(body):
        if "response_format" in body:
            refusal = json.dumps({"message": "no response_format here"})
            return Scripted(400, refusal, delay_s=0.1)
        return completion("ok")

    with ChatServer(by=answer) as server, ThreadPoolExecutor(3) as pool:
        endpoint = ChatEndpoint(ChatModel("m", server.url))
        replies = pool.map(lambda _: endpoint.reply(MESSAGES, FORMAT).text, range(3))
        assert list(replies) == ["ok"] * 3


def test_the_workspace_s_credentials_go_to_the_workspace_only(monkeypatch):
    with ChatServer(completion("ok")) as server:
        host = server.url.removesuffix("/v1")
        monkeypatch.setenv("DATABRICKS_HOST", host)
        monkeypatch.setenv("DATABRICKS_TOKEN", "of the workspace")
        asked(server, url=WORKSPACE)
        asked(server)
        asked(server, url=server.url.replace("127.0.0.1", "localhost"))
    chats = [i for i, path in enumerate(server.paths) if path.endswith("/chat/completions")]
    assert server.paths[chats[0]] == "/serving-endpoints/chat/completions"
    sent = [server.headers[i].get("Authorization") for i in chats]
    assert sent == ["Bearer of the workspace", "Bearer of the workspace", None]


def test_without_an_address_or_a_workspace_nobody_is_asked():
    for model in (ChatModel("m"), ChatModel("m", WORKSPACE)):
        with pytest.raises(NoReplyError) as raised:
            ChatEndpoint(model).reply(MESSAGES, FORMAT)
        assert raised.value.kind == "lasting"


@pytest.mark.parametrize(
    ("url", "token"),
    [
        ("judge", None),
        ("ftp://example.org", None),
        ("https://me:secret@example.org/v1", None),
        ("https://example.org/v1?key=secret", None),
        ("http://example.org/v1", "secret"),
    ],
)
def test_an_address_that_must_not_be_asked_is_refused(url, token):
    with pytest.raises(InvalidInputError) as raised:
        ChatModel("m", url, token)
    assert "secret" not in str(raised.value)


def test_a_token_is_not_shown():
    assert "secret" not in repr(ChatModel("m", "https://example.org", "secret"))
