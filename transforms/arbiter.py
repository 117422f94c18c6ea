"""The arbiter: where two results differ, who is right, on what evidence. Never by default."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from transforms.declared import declared_ignored
from transforms.demand_model import Demand, holds_number, holds_text
from transforms.findings import Differ, Finding, is_text, unquoted
from transforms.harmless import (
    added_columns,
    any_has_two_meanings,
    key_and_name,
    left_out_columns,
    repeated_rows,
    rule_of,
    things_without_rows,
    tie_at_limit,
)
from transforms.judgement import ArbiterRuling, ValueLookup
from transforms.question_demands import demands, names_column
from transforms.question_words import name_words
from transforms.shape_model import Predicate, QueryShape
from transforms.year_demands import are_years

Settle = Callable[[Differ, tuple[Finding, ...]], ArbiterRuling | None]
_LITERAL_RULES = {"literal_spelled_differently", "literal_not_in_column", "literal_wrong"}


def arbitrate(differ: Differ, findings: tuple[Finding, ...]) -> ArbiterRuling:
    """Who is right where both results are there and differ.

    ``findings`` are the differences of the two queries. The first kind of evidence that there is
    decides, in the fixed order of ``_SETTLEMENTS``.
    """
    for settle in _SETTLEMENTS:
        ruling = settle(differ, findings)
        if ruling is not None:
            return ruling
    return rule_of(
        "nothing_decides",
        "The queries have no difference that explains the results, and neither the data nor the "
        "words of the question speak for one of them.",
    )


def repaired(shape: QueryShape, values: ValueLookup) -> QueryShape:
    """The shape with text literals that are only spelled otherwise in the data as the data has
    them, so that an expected query which finds nothing for that reason can still be compared."""
    return replace(
        shape, predicates=tuple(_repaired(predicate, values) for predicate in shape.predicates)
    )


def _repaired(predicate: Predicate, values: ValueLookup) -> Predicate:
    fixed = {literal: near for _, literal, near in _missing_values(predicate, values) if near}
    if not fixed:
        return predicate
    escaped = {old: "'" + new.replace("'", "''") + "'" for old, new in fixed.items()}
    stored = tuple(sorted(escaped.get(value, value) for value in predicate.values))
    return replace(predicate, values=stored, written=None)


def _missing_values(predicate: Predicate, values: ValueLookup) -> list[tuple[str, str, str | None]]:
    """Column, literal and near value of each text literal that its column does not hold."""
    column = predicate.left.column
    if not column or predicate.operator not in {"=", "IN"} or predicate.is_folded:
        return []
    found = []
    for literal in filter(is_text, predicate.values):
        known = values.contains(column, unquoted(literal))
        near = values.nearest(column, unquoted(literal)) if known is not True else None
        if known is False or near is not None:
            found.append((column, literal, near))
    return found


def not_stored(shape: QueryShape, values: ValueLookup) -> list[tuple[str, str, str | None]]:
    """Column, literal and near value of each text literal that its column does not hold."""
    return [found for p in shape.predicates for found in _missing_values(p, values)]


def _strong(findings: tuple[Finding, ...]) -> list[Finding]:
    return [finding for finding in findings if not finding.is_weak]


def _reason(findings: list[Finding]) -> str:
    return findings[0].fix if findings else "it uses a value that its column does not hold."


def _expected_literal_not_stored(
    differ: Differ, findings: tuple[Finding, ...]
) -> ArbiterRuling | None:
    if not differ.evidence.is_expected_void or differ.evidence.is_produced_void:
        return None
    faulty = not_stored(differ.written_expected or differ.expected, differ.values)
    if not faulty:
        return None
    column, literal, near = faulty[0]
    instead = f"; the data has '{near}'" if near else ""
    evidence = (
        f"The expected SQL finds nothing: {column} does not hold {literal}{instead}. "
        f"The answer finds {differ.evidence.produced_rows} row(s)."
    )
    bad = {unquoted(value) for _, value, _ in faulty}
    own = [f for f in _strong(findings) if not _is_about(f, bad)]
    if not own and not not_stored(differ.produced, differ.values):
        return rule_of("expected_literal_not_stored", evidence)
    return rule_of(
        "both_differ_from_data_or_question",
        f"{evidence} The answer has a fault of its own: {_reason(own)}",
    )


def _is_about(finding: Finding, values: set[str]) -> bool:
    """Whether a finding is about values, and all its expected values are in the set."""
    listed = set(map(unquoted, finding.expected_literals))
    return finding.rule in _LITERAL_RULES and listed <= values


def _question_words(differ: Differ, findings: tuple[Finding, ...]) -> ArbiterRuling | None:
    found = _demands(differ, findings)
    against_expected = [d for d in found if d.contradicts_expected]
    against_produced = [d for d in found if d.contradicts_produced]
    if against_expected and against_produced:
        return rule_of(
            "both_differ_from_data_or_question",
            f"The question says {_phrases(against_expected)}, which the expected SQL does not "
            f"keep to, and {_phrases(against_produced)}, which the answer does not keep to.",
        )
    if against_produced:
        return rule_of(
            "question_contradicts_produced",
            f"The question says {_phrases(against_produced)}; the expected SQL keeps to it, the "
            f"answer does not.",
        )
    if not against_expected:
        return None
    says = f"The question says {_phrases(against_expected)}; the expected SQL does not keep to it"
    rest = [f for f in _strong(findings) if not _is_settled_by(f, against_expected)]
    if not rest and all(d.produced_fits for d in against_expected):
        return rule_of("question_contradicts_expected", f"{says}, the answer does.")
    more = f"; but the answer differs in more than that: {_reason(rest)}" if rest else ""
    return rule_of(
        "question_contradicts_expected_only",
        f"{says}{more or ', and whether the answer does cannot be told.'}",
    )


def _demands(differ: Differ, findings: tuple[Finding, ...]) -> list[Demand]:
    return [*demands(differ), *_named_columns(differ, findings)]


def _phrases(found: list[Demand]) -> str:
    return " and ".join(f'"{d.phrase}"' for d in found)


_SETTLED = {
    "column": {"output_column_wrong"},
    "bound": {"boundary_wrong", "operator_wrong", "literal_wrong"},
    "top": {"limit_wrong", "limit_missing", "limit_not_asked"},
    "extreme": {"ranking_not_asked"},
    "number": {"literal_wrong", "filter_missing", "filter_not_asked"},
    "year": {"boundary_wrong", "literal_wrong", "filter_missing", "filter_not_asked"},
    "quoted": {"literal_wrong"},
    "group": {"group_key_not_asked", "output_not_asked"},
    "average": {"aggregate_function_wrong", "calculation_wrong"},
    "alternatives": {"either_instead_of_both", "both_instead_of_either"},
    "distinct": {"distinct_missing", "distinct_not_asked", "duplicates_removed"},
}


# Demands whose value stands in the SQL: a finding is about them only when it shows that value.
_SHOWN = {"number", "bound", "quoted", "year"}


def _is_settled_by(finding: Finding, found: list[Demand]) -> bool:
    """Whether a difference is nothing but what the words of the question ask for."""
    return any(
        finding.rule in _SETTLED.get(demand.kind, set())
        and (demand.kind not in _SHOWN or _is_shown(demand, finding.actual_literals))
        for demand in found
    )


def _is_shown(demand: Demand, literals: tuple[str, ...]) -> bool:
    """Whether what stands for a phrase in SQL, its number or its words, is one of the literals."""
    if demand.kind == "year":
        return are_years(literals)
    if demand.number is not None:
        # > 2 on whole numbers is >= 3, too
        return any(holds_number(literals, demand.number + n) for n in (0, 1))
    return holds_text(literals, demand.phrase)


def _named_columns(differ: Differ, findings: tuple[Finding, ...]) -> list[Demand]:
    """Columns that the question names word by word, where another one is returned."""
    found = []
    for finding in findings:
        columns = finding.expected_fragment or "", finding.actual_fragment or ""
        if finding.rule != "output_column_wrong" or not all(map(differ.catalog.column, columns)):
            continue
        named = [names_column(differ.question, column) for column in columns]
        if named[0] != named[1]:
            spoken = " ".join(name_words(columns[named.index(True)].rpartition(".")[2]))
            found.append(Demand(spoken, "column", *named))
    return found


def _produced_literal_not_stored(
    differ: Differ, findings: tuple[Finding, ...]
) -> ArbiterRuling | None:
    rules = {finding.rule for finding in findings}
    missing = not_stored(differ.produced, differ.values)
    if not missing or not rules & (_LITERAL_RULES | {"filter_column_wrong"}):
        return None
    # The value itself may be a word of the question: what the data shows goes before that.
    other = [d for d in _demands(differ, findings) if d.kind not in {"quoted", "number"}]
    if not_stored(differ.expected, differ.values) or any(d.contradicts_expected for d in other):
        return None
    column, literal, near = missing[0]
    instead = f"; the data has '{near}'" if near else ""
    return rule_of(
        "produced_literal_not_stored",
        f"The answer looks for {literal}, which {column} does not hold{instead}; no value in the "
        f"expected SQL is known to be missing.",
    )


def _unique_names(differ: Differ, findings: tuple[Finding, ...]) -> ArbiterRuling | None:
    if not findings or any(f.rule != "grouped_by_key_or_name" for f in findings):
        return None
    finding = findings[0]
    column = differ.catalog.column(finding.expected_fragment or "")
    if column is None or column.is_primary_key or column.references:
        return None
    return rule_of(
        "name_is_not_unique",
        f"The expected SQL groups by {finding.expected_fragment}, the answer by the key "
        f"{finding.actual_fragment}; the results differ, so several things share a name.",
    )


def _named_difference(differ: Differ, findings: tuple[Finding, ...]) -> ArbiterRuling | None:
    if not findings or differ.expected.unresolved or differ.expected.cross_joined:
        return None
    if differ.evidence.is_expected_void and not differ.evidence.is_produced_void:
        return None
    return rule_of(
        "difference_is_named",
        f"No fault is found in the expected SQL, and the answer differs: {findings[0].fix}",
    )


_SETTLEMENTS: tuple[Settle, ...] = (
    tie_at_limit,
    _expected_literal_not_stored,
    _produced_literal_not_stored,
    _question_words,
    declared_ignored,
    added_columns,
    left_out_columns,
    key_and_name,
    any_has_two_meanings,
    repeated_rows,
    things_without_rows,
    _unique_names,
    _named_difference,
)
