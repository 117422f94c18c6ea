"""Why a query does not run: names the catalog lacks, and what was meant by them."""

from __future__ import annotations

from difflib import SequenceMatcher

from transforms.findings import Differ, Finding, folded, tables_of
from transforms.question_words import name_words
from transforms.shape_model import Edge, Unresolved

MAX_UNKNOWN = 4  # names of one query that are reported
MIN_LIKENESS = 0.6  # below this, two names have nothing to do with each other


def _unknown_names(differ: Differ) -> bool:
    """Adds a finding for each name that does not exist. True when there is one.

    Columns are left out where a table is not there either: they may well be that table's.
    """
    tables = [unresolved for unresolved in differ.produced.unresolved if unresolved.kind == "table"]
    for unresolved in tables:
        _unknown_table(differ, unresolved)
    for unresolved in () if tables else differ.produced.unresolved:
        _unknown_column(differ, unresolved)
    return bool(differ.findings)


def execution_finding(differ: Differ, error: str, error_class: str | None) -> tuple[Finding, ...]:
    """What the queries say about an error at execution; empty when they say nothing."""
    if _unknown_names(differ):
        return tuple(differ.findings[:MAX_UNKNOWN])
    kind = f"{error_class or ''} {error[:400]}".upper()
    if "SCALAR_SUBQUERY_TOO_MANY_ROWS" in kind:
        return _many_rows(differ)
    if any(word in kind for word in ("GROUP_BY", "AGGREGATION", "UNRESOLVED_COLUMN")):
        found = _ungrouped(differ)
        return (found,) if found is not None else ()
    return ()


def _many_rows(differ: Differ) -> tuple[Finding, ...]:
    edges = [edge for edge in differ.produced.edges if edge.is_semi]
    if len(edges) != 1:
        return ()
    return (
        Finding(
            rule="subquery_gives_many_rows",
            blame=differ.join_blame(*edges[0].pair),
            fix=f"Use IN, or join on {edges[0].text}: several rows match.",
            expected_fragment=edges[0].text,
            actual_fragment=edges[0].text,
        ),
    )


def _ungrouped(differ: Differ) -> Finding | None:
    """The column that an aggregating query puts out without grouping by it, as a finding."""
    if not differ.produced.ungrouped:
        keys = [key.term for key in differ.produced.order_by]
        keys += [ranking.term for ranking in differ.produced.superlatives]
        stray = [term for term in keys if term.uses and not term.aggregates]
        if not stray or not differ.produced.aggregates:
            return None
        term = stray[0]
    else:
        term = differ.produced.ungrouped[0]
    return Finding(
        rule="column_not_grouped",
        blame=differ.column_blame(term.columns),
        fix=f"Group by {term.text}, aggregate it, or leave it out.",
        expected_fragment=None,
        actual_fragment=term.text,
        covers=tables_of(term.columns),
    )


def _unknown_table(differ: Differ, unresolved: Unresolved) -> None:
    wanted = sorted(differ.expected.tables_set() - differ.produced.tables_set())
    candidates = wanted or sorted(differ.expected.tables_set())
    best = max(candidates, key=lambda name: _likeness(unresolved.name, name), default=None)
    differ.add(
        Finding(
            rule="table_unknown",
            blame=(f"table:{best}",) if best else differ.space_blame(),
            fix=f"Read {best}; there is no table {unresolved.name}."
            if best
            else f"There is no table {unresolved.name}.",
            expected_fragment=best,
            actual_fragment=unresolved.name,
        )
    )


def _unknown_column(differ: Differ, unresolved: Unresolved) -> None:
    meant = _meant(differ, unresolved)
    if meant is None:
        differ.add(
            Finding(
                rule="column_unknown",
                blame=differ.space_blame(),
                fix=f"There is no column {unresolved.name}.",
                actual_fragment=unresolved.name,
                clause=_clause(unresolved),
            )
        )
        return
    table = meant.rpartition(".")[0]
    edge = _missing_join(differ, table, unresolved)
    if edge is not None:
        differ.add(
            Finding(
                rule="column_without_join",
                blame=differ.join_blame(*edge.pair),
                fix=f"Join {table} on {edge.text} to use {meant}.",
                expected_fragment=edge.text,
                actual_fragment=unresolved.name,
                covers=tables_of([meant]),
            )
        )
        return
    differ.add(
        Finding(
            rule="column_unknown",
            blame=differ.column_blame([meant]),
            fix=f"Use {meant}; {unresolved.name} does not exist there.",
            expected_fragment=meant,
            actual_fragment=unresolved.name,
            covers=tables_of([meant]),
            clause=_clause(unresolved),
        )
    )


def _clause(unresolved: Unresolved) -> str:
    return "GROUP BY" if unresolved.clause == "HAVING" else unresolved.clause


def _missing_join(differ: Differ, table: str, unresolved: Unresolved) -> Edge | None:
    """The expected join that brings in the table of a column used without it."""
    if table in unresolved.tables or table in differ.produced.tables_set():
        return None
    reached = differ.produced.tables_set()
    edges = [e for e in differ.expected.edges if table in {e.left.table, e.right.table}]
    near = [e for e in edges if {e.left.table, e.right.table} & reached]
    return near[0] if near else None


def _meant(differ: Differ, unresolved: Unresolved) -> str | None:
    """The existing column that a made-up name stands for: by name, then by what was expected."""
    last = unresolved.name.rpartition(".")[2]
    used = differ.expected.used_columns()
    exact = [f"{table.name}.{column.name}" for table, column in differ.catalog.columns_named(last)]
    preferred = [name for name in exact if name in used]
    in_tables = [n for n in exact if n.rpartition(".")[0] in differ.expected.tables_set()]
    if preferred or in_tables or exact:
        return (preferred or in_tables or exact)[0]
    missing = sorted(used - differ.produced.used_columns()) or sorted(used)
    scored = [(_likeness(last, name.rpartition(".")[2]), name) for name in missing]
    best = max(scored, default=None)
    if best is not None and (best[0] >= MIN_LIKENESS or len(missing) == 1):
        return best[1]
    return missing[0] if missing else None


def _likeness(name: str, other: str) -> float:
    mine, theirs = name.rpartition(".")[2], other.rpartition(".")[2]
    shared = set(name_words(mine)) & set(name_words(theirs))
    ratio = SequenceMatcher(None, folded(mine), folded(theirs)).ratio()
    return min(1.0, ratio + 0.2 * len(shared))
