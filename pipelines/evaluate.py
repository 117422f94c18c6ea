"""Evaluating a space: ask, record the answers, read them back, execute, judge, record, conclude.

The order of the commits makes a rerun after a kill give the same tables: the model version before
anyone is asked (rule 3), then the answers, then everything that follows from the answers, and
``evaluations`` last, when everything it counts is there. Answers that are recorded are never asked
for again.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from pyspark.sql import functions as F

from genie.mlflow_store import reaching_mlflow
from genie.model_versions import ModelVersion, create_genie_model_version, find_model_version
from genie.tracking import open_run, record_run
from pipelines.evaluation_asking import AskedSpace
from pipelines.evaluation_judging import JudgedAnswers
from pipelines.evaluation_report import EvaluationReport, report_of
from pipelines.evaluation_under_way import EvaluationPolicy, Progress, Services, UnderWay
from pipelines.requests import Lineage, Request, lineage_of
from pipelines.second_opinions import judge_version
from pipelines.settling import wait_until_settled
from pipelines.snapshot import Snapshot, record_profiles, take_snapshot
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
)
from transforms.errors import TrackingError, UnconfiguredSpaceError
from transforms.evaluation_rows import evaluation_counts
from transforms.judgement import ProfiledValues


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
    under_way = UnderWay(tables, request, space, services, policy, progress)
    return _Evaluation(under_way).run()


class _Evaluation:
    """One evaluation under way; every step finds what an earlier try left behind."""

    def __init__(self, under_way: UnderWay) -> None:
        self._under_way = under_way
        self._tables = under_way.tables
        self._request = under_way.request
        self._space = under_way.space
        self._services = under_way.services
        self._id = under_way.evaluation_id

    def run(self) -> EvaluationReport:
        under_way = self._under_way
        answers = self._answers_at_hand()
        is_asked = answers is None or bool(answers)
        if not is_asked:
            settling, progress = self._services.settling, under_way.progress
            wait_until_settled(self._tables, self._space, settling, progress)
        snapshot = take_snapshot(self._tables, self._space, self._services.read_config)
        lineage = lineage_of(self._tables, self._request)
        asked_space = None if is_asked else AskedSpace(under_way, snapshot)
        with reaching_mlflow(self._id):
            if asked_space is not None:
                asked_space.forget_other_states()
                self._record_version(snapshot, lineage)
            version = self._recorded_version()
            run_id = self._open_run(version, lineage)
        under_way.wrote += record_state(self._tables, version.state)
        values = self._profile(snapshot)
        if asked_space is not None:
            # Holds small tables in memory: whoever answers on this session reads them there, too.
            executor = self._services.open_executor(self._space, snapshot)
            asked_space.record_answers(executor)
            answers = self._answers_at_hand()
        judged = JudgedAnswers(under_way, version, values, snapshot, answers)
        judged.record_verdicts()
        judged.check_for_luck()
        judged.judge_baseline_again(lineage)
        report = self._conclude(version, lineage, snapshot, run_id, is_many=answers is None)
        under_way.many.forget()
        return report

    def _answers_at_hand(self) -> list[dict[str, Any]] | None:
        under_way = self._under_way
        return under_way.few(under_way.many.rows(EVAL_RESULTS), under_way.policy.asks)

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
        self._under_way.wrote += profiles.is_written
        return profiles.values

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
        found = [] if is_many else [self._under_way.rows_of(table) for table in _COUNTED]
        counted = self._under_way.many.counted() if is_many else counted_of(*found)
        row = {
            **evaluation_counts(counted.results, counted.rulings, counted.failure_count),
            "state_hash": version.state.state_hash,
            "benchmark_set_hash": self._under_way.many.benchmark_set_hash(self._space.space_id)
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
        rows = self._under_way.many.tracked(row) if is_many else EvaluationRows(row, *found)
        not_tracked = self._track(rows, counted, lineage)
        repeated = self._under_way.rows_of(REPEATED_QUESTIONS)
        self._under_way.append(EVALUATIONS, [row])
        return report_of(row, counted, not_tracked, repeated, wrote=self._under_way.wrote)

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
