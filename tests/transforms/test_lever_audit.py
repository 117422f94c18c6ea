"""Rule 4: levers in order, true reasons, and nothing that opens a lever before its turn."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from transforms.contracts import LEVERS
from transforms.lever_audit import AuditRow, LeverProgress, SpaceProgress, audit


def space(*levers: LeverProgress, stop_reason: str | None = None) -> SpaceProgress:
    given_levers = {one.lever: one for one in levers}
    return SpaceProgress(
        space_id="shop",
        cycle=1,
        evaluation_id="evaluation-1",
        stop_reason=stop_reason,
        levers=[given_levers.get(lever, LeverProgress(lever)) for lever in LEVERS],
    )


def rows_of(progress: SpaceProgress) -> dict[int, AuditRow]:
    return {row.lever: row for row in audit(progress)}


def test_a_space_with_nothing_to_propose_closes_all_six_levers_with_a_reason():
    rows = rows_of(space())
    assert sorted(rows) == list(LEVERS)
    assert all(row.is_final and not row.is_attempted and row.skip_reason for row in rows.values())


@pytest.mark.parametrize(
    ("progress", "reason"),
    [
        pytest.param(
            LeverProgress(1),
            "no confirmed train failure blames a table or column",
            id="nothing is blamed",
        ),
        pytest.param(
            LeverProgress(2, asset_count=0), "the space has no metric view", id="no metric view"
        ),
        pytest.param(
            LeverProgress(2, asset_count=1),
            "no confirmed train failure blames a metric view",
            id="a metric view that nobody blames",
        ),
        pytest.param(
            LeverProgress(3, asset_count=0), "the space has no table function", id="no function"
        ),
        pytest.param(
            LeverProgress(1, cluster_count=2),
            "2 open clusters blame a table or column, but the evidence supports no change there",
            id="clusters without proposals",
        ),
        pytest.param(
            LeverProgress(6, generated=3, refused=2, declined=1),
            "3 proposals, none open: 2 refused because they reproduce a benchmark, "
            "1 declined before",
            id="nothing left to try",
        ),
    ],
)
def test_a_lever_left_out_says_why(progress, reason):
    assert rows_of(space(progress))[progress.lever].skip_reason == reason


def test_lever_six_waits_for_lever_one_however_good_its_proposals_are():
    rows = rows_of(space(LeverProgress(1, open=1, generated=1), LeverProgress(6, open=50)))
    assert rows[1].may_batch
    assert not rows[6].may_batch
    assert not rows[6].is_final
    assert rows[6].skip_reason == "lever 1 comes first and is open: 1 proposal to be batched"


@pytest.mark.parametrize(
    ("state", "waits_for", "reason"),
    [
        ("proposed", None, "batch batch-1 waits for approval"),
        ("proposed", "batch-0", "batch batch-1 waits for batch batch-0"),
        ("approved", None, "batch batch-1 waits to be applied"),
        ("applied", None, "batch batch-1 waits for the gate"),
        ("rejected", None, "batch batch-1 waits to be undone"),
    ],
)
def test_a_lever_with_an_unsettled_batch_stays_open_and_forms_no_second_one(
    state, waits_for, reason
):
    in_flight = LeverProgress(
        1,
        generated=7,
        open=2,
        batch_count=1,
        batch_id="batch-1",
        batch_state=state,
        batch_waits_for=waits_for,
    )
    rows = rows_of(space(in_flight, LeverProgress(2, open=1)))
    assert rows[1] == AuditRow(1, True, 7, 0, reason, is_final=False)
    assert rows[2].skip_reason == f"lever 1 comes first and is open: {reason}"
    assert not any(row.may_batch for row in rows.values())


def test_a_lever_with_more_proposals_than_one_batch_takes_forms_the_next_one():
    rows = rows_of(space(LeverProgress(1, generated=7, open=2, applied=5, batch_count=1)))
    assert rows[1].may_batch
    assert not rows[1].is_final


def test_a_lever_whose_last_batch_is_settled_is_final_and_the_next_one_opens():
    tried = LeverProgress(1, generated=5, rejected=5, applied=5, batch_count=1)
    rows = rows_of(space(tried, LeverProgress(2, open=1)))
    assert rows[1] == AuditRow(1, True, 5, 5, None, is_final=True)
    assert rows[2].may_batch


def test_a_final_row_is_never_written_again():
    final = LeverProgress(1, is_final=True, open=3)
    rows = rows_of(space(final, LeverProgress(2, open=1)))
    assert 1 not in rows
    assert rows[2].may_batch


@pytest.mark.parametrize(
    ("stop_reason", "reason"),
    [
        ("target", "the loop ended: the target accuracy is reached"),
        ("maximum", "the loop ended: the maximum of applied batches is reached"),
    ],
)
def test_after_the_loop_ended_no_lever_may_batch(stop_reason, reason):
    rows = rows_of(space(LeverProgress(1, open=1), stop_reason=stop_reason))
    assert rows[1].skip_reason == reason
    assert not any(row.may_batch or row.is_final for row in rows.values())


progresses = st.builds(
    LeverProgress,
    lever=st.just(0),
    is_final=st.booleans(),
    generated=st.integers(0, 3),
    open=st.integers(0, 3),
    refused=st.integers(0, 2),
    batch_count=st.integers(0, 2),
    batch_id=st.sampled_from([None, "batch-1"]),
    cluster_count=st.integers(0, 2),
    asset_count=st.sampled_from([None, 0, 1]),
)
six = st.lists(progresses, min_size=6, max_size=6).map(
    lambda some: space(*(replace(one, lever=n) for n, one in zip(LEVERS, some, strict=True)))
)


@given(six)
def test_whatever_the_state_levers_open_one_after_the_other(progress):
    rows = audit(progress)
    may_batch = [row.lever for row in rows if row.may_batch]
    not_final = [row.lever for row in rows if not row.is_final]
    in_flight = [one.lever for one in progress.levers if one.batch_id and not one.is_final]
    assert len(may_batch) <= 1
    for lever in may_batch:
        assert lever == not_final[0], "an earlier lever is still open"
        assert lever not in in_flight
    for row in rows:
        assert row.is_attempted or row.skip_reason, "the table's CHECK constraint"
        assert not (row.is_final and any(lever < row.lever for lever in not_final))


@given(six)
def test_levers_given_in_another_order_give_the_same_rows(progress):
    reversed_levers = replace(progress, levers=list(reversed(progress.levers)))
    assert audit(reversed_levers) == audit(progress)
