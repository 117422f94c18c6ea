"""The metadata engine over a SQL backend: what it reads, how long it keeps it, what it answers."""

from __future__ import annotations

import json

import pytest

from genie.catalog import StatementFailedError
from genie.local.engine.engine import MetadataEngine
from genie.local.live_catalog import LiveCatalog
from genie.local.metadata_answers import MetadataAnswers, WatchedBackend
from genie.local.seams import SqlFailedError, SqlRequest, SqlResult
from tests.genie.recorded_catalog import run_recorded
from transforms.serialized_space import SpaceConfig

DOCUMENT = {
    "version": 2,
    "data_sources": {
        "tables": [
            {
                "identifier": "wanderbricks.bookings",
                "column_configs": [
                    {
                        "column_name": "status",
                        "enable_format_assistance": True,
                        "enable_entity_matching": True,
                    }
                ],
            },
            {"identifier": "wanderbricks.nope"},
        ],
        "metric_views": [
            {
                "identifier": "wanderbricks.payment_metrics",
                "column_configs": [
                    {
                        "column_name": "method",
                        "enable_format_assistance": True,
                        "enable_entity_matching": True,
                    }
                ],
            }
        ],
    },
    "instructions": {
        "sql_functions": [
            {"id": "a" * 32, "identifier": "wanderbricks.occupancy_by_month"},
            {"id": "b" * 32, "identifier": "wanderbricks.nope"},
        ]
    },
}
CONFIG = SpaceConfig.parse(json.dumps(DOCUMENT))
VALUES = {"status": ("cancelled", "completed"), "method": ("paypal",)}


class RecordedBackend:
    """Replays what Spark said; everything else succeeds without rows."""

    def __init__(self):
        self.ran = []
        self.is_broken = False

    def execute(self, request):
        self.ran.append(request.sql)
        if self.is_broken:
            raise SqlFailedError("[INTERNAL_ERROR] broken", sql_state="XX000")
        for column, values in VALUES.items():
            if f"`{column}` AS v" in request.sql:
                return SqlResult(rows=tuple((value,) for value in values))
        try:
            return SqlResult(rows=tuple(run_recorded(request.sql)))
        except StatementFailedError as error:
            raise SqlFailedError(error.what, sql_state=error.sql_state) from error
        except KeyError:
            return SqlResult()

    def cancel(self, tag):
        self.ran.append(f"cancel {tag}")


@pytest.fixture
def backend():
    return RecordedBackend()


def answers_of(backend, **options):
    watched = WatchedBackend(backend)
    return MetadataAnswers(MetadataEngine(), watched, **options), watched


def test_the_catalog_is_described_as_it_is_and_what_is_not_there_is_left_out(backend):
    described = LiveCatalog(backend).describe(DOCUMENT)
    (table,), (view,), (function,) = (
        described.tables, described.metric_views, described.functions,
    )  # fmt: skip
    assert table.primary_key == ("booking_id",)
    assert table.foreign_keys[1].table == "wanderbricks.users"
    by_name = {column.name: column for column in table.columns}
    assert by_name["status"].values == VALUES["status"]
    assert by_name["booking_id"].values is None
    assert (by_name["guests_count"].data_type, by_name["guests_count"].comment) == ("int", "pax")
    measures = {one.name: one for one in view.measures}
    assert measures["amount_ok"].expr == "SUM(amount) FILTER (WHERE status = 'completed')"
    assert measures["amount_ok"].comment == "amt completed"
    dimensions = {one.name: one for one in view.dimensions}
    assert (dimensions["paid_month"].data_type, dimensions["method"].values) == (
        "date", VALUES["method"],
    )  # fmt: skip
    assert [(p.name, p.comment, p.default) for p in function.parameters] == [
        ("in_country", "country", None),
        ("in_year", "yr", "2024"),
    ]


def test_no_more_values_are_read_than_the_platform_keeps(backend):
    LiveCatalog(backend).describe(DOCUMENT)
    (sql,) = [sql for sql in backend.ran if "`status` AS v" in sql]
    assert "LENGTH(CAST(v AS STRING)) <= 127" in sql
    assert sql.endswith("LIMIT 1024")


def test_an_answer_comes_with_its_reasons_and_a_question_about_nothing_with_a_text(backend):
    answers, _ = answers_of(backend)
    answer = answers.answer(CONFIG, "How many bookings are cancelled?", ())
    assert "FROM `wanderbricks`.`bookings`" in answer.sql
    assert "'cancelled'" in answer.sql
    assert "asset: wanderbricks.bookings (table)" in answer.description
    assert answers.answer(CONFIG, "Why do zebras sing opera?", ()).sql is None


def test_the_catalog_is_read_once_for_all_questions_and_configurations(backend):
    answers, _ = answers_of(backend)
    answers.answer(CONFIG, "How many bookings?", ())
    read = len(backend.ran)
    answers.answer(CONFIG, "How many bookings are cancelled?", ())
    answers.answer(SpaceConfig.parse(CONFIG.text + "\n"), "How many bookings?", ())
    assert len(backend.ran) == read


@pytest.mark.parametrize(
    ("sql", "is_read_again"),
    [
        ("SELECT 1", False),
        ("DESCRIBE TABLE wanderbricks.bookings", False),
        ("COMMENT ON TABLE wanderbricks.bookings IS 'x'", True),
        ("ALTER TABLE wanderbricks.bookings ALTER COLUMN status COMMENT 'x'", True),
        ("WITH a AS (SELECT 1) INSERT INTO b SELECT * FROM a", True),
    ],
)
def test_a_statement_that_may_change_something_makes_the_catalog_be_read_again(
    backend, sql, is_read_again
):
    answers, watched = answers_of(backend)
    answers.answer(CONFIG, "How many bookings?", ())
    watched.execute(SqlRequest(sql, "t"))
    read = len(backend.ran)
    answers.answer(CONFIG, "How many bookings?", ())
    assert (len(backend.ran) > read) is is_read_again


def test_what_was_changed_beside_the_backend_is_seen_at_once_where_somebody_tells(backend):
    version = [1]
    answers, _ = answers_of(backend, version=lambda: version[0])
    answers.answer(CONFIG, "How many bookings?", ())
    read = len(backend.ran)
    for version[0], is_read_again in ((1, False), (2, True)):
        answers.answer(CONFIG, "How many bookings?", ())
        assert (len(backend.ran) > read) is is_read_again


def test_only_a_table_whose_mark_has_changed_is_read_again(backend):
    marks = {"wanderbricks.bookings": 1}
    version = [1]
    answers, _ = answers_of(backend, version=lambda: version[0], marks=lambda: marks)
    answers.answer(CONFIG, "How many bookings?", ())
    for version[0], marks["wanderbricks.bookings"], is_read_again in ((2, 1, False), (3, 2, True)):
        backend.ran.clear()
        answers.answer(CONFIG, "How many bookings?", ())
        assert any("`bookings`" in sql for sql in backend.ran) is is_read_again
        assert any("`payment_metrics`" in sql for sql in backend.ran), "a view has no mark"


def test_what_another_process_changed_is_seen_after_a_while(backend):
    now = [0.0]
    answers, _ = answers_of(backend, max_age_s=10.0, clock=lambda: now[0])
    answers.answer(CONFIG, "How many bookings?", ())
    read = len(backend.ran)
    for now[0], is_read_again in ((9.0, False), (11.0, True)):
        answers.answer(CONFIG, "How many bookings?", ())
        assert (len(backend.ran) > read) is is_read_again


def test_a_catalog_that_cannot_be_read_is_told_and_not_remembered(backend):
    answers, _ = answers_of(backend)
    backend.is_broken = True
    with pytest.raises(StatementFailedError, match="INTERNAL_ERROR"):
        answers.answer(CONFIG, "How many bookings?", ())
    backend.is_broken = False
    assert answers.answer(CONFIG, "How many bookings?", ()).sql


def test_cancelling_reaches_the_backend(backend):
    WatchedBackend(backend).cancel("t7")
    assert backend.ran == ["cancel t7"]
