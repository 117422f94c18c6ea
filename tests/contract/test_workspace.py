"""What the product relies on in a workspace, embedded or real."""

from __future__ import annotations

import json

import pytest
from databricks.sdk import errors
from databricks.sdk.service.dashboards import GenieFeedbackRating, MessageStatus
from databricks.sdk.service.sql import (
    ExecuteStatementRequestOnWaitTimeout as OnTimeout,
)
from databricks.sdk.service.sql import (
    StatementParameterListItem,
    StatementState,
)


@pytest.fixture(scope="module")
def space(workspace):
    return workspace.create(description="For the contract")


def full(workspace, space):
    return workspace.genie.get_space(space.space_id, include_serialized_space=True)


def test_the_current_user_has_a_name(workspace):
    assert workspace.client.current_user.me().user_name


def test_a_warehouse_is_found_by_its_id(workspace):
    found = workspace.client.warehouses.get(workspace.warehouse_id)
    assert (found.id, bool(found.name)) == (workspace.warehouse_id, True)


def test_a_bare_get_says_nothing_of_the_configuration(workspace, space):
    bare = workspace.genie.get_space(space.space_id)
    assert (bare.space_id, bare.title) == (space.space_id, space.title)
    assert bare.description == "For the contract"
    assert bare.warehouse_id == workspace.warehouse_id
    assert bare.serialized_space is None
    assert bare.etag is None


def test_a_full_get_gives_the_configuration_and_its_etag(workspace, space):
    found = full(workspace, space)
    sources = json.loads(found.serialized_space)["data_sources"]
    assert sources == workspace.document()["data_sources"]
    assert found.etag
    assert full(workspace, space).etag == found.etag


def test_spaces_are_listed_in_pages(workspace, space):
    workspace.create()
    found, token = [], None
    while True:
        page = workspace.genie.list_spaces(page_size=1, page_token=token)
        found += page.spaces or []
        token = page.next_page_token
        if not token or len(found) > 200:
            break
    by_id = {one.space_id: one for one in found}
    assert len(by_id) == len(found)
    assert workspace.spaces[-1] in by_id or len(found) > 200
    assert all(one.serialized_space is None for one in found)


def test_an_update_replaces_what_it_names_and_nothing_else(workspace):
    space = workspace.create(description="before")
    text = {"id": "0" * 31 + "1", "content": ["Fares are in dollars.\n"]}
    document = workspace.document(instructions={"text_instructions": [text]})
    workspace.genie.update_space(
        space.space_id, serialized_space=json.dumps(document), etag=full(workspace, space).etag
    )
    found = full(workspace, space)
    assert json.loads(found.serialized_space)["instructions"]["text_instructions"] == [text]
    assert (found.title, found.description) == (space.title, "before")


def test_an_update_with_a_stale_etag_is_refused_and_changes_nothing(workspace):
    space = workspace.create()
    stale = full(workspace, space).etag
    workspace.genie.update_space(space.space_id, title="changed meanwhile", etag=stale)
    with pytest.raises(errors.Aborted, match="Space configuration has been modified"):
        workspace.genie.update_space(space.space_id, title="too late", etag="stale-etag")
    assert full(workspace, space).title == "changed meanwhile"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"failure_clusters": []}, "Cannot find field: failure_clusters in message"),
        ({"config": {"sample_questions": [{"id": "q1", "question": ["?"]}]}},
         "Expected lowercase 32-hex UUID without hyphens"),
        ({"data_sources": {"tables": [{"identifier": "samples.nyctaxi.trips",
                                       "description": "text"}]}},
         "Expected an array for description but found"),
        ({"data_sources": {"tables": [{"identifier": "samples.tpch.orders"},
                                      {"identifier": "samples.nyctaxi.trips"}]}},
         "data_sources.tables must be sorted by identifier"),
        ({"instructions": {"text_instructions": [{"id": "0" * 32, "content": ["a"]},
                                                 {"id": "1" * 32, "content": ["b"]}]}},
         "instructions.text_instructions must contain at most one item"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)  # fmt: skip
def test_a_wrong_configuration_is_refused_in_the_platforms_words(workspace, space, change, message):
    before = full(workspace, space).etag
    document = json.dumps({**workspace.document(), **change})
    with pytest.raises(errors.BadRequest, match=message):
        workspace.genie.update_space(space.space_id, serialized_space=document)
    assert full(workspace, space).etag == before


def test_what_is_not_there_is_not_found(workspace, space):
    nowhere = "0" * 32
    with pytest.raises(errors.NotFound):
        workspace.genie.get_space(nowhere)
    with pytest.raises(errors.NotFound):
        workspace.genie.get_message(space.space_id, nowhere, nowhere)


def test_a_space_in_the_trash_is_gone(workspace):
    space = workspace.create()
    workspace.genie.trash_space(space.space_id)
    workspace.spaces.remove(space.space_id)
    with pytest.raises(errors.NotFound):
        workspace.genie.get_space(space.space_id)


def test_permissions_of_a_space_name_the_user(workspace, space):
    found = workspace.client.permissions.get("genie", space.space_id)
    levels = {
        permission.permission_level.value
        for entry in found.access_control_list
        for permission in entry.all_permissions
    }
    assert "CAN_MANAGE" in levels


@pytest.fixture(scope="module")
def answered(workspace, space):
    started = workspace.genie.start_conversation(space.space_id, workspace.question(3)).response
    return workspace.answered(started.message)


def test_a_question_is_answered_with_sql(workspace, answered):
    assert answered.status is MessageStatus.COMPLETED
    (query,) = [found.query for found in answered.attachments if found.query]
    assert "select" in query.query.lower()
    assert answered.content == workspace.question(3)


def test_the_result_of_an_answer_has_a_schema_and_cells_of_text(workspace, space, answered):
    (attachment,) = [found for found in answered.attachments if found.query]
    ids = (space.space_id, answered.conversation_id, answered.message_id, attachment.attachment_id)
    read = workspace.genie.get_message_attachment_query_result(*ids).statement_response
    again = workspace.genie.execute_message_attachment_query(*ids).statement_response
    assert read.status.state is StatementState.SUCCEEDED
    assert read.manifest.schema.columns[0].name
    assert len(read.result.data_array) == read.manifest.total_row_count == 3
    assert all(cell is None or isinstance(cell, str) for cell in read.result.data_array[0])
    assert again.statement_id != read.statement_id


def test_a_conversation_and_its_first_message_are_listed_at_once(workspace, space):
    question = workspace.question(2)
    started = workspace.genie.start_conversation(space.space_id, question).response
    listed = workspace.genie.list_conversations(space.space_id).conversations
    (found,) = [one for one in listed if one.conversation_id == started.conversation_id]
    assert found.created_timestamp
    messages = workspace.genie.list_conversation_messages(
        space.space_id, found.conversation_id
    ).messages
    assert [message.content for message in messages] == [question]


def test_a_follow_up_belongs_to_its_conversation(workspace, space, answered):
    follow_up = workspace.genie.create_message(
        space.space_id, answered.conversation_id, workspace.question(1)
    ).response
    assert follow_up.conversation_id == answered.conversation_id
    assert workspace.answered(follow_up).status is MessageStatus.COMPLETED


def test_what_a_person_says_of_an_answer_is_shown_with_it(workspace, space):
    started = workspace.genie.start_conversation(space.space_id, workspace.question(1)).response
    message = workspace.answered(started.message)
    ids = (space.space_id, message.conversation_id, message.message_id)
    assert message.feedback is None or message.feedback.rating is GenieFeedbackRating.NONE
    workspace.genie.send_message_feedback(*ids, GenieFeedbackRating.POSITIVE)
    rated = workspace.until(lambda: workspace.genie.get_message(*ids).feedback)
    assert rated.rating is GenieFeedbackRating.POSITIVE
    listed = workspace.genie.list_conversation_messages(*ids[:2]).messages
    assert [one.feedback.rating for one in listed] == [GenieFeedbackRating.POSITIVE]


def run(workspace, sql, **arguments):
    return workspace.client.statement_execution.execute_statement(
        sql, workspace.warehouse_id, **arguments
    )


def test_a_statement_is_run_to_its_end(workspace):
    done = run(workspace, "SELECT 1")
    assert done.status.state is StatementState.SUCCEEDED
    assert len(done.result.data_array) == 1
    same = workspace.client.statement_execution.get_statement(done.statement_id)
    assert same.result.data_array == done.result.data_array


def test_a_statement_that_cannot_run_fails_with_the_reason(workspace):
    failed = run(workspace, "SELECT * FROM broken.broken.broken")
    assert failed.status.state is StatementState.FAILED
    assert "broken" in failed.status.error.message


def test_a_statement_that_is_not_waited_for_is_polled(workspace):
    begun = run(workspace, "SELECT 1", wait_timeout="0s")

    def done():
        found = workspace.client.statement_execution.get_statement(begun.statement_id)
        return found if found.status.state is StatementState.SUCCEEDED else None

    assert workspace.until(done).result.data_array


def test_a_time_to_wait_that_is_out_of_bounds_is_refused(workspace):
    with pytest.raises(errors.BadRequest):
        run(workspace, "SELECT 1", wait_timeout="2s", on_wait_timeout=OnTimeout.CANCEL)


def test_parameters_are_checked_against_their_types(workspace):
    parameter = StatementParameterListItem(name="n", value="three", type="INT")
    try:
        status = run(workspace, "SELECT :n", parameters=[parameter]).status
    except errors.BadRequest:
        return
    assert status.state is StatementState.FAILED
