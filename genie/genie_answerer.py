"""The ``genie`` answerer: asks a Genie Space, real or embedded, each question exactly once."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from email.utils import parsedate_to_datetime
from functools import partial
from typing import Literal, NoReturn, TypeVar

from databricks.sdk import WorkspaceClient
from databricks.sdk.service.dashboards import (
    GenieConversationSummary,
    GenieMessage,
    GenieStartConversationResponse,
    MessageStatus,
)

from genie.answerers import Answer
from genie.ask_journal import AskEntry, AskJournal, AskKey, MemoryAskJournal
from genie.genie_faults import PASSING_FAILURES, RequestFault, read_fault
from genie.one_try import OneTryClock
from genie.patience import Attempt, Pacing, Timing
from transforms.errors import AnswererError, InvalidInputError

_T = TypeVar("_T")

_PAGE_SIZE = 100
_MAX_PAGES = 50


class _MissingError(Exception):
    """What a request names is not there."""


class GenieAnswerer:
    """Asks a space through the SDK.

    **No question is asked twice.** Before a question is sent, the journal says so. When the answer
    to the sending is lost (a dropped connection, a 5xx, a restart), the conversation is looked for
    in the user's own conversations: one that is nobody's yet, that is not older than the sending
    by the clock of the workspace, and whose first message is the question. Only when there is none
    is it sent again. What can still be mistaken is the same question asked by the same user through
    another program within the same seconds.
    """

    def __init__(
        self,
        client: WorkspaceClient,
        space_id: str,
        *,
        journal: AskJournal | None = None,
        evaluation_id: str = "",
        attempt: int = 1,
        pacing: Pacing | None = None,
        timing: Timing | None = None,
    ) -> None:
        """``client`` comes from ``one_try_client``. Without a journal, what was asked is forgotten
        once it is answered, and after the process.

        Raises ValueError for a client that sends requests again by itself.
        """
        if not isinstance(client.config.clock, OneTryClock):
            raise ValueError("the client would ask questions twice: make it with one_try_client")
        self._client = client
        self._space_id = space_id
        self._remembers = journal is not None
        self._journal: AskJournal = journal or MemoryAskJournal()
        self._evaluation_id = evaluation_id
        self._attempt = attempt
        self._pacing = pacing or Pacing()
        self._timing = timing or Timing()
        self._lock = threading.Lock()
        self._sending: dict[str, threading.Lock] = {}
        self._clock_lock = threading.Lock()
        self._clock_ahead_s: float | None = None

    @property
    def source_hash(self) -> str | None:
        """None: a space's answers may change."""
        return None

    def of_evaluation(self, evaluation_id: str, attempt: int, journal: AskJournal) -> GenieAnswerer:
        """The same answerer for one evaluation, that goes on where an earlier process stopped."""
        return GenieAnswerer(
            self._client,
            self._space_id,
            journal=journal,
            evaluation_id=evaluation_id,
            attempt=attempt,
            pacing=self._pacing,
            timing=self._timing,
        )

    def ask(self, question_id: str, question: str, *, timeout_s: float) -> Answer:
        """One attempt, or what is left of one that was begun; see ``Answerer`` for what is raised.

        ``answered`` also where Genie's own execution of the SQL failed: the SQL is the answer. A
        message that is not final in time is ``timed_out``, with its ids.
        """
        key = AskKey(self._evaluation_id, question_id, self._attempt)
        attempt = Attempt(self._timing, self._pacing, timeout_s)
        with _held(self._sending_lock(question), attempt, self._space_id):
            begun = self._begin(key, question, attempt)
        if isinstance(begun, Answer):
            return begun
        answer = self._await(key, begun, attempt)
        if not self._remembers:
            self._journal.record(key, AskEntry("over", conversation_id=begun.conversation_id))
        return answer

    def _sending_lock(self, question: str) -> threading.Lock:
        """Held while a question is sent: of two with one text each could be found as the other."""
        with self._lock:
            return self._sending.setdefault(question, threading.Lock())

    def _begin(self, key: AskKey, question: str, attempt: Attempt) -> AskEntry | Answer:
        """The conversation of the question: the one there is, or a new one."""
        entry = self._journal.find(key)
        if entry is not None and entry.state == "asked":
            return entry
        if entry is not None and entry.state == "started":
            found = self._look_for(key, entry, question, attempt)
            if found is not None:
                return found
        while True:
            entry = AskEntry("started", asked_at_ms=self._workspace_now_ms(attempt))
            self._journal.record(key, entry)
            try:
                sent: GenieStartConversationResponse = self._client.genie.start_conversation(
                    self._space_id, question
                ).response
            except Exception as raised:
                fault = read_fault(raised)
                if fault.kind == "unknown":
                    found = self._look_for(key, entry, question, attempt)
                    if found is not None:
                        return found
                else:
                    self._journal.record(key, AskEntry("over"))
                    if fault.kind == "rejected":
                        return Answer("failed", error=fault.reason, latency_ms=attempt.elapsed_ms)
                    self._check_possible(fault)
                self._pause_or_give_up(fault, attempt)
            else:
                return self._claim(key, entry, sent.conversation_id, sent.message_id)

    def _claim(
        self, key: AskKey, entry: AskEntry, conversation_id: str, message_id: str
    ) -> AskEntry:
        asked = AskEntry("asked", entry.asked_at_ms, conversation_id, message_id)
        self._journal.record(key, asked)
        return asked

    def _look_for(
        self, key: AskKey, entry: AskEntry, question: str, attempt: Attempt
    ) -> AskEntry | None:
        """The conversation that a sending without an answer has made, if it has made one."""
        for look in range(self._pacing.looks):
            if look:
                self._pause_or_give_up(RequestFault("unknown", "the answer was lost"), attempt)
            for conversation in self._conversations(attempt):
                first = self._first_message(conversation, entry, attempt)
                if first is not None and first.content.strip() == question.strip():
                    return self._claim(key, entry, first.conversation_id, first.message_id)
        return None

    def _conversations(self, attempt: Attempt) -> Iterator[GenieConversationSummary]:
        token: str | None = None
        for _ in range(_MAX_PAGES):
            page = self._until_done(
                partial(
                    self._client.genie.list_conversations,
                    self._space_id,
                    page_size=_PAGE_SIZE,
                    page_token=token,
                ),
                attempt,
            )
            yield from page.conversations or ()
            token = page.next_page_token
            if not token:
                return

    def _first_message(
        self, conversation: GenieConversationSummary, entry: AskEntry, attempt: Attempt
    ) -> GenieMessage | None:
        """What the conversation began with, when it can be the one that is looked for."""
        earliest_ms = entry.asked_at_ms - self._pacing.clock_margin_s * 1000
        is_old = (conversation.created_timestamp or 0) < earliest_ms
        if is_old or conversation.conversation_id in self._journal.claimed():
            return None
        try:
            listed = self._until_done(
                partial(
                    self._client.genie.list_conversation_messages,
                    self._space_id,
                    conversation.conversation_id,
                    page_size=_PAGE_SIZE,
                ),
                attempt,
                may_be_missing=True,
            )
        except _MissingError:  # deleted since it was listed
            return None
        messages = listed.messages or []
        return min(messages, key=lambda message: message.created_timestamp or 0, default=None)

    def _await(self, key: AskKey, entry: AskEntry, attempt: Attempt) -> Answer:
        """Poll the message until nothing more happens to it, or the time is over."""
        assert entry.conversation_id is not None
        assert entry.message_id is not None
        ids = (self._space_id, entry.conversation_id, entry.message_id)
        attempt.wait_s = self._pacing.first_wait_s
        seen = "not seen yet"
        while attempt.left_s > 0:
            retry_after_s = None
            try:
                message = self._client.genie.get_message(*ids)
            except Exception as raised:
                fault = read_fault(raised)
                if fault.kind in ("missing", "rejected"):
                    return self._answer(entry, attempt, "failed", error=fault.reason)
                self._check_possible(fault)
                seen, retry_after_s = fault.reason, fault.retry_after_s
            else:
                answer = self._final(key, entry, message, attempt)
                if answer is not None:
                    return answer
                seen = message.status.value if message.status else "in a status unknown here"
            attempt.pause(retry_after_s)
        error = f"no final status within {attempt.timeout_s:g} s; last: {seen}"
        return self._answer(entry, attempt, "timed_out", error=error)

    def _final(
        self, key: AskKey, entry: AskEntry, message: GenieMessage, attempt: Attempt
    ) -> Answer | None:
        """The answer that a message holds; None while there is more to come."""
        attachments = message.attachments or []
        queries = [found.query.query for found in attachments if found.query and found.query.query]
        texts = [found.text.content for found in attachments if found.text and found.text.content]
        text = "\n\n".join(texts) or None
        status = message.status
        if status is MessageStatus.FAILED:
            kind = message.error.type if message.error else None
            name = kind.value if kind else "an unknown failure"
            said = message.error.error if message.error else None
            error = f"{name}: {said}" if said else name
            if kind in PASSING_FAILURES:
                over = AskEntry("over", conversation_id=entry.conversation_id)
                self._journal.record(key, over)
                raise AnswererError(error, where=f"message {message.message_id}")
            if queries:
                return self._answer(
                    entry, attempt, "answered", sql=queries[-1], text=text, error=error
                )
            return self._answer(entry, attempt, "failed", text=text, error=error)
        if status is MessageStatus.CANCELLED:
            return self._answer(entry, attempt, "failed", text=text, error="it was cancelled")
        if status in (MessageStatus.COMPLETED, MessageStatus.QUERY_RESULT_EXPIRED):
            if queries:
                return self._answer(entry, attempt, "answered", sql=queries[-1], text=text)
            return self._answer(entry, attempt, "no_sql", text=text)
        return None

    def _answer(
        self,
        entry: AskEntry,
        attempt: Attempt,
        outcome: Literal["answered", "no_sql", "timed_out", "failed"],
        *,
        sql: str | None = None,
        text: str | None = None,
        error: str | None = None,
    ) -> Answer:
        return Answer(
            outcome,
            sql=sql,
            text=text,
            error=error,
            latency_ms=attempt.elapsed_ms,
            conversation_id=entry.conversation_id,
            message_id=entry.message_id,
        )

    def _workspace_now_ms(self, attempt: Attempt) -> int:
        """Now by the clock of the workspace, which dates conversations; it is asked for once."""
        with _held(self._clock_lock, attempt, self._space_id):
            if self._clock_ahead_s is None:
                answer = self._until_done(
                    lambda: self._client.api_client.do(
                        "GET",
                        f"/api/2.0/genie/spaces/{self._space_id}",
                        response_headers=["date"],
                    ),
                    attempt,
                )
                date = answer.get("date") if isinstance(answer, dict) else None
                told = parsedate_to_datetime(date).timestamp() if date else self._timing.now()
                self._clock_ahead_s = told - self._timing.now()
        return int((self._timing.now() + self._clock_ahead_s) * 1000)

    def _until_done(
        self, request: Callable[[], _T], attempt: Attempt, *, may_be_missing: bool = False
    ) -> _T:
        """Send a request that changes nothing until it is answered.

        Raises AnswererError when the time is over, InvalidInputError when the space cannot be
        asked, and ``_MissingError`` when what it names is gone and may be.
        """
        while True:
            try:
                return request()
            except Exception as error:
                fault = read_fault(error)
                if fault.kind == "missing" and may_be_missing:
                    raise _MissingError from error
                self._check_possible(fault)
                self._pause_or_give_up(fault, attempt)

    def _check_possible(self, fault: RequestFault) -> None:
        """Raises InvalidInputError when nothing of this space can be asked by this user."""
        if fault.kind == "rejected":
            raise InvalidInputError(
                f"space {self._space_id} cannot be read: {fault.reason}",
                where=self._client.config.host,
                remedy="check the id of the space",
            )
        if fault.kind == "missing":
            raise InvalidInputError(
                f"there is no space {self._space_id} in this workspace: {fault.reason}",
                where=self._client.config.host,
                remedy="name a space that this user sees",
            )
        if fault.kind == "denied":
            raise InvalidInputError(
                f"space {self._space_id} may not be asked: {fault.reason}",
                where=self._client.config.host,
                remedy="check DATABRICKS_TOKEN or the profile, and CAN RUN on the space",
            )

    def _pause_or_give_up(self, fault: RequestFault, attempt: Attempt) -> None:
        attempt.pause(fault.retry_after_s)
        if attempt.left_s <= 0:
            _give_up(fault, self._space_id, attempt)


@contextmanager
def _held(lock: threading.Lock, attempt: Attempt, space_id: str) -> Iterator[None]:
    """Hold a lock; AnswererError when others hold it until the time is over."""
    if not lock.acquire(timeout=max(0.0, attempt.left_s)):
        _give_up(RequestFault("refused", "earlier questions are still sent"), space_id, attempt)
    try:
        yield
    finally:
        lock.release()


def _give_up(fault: RequestFault, space_id: str, attempt: Attempt) -> NoReturn:
    raise AnswererError(
        f"nothing could be asked within {attempt.timeout_s:g} s: {fault.reason}",
        where=f"space {space_id}",
        remedy="ask again later",
    )
