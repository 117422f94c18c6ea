"""Answers that are right by luck, as screens show them: counted for every split, listed for one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from jobs.question_blocks import print_question_blocks
from jobs.reading import History, Row
from transforms.contracts import SPLITS
from transforms.luck import LuckCounts

_COUNTS = """
SELECT evaluation_id, split,
  SUM(CASE WHEN is_correct THEN 1 ELSE 0 END) AS correct_count,
  SUM(CASE WHEN is_correct AND coincidence_detail IS NOT NULL THEN 1 ELSE 0 END) AS looked_at_count,
  SUM(CASE WHEN is_correct AND is_coincidental IS NOT NULL THEN 1 ELSE 0 END) AS checked_count,
  SUM(CASE WHEN is_correct AND is_coincidental THEN 1 ELSE 0 END) AS coincidental_count
FROM eval_results
WHERE evaluation_id IN :evaluations AND (:question IS NULL OR question_id = :question)
GROUP BY evaluation_id, split
"""
_ANSWERS = """
SELECT space_id, evaluation_id, question_id, attempt, split, question, expected_sql, genie_sql,
  match_step, is_coincidental, coincidence_detail
FROM eval_results
WHERE evaluation_id IN :evaluations AND (:question IS NULL OR question_id = :question)
  AND split = :split AND is_correct AND is_coincidental
ORDER BY space_id, evaluation_id, question_id, attempt
"""


def luck_of(
    history: History, evaluations: Sequence[str], question: str | None = None
) -> dict[tuple[str, str], LuckCounts]:
    """The counts by evaluation and split, of all questions or one."""
    rows = history.select(_COUNTS, evaluations=evaluations, question=question)
    return {
        (row["evaluation_id"], row["split"]): LuckCounts(
            row["correct_count"],
            row["looked_at_count"],
            row["checked_count"],
            row["coincidental_count"],
        )
        for row in rows
    }


def luck_in_all(counts: Mapping[tuple[str, str], LuckCounts], evaluation: str) -> LuckCounts:
    """The counts of an evaluation over all splits."""
    found = [counts[key] for key in counts if key[0] == evaluation]
    return LuckCounts(
        sum(one.correct_count for one in found),
        sum(one.looked_at_count for one in found),
        sum(one.checked_count for one in found),
        sum(one.coincidental_count for one in found),
    )


def lucky_answers(
    history: History, evaluations: Sequence[str], split: str, question: str | None = None
) -> list[Row]:
    """The rows of ``eval_results`` of a split that are right by luck, those of a space together."""
    return history.select(_ANSWERS, evaluations=evaluations, split=split, question=question)


def count_line(counts: Mapping[tuple[str, str], LuckCounts]) -> str:
    """How many are right by luck, the splits side by side; that it was not checked, where so."""
    if not any(one.looked_at_count for one in counts.values()):
        return "Whether answers are right by luck was not checked: evaluate --check-coincidences"
    told = []
    for split in SPLITS:
        of_split = [one for (_, name), one in counts.items() if name == split]
        found = sum(one.coincidental_count for one in of_split)
        told.append(f"{split}: {found} of {sum(one.correct_count for one in of_split)}")
    return f"Right answers that are right by luck: {'; '.join(told)}"


def print_lucky(rows: Sequence[Row]) -> None:
    """One block per question: what was expected, what was answered, where they come apart."""
    print_question_blocks(rows, _lucky_fields)


def _lucky_fields(row: Row) -> list[tuple[str, str | None]]:
    return [
        ("expected", row["expected_sql"]),
        ("produced", row["genie_sql"]),
        ("by luck", row["coincidence_detail"]),
    ]
