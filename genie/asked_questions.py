"""What people have asked a Genie Space, what it answered, and what they said of the answer."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from genie.workspace_errors import telling

if TYPE_CHECKING:
    from databricks.sdk import WorkspaceClient
    from databricks.sdk.service.dashboards import GenieConversationSummary, GenieMessage

_PAGE_SIZE = 100
_MAX_PAGES = 1_000


@dataclass(frozen=True, slots=True)
class AskedQuestion:
    """The question that a conversation began with.

    ``sql`` is that of the answer, None where there was none; ``rating`` is POSITIVE or NEGATIVE,
    None where nobody said anything.
    """

    message_id: str
    question: str
    sql: str | None
    rating: str | None


@dataclass(frozen=True, slots=True)
class AskedQuestions:
    """``questions`` are the oldest first; ``follow_up_count`` counts those that build on them."""

    questions: tuple[AskedQuestion, ...]
    follow_up_count: int


def asked_questions(client: WorkspaceClient, space_id: str) -> AskedQuestions:
    """The whole history of conversations that the client's user may see.

    Those of all users where it may manage the space. Raises InvalidInputError for a space that is
    not there or may not be read, WorkspaceError for a workspace that does not answer.
    """
    with telling(client, f"the conversations of {space_id} cannot be read"):
        listed = sorted(
            _conversations(client, space_id), key=lambda one: one.created_timestamp or 0
        )
        messages = [_messages(client, space_id, one.conversation_id) for one in listed]
    first = [one[0] for one in messages if one]
    return AskedQuestions(
        tuple(_asked(message) for message in first),
        sum(len(one) - 1 for one in messages if one),
    )


def _conversations(client: WorkspaceClient, space_id: str) -> Iterator[GenieConversationSummary]:
    token: str | None = None
    for _ in range(_MAX_PAGES):
        page = client.genie.list_conversations(
            space_id, include_all=True, page_size=_PAGE_SIZE, page_token=token
        )
        yield from page.conversations or ()
        token = page.next_page_token
        if not token:
            return


def _messages(client: WorkspaceClient, space_id: str, conversation_id: str) -> list[GenieMessage]:
    """The messages of a conversation, the oldest first."""
    found: list[GenieMessage] = []
    token: str | None = None
    for _ in range(_MAX_PAGES):
        page = client.genie.list_conversation_messages(
            space_id, conversation_id, page_size=_PAGE_SIZE, page_token=token
        )
        found.extend(page.messages or ())
        token = page.next_page_token
        if not token:
            break
    return sorted(found, key=lambda message: message.created_timestamp or 0)


def _asked(message: GenieMessage) -> AskedQuestion:
    queries = [one.query.query for one in message.attachments or () if one.query]
    rating = message.feedback.rating if message.feedback else None
    said = rating.value if rating else None
    return AskedQuestion(
        message_id=message.message_id,
        question=message.content.strip(),
        sql=next((sql for sql in queries if sql), None),
        rating=said if said in ("POSITIVE", "NEGATIVE") else None,
    )
