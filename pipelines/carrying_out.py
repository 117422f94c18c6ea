"""Carries intents out: every document by its hashes, so that a restart goes on where it stopped."""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Sequence

from genie.homes import DriftedError, MissingObjectError, Place, RefusedWriteError, fingerprint
from genie.homes.base import drifted
from genie.homes.space_homes import SpaceHomes
from pipelines.intents import Change, Intent


def carry_out(intents: Sequence[Intent], homes: SpaceHomes, *, is_undo: bool) -> None:
    """Make every change that is not made yet, in order, each read back.

    A document that is as before the change is changed, one that is as after it is left. Raises
    DriftedError, touching nothing more, for one that is anything else. When a home refuses a
    change, those made so far are taken back before RefusedWriteError is raised; an undo goes on
    from where it is the next time.
    """
    changes = [change for intent in intents for change in intent.changes]
    for position, change in enumerate(changes):
        later = {c.post_hash for c in changes[position + 1 :] if c.place == change.place}
        try:
            _make(change, homes, later)
        except RefusedWriteError:
            if not is_undo:
                _take_back(changes[:position], homes)
            raise


def rehearse(intents: Sequence[Intent], homes: SpaceHomes) -> None:
    """Look whether every change could be made, one after another; nothing is touched.

    Raises DriftedError, with every document that is neither as before its change nor as after it.
    """
    contents: dict[Place, str | None] = {}
    found_drifted: dict[Place, None] = {}
    for change in (change for intent in intents for change in intent.changes):
        if change.place not in contents:
            contents[change.place] = _content(change.place, homes)
        content = contents[change.place]
        found = fingerprint(content)
        if found == change.pre_hash and content is not None:
            contents[change.place] = change.splice.applied(content)
        elif content is None and change.place.kind == "metric_view":
            contents[change.place] = change.splice.after
        elif found != change.post_hash:
            found_drifted[change.place] = None
    if found_drifted:
        raise DriftedError(
            "drifted: these are not what the batches left there: "
            + ", ".join(str(place) for place in found_drifted),
            remedy="somebody changed them meanwhile, and nothing was touched; make them what they "
            "were (application_intents has it), then try again",
        )


def _make(change: Change, homes: SpaceHomes, later: set[str]) -> None:
    home = homes.of(change.place)
    content = _content(change.place, homes)
    found = fingerprint(content)
    if found == change.post_hash:
        return
    if found == change.pre_hash and content is not None:
        home.write(change.place, change.splice.applied(content), expected=content)
    elif found in later:
        return
    elif content is None and change.place.kind == "metric_view":
        # Killed between dropping and creating it; somebody else's view is never missing and ours.
        home.write(change.place, change.splice.after, expected=None)
    else:
        raise drifted(change.place)
    if fingerprint(_content(change.place, homes)) != change.post_hash:
        raise DriftedError(
            "what was written is not what is read back",
            where=str(change.place),
            remedy="compare it with the proposal: the other side changed it, or somebody else did",
        )


def _content(place: Place, homes: SpaceHomes) -> str | None:
    try:
        return homes.of(place).read(place)
    except MissingObjectError:
        return None


def _take_back(made: Sequence[Change], homes: SpaceHomes) -> None:
    """The documents as they were, the last change first; what others changed is left alone."""
    for change in reversed(made):
        content = _content(change.place, homes)
        if content is not None and fingerprint(content) == change.post_hash:
            homes.of(change.place).write(
                change.place, change.splice.inverse.applied(content), expected=content
            )


def verify(intents: Sequence[Intent], homes: SpaceHomes) -> None:
    """Read every document back once more. Raises DriftedError for one that is not as it should."""
    final = {change.place: change for intent in intents for change in intent.changes}
    for place, change in final.items():
        if fingerprint(_content(place, homes)) != change.post_hash:
            raise drifted(place)


def repo_diff(intents: Sequence[Intent], homes: SpaceHomes) -> str | None:
    """What was changed in the repository's files, as a unified diff; None where nothing was."""
    return "".join(_diffs(intents, homes)) or None


def _diffs(intents: Sequence[Intent], homes: SpaceHomes) -> Iterator[str]:
    made = [c for intent in intents for c in intent.changes if c.place.home == "repo"]
    for place in dict.fromkeys(change.place for change in made):
        after = before = homes.of(place).read(place)
        for change in reversed([change for change in made if change.place == place]):
            before = change.splice.inverse.applied(before)
        for line in difflib.unified_diff(
            before.splitlines(keepends=True),
            after.splitlines(keepends=True),
            f"a/{place.name}",
            f"b/{place.name}",
        ):
            yield line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n"
