"""Differences between how two queries group their rows."""

from __future__ import annotations

from transforms.diff_outputs import is_same_thing, output_pair
from transforms.diff_rows import texts
from transforms.findings import Differ, Finding, tables_of


def diff_groups(differ: Differ) -> None:
    """Adds findings for group keys that are missing, too many or wrong."""
    left, right = list(differ.expected.group_by), list(differ.produced.group_by)
    for mine in list(left):
        twin = next((other for other in right if mine.same(other)), None)
        if twin is not None:
            left.remove(mine)
            right.remove(twin)
    if differ.produced.is_distinct and not right:
        left = [key for key in left if not any(key.same(o) for o in differ.produced.outputs)]
    for mine, theirs in list(zip(left, right, strict=False)):
        is_name = is_same_thing(differ, mine, theirs)
        rule = "grouped_by_key_or_name" if is_name else "group_key_wrong"
        fix = f"Group by {mine.text}, not {theirs.text}."
        output_pair(differ, rule, mine, theirs, fix, is_weak=is_name)
    if differ.expected.aggregates_groups != differ.produced.aggregates_groups:
        _grouping_level(differ)
    paired = min(len(left), len(right))
    for term in left[paired:]:
        differ.add(
            Finding(
                rule="group_key_missing",
                blame=differ.term_blame(term, differ.expected),
                fix=f"Group by {term.text}.",
                expected_fragment=term.text,
                covers=tables_of(term.columns),
            )
        )
    for term in right[paired:]:
        differ.add(
            Finding(
                rule="group_key_not_asked",
                blame=differ.term_blame(term, differ.produced),
                fix=f"Do not group by {term.text}.",
                actual_fragment=term.text,
                is_weak=not differ.produced.aggregates,
            )
        )


def _grouping_level(differ: Differ) -> None:
    """Groups that are aggregated once more, where each was asked for, and the reverse."""
    keys = [*differ.expected.group_by, *differ.produced.group_by]
    is_inner = differ.expected.aggregates_groups
    differ.add(
        Finding(
            rule="grouping_level_wrong",
            blame=differ.column_blame(name for key in keys for name in key.columns),
            fix="Aggregate over the groups." if is_inner else "Return each group.",
            expected_fragment=texts(list(differ.expected.outputs)),
            actual_fragment=texts(list(differ.produced.outputs)),
        )
    )
