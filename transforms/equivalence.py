"""The judges of meaning: is it the same metric, whatever the spelling, and is anything missing."""

from __future__ import annotations

from transforms.findings import Differ, Finding
from transforms.judgement import ArbiterRuling, Comparison, Verdict
from transforms.name_scope import Catalog
from transforms.question_demands import demands
from transforms.rules import RULES
from transforms.shape_model import QueryShape

# Differences in how a result is shown, not in what is measured, of which rows, for which groups.
PRESENTATION = frozenset(
    {
        "output_not_asked",
        "output_missing",
        "aggregate_output_missing",
        "rank_missing",
        "key_instead_of_name",
        "name_instead_of_key",
        "order_missing",
        "order_wrong",
        "order_direction_wrong",
        "result_rounded",
        "scale_wrong",
        "ties_cut",
        "ties_kept",
    }
)
# Differences by which something that was asked for is not there.
MISSING = frozenset(
    {
        "output_missing",
        "aggregate_output_missing",
        "aggregate_missing",
        "rank_missing",
        "filter_missing",
        "temporal_filter_missing",
        "exclusion_missing",
        "group_key_missing",
        "ranking_missing",
        "ranking_not_asked",
        "limit_missing",
        "limit_not_asked",
        "order_missing",
        "table_missing",
        "join_missing",
        "outer_join_missing",
    }
)
# Words of a question that a query uses or does not use; other demands are kept to in many ways.
_USED_WORDS = {"number", "quoted", "year"}
_SAME = "The same measures, filters and groups"


def semantic_equivalence(
    comparison: Comparison, findings: tuple[Finding, ...] | None, differ: Differ | None
) -> Verdict:
    """Whether both queries measure the same of the same rows, whatever their spelling.

    ``findings`` are the differences of the two queries; None: one of them cannot be read.
    Where results agree and the trees do not, neither shows whether that is chance: skipped, for
    another judge to fill in.
    """
    name = "semantic_equivalence"
    if comparison.step == "identical_sql":
        return Verdict(name, "yes", "Both queries are one query.", 1.0)
    if findings is None:
        return Verdict(name, "skipped", "One of the queries cannot be read as a tree.")
    agree = comparison.is_correct
    apart = [finding for finding in findings if finding.rule not in PRESENTATION]
    repeats = repeats_differently(differ) if agree and differ is not None else None
    if agree and (apart or repeats):
        told = " ".join(part for part in (_named(apart), repeats) if part)
        return Verdict(
            name,
            "skipped",
            f"The results agree, and the queries do not: {told} Whether that can change a "
            "result, neither the trees nor today's rows tell.",
        )
    if apart:
        confidence = max(RULES[finding.rule].confidence for finding in apart)
        return Verdict(name, "no", f"It measures something else: {_named(apart)}", confidence)
    if agree:
        return Verdict(name, "yes", f"{_SAME}, written differently.", 0.9)
    if findings:
        return Verdict(
            name, "yes", f"{_SAME}; the results differ in form: {_named([*findings])}", 0.8
        )
    return Verdict(
        name, "skipped", "The results differ, and the trees show no difference in what is measured."
    )


def repeats_differently(differ: Differ) -> str | None:
    """How one of two queries could return rows more often than the other; None: it could not.

    A join finds a row for each partner, IN and EXISTS find it once; DISTINCT leaves repetitions
    out, unless a key is shown, which has none.
    """
    shapes = differ.expected, differ.produced
    if all(_is_one_row(shape) for shape in shapes):
        return None
    if shapes[0].is_distinct != shapes[1].is_distinct and not all(
        _shows_keys(shape, differ) for shape in shapes
    ):
        return "One of them leaves out repeated rows (DISTINCT)."
    if all(shape.is_distinct for shape in shapes):
        return None
    for shape, other in (shapes, shapes[::-1]):
        joined = {edge.pair for edge in other.edges if not edge.is_semi}
        for edge in shape.edges:
            # The subquery comes after what it is compared with: it has the higher instance.
            inner = max(edge.left, edge.right, key=lambda use: use.instance)
            finds_one = _is_only_key(inner.name, differ.catalog)
            if edge.is_semi and edge.pair in joined and not finds_one:
                return f"One of them joins on {edge.text}, the other looks whether there is any."
    return None


def _is_one_row(shape: QueryShape) -> bool:
    """Whether a query gives one row that repeated rows do not change: MAX, MIN, DISTINCT."""
    return bool(shape.outputs) and all(
        term.aggregates
        and all(a.is_distinct or a.function in {"MAX", "MIN"} for a in term.aggregates)
        for term in shape.outputs
    )


def _shows_keys(shape: QueryShape, differ: Differ) -> bool:
    """Whether no row of a query can repeat: it groups, or shows the keys of all that it reads."""
    if shape.group_by or any(term.aggregates for term in shape.outputs):
        return True
    shown = {name for term in shape.outputs if term.column for name in term.uses[0].names}
    for name in shape.tables_set():
        table = differ.catalog.table(*name.split("."))
        keys = [f"{name}.{c.name}" for c in table.columns if c.is_primary_key] if table else []
        if not keys or not shown.issuperset(keys):
            return False
    return len(shape.tables) == len(shape.tables_set())


def _is_only_key(name: str, catalog: Catalog) -> bool:
    """Whether a column alone is the primary key of its table."""
    table = catalog.table(*name.split(".")[:-1])
    keys = [column.name for column in table.columns if column.is_primary_key] if table else []
    return keys == [name.rpartition(".")[2]]


def completeness(
    comparison: Comparison,
    findings: tuple[Finding, ...],
    differ: Differ | None,
    ruling: ArbiterRuling | None,
) -> Verdict:
    """Whether an output, a filter, a group or words of the question are missing from the answer."""
    name = "completeness"
    if comparison.is_correct:
        is_same = comparison.step == "identical_sql"
        told = "The result is the expected one: nothing that was asked for is missing."
        return Verdict(name, "yes", told, 1.0 if is_same else 0.9)
    if ruling is not None and ruling.verdict in ("both_correct", "genie_correct"):
        told = f"What differs is not asked for, or the answer is right: {ruling.evidence}"
        return Verdict(name, "yes", told, ruling.confidence)
    missing = [finding for finding in findings if finding.rule in MISSING]
    if missing:
        confidence = max(RULES[finding.rule].confidence for finding in missing)
        return Verdict(name, "no", f"Missing: {_named(missing)}", confidence)
    unused = _unused_words(differ)
    if unused:
        told = f"The question says {unused}; the expected SQL uses it, the answer does not."
        return Verdict(name, "no", told, 0.85)
    if not findings or differ is None:
        return Verdict(name, "skipped", "The results differ, and nothing tells what is missing.")
    told = f"Nothing that was asked for is missing; what differs: {_named([*findings])}"
    return Verdict(name, "yes", told, 0.75)


def _named(findings: list[Finding]) -> str:
    """The causes by the names of their rules, as the failures have them, and what to change."""
    return " ".join(f"{finding.rule} ({finding.fix.rstrip('.')})." for finding in findings)


def _unused_words(differ: Differ | None) -> str | None:
    if differ is None:
        return None
    unused = [d for d in demands(differ) if d.kind in _USED_WORDS and d.contradicts_produced]
    return " and ".join(f'"{demand.phrase}"' for demand in unused) or None
