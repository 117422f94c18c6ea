"""The configuration of a live space, of the workspace that the environment names."""

from __future__ import annotations

from transforms.serialized_space import SpaceConfig

ANSWERER_KIND = "genie:"


def live_space_id(answerer: str | None) -> str | None:
    """The Genie Space that an answerer asks; None when it asks none."""
    if answerer is None or not answerer.startswith(ANSWERER_KIND):
        return None
    return answerer.removeprefix(ANSWERER_KIND)


def read_live_config(space_id: str) -> SpaceConfig:
    """The configuration as it is now.

    Raises InvalidInputError when no workspace is named, and for a space that is not there or may
    not be read; GenieLoopError for a workspace that does not answer.
    """
    from genie.one_try import environment_client  # importing the SDK takes a second
    from genie.workspace_check import read_space

    return read_space(environment_client(f"genie:{space_id}"), space_id)[1]
