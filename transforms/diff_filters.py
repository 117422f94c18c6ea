"""Differences between the conditions of two queries, paired so that each has one explanation."""

from __future__ import annotations

import re
from collections.abc import Callable
from decimal import Decimal, InvalidOperation

from transforms.findings import (
    Differ,
    Finding,
    folded,
    is_text,
    tables_of,
    unquoted,
    values_text,
)
from transforms.question_words import contains_value, is_temporal_name
from transforms.shape_model import Predicate, Term

EQUALITIES = {"=", "IN", "LIKE"}
DENIALS = {"<>", "NOT_IN", "NOT_LIKE"}
ORDERS = {">", ">=", "<", "<="}
_WHERE_PLACES = {"rows", "ranked", "compared"}


def diff_filters(differ: Differ) -> None:
    """Adds a finding for every condition that is missing, replaced or too many."""
    left, right = _unmatched(differ)
    for step in _STEPS:
        step(differ, left, right)
    _leftovers(differ, left, right)


def _unmatched(differ: Differ) -> tuple[list[Predicate], list[Predicate]]:
    """The conditions of each side that the other side does not have."""
    left = list(differ.expected.predicates)
    right = list(differ.produced.predicates)
    slots: list[tuple[int, int]] = []
    _match(left, right, lambda a, b: a.same(b, is_role_strict=True))
    _match(left, right, lambda a, b: a.same(b))

    def same_slotless(a: Predicate, b: Predicate) -> bool:
        is_same = a.place == b.place == "conditional" and a.same(b, is_place_strict=False)
        if is_same:
            slots.append((a.slot, b.slot))
        return is_same

    _match(left, right, same_slotless)
    if len(slots) >= 2 and slots == [(b, a) for a, b in reversed(slots)]:
        _ratio_inverted(differ)
    _match(
        left,
        right,
        lambda a, b: {a.place, b.place} <= _WHERE_PLACES and a.same(b, is_place_strict=False),
    )
    ranked = [p for ranking in differ.produced.superlatives for p in ranking.population or ()]
    _match(left, ranked, lambda a, b: a.same(b, is_place_strict=False))
    _drop_implied(left, differ.produced.predicates)
    _drop_implied(right, differ.expected.predicates)
    return left, right


def _match(
    left: list[Predicate], right: list[Predicate], is_same: Callable[[Predicate, Predicate], bool]
) -> None:
    for mine in list(left):
        twin = next((other for other in right if is_same(mine, other)), None)
        if twin is not None:
            left.remove(mine)
            right.remove(twin)


def _drop_implied(rest: list[Predicate], others: tuple[Predicate, ...]) -> None:
    """``x IS NOT NULL`` says nothing where the other side compares x; repetitions neither."""
    for predicate in list(rest):
        is_implied = predicate.operator == "IS_NOT_NULL" and any(
            other.left.same(predicate.left) and other.operator not in {"IS_NULL", "EXPR"}
            for other in others
        )
        is_repeated = any(predicate.same(other) for other in others)
        if is_implied or is_repeated:
            rest.remove(predicate)


def _pairs(left: list[Predicate], right: list[Predicate]) -> list[tuple[Predicate, Predicate]]:
    return [(mine, theirs) for mine in left for theirs in right]


def _same_kind_of_place(mine: Predicate, theirs: Predicate) -> bool:
    return mine.place == theirs.place or {mine.place, theirs.place} <= _WHERE_PLACES


def _take(
    left: list[Predicate], right: list[Predicate], mine: Predicate, theirs: Predicate
) -> bool:
    """Removes a pair that is explained; False when one of them was already."""
    if mine not in left or theirs not in right:
        return False
    left.remove(mine)
    right.remove(theirs)
    return True


def _pair_finding(
    differ: Differ,
    rule: str,
    mine: Predicate,
    theirs: Predicate,
    fix: str,
    *,
    columns: tuple[str, ...] | None = None,
    is_weak: bool = False,
) -> None:
    blamed = mine.columns if columns is None else columns
    differ.add(
        Finding(
            rule=rule,
            blame=differ.column_blame(blamed) if blamed else differ.counted_blame(differ.expected),
            fix=fix,
            expected_fragment=mine.text,
            actual_fragment=theirs.text,
            expected_value=values_text(mine),
            actual_value=values_text(theirs),
            is_weak=is_weak,
            covers=tables_of(mine.columns),
        )
    )


def _ratio_inverted(differ: Differ) -> None:
    conditions = [p for p in differ.expected.predicates if p.place == "conditional"]
    outputs = differ.expected.outputs, differ.produced.outputs
    differ.add(
        Finding(
            rule="ratio_inverted",
            blame=differ.column_blame(c for p in conditions for c in p.columns),
            fix="Divide the other way round: numerator and denominator are swapped.",
            expected_fragment=outputs[0][0].text if outputs[0] else None,
            actual_fragment=outputs[1][0].text if outputs[1] else None,
        )
    )


def _exclusions(differ: Differ, left: list[Predicate], right: list[Predicate]) -> None:
    """Whole things that should be left out, where rows are filtered instead, and the reverse."""
    _one_sided_exclusion(differ, left, right)
    excluded = [p for p in right if p.place == "excluded"]
    is_expected = any(p.place == "excluded" for p in differ.expected.predicates)
    if excluded and not is_expected:
        columns = tuple(c for p in excluded for c in p.columns)
        partners = [p for p in left if set(p.columns) & set(columns)]
        for predicate in (*excluded, *partners):
            (right if predicate in right else left).remove(predicate)
        expected = " AND ".join(p.text for p in partners) or None
        differ.add(
            Finding(
                rule="exclusion_not_asked",
                blame=differ.column_blame(c for p in partners or excluded for c in p.columns),
                fix=f"Filter rows by {expected}." if expected else "Do not exclude anything.",
                expected_fragment=expected,
                actual_fragment="NOT EXISTS " + " AND ".join(p.text for p in excluded),
                covers=tables_of(columns),
            )
        )


def _one_sided_exclusion(differ: Differ, left: list[Predicate], right: list[Predicate]) -> None:
    excluded = [p for p in left if p.place == "excluded"]
    has_exclusion = any(edge.kind == "anti" for edge in differ.produced.edges)
    if not excluded or has_exclusion:
        return
    columns = {c for p in excluded for c in p.columns}
    partners = [p for p in right if _touches(p, columns)]
    matched = [p for p in differ.produced.predicates if p.place == "rows" and _touches(p, columns)]
    for predicate in excluded:
        left.remove(predicate)
    for predicate in partners:
        right.remove(predicate)
    actual = [p.text for p in dict.fromkeys([*partners, *matched])]
    condition = " AND ".join(p.text for p in excluded)
    is_row_filter = any(p.operator in DENIALS or p.operator == "OR" for p in partners)
    differ.add(
        Finding(
            rule="rows_filtered_instead_of_excluded" if is_row_filter else "exclusion_missing",
            blame=differ.column_blame(columns),
            fix=f"Leave out everything that has a row with {condition} (NOT IN or NOT EXISTS).",
            expected_fragment=f"NOT EXISTS {condition}" if False else condition,
            actual_fragment=" AND ".join(actual) or None,
            covers=tables_of(columns),
        )
    )


def _touches(predicate: Predicate, columns: set[str]) -> bool:
    return bool(set(predicate.columns) & columns)


def _set_logic(differ: Differ, left: list[Predicate], right: list[Predicate]) -> None:
    """Both of two values where either was asked for, and the reverse."""
    for mine_side, their_side, is_both_expected in ((left, right, True), (right, left, False)):
        for listed in [p for p in their_side if p.operator == "IN"]:
            singles = [p for p in mine_side if p.operator == "=" and p.left.same(listed.left)]
            values = {folded(v) for v in listed.values}
            if len(singles) < 2 or {folded(p.values[0]) for p in singles} != values:
                continue
            their_side.remove(listed)
            for single in singles:
                mine_side.remove(single)
            _set_logic_finding(differ, singles, listed.text, is_both_expected)
    singles = [p for p in differ.produced.predicates if p.operator == "=" and p.place == "rows"]
    for one in singles:
        twin = next((p for p in singles if _contradicts(one, p)), None)
        if twin is None or one.values[0] > twin.values[0]:
            continue
        both = [p for p in differ.expected.predicates if p.left.same(one.left)]
        for predicate in (one, twin):
            if predicate in right:
                right.remove(predicate)
        for predicate in both:
            if predicate in left:
                left.remove(predicate)
        if len({p.left.uses[0].instance for p in both}) > 1 or any(
            p.operator == "IN" for p in both
        ):
            is_both = not any(p.operator == "IN" for p in both)
            _set_logic_finding(differ, both, f"{one.text} AND {twin.text}", is_both)


def _contradicts(one: Predicate, other: Predicate) -> bool:
    """Whether no single row can fulfil both."""
    return (
        one.left.column is not None
        and one.left.uses == other.left.uses
        and one.values != other.values
    )


def _set_logic_finding(
    differ: Differ, expected: list[Predicate], actual: str, is_both: bool
) -> None:
    column = expected[0].left.text
    texts = " AND ".join(p.text for p in expected)
    fix = (
        f"Ask for both values of {column}, each on a row of its own (INTERSECT or two joins)."
        if is_both
        else f"Ask for either value of {column} (IN or OR), not for both."
    )
    differ.add(
        Finding(
            rule="either_instead_of_both" if is_both else "both_instead_of_either",
            blame=differ.column_blame(expected[0].columns),
            fix=fix,
            expected_fragment=texts,
            actual_fragment=actual,
            covers=tables_of(expected[0].columns),
        )
    )


def _same_term(differ: Differ, left: list[Predicate], right: list[Predicate]) -> None:
    """The right column, with another value or operator."""
    candidates = [
        (mine, theirs)
        for mine, theirs in _pairs(left, right)
        if mine.left.same(theirs.left) and _same_kind_of_place(mine, theirs)
    ]
    candidates.sort(key=lambda pair: pair[0].operator != pair[1].operator)
    for mine, theirs in candidates:
        if _take(left, right, mine, theirs):
            _explain_same_term(differ, mine, theirs)


def _explain_same_term(differ: Differ, mine: Predicate, theirs: Predicate) -> None:
    operators = mine.operator, theirs.operator
    if operators == ("=", "="):
        rule, fix = _literal_rule(differ, mine, theirs)
    elif theirs.operator == "IS_NULL" and mine.operator in EQUALITIES:
        rule = "null_instead_of_value"
        fix = f"Filter {mine.text}: a stored value stands for none, not NULL."
    elif mine.operator == "IS_NULL":
        rule, fix = "value_instead_of_null", f"Filter {mine.text}."
    elif operators == ("=", "LIKE"):
        rule = "pattern_instead_of_value"
        fix = f"Filter {mine.text}: the value itself, not a pattern that others match too."
    elif operators == ("LIKE", "="):
        rule, fix = "value_instead_of_pattern", f"Filter {mine.text}."
    elif mine.right is not None and theirs.right is not None:
        rule, fix = "compared_value_wrong", f"Compare with {mine.right.text}."
    elif operators[0] in ORDERS and operators[1] in ORDERS and _is_next_to(mine, theirs):
        rule, fix = "boundary_wrong", f"Use {mine.text}."
    elif operators[0] == operators[1] and mine.operator in {"IN", "NOT_IN"}:
        rule, fix = "literal_wrong", f"Use {mine.text}."
    elif operators[0] == operators[1]:
        rule, fix = "literal_wrong", f"Use {mine.text}."
    else:
        rule, fix = "operator_wrong", f"Use {mine.text}."
    columns = None
    if rule == "compared_value_wrong" and mine.right is not None:
        columns = mine.right.columns or mine.columns
    _pair_finding(differ, rule, mine, theirs, fix, columns=columns)


def _literal_rule(differ: Differ, mine: Predicate, theirs: Predicate) -> tuple[str, str]:
    column = mine.left.column or (mine.columns[0] if mine.columns else "")
    wanted, given = unquoted(mine.values[0]), unquoted(theirs.values[0])
    fix = f"Filter {mine.text}."
    if folded(wanted) == folded(given) or differ.values.nearest(column, given) == wanted:
        return "literal_spelled_differently", f"{fix} The data spells it {mine.values[0]}."
    is_unknown = is_text(theirs.values[0]) and not _is_present(differ, column, given)
    if is_unknown:
        return "literal_not_in_column", f"{fix} The column does not hold {theirs.values[0]}."
    return "literal_wrong", fix


def _is_present(differ: Differ, column: str, value: str) -> bool:
    """Whether a column holds a value; where that is not known, an empty result says no."""
    known = differ.values.contains(column, value)
    return known if known is not None else not differ.evidence.is_produced_void


def _is_next_to(mine: Predicate, theirs: Predicate) -> bool:
    """Whether two bounds differ only in whether the bound itself belongs."""
    if mine.operator[0] != theirs.operator[0]:
        return False
    try:
        wanted, given = Decimal(mine.values[0]), Decimal(theirs.values[0])
    except (InvalidOperation, IndexError):
        return mine.values == theirs.values
    return wanted == given or (mine.operator == theirs.operator and abs(wanted - given) == 1)


def _share_base(differ: Differ, left: list[Predicate], right: list[Predicate]) -> None:
    """A condition on all rows that stands inside an aggregate, or the reverse."""
    moved = [
        (mine, theirs)
        for mine, theirs in _pairs(left, right)
        if {mine.place, theirs.place} == {"rows", "conditional"}
        and (mine.same(theirs, is_place_strict=False) or _key_for_name(differ, mine, theirs))
    ]
    taken = [(m, t) for m, t in moved if _take(left, right, m, t)]
    if not taken:
        return
    base = [m for m, _ in taken if m.place == "rows"] or [m for m, _ in taken]
    texts = " AND ".join(m.text for m in base)
    is_base = base[0].place == "rows"
    differ.add(
        Finding(
            rule="share_of_other_rows",
            blame=differ.column_blame(c for m in base for c in m.columns),
            fix=f"Filter all rows by {texts} before counting."
            if is_base
            else f"Count {texts} inside the aggregate, over all other rows.",
            expected_fragment=texts,
            actual_fragment=" AND ".join(t.text for m, t in taken if m in base),
            covers=tables_of(c for m, _ in taken for c in m.columns),
        )
    )


def _rows_for_groups(differ: Differ, left: list[Predicate], right: list[Predicate]) -> None:
    """A condition on groups (HAVING) that was put on rows (WHERE), or the reverse."""
    for mine, theirs in _pairs(left, right):
        is_moved = {mine.place, theirs.place} == {"rows", "groups"}
        shared = set(mine.columns) & set(theirs.columns) or mine.values == theirs.values
        if is_moved and shared and mine.values and _take(left, right, mine, theirs):
            rule = "condition_on_rows" if mine.place == "groups" else "condition_on_groups"
            fix = f"Use {'HAVING' if mine.place == 'groups' else 'WHERE'} {mine.text}."
            _pair_finding(differ, rule, mine, theirs, fix)


def _key_literals(differ: Differ, left: list[Predicate], right: list[Predicate]) -> None:
    """A key value written out instead of the name that it stands for."""
    for mine, theirs in _pairs(left, right):
        if _key_for_name(differ, mine, theirs) and _take(left, right, mine, theirs):
            fix = f"Filter {mine.text} through the join; do not guess the key {theirs.text}."
            # A key that the answerer knew may well be right: only guessed numbers are suspect.
            is_weak = is_text(theirs.values[0])
            _pair_finding(differ, "key_value_guessed", mine, theirs, fix, is_weak=is_weak)


def _key_for_name(differ: Differ, mine: Predicate, theirs: Predicate) -> bool:
    column, key = mine.left.column, theirs.left.column
    if not column or not key or mine.operator != "=" or theirs.operator != "=":
        return False
    if theirs.right is not None or mine.right is not None or not theirs.values:
        return False
    table, state = column.rpartition(".")[0], differ.catalog.column(key)
    if state is None or folded(mine.values[0]) == folded(theirs.values[0]):
        return False
    is_own_key = state.is_primary_key and key.rpartition(".")[0] == table
    refers = (state.references or "").rpartition(".")[0].lower() == table.lower()
    return column != key and (is_own_key or refers)


def _other_column(differ: Differ, left: list[Predicate], right: list[Predicate]) -> None:
    """The right value on another column."""
    for mine, theirs in _pairs(left, right):
        is_same_value = (
            bool(mine.values)
            and {folded(v) for v in mine.values} == {folded(v.strip("'%")) for v in theirs.values}
            and _same_kind_of_place(mine, theirs)
            and not mine.left.aggregates
        )
        if is_same_value and _take(left, right, mine, theirs):
            _column_finding(differ, mine, theirs)


def _column_finding(differ: Differ, mine: Predicate, theirs: Predicate) -> None:
    fix = f"Filter {mine.text}, not {theirs.left.text}."
    differ.add(
        Finding(
            rule="filter_column_wrong",
            blame=differ.column_blame(mine.columns),
            fix=fix,
            expected_fragment=mine.left.text if mine.values == theirs.values else mine.text,
            actual_fragment=theirs.left.text if mine.values == theirs.values else theirs.text,
            expected_value=mine.left.text,
            actual_value=theirs.left.text,
            covers=tables_of(mine.columns),
        )
    )


def _replaced(differ: Differ, left: list[Predicate], right: list[Predicate]) -> None:
    """A condition that stands where another was expected: the only two left in their place."""
    for mine, theirs in _pairs(left, right):
        both = mine.operator in EQUALITIES and theirs.operator in EQUALITIES
        same_place = _same_kind_of_place(mine, theirs) and mine.right is None
        is_text_pair = bool(theirs.values) and all(map(is_text, (*mine.values, *theirs.values)))
        asked = [v for v in theirs.values if contains_value(differ.question, unquoted(v))]
        if both and same_place and is_text_pair and asked and _take(left, right, mine, theirs):
            _column_finding(differ, mine, theirs)


_STEPS = (
    _exclusions,
    _set_logic,
    _same_term,
    _share_base,
    _rows_for_groups,
    _other_column,
    _key_literals,
    _replaced,
)


def _leftovers(differ: Differ, left: list[Predicate], right: list[Predicate]) -> None:
    for predicate in left:
        is_temporal = any(_is_temporal(differ, column) for column in predicate.columns)
        differ.add(
            Finding(
                rule="temporal_filter_missing" if is_temporal else "filter_missing",
                blame=_filter_blame(differ, predicate),
                fix=f"Add the condition {predicate.text}{_where(predicate)}.",
                expected_fragment=predicate.text,
                expected_value=values_text(predicate),
                covers=tables_of(predicate.columns),
            )
        )
    for predicate in right:
        is_harmless = predicate.operator == "IS_NOT_NULL" or predicate.place == "conditional"
        differ.add(
            Finding(
                rule="filter_not_asked",
                blame=_filter_blame(differ, predicate),
                fix=f"Leave out the condition {predicate.text}.",
                actual_fragment=predicate.text,
                actual_value=values_text(predicate),
                is_weak=is_harmless,
                covers=frozenset(),
            )
        )


def _filter_blame(differ: Differ, predicate: Predicate) -> tuple[str, ...]:
    if predicate.columns:
        return differ.column_blame(predicate.columns)
    return differ.counted_blame(differ.expected)


def _where(predicate: Predicate) -> str:
    return {"groups": " on groups (HAVING)", "compared": " in the subquery"}.get(
        predicate.place, ""
    )


def _is_temporal(differ: Differ, column: str) -> bool:
    return differ.catalog.is_date(column) or is_temporal_name(column.rpartition(".")[2])


def is_row_term(term: Term) -> bool:
    """Whether a term is computed row by row."""
    return not term.aggregates and not re.match(r"\(?SELECT", term.text)
