"""Words around numbers."""

from __future__ import annotations

import pytest

from transforms.wording import count


@pytest.mark.parametrize(
    ("number", "told"), [(0, "0 batches"), (1, "1 batch"), (2, "2 batches"), (21, "21 batches")]
)
def test_one_is_singular_and_everything_else_plural(number, told):
    assert count(number, "batch", "batches") == told


def test_the_plural_has_an_s_unless_it_is_given():
    assert [count(number, "fault") for number in (1, 2)] == ["1 fault", "2 faults"]
