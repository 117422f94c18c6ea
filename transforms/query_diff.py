"""The smallest explanation of why a produced query does not give the expected result."""

from __future__ import annotations

from transforms.diff_filters import diff_filters
from transforms.diff_functions import diff_functions
from transforms.diff_groups import diff_groups
from transforms.diff_outputs import diff_outputs
from transforms.diff_ranking import diff_ranking
from transforms.diff_rows import diff_by_rows
from transforms.diff_tables import diff_joins, diff_roles, diff_sets, diff_tables
from transforms.findings import Differ, Finding

MAX_FINDINGS = 4

_RANKING = {"ranking_wrong", "ranking_column_wrong", "ranking_missing", "ranking_not_asked"}
_GROUPS = {"group_key_wrong", "group_key_missing", "group_key_not_asked"}
_VALUE_RULES = {"aggregated_column_wrong", "output_column_wrong", "ranking_column_wrong"}
_COLUMN_RULES = {
    "filter_column_wrong",
    "output_column_wrong",
    "ranking_column_wrong",
    "aggregated_column_wrong",
    "unit_not_converted",
}
_AGGREGATES = {
    "aggregate_missing",
    "aggregate_not_asked",
    "aggregate_output_missing",
    "aggregate_function_wrong",
    "aggregated_column_wrong",
    "calculation_wrong",
    "condition_on_rows",
    "condition_on_groups",
}


def diff_queries(differ: Differ) -> tuple[Finding, ...]:
    """Findings in the order of how much they explain, at most ``MAX_FINDINGS``.

    Empty when the shapes give no reason. A finding that another one implies is left out: a table
    that is missing because a condition on it is, a group key that came with another ranking.
    """
    if diff_by_rows(differ):
        return tuple(differ.findings)
    if diff_functions(differ):
        return tuple(differ.findings)
    diff_filters(differ)
    diff_sets(differ)
    diff_roles(differ)
    diff_ranking(differ)
    diff_outputs(differ)
    diff_groups(differ)
    diff_joins(differ)
    diff_tables(differ)
    return _smallest(differ)


def _smallest(differ: Differ) -> tuple[Finding, ...]:
    strong = [finding for finding in differ.findings if not finding.is_weak]
    found = _within_branches(differ, strong or list(differ.findings))
    rules = {finding.rule for finding in found}
    if rules & (_RANKING | _AGGREGATES):
        found = [finding for finding in found if finding.rule not in _GROUPS]
    if "share_of_other_rows" in rules or "ratio_inverted" in rules:
        found = [finding for finding in found if finding.rule != "calculation_wrong"]
    found = _one_per_column(found)
    shown = {finding.blame for finding in found if finding.rule not in _GROUPS}
    found = [f for f in found if f.rule not in _GROUPS or f.blame not in shown]
    return tuple(found[:MAX_FINDINGS])


def _within_branches(differ: Differ, findings: list[Finding]) -> list[Finding]:
    """Without what follows from reading other tables: another branch, another fact table."""
    union = next((f for f in findings if f.rule == "set_operation_wrong" and f.covers), None)
    if union is not None:
        return [f for f in findings if f is union or not f.covers & union.covers]
    is_elsewhere = not differ.expected.tables_set() & differ.produced.tables_set()
    if is_elsewhere and any(f.rule in _VALUE_RULES for f in findings):
        return [f for f in findings if f.rule != "filter_column_wrong"]
    return findings


def _one_per_column(findings: list[Finding]) -> list[Finding]:
    """A column that was mistaken for another in several places is one cause."""
    kept: list[Finding] = []
    blamed: set[tuple[str, ...]] = set()
    for finding in findings:
        is_column = finding.rule in _COLUMN_RULES
        if is_column and finding.blame in blamed:
            continue
        if is_column:
            blamed.add(finding.blame)
        kept.append(finding)
    return kept
