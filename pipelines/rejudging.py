"""Judges stored answers again where benchmarks, judges or policy changed since; nobody is asked.

Verdicts are compared only where they were given on the same: one version of the benchmark, of the
judges, one policy. What an evaluation recorded stays as it is; the verdicts on something else are
rows of ``rejudged_results``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pyspark.sql import functions as F

from pipelines.evidence import any_of
from pipelines.judging import Judging, judge_answers
from pipelines.second_opinions import fill_gaps, judge_version
from pipelines.states import States
from pipelines.tables import Tables
from transforms.benchmark_identity import benchmark_hash, benchmark_set_hash
from transforms.contracts import EVAL_RESULTS, EVALUATIONS, REJUDGED_RESULTS
from transforms.evaluation_rows import JudgedRows
from transforms.evaluation_views import EVALUATION_STATES
from transforms.gate_pairs import ASKS_TRAIN, baselines
from transforms.identity import content_hash

Row = Mapping[str, Any]
_FROM_BENCHMARK = ("benchmark_version", "group_id", "split", "expected_sql", "expected_asset")
_JUDGED = ("outcome", "match_step", "is_correct")
_PORTION = 1_000  # answers whose verdicts are held with their reasons


@dataclass(frozen=True, slots=True)
class OneSet:
    """What answers are to be judged on.

    ``benchmarks`` go by ``question_id`` and have ``question``, ``benchmark_version`` (None: it is
    another space's) and the columns of ``rejudged_results`` that describe a benchmark.
    """

    benchmarks: Mapping[str, Row]
    comparison_policy: str

    @classmethod
    def asked_in(cls, answers: Sequence[Row], comparison_policy: str) -> OneSet:
        """The benchmarks that rows of ``eval_results`` were asked and judged on."""
        benchmarks = {
            answer["question_id"]: {
                **{name: answer[name] for name in ("question", *_FROM_BENCHMARK)},
                "benchmark_hash": hash_of(answer),
            }
            for answer in answers
        }
        return cls(benchmarks, comparison_policy)

    @property
    def set_hash(self) -> str:
        """Names the benchmarks together, as ``benchmark_set_hash`` of an evaluation does."""
        return benchmark_set_hash(
            (question_id, row["benchmark_hash"]) for question_id, row in self.benchmarks.items()
        )


def hash_of(answer: Row) -> str:
    """The ``benchmark_hash`` of the benchmark that a row of ``eval_results`` was judged on."""
    return benchmark_hash(answer["question"], answer["expected_sql"], answer["expected_asset"])


def compared_evaluations(
    tables: Tables, space_id: str, batch_id: str, evaluation_id: str
) -> list[str]:
    """What the gate will look at beside a new evaluation of a batch: by their ids, sorted.

    The batch's earlier evaluations, and the accepted ones of the state before it.
    """
    states = States(tables).of(EVALUATION_STATES)
    earlier = states.where((F.col("batch_id") == batch_id) & (F.col("state") != "accepted"))
    pending = tables.spark.range(1).select(
        F.lit(space_id).alias("space_id"),
        F.lit(batch_id).alias("batch_id"),
        F.lit(tables.clock()).alias("first_started_at"),
    )
    accepted = states.where(ASKS_TRAIN).where("state = 'accepted'")
    before = baselines(pending, accepted).select(
        F.explode("baseline_evaluation_ids").alias("evaluation_id")
    )
    found = earlier.select("evaluation_id").unionByName(before).collect()
    return sorted({row["evaluation_id"] for row in found} - {evaluation_id})


def judge_again(
    tables: Tables, evaluation_ids: Sequence[str], one_set: OneSet, judging: Judging
) -> bool:
    """Judge the answers of finished evaluations on one set, where they were not; whether any was.

    An answer to a question that was worded otherwise is left out: it answers something else. Both
    queries run on the data and objects as they are now.
    """
    if not evaluation_ids:
        return False
    judges = judge_version(judging.model_judge)
    answers = [
        _on(one_set.benchmarks[answer["question_id"]], answer)
        for answer in stale_answers(tables, evaluation_ids, one_set, judges)
    ]
    if not answers:
        return False
    rows = []
    for start in range(0, len(answers), _PORTION):
        judged = fill_gaps(
            judge_answers(answers[start : start + _PORTION], judging),
            judging.model_judge,
            judging.state,
            judging.executor.execute,
        )
        rows += _rejudged(judged, one_set, judges)
    keys = sorted([row[name] for name in REJUDGED_RESULTS.key] for row in rows)
    return tables.append_rows(REJUDGED_RESULTS, rows, transaction=content_hash(keys))


def _rejudged(judged: JudgedRows, one_set: OneSet, judges: str) -> list[dict[str, Any]]:
    verdicts: dict[tuple[str, str, int], dict[str, str]] = {}
    for verdict in judged.verdicts:
        verdicts.setdefault(_key(verdict), {})[verdict["judge"]] = verdict["value"]
    set_hash = one_set.set_hash
    return [
        {
            "space_id": answer["space_id"],
            "evaluation_id": answer["evaluation_id"],
            "question_id": answer["question_id"],
            "attempt": answer["attempt"],
            "judge_version": judges,
            "comparison_policy": one_set.comparison_policy,
            "benchmark_set_hash": set_hash,
            **{name: answer[name] for name in ("benchmark_hash", *_FROM_BENCHMARK, *_JUDGED)},
            "verdicts": verdicts[_key(answer)],
        }
        for answer in judged.completions
    ]


def stale_answers(
    tables: Tables, evaluation_ids: Sequence[str], one_set: OneSet, judges: str
) -> list[dict[str, Any]]:
    """Rows of ``eval_results`` that have no verdict on the set yet, and could have one.

    ``judges`` is the ``judge_version`` of those who judge now.
    """
    judged_by = {
        row["evaluation_id"]: (row["judge_version"], row["comparison_policy"])
        for row in _rows(tables.read(EVALUATIONS), evaluation_ids)
    }
    wanted_by = (judges, one_set.comparison_policy)
    again = {
        (*_key(row), row["benchmark_hash"])
        for row in _rows(tables.read(REJUDGED_RESULTS), evaluation_ids)
        if (row["judge_version"], row["comparison_policy"]) == wanted_by
    }
    stale = []
    for answer in _rows(tables.read(EVAL_RESULTS).where("attempt = 1"), evaluation_ids):
        benchmark = one_set.benchmarks.get(answer["question_id"])
        if benchmark is None or benchmark["question"] != answer["question"]:
            continue
        is_same_benchmark = all(answer[name] == benchmark[name] for name in _EXPECTED)
        is_own = judged_by.get(answer["evaluation_id"]) == wanted_by and is_same_benchmark
        if not is_own and (*_key(answer), benchmark["benchmark_hash"]) not in again:
            stale.append(answer)
    return stale


_EXPECTED = ("expected_sql", "expected_asset")


def _rows(frame: Any, evaluation_ids: Sequence[str]) -> list[dict[str, Any]]:
    found = frame.where(any_of("evaluation_id", evaluation_ids)).orderBy(F.col("evaluation_id"))
    return [row.asDict(recursive=True) for row in found.collect()]


def _key(row: Row) -> tuple[str, str, int]:
    return (row["evaluation_id"], row["question_id"], row["attempt"])


def _on(benchmark: Row, answer: Row) -> dict[str, Any]:
    return {**answer, **{name: benchmark[name] for name in ("benchmark_hash", *_FROM_BENCHMARK)}}


OpenJudging = Callable[[str, str], Judging]
"""Called with a space's id and the comparison policy: what judges that space's answers now."""


def judge_both_again(
    tables: Tables,
    before_id: str,
    after_id: str,
    open_judging: OpenJudging,
    judges: str,
) -> bool:
    """Judge two evaluations on one set, where they were judged on different ones; whether any was.

    A question is judged on the newer version of its benchmark, or on that of ``after_id`` where
    the evaluations are of different spaces; all by the judges as they are now, whose
    ``judge_version`` is ``judges``.
    """
    evaluations = {
        row["evaluation_id"]: row for row in _rows(tables.read(EVALUATIONS), [before_id, after_id])
    }
    before, after = (
        {
            row["question_id"]: row
            for row in _rows(tables.read(EVAL_RESULTS).where("attempt = 1"), [one])
        }
        for one in (before_id, after_id)
    )
    spaces = {one: evaluations[one]["space_id"] for one in (before_id, after_id)}
    policy = evaluations[after_id]["comparison_policy"]
    is_one_space = len(set(spaces.values())) == 1
    wanted = [
        max(before[name], after[name], key=lambda row: row["benchmark_version"])
        if is_one_space
        else after[name]
        for name in sorted(before.keys() & after.keys())
        if before[name]["question"] == after[name]["question"]
        and _judged_on(before[name], evaluations) != _judged_on(after[name], evaluations)
    ]
    if not wanted:
        return False
    did_judge = False
    for evaluation_id, space_id in spaces.items():
        is_own = space_id == spaces[after_id]
        rows = [{**row, **({} if is_own else {"benchmark_version": None})} for row in wanted]
        one_set = OneSet.asked_in(rows, policy)
        if stale_answers(tables, [evaluation_id], one_set, judges):
            judging = open_judging(space_id, policy)
            did_judge |= judge_again(tables, [evaluation_id], one_set, judging)
    return did_judge


def _judged_on(answer: Row, evaluations: Mapping[str, Row]) -> tuple[str, str, str]:
    evaluation = evaluations[answer["evaluation_id"]]
    return (hash_of(answer), evaluation["judge_version"], evaluation["comparison_policy"])
