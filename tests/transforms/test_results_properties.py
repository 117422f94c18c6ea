"""What holds of comparison for all results, whatever their values."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from tests.transforms.executions import column, result
from transforms.judgement import Execution
from transforms.results import OFFICIAL_POLICIES, POLICIES, compare, result_hash
from transforms.ties import Ranking, like_produced

# Few different values of each kind, so that duplicates, ties and look-alike columns are common.
NUMBERS = st.one_of(
    st.integers(-3, 3),
    st.sampled_from([0.1, 0.5, 1.0, -0.0, 2.5, float("nan"), float("inf")]),
    st.sampled_from([Decimal("0.1"), Decimal("1.00"), Decimal("2.500000")]),
)
SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    NUMBERS,
    st.sampled_from(["", "a", "A", "1", "00123"]),
    st.sampled_from([date(2024, 1, 31), datetime(2024, 1, 31, tzinfo=UTC)]),
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.one_of(
        st.lists(inner, max_size=2),
        st.tuples(inner, inner),
        st.dictionaries(st.sampled_from(["k", "l"]), inner, max_size=2),
    ),
    max_leaves=3,
)
ANY_COLUMN = tuple(p for p in POLICIES if p not in ("bag", "official_set"))
SYMMETRIC = tuple(p for p in POLICIES if p != "superset")
# A value that none of the strategies gives and that meets none of them under any policy.
STRANGER = "not among the values"


@st.composite
def results(draw: st.DrawFn, min_rows: int = 0, max_width: int = 4) -> Execution:
    width = draw(st.integers(1, max_width))
    row = st.tuples(*[VALUES] * width)
    return replace(
        result([[None] * width]), rows=tuple(draw(st.lists(row, min_size=min_rows, max_size=6)))
    )


def rows_of(execution: Execution) -> list[tuple[Any, ...]]:
    assert execution.rows is not None
    return list(execution.rows)


def permuted_columns(execution: Execution, order: list[int]) -> Execution:
    return replace(
        execution,
        columns=tuple(execution.columns[i] for i in order),
        rows=tuple(tuple(row[i] for i in order) for row in rows_of(execution)),
    )


@pytest.mark.parametrize("policy", POLICIES)
@given(execution=results(), is_ordered=st.booleans())
@settings(deadline=None, max_examples=40)
def test_a_result_equals_itself(policy, execution, is_ordered):
    comparison = compare(execution, execution, policy=policy, is_ordered=is_ordered)
    assert (comparison.step, comparison.is_correct) == ("equal", True)


@pytest.mark.parametrize("policy", SYMMETRIC)
@given(one=results(), other=results(), is_ordered=st.booleans())
@settings(deadline=None, max_examples=60)
def test_comparison_is_symmetric_but_for_further_columns(policy, one, other, is_ordered):
    there = compare(one, other, policy=policy, is_ordered=is_ordered)
    back = compare(other, one, policy=policy, is_ordered=is_ordered)
    assert there.is_correct is back.is_correct


@pytest.mark.parametrize("policy", POLICIES)
@given(execution=results(), data=st.data())
@settings(deadline=None, max_examples=40)
def test_the_order_of_rows_does_not_count_where_none_is_asked_for(policy, execution, data):
    shuffled = replace(execution, rows=tuple(data.draw(st.permutations(rows_of(execution)))))
    assert compare(execution, shuffled, policy=policy).is_correct
    assert result_hash(execution) == result_hash(shuffled)


@pytest.mark.parametrize("policy", ANY_COLUMN)
@given(execution=results(max_width=6), data=st.data())
@settings(deadline=None, max_examples=60)
def test_the_order_of_columns_does_not_count_under_these_policies(policy, execution, data):
    order = data.draw(st.permutations(range(len(execution.columns))))
    shuffled = permuted_columns(execution, order)
    rows = tuple(data.draw(st.permutations(rows_of(shuffled))))
    assert compare(execution, replace(shuffled, rows=rows), policy=policy).is_correct
    assert compare(execution, shuffled, policy=policy, is_ordered=True).is_correct


@pytest.mark.parametrize("policy", POLICIES)
@given(execution=results(min_rows=1), data=st.data())
@settings(deadline=None, max_examples=60)
def test_a_changed_value_is_never_equal(policy, execution, data):
    rows = rows_of(execution)
    at = data.draw(st.integers(0, len(rows) - 1))
    position = data.draw(st.integers(0, len(rows[at]) - 1))
    changed = (*rows[at][:position], STRANGER, *rows[at][position + 1 :])
    other = replace(execution, rows=(*rows[:at], changed, *rows[at + 1 :]))
    assert not compare(execution, other, policy=policy).is_correct
    assert not compare(other, execution, policy=policy).is_correct
    assert result_hash(execution) != result_hash(other)


COUNTING = tuple(policy for policy in POLICIES if policy not in OFFICIAL_POLICIES)


@pytest.mark.parametrize("policy", [p for p in COUNTING if p != "superset"])
@given(execution=results(min_rows=1), data=st.data())
@settings(deadline=None, max_examples=100)
def test_any_value_that_is_another_makes_the_result_another(policy, execution, data):
    """Also one that stands elsewhere in the result, or is nearly the same."""
    rows = rows_of(execution)
    at = data.draw(st.integers(0, len(rows) - 1))
    position = data.draw(st.integers(0, len(rows[at]) - 1))
    value = data.draw(VALUES)
    assume(not compare(column(rows[at][position]), column(value)).is_correct)
    changed = (*rows[at][:position], value, *rows[at][position + 1 :])
    other = replace(execution, rows=(*rows[:at], changed, *rows[at + 1 :]))
    for is_ordered in (False, True):
        assert not compare(execution, other, policy=policy, is_ordered=is_ordered).is_correct
        assert not compare(other, execution, policy=policy, is_ordered=is_ordered).is_correct


@pytest.mark.parametrize("policy", POLICIES)
@given(execution=results(), other=results(), is_ordered=st.booleans(), data=st.data())
@settings(deadline=None, max_examples=40)
def test_names_of_columns_never_decide(policy, execution, other, is_ordered, data):
    names = st.sampled_from(["a", "b", "A", "count(1)"])
    width = len(other.columns)
    renamed = replace(
        other, columns=tuple(data.draw(st.lists(names, min_size=width, max_size=width)))
    )
    as_it_was = compare(execution, other, policy=policy, is_ordered=is_ordered)
    by_other_names = compare(execution, renamed, policy=policy, is_ordered=is_ordered)
    assert by_other_names.is_correct is as_it_was.is_correct


@given(
    sizes=st.lists(st.integers(1, 3), min_size=1, max_size=4),
    skip=st.integers(0, 3),
    count=st.integers(1, 6),
    is_ordered=st.booleans(),
    data=st.data(),
)
@settings(deadline=None, max_examples=150)
def test_whatever_ranks_leave_open_is_right_and_nothing_else(sizes, skip, count, is_ordered, data):
    ranks = [1 + sum(sizes[:number]) for number, size in enumerate(sizes) for _ in range(size)]
    ranked = result([(number % 4, f"row {number}", rank) for number, rank in enumerate(ranks)])
    ranking = Ranking("", skip, count)
    in_order = sorted(data.draw(st.permutations(ranked.rows)), key=lambda row: row[-1])
    kept = [row[:-1] for row in in_order][skip : skip + count]
    assume(kept)
    shown = kept if is_ordered else data.draw(st.permutations(kept))
    produced = result(shown)
    twin = like_produced(ranked, ranking, produced, is_ordered=is_ordered)
    assert twin is not None
    assert compare(twin, produced, is_ordered=is_ordered).is_correct
    at = data.draw(st.integers(0, len(shown) - 1))
    wrong = result([*shown[:at], (shown[at][0], STRANGER), *shown[at + 1 :]])
    assert like_produced(ranked, ranking, wrong, is_ordered=is_ordered) is None


@pytest.mark.parametrize("policy", COUNTING)
@given(execution=results(min_rows=1), data=st.data())
@settings(deadline=None, max_examples=40)
def test_a_row_more_is_never_equal_where_duplicates_count(policy, execution, data):
    more = replace(
        execution, rows=(*rows_of(execution), data.draw(st.sampled_from(rows_of(execution))))
    )
    assert not compare(execution, more, policy=policy).is_correct
    assert not compare(more, execution, policy=policy).is_correct


@given(execution=results(), data=st.data())
@settings(deadline=None, max_examples=60)
def test_further_columns_are_forgiven_by_superset_only(execution, data):
    rows = rows_of(execution)
    further = data.draw(st.lists(VALUES, min_size=len(rows), max_size=len(rows)))
    at = data.draw(st.integers(0, len(execution.columns)))
    more = replace(
        execution,
        columns=(*execution.columns[:at], "further", *execution.columns[at:]),
        data_types=(*execution.data_types, "string"),
        rows=tuple((*row[:at], v, *row[at:]) for row, v in zip(rows, further, strict=True)),
    )
    assert compare(execution, more, policy="superset").is_correct
    assert compare(execution, more, policy="superset", is_ordered=True).is_correct
    assert compare(execution, more).step == "extra_columns"
    assert not compare(more, execution, policy="superset").is_correct


@given(one=results(), other=results())
@settings(deadline=None, max_examples=150)
def test_a_stricter_policy_is_never_more_forgiving(one, other):
    right = {policy: compare(one, other, policy=policy).is_correct for policy in POLICIES}
    assert right["bag"] <= right["bag_any_column"] <= right["superset"]
    assert right["official_set"] <= right["official_set_any_column"]


@given(
    number=st.floats(allow_nan=False, allow_infinity=False, min_value=-1e12, max_value=1e12),
    share=st.floats(min_value=2.1e-4, max_value=0.5),
)
@settings(deadline=None)
def test_numbers_that_differ_by_more_than_twice_the_tolerance_never_meet(number, share):
    changed = number + max(abs(number) * share, 1e-11)
    others = [0.25, 7.0]
    one = result([[number], *[[v] for v in others]])
    other = result([[changed], *[[v] for v in others]])
    assert compare(one, other).step == "different"


@given(one=results(max_width=3), other=results(max_width=3))
@settings(deadline=None, max_examples=150)
def test_equal_bags_have_equal_hashes(one, other):
    if compare(one, other, policy="bag").step in ("equal", "alias", "row_order", "numeric_type"):
        assert result_hash(one) == result_hash(other)
