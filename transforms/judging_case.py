"""One answer with everything known about it: both queries read, both results related."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from sqlglot import exp

from transforms.arbiter import repaired
from transforms.findings import Differ
from transforms.judgement import Comparison, Engine, Execution, Question, ValueLookup
from transforms.name_scope import Catalog
from transforms.question_order import asked_order, is_in_some_order
from transforms.read_queries import ReadQueries, ReadQuery
from transforms.result_evidence import result_evidence
from transforms.result_ladder import OFFICIAL_POLICIES, forgives, not_comparable
from transforms.results import compare
from transforms.shape_model import QueryShape
from transforms.space_state import SpaceState
from transforms.ties import like_produced, ranking_of


@dataclass(frozen=True)
class Case:
    """One answer with everything known about it; queries are read when they are first needed."""

    question: Question
    expected: Execution
    produced: Execution
    state: SpaceState
    values: ValueLookup
    engine: Engine | None = None
    queries: ReadQueries | None = None  # of ``state``, kept from answers before

    @property
    def is_too_large(self) -> bool:
        """Whether there are two results, and one at least is too large to be at hand."""
        statuses = {self.expected.status, self.produced.status}
        return "too_large" in statuses and statuses <= {"too_large", "ok"}

    @property
    def space(self) -> tuple[str, ...]:
        return (f"space:{self.state.space_id}",)

    @cached_property
    def _read(self) -> ReadQueries:
        return self.queries or ReadQueries(self.state)

    @property
    def catalog(self) -> Catalog:
        return self._read.catalog

    @cached_property
    def _expected_query(self) -> ReadQuery:
        return self._read.read(self.question.expected_sql)

    @cached_property
    def _produced_query(self) -> ReadQuery:
        return self._read.read(self.question.produced_sql)

    @property
    def expected_tree(self) -> exp.Query | None:
        return self._expected_query.tree

    @property
    def produced_tree(self) -> exp.Query | None:
        return self._produced_query.tree

    @property
    def expected_shape(self) -> QueryShape | None:
        return self._expected_query.shape

    @property
    def produced_shape(self) -> QueryShape | None:
        return self._produced_query.shape

    @cached_property
    def plain_shapes(self) -> tuple[QueryShape, QueryShape] | None:
        """Both shapes with metric views replaced by what they are defined as; None: none is."""
        expected, produced = self._expected_query, self._produced_query
        if expected.plain is None and produced.plain is None:
            return None
        shapes = expected.plain_shape, produced.plain_shape
        return None if shapes[0] is None or shapes[1] is None else (shapes[0], shapes[1])

    @property
    def is_one_query(self) -> bool:
        """Whether both are one query, written differently at most."""
        trees = self._expected_query.canonical, self._produced_query.canonical
        try:
            return trees[0] is not None and trees[0] == trees[1]
        except RecursionError:
            return False


def differ_of(case: Case, *, is_ordered: bool) -> Differ | None:
    """What the diff of the two queries looks at; None when one of them cannot be read."""
    if case.expected_shape is None or case.produced_shape is None:
        return None
    evidence = result_evidence(case.expected, case.produced)
    expected = case.expected_shape
    if evidence.is_expected_void and not evidence.is_produced_void:
        expected = repaired(expected, case.values)
    return Differ(
        expected=expected,
        produced=case.produced_shape,
        catalog=case.catalog,
        values=case.values,
        evidence=evidence,
        question=case.question.question,
        is_ordered=is_ordered,
        written_expected=case.expected_shape,
        plain=case.plain_shapes,
    )


def compare_results(case: Case, policy: str) -> tuple[Comparison, bool]:
    """The comparison under a policy, and whether the order of rows counts.

    It counts where the expected SQL orders its result, but for rows that tie, and where the
    question asks for an order. Without either, no order is right or wrong. A question that asks for
    one that the expected SQL does not give needs an answer in some order.
    """
    wanted = case.expected_shape
    is_ordered = wanted is not None and bool(
        wanted.order_by or any(r.count > 1 and r.population is None for r in wanted.superlatives)
    )
    if case.is_too_large:
        return _compared_by_engine(case, policy, is_ordered=is_ordered), is_ordered
    comparison = compare(case.expected, case.produced, policy=policy, is_ordered=is_ordered)
    if not comparison.is_correct:
        comparison = _compared_up_to_ties(case, policy, comparison, is_ordered=is_ordered)
    if comparison.is_correct and comparison.step == "equal" and case.is_one_query:
        comparison = Comparison("identical_sql", True, "Both queries are one query.")
    if not is_ordered and comparison.is_correct and policy not in OFFICIAL_POLICIES:
        phrase = order_left_out(case)
        if phrase is not None:
            comparison = Comparison(
                "row_order", False, f"the question says {phrase!r}, and the rows are in no order"
            )
    return comparison, is_ordered


def order_left_out(case: Case) -> str | None:
    """The words that ask for an order of rows where the answer has none; None: it has, or none do.

    An order is one that the SQL asks for, or that can be seen: a column that rises or falls.
    """
    phrase = asked_order(case.question.question)
    rows, shape = case.produced.rows, case.produced_shape
    if phrase is None or rows is None or shape is None or len(rows) < 2:
        return None
    is_ordered = bool(shape.order_by or shape.superlatives) or is_in_some_order(rows)
    return None if is_ordered else phrase


def _compared_by_engine(case: Case, policy: str, *, is_ordered: bool) -> Comparison:
    expected_sql, produced_sql = case.question.expected_sql, case.question.produced_sql
    if case.engine is None or produced_sql is None:
        return not_comparable("a result is too large to be at hand")
    comparison = case.engine.compare(
        expected_sql, produced_sql, policy=policy, is_ordered=is_ordered
    )
    if comparison.is_correct and comparison.step == "equal" and case.is_one_query:
        return Comparison("identical_sql", True, "Both queries are one query.")
    return comparison


def _compared_up_to_ties(
    case: Case, policy: str, comparison: Comparison, *, is_ordered: bool
) -> Comparison:
    """The comparison with the expected rows ordered and cut as the produced ones where they tie."""
    is_order_wrong = comparison.step == "row_order"
    if is_order_wrong and _has_one_order(case):
        return compare(case.expected, case.produced, policy=policy, is_ordered=False)
    may_keep_ties = _keeps_ties(case)
    row_counts = case.expected.row_count, case.produced.row_count
    is_wider = len(case.expected.columns) > len(case.produced.columns)
    if is_wider or (row_counts[0] != row_counts[1] and not may_keep_ties):
        return comparison
    ranking = ranking_of(case.expected_tree) if case.expected_tree is not None else None
    if ranking is None or case.engine is None:
        return comparison
    ranked = case.engine.execute(ranking.sql)
    twin = like_produced(
        ranked, ranking, case.produced, is_ordered=is_ordered, may_keep_ties=may_keep_ties
    )
    if twin is None:
        return comparison
    is_cut = not compare(case.expected, twin, policy="bag").is_correct
    if not is_cut:
        # A right answer, whose rows tie in another order.
        return compare(case.expected, case.produced, policy=policy, is_ordered=False)
    if not compare(twin, case.produced, policy=policy, is_ordered=is_ordered).is_correct:
        return comparison
    return Comparison(
        "tie_cut_by_limit",
        forgives(policy, "tie_cut_by_limit"),
        f"LIMIT keeps {row_counts[0]} of {ranked.row_count} rows that tie or that nothing orders; "
        f"the answer has {row_counts[1]} of them, as right as these",
    )


def _keeps_ties(case: Case) -> bool:
    """Whether the answer takes the first rows in a way that keeps all that tie (= MAX, RANK)."""
    shape = case.produced_shape
    return shape is not None and any(ranking.keeps_ties for ranking in shape.superlatives)


def _has_one_order(case: Case) -> bool:
    """Whether both queries order by the same keys: rows that tie may stand in any order."""
    wanted, given = case.expected_shape, case.produced_shape
    if wanted is None or given is None:
        return False
    keys = [(key.term, key.is_descending) for key in wanted.order_by]
    others = [(key.term, key.is_descending) for key in given.order_by[: len(keys)]]
    is_same = len(keys) == len(others) and all(
        mine[0].same(theirs[0]) and mine[1] == theirs[1]
        for mine, theirs in zip(keys, others, strict=True)
    )
    return bool(keys) and is_same
