"""What is about to be changed: planned against what is there, stored with the exact way back."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from genie.homes import DriftedError, Place, fingerprint
from genie.homes.space_homes import SpaceHomes
from genie.patching import Splice, changed, found_instead
from genie.patching.refusals import ImpossiblePatchError
from transforms.identity import content_hash
from transforms.patches import Patch

Direction = Literal["apply", "undo"]


@dataclass(frozen=True, slots=True)
class Change:
    """One document that is changed. The hashes are those of the whole document."""

    place: Place
    splice: Splice
    pre_hash: str
    post_hash: str

    @property
    def inverse(self) -> Change:
        """The way back."""
        return Change(self.place, self.splice.inverse, self.post_hash, self.pre_hash)


@dataclass(frozen=True, slots=True)
class Intent:
    """One patch in one direction: its changes in order, the repository's file first."""

    proposal_id: str
    target: str
    changes: tuple[Change, ...]

    @property
    def pre_hash(self) -> str:
        """Hash of everything the patch changes, before."""
        return content_hash([(str(change.place), change.pre_hash) for change in self.changes])

    @property
    def post_hash(self) -> str:
        """Hash of everything the patch changes, after."""
        return content_hash([(str(change.place), change.post_hash) for change in self.changes])

    @property
    def undone(self) -> Intent:
        """The way back."""
        return Intent(self.proposal_id, self.target, tuple(c.inverse for c in self.changes))

    def inverse_json(self) -> str:
        """The way back as JSON: what is to be taken out where, and what stood there."""
        changes = [
            {
                "home": change.place.home,
                "kind": change.place.kind,
                "name": change.place.name,
                "column": change.place.column,
                "start": change.splice.start,
                "remove": change.splice.after,
                "restore": change.splice.before,
                "hash_with": change.post_hash,
                "hash_without": change.pre_hash,
            }
            for change in self.changes
        ]
        return json.dumps({"changes": changes}, ensure_ascii=False)

    @classmethod
    def parse(cls, proposal_id: str, target: str, inverse: str) -> Intent:
        """The intent of which ``inverse_json`` gave this text."""

        def change(raw: dict[str, Any]) -> Change:
            return Change(
                Place(raw["home"], raw["kind"], raw["name"], raw["column"]),
                Splice(raw["start"], raw["restore"], raw["remove"]),
                raw["hash_without"],
                raw["hash_with"],
            )

        changes = json.loads(inverse)["changes"]
        return cls(proposal_id, target, tuple(change(raw) for raw in changes))


@dataclass(frozen=True, slots=True)
class ProposedPatch:
    """A patch of a batch; ``before`` is the text that its proposer saw there, None: nothing."""

    proposal_id: str
    patch: Patch
    before: str | None = None


@dataclass(frozen=True)
class Plan:
    """The intents in order of application, and the patches that cannot be made, with the reason."""

    intents: tuple[Intent, ...]
    left_out: tuple[tuple[ProposedPatch, ImpossiblePatchError], ...] = ()


@dataclass
class _Desk:
    """The documents as they would be after the patches planned so far."""

    homes: SpaceHomes
    contents: dict[Place, str] = field(default_factory=dict)

    def read(self, place: Place) -> str:
        if place not in self.contents:
            self.contents[place] = self.homes.of(place).read(place)
        return self.contents[place]


def plan(patches: Iterable[ProposedPatch], homes: SpaceHomes) -> Plan:
    """What the patches would change now, one after another; nothing is touched.

    A patch that a home has no place for is left out. Raises DriftedError where something is
    not what the proposer saw, and MissingObjectError for an object that is not there.
    """
    desk = _Desk(homes)
    intents, left_out = [], []
    for proposed in patches:
        try:
            intents.append(_intent(proposed, desk))
        except ImpossiblePatchError as error:
            left_out.append((proposed, error))
    return Plan(tuple(intents), tuple(left_out))


def _intent(proposed: ProposedPatch, desk: _Desk) -> Intent:
    patch = proposed.patch
    changes: list[Change] = []
    made: dict[Place, str] = {}
    for place in desk.homes.places(patch):
        before = desk.read(place)
        _check_unchanged(proposed, place, before)
        after = changed(patch, place.kind, before)
        is_replaced_whole = place.home == "live" and place.kind in ("metric_view", "function")
        # An object that is dropped and created may be missing after a kill: all of it is kept.
        splice = Splice(0, before, after) if is_replaced_whole else Splice.between(before, after)
        changes.append(Change(place, splice, fingerprint(before), fingerprint(after)))
        made[place] = after
    desk.contents.update(made)
    return Intent(proposed.proposal_id, patch.target, tuple(changes))


def _check_unchanged(proposed: ProposedPatch, place: Place, document: str) -> None:
    saw = proposed.before or ""
    found = found_instead(proposed.patch, place.kind, document, saw)
    if found is None:
        return
    raise DriftedError(
        f"drifted: there is now {found}; the proposal was made for {saw!r}",
        where=f"{place} ({proposed.proposal_id})",
        remedy="somebody changed it meanwhile, and it was left alone; put the former one back "
        "to have the batch applied",
    )


def undoing(intents: Sequence[Intent]) -> tuple[Intent, ...]:
    """The way back from what was applied: the last patch first."""
    return tuple(intent.undone for intent in reversed(intents))
