"""Waits until a Genie Space answers from what was changed last."""

from __future__ import annotations

import logging
import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import reduce

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from genie.live_space import live_space_id
from pipelines.spaces import Space, registered_spaces
from pipelines.tables import Tables
from transforms.contracts import APPLICATION_INTENTS, APPLICATIONS, SPACES

_log = logging.getLogger(__name__)

_STEP_S = 1.0


@dataclass(frozen=True, slots=True)
class Settling:
    """How long a workspace may take until questions are answered from a change, in seconds.

    ``sleep`` waits as many seconds as it is given.
    """

    seconds: float = 0.0
    sleep: Callable[[float], None] = time.sleep


def wait_until_settled(
    tables: Tables,
    space: Space,
    settling: Settling,
    progress: Callable[[str, int, int], None],
) -> None:
    """Return when the newest change of a live space is as old as ``settling`` says.

    That is what the history knows of: a batch applied or undone, or about to be, in this space or
    in another one over the same tables, and the registration that a deployment ends with.
    """
    if live_space_id(space.answerer) is None or settling.seconds <= 0:
        return
    changed_at = _changed_at(tables, space)
    if changed_at is None:
        return
    passed_s = max(0.0, (tables.clock() - changed_at).total_seconds())  # clocks differ
    left_s = settling.seconds - passed_s
    if left_s <= 0:
        return
    _log.info("space %s: %.0f s until it answers from its last change", space.space_id, left_s)
    what = f"seconds until {space.space_id} answers from its last change"
    total, waited = math.ceil(left_s), 0
    while left_s > 0:
        progress(what, waited, total)
        settling.sleep(min(_STEP_S, left_s))
        left_s -= _STEP_S
        waited += 1
    progress(what, total, total)


def _changed_at(tables: Tables, space: Space) -> datetime | None:
    sharing = [
        one.space.space_id
        for one in registered_spaces(tables).values()
        if one.space.data_schema == space.data_schema
    ]
    changes = [
        tables.read(table).where(F.col("space_id").isin(among)).select("recorded_at")
        for table, among in (
            (APPLICATION_INTENTS, sharing),
            (APPLICATIONS, sharing),
            (SPACES, [space.space_id]),
        )
    ]
    # As a number: Spark hands times over in the zone of the process, whichever that is.
    newest = F.unix_micros(F.max("recorded_at")).alias("microseconds")
    (row,) = reduce(DataFrame.unionByName, changes).agg(newest).collect()
    found = row["microseconds"]
    return None if found is None else datetime.fromtimestamp(found / 1_000_000, UTC)
