"""What people asked a Genie Space, read from the embedded workspace over HTTP."""

from __future__ import annotations

import json

import pytest
from databricks.sdk.service.dashboards import GenieFeedbackRating

from genie.asked_questions import asked_questions
from genie.local.workspace import EmbeddedWorkspace
from genie.one_try import one_try_client
from tests.genie.local.fakes import FakeBackend, FakeEngine
from transforms.errors import InvalidInputError


@pytest.fixture
def client(tmp_path):
    with EmbeddedWorkspace(tmp_path, FakeEngine(), FakeBackend()) as served:
        yield one_try_client(host=served.host, token=served.token, auth_type="pat")


def ask(client, space_id, question, rating=None, *, of=None):
    """Ask and wait; ``of`` is the conversation to go on with."""
    if of is None:
        started = client.genie.start_conversation(space_id, question).response
        ids = (space_id, started.conversation_id, started.message_id)
    else:
        message = client.genie.create_message(space_id, of, question).response
        ids = (space_id, of, message.message_id)
    while client.genie.get_message(*ids).status.value not in ("COMPLETED", "FAILED"):
        pass
    if rating is not None:
        client.genie.send_message_feedback(*ids, rating)
    return ids[1]


def test_the_question_that_a_conversation_began_with_comes_with_sql_and_rating(client):
    document = {"version": 2, "data_sources": {"tables": [{"identifier": "shop.orders"}]}}
    warehouse = next(iter(client.warehouses.list())).id
    space_id = client.genie.create_space(warehouse, json.dumps(document)).space_id
    first = ask(client, space_id, "SELECT 1", GenieFeedbackRating.POSITIVE)
    ask(client, space_id, "SELECT 2", of=first)
    ask(client, space_id, "SELECT 3", GenieFeedbackRating.NEGATIVE)
    ask(client, space_id, "And now?")
    took_back = ask(client, space_id, "SELECT 4", GenieFeedbackRating.POSITIVE)
    (message,) = client.genie.list_conversation_messages(space_id, took_back).messages
    client.genie.send_message_feedback(
        space_id, took_back, message.message_id, GenieFeedbackRating.NONE
    )
    found = asked_questions(client, space_id)
    assert [(one.question, one.sql, one.rating) for one in found.questions] == [
        ("SELECT 1", "SELECT 1", "POSITIVE"),
        ("SELECT 3", "SELECT 3", "NEGATIVE"),
        ("And now?", None, None),
        ("SELECT 4", "SELECT 4", None),
    ]
    assert found.follow_up_count == 1
    assert len({one.message_id for one in found.questions}) == 4


def test_a_space_that_is_not_there_is_told(client):
    with pytest.raises(InvalidInputError, match="conversations of nowhere cannot be read"):
        asked_questions(client, "nowhere")
