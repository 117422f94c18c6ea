"""Carries intents out: every document by its hashes, so that a restart goes on where it stopped."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Iterator, Sequence, Set

from genie.homes import DriftedError, MissingObjectError, Place, RefusedWriteError, fingerprint
from genie.homes.base import drifted
from genie.homes.space_homes import SpaceHomes
from pipelines.intents import Change, Intent


def carry_out(intents: Sequence[Intent], homes: SpaceHomes, *, is_undo: bool) -> None:
    """Make every change that is not made yet, in order, each read back.

    A document that is as before the change is changed, one that is as after it, or as after a
    later one of these changes, is left. Raises DriftedError, touching nothing more, for one that
    is anything else. When a home refuses a change, those made so far are taken back before
    RefusedWriteError is raised; an undo goes on from where it is the next time.
    """
    changes = _changes(intents)
    for position, change in enumerate(changes):
        try:
            _make(change, homes, _left_by_later(changes, position))
        except RefusedWriteError:
            if not is_undo:
                _take_back(changes[:position], homes)
            raise


def rehearse(batches: Iterable[Sequence[Intent]], homes: SpaceHomes) -> None:
    """Look whether ``carry_out`` could make the changes of one batch after another.

    Nothing is touched. Raises DriftedError, with every document that would stop it.
    """
    contents: dict[Place, str | None] = {}
    found_drifted: dict[Place, None] = {}
    for changes in map(_changes, batches):
        for position, change in enumerate(changes):
            if change.place not in contents:
                contents[change.place] = _content(change.place, homes)
            content, later = contents[change.place], _left_by_later(changes, position)
            try:
                wanted = _to_write(change, content, later)
            except DriftedError:
                found_drifted[change.place] = None
            else:
                contents[change.place] = content if wanted is None else wanted
    if found_drifted:
        raise DriftedError(
            "drifted: these are not what the batches left there: "
            + ", ".join(str(place) for place in found_drifted),
            remedy="somebody changed them meanwhile, and nothing was touched; make them what they "
            "were (application_intents has it), then try again",
        )


def _changes(intents: Sequence[Intent]) -> list[Change]:
    return [change for intent in intents for change in intent.changes]


def _left_by_later(changes: Sequence[Change], position: int) -> frozenset[str]:
    """Hashes of the document as later changes leave it: a restart finds what they made."""
    place = changes[position].place
    return frozenset(one.post_hash for one in changes[position + 1 :] if one.place == place)


def _to_write(change: Change, content: str | None, later: Set[str]) -> str | None:
    """What the document has to become now; None where it is left as it is.

    ``later`` are hashes that later changes leave. Raises DriftedError for a document that is
    neither as before the change nor as after it or after one of those.
    """
    found = fingerprint(content)
    if found == change.post_hash:
        return None
    if found == change.pre_hash and content is not None:
        return change.splice.applied(content)
    if found in later:
        return None
    if content is None and change.place.kind == "metric_view":
        # Killed between dropping and creating it; somebody else's view is never missing and ours.
        return change.splice.after
    raise drifted(change.place)


def _make(change: Change, homes: SpaceHomes, later: Set[str]) -> None:
    content = _content(change.place, homes)
    wanted = _to_write(change, content, later)
    if wanted is None:
        return
    homes.of(change.place).write(change.place, wanted, expected=content)
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
