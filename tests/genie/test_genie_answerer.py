"""The genie answerer against the embedded workspace: every status, every fault, nothing twice."""

from __future__ import annotations

import itertools
import json
import threading
import time

import pytest
from databricks.sdk import WorkspaceClient
from databricks.sdk.config import Config
from databricks.sdk.service.dashboards import (
    GenieAttachment,
    GenieMessage,
    GenieQueryAttachment,
    MessageError,
    MessageErrorType,
    MessageStatus,
    TextAttachment,
)

from genie.answerers import open_answerer
from genie.ask_journal import AskEntry, AskKey, FileAskJournal, MemoryAskJournal
from genie.genie_answerer import GenieAnswerer
from genie.local.faults import Fault, Faults
from genie.local.messages import Pace
from genie.local.warehouses import WAREHOUSE_ID
from genie.local.workspace import EmbeddedWorkspace
from genie.one_try import one_try_client
from genie.patience import Pacing, Timing
from pipelines.asking import AskPolicy, ToAsk, ask_all
from tests.genie.local.fakes import FakeBackend, FakeEngine
from transforms.errors import AnswererError, InvalidInputError

DOCUMENT = json.dumps({"version": 2, "data_sources": {"tables": [{"identifier": "main.rides"}]}})
PACING = Pacing(first_wait_s=0.1, max_wait_s=1.0)


class VirtualTime:
    """Waits count in full and take a fiftieth of the time."""

    def __init__(self):
        self.ahead = 0.0
        self.waits = []
        self.timing = Timing(
            monotonic=lambda: time.monotonic() + self.ahead, sleep=self.sleep, jitter=lambda: 1.0
        )

    def sleep(self, seconds):
        self.waits.append(seconds)
        self.ahead += seconds
        time.sleep(seconds / 50)


class Asked:
    """An embedded workspace with one space, and an answerer that asks it."""

    def __init__(self, folder, **options):
        self.engine = FakeEngine()
        self.faults = Faults()
        self.served = EmbeddedWorkspace(
            folder, self.engine, FakeBackend(), faults=self.faults, **options
        )
        self.client = self.new_client()
        space = self.client.genie.create_space(WAREHOUSE_ID, DOCUMENT)
        self.space_id = space.space_id
        self.time = VirtualTime()
        self.answerer = self.new_answerer()

    def new_client(self, **settings):
        return one_try_client(
            **{"host": self.served.host, "token": self.served.token, "auth_type": "pat"} | settings
        )

    def new_answerer(self, journal=None, **options):
        return GenieAnswerer(
            self.client, self.space_id, journal=journal, pacing=PACING, timing=self.time.timing,
            **options,
        )  # fmt: skip

    def ask(self, question="select 1", *, timeout_s=600.0, question_id="q1"):
        return self.answerer.ask(question_id, question, timeout_s=timeout_s)

    @property
    def questions(self):
        """What was asked, as the workspace has it."""
        found = []
        for one in self.client.genie.list_conversations(self.space_id).conversations or []:
            listed = self.client.genie.list_conversation_messages(
                self.space_id, one.conversation_id
            )
            found += [message.content for message in listed.messages or []]
        return found


@pytest.fixture
def asked(tmp_path):
    made = Asked(tmp_path / "workspace")
    yield made
    made.engine.go.set()
    made.served.close()


@pytest.fixture
def limited(tmp_path):
    made = Asked(tmp_path / "workspace", questions_per_minute=1)
    yield made
    made.served.close()


def test_sql_is_answered_with_its_ids_and_its_latency(asked):
    answer = asked.ask("select 5")
    assert (answer.outcome, answer.sql, answer.text, answer.error) == (
        "answered", "select 5", None, None,
    )  # fmt: skip
    message = asked.client.genie.get_message(
        asked.space_id, answer.conversation_id, answer.message_id
    )
    assert message.content == "select 5"
    assert answer.latency_ms >= 0


def test_prose_is_an_answer_without_sql(asked):
    answer = asked.ask("rides?")
    assert (answer.outcome, answer.sql) == ("no_sql", None)
    assert answer.text == "What do you mean by 'rides?'?"


def test_sql_that_genie_could_not_run_is_still_the_answer(asked):
    answer = asked.ask("select * from broken")
    assert (answer.outcome, answer.sql) == ("answered", "select * from broken")
    assert answer.error.startswith("SQL_EXECUTION_EXCEPTION: [TABLE_OR_VIEW_NOT_FOUND]")


def test_a_failure_of_the_message_is_final(asked):
    answer = asked.ask("fail")
    assert answer.outcome == "failed"
    assert answer.error == "GENERIC_CHAT_COMPLETION_EXCEPTION: RuntimeError: the engine broke"


def test_a_failure_that_passes_is_asked_again(asked):
    asked.engine.error = AnswererError("busy")
    with pytest.raises(AnswererError, match="RETRYABLE_PROCESSING_EXCEPTION"):
        asked.ask("fail now")
    with pytest.raises(AnswererError):
        asked.ask("fail now")
    assert asked.questions == ["fail now", "fail now"]


def test_every_status_on_the_way_is_waited_through(tmp_path):
    made = Asked(tmp_path / "workspace", pace=Pace(polls=2))
    assert made.ask().outcome == "answered"
    assert made.time.waits[:6] == [0.1, 0.2, 0.4, 0.8, 1.0, 1.0]
    made.served.close()


def test_a_message_that_is_not_final_in_time_is_timed_out_with_its_ids(asked):
    answer = asked.ask("wait select 1", timeout_s=10.0)
    assert answer.outcome == "timed_out"
    assert answer.error == "no final status within 10 s; last: ASKING_AI"
    assert answer.conversation_id
    assert 9_000 <= answer.latency_ms < 10_000


def message(status, **parts):
    return GenieMessage("s", "c", "question", "m", status=status, **parts)


SQL = GenieAttachment(query=GenieQueryAttachment(query="SELECT 1"))
TEXT = GenieAttachment(text=TextAttachment(content="Note."))


@pytest.mark.parametrize(
    ("seen", "outcome", "sql", "error"),
    [
        ([message(MessageStatus.COMPLETED, attachments=[SQL, TEXT])], "answered", "SELECT 1", None),
        ([message(MessageStatus.QUERY_RESULT_EXPIRED, attachments=[SQL])], "answered", "SELECT 1",
         None),
        ([message(MessageStatus.COMPLETED)], "no_sql", None, None),
        ([message(MessageStatus.CANCELLED)], "failed", None, "it was cancelled"),
        ([message(MessageStatus.FAILED)], "failed", None, "an unknown failure"),
        ([message(MessageStatus.FAILED, error=MessageError(
            type=MessageErrorType.TABLES_MISSING_EXCEPTION))], "failed", None,
         "TABLES_MISSING_EXCEPTION"),
        ([message(None), message(MessageStatus.COMPLETED, attachments=[SQL])], "answered",
         "SELECT 1", None),
        ([message(status) for status in MessageStatus if status.value.isupper() and status not in (
            MessageStatus.COMPLETED, MessageStatus.FAILED, MessageStatus.CANCELLED,
            MessageStatus.QUERY_RESULT_EXPIRED)]
         + [message(MessageStatus.COMPLETED, attachments=[TEXT])], "no_sql", None, None),
    ],
    ids=["sql and text", "expired", "nothing", "cancelled", "failed", "failed with a type",
         "unknown status", "all that are not final"],
)  # fmt: skip
def test_every_status_has_its_meaning(asked, monkeypatch, seen, outcome, sql, error):
    polls = iter(seen)
    monkeypatch.setattr(asked.client.genie, "get_message", lambda *ids: next(polls))
    answer = asked.ask()
    assert (answer.outcome, answer.sql, answer.error) == (outcome, sql, error)
    assert next(polls, None) is None


def test_a_status_nobody_knows_ends_with_the_time(asked, monkeypatch):
    monkeypatch.setattr(asked.client.genie, "get_message", lambda *ids: message(None))
    answer = asked.ask(timeout_s=5.0)
    assert (answer.outcome, answer.error) == (
        "timed_out", "no final status within 5 s; last: in a status unknown here",
    )  # fmt: skip


SENDING = "start-conversation"


@pytest.mark.parametrize(
    "fault",
    [
        Fault("drop_after", "POST", SENDING),
        Fault("drop_before", "POST", SENDING),
        Fault("drop_before", "POST", SENDING, times=2),
        Fault("respond", "POST", SENDING, status=500),
        Fault("respond", "POST", SENDING, status=503, error_code="TEMPORARILY_UNAVAILABLE"),
        Fault("respond", "POST", SENDING, status=504, error_code="DEADLINE_EXCEEDED"),
        Fault("respond", "POST", SENDING, status=429, retry_after_s=7),
    ],
    ids=lambda fault: f"{fault.action} {fault.status} x{fault.times}",
)
def test_whatever_happens_to_the_sending_a_question_is_asked_once(asked, fault):
    asked.faults.add(fault)
    assert asked.ask().outcome == "answered"
    assert asked.questions == ["select 1"]


def test_a_question_whose_answer_was_lost_is_found_in_spite_of_more_faults(asked):
    asked.faults.add(Fault("drop_after", "POST", SENDING))
    asked.faults.add(Fault("drop_before", "GET", "/conversations"))
    asked.faults.add(Fault("respond", "GET", "/messages", status=502, error_code="BAD_GATEWAY"))
    assert asked.ask().outcome == "answered"
    assert asked.questions == ["select 1"]


FAULTS = [
    Fault("drop_after", "POST", SENDING),
    Fault("drop_before", "POST", SENDING),
    Fault("respond", "POST", SENDING, status=500),
    Fault("drop_before", "GET", "/conversations"),
    Fault("respond", "GET", "/messages", status=429, retry_after_s=1),
]


def test_whatever_the_order_of_faults_a_question_is_asked_once(asked):
    """Also when what was sent a second time, because the first was lost, has made it."""
    scripts = list(itertools.permutations(FAULTS, 2))
    for number, script in enumerate(scripts):
        for fault in script:
            asked.faults.add(fault)
        assert asked.ask(f"select {number}").sql == f"select {number}", script
        while any(asked.faults.take(fault.method, fault.path) for fault in FAULTS):
            pass  # what this question did not meet is not for the next
    assert sorted(asked.questions) == sorted(f"select {n}" for n in range(len(scripts)))


def test_faults_while_polling_cost_time_and_nothing_else(asked):
    for fault in (
        Fault("drop_after", "GET", "/messages/"),
        Fault("respond", "GET", "/messages/", status=500),
        Fault("respond", "GET", "/messages/", status=429, retry_after_s=9),
    ):
        asked.faults.add(fault)
    assert asked.ask().outcome == "answered"
    assert 10.0 in asked.time.waits  # nine seconds that were asked for, and the jitter
    assert asked.questions == ["select 1"]


def test_the_same_question_asked_before_is_not_taken_for_this_one(asked):
    earlier = asked.ask(question_id="q1")
    asked.faults.add(Fault("drop_after", "POST", SENDING))
    later = asked.ask(question_id="q2")
    assert later.conversation_id != earlier.conversation_id
    assert asked.questions == ["select 1", "select 1"]


def test_a_conversation_from_long_before_is_not_taken_for_this_one(asked):
    asked.client.genie.start_conversation(asked.space_id, "select 1")
    late = Timing(now=lambda: time.time() + 60, sleep=asked.time.sleep, jitter=lambda: 1.0)
    asked.answerer = GenieAnswerer(asked.client, asked.space_id, pacing=PACING, timing=late)
    asked.answerer._clock_ahead_s = 0.0  # a clock that is right, a minute later
    asked.faults.add(Fault("drop_before", "POST", SENDING))
    asked.ask()
    assert asked.questions == ["select 1", "select 1"]


@pytest.mark.parametrize("skew_s", [-3600.0, 3600.0])
def test_a_wrong_clock_here_does_not_matter(asked, skew_s):
    wrong = Timing(now=lambda: time.time() + skew_s, sleep=asked.time.sleep, jitter=lambda: 1.0)
    asked.answerer = GenieAnswerer(asked.client, asked.space_id, pacing=PACING, timing=wrong)
    asked.faults.add(Fault("drop_after", "POST", SENDING))
    assert asked.ask().outcome == "answered"
    assert asked.questions == ["select 1"]


def test_equal_questions_in_threads_each_get_a_conversation_of_their_own(asked):
    for _ in range(3):
        asked.faults.add(Fault("drop_after", "POST", SENDING))
    answers = []
    threads = [
        threading.Thread(target=lambda n=n: answers.append(asked.ask(question_id=f"q{n}")))
        for n in range(6)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert {answer.outcome for answer in answers} == {"answered"}
    assert len({answer.conversation_id for answer in answers}) == 6
    assert len(asked.questions) == 6


def test_the_limit_of_the_workspace_is_waited_for(limited):
    assert limited.ask(question_id="q1").outcome == "answered"
    with pytest.raises(AnswererError, match="nothing could be asked within 30 s: Request"):
        limited.ask(question_id="q2", timeout_s=30.0)
    assert limited.time.waits[-1] == pytest.approx(29.0, abs=0.5)
    assert limited.questions == ["select 1"]


def test_the_client_of_the_sdk_would_ask_twice_and_is_not_taken(asked):
    client = WorkspaceClient(
        config=Config(host=asked.served.host, token=asked.served.token, auth_type="pat")
    )
    with pytest.raises(ValueError, match="one_try_client"):
        GenieAnswerer(client, asked.space_id)


@pytest.mark.parametrize(
    ("settings", "space_id", "message"),
    [
        ({}, "0" * 32, "there is no space 0000"),
        ({"token": "wrong"}, None, "may not be asked: Unauthenticated"),
    ],
)
def test_a_space_that_cannot_be_asked_ends_the_evaluation(asked, settings, space_id, message):
    client = asked.new_client(**settings)
    answerer = GenieAnswerer(client, space_id or asked.space_id, timing=asked.time.timing)
    with pytest.raises(InvalidInputError, match=message):
        answerer.ask("q1", "select 1", timeout_s=10.0)


def test_a_question_the_workspace_rejects_has_failed(asked):
    answer = asked.ask("  ")
    assert (answer.outcome, answer.sql) == ("failed", None)
    assert "content must be provided" in answer.error


def test_a_message_that_was_deleted_has_failed(asked, monkeypatch):
    start = asked.client.genie.start_conversation

    def start_and_delete(*arguments):
        started = start(*arguments)
        asked.client.genie.delete_conversation(asked.space_id, started.response.conversation_id)
        return started

    monkeypatch.setattr(asked.client.genie, "start_conversation", start_and_delete)
    answer = asked.ask()
    assert (answer.outcome, "does not exist" in answer.error) == ("failed", True)


def test_an_evaluation_that_is_begun_again_gets_the_answers_it_had(asked, tmp_path):
    journal = FileAskJournal(tmp_path / "asks.jsonl")
    first = asked.answerer.of_evaluation("e1", 1, journal).ask("q1", "select 1", timeout_s=600.0)
    journal = FileAskJournal(tmp_path / "asks.jsonl")
    again = asked.answerer.of_evaluation("e1", 1, journal).ask("q1", "select 1", timeout_s=600.0)
    assert (again.sql, again.conversation_id) == (first.sql, first.conversation_id)
    assert asked.questions == ["select 1"]
    other = asked.answerer.of_evaluation("e1", 2, journal).ask("q1", "select 1", timeout_s=600.0)
    assert other.conversation_id != first.conversation_id


def test_a_process_that_died_while_sending_leaves_a_question_that_is_found(asked, tmp_path):
    journal = FileAskJournal(tmp_path / "asks.jsonl")
    key = AskKey("e1", "q1", 1)
    journal.record(key, AskEntry("started", asked_at_ms=int(time.time() * 1000)))
    sent = asked.client.genie.start_conversation(asked.space_id, "select 1").response
    journal = FileAskJournal(tmp_path / "asks.jsonl")
    answer = asked.answerer.of_evaluation("e1", 1, journal).ask("q1", "select 1", timeout_s=600.0)
    assert answer.conversation_id == sent.conversation_id
    assert asked.questions == ["select 1"]
    assert journal.find(key).state == "asked"


def test_without_a_journal_every_ask_is_a_new_question(asked):
    first, second = asked.ask(), asked.ask()
    assert first.conversation_id != second.conversation_id


def test_an_evaluation_of_many_questions_asks_each_once_through_faults(asked):
    for path in (SENDING, SENDING, SENDING):
        asked.faults.add(Fault("drop_after", "POST", path))
        asked.faults.add(Fault("drop_before", "POST", path))
    questions = [ToAsk(f"q{n}", f"select {n}") for n in range(12)]
    done = ask_all(asked.answerer, questions, AskPolicy(timeout_s=600.0))
    assert [one.answer.sql for one in done] == [f"select {n}" for n in range(12)]
    assert sorted(asked.questions) == sorted(question.question for question in questions)


def test_the_answerer_is_opened_by_name(asked, monkeypatch):
    monkeypatch.setenv("DATABRICKS_HOST", asked.served.host)
    monkeypatch.setenv("DATABRICKS_TOKEN", asked.served.token)
    answerer = open_answerer(f"genie:{asked.space_id}")
    assert answerer.source_hash is None
    assert answerer.ask("q1", "select 8", timeout_s=60.0).sql == "select 8"


def test_without_a_workspace_it_says_how_to_name_one(monkeypatch, tmp_path):
    for name in ("DATABRICKS_HOST", "DATABRICKS_TOKEN", "DATABRICKS_CONFIG_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("DATABRICKS_CONFIG_FILE", str(tmp_path / "none"))
    monkeypatch.setenv("PATH", "")
    with pytest.raises(InvalidInputError, match="set DATABRICKS_HOST") as caught:
        open_answerer("genie:abc")
    assert "no workspace to ask" in str(caught.value)


def test_a_journal_remembers_the_last_entry_and_every_conversation(tmp_path):
    for journal in (MemoryAskJournal(), FileAskJournal(tmp_path / "j" / "asks.jsonl")):
        key = AskKey("e1", "q1", 1)
        assert journal.find(key) is None
        journal.record(key, AskEntry("asked", 5, "c1", "m1"))
        journal.record(key, AskEntry("over"))
        assert journal.find(key) == AskEntry("over")
        assert set(journal.claimed()) == {"c1"}


def test_a_journal_forgets_what_one_evaluation_asked_and_takes_no_conversation_twice(tmp_path):
    path = tmp_path / "asks.jsonl"
    for journal in (MemoryAskJournal(), FileAskJournal(path)):
        journal.record(AskKey("e1", "q1", 1), AskEntry("asked", 5, "c1", "m1"))
        journal.record(AskKey("e1", "q2", 1), AskEntry("started", 6))
        journal.record(AskKey("e2", "q1", 1), AskEntry("asked", 7, "c2", "m2"))
        journal.forget("e1")
        states = {e: journal.find(AskKey(e, "q1", 1)).state for e in ("e1", "e2")}
        assert states == {"e1": "over", "e2": "asked"}
        assert journal.find(AskKey("e1", "q2", 1)).state == "over"
        assert set(journal.claimed()) == {"c1", "c2"}
    again = FileAskJournal(path)
    assert again.find(AskKey("e1", "q1", 1)).state == "over"
    assert set(again.claimed()) == {"c1", "c2"}
    written = path.read_bytes()
    again.forget("e1")
    assert path.read_bytes() == written, "it was forgotten before"


def test_a_line_of_the_journal_that_a_kill_cut_off_is_dropped(tmp_path):
    path = tmp_path / "asks.jsonl"
    FileAskJournal(path).record(AskKey("e1", "q1", 1), AskEntry("started", 5))
    whole = path.read_bytes()
    path.write_bytes(whole + b'{"key": {"eval')
    journal = FileAskJournal(path)
    assert journal.find(AskKey("e1", "q1", 1)) == AskEntry("started", 5)
    journal.record(AskKey("e1", "q2", 1), AskEntry("started", 6))
    assert FileAskJournal(path).find(AskKey("e1", "q2", 1)) == AskEntry("started", 6)
    path.write_bytes(b"{}\n" + whole)
    with pytest.raises(InvalidInputError, match=r"asks\.jsonl:1"):
        FileAskJournal(path)
