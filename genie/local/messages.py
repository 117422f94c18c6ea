"""A message: what was asked, what came of it, and which status a client is shown."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any

ANSWERING = ("SUBMITTED", "FETCHING_METADATA", "FILTERING_CONTEXT", "ASKING_AI")
QUERYING = ("PENDING_WAREHOUSE", "EXECUTING_QUERY")
FINAL = ("COMPLETED", "FAILED")
RATINGS = ("POSITIVE", "NEGATIVE", "NONE")

_SHOWS_ATTACHMENTS = frozenset({"EXECUTING_QUERY", "COMPLETED", "FAILED", "QUERY_RESULT_EXPIRED"})


@dataclass(frozen=True, slots=True)
class Pace:
    """How slowly the statuses of a message go by.

    A client sees each status for at least ``polls`` polls and ``seconds`` seconds before the next
    one. With zeros it sees how far the message is.
    """

    polls: int = 0
    seconds: float = 0.0


@dataclass(slots=True)
class Message:
    """A message as it is kept. ``tries`` counts how often answering was begun."""

    message_id: str
    conversation_id: str
    space_id: str
    content: str
    created_ms: int
    updated_ms: int
    status: str = "SUBMITTED"
    tries: int = 0
    sql: str | None = None
    description: str | None = None
    text: str | None = None
    query_id: str = ""
    text_id: str = ""
    statement_id: str | None = None
    row_count: int | None = None
    is_truncated: bool = False
    error: str | None = None
    error_type: str | None = None
    rating: str | None = None
    feedback_comment: str | None = None

    @property
    def is_final(self) -> bool:
        """Whether it was answered or failed."""
        return self.status in FINAL

    def to_json(self) -> dict[str, Any]:
        """What is kept of it; ``Message(**kept)`` reads it."""
        return asdict(self)

    def wire(self, status: str, user_id: int) -> dict[str, Any]:
        """The message as the API sends it while it is shown in that status."""
        sent: dict[str, Any] = {
            "id": self.message_id,
            "message_id": self.message_id,
            "conversation_id": self.conversation_id,
            "space_id": self.space_id,
            "user_id": user_id,
            "content": self.content,
            "created_timestamp": self.created_ms,
            "last_updated_timestamp": self.updated_ms,
            "status": status,
        }
        if status in _SHOWS_ATTACHMENTS and (attachments := self._attachments()):
            sent["attachments"] = attachments
        if status == "FAILED":
            sent["error"] = {"error": self.error, "type": self.error_type}
        if self.rating is not None:
            sent["feedback"] = {"rating": self.rating}
            if self.feedback_comment is not None:
                sent["feedback"]["comment"] = self.feedback_comment
        return sent

    def _attachments(self) -> list[dict[str, Any]]:
        attachments: list[dict[str, Any]] = []
        if self.sql is not None:
            query: dict[str, Any] = {"id": self.query_id, "query": self.sql, "title": self.content}
            if self.description:
                query["description"] = self.description
            if self.statement_id:
                query["statement_id"] = self.statement_id
            if self.row_count is not None:
                query["query_result_metadata"] = {
                    "row_count": self.row_count,
                    "is_truncated": self.is_truncated,
                }
            attachments.append({"attachment_id": self.query_id, "query": query})
        if self.text is not None:
            text = {"id": self.text_id, "content": self.text}
            attachments.append({"attachment_id": self.text_id, "text": text})
        return attachments


@dataclass(slots=True)
class Progress:
    """Which statuses a message has reached, and which of them a client has been shown."""

    reached: list[str] = field(default_factory=lambda: ["SUBMITTED"])
    shown: int = 0
    polls: int = 0
    since: float = 0.0

    def poll(self, pace: Pace, now: float) -> str:
        """The status to show to a client that asks at ``now`` (seconds)."""
        while (
            self.shown + 1 < len(self.reached)
            and self.polls >= pace.polls
            and now - self.since >= pace.seconds
        ):
            self.shown, self.polls, self.since = self.shown + 1, 0, now
        self.polls += 1
        return self.reached[self.shown]

    @property
    def status(self) -> str:
        """The status shown last."""
        return self.reached[self.shown]
