"""What came of asking benchmarks, as rows of ``eval_results`` before anything is judged."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from pipelines.asking import Asked

FROM_BENCHMARK = (
    "benchmark_version", "group_id", "split", "question", "expected_sql", "expected_asset",
)  # fmt: skip
"""The columns of ``eval_results`` that describe the benchmark that was asked."""


def answer_rows(
    space_id: str,
    evaluation_id: str,
    benchmarks: Sequence[Mapping[str, Any]],
    asked: Sequence[tuple[int, Asked]],
) -> list[dict[str, Any]]:
    """One row for each asking: ``asked`` gives its attempt, and what was answered.

    ``benchmarks`` are the rows of that table which were asked.
    """
    benchmark_of = {row["question_id"]: row for row in benchmarks}
    return [
        {
            "space_id": space_id,
            "evaluation_id": evaluation_id,
            "question_id": one.question_id,
            "attempt": attempt,
            **{column: benchmark_of[one.question_id][column] for column in FROM_BENCHMARK},
            "genie_sql": one.answer.sql,
            "answer_text": one.answer.text,
            "answer_outcome": one.answer.outcome,
            "answer_error": one.answer.error,
            "latency_ms": one.answer.latency_ms,
            "ask_count": one.ask_count,
            "conversation_id": one.answer.conversation_id,
            "message_id": one.answer.message_id,
        }
        for attempt, one in asked
    ]
