"""Registered spaces: read, changed by a new registration, asked to be evaluated."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from pyspark.sql import functions as F

from pipelines.states import States
from pipelines.tables import Tables
from transforms.contracts import EVALUATION_REQUESTS, SPACES, SPLITS
from transforms.errors import InvalidInputError
from transforms.evaluation_views import LATEST_SPACES
from transforms.identity import content_hash, make_id
from transforms.space_config import SpaceConfig, parse_space_config


@dataclass(frozen=True, slots=True)
class Space:
    """What is registered of a space; the fields are the columns of ``spaces``."""

    space_id: str
    title: str
    domain: str
    data_schema: str
    answerer: str | None = None
    answerer_hash: str | None = None
    config: str = "{}"
    policy: str = "manual"
    comparison_policy: str = "bag_any_column"
    target_accuracy: float = 0.85
    max_applied_batches: int = 12
    warehouse_id: str | None = None
    repo_home: str | None = None

    @property
    def parsed_config(self) -> SpaceConfig:
        """The configuration as a value. Raises InvalidInputError when it cannot be read."""
        config, problems = parse_space_config(_without_nulls(json.loads(self.config)))
        if problems:
            raise InvalidInputError(
                "the recorded configuration cannot be read", where=self.space_id, problems=problems
            )
        return config


@dataclass(frozen=True, slots=True)
class Registration:
    """The newest registration of a space."""

    registration_id: str
    ordinal: int
    space: Space


def registered_spaces(tables: Tables) -> dict[str, Registration]:
    """The newest registration of every space, by ``space_id``."""
    columns = list(Space.__dataclass_fields__)
    return {
        row["space_id"]: Registration(
            row["registration_id"],
            row["ordinal"],
            Space(**{column: row[column] for column in columns}),
        )
        for row in States(tables).of(LATEST_SPACES).collect()
    }


def register_spaces(tables: Tables, spaces: Sequence[Space]) -> bool:
    """Record the spaces that differ from what is registered; whether anything was written.

    The id of a registration covers the one before it, so that going back to an earlier one is a
    new row. Registrations are counted, because clocks stand still and go back.
    """
    current = registered_spaces(tables)
    rows = []
    for space in spaces:
        before = current.get(space.space_id)
        if before is not None and before.space == space:
            continue
        previous = before.registration_id if before else None
        ordinal = before.ordinal + 1 if before else 1
        content = asdict(space)
        registration_id = make_id("registration", previous, content)
        rows.append({"registration_id": registration_id, "ordinal": ordinal, **content})
    transaction = content_hash([row["registration_id"] for row in rows])
    return tables.append_rows(SPACES, rows, transaction=transaction)


def request_evaluations(
    tables: Tables,
    space_ids: Sequence[str],
    *,
    kind: str = "baseline",
    requested_by: str,
    again: bool = False,
) -> tuple[str, ...]:
    """Ask for an evaluation of each space that has not been asked for; the new requests' ids.

    ``again`` asks even where one of this kind was asked for before.
    """
    asked: Mapping[str, int] = {
        row["space_id"]: row["ordinal"]
        for row in tables.read(EVALUATION_REQUESTS)
        .where(F.col("kind") == kind)
        .groupBy("space_id")
        .agg(F.max("ordinal").alias("ordinal"))
        .collect()
    }
    rows: list[dict[str, Any]] = []
    for space_id in space_ids:
        ordinal = asked.get(space_id, 0) + 1
        if ordinal > 1 and not again:
            continue
        rows.append(
            {
                "space_id": space_id,
                "request_id": make_id("request", space_id, kind, ordinal),
                "kind": kind,
                "ordinal": ordinal,
                "splits": list(SPLITS),
                "requested_by": requested_by,
            }
        )
    request_ids = tuple(row["request_id"] for row in rows)
    tables.append_rows(EVALUATION_REQUESTS, rows, transaction=content_hash(request_ids))
    return request_ids


def _without_nulls(raw: Any) -> Any:
    if isinstance(raw, dict):
        return {key: _without_nulls(value) for key, value in raw.items() if value is not None}
    return raw
