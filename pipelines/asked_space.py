"""The space that an evaluation asks: that it can answer, and that it stays what it is meanwhile."""

from __future__ import annotations

import logging

from genie.live_space import live_space_id
from pipelines.snapshot import ReadConfig, read_state
from pipelines.spaces import Space
from pipelines.tables import Tables
from transforms.errors import SpaceChangedError, UnconfiguredSpaceError
from transforms.serialized_space import SpaceConfig
from transforms.space_state import SpaceState, changed_parts

_log = logging.getLogger(__name__)


def check_can_answer(space: Space, state: SpaceState) -> None:
    """Raises UnconfiguredSpaceError where there is nothing to answer from, or nobody who answers.

    What there is, is logged, counted (rule 8).
    """
    _log.info("space %s: %s", space.space_id, _what_there_is(state))
    asked_id = live_space_id(space.answerer)
    if not state.is_configured and asked_id is not None:
        raise UnconfiguredSpaceError(
            f"Genie Space {asked_id} has nothing to answer from",
            where=space.space_id,
            remedy="deploy its files: genie-loop deploy FOLDER",
        )
    if not state.is_configured:
        raise UnconfiguredSpaceError(
            f"schema {space.data_schema} holds no table, so there is nothing to answer from",
            where=space.space_id,
            remedy="load the folder with the space's tables: genie-loop load FOLDER",
        )
    if space.answerer is None:
        raise UnconfiguredSpaceError(
            "nobody answers for this space",
            where=space.space_id,
            remedy=f"give recorded answers: genie-loop evaluate {space.space_id} --answers FILE",
        )


def check_is_still(
    tables: Tables, space: Space, asked: SpaceState, read_config: ReadConfig
) -> None:
    """Raises SpaceChangedError, with what it is, where the space is no longer the one asked.

    Answers of two states measure neither. Raises what ``read_config`` raises, too.
    """
    now = read_state(tables, space, read_config)
    if now.state_hash == asked.state_hash:
        return
    raise SpaceChangedError(
        "the space was changed while its questions were asked: "
        + ", ".join(changed_parts(asked, now)),
        where=space.space_id,
        remedy="nothing was recorded; when nobody changes it, genie-loop run asks every question "
        "anew",
    )


def _what_there_is(state: SpaceState) -> str:
    if state.serialized_space is not None:
        return SpaceConfig.parse(state.serialized_space).counts().line
    counts = {
        "tables": len(state.tables),
        "functions": len(state.functions),
        "join specs": len(state.join_specs),
        "snippets": len(state.snippets),
        "instructions": len(state.instructions),
    }
    return ", ".join(f"{count} {name}" for name, count in counts.items())
