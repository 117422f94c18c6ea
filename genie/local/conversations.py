"""Conversations and messages: kept before they are answered, answered in threads, never lost."""

from __future__ import annotations

import threading
import uuid
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any

from genie.local.answering import MAX_ROWS, Answering
from genie.local.api_errors import invalid, invalid_state, not_found, too_many
from genie.local.faults import RateLimit
from genie.local.folder import Folder
from genie.local.messages import QUERYING, RATINGS, Message, Pace, Progress
from genie.local.requests import Request, Timestamps, page
from genie.local.seams import Turn
from genie.local.spaces import Spaces
from genie.local.statements import Statement, Statements
from genie.local.workers import Workers

_MAX_TRIES = 3
_EXECUTE_WAIT_S = 10.0


@dataclass(frozen=True, slots=True)
class Conversation:
    """A conversation as it is kept; its title is its first question."""

    conversation_id: str
    space_id: str
    title: str
    created_ms: int


class Conversations:
    """The conversations of the workspace, all of its one user.

    A message is on the disk before its id is given out. One that was being answered when the
    process died is answered when the workspace opens again; one whose answering was begun three
    times without an end is FAILED.

    The API has no means to tell a question that is sent again from one that is asked twice: after a
    lost answer a client finds its conversation in the list, where it is at once.
    """

    def __init__(
        self,
        folder: Folder,
        timestamps: Timestamps,
        spaces: Spaces,
        statements: Statements,
        answering: Answering,
        *,
        pace: Pace,
        limit: RateLimit,
        clock: Callable[[], float],
        user_id: int,
        threads: int = 4,
    ) -> None:
        self._folder = folder
        self._timestamps = timestamps
        self._spaces = spaces
        self._statements = statements
        self._answering = answering
        self._pace = pace
        self._limit = limit
        self._clock = clock
        self._user_id = user_id
        self._lock = threading.RLock()
        self._is_stopped = False
        self._conversations: dict[str, Conversation] = {}
        self._messages: dict[str, dict[str, Message]] = {}
        self._progress: dict[str, Progress] = {}
        self._workers = Workers(threads, "answer")
        self._load()

    def stop(self) -> None:
        """Write nothing from now on; what is not answered is answered after the next start."""
        with self._lock:
            self._is_stopped = True
        self._workers.stop()

    def start_conversation(self, request: Request) -> dict[str, Any]:
        """``POST …/start-conversation``: SUBMITTED, and on the disk, when it is answered."""
        space = self._spaces.find(request.ids[0])
        content = request.required("content")
        self._take_turn()
        with self._lock:
            conversation = Conversation(
                uuid.uuid4().hex, space.space_id, content, self._timestamps.next()
            )
            self._folder.write(
                f"conversations/{conversation.conversation_id}.json", asdict(conversation)
            )
            self._conversations[conversation.conversation_id] = conversation
            self._messages[conversation.conversation_id] = {}
            message = self._submit(conversation, content)
        return {
            "conversation_id": conversation.conversation_id,
            "message_id": message.message_id,
            "conversation": {
                "id": conversation.conversation_id,
                "conversation_id": conversation.conversation_id,
                "space_id": space.space_id,
                "title": conversation.title,
                "user_id": self._user_id,
                "created_timestamp": conversation.created_ms,
                "last_updated_timestamp": conversation.created_ms,
            },
            "message": message.wire("SUBMITTED", self._user_id),
        }

    def create_message(self, request: Request) -> dict[str, Any]:
        """``POST …/conversations/{id}/messages``: a question that builds on the earlier ones."""
        content = request.required("content")
        self._conversation(request)
        self._take_turn()
        with self._lock:
            message = self._submit(self._conversation(request), content)
        return message.wire("SUBMITTED", self._user_id)

    def list_conversations(self, request: Request) -> dict[str, Any]:
        """``GET …/conversations``: newest first."""
        space = self._spaces.find(request.ids[0])
        with self._lock:
            found = [c for c in self._conversations.values() if c.space_id == space.space_id]
        found.sort(key=lambda conversation: -conversation.created_ms)
        chosen, more = page(found, request, lambda c: c.conversation_id, default_size=100)
        summaries = [
            {
                "conversation_id": conversation.conversation_id,
                "title": conversation.title,
                "created_timestamp": conversation.created_ms,
                "agent_type": "GENIE_CONVERSATION_TYPE_CHAT",
            }
            for conversation in chosen
        ]
        return {"conversations": summaries, **more}

    def list_messages(self, request: Request) -> dict[str, Any]:
        """``GET …/conversations/{id}/messages``: oldest first, in the status shown last."""
        with self._lock:
            conversation = self._conversation(request)
            found = list(self._messages[conversation.conversation_id].values())
            chosen, more = page(found, request, lambda m: m.message_id, default_size=100)
            sent = [message.wire(self._shown(message), self._user_id) for message in chosen]
        return {"messages": sent, **more}

    def get_message(self, request: Request) -> dict[str, Any]:
        """``GET …/messages/{id}``: one poll."""
        with self._lock:
            message = self._message(request)
            progress = self._progress.get(message.message_id)
            if progress is not None:
                progress.poll(self._pace, self._clock())
            return message.wire(self._shown(message), self._user_id)

    def rate_message(self, request: Request) -> dict[str, Any]:
        """``POST …/messages/{id}/feedback``: what a person says of the answer; NONE takes it back.

        Only what is answered can be rated.
        """
        rating = request.required("rating")
        if rating not in RATINGS:
            raise invalid(f"rating must be one of {', '.join(RATINGS)}, not {rating}")
        comment = request.text("comment")
        with self._lock:
            message = self._message(request)
            if not message.is_final:
                raise invalid_state(f"Message {message.message_id} is {self._shown(message)}.")
            message.rating = None if rating == "NONE" else rating
            message.feedback_comment = comment
            self._keep(message)
        return {}

    def delete_message(self, request: Request) -> dict[str, Any]:
        """``DELETE …/messages/{id}``."""
        with self._lock:
            self._delete(self._message(request))
        return {}

    def delete_conversation(self, request: Request) -> dict[str, Any]:
        """``DELETE …/conversations/{id}``, with its messages."""
        with self._lock:
            conversation = self._conversation(request)
            for message in list(self._messages[conversation.conversation_id].values()):
                self._delete(message)
            del self._messages[conversation.conversation_id]
            del self._conversations[conversation.conversation_id]
            self._folder.delete(f"conversations/{conversation.conversation_id}.json")
        return {}

    def get_query_result(self, request: Request) -> dict[str, Any]:
        """``GET …/attachments/{id}/query-result``: the rows, 5,000 at most."""
        with self._lock:
            message = self._with_query(request)
            status = self._shown(message)
        statement = self._statements.find(message.statement_id)
        if status not in ("COMPLETED", "FAILED") or statement is None:
            step = "Execute the query again" if status == "QUERY_RESULT_EXPIRED" else "Ask later"
            raise invalid_state(
                f"There is no query result: message {message.message_id} is {status}. {step}."
            )
        return self._statement_response(statement)

    def execute_query(self, request: Request) -> dict[str, Any]:
        """``POST …/attachments/{id}/execute-query``: run the query again, when it may be run."""
        with self._lock:
            message = self._with_query(request)
        if message.status != "COMPLETED" or message.sql is None:
            raise invalid_state(f"Message {message.message_id} has no query that ran.")
        statement = self._statements.submit(message.sql, row_limit=MAX_ROWS)
        with self._lock:
            message.statement_id = statement.statement_id
            self._keep(message)
        statement.is_done.wait(_EXECUTE_WAIT_S)
        return self._statement_response(statement)

    def _statement_response(self, statement: Statement) -> dict[str, Any]:
        return {"statement_response": self._statements.response(statement)}

    def _take_turn(self) -> None:
        wait_s = self._limit.take()
        if wait_s is not None:
            raise too_many("Rate limit of Genie questions per minute exceeded.", wait_s)

    def _load(self) -> None:
        for raw in self._folder.read_all("conversations"):
            conversation = Conversation(**raw)
            self._conversations[conversation.conversation_id] = conversation
            self._messages[conversation.conversation_id] = {}
            self._timestamps.seen(conversation.created_ms)
        kept = [Message(**raw) for raw in self._folder.read_all("messages")]
        for message in sorted(kept, key=lambda message: message.created_ms):
            self._timestamps.seen(message.updated_ms)
            siblings = self._messages.get(message.conversation_id)
            if siblings is None:  # a kill in the middle of deleting its conversation
                self._folder.delete(_path(message))
                continue
            siblings[message.message_id] = message
            if not message.is_final:
                self._answer_soon(message)

    def _conversation(self, request: Request) -> Conversation:
        space = self._spaces.find(request.ids[0])
        conversation = self._conversations.get(request.ids[1])
        if conversation is None or conversation.space_id != space.space_id:
            raise not_found(f"Conversation {request.ids[1]} does not exist.")
        return conversation

    def _message(self, request: Request) -> Message:
        conversation = self._conversation(request)
        message = self._messages[conversation.conversation_id].get(request.ids[2])
        if message is None:
            raise not_found(f"Message {request.ids[2]} does not exist.")
        return message

    def _with_query(self, request: Request) -> Message:
        message = self._message(request)
        if message.sql is None or message.query_id != request.ids[3]:
            raise not_found(f"Attachment {request.ids[3]} has no query.")
        return message

    def _shown(self, message: Message) -> str:
        progress = self._progress.get(message.message_id)
        status = progress.status if progress else message.status
        has_expired = message.sql is not None and not self._statements.find(message.statement_id)
        return "QUERY_RESULT_EXPIRED" if status == "COMPLETED" and has_expired else status

    def _submit(self, conversation: Conversation, content: str) -> Message:
        now = self._timestamps.next()
        message = Message(
            message_id=uuid.uuid4().hex,
            conversation_id=conversation.conversation_id,
            space_id=conversation.space_id,
            content=content,
            created_ms=now,
            updated_ms=now,
            query_id=uuid.uuid4().hex,
            text_id=uuid.uuid4().hex,
        )
        self._keep(message)
        self._messages[conversation.conversation_id][message.message_id] = message
        self._answer_soon(message)
        return message

    def _answer_soon(self, message: Message) -> None:
        self._progress[message.message_id] = Progress(since=self._clock())
        self._workers.submit(lambda: self._answer(message))

    def _answer(self, message: Message) -> None:
        with self._lock:
            if self._is_stopped or not self._is_there(message):
                return
            message.tries += 1
            self._keep(message)
            history = self._history(message)
        # Filled in apart from the message that clients are shown, until it is final.
        draft = Message(**message.to_json())
        if message.tries > _MAX_TRIES:
            draft.status, draft.error_type = "FAILED", "REPLY_PROCESS_TIMEOUT_EXCEPTION"
            draft.error = f"answering was begun {_MAX_TRIES} times and never came to an end"
        else:
            space = self._spaces.find_any(message.space_id)
            self._answering.answer(
                draft, space.serialized_space, history, lambda status: self._reach(draft, status)
            )
        draft.updated_ms = self._timestamps.next()
        with self._lock:
            if self._is_stopped or not self._is_there(message):
                return
            self._keep(draft)
            self._messages[message.conversation_id][message.message_id] = draft
            self._progress[message.message_id].reached.append(draft.status)

    def _reach(self, draft: Message, status: str) -> None:
        with self._lock:
            if not self._is_there(draft):
                return
            self._progress[draft.message_id].reached.append(status)
            if status in QUERYING:
                shown = self._messages[draft.conversation_id][draft.message_id]
                shown.sql, shown.description = draft.sql, draft.description

    def _is_there(self, message: Message) -> bool:
        return message.message_id in self._messages.get(message.conversation_id, {})

    def _history(self, message: Message) -> list[Turn]:
        return [
            Turn(earlier.content, earlier.sql, earlier.text)
            for earlier in self._messages[message.conversation_id].values()
            if earlier.created_ms < message.created_ms and earlier.status == "COMPLETED"
        ]

    def _keep(self, message: Message) -> None:
        self._folder.write(_path(message), message.to_json())

    def _delete(self, message: Message) -> None:
        del self._messages[message.conversation_id][message.message_id]
        self._progress.pop(message.message_id, None)
        self._folder.delete(_path(message))


def _path(message: Message) -> str:
    return f"messages/{message.conversation_id}/{message.message_id}.json"
