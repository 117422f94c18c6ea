"""A set of benchmarks has one hash, whichever way its versions come."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from transforms.benchmark_identity import benchmark_set_hash, benchmark_set_hash_of_sorted

VERSIONS = st.lists(st.tuples(st.text(max_size=8), st.text(max_size=8)), max_size=8)


@given(VERSIONS)
def test_versions_that_come_sorted_need_not_be_held(versions):
    assert benchmark_set_hash_of_sorted(sorted(versions)) == benchmark_set_hash(versions)


@given(VERSIONS)
def test_the_order_of_versions_does_not_count(versions):
    assert benchmark_set_hash(versions) == benchmark_set_hash(reversed(versions))
