"""The traces of an evaluation: one per answer, from the rows of its tables.

What a benchmark expects is shown for train only. Whoever reads the expected SQL of the other splits
while improving a space, or gives it to a tool that does, fits the space to it (rule 9). The traces
of those say what was asked and answered and how each judge decided; the whole rows stay in the
tables and in the artifacts made from them.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from genie.traces import AnswerTrace, JudgeFeedback

Row = Mapping[str, Any]
SHOWN_SPLIT = "train"
EXPECTED_SQL = "expected_sql"
_OUTPUTS = (
    "genie_sql", "answer_text", "answer_outcome", "answer_error", "outcome", "match_step",
    "is_correct", "genie_row_count", "ask_count", "conversation_id", "message_id",
)  # fmt: skip
_TAGS = ("space_id", "question_id", "attempt", "split", "outcome")
_ANSWERED = ("answered", "no_sql")
# What says how grave a failure is, and nothing of what was expected: shown for every split.
_ASI_OF_ALL_SPLITS = ("failure_type", "severity", "confidence")


def answer_traces(
    results: Iterable[Row], verdicts: Iterable[Row], failures: Iterable[Row], started_ms: int
) -> list[AnswerTrace]:
    """One trace per row of ``results``, in order of question and attempt.

    When a question was asked is not recorded: each trace begins with its evaluation, at
    ``started_ms`` (milliseconds since 1970, UTC), and lasts as long as its answer took.
    """
    said = _by_answer(verdicts)
    wrong = _by_answer(failures)
    return [
        _trace(result, said[_key(result)], wrong[_key(result)], started_ms)
        for result in sorted(results, key=_key)
    ]


def _trace(
    result: Row, verdicts: Sequence[Row], failures: Sequence[Row], started_ms: int
) -> AnswerTrace:
    is_shown = result["split"] == SHOWN_SPLIT
    return AnswerTrace(
        evaluation_id=result["evaluation_id"],
        question_id=result["question_id"],
        attempt=result["attempt"],
        inputs={"question": result["question"]},
        outputs={name: result[name] for name in _OUTPUTS if result[name] is not None},
        preview=result["genie_sql"] or result["answer_text"] or result["answer_error"] or "",
        is_fault=result["answer_outcome"] not in _ANSWERED,
        tags={f"genie_loop.{name}": str(result[name]) for name in _TAGS},
        feedback=tuple(
            JudgeFeedback(
                judge=verdict["judge"],
                value=verdict["value"],
                rationale=verdict["rationale"] if is_shown else _not_shown(result["split"]),
                metadata=_metadata(verdict, failures, is_shown=is_shown),
                model=verdict.get("model"),
            )
            for verdict in sorted(verdicts, key=lambda v: str(v["judge"]))
        ),
        expectations={EXPECTED_SQL: result["expected_sql"]} if is_shown else {},
        started_ms=started_ms,
        duration_ms=result["latency_ms"] or 0,
    )


def _metadata(verdict: Row, failures: Sequence[Row], *, is_shown: bool) -> dict[str, str]:
    """Which verdict it is, and the ASI of its failures as ``asi.<ordinal>.<field>``."""
    own = sorted(
        (f for f in failures if f["verdict_id"] == verdict["verdict_id"]),
        key=lambda f: int(f["ordinal"]),
    )
    metadata: dict[str, Any] = {
        "verdict_id": verdict["verdict_id"],
        "confidence": verdict["confidence"],
        "split": verdict["split"],
        "failure_count": len(own),
    }
    for failure in own:
        place = f"asi.{failure['ordinal']}"
        asi = failure["asi"]
        shown = asi if is_shown else {name: asi[name] for name in _ASI_OF_ALL_SPLITS}
        metadata |= {f"{place}.{name}": value for name, value in shown.items()}
        metadata[f"{place}.rule"] = failure["rule"]
        metadata[f"{place}.confirmation"] = failure["confirmation"]
    return {name: _text(value) for name, value in metadata.items() if value is not None}


def _text(value: Any) -> str:
    """MLflow's metadata are texts: lists, numbers and booleans as JSON writes them."""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _not_shown(split: str) -> str:
    return f"Not shown for {split} questions; the row is in the table judge_verdicts."


def _key(row: Row) -> tuple[str, int]:
    return (row["question_id"], row["attempt"])


def _by_answer(rows: Iterable[Row]) -> defaultdict[tuple[str, int], list[Row]]:
    listed: defaultdict[tuple[str, int], list[Row]] = defaultdict(list)
    for row in rows:
        listed[_key(row)].append(row)
    return listed
