"""What is to be evaluated: requests and applications without an evaluation, what led to each.

An application needs no row in ``evaluation_requests``: that a batch was applied is what asks for an
evaluation, of the splits that the gate looks at.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from pipelines.tables import Tables
from transforms.contracts import (
    APPLICATIONS,
    BATCHES,
    EVALUATION_REQUESTS,
    EVALUATIONS,
    PROPOSALS,
)
from transforms.gate_rule import GATED_SPLITS
from transforms.identity import make_id


@dataclass(frozen=True, slots=True)
class Request:
    """A row of ``evaluation_requests``, or an application, that no evaluation answers yet.

    ``request_id`` is the application's id where nobody else asked.
    """

    request_id: str
    space_id: str
    kind: str
    splits: tuple[str, ...]
    application_id: str | None

    @property
    def evaluation_id(self) -> str:
        """The id of the one evaluation that answers this request."""
        return make_id("evaluation", self.request_id)


@dataclass(frozen=True, slots=True)
class Lineage:
    """Where an evaluation stands in its space.

    ``iteration`` is 0 for the first; ``parent_model_id`` is the version evaluated before it.
    ``batch_id``, ``cycle`` and ``patches`` belong to the application that it measures, if any.
    """

    iteration: int
    parent_model_id: str | None
    batch_id: str | None = None
    cycle: int | None = None
    patches: tuple[dict[str, Any], ...] = ()


def pending_requests(tables: Tables, space_id: str | None = None) -> list[Request]:
    """What has no evaluation yet, the oldest first; of one space when ``space_id`` is given."""
    columns = ("request_id", "space_id", "kind", "splits", "application_id", "ordinal")
    answered = tables.read(EVALUATIONS).select("request_id")
    waiting = (
        tables.read(EVALUATION_REQUESTS)
        .select(*columns, "recorded_at")
        .unionByName(_applied(tables).select(*columns, "recorded_at"))
        .join(answered, on="request_id", how="left_anti")
    )
    if space_id is not None:
        waiting = waiting.where(F.col("space_id") == space_id)
    rows = waiting.orderBy("recorded_at", "space_id", "kind", "ordinal").collect()
    return [
        Request(
            row["request_id"],
            row["space_id"],
            row["kind"],
            tuple(row["splits"]),
            row["application_id"],
        )
        for row in rows
    ]


def _applied(tables: Tables) -> DataFrame:
    """Applied batches as requests, without those that were undone before anybody asked."""
    applications = tables.read(APPLICATIONS)
    undone = applications.where("direction = 'undo'").select("batch_id")
    return (
        applications.where("direction = 'apply'")
        .join(undone, on="batch_id", how="left_anti")
        .withColumn("request_id", F.col("application_id"))
        .withColumn("kind", F.lit("application"))
        .withColumn("splits", F.array(*(F.lit(split) for split in GATED_SPLITS)))
        .withColumn("ordinal", F.lit(1))
    )


def lineage_of(tables: Tables, request: Request) -> Lineage:
    """Where the evaluation that answers a request stands in its space."""
    before = (
        tables.read(EVALUATIONS)
        .where(F.col("space_id") == request.space_id)
        .orderBy(F.desc("iteration"))
        .limit(1)
        .select("iteration", "model_id")
        .collect()
    )
    iteration = before[0]["iteration"] + 1 if before else 0
    parent = before[0]["model_id"] if before else None
    if request.application_id is None:
        return Lineage(iteration, parent)
    batch = (
        tables.read(APPLICATIONS)
        .where(F.col("application_id") == request.application_id)
        .join(tables.read(BATCHES).select("batch_id", "cycle"), on="batch_id", how="left")
        .select("batch_id", "cycle", "proposal_ids")
        .collect()
    )
    if not batch:
        return Lineage(iteration, parent)
    patches = (
        tables.read(PROPOSALS)
        .where(F.col("proposal_id").isin(list(batch[0]["proposal_ids"] or ())))
        .orderBy("proposal_id")
        .select("patch")
        .collect()
    )
    return Lineage(
        iteration,
        parent,
        batch[0]["batch_id"],
        batch[0]["cycle"],
        tuple(json.loads(row["patch"]) for row in patches),
    )
