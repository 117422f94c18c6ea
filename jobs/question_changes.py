"""What became of each question between two evaluations: fixed, broken, or as before.

A question is compared with itself only: the same id, text and expected SQL. Ids and texts are those
of train; a question of held_out or sealed has none here, so that no screen can show it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from jobs.reading import History, Row
from transforms.identity import content_hash
from transforms.pairing import Answered, Pair, SplitComparison, compare_splits, pair_up

# An answer that the platform failed to give says nothing; a repeat may have given it.
_ANSWERS = """
SELECT q.question_id, q.question, q.expected_sql, q.split, q.group_id,
  SUM(CASE WHEN q.outcome <> 'infrastructure' THEN 1 ELSE 0 END) AS known_count,
  SUM(CASE WHEN q.outcome <> 'infrastructure' AND q.is_correct THEN 1 ELSE 0 END) AS right_count
FROM eval_results q
JOIN evaluations e ON e.evaluation_id = q.evaluation_id
WHERE q.attempt = 1 AND q.evaluation_id IN :ids
GROUP BY q.question_id, q.question, q.expected_sql, q.split, q.group_id
ORDER BY MAX(e.started_at), q.question_id
"""


@dataclass(frozen=True, slots=True)
class QuestionChanges:
    """``train``: a row per train question with ``question_id``, ``question`` and ``change``.

    ``splits``: the three splits side by side, with what their changes prove.
    """

    train: list[Row]
    splits: list[SplitComparison]

    def train_with(self, change: str) -> list[Row]:
        """Id and text of the train questions that changed so."""
        return [
            {"question_id": row["question_id"], "question": row["question"]}
            for row in self.train
            if row["change"] == change
        ]

    def split_rows(self) -> list[Row]:
        """``splits`` as JSON shows them."""
        return [
            {"split": one.split, **one.numbers(), "verdict": one.verdict} for one in self.splits
        ]


def question_changes(
    history: History, before: Sequence[str], after: Sequence[str]
) -> QuestionChanges:
    """Compare the evaluations ``before`` with those ``after``, by their ids.

    Several evaluations on a side are several answers to each of its questions.
    """
    asked_before = history.select(_ANSWERS, ids=before)
    asked_after = history.select(_ANSWERS, ids=after)
    texts = {row["question_id"]: row["question"] for row in (*asked_before, *asked_after)}
    paired = pair_up(map(_answered, asked_before), map(_answered, asked_after))
    train = [_named(pair, texts) for pair in paired if pair.any_side.split == "train"]
    return QuestionChanges(train, compare_splits(paired))


def _answered(row: Row) -> Answered:
    return Answered(
        question_id=row["question_id"],
        group_id=row["group_id"],
        split=row["split"],
        benchmark=content_hash(row["question"], row["expected_sql"]),
        known_count=row["known_count"],
        right_count=row["right_count"],
    )


def _named(pair: Pair, texts: dict[str, str]) -> Row:
    question_id = pair.any_side.question_id
    return {"question_id": question_id, "question": texts[question_id], "change": pair.change}
