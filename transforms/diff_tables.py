"""Differences between the tables, joins and set operations of two queries."""

from __future__ import annotations

from collections.abc import Iterator

from transforms.findings import Differ, Finding, tables_of
from transforms.shape_model import Edge, Predicate, QueryShape, SetOperation


def diff_roles(differ: Differ) -> None:
    """Adds a finding where the same table is joined by another column: eyes for skin."""
    for edge in differ.expected.edges:
        if edge.kind == "anti" or _is_satisfied(edge, differ.produced):
            continue
        tables = {edge.left.table, edge.right.table}
        if not tables <= differ.produced.tables_set() or len(tables) < 2:
            continue
        other = _rival(edge, differ)
        if other is not None:
            differ.add(_join_finding(differ, "join_column_wrong", edge, other))
        elif _is_second_role(edge, differ):
            differ.add(_join_finding(differ, "join_missing", edge, None))
    _swapped_roles(differ)


def _is_second_role(edge: Edge, differ: Differ) -> bool:
    """Whether the expected query joins the same table by another column too: hair beside eyes."""
    return any(
        other.pair != edge.pair
        and {other.left.table, other.right.table} == {edge.left.table, edge.right.table}
        and (other.left.name == edge.left.name or other.right.name == edge.right.name)
        and _is_satisfied(other, differ.produced)
        for other in differ.expected.edges
    )


def _join_finding(differ: Differ, rule: str, edge: Edge, other: Edge | None) -> Finding:
    return Finding(
        rule=rule,
        blame=differ.join_blame(*edge.pair),
        fix=f"Join on {edge.text}" + (f", not on {other.text}." if other else "."),
        expected_fragment=edge.text,
        actual_fragment=other.text if other else None,
        covers=frozenset({edge.left.table, edge.right.table}),
    )


def _is_satisfied(edge: Edge, shape: QueryShape) -> bool:
    left, right = edge.pair
    if any(edge.pair == other.pair for other in shape.edges):
        return True
    return shape.are_equal(left, right)


def _rival(edge: Edge, differ: Differ) -> Edge | None:
    """A join of the same two tables on other columns, which the expected query does not have."""
    for other in differ.produced.edges:
        same_tables = {edge.left.table, edge.right.table} == {other.left.table, other.right.table}
        if same_tables and not _is_satisfied(other, differ.expected):
            return other
    return None


def _swapped_roles(differ: Differ) -> None:
    """Conditions on the right columns of the wrong instance: blue hair for blue eyes."""
    pairs = {edge.pair for edge in differ.expected.edges}
    if pairs != {edge.pair for edge in differ.produced.edges}:
        return
    for mine, theirs in _role_pairs(differ):
        wanted = mine.left.uses[0]
        edge = next(
            (
                e
                for e in differ.expected.edges
                if wanted.instance in {e.left.instance, e.right.instance}
                and wanted.role & set(e.pair)
            ),
            None,
        )
        if edge is not None:
            differ.add(
                Finding(
                    rule="join_column_wrong",
                    blame=differ.join_blame(*edge.pair),
                    fix=f"Filter {mine.text} on the row joined by {edge.text}.",
                    expected_fragment=edge.text,
                    actual_fragment=theirs.text,
                )
            )
            return


def _role_pairs(differ: Differ) -> Iterator[tuple[Predicate, Predicate]]:
    for mine in differ.expected.predicates:
        if not mine.left.column or len(mine.left.uses) != 1:
            continue
        twins = [p for p in differ.produced.predicates if mine.same(p)]
        strict = [p for p in twins if mine.left.uses[0].role == p.left.uses[0].role]
        if twins and not strict and twins[0].left.uses[0].role:
            yield mine, twins[0]


def diff_joins(differ: Differ) -> None:
    """Adds findings for joins that are missing, and for tables that multiply or lose rows."""
    explained = _explained_tables(differ)
    for edge in differ.expected.edges:
        tables = {edge.left.table, edge.right.table}
        is_there = tables <= differ.produced.tables_set()
        is_self_join = edge.left.name == edge.right.name  # seen in its conditions, if it matters
        if edge.kind == "anti" or _is_satisfied(edge, differ.produced) or not is_there:
            continue
        if is_self_join:
            continue
        if tables & explained or _rival(edge, differ) is not None:
            continue
        if _is_linked(edge, differ):
            continue
        rule = "tables_not_joined" if differ.produced.cross_joined else "join_missing"
        differ.add(_join_finding(differ, rule, edge, None))
    _join_kinds(differ)


def _is_linked(edge: Edge, differ: Differ) -> bool:
    """Whether both sides refer to one key: joined through a third table or directly, the same."""
    roots = []
    for name in edge.pair:
        column = differ.catalog.column(name)
        roots.append((column.references or name).lower() if column else name)
    if roots[0] != roots[1]:
        return False
    for group in differ.produced.equalities:
        tables = tables_of(group)
        if {edge.left.table, edge.right.table} <= tables:
            return True
    return False


def _explained_tables(differ: Differ) -> frozenset[str]:
    return frozenset(table for finding in differ.findings for table in finding.covers)


def _join_kinds(differ: Differ) -> None:
    kinds = {edge.pair: edge.kind for edge in differ.expected.edges}
    for edge in differ.produced.edges:
        wanted = kinds.get(edge.pair)
        if wanted is None or wanted == edge.kind or "anti" in {wanted, edge.kind}:
            continue
        rule = "outer_join_missing" if wanted == "outer" else "outer_join_not_asked"
        kind = "LEFT JOIN" if wanted == "outer" else "INNER JOIN"
        differ.add(
            Finding(
                rule=rule,
                blame=differ.join_blame(*edge.pair),
                fix=f"Use {kind} on {edge.text}.",
                expected_fragment=edge.text,
                actual_fragment=edge.text,
                expected_value=wanted,
                actual_value=edge.kind,
                is_weak=True,
            )
        )


def diff_tables(differ: Differ) -> None:
    """Adds findings for tables that nothing else explains: last, because a column says more."""
    wanted, given = differ.expected.tables_set(), differ.produced.tables_set()
    explained = _explained_tables(differ)
    is_first = not any(not finding.is_weak for finding in differ.findings)
    for table in sorted(wanted - given - explained):
        if is_first:
            differ.add(_table_finding(differ, table, sorted(given - wanted)))
    if is_first and wanted <= given:
        for table in sorted(given - wanted):
            _needless_table(differ, table)


def _table_finding(differ: Differ, table: str, instead: list[str]) -> Finding:
    edges = [e for e in differ.expected.edges if table in {e.left.table, e.right.table}]
    fix = f"Read {table}" + (f", not {', '.join(instead)}." if instead else ".")
    return Finding(
        rule="table_wrong" if instead else "table_missing",
        blame=(f"table:{table}",),
        fix=fix + (f" Join on {edges[0].text}." if edges else ""),
        expected_fragment=table,
        actual_fragment=", ".join(instead) or None,
        covers=frozenset({table}),
    )


def _needless_table(differ: Differ, table: str) -> None:
    """A table that is joined without need: it repeats rows, or drops those without a match."""
    edge = next(
        (
            e
            for e in differ.produced.edges
            if table in {e.left.table, e.right.table} and e.kind != "anti"
        ),
        None,
    )
    counts = differ.expected.aggregates or differ.evidence.is_expected_within_produced
    if edge is None:
        rule = "tables_not_joined"
        blame: tuple[str, ...] = (f"table:{table}",)
    else:
        rule = "rows_multiplied_by_join" if counts else "table_not_asked"
        blame = differ.join_blame(*edge.pair)
    differ.add(
        Finding(
            rule=rule,
            blame=blame,
            fix=f"Do not join {table}: nothing of it is asked for, and it changes the rows.",
            actual_fragment=edge.text if edge else table,
            covers=frozenset({table}),
        )
    )


def diff_sets(differ: Differ) -> None:
    """Adds a finding where set operations differ."""
    wanted, given = differ.expected.set_operations, differ.produced.set_operations
    if wanted == given:
        return
    unread = differ.expected.tables_set() - differ.produced.tables_set() if wanted else frozenset()
    blame = tuple(sorted(f"table:{table}" for table in unread))
    differ.add(
        Finding(
            rule="set_operation_wrong",
            blame=blame or differ.column_blame(_distinguishing(differ)),
            covers=unread,
            fix=_set_fix(wanted, given),
            expected_fragment=" ".join(o.operator for o in wanted) or None,
            actual_fragment=" ".join(o.operator for o in given) or None,
        )
    )


def _distinguishing(differ: Differ) -> list[str]:
    """The columns whose conditions tell the branches apart; else the output columns."""
    predicates = differ.expected.predicates
    repeated = [
        p.left.column
        for p in predicates
        if p.left.column
        and (
            p.operator == "IN"
            or sum(q.left.same(p.left) and q.operator == "=" for q in predicates) > 1
        )
    ]
    outputs = [name for term in differ.expected.outputs for name in term.columns]
    return sorted(set(repeated)) or outputs


def _set_fix(wanted: tuple[SetOperation, ...], given: tuple[SetOperation, ...]) -> str:
    if not wanted:
        names = ", ".join(o.operator for o in given)
        return f"Combine the conditions in one query instead of applying {names} to results."
    names = ", ".join(o.operator + (" ALL" if o.keeps_duplicates else "") for o in wanted)
    return f"Combine the parts with {names}."
