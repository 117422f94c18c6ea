"""The trigger runner starts what is pending, once, whatever happens in between."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jobs.context import JobReport
from jobs.delta_log import BEFORE_ANY_VERSION, latest_version, updates_after
from jobs.positions import read_progress
from jobs.runner import Runner, pending_jobs
from jobs.schedule import Due
from jobs.triggers import Trigger
from tests.jobs.delta_folders import commit
from transforms.errors import AnswererError, ContractDriftError

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
EVALUATE = Trigger("evaluate", ("applications", "evaluation_requests"), "ANY_UPDATED", 60, 20)
OPTIMIZE = Trigger("optimize", ("evaluations", "approvals"), "ANY_UPDATED", 60, 30)
APPROVE = Trigger("approve", ("batches",), "ANY_UPDATED", 60, 0)
TRIGGERS = (APPROVE, EVALUATE, OPTIMIZE)
# What each job answers with a commit, and to which table: a chain that comes to an end.
WRITES = {"evaluate": "evaluations", "optimize": "batches", "approve": "approvals"}
ANSWERS = {**{t.job: t.tables for t in TRIGGERS}, "optimize": ("evaluations",)}
WATCHED = tuple(table for trigger in TRIGGERS for table in trigger.tables)


class Killed(BaseException):
    """The process is gone: no handler of the product may see it."""


@dataclass
class World:
    """A home with a clock that only moves when someone sleeps, and jobs that do as told."""

    folder: Path
    triggers: tuple[Trigger, ...] = TRIGGERS
    now: datetime = NOON
    during: list[Callable[[str], None]] = field(default_factory=list)
    on_sleep: list[Callable[[], None]] = field(default_factory=list)
    external: list[tuple[datetime, str]] = field(default_factory=list)
    started: list[tuple[str, datetime]] = field(default_factory=list)
    succeeded: list[str] = field(default_factory=list)
    errors: list[tuple[str, str]] = field(default_factory=list)
    waited: list[tuple[Due, datetime]] = field(default_factory=list)
    reasons: list[str] = field(default_factory=list)
    running: list[str] = field(default_factory=list)
    read_by: dict[tuple[str, str], int] = field(default_factory=dict)

    @property
    def runner(self) -> Runner:
        """A runner as a new process would make it."""
        return Runner(
            triggers=self.triggers,
            tables=self.folder,
            state=self.folder / "runner.json",
            run_job=self.job,
            clock=lambda: self.now,
            sleep=self.sleep,
            listener=self,
        )

    def commit(self, table: str, *, changes_data: bool = True) -> int:
        return commit(self.folder / table, at=self.now, changes_data=changes_data)

    def job(self, name: str) -> JobReport:
        assert not self.running, f"{name} was started while {self.running} ran"
        self.running.append(name)
        trigger = next(t for t in self.triggers if t.job == name)
        read = {table: latest_version(self.folder / table) for table in trigger.tables}
        self.started.append((name, self.now))
        try:
            if self.during:
                self.during.pop(0)(name)
            is_new = any(
                updates_after(
                    self.folder / table, self.read_by.get((name, table), BEFORE_ANY_VERSION)
                ).changed_at
                for table in ANSWERS[name]
            )
            if is_new:
                self.commit(WRITES[name])
        finally:
            self.running.clear()
        self.read_by.update({(name, table): version for table, version in read.items()})
        return JobReport(name, wrote=int(is_new))

    def sleep(self, seconds: float) -> None:
        assert seconds > 0
        self.pass_time(seconds)
        if self.on_sleep:
            self.on_sleep.pop(0)()

    def pass_time(self, seconds: float) -> None:
        """Let the clock go on, and others commit meanwhile."""
        until = self.now + timedelta(seconds=seconds)
        for at, table in sorted(self.external):
            if self.now < at <= until:
                commit(self.folder / table, at=at)
        self.now = until

    def starts(self, due: Due) -> None:
        self.reasons.append(due.reason)

    def finished(self, report: JobReport) -> None:
        self.succeeded.append(report.job)

    def failed(self, job: str, error: Exception) -> None:
        self.errors.append((job, str(error)))

    def waits(self, due: Due, until: datetime, now: datetime) -> None:
        self.waited.append((due, until))


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


def test_nothing_updated_starts_nothing(world):
    summary = world.runner.run()
    assert (summary.reports, summary.failures, summary.pending) == ((), (), ())
    assert not world.started
    assert not (world.folder / "runner.json").exists()


def test_one_request_walks_through_the_jobs_until_nothing_is_pending(world):
    world.commit("evaluation_requests")
    summary = world.runner.run(ignores_waiting=True)
    # The policy's decision is an update of approvals, so optimize looks once more.
    assert [job for job, _ in world.started] == ["evaluate", "optimize", "approve", "optimize"]
    assert summary.pending == ()
    assert world.runner.run(ignores_waiting=True).reports == ()


def test_waiting_times_are_kept_and_shown(world):
    world.commit("evaluation_requests")
    world.runner.run(max_runs=2)
    assert world.started == [
        ("evaluate", NOON + timedelta(seconds=20)),
        ("optimize", NOON + timedelta(seconds=50)),
    ]
    first, until = world.waited[0]
    assert until == NOON + timedelta(seconds=20)
    assert first.waits_for == "20 s after the last change"
    assert world.reasons == ["evaluation_requests updated", "evaluations updated"]


def test_a_change_while_it_waits_makes_it_wait_anew(world):
    world.commit("evaluation_requests")
    world.external.append((NOON + timedelta(seconds=15), "evaluation_requests"))
    world.runner.run(max_runs=1)
    assert world.started == [("evaluate", NOON + timedelta(seconds=35))]


def test_two_starts_of_a_job_keep_their_distance(world):
    only = World(world.folder, triggers=(APPROVE,))
    only.commit("batches")
    only.runner.run()
    only.commit("batches")
    only.runner.run()
    assert only.started == [("approve", NOON), ("approve", NOON + timedelta(seconds=60))]
    assert only.waited[-1][0].waits_for == "60 s after its last start"


def test_without_waiting_nobody_sleeps(world):
    world.commit("evaluation_requests")
    world.runner.run(ignores_waiting=True, max_runs=3)
    assert len(world.started) == 3
    assert world.now == NOON


def test_updates_during_a_run_make_exactly_one_more_run(world):
    world.commit("batches")
    world.during.append(lambda _: [world.commit("batches") for _ in range(5)] and None)
    quiet = World(world.folder, triggers=(APPROVE,), during=world.during)
    quiet.runner.run(ignores_waiting=True)
    assert [job for job, _ in quiet.started] == ["approve", "approve"]


def test_commits_that_change_no_data_start_nothing(world):
    world.commit("batches", changes_data=False)
    assert world.runner.run().reports == ()


def test_all_updated_waits_for_every_table(world):
    both = World(world.folder, triggers=(Trigger("optimize", OPTIMIZE.tables, "ALL_UPDATED"),))
    both.commit("evaluations")
    assert both.runner.run().reports == ()
    both.commit("approvals")
    assert [r.job for r in both.runner.run().reports] == ["optimize"]
    both.commit("approvals")
    assert both.runner.run().reports == ()


def test_a_failing_job_is_shown_and_does_not_hold_up_the_others(world):
    world.commit("batches")
    world.commit("evaluation_requests")

    def fails(job: str) -> None:
        raise AnswererError("the warehouse is down", remedy="start it")

    world.during.append(fails)  # approve comes first
    summary = world.runner.run(ignores_waiting=True, max_runs=3)
    assert [job for job, _ in summary.failures] == ["approve"]
    assert world.errors[0][1].startswith("the warehouse is down")
    assert [job for job, _ in world.started] == ["approve", "evaluate", "optimize"]
    stored = read_progress(world.folder / "runner.json")["approve"]
    assert stored.failure == "the warehouse is down"
    assert stored.positions == {}


def test_a_failed_job_is_not_started_in_a_loop_but_by_the_next_run(world):
    only = World(world.folder, triggers=(APPROVE,))
    only.commit("batches")

    def fails(job: str) -> None:
        raise ValueError("no")

    only.during.append(fails)
    assert len(only.runner.run().failures) == 1
    assert [d.job for d in only.runner.pending()] == ["approve"]
    summary = only.runner.run()  # at once: it is the same trigger
    assert [job for job, _ in only.started] == ["approve", "approve"]
    assert {at for _, at in only.started} == {NOON}
    assert summary.failures == ()
    assert only.runner.pending() == ()


def test_a_further_update_starts_a_failed_job_again_in_the_same_run(world):
    only = World(world.folder, triggers=(APPROVE,))
    only.commit("batches")

    def fails(job: str) -> None:
        only.commit("batches")
        raise ValueError("no")

    only.during.append(fails)
    summary = only.runner.run(ignores_waiting=True)
    assert [len(summary.failures), len(summary.reports)] == [1, 1]


def test_a_killed_run_is_started_again_at_once(world):
    only = World(world.folder, triggers=(APPROVE,))
    only.commit("batches")

    def killed(job: str) -> None:
        raise Killed

    only.during.append(killed)
    with pytest.raises(Killed):
        only.runner.run()
    (pending,) = pending_jobs((APPROVE,), read_progress(only.folder / "runner.json"), only.folder)
    assert pending.reason == "its last run did not finish"
    only.runner.run()
    assert only.started == [("approve", NOON), ("approve", NOON)]
    assert only.runner.run().reports == ()


def test_a_job_started_by_hand_counts_as_a_run(world):
    only = World(world.folder, triggers=(APPROVE,))
    only.commit("batches")
    assert only.runner.start("approve").wrote == 1
    assert only.runner.run().reports == ()


def test_a_runner_file_of_something_else_is_refused_with_a_remedy(world):
    state = world.folder / "runner.json"
    for text in ("{", "[]", '{"format": 99, "jobs": {}}', '{"format": 1, "jobs": {"a": 3}}'):
        state.write_text(text)
        with pytest.raises(ContractDriftError, match="delete the file"):
            world.runner.run()


def test_progress_is_replaced_whole_and_leaves_no_other_file(world):
    world.commit("batches")
    world.runner.run(max_runs=1)
    assert [p.name for p in world.folder.glob("runner.json*")] == ["runner.json"]


# What may happen while a job runs: further commits, a failure, the end of the process.
events = st.lists(
    st.tuples(
        st.lists(st.sampled_from(WATCHED), max_size=2),
        st.sampled_from(["works", "works", "works", "fails", "is killed"]),
    ),
    max_size=6,
)
commits = st.lists(
    st.tuples(st.integers(min_value=0, max_value=300), st.sampled_from(WATCHED)), max_size=8
)
naps_until_kill = st.lists(st.integers(min_value=0, max_value=9), max_size=4)


def play(world: World, happenings: list[tuple[list[str], str]], kills: list[int]) -> None:
    """Run until nothing is pending, starting a new process after each kill."""

    def happening(tables: list[str], end: str) -> Callable[[str], None]:
        def happen(_: str) -> None:
            for table in tables:
                world.commit(table)
            if end == "fails":
                raise ValueError("as told")
            if end == "is killed":
                raise Killed

        return happen

    def kill() -> None:
        raise Killed

    world.during.extend(happening(tables, end) for tables, end in happenings)
    for naps in kills:
        world.on_sleep.extend([*itertools.repeat(lambda: None, naps), kill])
    while True:
        try:
            summary = world.runner.run()
        except Killed:
            continue
        later = [at for at, _ in world.external if at > world.now]
        if later:
            world.pass_time((min(later) - world.now).total_seconds())
        elif not summary.failures:
            return


@settings(deadline=None, max_examples=60)
@given(happenings=events, external=commits, kills=naps_until_kill)
def test_no_update_is_lost_and_no_two_runs_overlap(happenings, external, kills):
    with TemporaryDirectory() as name:
        world = World(Path(name))
        world.commit("evaluation_requests")
        world.external = [(NOON + timedelta(seconds=s), table) for s, table in external]
        play(world, happenings, kills)  # World.job asserts that no two runs overlap
        for trigger in TRIGGERS:
            for table in trigger.tables:
                read = world.read_by.get((trigger.job, table), BEFORE_ANY_VERSION)
                unseen = updates_after(world.folder / table, read).changed_at
                assert unseen is None, f"{trigger.job} never read the last update of {table}"


@settings(deadline=None, max_examples=60)
@given(external=commits)
def test_waiting_times_hold_for_every_start(external):
    with TemporaryDirectory() as name:
        world = World(Path(name))
        world.external = [(NOON + timedelta(seconds=s + 1), table) for s, table in external]
        play(world, [], [])
        for trigger in TRIGGERS:
            starts = [at for job, at in world.started if job == trigger.job]
            for one, next_one in itertools.pairwise(starts):
                distance = (next_one - one).total_seconds()
                assert distance >= trigger.min_time_between_triggers_seconds
            for at in starts:
                changes = [
                    changed
                    for changed, table in world.external
                    if table in trigger.tables and changed <= at
                ]
                if changes:
                    quiet = (at - max(changes)).total_seconds()
                    assert quiet >= trigger.wait_after_last_change_seconds


@settings(deadline=None, max_examples=60)
@given(external=commits, kills=naps_until_kill)
def test_a_restart_while_waiting_changes_nothing(external, kills):
    def starts(kills: list[int]) -> list[tuple[str, datetime]]:
        with TemporaryDirectory() as name:
            world = World(Path(name))
            world.commit("evaluation_requests")
            world.external = [(NOON + timedelta(seconds=s), table) for s, table in external]
            play(world, [], kills)
            return world.started

    assert starts(kills) == starts([])


@settings(deadline=None, max_examples=60)
@given(happenings=events, external=commits)
def test_when_nothing_is_pending_a_further_run_starts_nothing(happenings, external):
    with TemporaryDirectory() as name:
        world = World(Path(name))
        world.external = [(NOON + timedelta(seconds=s), table) for s, table in external]
        play(world, happenings, [])
        before = list(world.started)
        assert world.runner.run().reports == ()
        assert world.started == before
