"""The arbiter: where two results differ, who is right, on what evidence. Never by default."""

from __future__ import annotations

from collections.abc import Callable

from transforms.findings import Differ, Finding, is_text, unquoted
from transforms.judgement import ArbiterRuling
from transforms.question_demands import Demand, demands, names_column, shown_part
from transforms.question_words import name_words, stem, stems
from transforms.rules import ARBITER_RULES
from transforms.shape_model import QueryShape, Superlative, Term

Settle = Callable[[Differ, tuple[Finding, ...]], ArbiterRuling | None]
_LITERAL_RULES = {"literal_spelled_differently", "literal_not_in_column", "literal_wrong"}
_TIE_RULES = {"ties_cut", "ties_kept"}


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


def rule_of(name: str, evidence: str) -> ArbiterRuling:
    """A ruling with what its rule fixes."""
    rule = ARBITER_RULES[name]
    return ArbiterRuling(rule.verdict, name, evidence, rule.confidence)  # type: ignore[arg-type]


def _strong(findings: tuple[Finding, ...]) -> list[Finding]:
    return [finding for finding in findings if not finding.is_weak]


def _tie_at_limit(differ: Differ, findings: tuple[Finding, ...]) -> ArbiterRuling | None:
    if any(finding.rule not in _TIE_RULES for finding in findings):
        return None
    expected, produced = differ.expected, differ.produced
    ranking = _shared_ranking(expected, produced)
    evidence = differ.evidence
    if ranking is not None:
        mine, theirs = ranking
        within = evidence.is_expected_within_produced or evidence.is_produced_within_expected
        is_tie = (
            within
            if mine.keeps_ties != theirs.keeps_ties
            else evidence.expected_rows == evidence.produced_rows == mine.count
        )
        if is_tie:
            return rule_of(
                "tie_at_limit",
                f"Both take the first {mine.count} by {mine.term.text}; rows that tie there are "
                f"cut at random ({evidence.expected_rows} expected, {evidence.produced_rows} "
                f"produced rows).",
            )
    is_same_cut = expected.limit is not None and expected.limit == produced.limit
    if is_same_cut and evidence.expected_rows == evidence.produced_rows == expected.limit:
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
    is_same = mine.term.same(theirs.term) and mine.is_descending == theirs.is_descending
    return (mine, theirs) if is_same and mine.count == theirs.count else None


def _expected_literal_not_stored(
    differ: Differ, findings: tuple[Finding, ...]
) -> ArbiterRuling | None:
    if not differ.evidence.is_expected_void or differ.evidence.is_produced_void:
        return None
    faulty = _not_stored(differ, differ.expected)
    if not faulty:
        return None
    column, value, near = faulty[0]
    instead = f"; the data has '{near}'" if near else ""
    evidence = (
        f"The expected SQL finds nothing: {column} does not hold '{value}'{instead}. "
        f"The answer finds {differ.evidence.produced_rows} row(s)."
    )
    bad = {v for _, v, _ in faulty}
    own = [f for f in _strong(findings) if not _is_about(f, bad)]
    if not own and not _not_stored(differ, differ.produced):
        return rule_of("expected_literal_not_stored", evidence)
    return rule_of(
        "both_differ_from_data_or_question",
        f"{evidence} The answer has a fault of its own: {_reason(own)}",
    )


def _reason(findings: list[Finding]) -> str:
    return findings[0].fix if findings else "it uses a value that its column does not hold."


def _is_about(finding: Finding, values: set[str]) -> bool:
    """Whether a finding is about values, and all its expected values are in the set."""
    listed = [unquoted(v.strip()) for v in (finding.expected_value or "").split(", ")]
    return finding.rule in _LITERAL_RULES and bool(listed) and set(listed) <= values


def _not_stored(differ: Differ, shape: QueryShape) -> list[tuple[str, str, str | None]]:
    """Column, literal and near value of each text literal that its column does not hold."""
    found = []
    for predicate in shape.predicates:
        column = predicate.left.column
        if not column or predicate.operator not in {"=", "IN"} or predicate.is_folded:
            continue
        for literal in predicate.values:
            value = unquoted(literal)
            if not is_text(literal):
                continue
            near = differ.values.nearest(column, value)
            known = differ.values.contains(column, value)
            if known is False or (known is None and near is not None):
                found.append((column, value, near))
    return found


def _question_words(differ: Differ, findings: tuple[Finding, ...]) -> ArbiterRuling | None:
    evidence = differ.evidence
    rows = evidence.expected_rows, evidence.produced_rows
    found = [
        *demands(differ.question, differ.expected, differ.produced, rows),
        *_named_columns(differ, findings),
    ]
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
    fits = all(d.produced_fits for d in against_expected)
    if fits and not rest:
        return rule_of("question_contradicts_expected", f"{says}, the answer does.")
    return rule_of(
        "question_contradicts_expected_only",
        f"{says}; but the answer differs in more than that: {_reason(rest)}",
    )


def _phrases(found: list[Demand]) -> str:
    return " and ".join(f'"{d.phrase}"' for d in found)


def _is_settled_by(finding: Finding, found: list[Demand]) -> bool:
    kinds = {d.kind for d in found}
    about = {
        "column": {"output_column_wrong"},
        "bound": {"boundary_wrong", "operator_wrong", "literal_wrong"},
        "top": {"limit_wrong", "limit_missing", "limit_not_asked"},
        "number": {"literal_wrong", "filter_missing", "filter_not_asked"},
        "quoted": {"literal_wrong", "literal_not_in_column", "filter_column_wrong"},
        "average": {"aggregate_function_wrong", "calculation_wrong"},
        "alternatives": {"either_instead_of_both", "both_instead_of_either"},
        "distinct": {"distinct_missing", "distinct_not_asked", "duplicates_removed"},
    }
    return any(finding.rule in about.get(kind, set()) for kind in kinds)


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
    missing = _not_stored(differ, differ.produced)
    if not missing or not rules & (_LITERAL_RULES | {"filter_column_wrong"}):
        return None
    if _not_stored(differ, differ.expected):
        return None
    column, value, near = missing[0]
    instead = f"; the data has '{near}'" if near else ""
    return rule_of(
        "produced_literal_not_stored",
        f"The answer looks for '{value}', which {column} does not hold{instead}; every value in "
        f"the expected SQL is in its column or is not known to be missing.",
    )


def _added_columns(differ: Differ, findings: tuple[Finding, ...]) -> ArbiterRuling | None:
    if not differ.evidence.has_extra_columns_only or differ.produced.has_star:
        return None
    outputs = differ.produced.outputs
    extra = [outputs[i] for i in differ.evidence.extra_columns if i < len(outputs)]
    criteria = _criteria(differ.produced)
    if extra and all(_is_criterion(term, criteria) for term in extra):
        shown = ", ".join(term.text for term in extra)
        return rule_of(
            "columns_ranked_by_added",
            f"All {differ.evidence.expected_rows} rows agree; the answer also shows {shown}, "
            f"which it ranks, groups or filters by.",
        )
    return None


def _criteria(shape: QueryShape) -> list[Term]:
    terms = [ranking.term for ranking in shape.superlatives]
    terms += [key.term for key in shape.order_by] + list(shape.group_by)
    terms += [predicate.left for predicate in shape.predicates if predicate.place == "groups"]
    return terms


def _is_criterion(term: Term, criteria: list[Term]) -> bool:
    return any(term.same(other) for other in criteria)


def _left_out_columns(differ: Differ, findings: tuple[Finding, ...]) -> ArbiterRuling | None:
    if not differ.evidence.has_missing_columns_only:
        return None
    outputs = differ.expected.outputs
    missing = [outputs[i] for i in differ.evidence.missing_columns if i < len(outputs)]
    asked = stems(shown_part(differ.question))
    if differ.expected.has_star:
        missing = []
    for term in missing:
        parts = {stem(p) for column in term.columns for p in name_words(column.split(".")[-1])}
        if term.is_window or not parts or parts & asked:
            return None
    shown = ", ".join(term.text for term in missing) or "every other column"
    return rule_of(
        "columns_not_asked_left_out",
        f"All {differ.evidence.expected_rows} rows agree; the expected SQL also shows {shown}, "
        f"which the question does not ask to see.",
    )


def _key_and_name(differ: Differ, findings: tuple[Finding, ...]) -> ArbiterRuling | None:
    named = [f for f in findings if f.rule in {"key_instead_of_name", "name_instead_of_key"}]
    if not named or len(named) != len(findings):
        return None
    if differ.evidence.expected_rows != differ.evidence.produced_rows:
        return None
    keys = [f.expected_fragment or "" for f in named]
    if any(
        "key" in words_of or "id" in words_of for words_of in [set(differ.question.lower().split())]
    ):
        return None
    pairs = ", ".join(f"{f.expected_fragment} and {f.actual_fragment}" for f in named)
    return rule_of(
        "key_and_name_of_one_thing",
        f"Both return {differ.evidence.expected_rows} rows for the same conditions; {pairs} "
        f"identify the same thing, once by key and once by name.",
    )


def _any(differ: Differ, findings: tuple[Finding, ...]) -> ArbiterRuling | None:
    strong = _strong(findings)
    is_only = len(strong) == 1 and strong[0].rule == "compared_value_wrong"
    text = f" {differ.question.lower()} "
    if not is_only or " any " not in text or " than " not in text:
        return None
    finding = strong[0]
    return rule_of(
        "any_has_two_meanings",
        f"The question compares with 'any': {finding.expected_value} reads it one way, "
        f"{finding.actual_value} the other; nothing else differs.",
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
    finding = findings[0]
    return rule_of(
        "difference_is_named",
        f"No fault is found in the expected SQL, and the answer differs: {finding.fix}",
    )


_SETTLEMENTS: tuple[Settle, ...] = (
    _tie_at_limit,
    _expected_literal_not_stored,
    _question_words,
    _produced_literal_not_stored,
    _added_columns,
    _left_out_columns,
    _key_and_name,
    _any,
    _unique_names,
    _named_difference,
)
