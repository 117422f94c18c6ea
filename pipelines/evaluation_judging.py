"""Judges the recorded answers of one evaluation, and commits what follows from them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from genie.model_versions import ModelVersion
from pipelines.checking import check_for_luck
from pipelines.evaluation_under_way import UnderWay
from pipelines.judging import Judging, judge_answers
from pipelines.judging_many import judge_many
from pipelines.rejudging import OneSet, compared_evaluations, judge_again
from pipelines.rejudging_many import OneLargeSet, judge_many_again
from pipelines.repeating import repeated_questions, repeated_rows, with_repeatability
from pipelines.requests import Lineage
from pipelines.second_opinions import fill_gaps
from pipelines.snapshot import Snapshot
from transforms.contracts import (
    ARBITER_VERDICTS_TABLE,
    EVAL_RESULTS,
    FAILURES,
    JUDGE_VERDICTS,
    REPEATED_QUESTIONS,
)
from transforms.evaluation_rows import COMPLETION_COLUMNS, FIRST_ASKING
from transforms.judgement import ProfiledValues


class JudgedAnswers:
    """The answers of an evaluation as they are judged, by the state of ``version``.

    ``answers`` are its rows of ``eval_results``; None: they are too many to be at hand.
    """

    def __init__(
        self,
        evaluation: UnderWay,
        version: ModelVersion,
        values: ProfiledValues,
        snapshot: Snapshot,
        answers: Sequence[Mapping[str, Any]] | None,
    ) -> None:
        self._evaluation = evaluation
        self._snapshot = snapshot
        self._answers = answers
        self._judging = self._judging_by(version, values)

    def _judging_by(self, version: ModelVersion, values: ProfiledValues) -> Judging:
        evaluation = self._evaluation
        model_judge = evaluation.services.model_judge
        return Judging(
            executor=evaluation.services.open_executor(evaluation.space, self._snapshot),
            state=version.state,
            values=values,
            comparison_policy=evaluation.space.comparison_policy,
            workers=evaluation.policy.execution.workers,
            model_judge=model_judge.for_one_evaluation() if model_judge is not None else None,
        )

    def record_verdicts(self) -> None:
        """Judge the answers that were not, and commit verdicts, failures, rulings and outcomes."""
        if self._answers is None:
            self._record_of_many()
        elif any(answer["outcome"] is None for answer in self._answers):
            self._record_of_few(self._answers)

    def _record_of_few(self, answers: Sequence[Mapping[str, Any]]) -> None:
        evaluation, judging = self._evaluation, self._judging
        space = evaluation.space
        judged = judge_answers(
            answers, judging, lambda done: evaluation.progress("judge", done, len(answers))
        )
        earlier = evaluation.earlier(judging.state, self._snapshot)
        found = repeated_questions(judged.completions, earlier, space)
        judged = fill_gaps(
            with_repeatability(judged, found),
            judging.model_judge,
            judging.state,
            judging.executor.execute,
            lambda done, total: evaluation.progress("ask a model", done, total),
        )
        repeated = repeated_rows(judged.completions, found, space, judging.state.state_hash)
        evaluation.append(REPEATED_QUESTIONS, repeated)
        evaluation.append(JUDGE_VERDICTS, judged.verdicts)
        evaluation.append(FAILURES, judged.failures)
        evaluation.append(ARBITER_VERDICTS_TABLE, judged.rulings)
        self._complete(evaluation.tables.frame(EVAL_RESULTS, judged.completions))

    def _record_of_many(self) -> None:
        """The same rows in the same order of commits, without having them at hand."""
        evaluation = self._evaluation
        answers = evaluation.many.rows(EVAL_RESULTS).where("outcome IS NULL")
        count = answers.count()
        if not count:
            return
        judged = judge_many(
            answers,
            count,
            self._judging,
            evaluation.services.open_executor(evaluation.space, self._snapshot).execute_apart,
            evaluation.many.empty_folder("judging"),
            lambda done: evaluation.progress("execute", done, 0),
        )
        evaluation.progress("judge", count, count)
        for table, rows in (
            (JUDGE_VERDICTS, judged.verdicts),
            (FAILURES, judged.failures),
            (ARBITER_VERDICTS_TABLE, judged.rulings),
        ):
            evaluation.wrote += evaluation.tables.append(
                table, rows, transaction=evaluation.evaluation_id
            )
        self._complete(judged.completions)

    def _complete(self, completions: DataFrame) -> None:
        self._evaluation.wrote += self._evaluation.tables.merge(
            EVAL_RESULTS,
            completions,
            update=COMPLETION_COLUMNS,
            matched_when="t.outcome IS NULL",
        )

    def check_for_luck(self) -> None:
        """What is found of right answers changes no verdict and no count."""
        evaluation = self._evaluation
        policy = evaluation.policy
        if policy.coincidences is None:
            return
        right = evaluation.many.rows(EVAL_RESULTS).where(F.col("attempt") == FIRST_ASKING)
        first = right.where("is_correct").orderBy("question_id").limit(policy.few_answers)
        evaluation.wrote += check_for_luck(
            evaluation.tables,
            [row.asDict(recursive=True) for row in first.collect()],
            self._judging,
            policy.coincidences,
            lambda done, of: evaluation.progress("check for luck", done, of),
        )

    def judge_baseline_again(self, lineage: Lineage) -> None:
        """What the gate will compare this with is judged on the same, before anybody is told."""
        if lineage.batch_id is None:
            return
        evaluation, judging = self._evaluation, self._judging
        ids = compared_evaluations(
            evaluation.tables, evaluation.space.space_id, lineage.batch_id, evaluation.evaluation_id
        )
        if self._answers is None:
            evaluation.wrote += judge_many_again(
                evaluation.tables,
                ids,
                self._large_set(),
                judging,
                evaluation.services.open_executor(evaluation.space, self._snapshot).execute_apart,
                evaluation.many.empty_folder("rejudging"),
            )
            return
        one_set = OneSet.asked_in(self._answers, judging.comparison_policy)
        evaluation.wrote += judge_again(evaluation.tables, ids, one_set, judging)

    def _large_set(self) -> OneLargeSet:
        space_id, many = self._evaluation.space.space_id, self._evaluation.many
        return OneLargeSet(
            many.benchmarks(space_id),
            self._judging.comparison_policy,
            many.benchmark_set_hash(space_id),
        )
