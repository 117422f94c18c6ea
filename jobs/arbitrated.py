"""What the arbiter says of answers, and answers that are not right and yet no failure.

Where the arbiter finds an answer right, or cannot tell, no judge need explain it: an answer without
a row in ``failures`` is counted here, so that no wrong one is nowhere.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from jobs.question_blocks import print_question_blocks
from jobs.reading import History, Row
from transforms.contracts import ARBITER_VERDICTS, OUTCOMES, SPLITS

# The first answer to a question is the one that counts.
_NOT_RIGHT = """
SELECT q.space_id, q.evaluation_id, q.question_id, q.split, q.question, q.expected_sql, q.genie_sql,
  q.outcome, a.verdict, a.rule, a.confidence, a.evidence, f.question_id IS NOT NULL AS has_failure
FROM eval_results q
LEFT JOIN arbiter_verdicts a ON a.evaluation_id = q.evaluation_id
  AND a.question_id = q.question_id AND a.attempt = q.attempt
LEFT JOIN (SELECT DISTINCT evaluation_id, question_id, attempt FROM failures) f
  ON f.evaluation_id = q.evaluation_id AND f.question_id = q.question_id
  AND f.attempt = q.attempt
WHERE q.evaluation_id IN :evaluations AND q.attempt = 1
  AND (:question IS NULL OR q.question_id = :question) AND NOT COALESCE(q.is_correct, FALSE)
ORDER BY q.space_id, q.evaluation_id, q.question_id
"""
_VERDICTS = """
SELECT * FROM arbiter_verdicts
WHERE evaluation_id IN :evaluations AND attempt = 1
  AND (:question IS NULL OR question_id = :question)
ORDER BY space_id, evaluation_id, question_id
"""


def not_right(history: History, evaluations: Sequence[str], question: str | None) -> list[Row]:
    """The answers of all splits that are not right, with what the arbiter says, if it was asked.

    ``has_failure``: whether a judge explains what is wrong.
    """
    return history.select(_NOT_RIGHT, evaluations=evaluations, question=question)


def verdicts(history: History, evaluations: Sequence[str], question: str | None) -> list[Row]:
    """The rows of ``arbiter_verdicts`` of all splits, those of a space together."""
    return history.select(_VERDICTS, evaluations=evaluations, question=question)


def unexplained_lines(rows: Sequence[Row]) -> list[str]:
    """For each split how many of the answers that are not right are no failure, and why."""
    lines = []
    for split in SPLITS:
        found = [row for row in rows if row["split"] == split and not row["has_failure"]]
        if not found:
            continue
        one = len(found) == 1
        told = "more answer is not right and is" if one else "more answers are not right and are"
        why = Counter(row["verdict"] or row["outcome"] for row in found)
        ruled = _counted(why, ARBITER_VERDICTS)
        others = _counted(why, OUTCOMES)
        parts = [f"arbiter {ruled}"] * bool(ruled) + [others] * bool(others)
        lines.append(f"{split}: {len(found)} {told} no failure: {', '.join(parts)}")
    return lines


def verdict_line(rows: Sequence[Row]) -> str:
    """How often the arbiter said what, the splits side by side."""
    told = []
    for split in SPLITS:
        counts = Counter(row["verdict"] for row in rows if row["split"] == split)
        told.append(f"{split}: {_counted(counts, ARBITER_VERDICTS) or 'none'}")
    return f"Verdicts of the arbiter: {'; '.join(told)}"


def _counted(counts: Counter[str], names: Sequence[str]) -> str:
    return ", ".join(f"{name} {counts[name]}" for name in names if counts[name])


def print_rulings(rows: Sequence[Row]) -> None:
    """One block per question: what the arbiter says and on what evidence, and both queries."""
    print_question_blocks(rows, _ruling_fields)


def _ruling_fields(row: Row) -> list[tuple[str, str | None]]:
    return [
        ("arbiter", _ruling(row)),
        ("evidence", row["evidence"]),
        ("expected", row["expected_sql"]),
        ("produced", row["genie_sql"]),
    ]


def _ruling(row: Row) -> str:
    if row["verdict"] is None:
        return f"not asked: {row['outcome']}"
    sure = "" if row["confidence"] is None else f" (confidence {row['confidence']:.2f})"
    return f"{row['verdict']}, by {row['rule']}{sure}"
