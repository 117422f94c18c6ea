"""Takes in new evaluations, exactly once: gate, corrections, clusters, proposals, leak refusals.

A structured stream over ``evaluations`` says which are new; everything else about them is joined by
``evaluation_id``, so that a run costs what is new and not the history. Every stage is a function of
the rows that earlier stages and jobs committed, so that a batch that was cut off in the middle
gives the same tables when Spark replays it; and it leaves out what the tables hold already, so that
a checkpoint that was lost and made anew repeats nothing either.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field

from pyspark.errors import StreamingQueryException
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from pipelines.evidence import MAX_EVALUATIONS, Evaluations, any_of
from pipelines.firewall import refuse_leaks
from pipelines.states import States, held
from pipelines.tables import Tables
from transforms.change_views import PROPOSAL_STATES
from transforms.clustering import cluster_failures, merged_clusters
from transforms.contracts import (
    APPLICATIONS,
    ARBITER_VERDICTS_TABLE,
    BATCHES,
    BENCHMARK_CORRECTIONS,
    CLUSTER_MEMBERS,
    CLUSTERS,
    EVAL_RESULTS,
    EVALUATION_REQUESTS,
    EVALUATIONS,
    FAILURES,
    GATE_DECISIONS,
    JUDGE_VERDICTS,
    PROFILES,
    PROPOSALS,
    REJUDGED_RESULTS,
    VERSIONS,
    Table,
)
from transforms.corrections import correction_drafts, merged_corrections, seen_corrections
from transforms.drafting import drafts
from transforms.errors import MissingEvidenceError
from transforms.evaluation_views import (
    BATCH_GATES,
    BENCHMARK_STATES,
    EVALUATION_STATES,
    LATEST_EVALUATIONS,
    LATEST_SPACES,
)
from transforms.found_together import found_together
from transforms.gate import Measured, decision_rows, gate_decisions, repeat_requests
from transforms.gate_pairs import gate_pairs
from transforms.proposal_screening import new_changes, with_questions_at_risk
from transforms.proposal_values import Proposer
from transforms.quarantines import quarantine_drafts
from transforms.triage import missing_evidence

_SHOWN_PROBLEMS = 10


@dataclass(slots=True)
class Commits:
    """The commits of one run, by table name."""

    tables: list[str] = field(default_factory=list)

    def note(self, table: Table, did_commit: bool) -> None:
        """Remember a commit, if there was one."""
        if did_commit:
            self.tables.append(table.name)


def take_in_evaluations(
    tables: Tables, *, checkpoint: str, propose: Proposer, commits: Commits
) -> int:
    """Stream every evaluation that is new since the checkpoint; how many there were.

    ``checkpoint`` is a folder that belongs to this stream alone. Raises MissingEvidenceError for an
    evaluation without its rows: nothing of its batch is written, and the next run comes to it
    again.
    """
    raised: list[Exception] = []

    def take_in(evaluations: DataFrame, batch_id: int) -> None:
        try:
            _take_in(tables, evaluations, batch_id, checkpoint, propose, commits)
        except Exception as error:
            raised.append(error)  # Spark passes on only the text of what is raised here
            raise

    query = (
        tables.spark.readStream.option("maxFilesPerTrigger", MAX_EVALUATIONS)
        .table(tables.name(EVALUATIONS))
        .writeStream.foreachBatch(take_in)
        .option("checkpointLocation", checkpoint)
        .trigger(availableNow=True)
        .start()
    )
    try:
        query.awaitTermination()
    except StreamingQueryException:
        if raised:
            raise raised[0] from None
        raise
    return sum(progress["numInputRows"] for progress in query.recentProgress)


def checkpoint_id(tables: Tables, checkpoint: str) -> str:
    """The id that Spark gave the checkpoint when it made the folder.

    A transaction is named after it: a checkpoint made anew counts its batches from 0 again, which
    under the old name Delta would take for replays, and skip.
    """
    line = tables.spark.read.text(f"{checkpoint}/metadata").collect()[0]["value"]
    name: str = json.loads(line)["id"]
    return name


def _take_in(
    tables: Tables,
    evaluations: DataFrame,
    batch_id: int,
    checkpoint: str,
    propose: Proposer,
    commits: Commits,
) -> None:
    new = evaluations.select(
        "started_at", "evaluation_id", "application_id", "failure_count", "arbiter_counts"
    ).collect()
    ordered = sorted(new, key=lambda row: (row["started_at"], row["evaluation_id"]))
    if not ordered:
        return
    stream = checkpoint_id(tables, checkpoint)
    parts = [
        ordered[start : start + MAX_EVALUATIONS]
        for start in range(0, len(ordered), MAX_EVALUATIONS)
    ]
    for position, part in enumerate(parts):
        intake = Intake(
            tables,
            Evaluations(tables, [row["evaluation_id"] for row in part]),
            transaction=f"{stream}:{position}",
            version=batch_id,
            commits=commits,
        )
        intake.refuse_missing_evidence()
        has_failures = any(row["failure_count"] for row in part)
        has_corrections = any(row["arbiter_counts"].get("genie_correct") for row in part)
        if any(row["application_id"] is not None for row in part):
            intake.decide_gate()
        if has_corrections:
            intake.correct()
        if has_failures:
            intake.cluster()
        if has_failures or has_corrections:
            intake.propose(propose)


@dataclass(frozen=True, slots=True)
class Intake:
    """The evaluations of one stream batch (a part of it, if it is large), and its stages in order.

    ``transaction`` and ``version`` name the batch in every commit.
    """

    tables: Tables
    evaluations: Evaluations
    transaction: str
    version: int
    commits: Commits

    @property
    def token(self) -> str:
        """Names the batch in ``clusters.updated_by``."""
        return f"{self.transaction}:{self.version}"

    def refuse_missing_evidence(self) -> None:
        """Rule 1. Raises MissingEvidenceError naming every evaluation without its rows."""
        found = (
            missing_evidence(
                self.evaluations.rows(EVALUATIONS),
                self.evaluations.rows(EVAL_RESULTS),
                self.evaluations.rows(FAILURES),
                self.evaluations.rows(ARBITER_VERDICTS_TABLE),
            )
            .orderBy("evaluation_id")
            .limit(_SHOWN_PROBLEMS)
            .collect()
        )
        if found:
            raise MissingEvidenceError(
                "no proposal is made without per-row data: "
                + "; ".join(f"{row['evaluation_id']}: {row['problem']}" for row in found),
                where=EVALUATIONS.name,
                remedy="put the rows back (the table's history has them: RESTORE), or ask for a "
                "new evaluation and delete the row; optimize goes on from here when it runs again",
            )

    def decide_gate(self) -> None:
        """Decide about the batches whose application these evaluations measure."""
        evaluations = self.evaluations.rows(EVALUATIONS)
        states = States(self.tables)
        pairs = held(gate_pairs(evaluations, states.of(EVALUATION_STATES), states.of(BATCH_GATES)))
        compared = _compared_ids(pairs)
        if not compared:
            return
        applied = (
            self.tables.read(APPLICATIONS)
            .where("direction = 'apply'")
            .groupBy("space_id")
            .agg(F.count("*").alias("applied_count"))
        )
        of_compared = Evaluations(self.tables, compared)
        decided = held(
            gate_decisions(
                pairs,
                Measured(
                    of_compared.rows(EVALUATIONS),
                    of_compared.rows(EVAL_RESULTS),
                    of_compared.rows(REJUDGED_RESULTS),
                    of_compared.rows(JUDGE_VERDICTS),
                ),
                states.of(LATEST_SPACES),
                applied,
                self.tables.read(BATCHES),
            )
        )
        # The request first: once the decision is there, it is not made again.
        self._append_new(EVALUATION_REQUESTS, repeat_requests(decided))
        self._append_new(GATE_DECISIONS, decision_rows(decided))

    def correct(self) -> None:
        """Record which benchmarks the arbiter found wrong, and by how many evaluations."""
        new = seen_corrections(self.evaluations.rows(ARBITER_VERDICTS_TABLE))
        merged = merged_corrections(self.tables.read(BENCHMARK_CORRECTIONS), new)
        counted = ("evaluation_ids", "times_seen", "recorded_at")
        self._note(
            BENCHMARK_CORRECTIONS,
            self.tables.merge(BENCHMARK_CORRECTIONS, merged, update=counted),
        )

    def cluster(self) -> None:
        """Merge the clusters of the confirmed train failures, then record what is in which.

        The members come last: a failure that is a member was counted.
        """
        members = self.evaluations.rows(CLUSTER_MEMBERS).select("failure_id")
        failures = self.evaluations.rows(FAILURES).join(members, "failure_id", "left_anti")
        evaluations = self.evaluations.rows(EVALUATIONS)
        together = held(
            found_together(
                failures,
                self.evaluations.rows(EVAL_RESULTS),
                evaluations,
                self.tables.read(VERSIONS),
            )
        )
        shown = failures.drop("recorded_at").unionByName(together)
        new = cluster_failures(
            shown, evaluations, self.tables.read(VERSIONS), updated_by=self.token
        )
        merged = held(
            merged_clusters(self.tables.read(CLUSTERS), new.clusters, updated_by=self.token)
        )
        updated = tuple(name for name in CLUSTERS.columns if name not in CLUSTERS.key)
        self._note(CLUSTERS, self.tables.merge(CLUSTERS, merged, update=updated))
        self._append(CLUSTER_MEMBERS, new.members)

    def propose(self, propose: Proposer) -> None:
        """Draft changes for the clusters and corrections that these evaluations gave news of.

        What shows a state that does not stand (a rejected batch) is no ground for a change.
        """
        states = States(self.tables)
        standing = (
            states.of(EVALUATION_STATES)
            .where((F.col("state") == "accepted") & any_of("evaluation_id", self.evaluations.ids))
            .select(F.col("evaluation_id").alias("last_evaluation_id"))
        )
        clusters = (
            self.tables.read(CLUSTERS)
            .where(F.col("updated_by") == self.token)
            .join(standing, "last_evaluation_id", "left_semi")
        )
        drafted = held(
            drafts(clusters, self.tables.read(PROFILES), self._versions(states), propose)
            .unionByName(correction_drafts(self.evaluations.rows(ARBITER_VERDICTS_TABLE)))
            .unionByName(quarantine_drafts(self._suspects(states)))
        )
        fresh = held(self.tables.new_only(PROPOSALS, drafted))
        if not fresh.isEmpty():
            new = new_changes(fresh, self._known(fresh, states))
            rows = with_questions_at_risk(new, self.evaluations.rows(EVAL_RESULTS))
            self._append(PROPOSALS, rows)
        for table, did_commit in refuse_leaks(
            self.tables,
            self.evaluations,
            states.of(LATEST_SPACES),
            transaction=self.transaction,
            version=self.version,
        ):
            self._note(table, did_commit)

    def _suspects(self, states: States) -> DataFrame:
        """The benchmarks that these evaluations made suspect, or saw to be so."""
        return states.of(BENCHMARK_STATES).where(
            any_of("suspicion_evaluation_id", self.evaluations.ids)
        )

    def _versions(self, states: States) -> DataFrame:
        """The last accepted state of every space that these evaluations are of."""
        latest = (
            states.of(LATEST_EVALUATIONS)
            .select("space_id", "state_hash")
            .join(self.evaluations.rows(EVALUATIONS).select("space_id"), "space_id", "left_semi")
        )
        return self.tables.read(VERSIONS).join(latest, ["space_id", "state_hash"], "left_semi")

    def _known(self, drafted: DataFrame, states: States) -> DataFrame:
        """Proposals that change the same as a draft, with their states, if there are any."""
        changes = drafted.select("space_id", "patch")
        known = self.tables.read(PROPOSALS).join(changes, ["space_id", "patch"], "left_semi")
        if known.isEmpty():
            return known.withColumn("state", F.lit("open"))
        return states.of(PROPOSAL_STATES)

    def _append_new(self, table: Table, rows: DataFrame) -> None:
        self._append(table, self.tables.new_only(table, rows))

    def _append(self, table: Table, rows: DataFrame) -> None:
        self._note(
            table,
            self.tables.append(table, rows, transaction=self.transaction, version=self.version),
        )

    def _note(self, table: Table, did_commit: bool) -> None:
        self.commits.note(table, did_commit)


def _compared_ids(pairs: DataFrame) -> Sequence[str]:
    """Every evaluation that a decision looks at; few, as one batch per space is in flight."""
    found: set[str] = set()
    for row in pairs.collect():
        for ids in (row["evaluation_ids"], row["baseline_evaluation_ids"], row["twice_ids"]):
            found.update(ids or ())
    return sorted(found)
