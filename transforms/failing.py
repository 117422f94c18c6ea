"""From a finding to a failure: the 12 fields of actionable side information."""

from __future__ import annotations

import re
from collections.abc import Iterable

from transforms.findings import Finding, unquoted
from transforms.judgement import Asi, Failure, ValueLookup
from transforms.name_scope import Catalog
from transforms.question_words import contains_value, stem, unexplained_terms
from transforms.rules import RULES
from transforms.shape_model import QueryShape

_NUMBER = re.compile(r"(?<![\w])\d[\d,.]*\d|(?<![\w])\d")
_VALUE_RULES = {"literal_not_in_column", "literal_spelled_differently", "pattern_instead_of_value"}


def failure_of(
    finding: Finding,
    question: str,
    catalog: Catalog,
    values: ValueLookup,
    expected: QueryShape | None,
    produced: QueryShape | None,
) -> Failure:
    """The failure that a finding is, with the metadata that misled or is silent."""
    rule = RULES[finding.rule]
    literals = sorted({*_literals(expected), *_stored(produced, values)})
    terms = unexplained_terms(question, catalog.state, literals)
    taken = _words_taken_for_values(finding, question)
    stemmed = {stem(word) for word in taken}
    terms = (*taken, *(term for term in terms if stem(term) not in stemmed))
    quoted = _quoted_metadata(finding.blame, catalog)
    return Failure(
        judge=rule.judge,
        rule=finding.rule,
        asi=Asi(
            failure_type=rule.failure_type,
            severity=rule.severity,
            confidence=rule.confidence,
            blame_set=finding.blame,
            wrong_clause=finding.clause or rule.wrong_clause,
            quoted_metadata_text=quoted,
            missing_metadata=_missing_metadata(finding, quoted, terms, catalog),
            ambiguity_detected=_is_ambiguous(finding, catalog),
            expected_value=finding.expected_value or finding.expected_fragment,
            actual_value=finding.actual_value or finding.actual_fragment,
            counterfactual_fix=finding.fix,
            affected_question_pattern=question_pattern(question, literals),
        ),
        expected_fragment=finding.expected_fragment,
        actual_fragment=finding.actual_fragment,
        unexplained_terms=terms,
    )


def question_pattern(question: str, literals: Iterable[str]) -> str:
    """The question with its numbers and the values it names masked."""
    pattern = question
    for literal in sorted(literals, key=len, reverse=True):
        value = unquoted(literal).strip("%")
        if len(value) >= 2 and not value.replace(".", "").isdigit():
            pattern = re.sub(
                rf"(?<!\w){re.escape(value)}(?!\w)", "<value>", pattern, flags=re.IGNORECASE
            )
    return _NUMBER.sub("<number>", pattern)


def _literals(shape: QueryShape | None) -> set[str]:
    if shape is None:
        return set()
    predicates = list(shape.predicates)
    for ranking in shape.superlatives:
        predicates += ranking.population or ()
    nested = [part for predicate in predicates for part in predicate.parts]
    return {value for predicate in (*predicates, *nested) for value in predicate.values}


def _stored(shape: QueryShape | None, values: ValueLookup) -> set[str]:
    """The literals of a query that the data is known to hold: they explain words, others do not."""
    if shape is None:
        return set()
    return {
        value
        for predicate in shape.predicates
        if predicate.left.column is not None
        for value in predicate.values
        if values.contains(predicate.left.column, unquoted(value))
    }


def _words_taken_for_values(finding: Finding, question: str) -> tuple[str, ...]:
    """Words of the question that were used as a value, and are none."""
    if finding.rule != "literal_not_in_column":
        return ()
    listed = [unquoted(literal).strip("%") for literal in finding.actual_literals]
    return tuple(v.casefold() for v in listed if v and contains_value(question, v))


def _quoted_metadata(blame: tuple[str, ...], catalog: Catalog) -> str | None:
    """The comments of the blamed objects, each with its name; None when all are silent."""
    found = []
    for name in _objects(blame):
        comment = catalog.comment(name)
        if comment:
            found.append(f"{name}: {comment}")
    return "; ".join(found) or None


def _objects(blame: tuple[str, ...]) -> list[str]:
    names = []
    for item in blame:
        kind, _, name = item.partition(":")
        names += name.split("=") if kind == "join" else [] if kind == "space" else [name]
    return names


def _missing_metadata(
    finding: Finding, quoted: str | None, terms: tuple[str, ...], catalog: Catalog
) -> str | None:
    objects = ", ".join(_objects(finding.blame)) or f"space {catalog.state.space_id}"
    if finding.rule in _VALUE_RULES:
        return f"Nothing says which values {objects} holds and how they are spelled."
    if finding.rule == "unit_not_converted":
        return f"Nothing says in which unit {objects} is stored."
    if finding.rule in {"null_instead_of_value", "value_instead_of_null"}:
        return f"Nothing says how {objects} marks that there is none."
    if finding.blame[0].startswith("join:"):
        return f"Nothing says when to join on {objects.replace(', ', ' = ')}."
    if finding.blame[0].startswith("space:"):
        return f"No instruction of the space says: {finding.fix}"
    if terms:
        words = ", ".join(f"'{term}'" for term in terms)
        return f"Nothing says that {words} is about {objects}."
    sides = finding.expected_fragment or "", finding.actual_fragment or ""
    if all(map(catalog.column, sides)):
        return f"Nothing tells {sides[0]} and {sides[1]} apart."
    silent = "" if quoted else f"{objects} has no comment. "
    return f"{silent}Nothing says: {finding.fix}"


def _is_ambiguous(finding: Finding, catalog: Catalog) -> bool:
    """Whether expected and produced column share their last name or mean it in their comments."""
    sides = finding.expected_fragment or "", finding.actual_fragment or ""
    if not all(catalog.column(side) for side in sides) or sides[0] == sides[1]:
        return False
    return sides[0].rpartition(".")[2].lower() == sides[1].rpartition(".")[2].lower()
