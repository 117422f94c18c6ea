"""Differences between orders, limits and superlatives of two queries."""

from __future__ import annotations

from transforms.findings import Differ, Finding, tables_of
from transforms.shape_model import Ordering, Superlative, Term


def diff_ranking(differ: Differ) -> None:
    """Adds findings for rows that are ranked, cut or ordered differently."""
    left = list(differ.expected.superlatives)
    right = list(differ.produced.superlatives)
    for mine in list(left):
        twin = next((r for r in right if r.same(mine)), None)
        if twin is not None:
            left.remove(mine)
            right.remove(twin)
            _same_ranking(differ, mine, twin)
    for mine, theirs in list(zip(left, right, strict=False)):
        left.remove(mine)
        right.remove(theirs)
        if mine.term.same(theirs.term):
            _other_groups(differ, mine, theirs)
            continue
        _add(
            differ,
            "ranking_column_wrong" if _is_plain(mine) and _is_plain(theirs) else "ranking_wrong",
            mine.term,
            f"Rank with {mine.text}.",
            mine.text if not mine.term.column or not theirs.term.column else mine.term.text,
            theirs.text if not mine.term.column or not theirs.term.column else theirs.term.text,
        )
    for mine in left:
        _missing_ranking(differ, mine)
    for theirs in right:
        if _gives_extreme(differ, theirs):
            continue
        is_same_result = differ.evidence.is_produced_within_expected
        differ.add(
            Finding(
                rule="ranking_not_asked",
                blame=differ.term_blame(theirs.term, differ.produced),
                fix=f"Leave out {theirs.text}.",
                actual_fragment=theirs.text,
                is_weak=not is_same_result and bool(differ.findings),
            )
        )
    _limits(differ)
    if differ.is_ordered:
        _orders(differ)


def _gives_extreme(differ: Differ, ranking: Superlative) -> bool:
    """Whether the first row is taken for the MAX or MIN that the expected query puts out."""
    extreme = "MAX(" if ranking.is_descending else "MIN("
    return (
        ranking.count == 1
        and any(
            term.pieces == (extreme, ")") and term.uses == ranking.term.uses
            for term in differ.expected.outputs
        )
        and any(term.same(ranking.term) for term in differ.produced.outputs)
    )


def _is_plain(ranking: Superlative) -> bool:
    return not ranking.term.aggregates


def _add(
    differ: Differ,
    rule: str,
    term: Term,
    fix: str,
    expected: str | None,
    actual: str | None,
    *,
    is_weak: bool = False,
) -> None:
    differ.add(
        Finding(
            rule=rule,
            blame=differ.term_blame(term, differ.expected),
            fix=fix,
            expected_fragment=expected,
            actual_fragment=actual,
            is_weak=is_weak,
            covers=tables_of(term.columns),
        )
    )


def _same_ranking(differ: Differ, mine: Superlative, theirs: Superlative) -> None:
    if mine.is_descending != theirs.is_descending:
        _add(
            differ,
            "ranking_direction_wrong",
            mine.term,
            f"Rank with {mine.text}.",
            mine.text,
            theirs.text,
        )
    elif not mine.key.same(theirs.key):
        _add(
            differ,
            "ranking_wrong",
            mine.term,
            f"Rank with {mine.text}.",
            mine.text,
            theirs.text,
            is_weak=True,
        )
    if mine.count != theirs.count:
        _limit(differ, mine.count, theirs.count)
    elif mine.skip != theirs.skip:
        _skip(differ, mine, theirs)
    _population(differ, mine, theirs)
    if mine.keeps_ties != theirs.keeps_ties:
        rule = "ties_cut" if mine.keeps_ties else "ties_kept"
        fix = "Keep all rows that tie." if mine.keeps_ties else f"Keep {mine.count} row(s) only."
        _add(differ, rule, mine.term, fix, mine.text, theirs.text, is_weak=True)


def _skip(differ: Differ, mine: Superlative, theirs: Superlative) -> None:
    differ.add(
        Finding(
            rule="limit_wrong",
            blame=differ.space_blame(),
            fix=f"Leave out the first {mine.skip} row(s): OFFSET {mine.skip}.",
            expected_fragment=mine.text,
            actual_fragment=theirs.text,
        )
    )


def _other_groups(differ: Differ, mine: Superlative, theirs: Superlative) -> None:
    """The right ranking over all rows instead of within each group, or within other groups."""
    keys = mine.partition or theirs.partition
    within = ", ".join(term.text for term in mine.partition)
    differ.add(
        Finding(
            rule="ranking_wrong",
            blame=differ.column_blame(name for key in keys for name in key.columns),
            fix=f"Rank within each {within}." if within else "Rank all rows together.",
            expected_fragment=mine.text,
            actual_fragment=theirs.text,
            covers=tables_of(name for key in keys for name in key.columns),
        )
    )


def _population(differ: Differ, mine: Superlative, theirs: Superlative) -> None:
    """Conditions under which the extreme value should have been looked for, and was not."""
    if theirs.population is None:
        return
    rows = [p for p in differ.expected.predicates if p.place == "rows"]
    wanted = rows if mine.population is None else mine.population
    for predicate in wanted:
        if any(predicate.same(p, is_place_strict=False) for p in theirs.population):
            continue
        kin = next((p for p in theirs.population if p.left.same(predicate.left)), None)
        if kin is not None or not any(
            predicate.same(p, is_place_strict=False) for p in differ.produced.predicates
        ):
            continue  # explained as a filter already
        differ.add(
            Finding(
                rule="ranked_over_all_rows",
                blame=differ.column_blame(predicate.columns),
                fix=f"Look for the extreme value where {predicate.text}.",
                expected_fragment=predicate.text,
                actual_fragment=theirs.text,
                covers=tables_of(predicate.columns),
            )
        )


def _missing_ranking(differ: Differ, mine: Superlative) -> None:
    ordered = next((k for k in differ.produced.order_by if k.term.same(mine.term)), None)
    if ordered is not None and ordered.is_descending == mine.is_descending:
        _limit(differ, mine.count, None)
        return
    extreme = "MAX" if mine.is_descending else "MIN"
    shown = next(
        (t for t in differ.produced.outputs for a in t.aggregates if a.function == extreme), None
    )
    actual = shown.text if shown else ordered.text if ordered else None
    _add(differ, "ranking_missing", mine.term, f"Rank with {mine.text}.", mine.text, actual)


def _limits(differ: Differ) -> None:
    wanted, given = differ.expected.limit, differ.produced.limit
    if wanted is not None and wanted != given and not differ.produced.superlatives:
        _limit(differ, wanted, given)
    elif wanted is None and given is not None and not differ.expected.superlatives:
        differ.add(
            Finding(
                rule="limit_not_asked",
                blame=differ.space_blame(),
                fix=f"Leave out LIMIT {given}: every row is asked for.",
                actual_fragment=f"LIMIT {given}",
                actual_value=str(given),
            )
        )


def _limit(differ: Differ, wanted: int, given: int | None) -> None:
    differ.add(
        Finding(
            rule="limit_missing" if given is None else "limit_wrong",
            blame=differ.space_blame(),
            fix=f"Return {wanted} row(s): LIMIT {wanted}.",
            expected_fragment=f"LIMIT {wanted}",
            actual_fragment=None if given is None else f"LIMIT {given}",
            expected_value=str(wanted),
            actual_value=None if given is None else str(given),
        )
    )


def _orders(differ: Differ) -> None:
    wanted, given = differ.expected.order_by, differ.produced.order_by
    if not wanted or differ.expected.superlatives:
        return
    for index, key in enumerate(wanted):
        other = given[index] if index < len(given) else None
        if other is not None and other.term.same(key.term):
            if other.is_descending != key.is_descending:
                _order(differ, "order_direction_wrong", key, other)
                return
            if not other.same(key):
                _order(differ, "order_wrong", key, other)
                return
            continue
        _order(differ, "order_missing" if other is None else "order_wrong", key, other)
        return


def _order(differ: Differ, rule: str, key: Ordering, other: Ordering | None) -> None:
    fix = f"ORDER BY {key.text}."
    is_weak = not differ.evidence.is_order_only
    actual = other.text if other else None
    _add(differ, rule, key.term, fix, key.text, actual, is_weak=is_weak)
