"""How a question becomes an answer: ask the engine, refuse all but one query, run it."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from functools import lru_cache

from genie.local.messages import ANSWERING, QUERYING, Message
from genie.local.seams import Engine, EngineAnswer, Turn
from genie.local.statements import Statements
from transforms.errors import AnswererError
from transforms.read_only import parse_query
from transforms.serialized_space import SpaceConfig
from transforms.sql_lexing import QueryRefusedError, SqlParseError

MAX_ROWS = 5_000

_LOG = logging.getLogger(__name__)


@lru_cache(maxsize=8)
def _visible(serialized_space: str) -> SpaceConfig:
    """What an engine may see of a space."""
    return SpaceConfig.parse(serialized_space).without_benchmarks()


class Answering:
    """Fills in messages. Whatever goes wrong ends in the message, as the platform does it."""

    def __init__(self, engine: Engine, statements: Statements) -> None:
        self._engine = engine
        self._statements = statements

    def answer(
        self,
        message: Message,
        serialized_space: str,
        history: Sequence[Turn],
        reach: Callable[[str], None],
    ) -> None:
        """Answer a message; ``reach`` is told each status on the way, the last one excepted."""
        for status in ANSWERING[1:]:
            reach(status)
        answer = self._ask(message, serialized_space, history)
        if answer is None:
            return
        message.text = answer.text
        if answer.sql:
            message.sql, message.description = answer.sql, answer.description
            self._query(message, reach)
        else:
            message.status = "COMPLETED"

    def _ask(
        self, message: Message, serialized_space: str, history: Sequence[Turn]
    ) -> EngineAnswer | None:
        try:
            return self._engine.answer(_visible(serialized_space), message.content, history)
        except AnswererError as error:
            _fail(message, "RETRYABLE_PROCESSING_EXCEPTION", error.what)
        except Exception as error:
            # An engine that breaks costs one message; the client is told, as the platform does.
            _LOG.exception("the engine failed")
            _fail(message, "GENERIC_CHAT_COMPLETION_EXCEPTION", f"{type(error).__name__}: {error}")
        return None

    def _query(self, message: Message, reach: Callable[[str], None]) -> None:
        assert message.sql is not None
        try:
            parse_query(message.sql)
        except (QueryRefusedError, SqlParseError) as error:
            _fail(message, "SQL_EXECUTION_EXCEPTION", f"not executed: {error.what}")
            return
        for status in QUERYING:
            reach(status)
        statement = self._statements.submit(message.sql, row_limit=MAX_ROWS)
        message.statement_id = statement.statement_id
        statement.is_done.wait()
        if statement.result is None:
            reason = statement.error or "the execution was cancelled"
            _fail(message, "SQL_EXECUTION_EXCEPTION", reason)
            return
        message.status = "COMPLETED"
        message.row_count = len(statement.result.rows)
        message.is_truncated = statement.result.is_truncated


def _fail(message: Message, error_type: str, error: str) -> None:
    message.status, message.error_type, message.error = "FAILED", error_type, error
