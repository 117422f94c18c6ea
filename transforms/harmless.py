"""Differences of two results that do not matter, or that a question leaves open."""

from __future__ import annotations

import re

from transforms.findings import Differ, Finding
from transforms.judgement import ArbiterRuling
from transforms.question_demands import shown_part
from transforms.question_words import name_words, stem, stems, words
from transforms.rules import ARBITER_RULES
from transforms.shape_model import QueryShape, Superlative, Term

_TIE_RULES = {"ties_cut", "ties_kept"}
# Words that ask for a value: no column that may hold it is one that nobody asks to see.
_ASKS_FOR_VALUE = re.compile(r"\b(?:how|when|per)\b")
# Questions for things, of which a measure only says which: nothing in them asks to see it, too.
_ASKS_FOR_THINGS = re.compile(
    r"(?:which|who|top|best|(?:show|list|give|name|find|get)(?: me)?(?: the)? (?:top|best|\d+))\b"
    r"(?!.*\b(?:what|along|including|together|(?:and|with) (?:their|its|his|her|the))\b)"
)
_ASKED_THING = re.compile(
    r"\bwhat(?:'s| is| are| was| were) (.+?)(?= (?:of|for|in|by|from) |[.?!,]|$)"
)
_KEY_WORDS = {"id", "ids", "key", "keys", "code", "codes"}


def rule_of(name: str, evidence: str) -> ArbiterRuling:
    """A ruling with what its rule fixes."""
    rule = ARBITER_RULES[name]
    return ArbiterRuling(rule.verdict, name, evidence, rule.confidence)  # type: ignore[arg-type]


def tie_at_limit(differ: Differ, findings: tuple[Finding, ...]) -> ArbiterRuling | None:
    """Both cut a ranking at the same place, where rows tie.

    Where there is an engine, values have to show it; the SQL alone would only say that it may be.
    """
    if any(finding.rule not in _TIE_RULES for finding in findings):
        return None
    expected, produced, evidence = differ.expected, differ.produced, differ.evidence
    ranking = _shared_ranking(expected, produced)
    if ranking is not None:
        mine, theirs = ranking
        within = evidence.is_expected_within_produced or evidence.is_produced_within_expected
        is_tie = (
            within
            if mine.keeps_ties != theirs.keeps_ties
            else evidence.expected_rows == evidence.produced_rows == mine.count
        )
        if is_tie and differ.may_tie():
            return rule_of(
                "tie_at_limit",
                f"Both take the first {mine.count} by {mine.term.text}, where rows tie: "
                f"{evidence.expected_rows} row(s) expected, {evidence.produced_rows} produced.",
            )
    is_same_cut = expected.limit is not None and expected.limit == produced.limit
    is_full = evidence.expected_rows == evidence.produced_rows == expected.limit
    if is_same_cut and is_full and differ.may_tie():
        return rule_of(
            "tie_at_limit",
            f"Both return any {expected.limit} of the same rows: no order decides which.",
        )
    return None


def _shared_ranking(
    expected: QueryShape, produced: QueryShape
) -> tuple[Superlative, Superlative] | None:
    if len(expected.superlatives) != 1 or len(produced.superlatives) != 1:
        return None
    mine, theirs = expected.superlatives[0], produced.superlatives[0]
    is_same = mine.same(theirs) and mine.key.same(theirs.key)
    is_same_cut = (mine.count, mine.skip) == (theirs.count, theirs.skip)
    return (mine, theirs) if is_same and is_same_cut and not mine.partition else None


def added_columns(differ: Differ, findings: tuple[Finding, ...]) -> ArbiterRuling | None:
    """The answer also shows what it ranks, groups or filters groups by."""
    if not differ.evidence.has_extra_columns_only or differ.produced.has_star:
        return None
    outputs = differ.produced.outputs
    extra = [outputs[i] for i in differ.evidence.extra_columns if i < len(outputs)]
    criteria = _criteria(differ.produced)
    if not extra or not all(any(t.same(c) for c in criteria) for t in extra):
        return None
    return rule_of(
        "columns_ranked_by_added",
        f"All {differ.evidence.expected_rows} row(s) agree; the answer also shows "
        f"{_shown(extra)}, which it ranks, groups or filters by.",
    )


def _shown(terms: list[Term]) -> str:
    return ", ".join(term.text for term in terms)


def _criteria(shape: QueryShape) -> list[Term]:
    return [*_ranked_by(shape), *shape.group_by]


def _ranked_by(shape: QueryShape) -> list[Term]:
    terms = [ranking.term for ranking in shape.superlatives]
    terms += [key.term for key in shape.order_by]
    terms += [predicate.left for predicate in shape.predicates if predicate.place == "groups"]
    return terms


def left_out_columns(differ: Differ, findings: tuple[Finding, ...]) -> ArbiterRuling | None:
    """The expected SQL also shows what the question does not ask to see, or shows by order.

    What is computed is there because it is asked for, whatever word the question has for it; but
    for a measure that says which things are asked for, and that the answer ranks or filters by.
    """
    if not differ.evidence.has_missing_columns_only:
        return None
    outputs, rows = differ.expected.outputs, differ.evidence.expected_rows
    missing = [outputs[i] for i in differ.evidence.missing_columns if i < len(outputs)]
    if differ.expected.has_star:
        missing = []
    ranks = [term for term in missing if term.is_window]
    if ranks:
        return _ranked(differ, ranks) if len(ranks) == len(missing) else None
    if _ASKS_FOR_VALUE.search(differ.question.lower()):
        return None
    asked = stems(shown_part(differ.question))
    asks_for_things = _ASKS_FOR_THINGS.match(differ.question.lower())
    for term in missing:
        if asks_for_things and any(term.same(one) for one in _ranked_by(differ.produced)):
            continue
        if not term.column or _may_be_asked_value(differ, term.column):
            return None
        parts = {stem(p) for column in term.columns for p in name_words(column.split(".")[-1])}
        if not parts or parts & asked:
            return None
    return rule_of(
        "columns_not_asked_left_out",
        f"All {rows} row(s) agree; the expected SQL also shows "
        f"{_shown(missing) or 'every other column'}, which the question does not ask to see.",
    )


def _may_be_asked_value(differ: Differ, column: str) -> bool:
    """Whether a column may be what 'what is the ..' asks for: a number or date that is no key,
    where the answer shows nothing that is called so."""
    match = _ASKED_THING.search(differ.question.lower())
    state, catalog = differ.catalog.column(column), differ.catalog
    if match is None or state is None or state.is_primary_key or state.references:
        return False
    shown = {name for term in differ.produced.outputs for name in term.columns}
    called = {found for name in shown for found in stems(" ".join(name.split(".")[1:]))}
    is_measured = state.is_measure or catalog.is_number(column) or catalog.is_date(column)
    return is_measured and not stems(match.group(1)) & called


def _ranked(differ: Differ, ranks: list[Term]) -> ArbiterRuling | None:
    keys = tuple(key.sorted_by for key in differ.produced.order_by)
    for term in ranks:
        window = term.window
        is_ranked = window is not None and not window.partition and bool(window.order)
        if window is None or not is_ranked or keys[: len(window.order)] != window.order:
            return None
    return rule_of(
        "rank_shown_by_order",
        f"All {differ.evidence.expected_rows} row(s) agree; the expected SQL numbers them with "
        f"{_shown(ranks)}, the answer returns them in that order.",
    )


def key_and_name(differ: Differ, findings: tuple[Finding, ...]) -> ArbiterRuling | None:
    """One shows the key of a thing, the other its name, and the question asks for neither."""
    named = [f for f in findings if f.rule in {"key_instead_of_name", "name_instead_of_key"}]
    asks_for_key = bool(_KEY_WORDS & set(words(differ.question)))
    if not named or len(named) != len(findings) or asks_for_key:
        return None
    evidence = differ.evidence
    is_same_size = evidence.expected_rows == evidence.produced_rows
    # Two things under one name are one row twice: then the names do not identify the things.
    if not is_same_size or evidence.expected_distinct != evidence.produced_distinct:
        return None
    pairs = ", ".join(f"{f.expected_fragment} and {f.actual_fragment}" for f in named)
    return rule_of(
        "key_and_name_of_one_thing",
        f"Both return {evidence.expected_rows} row(s) for the same conditions; {pairs} "
        f"identify the same things, once by key and once by name.",
    )


def any_has_two_meanings(differ: Differ, findings: tuple[Finding, ...]) -> ArbiterRuling | None:
    """'Larger than any': than some, or than every one."""
    strong = [finding for finding in findings if not finding.is_weak]
    is_only = len(strong) == 1 and strong[0].rule == "compared_value_wrong"
    asked = words(differ.question)
    if not is_only or "any" not in asked or "than" not in asked:
        return None
    wanted, given = _compared_extreme(differ.expected), _compared_extreme(differ.produced)
    if wanted is None or given is None or wanted.uses != given.uses:
        return None
    if {wanted.aggregates[0].function, given.aggregates[0].function} != {"MAX", "MIN"}:
        return None
    return rule_of(
        "any_has_two_meanings",
        f"The question compares with 'any': {wanted.text} reads it one way, {given.text} the "
        f"other; nothing else differs.",
    )


def _compared_extreme(shape: QueryShape) -> Term | None:
    """The one MAX or MIN that a query compares with."""
    found = [
        predicate.right
        for predicate in shape.predicates
        if predicate.right is not None
        and predicate.right.is_aggregate
        and predicate.right.aggregates[0].function in {"MAX", "MIN"}
    ]
    return found[0] if len(found) == 1 else None


def repeated_rows(differ: Differ, findings: tuple[Finding, ...]) -> ArbiterRuling | None:
    """The answer returns each row once, where the expected SQL repeats some."""
    if [finding.rule for finding in findings] != ["duplicates_removed"]:
        return None
    evidence = differ.evidence
    return rule_of(
        "repeated_rows_left_out",
        f"The same different rows; the expected SQL repeats some ({evidence.expected_rows} rows), "
        f"the answer returns each once or less often ({evidence.produced_rows} rows).",
    )


def things_without_rows(differ: Differ, findings: tuple[Finding, ...]) -> ArbiterRuling | None:
    """Whether things count that have no row in a table of details is left open."""
    if [finding.rule for finding in findings] != ["key_of_other_table"]:
        return None
    excludes = any(predicate.place == "excluded" for predicate in differ.expected.predicates)
    if not excludes or not differ.evidence.is_expected_within_produced:
        return None
    finding = findings[0]
    return rule_of(
        "things_without_rows",
        f"The answer returns all {differ.evidence.expected_rows} expected row(s) and others, which "
        f"have no row in the table of {finding.expected_fragment}; the question does not say "
        f"whether they count.",
    )
