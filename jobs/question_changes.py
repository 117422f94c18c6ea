"""What became of each question between two evaluations: fixed, broken, or as before.

A question is compared with itself only: the same id, text and expected SQL, judged by the same
version of the judges under the same policy. Ids and texts are those of train; a question of
held_out or sealed has none here, so that no screen can show it.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from jobs.reading import History, Row
from transforms.benchmark_identity import benchmark_hash, benchmark_set_hash
from transforms.contracts import JUDGE_TARGETS
from transforms.identity import content_hash
from transforms.pairing import COMPARED, Answered, Pair, SplitComparison, compare_splits, pair_up

# An answer that the platform failed to give says nothing; a repeat may have given it. What was
# judged again stands there once more; what was judged when it was asked comes last.
_ANSWERS = """
SELECT j.question_id, j.question, j.expected_sql, j.expected_asset, j.split, j.group_id,
  j.judge_version, j.comparison_policy, j.is_own,
  SUM(CASE WHEN j.outcome <> 'infrastructure' THEN 1 ELSE 0 END) AS known_count,
  SUM(CASE WHEN j.outcome <> 'infrastructure' AND j.is_correct THEN 1 ELSE 0 END) AS right_count
FROM (
  SELECT q.question_id, q.question, q.expected_sql, q.expected_asset, q.split, q.group_id,
    q.outcome, q.is_correct, e.judge_version, e.comparison_policy, e.started_at, 1 AS is_own
  FROM eval_results q
  JOIN evaluations e ON e.evaluation_id = q.evaluation_id
  WHERE q.attempt = 1 AND q.evaluation_id IN :ids
  UNION ALL
  SELECT r.question_id, q.question, r.expected_sql, r.expected_asset, r.split, r.group_id,
    r.outcome, r.is_correct, r.judge_version, r.comparison_policy, e.started_at, 0
  FROM rejudged_results r
  JOIN eval_results q ON q.evaluation_id = r.evaluation_id AND q.question_id = r.question_id
    AND q.attempt = r.attempt
  JOIN evaluations e ON e.evaluation_id = r.evaluation_id
  WHERE r.attempt = 1 AND r.evaluation_id IN :ids
) j
GROUP BY j.question_id, j.question, j.expected_sql, j.expected_asset, j.split, j.group_id,
  j.judge_version, j.comparison_policy, j.is_own
ORDER BY MAX(j.started_at), j.is_own, j.question_id
"""
_VERDICTS = """
SELECT v.question_id, v.judge, v.value, e.judge_version, e.comparison_policy,
  q.question, q.expected_sql, q.expected_asset
FROM judge_verdicts v
JOIN evaluations e ON e.evaluation_id = v.evaluation_id
JOIN eval_results q ON q.evaluation_id = v.evaluation_id AND q.question_id = v.question_id
  AND q.attempt = v.attempt
WHERE v.evaluation_id = :id AND v.attempt = 1
"""
_VERDICTS_AGAIN = """
SELECT r.question_id, r.verdicts, r.judge_version, r.comparison_policy,
  q.question, r.expected_sql, r.expected_asset
FROM rejudged_results r
JOIN eval_results q ON q.evaluation_id = r.evaluation_id AND q.question_id = r.question_id
  AND q.attempt = r.attempt
WHERE r.evaluation_id = :id AND r.attempt = 1
"""
_YES = ("yes", "genie_correct", "both_correct")


@dataclass(frozen=True, slots=True)
class QuestionChanges:
    """``train``: a row per train question with ``question_id``, ``question`` and ``change``.

    ``splits``: the three splits side by side, with what their changes prove. ``pairs``: all
    questions, which no screen shows. ``benchmark_set_hash``: the benchmarks compared on.
    ``rejudged_count`` questions are compared by verdicts given again; ``unlike_count`` are left
    out and need not be: judged again, they could be compared.
    """

    train: list[Row]
    splits: list[SplitComparison]
    pairs: list[Pair]
    benchmark_set_hash: str
    rejudged_count: int
    unlike_count: int

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
    asked = [history.select(_ANSWERS, ids=ids) for ids in (before, after)]
    paired = pair_up(*(map(_answered, side) for side in asked))
    rows = [row for side in asked for row in side]
    texts = {row["question_id"]: row["question"] for row in rows}
    compared = {_key(pair.any_side) for pair in paired if pair.change in COMPARED}
    hashes = {_key(_answered(row)): _benchmark_hash(row) for row in rows}
    again = {_key(_answered(row)) for row in rows if not row["is_own"]}
    worded = [{(row["question_id"], row["question"]) for row in side} for side in asked]
    worded_alike = {question_id for question_id, _ in worded[0] & worded[1]}
    return QuestionChanges(
        train=[_named(pair, texts) for pair in paired if pair.any_side.split == "train"],
        splits=compare_splits(paired),
        pairs=paired,
        benchmark_set_hash=benchmark_set_hash((key[0], hashes[key]) for key in compared),
        rejudged_count=len(compared & again),
        unlike_count=sum(
            pair.change == "other_benchmark" and pair.any_side.question_id in worded_alike
            for pair in paired
        ),
    )


def judge_changes(history: History, before: str, after: str, pairs: Sequence[Pair]) -> list[Row]:
    """What each judge says of the compared questions of two evaluations, by the judge's name.

    Columns: ``judge``, ``target`` (share; None: it has none), ``compared_count``,
    ``left_out_count``, ``yes_before``, ``yes_after``. Only verdicts on the same benchmark by the
    same judges are compared; a question on which the judge skipped one of them is left out.
    """
    benchmarks = {
        (pair.before.question_id, pair.before.benchmark)
        for pair in pairs
        if pair.before and pair.after and pair.before.benchmark == pair.after.benchmark
    }
    was, now = (_verdicts(history, one, benchmarks) for one in (before, after))
    judges = sorted({judge for _, judge in was.keys() | now.keys()})
    return [
        _judge_row(
            judge,
            [
                (was.get((question, judge)), now.get((question, judge)))
                for question, _ in benchmarks
            ],
        )
        for judge in judges
    ]


def _judge_row(judge: str, verdicts: Sequence[tuple[bool | None, bool | None]]) -> Row:
    both = [(was, now) for was, now in verdicts if was is not None and now is not None]
    return {
        "judge": judge,
        "target": JUDGE_TARGETS.get(judge),
        "compared_count": len(both),
        "left_out_count": len(verdicts) - len(both),
        "yes_before": sum(was for was, _ in both),
        "yes_after": sum(now for _, now in both),
    }


def _verdicts(
    history: History, evaluation_id: str, benchmarks: Collection[tuple[str, str]]
) -> dict[tuple[str, str], bool | None]:
    """Whether a judge says yes, by question and judge, on these benchmarks; None: it skipped."""
    again = [
        {**row, "judge": judge, "value": value}
        for row in history.select(_VERDICTS_AGAIN, id=evaluation_id)
        for judge, value in row["verdicts"].items()
    ]
    return {
        (row["question_id"], row["judge"]): None
        if row["value"] == "skipped"
        else row["value"] in _YES
        for row in (*again, *history.select(_VERDICTS, id=evaluation_id))
        if (row["question_id"], _benchmark(row)) in benchmarks
    }


def _benchmark(row: Row) -> str:
    """What a verdict is given on: the benchmark, the judges' version, the policy."""
    return content_hash(_benchmark_hash(row), row["judge_version"], row["comparison_policy"])


def _benchmark_hash(row: Row) -> str:
    return benchmark_hash(row["question"], row["expected_sql"], row["expected_asset"])


def _key(answered: Answered) -> tuple[str, str]:
    return (answered.question_id, answered.benchmark)


def _answered(row: Row) -> Answered:
    return Answered(
        question_id=row["question_id"],
        group_id=row["group_id"],
        split=row["split"],
        benchmark=_benchmark(row),
        known_count=row["known_count"],
        right_count=row["right_count"],
    )


def _named(pair: Pair, texts: dict[str, str]) -> Row:
    question_id = pair.any_side.question_id
    return {"question_id": question_id, "question": texts[question_id], "change": pair.change}
