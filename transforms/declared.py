"""What a semantic layer declares, as evidence: certified measures, and filters that belong to them.

Metric views and the snippets of a space are declarations: somebody wrote down what a word means.
Comments are not: they say what is stored.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache

from sqlglot import exp

from transforms.errors import GenieLoopError
from transforms.findings import Differ, Finding, tables_of
from transforms.harmless import rule_of
from transforms.judgement import ArbiterRuling
from transforms.metric_views import MetricView, expanded, metric_view
from transforms.name_scope import Catalog
from transforms.query_diff import diff_queries
from transforms.query_shape import query_shape
from transforms.question_words import contains_value, name_words
from transforms.shape_model import Predicate, QueryShape, Term
from transforms.space_state import Snippet, SpaceState
from transforms.sql_text import parse_query

# How a measure that is computed otherwise shows in the diff of two queries.
_COMPUTED = {
    "calculation_wrong",
    "aggregate_function_wrong",
    "aggregated_column_wrong",
    "distinct_missing",
    "distinct_not_asked",
    "unit_not_converted",
    "scale_wrong",
}
_RANKED = {"ranking_wrong", "ranking_column_wrong"}


@dataclass(frozen=True, slots=True)
class Declaration:
    """A measure (``term``) or a filter (``conditions``) with the words that it is asked for by.

    ``home`` says where it is declared, ``sql`` how. The filter of a metric view is in the
    ``conditions`` of its measures, too, and has them in ``measures``.
    """

    home: str
    sql: str
    spoken: tuple[str, ...]
    tables: frozenset[str]
    term: Term | None = None
    conditions: tuple[Predicate, ...] = ()
    measures: tuple[Term, ...] = ()


def declared_ignored(differ: Differ, findings: tuple[Finding, ...]) -> ArbiterRuling | None:
    """Whether the expected SQL ignores a declaration that the question is about.

    The answer has to keep to it. It is right if nothing else sets the two queries apart.
    """
    declared = declarations(differ.catalog.state)
    if not declared:
        return None
    plain = differ.with_plain_shapes()
    for one in declared:
        ruling = _measure(plain, one) if one.term is not None else _filter(plain, one)
        if ruling is not None:
            return ruling
    return None


def _measure(plain: Differ, one: Declaration) -> ArbiterRuling | None:
    phrase = _phrase(plain.question, one)
    used = _computing(plain.produced, one.term)
    if phrase is None or used is None or _computing(plain.expected, one.term) is not None:
        return None
    instead = [term for term in _computed(plain.expected) if tables_of(term.columns) <= one.tables]
    if not instead or not one.tables & plain.expected.tables_set():
        return None
    rest = [
        finding
        for finding in _strong(plain)
        if not _is_about_measure(finding, used) and not _is_about_filter(finding, one)
    ]
    evidence = (
        f'The question says "{phrase}", which {one.home} declares as {one.sql}. The answer uses '
        f"that; the expected SQL computes {instead[0].text}."
    )
    return _ruled("declared_measure_ignored", evidence, rest)


def _filter(plain: Differ, one: Declaration) -> ArbiterRuling | None:
    phrase = _phrase(plain.question, one)
    shared = [
        measure
        for measure in one.measures
        if _computing(plain.expected, measure) and _computing(plain.produced, measure)
    ]
    if phrase is None and not shared:
        return None
    missing = [c for c in one.conditions if not _keeps(plain.expected, c)]
    is_kept = all(_keeps(plain.produced, condition) for condition in one.conditions)
    if not missing or not is_kept or not one.tables & plain.expected.tables_set():
        return None
    rest = [finding for finding in _strong(plain) if not _is_about_filter(finding, one)]
    asked = f'The question says "{phrase}"' if phrase else f"Both compute {shared[0].text}"
    evidence = (
        f"{asked}, and {one.home} declares the filter {one.sql} for it. The answer keeps to that; "
        f"the expected SQL leaves out {' AND '.join(condition.text for condition in missing)}."
    )
    return _ruled("declared_filter_ignored", evidence, rest)


def _ruled(rule: str, evidence: str, rest: list[Finding]) -> ArbiterRuling:
    if not rest:
        return rule_of(rule, f"{evidence} Nothing else sets them apart.")
    return rule_of(
        "declaration_contradicts_expected_only",
        f"{evidence} But the answer differs in more than that: {rest[0].fix}",
    )


def _strong(plain: Differ) -> list[Finding]:
    return [finding for finding in diff_queries(plain) if not finding.is_weak]


def _is_about_measure(finding: Finding, used: Term) -> bool:
    if finding.rule in _RANKED:
        return True
    return finding.rule in _COMPUTED and used.text in (
        finding.actual_fragment,
        finding.actual_value,
    )


def _is_about_filter(finding: Finding, one: Declaration) -> bool:
    texts = {condition.text for condition in one.conditions}
    return finding.rule == "filter_not_asked" and finding.actual_fragment in texts


def _phrase(question: str, one: Declaration) -> str | None:
    return next((words for words in one.spoken if contains_value(question, words)), None)


def _keeps(shape: QueryShape, condition: Predicate) -> bool:
    rows = [predicate for predicate in shape.predicates if predicate.place == "rows"]
    return any(predicate.same(condition) for predicate in rows)


def _computing(shape: QueryShape, wanted: Term | None) -> Term | None:
    """The term of a query that computes a measure; None: it does not."""
    if wanted is None:
        return None
    return next((term for term in _computed(shape) if _is_one(term, wanted)), None)


def _is_one(term: Term, wanted: Term) -> bool:
    """Whether two terms are one, the conditions inside their aggregates included."""
    return term.text == wanted.text or (
        term.same(wanted)
        and not any(a.is_conditional for a in (*term.aggregates, *wanted.aggregates))
    )


def _computed(shape: QueryShape) -> list[Term]:
    terms = [*shape.outputs, *(ranking.term for ranking in shape.superlatives)]
    terms += [key.term for key in shape.order_by]
    terms += [predicate.left for predicate in shape.predicates if predicate.place == "groups"]
    return [term for term in terms if term.aggregates]


@lru_cache(maxsize=8)
def declarations(state: SpaceState) -> tuple[Declaration, ...]:
    """Everything that a space's metric views and snippets declare, and that can be read."""
    catalog = Catalog(state)
    views = [view for table in state.tables if (view := metric_view(table)) is not None]
    found = [one for view in views for one in _of_view(view, catalog)]
    found += [one for snippet in state.snippets for one in _of_snippet(snippet, catalog)]
    return tuple(found)


def _of_view(view: MetricView, catalog: Catalog) -> Iterator[Declaration]:
    home = f"the metric view {view.table.name}"
    measures: list[Term] = []
    spoken_by_any: list[str] = []
    conditions: tuple[Predicate, ...] = ()
    for column in view.table.columns:
        sql = view.measures.get(column.name.lower())
        shape = _shape(view.query(f"MEASURE(`{column.name}`)"), catalog) if sql else None
        if sql is None or shape is None or len(shape.outputs) != 1:
            continue
        named = " ".join(name_words(column.name)) or column.name
        spoken = (named, *view.synonyms[column.name.lower()], *column.synonyms)
        conditions = tuple(p for p in shape.predicates if p.place == "rows")
        measures.append(shape.outputs[0])
        spoken_by_any += spoken
        yield Declaration(
            home, sql, spoken, shape.tables_set(), term=shape.outputs[0], conditions=conditions
        )
    if view.condition is not None and conditions:
        yield Declaration(
            home,
            view.condition,
            tuple(spoken_by_any),
            tables_of(name for condition in conditions for name in condition.columns),
            conditions=conditions,
            measures=tuple(measures),
        )


def _of_snippet(snippet: Snippet, catalog: Catalog) -> Iterator[Declaration]:
    tables = _tables_named(snippet.sql, catalog)
    if snippet.kind == "expression" or not tables:
        return
    projected = snippet.sql if snippet.kind == "measure" else "1"
    where = f" WHERE {snippet.sql}" if snippet.kind == "filter" else ""
    shape = _shape(f"SELECT {projected} FROM {', '.join(tables)}{where}", catalog)
    if shape is None or shape.unresolved:
        return
    home = f"the {snippet.kind} {snippet.display_name!r} of the space"
    spoken = (snippet.display_name, *snippet.synonyms)
    if snippet.kind == "measure":
        if shape.outputs and shape.outputs[0].aggregates:
            yield Declaration(home, snippet.sql, spoken, shape.tables_set(), term=shape.outputs[0])
    elif shape.predicates:
        yield Declaration(
            home, snippet.sql, spoken, shape.tables_set(), conditions=shape.predicates
        )


def _shape(sql: str, catalog: Catalog) -> QueryShape | None:
    try:
        tree = parse_query(sql)
        return query_shape(expanded(tree, catalog) or tree, catalog.state)
    except (GenieLoopError, RecursionError):
        return None


def _tables_named(sql: str, catalog: Catalog) -> tuple[str, ...]:
    """The tables that the columns of a fragment are in; none where that is not certain."""
    try:
        tree = parse_query(f"SELECT {sql}")
    except GenieLoopError:
        return ()
    found: dict[str, None] = {}
    for column in tree.find_all(exp.Column):
        holders = list(_holders(column, catalog))
        if len(holders) != 1:
            return ()
        found[holders[0]] = None
    return tuple(found)


def _holders(column: exp.Column, catalog: Catalog) -> Iterable[str]:
    qualifier = column.table.lower()
    for table, _ in catalog.columns_named(column.name):
        if not qualifier or table.name.rpartition(".")[2].lower() == qualifier:
            yield table.name
