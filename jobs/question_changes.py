"""What became of each question between two evaluations: fixed, broken, or as before.

A question is compared with itself only: the same id, text and expected SQL. Ids and texts are those
of train; a question of held_out or sealed has none here, so that no screen can show it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from jobs.reading import History, Row
from transforms.contracts import SPLITS

# An answer that the platform failed to give says nothing; a repeat may have given it.
_ANSWERS = """
SELECT q.question_id, q.question, q.expected_sql, q.split,
  CASE WHEN q.outcome = 'infrastructure' THEN NULL ELSE COALESCE(q.is_correct, FALSE) END
    AS is_right,
  ROW_NUMBER() OVER (
    PARTITION BY q.question_id
    ORDER BY CASE WHEN q.outcome = 'infrastructure' THEN 1 ELSE 0 END, e.started_at DESC
  ) AS recency
FROM eval_results q
JOIN evaluations e ON e.evaluation_id = q.evaluation_id
WHERE q.attempt = 1 AND q.evaluation_id IN :{ids}
"""
_CHANGES = f"""
SELECT r.split, r.change,
  CASE WHEN r.split = 'train' THEN r.any_id END AS question_id,
  CASE WHEN r.split = 'train' THEN r.any_text END AS question
FROM (
  SELECT COALESCE(a.split, b.split) AS split, COALESCE(a.question_id, b.question_id) AS any_id,
    COALESCE(a.question, b.question) AS any_text,
    CASE
      WHEN a.question_id IS NULL THEN 'only_before'
      WHEN b.question_id IS NULL THEN 'only_after'
      WHEN a.question <> b.question OR a.expected_sql <> b.expected_sql THEN 'other_benchmark'
      WHEN a.is_right IS NULL OR b.is_right IS NULL THEN 'unknown'
      WHEN a.is_right AND b.is_right THEN 'still_right'
      WHEN a.is_right THEN 'fixed'
      WHEN b.is_right THEN 'broken'
      ELSE 'still_wrong'
    END AS change
  FROM (SELECT * FROM ({_ANSWERS.format(ids="before")}) WHERE recency = 1) b
  FULL JOIN (SELECT * FROM ({_ANSWERS.format(ids="after")}) WHERE recency = 1) a
    ON a.question_id = b.question_id
) r
ORDER BY r.split, r.any_id
"""

COMPARED = ("fixed", "broken", "still_right", "still_wrong")
LEFT_OUT = ("unknown", "other_benchmark", "only_before", "only_after")
"""``unknown``: the platform failed to answer, before or after, so that nothing is known."""


def question_changes(history: History, before: Sequence[str], after: Sequence[str]) -> list[Row]:
    """One row per question of the evaluations ``before`` or ``after``, those of train by id.

    Columns: ``split``, ``change`` (of COMPARED or LEFT_OUT), ``question_id``, ``question``. Of
    several evaluations on one side the newest answer counts.
    """
    return history.select(_CHANGES, before=before, after=after)


def changes_by_split(rows: Sequence[Row]) -> list[Row]:
    """Per split, in order: the number of each change, and right ones of those compared."""
    counted = Counter((row["split"], row["change"]) for row in rows)
    by_split = []
    for split in SPLITS:
        of = {change: counted[split, change] for change in (*COMPARED, *LEFT_OUT)}
        by_split.append(
            {
                "split": split,
                "compared_count": sum(of[change] for change in COMPARED),
                "correct_before": of["still_right"] + of["broken"],
                "correct_after": of["still_right"] + of["fixed"],
                **{f"{change}_count": number for change, number in of.items()},
            }
        )
    return by_split


def train_with(rows: Sequence[Row], change: str) -> list[Row]:
    """Id and text of the train questions that changed so."""
    return [
        {"question_id": row["question_id"], "question": row["question"]}
        for row in rows
        if row["split"] == "train" and row["change"] == change
    ]
