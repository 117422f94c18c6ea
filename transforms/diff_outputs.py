"""Differences between what two queries put out: columns, aggregates, calculations."""

from __future__ import annotations

from dataclasses import replace

from transforms.diff_rows import extra_columns, missing_output, star_finding
from transforms.findings import Differ, Finding, tables_of
from transforms.question_words import name_words, stem, stems, words
from transforms.shape_model import Aggregate, Term
from transforms.term_parts import differs_by_factor

_NAMES = ("name", "names", "title", "titles")


def diff_outputs(differ: Differ) -> None:
    """Adds findings for outputs that are missing, too many, or computed differently."""
    left, right = list(differ.expected.outputs), list(differ.produced.outputs)
    if differ.expected.has_star and not differ.produced.has_star:
        differ.add(replace(star_finding(differ), is_weak=True))
        return
    for mine in list(left):
        twin = next((other for other in right if mine.same(other)), None)
        if twin is not None:
            left.remove(mine)
            right.remove(twin)
            _count_argument(differ, mine, twin)
    if differ.produced.has_star and not left:
        if right:
            extra_columns(differ, tuple(differ.produced.outputs.index(t) for t in right))
        return
    _drop_extremes(differ, left, right)
    together = {name for term in right if not term.column for name in term.columns}
    for mine, theirs in _best_pairs(left, right):
        left.remove(mine)
        right.remove(theirs)
        _explain_output(differ, mine, theirs)
    for term in left:
        if not term.column or term.column not in together:
            differ.add(missing_output(differ, term))
    if right and not left:
        extra_columns(differ, tuple(differ.produced.outputs.index(t) for t in right))


def _drop_extremes(differ: Differ, left: list[Term], right: list[Term]) -> None:
    """The column that the first row is ranked by is its MAX or MIN."""
    for ranking in differ.produced.superlatives:
        extreme = "MAX(" if ranking.is_descending else "MIN("
        mine = next(
            (t for t in left if t.pieces == (extreme, ")") and t.uses == ranking.term.uses), None
        )
        theirs = next((t for t in right if t.same(ranking.term)), None)
        if mine is not None and theirs is not None and ranking.count == 1:
            left.remove(mine)
            right.remove(theirs)


def _best_pairs(left: list[Term], right: list[Term]) -> list[tuple[Term, Term]]:
    """Outputs of both sides that stand for the same thing: most in common first."""
    scored = sorted(
        (
            (-_likeness(mine, theirs), i, j)
            for i, mine in enumerate(left)
            for j, theirs in enumerate(right)
        ),
    )
    pairs, used_left, used_right = [], set(), set()
    for _, i, j in scored:
        if i not in used_left and j not in used_right:
            pairs.append((left[i], right[j]))
            used_left.add(i)
            used_right.add(j)
    return pairs


def _likeness(mine: Term, theirs: Term) -> int:
    shared = len(set(mine.columns) & set(theirs.columns))
    same_kind = bool(mine.aggregates) == bool(theirs.aggregates)
    same_function = {a.function for a in mine.aggregates} & {a.function for a in theirs.aggregates}
    return 4 * shared + 2 * same_kind + len(same_function) + (mine.is_window == theirs.is_window)


def output_pair(
    differ: Differ,
    rule: str,
    mine: Term,
    theirs: Term,
    fix: str,
    *,
    is_weak: bool = False,
    blame: tuple[str, ...] | None = None,
) -> None:
    differ.add(
        Finding(
            rule=rule,
            blame=blame or differ.term_blame(mine, differ.expected),
            fix=fix,
            expected_fragment=mine.text,
            actual_fragment=theirs.text,
            is_weak=is_weak,
            covers=tables_of(mine.columns),
        )
    )


def _count_argument(differ: Differ, mine: Term, theirs: Term) -> None:
    """COUNT(x) leaves out NULLs where COUNT(*) does not."""
    for wanted, given in zip(mine.aggregates, theirs.aggregates, strict=False):
        columns = [a.argument.column if a.argument else None for a in (wanted, given)]
        is_plain = wanted.function == given.function == "COUNT" and not wanted.is_distinct
        if not is_plain or columns[0] == columns[1]:
            continue
        shapes = differ.expected, differ.produced
        nullable = [
            c
            for c, shape in zip(columns, shapes, strict=True)
            if c and not _is_key(differ, c) and not any(c in group for group in shape.equalities)
        ]
        if nullable:
            blame = differ.column_blame(nullable)
            fix = f"Count {mine.text}: NULLs count differently."
            output_pair(
                differ, "nulls_counted_differently", mine, theirs, fix, is_weak=True, blame=blame
            )


def _is_key(differ: Differ, column: str) -> bool:
    state = differ.catalog.column(column)
    return state is not None and state.is_primary_key


def _explain_output(differ: Differ, mine: Term, theirs: Term) -> None:
    if mine.is_window and theirs.is_window and _is_reversed(mine, theirs):
        output_pair(differ, "ranking_direction_wrong", mine, theirs, f"Return {mine.text}.")
    elif mine.is_window != theirs.is_window:
        if mine.is_window:
            output_pair(differ, "rank_missing", mine, theirs, f"Return {mine.text}.")
        else:
            output_pair(differ, "output_column_wrong", mine, theirs, f"Return {mine.text}.")
    elif mine.measures or theirs.measures:
        rule = "measure_wrong" if theirs.measures else "measure_not_used"
        if not mine.measures:
            rule = "measure_not_asked"
        output_pair(differ, rule, mine, theirs, f"Return {mine.text}.")
    elif not mine.aggregates and not theirs.aggregates:
        _explain_column(differ, mine, theirs)
    elif mine.aggregates and not theirs.aggregates:
        output_pair(differ, "aggregate_missing", mine, theirs, f"Aggregate: return {mine.text}.")
    elif theirs.aggregates and not mine.aggregates:
        output_pair(
            differ, "aggregate_not_asked", mine, theirs, f"Do not aggregate: return {mine.text}."
        )
    else:
        _explain_aggregate(differ, mine, theirs)


def _is_reversed(mine: Term, theirs: Term) -> bool:
    """Whether two window functions differ in nothing but the direction of their order."""
    if mine.window is None or theirs.window is None:
        return False
    turned = tuple((key, not descends) for key, descends in theirs.window.order)
    return bool(turned) and mine.window == replace(theirs.window, order=turned)


def _explain_column(differ: Differ, mine: Term, theirs: Term) -> None:
    fix = f"Return {mine.text}, not {theirs.text}."
    if mine.column and theirs.column:
        rule = "output_column_wrong"
        if differ.catalog.is_same_key(mine.column, theirs.column):
            _key_elsewhere(differ, mine, theirs)
            return
        if _names_of_key(differ, mine.column, theirs.column):
            rule = "name_instead_of_key"
        elif _names_of_key(differ, theirs.column, mine.column):
            rule = "key_instead_of_name"
        output_pair(differ, rule, mine, theirs, fix)
    else:
        _explain_calculation(differ, mine, theirs)


def _key_elsewhere(differ: Differ, mine: Term, theirs: Term) -> None:
    """The same key from another table: the result lacks, or adds, things without a row there."""
    table = mine.uses[0].table
    fix = f"Return {mine.text} instead of {theirs.text}: only things with a row in {table} count."
    output_pair(differ, "key_of_other_table", mine, theirs, fix, blame=(f"table:{table}",))


def _names_of_key(differ: Differ, key: str, name: str) -> bool:
    """Whether ``name`` names the things of the table that the key column refers to (or is key of).

    No key or reference does, and no text that is not called a name: an order's customer and its
    status are not the order.
    """
    state, table = differ.catalog.column(key), name.rpartition(".")[0].lower()
    if state is None or not _is_name(differ, name):
        return False
    if state.references:
        return state.references.rpartition(".")[0].lower() == table
    return state.is_primary_key and key.rpartition(".")[0].lower() == table


def _is_name(differ: Differ, name: str) -> bool:
    """Whether a text column is called a name or a title, or as its table is."""
    column = differ.catalog.column(name)
    if column is None or column.is_primary_key or column.references:
        return False
    if not column.data_type.lower().startswith(("string", "varchar", "char")):
        return False
    own = name_words(column.name)
    said = words(differ.catalog.comment(name) or "")
    table = stems(name.split(".")[-2])
    is_called_name = any(word.endswith(_NAMES) for word in (*own, *said))
    return is_called_name or frozenset(map(stem, own)) <= table


def _explain_aggregate(differ: Differ, mine: Term, theirs: Term) -> None:
    if len(mine.aggregates) != 1 or len(theirs.aggregates) != 1:
        _explain_calculation(differ, mine, theirs)
        return
    wanted, given = mine.aggregates[0], theirs.aggregates[0]
    same_argument = _same_argument(wanted, given)
    is_same_function = (wanted.function, wanted.is_distinct) == (given.function, given.is_distinct)
    if is_same_function and not same_argument and mine.columns != theirs.columns:
        _aggregated_column(differ, mine, theirs)
    elif mine.is_aggregate != theirs.is_aggregate:
        _explain_calculation(differ, mine, theirs)
    elif wanted.function != given.function:
        output_pair(differ, "aggregate_function_wrong", mine, theirs, f"Use {mine.text}.")
    elif wanted.is_distinct != given.is_distinct:
        rule = "distinct_missing" if wanted.is_distinct else "distinct_not_asked"
        blame = _distinct_blame(differ, wanted, given)
        output_pair(differ, rule, mine, theirs, f"Use {mine.text}.", is_weak=True, blame=blame)
    else:
        _explain_calculation(differ, mine, theirs)


def _aggregated_column(differ: Differ, mine: Term, theirs: Term) -> None:
    wanted, given = mine.aggregates[0].argument, theirs.aggregates[0].argument
    columns = [term.columns if term else () for term in (wanted, given)]
    is_plain = len(columns[0]) == len(columns[1]) == 1
    differ.add(
        Finding(
            rule="aggregated_column_wrong",
            blame=differ.term_blame(mine, differ.expected),
            fix=f"Use {mine.text}, not {theirs.text}.",
            expected_fragment=columns[0][0] if is_plain else mine.text,
            actual_fragment=columns[1][0] if is_plain else theirs.text,
            expected_value=mine.text,
            actual_value=theirs.text,
            is_weak=is_same_thing(differ, wanted, given),
            covers=tables_of(mine.columns),
        )
    )


def is_same_thing(differ: Differ, mine: Term | None, theirs: Term | None) -> bool:
    """Whether both are a thing's key, or one its key and the other its name."""
    if mine is None or theirs is None or not mine.column or not theirs.column:
        return False
    return (
        differ.catalog.is_same_key(mine.column, theirs.column)
        or _names_of_key(differ, mine.column, theirs.column)
        or _names_of_key(differ, theirs.column, mine.column)
    )


def _distinct_blame(differ: Differ, wanted: Aggregate, given: Aggregate) -> tuple[str, ...] | None:
    counted = wanted.argument if wanted.is_distinct else given.argument
    return differ.column_blame(counted.columns) if counted else None


def _same_argument(wanted: Aggregate, given: Aggregate) -> bool:
    if wanted.argument is None or given.argument is None:
        return wanted.argument is given.argument
    return wanted.argument.same(given.argument)


def _explain_calculation(differ: Differ, mine: Term, theirs: Term) -> None:
    fix = f"Return {mine.text}, not {theirs.text}."
    if differs_by_factor(mine, theirs):
        is_share = len(mine.aggregates) > 1
        blame = differ.space_blame() if is_share else None
        rule = "scale_wrong" if is_share else "unit_not_converted"
        output_pair(differ, rule, mine, theirs, fix, blame=blame)
    elif mine.pieces == theirs.pieces and not mine.aggregates and mine.columns != theirs.columns:
        columns = [m.name for m, t in zip(mine.uses, theirs.uses, strict=True) if m.name != t.name]
        output_pair(
            differ, "output_column_wrong", mine, theirs, fix, blame=differ.column_blame(columns)
        )
    else:
        output_pair(differ, "calculation_wrong", mine, theirs, fix)
