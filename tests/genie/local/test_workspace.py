"""The embedded workspace beyond the contract: persistence, limits, faults, refusals."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from pathlib import Path

import pytest
import requests
from databricks.sdk import errors
from databricks.sdk.service.dashboards import GenieFeedbackRating

from genie.local.faults import Fault, Faults
from genie.local.messages import Pace
from genie.local.seams import EngineAnswer, Turn
from genie.local.warehouses import WAREHOUSE_ID
from genie.local.workspace import EmbeddedWorkspace
from tests.genie.local.fakes import FakeBackend, FakeEngine, FastClock, client_of
from transforms.errors import AnswererError, HomeBusyError, InvalidInputError

ROOT = Path(__file__).parents[3]
DOCUMENT = {
    "version": 2,
    "data_sources": {"tables": [{"identifier": "main.rides"}]},
    "benchmarks": {
        "questions": [
            {"id": "b" * 32, "question": ["Secret?"],
             "answer": [{"format": "SQL", "content": ["SELECT 7"]}]}
        ]
    },
}  # fmt: skip


class Served:
    """A workspace with one space, and short ways to ask it."""

    def __init__(self, folder, **options):
        self.engine = options.pop("engine", None) or FakeEngine()
        self.backend = FakeBackend()
        self.faults = options.pop("faults", None) or Faults()
        self.workspace = EmbeddedWorkspace(
            folder, self.engine, self.backend, faults=self.faults, **options
        )
        self.client = client_of(self.workspace)
        self.genie = self.client.genie

    def new_space(self):
        space = self.genie.create_space(WAREHOUSE_ID, json.dumps(DOCUMENT), title="Rides")
        return space.space_id

    def ask(self, space_id, question):
        return self.genie.start_conversation(space_id, question).response.message

    def look(self, message):
        return self.genie.get_message(message.space_id, message.conversation_id, message.message_id)

    def wait(self, message, *statuses):
        wanted = statuses or ("COMPLETED", "FAILED")
        deadline = time.monotonic() + 10
        while (seen := self.look(message)).status.value not in wanted:
            assert time.monotonic() < deadline, f"still {seen.status}"
            time.sleep(0.005)
        return seen


@pytest.fixture
def serve(tmp_path):
    opened = []

    def open_one(**options):
        served = Served(tmp_path / "workspace", **options)
        opened.append(served)
        return served

    yield open_one
    for served in opened:
        served.engine.go.set()
        served.workspace.close()


def test_the_engine_never_sees_benchmarks_and_gets_the_turns_before(serve):
    served = serve()
    message = served.wait(served.ask(served.new_space(), "select 1"))
    follow_up = served.genie.create_message(
        message.space_id, message.conversation_id, "and then"
    ).response
    served.wait(follow_up)
    config, question, history = served.engine.asked[-1]
    assert question == "and then"
    assert history == (Turn("select 1", "select 1", None),)
    assert "Secret" not in config.serialize()
    assert config.counts().tables == 1


def test_a_text_answer_has_no_query(serve):
    served = serve()
    done = served.wait(served.ask(served.new_space(), "rides"))
    assert done.status.value == "COMPLETED"
    (attachment,) = done.attachments
    assert (attachment.query, attachment.text.content) == (None, "What do you mean by 'rides'?")


@pytest.mark.parametrize("polls", [1, 2])
def test_a_client_sees_every_status_in_order(serve, polls):
    served = serve(pace=Pace(polls=polls))
    message = served.ask(served.new_space(), "select 1")
    seen = [message.status.value]
    while seen[-1] != "COMPLETED":
        shown = served.look(message)
        seen.append(shown.status.value)
        has_query = any(found.query for found in shown.attachments or ())
        assert has_query is (shown.status.value in ("EXECUTING_QUERY", "COMPLETED"))
    assert list(dict.fromkeys(seen)) == [
        "SUBMITTED", "FETCHING_METADATA", "FILTERING_CONTEXT", "ASKING_AI", "PENDING_WAREHOUSE",
        "EXECUTING_QUERY", "COMPLETED",
    ]  # fmt: skip


def test_statuses_last_as_long_as_they_are_told_to(serve):
    now = [1_000.0]
    served = serve(pace=Pace(seconds=2.0), clock=lambda: now[0])
    message = served.ask(served.new_space(), "rides")
    seen = Counter()
    while not seen["COMPLETED"]:
        seen[served.look(message).status.value] += 1
        now[0] += 1.0
        assert seen.total() < 10_000
    assert list(seen) == ["SUBMITTED", "FETCHING_METADATA", "FILTERING_CONTEXT", "ASKING_AI",
                          "COMPLETED"]  # fmt: skip
    assert all(seen[status] >= 2 for status in seen if status != "COMPLETED")


@pytest.mark.parametrize(
    ("question", "error_type", "error"),
    [
        ("fail", "GENERIC_CHAT_COMPLETION_EXCEPTION", "RuntimeError: the engine broke"),
        ("select * from broken", "SQL_EXECUTION_EXCEPTION", "TABLE_OR_VIEW_NOT_FOUND"),
        ("DROP TABLE rides", "SQL_EXECUTION_EXCEPTION", "DROP is not a query"),
        ("SELECT 1; DROP TABLE rides", "SQL_EXECUTION_EXCEPTION", "more than one statement"),
        ("select * from csv.`/etc/passwd`", "SQL_EXECUTION_EXCEPTION", "not executed: refused"),
    ],
)
def test_what_goes_wrong_ends_in_the_message(serve, question, error_type, error):
    served = serve()
    failed = served.wait(served.ask(served.new_space(), question))
    assert failed.status.value == "FAILED"
    assert failed.error.type.value == error_type
    assert error in failed.error.error


def test_nothing_but_a_query_reaches_the_backend_from_a_question(serve):
    served = serve()
    space_id = served.new_space()
    for question in ("DROP TABLE rides", "select 1; select 2", "select java_method('x')"):
        served.wait(served.ask(space_id, question))
    assert served.backend.ran == []


def test_an_engine_that_may_answer_later_says_so(serve):
    served = serve()
    served.engine.error = AnswererError("the model is busy")
    failed = served.wait(served.ask(served.new_space(), "fail"))
    assert failed.error.type.value == "RETRYABLE_PROCESSING_EXCEPTION"


def test_results_come_in_chunks_and_end_at_5000_rows(serve):
    served = serve(chunk_rows=2_000)
    done = served.wait(served.ask(served.new_space(), "select 5001"))
    (attachment,) = done.attachments
    assert attachment.query.query_result_metadata.is_truncated
    response = served.genie.get_message_attachment_query_result(
        done.space_id, done.conversation_id, done.message_id, attachment.attachment_id
    ).statement_response
    manifest = response.manifest
    assert (manifest.total_row_count, manifest.total_chunk_count) == (5_000, 3)
    assert manifest.truncated
    assert [(c.name, c.type_name.value) for c in manifest.schema.columns] == [
        ("id", "LONG"), ("price", "DECIMAL"),
    ]  # fmt: skip
    assert (manifest.schema.columns[1].type_precision, manifest.schema.columns[1].type_scale) == (
        10, 2,
    )  # fmt: skip
    rows, chunk = [], response.result
    while True:
        rows += chunk.data_array
        if chunk.next_chunk_index is None:
            break
        chunk = served.client.statement_execution.get_statement_result_chunk_n(
            response.statement_id, chunk.next_chunk_index
        )
    assert len(rows) == 5_000
    assert rows[:2] == [["0", "0.50"], ["1", None]]


def test_what_was_answered_survives_and_its_result_expires(serve):
    first = serve()
    done = first.wait(first.ask(first.new_space(), "select 3"))
    etag = first.genie.get_space(done.space_id, include_serialized_space=True).etag
    first.workspace.close()
    second = serve()
    again = second.look(done)
    assert again.status.value == "QUERY_RESULT_EXPIRED"
    (attachment,) = again.attachments
    assert attachment.query.query == "select 3"
    ids = (done.space_id, done.conversation_id, done.message_id, attachment.attachment_id)
    with pytest.raises(errors.InvalidState, match="Execute the query again"):
        second.genie.get_message_attachment_query_result(*ids)
    assert second.genie.execute_message_attachment_query(
        *ids
    ).statement_response.manifest.total_row_count == 3  # fmt: skip
    assert second.look(done).status.value == "COMPLETED"
    found = second.genie.get_space(done.space_id, include_serialized_space=True)
    assert (found.etag, json.loads(found.serialized_space)) == (etag, DOCUMENT)
    assert second.genie.list_spaces().spaces[0].space_id == done.space_id


def test_what_was_not_answered_when_it_closed_is_answered_later(serve):
    first = serve()
    message = first.ask(first.new_space(), "wait select 1")
    first.wait(message, "ASKING_AI")
    first.workspace.close()
    first.engine.go.set()  # the old process finishes too late to have a say
    second = serve()
    second.engine.go.set()
    assert second.wait(message).attachments[0].query.query == "select 1"


KILLED = """
import os, signal, sys, threading
from pathlib import Path
from genie.local.seams import EngineAnswer, SqlResult
from genie.local.workspace import EmbeddedWorkspace

class Hanging:
    def answer(self, config, question, history):
        if "kill" in question:
            os.kill(os.getpid(), signal.SIGKILL)
        threading.Event().wait()

class NoSql:
    def execute(self, request):
        return SqlResult()
    def cancel(self, tag):
        pass

workspace = EmbeddedWorkspace(Path(sys.argv[1]), Hanging(), NoSql(), token="token")
print(workspace.host, flush=True)
threading.Event().wait()
"""


def start_process(folder):
    process = subprocess.Popen(
        [sys.executable, "-c", KILLED, str(folder)], stdout=subprocess.PIPE, text=True, cwd=ROOT
    )
    return process, process.stdout.readline().strip()


def post(host, path, body):
    headers = {"Authorization": "Bearer token"}
    return requests.post(f"{host}/api/2.0/genie/spaces{path}", json=body, headers=headers).json()


def test_a_kill_in_the_middle_of_an_answer_loses_nothing(serve, tmp_path):
    process, host = start_process(tmp_path / "workspace")
    body = {"warehouse_id": WAREHOUSE_ID, "serialized_space": json.dumps(DOCUMENT)}
    space_id = post(host, "", body)["space_id"]
    started = post(host, f"/{space_id}/start-conversation", {"content": "select 4"})
    process.send_signal(signal.SIGKILL)
    process.wait()
    process.stdout.close()
    served = serve()
    message = served.genie.get_message(space_id, started["conversation_id"], started["message_id"])
    assert served.wait(message).attachments[0].query.query == "select 4"


def test_a_question_that_kills_its_process_fails_in_the_end(serve, tmp_path):
    process, host = start_process(tmp_path / "workspace")
    body = {"warehouse_id": WAREHOUSE_ID, "serialized_space": json.dumps(DOCUMENT)}
    space_id = post(host, "", body)["space_id"]
    started = post(host, f"/{space_id}/start-conversation", {"content": "select 1"})
    process.kill()
    process.wait()
    process.stdout.close()
    folder = tmp_path / "workspace" / "messages" / started["conversation_id"]
    path = folder / f"{started['message_id']}.json"
    kept = json.loads(path.read_text())
    path.write_text(json.dumps({**kept, "tries": 3}))
    served = serve()
    message = served.genie.get_message(space_id, started["conversation_id"], started["message_id"])
    failed = served.wait(message)
    assert failed.error.type.value == "REPLY_PROCESS_TIMEOUT_EXCEPTION"
    assert served.engine.asked == []


def test_only_one_process_has_a_workspace_open(serve, tmp_path):
    serve()
    with pytest.raises(HomeBusyError, match="another process serves this workspace"):
        EmbeddedWorkspace(tmp_path / "workspace", FakeEngine(), FakeBackend())


def test_half_written_files_are_swept_and_broken_ones_named(serve, tmp_path):
    served = serve()
    served.new_space()
    served.workspace.close()
    folder = tmp_path / "workspace" / "spaces"
    (folder / "x.json.tmp").write_text("{")
    serve().workspace.close()
    assert not (folder / "x.json.tmp").exists()
    (folder / "y.json").write_text("{")
    with pytest.raises(InvalidInputError, match=r"y\.json"):
        serve()
    (folder / "y.json").unlink()
    serve()  # what failed to open has left the folder to others


def test_a_patch_that_is_sent_again_succeeds_like_the_first(serve):
    served = serve()
    space_id = served.new_space()
    etag = served.genie.get_space(space_id, include_serialized_space=True).etag
    served.faults.add(Fault("drop_after", "PATCH"))
    client = client_of(served.workspace, clock=FastClock())
    changed = client.genie.update_space(space_id, title="Once", etag=etag)
    assert changed.title == "Once"
    with pytest.raises(errors.Aborted):
        client.genie.update_space(space_id, title="Twice", etag=etag)


def test_a_question_that_is_sent_again_is_asked_twice_as_on_the_platform(serve):
    served = serve()
    space_id = served.new_space()
    served.faults.add(Fault("drop_after", "POST", "start-conversation"))
    client_of(served.workspace, clock=FastClock()).genie.start_conversation(space_id, "select 1")
    assert len(served.genie.list_conversations(space_id).conversations) == 2


@pytest.mark.parametrize(
    ("fault", "kind"),
    [
        (Fault("respond", "GET", status=500), errors.InternalError),
        (Fault("respond", "GET", status=501, error_code="NO"), errors.NotImplemented),
        (Fault("respond", "GET", status=403, error_code="NO"), errors.PermissionDenied),
    ],
)
def test_scripted_errors_arrive_as_the_errors_of_the_sdk(serve, fault, kind):
    served = serve()
    served.faults.add(fault)
    with pytest.raises(kind):
        served.client.current_user.me()
    assert served.client.current_user.me().user_name == "me@localhost"


def test_a_connection_that_is_dropped_before_anything_is_done_changes_nothing(serve):
    served = serve()
    space_id = served.new_space()
    served.faults.add(Fault("drop_before", "DELETE"))
    client_of(served.workspace, clock=FastClock()).genie.trash_space(space_id)
    assert not served.genie.list_spaces().spaces


def test_a_delay_only_delays(serve):
    served = serve()
    served.faults.add(Fault("delay", "GET", "/Me", delay_s=0.05))
    start = time.monotonic()
    served.client.current_user.me()
    assert time.monotonic() - start >= 0.05


def test_questions_beyond_the_limit_are_told_when_to_come_back(serve):
    now = [1_000.0]
    served = serve(questions_per_minute=2, clock=lambda: now[0])
    space_id = served.new_space()
    url = f"{served.workspace.host}/api/2.0/genie/spaces/{space_id}/start-conversation"
    headers = {"Authorization": f"Bearer {served.workspace.token}"}

    def ask():
        return requests.post(url, json={"content": "select 1"}, headers=headers)

    assert [ask().status_code, ask().status_code] == [200, 200]
    now[0] += 18.5
    refused = ask()
    assert (refused.status_code, refused.headers["Retry-After"]) == (429, "42")
    assert refused.json()["error_code"] == "REQUEST_LIMIT_EXCEEDED"
    now[0] += 42
    assert ask().status_code == 200


@pytest.mark.parametrize("header", [None, "Bearer wrong", "Basic token", "Bearer "])
def test_nobody_is_served_without_the_token(serve, header):
    served = serve()
    headers = {} if header is None else {"Authorization": header}
    answer = requests.get(f"{served.workspace.host}/api/2.0/genie/spaces", headers=headers)
    assert (answer.status_code, answer.json()["error_code"]) == (401, "UNAUTHENTICATED")
    with pytest.raises(errors.Unauthenticated):
        client_of(served.workspace, token="wrong").current_user.me()


def test_what_may_be_done_depends_on_the_permission(serve, tmp_path):
    served = serve()
    space_id = served.new_space()
    served.workspace.close()
    served = serve(level="CAN_RUN")
    assert served.wait(served.ask(space_id, "select 1")).status.value == "COMPLETED"
    for refused in (
        lambda: served.genie.get_space(space_id, include_serialized_space=True),
        lambda: served.genie.update_space(space_id, title="x"),
        lambda: served.genie.trash_space(space_id),
    ):
        with pytest.raises(errors.PermissionDenied, match="permission is required"):
            refused()


@pytest.mark.parametrize(
    ("method", "path", "body", "message"),
    [
        ("POST", "/genie/spaces", b"{", "Could not parse request object"),
        ("POST", "/genie/spaces", b"[]", "a JSON object is expected"),
        ("POST", "/genie/spaces", b'{"serialized_space": {}}',
         "Expected Scalar value for String field 'serialized_space'"),
        ("POST", "/genie/spaces", b"{}", "serialized_space must be provided"),
        ("GET", "/genie/spaces?page_size=0", None, "page_size must be between"),
        ("GET", "/genie/spaces?page_token=eA==", None, "page_token is not one"),
        ("POST", "/sql/statements",
         b'{"statement": "x", "warehouse_id": "0000000000000001", "format": "CSV"}',
         "format CSV is not supported here"),
    ],
)  # fmt: skip
def test_requests_that_cannot_be_read_say_what_is_wrong(serve, method, path, body, message):
    served = serve()
    answer = requests.request(
        method, f"{served.workspace.host}/api/2.0{path}", data=body,
        headers={"Authorization": f"Bearer {served.workspace.token}"},
    )  # fmt: skip
    assert answer.status_code == 400
    assert message in answer.json()["message"]


def test_an_endpoint_that_is_not_there_is_told_from_a_thing_that_is_not_there(serve):
    served = serve()
    with pytest.raises(errors.NotFound, match="No API found for 'GET /api/"):
        list(served.client.jobs.list())


def test_a_statement_runs_whatever_it_is_with_its_parameters(serve):
    served = serve()
    run = served.client.statement_execution.execute_statement
    from databricks.sdk.service.sql import StatementParameterListItem as Parameter

    run("COMMENT ON TABLE rides IS :text", WAREHOUSE_ID, schema="bikes", parameters=[
        Parameter("text", value="Rides"), Parameter("n", "INT", "3"), Parameter("none"),
    ])  # fmt: skip
    request = served.backend.ran[-1]
    assert request.sql == "COMMENT ON TABLE rides IS :text"
    assert (request.schema, dict(request.parameters)) == (
        "bikes", {"text": "Rides", "n": 3, "none": None},
    )  # fmt: skip


def test_a_statement_is_cancelled_by_request_or_after_its_time(serve):
    served = serve()
    api = served.client.statement_execution
    begun = api.execute_statement("select sleep", WAREHOUSE_ID, wait_timeout="0s")
    api.cancel_execution(begun.statement_id)
    assert api.get_statement(begun.statement_id).status.state.value == "CANCELED"
    assert served.backend.cancelled[begun.statement_id].is_set()
    with pytest.raises(errors.NotFound):
        api.get_statement("0" * 32)


def test_many_clients_at_once_each_get_their_own_answer(serve):
    served = serve()
    space_id = served.new_space()
    answers = {}

    def ask(number):
        done = served.wait(served.ask(space_id, f"select {number}"))
        answers[number] = done.attachments[0].query.query

    threads = [threading.Thread(target=ask, args=(number,)) for number in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert answers == {number: f"select {number}" for number in range(12)}


def test_only_what_is_answered_can_be_rated_and_only_in_the_words_of_the_platform(serve):
    served = serve()
    message = served.ask(served.new_space(), "wait SELECT 1")
    ids = (message.space_id, message.conversation_id, message.message_id)
    with pytest.raises(errors.InvalidState):
        served.genie.send_message_feedback(*ids, GenieFeedbackRating.POSITIVE)
    path = "/api/2.0/genie/spaces/{}/conversations/{}/messages/{}/feedback".format(*ids)
    with pytest.raises(errors.InvalidParameterValue, match="rating must be one of"):
        served.client.api_client.do("POST", path, body={"rating": "GREAT"})


def test_what_people_said_of_an_answer_survives(serve):
    served = serve()
    message = served.wait(served.ask(served.new_space(), "SELECT 1"))
    ids = (message.space_id, message.conversation_id, message.message_id)
    served.genie.send_message_feedback(*ids, GenieFeedbackRating.NEGATIVE, comment="too few")
    served.workspace.close()
    said = serve().genie.get_message(*ids).feedback
    assert (said.rating, said.comment) == (GenieFeedbackRating.NEGATIVE, "too few")


def test_what_is_deleted_while_it_is_answered_stays_deleted(serve, tmp_path):
    served = serve()
    message = served.ask(served.new_space(), "wait select 1")
    served.wait(message, "ASKING_AI")
    served.genie.delete_conversation(message.space_id, message.conversation_id)
    served.engine.go.set()
    with pytest.raises(errors.NotFound):
        served.look(message)
    served.workspace.close()
    assert list((tmp_path / "workspace" / "messages").rglob("*.json")) == []


def test_an_answer_says_something():
    with pytest.raises(ValueError, match="sql, text or both"):
        EngineAnswer()
