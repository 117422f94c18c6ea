"""What came of asking benchmarks, as rows of ``eval_results`` before anything is judged."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from pipelines.asking import Asked

ATTEMPT = 1  # a request is answered by one attempt at each question
_FROM_BENCHMARK = (
    "benchmark_version", "group_id", "split", "question", "expected_sql", "expected_asset",
)  # fmt: skip


def answer_rows(
    space_id: str,
    evaluation_id: str,
    benchmarks: Sequence[Mapping[str, Any]],
    asked: Sequence[Asked],
) -> list[dict[str, Any]]:
    """One row for each benchmark, which is a row of ``benchmarks``, and what was answered to it."""
    return [
        {
            "space_id": space_id,
            "evaluation_id": evaluation_id,
            "question_id": benchmark["question_id"],
            "attempt": ATTEMPT,
            **{column: benchmark[column] for column in _FROM_BENCHMARK},
            "genie_sql": one.answer.sql,
            "answer_text": one.answer.text,
            "answer_outcome": one.answer.outcome,
            "answer_error": one.answer.error,
            "latency_ms": one.answer.latency_ms,
            "ask_count": one.ask_count,
            "conversation_id": one.answer.conversation_id,
            "message_id": one.answer.message_id,
        }
        for benchmark, one in zip(benchmarks, asked, strict=True)
    ]
