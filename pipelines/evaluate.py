"""Evaluating a space: ask, record the answers, read them back, execute, judge, record, conclude.

The order of the commits makes a rerun after a kill give the same tables: the model version before
anyone is asked (rule 3), then the answers, then everything that follows from the answers, and
``evaluations`` last, when everything it counts is there. Answers that are recorded are never asked
for again.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from pathlib import Path
from typing import Any

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from genie.answerers import Answerer, ResumableAnswerer
from genie.ask_journal import AskJournal, MemoryAskJournal
from genie.live_space import live_space_id, read_live_config
from genie.mlflow_store import MlflowStore, reaching_mlflow
from genie.model_versions import ModelVersion, create_genie_model_version, find_model_version
from genie.tracking import open_run, record_run
from pipelines.answer_rows import answer_rows
from pipelines.asked_space import check_can_answer, check_is_still
from pipelines.asking import Asked, AskPolicy, ToAsk, ask_all
from pipelines.checking import check_for_luck
from pipelines.coincidence import CoincidencePolicy
from pipelines.evaluation_report import EvaluationReport, report_of
from pipelines.execution import ExecutionPolicy, Executor
from pipelines.judging import Judging, judge_answers
from pipelines.judging_many import judge_many
from pipelines.many_answers import ManyAnswers
from pipelines.questions import active_benchmarks_frame
from pipelines.rejudging import OneSet, compared_evaluations, judge_again
from pipelines.repeating import (
    Earlier,
    ask_again,
    earlier_askings,
    repeated_questions,
    repeated_rows,
    with_repeatability,
)
from pipelines.requests import Lineage, Request, lineage_of
from pipelines.second_opinions import ModelJudge, fill_gaps, judge_version
from pipelines.settling import Settling, wait_until_settled
from pipelines.snapshot import ReadConfig, Snapshot, record_profiles, take_snapshot
from pipelines.spaces import Space
from pipelines.tables import Tables
from pipelines.tracking import (
    Counted,
    EvaluationRows,
    counted_of,
    evaluation_run,
    milliseconds,
    run_name,
)
from pipelines.versions import record_state
from transforms.benchmark_identity import benchmark_set_hash
from transforms.contracts import (
    ARBITER_VERDICTS_TABLE,
    BENCHMARKS,
    EVAL_RESULTS,
    EVALUATIONS,
    FAILURES,
    JUDGE_VERDICTS,
    REPEATED_QUESTIONS,
    Table,
)
from transforms.errors import (
    InvalidInputError,
    SpaceChangedError,
    TrackingError,
    UnconfiguredSpaceError,
)
from transforms.evaluation_rows import COMPLETION_COLUMNS, FIRST_ASKING, evaluation_counts
from transforms.judgement import ProfiledValues
from transforms.space_state import SpaceState

Progress = Callable[[str, int, int], None]
OpenAnswerer = Callable[[str], Answerer]
OpenExecutor = Callable[[Space, Snapshot], Executor]


@dataclass(frozen=True, slots=True)
class EvaluationPolicy:
    """How a space is asked and its queries are executed.

    A question of a live space is asked ``asks`` times at most, as long as that can say more about
    whether its answer repeats; the first answer is the one that counts. Up to ``few_answers``
    questions are held and judged by the driver; more are asked once, and judged on Spark's
    executors. ``coincidences`` bounds the check which right answers are right by luck; None: there
    is none. Of many answers it looks at ``few_answers``.
    """

    asking: AskPolicy = field(default_factory=AskPolicy)
    asks: int = 1
    execution: ExecutionPolicy = field(default_factory=ExecutionPolicy)
    few_answers: int = 5_000
    coincidences: CoincidencePolicy | None = None


@dataclass(frozen=True, slots=True)
class Services:
    """The outside world of an evaluation.

    ``open_journal`` gives what remembers the questions that a live space was asked; it is called
    only for one. The one that is there by default forgets them with the process. ``settling`` is
    how long live spaces take until they answer from a change. ``model_judge`` is asked where the
    rules of judging are silent, within its bounds for each evaluation; None: nobody is. ``scratch``
    is a folder that Spark's executors see, too: what is in it is of one evaluation, and needed no
    longer.
    """

    store: MlflowStore
    open_answerer: OpenAnswerer
    open_executor: OpenExecutor
    scratch: Path
    read_config: ReadConfig = read_live_config
    open_journal: Callable[[], AskJournal] = MemoryAskJournal
    settling: Settling = field(default_factory=Settling)
    model_judge: ModelJudge | None = None


def evaluate(
    tables: Tables,
    request: Request,
    space: Space,
    services: Services,
    policy: EvaluationPolicy,
    progress: Progress,
) -> EvaluationReport:
    """Answer one request with one evaluation; called again after a kill, it goes on.

    Raises UnconfiguredSpaceError when there is nothing to answer from or nobody who answers,
    InvalidInputError when recorded answers have changed since they were registered, TrackingError
    when MLflow cannot give the version that is asked, and SpaceChangedError when a live space was
    another one at the end of the asking than at its beginning. Nothing is recorded then. When
    MLflow fails after the asking, the tables are whole all the same.
    """
    return _Evaluation(tables, request, space, services, policy, progress).run()


class _Evaluation:
    """One evaluation under way; every step finds what an earlier try left behind."""

    def __init__(
        self,
        tables: Tables,
        request: Request,
        space: Space,
        services: Services,
        policy: EvaluationPolicy,
        progress: Progress,
    ) -> None:
        self._tables = tables
        self._request = request
        self._space = space
        self._services = services
        self._policy = policy
        self._progress = progress
        self._id = request.evaluation_id
        self._wrote = 0
        self._is_live = live_space_id(space.answerer) is not None
        self._many = ManyAnswers(tables, self._id, services.scratch)

    @cached_property
    def _journal(self) -> AskJournal:
        return self._services.open_journal()

    def run(self) -> EvaluationReport:
        answers = self._answers_at_hand()
        is_asked = answers is None or bool(answers)
        if not is_asked:
            wait_until_settled(self._tables, self._space, self._services.settling, self._progress)
        snapshot = take_snapshot(self._tables, self._space, self._services.read_config)
        lineage = lineage_of(self._tables, self._request)
        answerer = None if is_asked else self._open_answerer(snapshot)
        with reaching_mlflow(self._id):
            if answerer is not None:
                self._forget_other_states(snapshot.state)
                self._record_version(snapshot, lineage)
            version = self._recorded_version()
            run_id = self._open_run(version, lineage)
        self._wrote += record_state(self._tables, version.state)
        values = self._profile(snapshot)
        if answerer is not None:
            # Holds small tables in memory: whoever answers on this session reads them there, too.
            executor = self._services.open_executor(self._space, snapshot)
            self._ask(answerer, snapshot, executor)
            answers = self._answers_at_hand()
        judging = self._judging(version, values, snapshot)
        if answers is None:
            self._judge_many(snapshot, judging)
        else:
            self._judge(answers, judging, snapshot)
        self._check_for_luck(judging)
        self._judge_baseline_again(lineage, judging)
        report = self._conclude(version, lineage, snapshot, run_id, is_many=answers is None)
        self._many.forget()
        return report

    def _answers_at_hand(self) -> list[dict[str, Any]] | None:
        return self._few(self._many.rows(EVAL_RESULTS), self._policy.asks)

    def _few(self, rows: DataFrame, of_each: int = 1) -> list[dict[str, Any]] | None:
        """The rows, ``of_each`` question so many at most; None: too many to be at hand."""
        limit = self._policy.few_answers * of_each
        first = rows.limit(limit + 1).collect()
        return None if len(first) > limit else [row.asDict(recursive=True) for row in first]

    def _rows_of(self, table: Table) -> list[dict[str, Any]]:
        return [row.asDict(recursive=True) for row in self._many.rows(table).collect()]

    def _open_answerer(self, snapshot: Snapshot) -> Answerer:
        space = self._space
        check_can_answer(space, snapshot.state)
        assert space.answerer is not None
        answerer = self._services.open_answerer(space.answerer)
        if answerer.source_hash != space.answerer_hash:
            raise InvalidInputError(
                "the recorded answers have changed since they were registered",
                where=space.answerer,
                remedy="load the folder again, or give the file with --answers",
            )
        return answerer

    def _in_attempt(self, answerer: Answerer, attempt: int) -> Answerer:
        if isinstance(answerer, ResumableAnswerer):
            return answerer.of_evaluation(self._id, attempt, self._journal)
        return answerer

    def _forget_other_states(self, state: SpaceState) -> None:
        """An earlier try that was cut off may have asked what the space was then."""
        if not self._is_live:
            return
        begun = find_model_version(self._services.store, self._space.domain, self._id)
        if begun is not None and begun.state.state_hash != state.state_hash:
            self._journal.forget(self._id)

    def _record_version(self, snapshot: Snapshot, lineage: Lineage) -> None:
        """Rule 3: without a version of what is asked, nobody is asked."""
        create_genie_model_version(
            self._space.space_id,
            snapshot.state.to_dict(),
            lineage.iteration,
            self._space.domain,
            patch_set=lineage.patches,
            parent_model_id=lineage.parent_model_id,
            store=self._services.store,
            evaluation_id=self._id,
            started_at=self._tables.clock().isoformat(),
        )

    def _recorded_version(self) -> ModelVersion:
        version = find_model_version(self._services.store, self._space.domain, self._id)
        if version is None:
            raise UnconfiguredSpaceError(
                "the model version of this evaluation is not in the MLflow store",
                where=self._id,
                remedy="give the store that the evaluation was begun with",
            )
        return version

    def _open_run(self, version: ModelVersion, lineage: Lineage) -> str:
        """The run is there before the asking: ``evaluations`` names it, whatever happens then."""
        return open_run(
            self._services.store,
            version.experiment_id,
            self._id,
            run_name(self._space.space_id, self._request.kind, lineage.iteration),
            milliseconds(datetime.fromisoformat(version.started_at)),
        )

    def _profile(self, snapshot: Snapshot) -> ProfiledValues:
        profiles = record_profiles(self._tables, snapshot)
        self._wrote += profiles.is_written
        return profiles.values

    def _earlier(self, state: SpaceState, snapshot: Snapshot) -> Earlier:
        return earlier_askings(
            self._tables, self._space, self._id, state.state_hash, snapshot.data_versions
        )

    def _ask(self, answerer: Answerer, snapshot: Snapshot, executor: Executor) -> None:
        benchmarks = active_benchmarks_frame(
            self._tables, self._space.space_id, self._request.splits
        )
        few = self._few(benchmarks)
        if few is None:
            self._ask_many(answerer, benchmarks, snapshot.state)
            return
        if not few:
            raise UnconfiguredSpaceError(
                f"there is no active benchmark in the splits {', '.join(self._request.splits)}",
                where=self._space.space_id,
                remedy="load a folder with questions: genie-loop load FOLDER",
            )
        few.sort(key=lambda row: row["question_id"])
        asked = self._asked(answerer, len(few), few)
        if answerer.source_hash is None and self._policy.asks > 1:
            asked += ask_again(
                lambda attempt: self._in_attempt(answerer, attempt),
                [_to_ask(row) for row in few],
                [one for _, one in asked],
                self._earlier(snapshot.state, snapshot),
                self._policy.asks,
                self._policy.asking,
                executor.execute,
                lambda done, total: self._progress("ask again", done, total),
            )
        self._check_is_still(snapshot.state)
        self._append(EVAL_RESULTS, answer_rows(self._space.space_id, self._id, few, asked))

    def _ask_many(self, answerer: Answerer, benchmarks: DataFrame, state: SpaceState) -> None:
        count = benchmarks.count()

        def ask(portion: Sequence[Mapping[str, Any]], done_before: int) -> list[dict[str, Any]]:
            asked = self._asked(answerer, count, portion, done_before)
            return answer_rows(self._space.space_id, self._id, portion, asked)

        self._wrote += self._many.ask(benchmarks, ask, lambda: self._check_is_still(state))

    def _asked(
        self,
        answerer: Answerer,
        count: int,
        benchmarks: Sequence[Mapping[str, Any]],
        done_before: int = 0,
    ) -> list[tuple[int, Asked]]:
        """What came of asking some of ``count`` benchmarks for the first time."""
        asked = ask_all(
            self._in_attempt(answerer, FIRST_ASKING),
            [_to_ask(row) for row in benchmarks],
            self._policy.asking,
            on_answer=lambda done: self._progress("ask", done_before + done, count),
        )
        return [(FIRST_ASKING, one) for one in asked]

    def _check_is_still(self, asked: SpaceState) -> None:
        if not self._is_live:  # a recording answers the same, whatever is changed meanwhile
            return
        try:
            check_is_still(self._tables, self._space, asked, self._services.read_config)
        except SpaceChangedError:
            self._journal.forget(self._id)
            raise

    def _append(self, table: Table, rows: Sequence[Mapping[str, Any]]) -> None:
        self._wrote += self._tables.append_rows(table, rows, transaction=self._id)

    def _judging(
        self, version: ModelVersion, values: ProfiledValues, snapshot: Snapshot
    ) -> Judging:
        model_judge = self._services.model_judge
        return Judging(
            executor=self._services.open_executor(self._space, snapshot),
            state=version.state,
            values=values,
            comparison_policy=self._space.comparison_policy,
            workers=self._policy.execution.workers,
            model_judge=model_judge.for_one_evaluation() if model_judge is not None else None,
        )

    def _judge(
        self, answers: Sequence[Mapping[str, Any]], judging: Judging, snapshot: Snapshot
    ) -> None:
        if all(answer["outcome"] is not None for answer in answers):
            return
        judged = judge_answers(
            answers, judging, lambda done: self._progress("judge", done, len(answers))
        )
        earlier = self._earlier(judging.state, snapshot)
        found = repeated_questions(judged.completions, earlier, self._space)
        judged = fill_gaps(
            with_repeatability(judged, found),
            judging.model_judge,
            judging.state,
            judging.executor.execute,
            lambda done, total: self._progress("ask a model", done, total),
        )
        self._append(
            REPEATED_QUESTIONS,
            repeated_rows(judged.completions, found, self._space, judging.state.state_hash),
        )
        self._append(JUDGE_VERDICTS, judged.verdicts)
        self._append(FAILURES, judged.failures)
        self._append(ARBITER_VERDICTS_TABLE, judged.rulings)
        self._complete(self._tables.frame(EVAL_RESULTS, judged.completions))

    def _judge_many(self, snapshot: Snapshot, judging: Judging) -> None:
        """The same rows in the same order of commits, without having them at hand."""
        answers = self._many.rows(EVAL_RESULTS).where("outcome IS NULL")
        count = answers.count()
        if not count:
            return
        judged = judge_many(
            answers,
            count,
            judging,
            self._services.open_executor(self._space, snapshot).execute_apart,
            self._many.empty_folder("judging"),
            lambda done: self._progress("execute", done, 0),
        )
        self._progress("judge", count, count)
        for table, rows in (
            (JUDGE_VERDICTS, judged.verdicts),
            (FAILURES, judged.failures),
            (ARBITER_VERDICTS_TABLE, judged.rulings),
        ):
            self._wrote += self._tables.append(table, rows, transaction=self._id)
        self._complete(judged.completions)

    def _complete(self, completions: DataFrame) -> None:
        self._wrote += self._tables.merge(
            EVAL_RESULTS,
            completions,
            update=COMPLETION_COLUMNS,
            matched_when="t.outcome IS NULL",
        )

    def _check_for_luck(self, judging: Judging) -> None:
        """What is found of right answers changes no verdict and no count."""
        if self._policy.coincidences is None:
            return
        right = self._many.rows(EVAL_RESULTS).where(F.col("attempt") == FIRST_ASKING)
        first = right.where("is_correct").orderBy("question_id").limit(self._policy.few_answers)
        self._wrote += check_for_luck(
            self._tables,
            [row.asDict(recursive=True) for row in first.collect()],
            judging,
            self._policy.coincidences,
            lambda done, of: self._progress("check for luck", done, of),
        )

    def _judge_baseline_again(self, lineage: Lineage, judging: Judging) -> None:
        """What the gate will compare this with is judged on the same, before anybody is told."""
        if lineage.batch_id is None:
            return
        ids = compared_evaluations(self._tables, self._space.space_id, lineage.batch_id, self._id)
        one_set = OneSet.asked_in(self._rows_of(EVAL_RESULTS), judging.comparison_policy)
        self._wrote += judge_again(self._tables, ids, one_set, judging)

    def _conclude(
        self,
        version: ModelVersion,
        lineage: Lineage,
        snapshot: Snapshot,
        run_id: str,
        *,
        is_many: bool,
    ) -> EvaluationReport:
        """Count what the tables hold, track it in MLflow, and commit the evaluation."""
        found = [] if is_many else [self._rows_of(table) for table in _COUNTED]
        counted = self._many.counted() if is_many else counted_of(*found)
        row = {
            **evaluation_counts(counted.results, counted.rulings, counted.failure_count),
            "state_hash": version.state.state_hash,
            "benchmark_set_hash": self._many.benchmark_set_hash(self._space.space_id)
            if is_many
            else self._benchmark_set_hash(counted.results),
            "judge_version": judge_version(None if is_many else self._services.model_judge),
            "comparison_policy": self._space.comparison_policy,
            "answerer": self._space.answerer or "",
            "space_id": self._space.space_id,
            "evaluation_id": self._id,
            "request_id": self._request.request_id,
            "application_id": self._request.application_id,
            "batch_id": lineage.batch_id,
            "cycle": lineage.cycle,
            "iteration": lineage.iteration,
            "kind": self._request.kind,
            "model_id": version.model_id,
            "mlflow_run_id": run_id,
            "data_versions": dict(snapshot.data_versions),
            "started_at": datetime.fromisoformat(version.started_at),
            "finished_at": self._tables.clock(),
        }
        rows = self._many.tracked(row) if is_many else EvaluationRows(row, *found)
        not_tracked = self._track(rows, counted, lineage)
        repeated = self._rows_of(REPEATED_QUESTIONS)
        self._append(EVALUATIONS, [row])
        return report_of(row, counted, not_tracked, repeated, wrote=self._wrote)

    def _track(self, rows: EvaluationRows, counted: Counted, lineage: Lineage) -> str | None:
        """Log the evaluation; why that failed, None when it did not.

        What was answered and judged is not lost because MLflow is away: ``genie-loop mlflow sync``
        logs it from the tables.
        """
        run = evaluation_run(rows, self._space.domain, lineage.parent_model_id, counted)
        try:
            with reaching_mlflow(self._id):
                record_run(self._services.store, run)
        except TrackingError as error:
            return error.what
        return None

    def _benchmark_set_hash(self, results: Sequence[Mapping[str, Any]]) -> str:
        hashes = {
            (row["question_id"], row["benchmark_version"]): row["benchmark_hash"]
            for row in self._tables.read(BENCHMARKS)
            .where(F.col("space_id") == self._space.space_id)
            .select("question_id", "benchmark_version", "benchmark_hash")
            .collect()
        }
        asked = {(row["question_id"], row["benchmark_version"]) for row in results}
        return benchmark_set_hash((key[0], hashes[key]) for key in asked)


_COUNTED = (EVAL_RESULTS, JUDGE_VERDICTS, FAILURES, ARBITER_VERDICTS_TABLE)


def _to_ask(benchmark: Mapping[str, Any]) -> ToAsk:
    return ToAsk(benchmark["question_id"], benchmark["question"])
