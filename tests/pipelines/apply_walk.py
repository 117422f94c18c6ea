"""A ledger in memory, and a process that crashes after the n-th call to anything outside it."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import contextmanager
from dataclasses import dataclass, field, replace

from genie.homes.space_homes import SpaceHomes
from pipelines.applying import Services, Work
from pipelines.intents import ProposedPatch
from tests.pipelines.crashes import CrashError
from transforms.batching import patches_hash
from transforms.patches import patch_json


def work(*patches, before=None, batch_id="batch-1", **changes) -> Work:
    """A batch of these patches, approved as they are."""
    proposed = tuple(
        ProposedPatch(f"proposal-{n}", patch, (before or {}).get(n))
        for n, patch in enumerate(patches)
    )
    content = patches_hash([patch_json(patch) for patch in patches])
    return replace(Work("space", batch_id, "apply", content, proposed), **changes)


@dataclass
class Bomb:
    """Goes off after so many calls; 0 never."""

    after: int = 0
    calls: int = 0

    def tick(self) -> None:
        self.calls += 1
        if self.calls == self.after:
            raise CrashError


@dataclass
class MemoryLedger:
    """What is recorded survives a crash, which comes after the commit."""

    works: list[Work]
    bomb: Bomb = field(default_factory=Bomb)
    recorded: dict = field(default_factory=dict)
    applications: dict = field(default_factory=dict)
    rejected: set = field(default_factory=set)
    declined: set = field(default_factory=set)
    on_intents: Callable[[], None] = lambda: None  # called just after they are committed

    def pending(self):
        undos = [
            replace(one, direction="undo")
            for one in reversed(self.works)  # the last applied first
            if one.batch_id in self.rejected
            and (one.batch_id, "apply") in self.applications
            and (one.batch_id, "undo") not in self.applications
        ]
        applied = [one for one in self.works if (one.batch_id, "apply") not in self.applications]
        return (*undos, *applied)

    def intents(self, batch_id, direction):
        return self.recorded.get((batch_id, direction), ())

    def record_intents(self, done, intents):
        assert (done.batch_id, done.direction) not in self.recorded
        self.recorded[(done.batch_id, done.direction)] = tuple(intents)
        self.on_intents()
        self.bomb.tick()

    def is_declined(self, done):
        return done.batch_id in self.declined

    def record_application(self, done, intents, *, state_hash, diff):
        assert (done.batch_id, done.direction) not in self.applications
        ids = [intent.proposal_id for intent in intents]
        self.applications[(done.batch_id, done.direction)] = (ids, state_hash, diff)
        self.bomb.tick()


class _Ticking:
    """A home whose calls are counted, after they have done what they do."""

    def __init__(self, home, bomb):
        self._home = home
        self._bomb = bomb

    def __getattr__(self, name):
        return getattr(self._home, name)

    def read(self, place):
        found = self._home.read(place)
        self._bomb.tick()
        return found

    def write(self, place, content, *, expected):
        self._home.write(place, content, expected=expected)
        self._bomb.tick()


def _ticking(run, bomb):
    def ticking(sql):
        rows = run(sql)
        bomb.tick()
        return rows

    return ticking


def services(sample, bomb=None) -> Services:
    """The homes of the sample, every call of which may be the last."""
    bomb = bomb or Bomb()

    def homes(_space_id):
        opened = sample.homes()
        opened = sample.homes(_ticking(opened.live["comment"]._run, bomb))
        ticking = {
            kind: home if kind in ("comment", "metric_view", "function") else _Ticking(home, bomb)
            for kind, home in opened.live.items()
        }
        return SpaceHomes(ticking, opened.space, _Ticking(opened.repo, bomb))

    return Services(homes, lambda space_id: "state of " + space_id)


@contextmanager
def surviving():
    """Go on after a crash, as a new process."""
    try:
        yield
    except CrashError:
        pass
