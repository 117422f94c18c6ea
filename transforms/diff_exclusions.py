"""Conditions on things with several rows each: left out as a whole, both of two, either of two."""

from __future__ import annotations

from transforms.condition_match import Unmatched
from transforms.findings import Differ, Finding, folded, tables_of
from transforms.shape_model import Predicate

DENIALS = {"<>", "NOT_IN", "NOT_LIKE"}


def diff_exclusions(differ: Differ, rest: Unmatched) -> None:
    """Explains things that should be left out where rows are filtered instead, and the reverse."""
    _tests_for_null(differ, rest)
    expected = [p for p in rest.left if p.place == "excluded"]
    produced = [p for p in rest.right if p.place == "excluded"]
    wanted = {c for p in expected for c in p.columns}
    given = {c for p in produced for c in p.columns}
    if expected and not wanted & given:
        _not_excluded(differ, rest, expected, wanted)
    if produced and not wanted & given:
        _needlessly_excluded(differ, rest, produced, given)
    _exclusions_without_condition(differ)


def _exclusions_without_condition(differ: Differ) -> None:
    """Things that should be left out for having any row at all in another table."""
    sides = differ.expected, differ.produced
    conditions = [any(p.place == "excluded" for p in shape.predicates) for shape in sides]
    anti = [[edge for edge in shape.edges if edge.kind == "anti"] for shape in sides]
    is_explained = any(finding.rule == "outer_join_missing" for finding in differ.findings)
    if any(conditions) or is_explained or bool(anti[0]) == bool(anti[1]):
        return
    edge = (anti[0] or anti[1])[0]
    key = f"{edge.left.name} = {edge.right.name}"
    differ.add(
        Finding(
            rule="exclusion_missing" if anti[0] else "exclusion_not_asked",
            blame=differ.join_blame(*edge.pair),
            fix=f"Leave out what has a row with {key} (NOT EXISTS)."
            if anti[0]
            else f"Do not leave out what has a row with {key}.",
            expected_fragment=None,
            actual_fragment=None,
            covers=frozenset({edge.left.table, edge.right.table}),
        )
    )


def _tests_for_null(differ: Differ, rest: Unmatched) -> None:
    """An inner join with IS NULL, where an outer join would find the rows without a partner."""
    anti = {edge.pair: edge for edge in differ.expected.edges if edge.kind == "anti"}
    for edge in differ.produced.edges:
        if edge.kind != "inner" or edge.pair not in anti:
            continue
        tables = {edge.left.table, edge.right.table}
        tests = [
            p for p in rest.right if p.operator == "IS_NULL" and tables_of(p.columns) <= tables
        ]
        if tests:
            rest.drop(tests)
            differ.add(
                Finding(
                    rule="outer_join_missing",
                    blame=differ.join_blame(*edge.pair),
                    fix=f"Use LEFT JOIN on {edge.text}, so that rows without a partner remain.",
                    expected_fragment=edge.text,
                    actual_fragment=edge.text,
                    covers=frozenset(tables),
                )
            )


def _touches(predicate: Predicate, columns: set[str]) -> bool:
    return bool(set(predicate.columns) & columns)


def _not_excluded(
    differ: Differ, rest: Unmatched, excluded: list[Predicate], columns: set[str]
) -> None:
    partners = [p for p in rest.right if _touches(p, columns)]
    matched = [p for p in differ.produced.predicates if p.place == "rows" and _touches(p, columns)]
    rest.drop([*excluded, *partners])
    actual = [p.text for p in dict.fromkeys([*partners, *matched])]
    condition = " AND ".join(p.text for p in excluded)
    filters_rows = any(p.operator in DENIALS or p.operator == "OR" for p in partners)
    differ.add(
        Finding(
            rule="rows_filtered_instead_of_excluded" if filters_rows else "exclusion_missing",
            blame=differ.column_blame(columns),
            fix=f"Leave out everything that has a row with {condition} (NOT IN or NOT EXISTS).",
            expected_fragment=_not_exists(excluded),
            actual_fragment=" AND ".join(actual) or None,
            covers=tables_of(columns),
        )
    )


def _needlessly_excluded(
    differ: Differ, rest: Unmatched, excluded: list[Predicate], columns: set[str]
) -> None:
    partners = [p for p in rest.left if _touches(p, columns)]
    rest.drop([*excluded, *partners])
    expected = " AND ".join(p.text for p in partners) or None
    differ.add(
        Finding(
            rule="exclusion_not_asked",
            blame=differ.column_blame(c for p in partners or excluded for c in p.columns),
            fix=f"Filter rows by {expected}." if expected else "Do not exclude anything.",
            expected_fragment=expected,
            actual_fragment=_not_exists(excluded),
            covers=tables_of(columns),
        )
    )


def _not_exists(excluded: list[Predicate]) -> str:
    tables = ", ".join(sorted(tables_of(c for p in excluded for c in p.columns)))
    condition = " AND ".join(p.text for p in excluded)
    return f"NOT EXISTS (SELECT * FROM {tables} WHERE {condition})"


def diff_set_logic(differ: Differ, rest: Unmatched) -> None:
    """Explains both of two values where either was asked for, and the reverse."""
    shapes = differ.expected, differ.produced
    if any(o.is_over_aggregates for shape in shapes for o in shape.set_operations):
        _drop_branches(rest)
        return
    for mine, theirs, is_both in ((rest.left, rest.right, True), (rest.right, rest.left, False)):
        for listed in [p for p in theirs if p.operator == "IN"]:
            singles = [p for p in mine if p.operator == "=" and p.left.same(listed.left)]
            values = {folded(value) for value in listed.values}
            if len(singles) >= 2 and {folded(p.values[0]) for p in singles} == values:
                rest.drop([listed, *singles])
                _set_logic(differ, singles, [listed], is_both)
    _contradictions(differ, rest)


def _drop_branches(rest: Unmatched) -> None:
    """Conditions of branches that are combined after aggregating: the combination explains them."""
    for mine, theirs in rest.pairs():
        both = mine.left.same(theirs.left) and {mine.operator, theirs.operator} <= {"=", "IN"}
        if both and set(map(folded, mine.values)) & set(map(folded, theirs.values)):
            rest.drop([mine, theirs])
            same = [p for p in (*rest.left, *rest.right) if p.left.same(mine.left)]
            rest.drop([p for p in same if p.operator in {"=", "IN"}])


def _contradictions(differ: Differ, rest: Unmatched) -> None:
    """``x = 'a' AND x = 'b'`` on one row, which no row fulfils."""
    singles = [p for p in differ.produced.predicates if p.operator == "=" and p.place == "rows"]
    pairs = [
        (one, other)
        for i, one in enumerate(singles)
        for other in singles[i + 1 :]
        if one.left.column and one.left.uses == other.left.uses and one.values != other.values
    ]
    for one, other in pairs:
        wanted = [p for p in differ.expected.predicates if p.left.same(one.left)]
        roles = {p.left.uses[0].role for p in wanted}
        is_listed = any(p.operator == "IN" for p in wanted)
        is_both = len({p.left.uses[0].instance for p in wanted}) > 1
        if not is_listed and not is_both:
            continue
        rest.drop([one, other, *wanted])
        # Values that are told apart by how their tables are joined: the missing join explains them.
        if is_listed or len(roles) == 1:
            _set_logic(differ, wanted, [one, other], not is_listed)


def _set_logic(
    differ: Differ, expected: list[Predicate], actual: list[Predicate], is_both: bool
) -> None:
    wanted, given = (expected, actual) if is_both else (actual, expected)
    if not is_both and any(p.operator == "IN" for p in expected):
        wanted, given = expected, actual
    column = wanted[0].left.text
    fix = (
        f"Ask for each value of {column} on a row of its own (INTERSECT or two joins)."
        if is_both
        else f"Ask for either value of {column} (IN or OR), not for all of them."
    )
    differ.add(
        Finding(
            rule="either_instead_of_both" if is_both else "both_instead_of_either",
            blame=differ.column_blame(wanted[0].columns),
            fix=fix,
            expected_fragment=" INTERSECT ".join(p.text for p in wanted),
            actual_fragment=" AND ".join(p.text for p in given),
            covers=tables_of(wanted[0].columns),
        )
    )
