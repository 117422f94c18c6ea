"""Apply and undo against the embedded workspace and files: exact, once, never over a person."""

from __future__ import annotations

import json

import pytest

from genie.homes import DriftedError, Place, RefusedWriteError
from genie.local.workspace import EmbeddedWorkspace
from genie.patching import Splice
from pipelines.applying import apply_pending
from pipelines.carrying_out import rehearse
from pipelines.intents import Change, Intent, undoing
from tests.genie.homes.fake_catalog import FakeCatalog
from tests.genie.homes.wanderbricks import Sample
from tests.genie.local.fakes import FakeEngine, client_of
from tests.pipelines.apply_walk import Bomb, MemoryLedger, services, surviving, work
from transforms import patches as p
from transforms.errors import StateConflictError

BOOKINGS = "wanderbricks.bookings"
COMMENT = p.SetTableComment(table=BOOKINGS, comment="one row per booking")
STATUS = p.SetColumnComment(table=BOOKINGS, column="status", comment="it's: a, b")
DATES = p.SetColumnComment(table=BOOKINGS, column="check_in", comment="first night")
MEASURE = p.SetMetricViewMeasure(
    metric_view="wanderbricks.payment_metrics", name="refunds", expr="COUNT(*)", comment="all"
)
FUNCTION = p.SetFunctionComment(function="wanderbricks.guest_history", comment="stays of a guest")
PARAMETER = p.SetFunctionComment(
    function="wanderbricks.guest_history", parameter="guest_id", comment="users.user_id"
)
DEFAULT = p.SetFunctionDefault(
    function="wanderbricks.top_destinations", parameter="how_many", default="5"
)
SYNONYMS = p.AddColumnSynonyms(table=BOOKINGS, column="status", synonyms=("state",))
INSTRUCTION = p.AddInstruction(space_id="space", topic="t", text="Mind the gap.")
SNIPPET = p.AddSqlSnippet(kind="filter", sql="status = 'x'", display_name="x")
JOIN = p.AddJoinSpec(
    left="wanderbricks.reviews",
    right="wanderbricks.users",
    sql="`reviews`.`user_id` = `users`.`user_id`",
    relationship="MANY_TO_ONE",
)
EXAMPLE = p.AddExampleQuestion(space_id="space", question="How many?", sql="SELECT COUNT(*) FROM t")
MONITORING = p.SetMonitoringComment(table="wanderbricks.data_quality_daily", comment="checks")
LAG = p.SetMonitoringComment(
    table="wanderbricks.data_quality_daily", column="hours_since_load", comment="the lag"
)
ML = p.SetMlTableComment(table="wanderbricks.guest_churn_scores", comment="one row per run")
SEGMENT = p.SetMlTableComment(
    table="wanderbricks.guest_churn_scores", column="segment", comment="who may leave"
)
DIMENSION = p.SetMetricViewDimension(
    metric_view="wanderbricks.review_metrics", name="year", expr="YEAR(created_at)"
)
BEFORE = {
    COMMENT: "bookings",
    STATUS: "see wiki",
    DATES: "date",
    FUNCTION: "history",
    PARAMETER: "id",
    MONITORING: "DQ results",
    LAG: "age",
    ML: "churn",
    SEGMENT: "segm.",
}
BATCHES = {
    "catalog": (COMMENT, STATUS, DATES),
    "views": (MEASURE, DIMENSION),
    "functions": (FUNCTION, PARAMETER, DEFAULT),
    "monitoring": (MONITORING, LAG),
    "ml": (ML, SEGMENT),
    "space": (SYNONYMS, INSTRUCTION, SNIPPET, JOIN, EXAMPLE),
}


@pytest.fixture(scope="module")
def served(tmp_path_factory):
    catalog = FakeCatalog()
    with EmbeddedWorkspace(tmp_path_factory.mktemp("w"), FakeEngine(), catalog) as workspace:
        yield Sample(client_of(workspace), catalog, tmp_path_factory.mktemp("sample"))


@pytest.fixture
def sample(served):
    served.reset()
    served.catalog.refuses = None
    return served


def batch(*patches, **changes):
    before = {n: BEFORE[patch] for n, patch in enumerate(patches) if patch in BEFORE}
    return work(*patches, before=before, **changes)


def run(sample, ledger, bomb=None):
    return apply_pending(ledger, services(sample, bomb))


@pytest.mark.parametrize("patches", BATCHES.values(), ids=BATCHES)
def test_a_batch_lands_in_both_homes_and_undone_everything_is_as_it_was(sample, patches):
    before = sample.state()
    ledger = MemoryLedger([batch(*patches)])
    report = run(sample, ledger)
    assert report.failed == ()
    after = sample.state()
    assert after[0] != before[0]
    assert after[1:] != before[1:]
    ids, _, diff = ledger.applications[("batch-1", "apply")]
    assert len(ids) == len(patches)
    assert diff.startswith("--- a/")

    assert run(sample, ledger).done == (), "a second run does nothing"
    assert sample.state() == after

    ledger.rejected.add("batch-1")
    assert run(sample, ledger).failed == ()
    assert sample.state() == before
    assert ledger.applications[("batch-1", "undo")][0] == ids[::-1]
    assert run(sample, ledger).done == ()


slow = pytest.mark.slow


@pytest.mark.parametrize(
    ("direction", "name"),
    [
        pytest.param("apply", "catalog"),
        pytest.param("undo", "views"),
        *(pytest.param("apply", name, marks=slow) for name in ("views", "functions", "space")),
        *(pytest.param("undo", name, marks=slow) for name in ("catalog", "functions", "space")),
    ],
)
def test_a_crash_after_any_call_and_a_rerun_end_in_the_same_state(sample, name, direction):
    def crashed(after):
        sample.reset()
        ledger = MemoryLedger([batch(*BATCHES[name])])
        if direction == "undo":
            assert run(sample, ledger).failed == ()
            ledger.rejected.add("batch-1")
        bomb = ledger.bomb = Bomb(after)
        with surviving():
            assert run(sample, ledger, bomb).failed == ()
        calls, bomb.after = bomb.calls, 0
        assert run(sample, ledger).failed == ()
        return calls, (sample.state(), ledger.recorded.keys(), _applied(ledger))

    calls, expected = crashed(0)
    assert calls > 5
    for after in range(1, calls + 1):
        assert crashed(after)[1] == expected, f"crashed after call {after} of {calls}"


def _applied(ledger):
    return {key: ids for key, (ids, _, _) in ledger.applications.items()}


def test_nothing_is_touched_before_the_intents_are_committed(sample):
    before = sample.state()
    ledger = MemoryLedger([batch(*BATCHES["catalog"])])
    touched = []
    ledger.on_intents = lambda: touched.append(sample.state() == before)
    run(sample, ledger)
    assert touched == [True]


def test_a_comment_that_somebody_changed_since_the_proposal_is_left_alone(sample):
    sample.catalog.comments[(BOOKINGS, "status")] = "a person was here"
    before = sample.state()
    ledger = MemoryLedger([batch(COMMENT, STATUS)])
    ((_, error),) = run(sample, ledger).failed
    assert isinstance(error, DriftedError)
    assert "a person was here" in str(error)
    assert (sample.state(), ledger.recorded, ledger.applications) == (before, {}, {})


@pytest.mark.parametrize("direction", ["apply", "undo"])
def test_what_somebody_changes_in_the_middle_stops_the_batch_and_is_kept(sample, direction):
    ledger = MemoryLedger([batch(COMMENT, STATUS)])
    if direction == "undo":
        run(sample, ledger)
        ledger.rejected.add("batch-1")
    key = (BOOKINGS, "status")
    ledger.on_intents = lambda: sample.catalog.comments.update({key: "a person was here"})
    ((_, error),) = run(sample, ledger).failed
    assert isinstance(error, DriftedError)
    assert sample.catalog.comments[(BOOKINGS, "status")] == "a person was here"
    assert ("batch-1", direction) not in ledger.applications


def test_an_approval_that_is_taken_back_while_the_batch_is_planned_is_heeded(sample):
    before = sample.state()
    ledger = MemoryLedger([batch(COMMENT, STATUS)])
    ledger.on_intents = lambda: ledger.declined.add("batch-1")
    report = run(sample, ledger)
    assert (report.done, report.failed) == ((), ())
    assert (sample.state(), ledger.applications) == (before, {})


def test_a_refused_change_leaves_everything_as_it_was(sample):
    before = sample.state()
    sample.catalog.refuses = "COUNT_IF(nothing)"
    bad = MEASURE.model_copy(update={"expr": "COUNT_IF(nothing)"})
    ledger = MemoryLedger([batch(DIMENSION, bad)])
    ((_, error),) = run(sample, ledger).failed
    assert isinstance(error, RefusedWriteError)
    assert sample.state() == before
    assert ledger.applications == {}


def test_a_patch_that_has_no_place_is_left_out_and_the_rest_is_applied(sample):
    nowhere = p.SetColumnComment(table=BOOKINGS, column="nothing", comment="x")
    missing = SYNONYMS.model_copy(update={"table": "wanderbricks.nothing"})
    ledger = MemoryLedger([batch(INSTRUCTION, missing)])
    (done,) = run(sample, ledger).done
    assert ledger.applications[("batch-1", "apply")][0] == ["proposal-0"]
    assert "left out" in done.lines[1]
    alone = MemoryLedger([batch(missing, batch_id="batch-2"), batch(nowhere, batch_id="batch-3")])
    report = run(sample, alone)
    assert len(report.failed) == 2
    assert alone.recorded == {}


def test_patches_that_are_not_what_was_approved_are_not_applied(sample):
    before = sample.state()
    ledger = MemoryLedger([batch(COMMENT, content_hash="0" * 64)])
    ((_, error),) = run(sample, ledger).failed
    assert isinstance(error, StateConflictError)
    assert "not what was approved" in str(error)
    assert sample.state() == before


def test_an_undo_needs_the_way_back_that_was_stored(sample):
    ledger = MemoryLedger([batch(COMMENT)], rejected={"batch-1"})
    ledger.applications[("batch-1", "apply")] = (["proposal-0"], "hash", None)
    ((_, error),) = run(sample, ledger).failed
    assert "the way back was not recorded" in str(error)


def test_one_batch_that_fails_does_not_keep_another_from_being_done(sample):
    broken = batch(COMMENT, batch_id="batch-0", content_hash="0" * 64)
    ledger = MemoryLedger([broken, batch(INSTRUCTION)])
    report = run(sample, ledger)
    assert [done.work.batch_id for done in report.done] == ["batch-1"]
    assert [found.batch_id for found, _ in report.failed] == ["batch-0"]


@pytest.fixture
def three_batches(sample):
    """Applied one after another: the first and the last change one comment and one file."""
    again = p.SetTableComment(table=BOOKINGS, comment="one row per booking, cancelled ones too")
    ledger = MemoryLedger([
        work(COMMENT, before={0: "bookings"}, batch_id="batch-1"),
        work(STATUS, MEASURE, before={0: "see wiki"}, batch_id="batch-2"),
        work(again, before={0: "one row per booking"}, batch_id="batch-3"),
    ])  # fmt: skip
    states = [sample.state()]
    every, ledger.works = ledger.works, []
    for one in every:
        ledger.works.append(one)
        assert apply_pending(ledger, services(sample)).failed == ()
        states.append(sample.state())
    return ledger, states


def ways_back(ledger, batch):
    return undoing(ledger.intents(batch, "apply"))


def test_batches_are_undone_the_last_first_and_exactly(sample, three_batches):
    ledger, states = three_batches
    ledger.rejected = {"batch-2", "batch-3"}
    rehearse([ways_back(ledger, one) for one in ("batch-3", "batch-2")], sample.homes())
    assert sample.state() == states[3], "a rehearsal touches nothing"
    done = apply_pending(ledger, services(sample)).done
    assert [one.work.batch_id for one in done] == ["batch-3", "batch-2"]
    assert sample.state() == states[1]


def test_the_wrong_order_and_what_somebody_changed_are_refused_before_anything_is_touched(
    sample, three_batches
):
    ledger, states = three_batches
    with pytest.raises(DriftedError, match=BOOKINGS):
        rehearse([ways_back(ledger, "batch-1")], sample.homes())
    sample.catalog.comments[(BOOKINGS, "status")] = "mine"
    theirs = sample.state()
    with pytest.raises(
        DriftedError, match=r"there: live comment wanderbricks\.bookings\.status\n"
    ) as told:
        rehearse([ways_back(ledger, f"batch-{n}") for n in (3, 2, 1)], sample.homes())
    assert "nothing was touched" in str(told.value)
    assert sample.state() == theirs
    assert theirs != states[3]


def test_a_rehearsal_takes_a_walk_back_that_was_cut_off_as_it_stands(sample, three_batches):
    ledger, _ = three_batches
    ledger.rejected = {"batch-2", "batch-3"}
    with surviving():
        apply_pending(ledger, services(sample, Bomb(8)))
    rehearse([ways_back(ledger, one) for one in ("batch-3", "batch-2")], sample.homes())


@slow
def test_a_rehearsal_decides_as_the_undo_does_wherever_that_was_cut_off(sample):
    def begun(after):
        """Two patches of one file and the comments they are about, undone up to a call."""
        sample.reset()
        ledger = MemoryLedger([batch(COMMENT, STATUS, DATES)])
        assert run(sample, ledger).failed == ()
        ledger.rejected.add("batch-1")
        bomb = Bomb(after)
        with surviving():
            assert run(sample, ledger, bomb).failed == ()
        return ledger, bomb.calls

    _, calls = begun(0)
    for after in range(1, calls + 1):
        ledger, _ = begun(after)
        rehearse([ways_back(ledger, "batch-1")], sample.homes())
        assert run(sample, ledger).failed == (), f"cut off after call {after} of {calls}"


def test_a_space_in_which_an_undo_failed_is_left_as_it_is(sample, three_batches):
    ledger, states = three_batches
    ledger.rejected = {"batch-1", "batch-2", "batch-3"}
    sample.catalog.comments[(BOOKINGS,)] = "mine"
    report = apply_pending(ledger, services(sample))
    assert [one.batch_id for one, _ in report.failed] == ["batch-3"]
    assert report.done == ()
    sample.catalog.comments[(BOOKINGS,)] = "one row per booking, cancelled ones too"
    assert apply_pending(ledger, services(sample)).failed == ()
    assert sample.state() == states[0]


def test_an_intent_comes_back_from_its_json_as_it_was():
    place = Place("live", "comment", "a.b", "c")
    change = Change(place, Splice(3, "old 'é'\n", "new"), "1", "2")
    intent = Intent("proposal-1", "column:a.b.c", (change,))
    found = Intent.parse("proposal-1", "column:a.b.c", intent.inverse_json())
    assert found == intent
    assert found.undone.undone == intent
    assert json.loads(intent.inverse_json())["changes"][0]["restore"] == "old 'é'\n"
