"""Differences between the conditions of two queries, paired so that each has one explanation."""

from __future__ import annotations

from decimal import Decimal, InvalidOperation

from transforms.condition_match import (
    WHERE_PLACES,
    Unmatched,
    pair_finding,
    same_kind_of_place,
    unmatched,
)
from transforms.diff_exclusions import diff_exclusions, diff_set_logic
from transforms.findings import Differ, Finding, folded, is_text, tables_of, unquoted, values_text
from transforms.question_words import contains_value, is_temporal_name
from transforms.shape_model import Predicate
from transforms.term_parts import differs_by_factor

EQUALITIES = {"=", "IN", "LIKE"}
ORDERS = {">", ">=", "<", "<="}


def diff_filters(differ: Differ) -> None:
    """Adds a finding for every condition that is missing, replaced or too many."""
    rest = unmatched(differ)
    if rest.has_swapped_slots and not rest.left and not rest.right:
        _ratio_inverted(differ)
    diff_set_logic(differ, rest)
    _same_term(differ, rest)
    _other_column(differ, rest)
    diff_exclusions(differ, rest)
    _share_base(differ, rest)
    _rows_for_groups(differ, rest)
    _alternatives(differ, rest)
    _keys(differ, rest)
    _replaced(differ, rest)
    _said_again(differ, rest)
    _leftovers(differ, rest)


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


def _same_term(differ: Differ, rest: Unmatched) -> None:
    """The right column, with another value or operator."""
    candidates = [
        (mine, theirs)
        for mine, theirs in rest.pairs()
        if mine.left.same(theirs.left)
        and same_kind_of_place(mine, theirs)
        and not mine.parts
        and not theirs.parts
    ]
    candidates.sort(key=lambda pair: pair[0].operator != pair[1].operator)
    for mine, theirs in candidates:
        if rest.take(mine, theirs):
            _explain_same_term(differ, mine, theirs)


def _explain_same_term(differ: Differ, mine: Predicate, theirs: Predicate) -> None:
    operators = mine.operator, theirs.operator
    columns = None
    fix = f"Filter {mine.text}."
    if mine.right is not None and theirs.right is not None:
        rule, fix, columns = _compared_rule(mine, theirs)
    elif set(operators) <= {"=", "IN"} and mine.values and theirs.values:
        rule, fix = _literal_rule(differ, mine, theirs)
    elif theirs.operator == "IS_NULL" and mine.operator in EQUALITIES:
        rule = "null_instead_of_value"
        fix = f"Filter {mine.text}: a stored value stands for none, not NULL."
    elif mine.operator == "IS_NULL":
        rule = "value_instead_of_null"
    elif operators == ("=", "LIKE"):
        rule = "pattern_instead_of_value"
        fix = f"Filter {mine.text}: the value itself, not a pattern that others match too."
    elif operators == ("<>", "NOT_LIKE"):
        rule = "pattern_instead_of_value"
        fix = f"Filter {mine.text}: the value itself, not a pattern that others match too."
    elif operators in {("LIKE", "="), ("NOT_LIKE", "<>")}:
        rule = "value_instead_of_pattern"
    elif set(operators) <= ORDERS and _is_next_to(mine, theirs):
        rule = "boundary_wrong"
    elif operators[0] == operators[1]:
        rule = "literal_wrong"
    else:
        rule = "operator_wrong"
    pair_finding(differ, rule, mine, theirs, fix, columns=columns)


def _compared_rule(mine: Predicate, theirs: Predicate) -> tuple[str, str, tuple[str, ...] | None]:
    """For two comparisons with computed values: another value, or another comparison."""
    wanted, given = mine.right, theirs.right
    if wanted is None or given is None or not wanted.same(given):
        columns = wanted.columns if wanted else ()
        return "compared_value_wrong", f"Compare with {values_text(mine)}.", columns or None
    is_bound = {mine.operator, theirs.operator} <= ORDERS
    is_same_way = is_bound and mine.operator[0] == theirs.operator[0]
    return "boundary_wrong" if is_same_way else "operator_wrong", f"Filter {mine.text}.", None


def _literal_rule(differ: Differ, mine: Predicate, theirs: Predicate) -> tuple[str, str]:
    column = mine.left.column or (mine.columns[0] if mine.columns else "")
    fix = f"Filter {mine.text}."
    for literal in theirs.values:
        if literal in mine.values:
            continue
        given = unquoted(literal)
        near = differ.values.nearest(column, given)
        meant = [v for v in mine.values if folded(v) == folded(given) or unquoted(v) == near]
        if meant:
            return "literal_spelled_differently", f"{fix} The data spells it {meant[0]}."
        if is_text(literal) and not _is_present(differ, column, given):
            return "literal_not_in_column", f"{fix} The column does not hold {literal}."
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
        return bool(mine.values) and mine.values == theirs.values
    return wanted == given or (mine.operator == theirs.operator and abs(wanted - given) == 1)


def _share_base(differ: Differ, rest: Unmatched) -> None:
    """A condition on all rows that stands inside an aggregate, or the reverse."""
    moved = [
        (mine, theirs)
        for mine, theirs in rest.pairs()
        if {mine.place, theirs.place} == {"rows", "conditional"}
        and (mine.same(theirs, is_place_strict=False) or _key_for_name(differ, mine, theirs))
    ]
    taken = [(mine, theirs) for mine, theirs in moved if rest.take(mine, theirs)]
    divides_by_all = any(term.has_subquery for term in differ.expected.outputs)
    if divides_by_all:  # a condition on all rows is one on the numerator then, and not the reverse
        taken = [pair for pair in taken if pair[0].place == "conditional"]
    if not taken:
        return
    base = [pair for pair in taken if pair[0].place == "rows"] or taken
    texts = " AND ".join(mine.text for mine, _ in base)
    is_base = base[0][0].place == "rows"
    differ.add(
        Finding(
            rule="share_of_other_rows",
            blame=differ.column_blame(c for mine, _ in base for c in mine.columns),
            fix=f"Filter all rows by {texts} before counting."
            if is_base
            else f"Count {texts} inside the aggregate, over all other rows.",
            expected_fragment=texts,
            actual_fragment=" AND ".join(theirs.text for _, theirs in base),
            covers=tables_of(c for mine, _ in taken for c in mine.columns),
        )
    )


def _rows_for_groups(differ: Differ, rest: Unmatched) -> None:
    """A condition on groups (HAVING) that was put on rows (WHERE), or the reverse."""
    for mine, theirs in rest.pairs():
        if {mine.place, theirs.place} == {"groups"} and mine.columns == theirs.columns:
            if rest.take(mine, theirs):
                fix = f"Use HAVING {mine.text}."
                pair_finding(differ, "aggregate_function_wrong", mine, theirs, fix)
            continue
        is_moved = {mine.place, theirs.place} == {"rows", "groups"}
        same_value = bool(mine.values) and mine.values == theirs.values
        same_term = bool(mine.right and theirs.right and mine.right.same(theirs.right))
        is_same = same_value or same_term or bool(set(mine.columns) & set(theirs.columns))
        if is_moved and is_same and rest.take(mine, theirs):
            is_group = mine.place == "groups"
            rule = "condition_on_rows" if is_group else "condition_on_groups"
            fix = f"Use {'HAVING' if is_group else 'WHERE'} {mine.text}."
            pair_finding(differ, rule, mine, theirs, fix)


def _alternatives(differ: Differ, rest: Unmatched) -> None:
    """Alternatives (OR) on the right column, one of them on another, or put together otherwise."""
    for mine, theirs in rest.pairs():
        is_near = bool(set(mine.columns) & set(theirs.columns)) and (mine.parts or theirs.parts)
        if not is_near or not same_kind_of_place(mine, theirs) or not rest.take(mine, theirs):
            continue
        strays = [
            part
            for part in theirs.parts
            if set(part.values) & set(mine.values) and not part.left.same(mine.left)
        ]
        if strays:
            _column_finding(differ, mine, strays[0])
        else:
            pair_finding(differ, "operator_wrong", mine, theirs, f"Filter {mine.text}.")


def _said_again(differ: Differ, rest: Unmatched) -> None:
    """A condition that the answer has twice, once as expected and once with another value."""
    for theirs in list(rest.right):
        mine = next((p for p in differ.expected.predicates if _is_variant(differ, p, theirs)), None)
        if mine is not None:
            rest.right.remove(theirs)
            _explain_same_term(differ, mine, theirs)


def _is_variant(differ: Differ, mine: Predicate, theirs: Predicate) -> bool:
    both = mine.operator == "=" and theirs.operator in {"=", "<>"} and bool(mine.values)
    if not both or not theirs.values or not mine.left.same(theirs.left) or mine.right:
        return False
    if folded(mine.values[0]) == folded(theirs.values[0]):
        return mine.operator != theirs.operator or mine.values != theirs.values
    is_unknown = not _is_present(differ, mine.left.text, unquoted(theirs.values[0]))
    return theirs.operator == "=" and is_text(theirs.values[0]) and is_unknown


def _keys(differ: Differ, rest: Unmatched) -> None:
    """A key compared with a written value, or with NULL, instead of the name it stands for."""
    for mine, theirs in rest.pairs():
        if _null_for_name(differ, mine, theirs) and rest.take(mine, theirs):
            fix = f"Filter {mine.text}: a stored value stands for none, not NULL."
            pair_finding(differ, "null_instead_of_value", mine, theirs, fix)
        elif _key_for_name(differ, mine, theirs) and rest.take(mine, theirs):
            fix = f"Filter {mine.text} through the join; do not guess the key {theirs.text}."
            # A key in words may well be known; a bare number is guessed.
            is_weak = is_text(theirs.values[0])
            pair_finding(differ, "key_value_guessed", mine, theirs, fix, is_weak=is_weak)


def _key_for_name(differ: Differ, mine: Predicate, theirs: Predicate) -> bool:
    is_literal = mine.operator == theirs.operator == "=" and mine.values and theirs.values
    is_other = is_literal and folded(mine.values[0]) != folded(theirs.values[0])
    return bool(is_other) and _is_key_of(differ, mine, theirs)


def _null_for_name(differ: Differ, mine: Predicate, theirs: Predicate) -> bool:
    is_null = theirs.operator == "IS_NULL" and mine.operator in EQUALITIES
    return is_null and _is_key_of(differ, mine, theirs)


def _is_key_of(differ: Differ, mine: Predicate, theirs: Predicate) -> bool:
    """Whether their column is a key of, or refers to, the table of my column."""
    column, key = mine.left.column, theirs.left.column
    state = differ.catalog.column(key) if key else None
    if not column or not key or state is None or column == key:
        return False
    table = column.rpartition(".")[0].lower()
    is_own_key = state.is_primary_key and key.rpartition(".")[0].lower() == table
    return is_own_key or (state.references or "").rpartition(".")[0].lower() == table


def _other_column(differ: Differ, rest: Unmatched) -> None:
    """The right value on another column."""
    for mine, theirs in rest.pairs():
        is_same_value = (
            bool(mine.values)
            and {folded(v) for v in mine.values} == {folded(v.strip("'%")) for v in theirs.values}
            and same_kind_of_place(mine, theirs)
            and not mine.left.aggregates
        )
        if is_same_value and rest.take(mine, theirs):
            if mine.left.columns == theirs.left.columns:
                _calculation(differ, mine, theirs)
            else:
                _column_finding(differ, mine, theirs)


def _calculation(differ: Differ, mine: Predicate, theirs: Predicate) -> None:
    """The right column, calculated with in another way before it is compared."""
    is_unit = differs_by_factor(mine.left, theirs.left)
    rule = "unit_not_converted" if is_unit else "operator_wrong"
    pair_finding(differ, rule, mine, theirs, f"Filter {mine.text}.")


def _column_finding(differ: Differ, mine: Predicate, theirs: Predicate) -> None:
    same_value = mine.values == theirs.values and mine.operator == theirs.operator
    sides = mine.left.columns, theirs.left.columns
    is_field = any("." in piece for term in (mine.left, theirs.left) for piece in term.pieces)
    is_plain = same_value and len(sides[0]) == len(sides[1]) == 1 and not is_field
    differ.add(
        Finding(
            rule="filter_column_wrong",
            blame=differ.column_blame(mine.columns),
            fix=f"Filter {mine.text}, not {theirs.left.text}.",
            expected_fragment=sides[0][0] if is_plain else mine.text,
            actual_fragment=sides[1][0] if is_plain else theirs.text,
            expected_value=mine.text,
            actual_value=theirs.text,
            expected_literals=mine.literals,
            actual_literals=theirs.literals,
            covers=tables_of(mine.columns),
        )
    )


def _replaced(differ: Differ, rest: Unmatched) -> None:
    """A word of the question looked for in another column than the one that stands for it."""
    for mine, theirs in rest.pairs():
        is_text_pair = (
            mine.operator in EQUALITIES
            and theirs.operator in EQUALITIES
            and all(map(is_text, (*mine.values, *theirs.values)))
            and same_kind_of_place(mine, theirs)
        )
        asked = [v for v in theirs.values if contains_value(differ.question, unquoted(v))]
        if is_text_pair and asked and rest.take(mine, theirs):
            _column_finding(differ, mine, theirs)


def _leftovers(differ: Differ, rest: Unmatched) -> None:
    for predicate in _outermost(rest.left):
        is_temporal = predicate.operator not in {"IS_NULL", "IS_NOT_NULL"} and any(
            _is_temporal(differ, column) for column in predicate.columns
        )
        differ.add(
            Finding(
                rule="temporal_filter_missing" if is_temporal else "filter_missing",
                blame=_filter_blame(differ, predicate),
                fix=f"Add the condition {predicate.text}{_where(predicate)}.",
                expected_fragment=predicate.text,
                expected_value=values_text(predicate),
                expected_literals=predicate.literals,
                covers=tables_of(predicate.columns),
            )
        )
    for predicate in _outermost(rest.right):
        is_harmless = (
            predicate.operator == "IS_NOT_NULL"
            or predicate.place == "conditional"
            or (predicate.place == "groups" and bool(rest.left))
        )
        differ.add(
            Finding(
                rule="filter_not_asked",
                blame=_filter_blame(differ, predicate),
                fix=f"Leave out the condition {predicate.text}.",
                actual_fragment=predicate.text,
                actual_value=values_text(predicate),
                actual_literals=predicate.literals,
                is_weak=is_harmless,
            )
        )


def _outermost(rest: list[Predicate]) -> list[Predicate]:
    """The conditions without those inside a subquery that another of them compares with."""
    compares = any(p.right is not None and p.right.aggregates for p in rest)
    return [p for p in rest if not (compares and p.place == "compared")]


def _filter_blame(differ: Differ, predicate: Predicate) -> tuple[str, ...]:
    if predicate.columns:
        return differ.column_blame(predicate.columns)
    return differ.counted_blame(differ.expected)


def _where(predicate: Predicate) -> str:
    if predicate.place == "groups":
        return " on groups (HAVING)"
    return " in the subquery" if predicate.place in WHERE_PLACES - {"rows"} else ""


def _is_temporal(differ: Differ, column: str) -> bool:
    return differ.catalog.is_date(column) or is_temporal_name(column.rpartition(".")[2])
