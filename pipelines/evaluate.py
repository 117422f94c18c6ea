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
from typing import Any

from pyspark.sql import functions as F

from genie.answerers import Answerer, ResumableAnswerer
from genie.ask_journal import AskJournal, MemoryAskJournal
from genie.live_space import live_space_id, read_live_config
from genie.mlflow_store import MlflowStore, reaching_mlflow
from genie.model_versions import ModelVersion, create_genie_model_version, find_model_version
from genie.tracking import open_run, record_run
from pipelines.asked_space import check_can_answer, check_is_still
from pipelines.asking import AskPolicy, ToAsk, ask_all
from pipelines.checking import check_for_luck
from pipelines.coincidence import CoincidencePolicy
from pipelines.evaluation_report import EvaluationReport, report_of
from pipelines.execution import ExecutionPolicy, Executor
from pipelines.judging import Judging, judge_answers
from pipelines.questions import active_benchmarks
from pipelines.rejudging import OneSet, compared_evaluations, judge_again
from pipelines.requests import Lineage, Request, lineage_of
from pipelines.settling import Settling, wait_until_settled
from pipelines.snapshot import ReadConfig, Snapshot, record_profiles, take_snapshot
from pipelines.spaces import Space
from pipelines.tables import Tables
from pipelines.tracking import EvaluationRows, evaluation_run, milliseconds, run_name
from pipelines.versions import record_state
from transforms.benchmark_identity import benchmark_set_hash
from transforms.contracts import (
    ARBITER_VERDICTS_TABLE,
    BENCHMARKS,
    EVAL_RESULTS,
    EVALUATIONS,
    FAILURES,
    JUDGE_VERDICTS,
    Table,
)
from transforms.errors import (
    InvalidInputError,
    SpaceChangedError,
    TrackingError,
    UnconfiguredSpaceError,
)
from transforms.evaluation_rows import COMPLETION_COLUMNS, evaluation_counts
from transforms.judgement import ProfiledValues
from transforms.judges import JUDGE_VERSION
from transforms.space_state import SpaceState

Progress = Callable[[str, int, int], None]
OpenAnswerer = Callable[[str], Answerer]
OpenExecutor = Callable[[Space, Snapshot], Executor]


@dataclass(frozen=True, slots=True)
class EvaluationPolicy:
    """How a space is asked and its queries are executed.

    ``coincidences`` bounds the check which right answers are right by luck; None: there is none.
    """

    asking: AskPolicy = field(default_factory=AskPolicy)
    execution: ExecutionPolicy = field(default_factory=ExecutionPolicy)
    coincidences: CoincidencePolicy | None = None


@dataclass(frozen=True, slots=True)
class Services:
    """The outside world of an evaluation.

    ``open_journal`` gives what remembers the questions that a live space was asked; it is called
    only for one. The one that is there by default forgets them with the process. ``settling`` is
    how long live spaces take until they answer from a change.
    """

    store: MlflowStore
    open_answerer: OpenAnswerer
    open_executor: OpenExecutor
    read_config: ReadConfig = read_live_config
    open_journal: Callable[[], AskJournal] = MemoryAskJournal
    settling: Settling = field(default_factory=Settling)


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

    @cached_property
    def _journal(self) -> AskJournal:
        return self._services.open_journal()

    def run(self) -> EvaluationReport:
        answers = self._rows_of(EVAL_RESULTS)
        if not answers:
            wait_until_settled(self._tables, self._space, self._services.settling, self._progress)
        snapshot = take_snapshot(self._tables, self._space, self._services.read_config)
        lineage = lineage_of(self._tables, self._request)
        answerer = None if answers else self._open_answerer(snapshot)
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
            self._services.open_executor(self._space, snapshot)
            self._ask(answerer, snapshot.state)
            answers = self._rows_of(EVAL_RESULTS)
        judging = self._judging(version, values, snapshot)
        self._judge(answers, judging)
        self._check_for_luck(judging)
        self._judge_baseline_again(lineage, judging)
        return self._conclude(version, lineage, snapshot, run_id)

    def _rows_of(self, table: Table) -> list[dict[str, Any]]:
        rows = self._tables.read(table).where(F.col("evaluation_id") == self._id).collect()
        return [row.asDict(recursive=True) for row in rows]

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
        if isinstance(answerer, ResumableAnswerer):
            return answerer.of_evaluation(self._id, _ATTEMPT, self._journal)
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

    def _ask(self, answerer: Answerer, state: SpaceState) -> None:
        benchmarks = active_benchmarks(self._tables, self._space.space_id, self._request.splits)
        if not benchmarks:
            raise UnconfiguredSpaceError(
                f"there is no active benchmark in the splits {', '.join(self._request.splits)}",
                where=self._space.space_id,
                remedy="load a folder with questions: genie-loop load FOLDER",
            )
        asked = ask_all(
            answerer,
            [ToAsk(row["question_id"], row["question"]) for row in benchmarks],
            self._policy.asking,
            on_answer=lambda done: self._progress("ask", done, len(benchmarks)),
        )
        if self._is_live:  # a recording answers the same, whatever is changed meanwhile
            self._check_is_still(state)
        rows = [
            {
                "space_id": self._space.space_id,
                "evaluation_id": self._id,
                "question_id": benchmark["question_id"],
                "attempt": _ATTEMPT,
                **{column: benchmark[column] for column in _FROM_BENCHMARK},
                "genie_sql": answer.answer.sql,
                "answer_text": answer.answer.text,
                "answer_outcome": answer.answer.outcome,
                "answer_error": answer.answer.error,
                "latency_ms": answer.answer.latency_ms,
                "ask_count": answer.ask_count,
                "conversation_id": answer.answer.conversation_id,
                "message_id": answer.answer.message_id,
            }
            for benchmark, answer in zip(benchmarks, asked, strict=True)
        ]
        self._append(EVAL_RESULTS, rows)

    def _check_is_still(self, asked: SpaceState) -> None:
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
        return Judging(
            executor=self._services.open_executor(self._space, snapshot),
            state=version.state,
            values=values,
            comparison_policy=self._space.comparison_policy,
            workers=self._policy.execution.workers,
        )

    def _judge(self, answers: Sequence[Mapping[str, Any]], judging: Judging) -> None:
        if all(answer["outcome"] is not None for answer in answers):
            return
        judged = judge_answers(
            answers, judging, lambda done: self._progress("judge", done, len(answers))
        )
        self._append(JUDGE_VERDICTS, judged.verdicts)
        self._append(FAILURES, judged.failures)
        self._append(ARBITER_VERDICTS_TABLE, judged.rulings)
        self._wrote += self._tables.merge(
            EVAL_RESULTS,
            self._tables.frame(EVAL_RESULTS, judged.completions),
            update=COMPLETION_COLUMNS,
            matched_when="t.outcome IS NULL",
        )

    def _check_for_luck(self, judging: Judging) -> None:
        """What is found of right answers changes no verdict and no count."""
        if self._policy.coincidences is not None:
            self._wrote += check_for_luck(
                self._tables,
                self._rows_of(EVAL_RESULTS),
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
        self, version: ModelVersion, lineage: Lineage, snapshot: Snapshot, run_id: str
    ) -> EvaluationReport:
        """Count what the tables hold, track it in MLflow, and commit the evaluation."""
        results = self._rows_of(EVAL_RESULTS)
        verdicts = self._rows_of(JUDGE_VERDICTS)
        failures = self._rows_of(FAILURES)
        rulings = self._rows_of(ARBITER_VERDICTS_TABLE)
        row = {
            **evaluation_counts(results, rulings, len(failures)),
            "state_hash": version.state.state_hash,
            "benchmark_set_hash": self._benchmark_set_hash(results),
            "judge_version": JUDGE_VERSION,
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
        rows = EvaluationRows(row, results, verdicts, failures, rulings)
        not_tracked = self._track(rows, lineage)
        self._append(EVALUATIONS, [row])
        return report_of(rows, not_tracked, wrote=self._wrote)

    def _track(self, rows: EvaluationRows, lineage: Lineage) -> str | None:
        """Log the evaluation; why that failed, None when it did not.

        What was answered and judged is not lost because MLflow is away: ``genie-loop mlflow sync``
        logs it from the tables.
        """
        run = evaluation_run(rows, self._space.domain, lineage.parent_model_id)
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


_ATTEMPT = 1  # a request is answered by one attempt at each question
_FROM_BENCHMARK = (
    "benchmark_version", "group_id", "split", "question", "expected_sql", "expected_asset",
)  # fmt: skip
