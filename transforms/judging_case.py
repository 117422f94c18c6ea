"""One answer with everything known about it: both queries read, both results related."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from sqlglot import exp

from transforms.arbiter import repaired
from transforms.findings import Differ
from transforms.judgement import Comparison, Engine, Execution, Question, ValueLookup
from transforms.name_scope import Catalog
from transforms.question_order import asked_direction, asked_order, is_in_some_order
from transforms.read_queries import ReadQueries, ReadQuery
from transforms.result_evidence import result_evidence
from transforms.result_ladder import OFFICIAL_POLICIES, forgives, not_comparable
from transforms.results import compare
from transforms.shape_model import Ordering, QueryShape
from transforms.space_state import SpaceState
from transforms.ties import Ranking, like_produced, ranking_of


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

    @cached_property
    def ranking(self) -> Ranking | None:
        """How the expected query ranks its rows; None where it leaves no tie open."""
        return ranking_of(self.expected_tree) if self.expected_tree is not None else None

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
        may_tie=lambda: case.engine is None or _shows_tie(case, is_ordered=is_ordered),
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
        fault = order_fault(case)
        if fault is not None:
            comparison = Comparison("row_order", False, fault)
    return comparison, is_ordered


def order_fault(case: Case) -> str | None:
    """What is wrong about the order of rows, by the words of a question that ask for one.

    An order is one that the SQL asks for, or that can be seen: a column that rises or falls. One of
    its keys has to go the way that the question says; for a key that is calculated, as ``-price``,
    the rows show which way that is. None: nothing is wrong, or no words ask for an order.
    """
    phrase = asked_order(case.question.question)
    rows, shape = case.produced.rows, case.produced_shape
    if phrase is None or rows is None or shape is None or len(rows) < 2:
        return None
    if not (shape.order_by or shape.superlatives) and not is_in_some_order(rows):
        return f"the question says {phrase!r}, and the rows are in no order"
    direction = asked_direction(case.question.question)
    ranked = [ranking.key for ranking in shape.superlatives if ranking.population is None]
    keys = [*shape.order_by, *ranked]
    if direction is None or any(key.is_descending == (direction == "falls") for key in keys):
        return None
    is_shown = not keys or any(not key.term.column and not key.term.aggregates for key in keys)
    if is_shown and is_in_some_order(rows, direction):
        return None
    seen = "falls" if direction == "rises" else "rises"
    return f"the question says {phrase!r}, so that the order {direction}, and it {seen}"


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
    may_keep_ties = _keeps_ties(case)
    row_counts = case.expected.row_count, case.produced.row_count
    is_wider = len(case.expected.columns) > len(case.produced.columns)
    if is_wider or (row_counts[0] != row_counts[1] and not may_keep_ties):
        return comparison
    ranking = case.ranking
    ranked = _ranked(case, ranking) if ranking is not None else None
    if ranking is None or ranked is None:
        # No values show which rows tie: what the queries say has to do.
        is_tie = comparison.step == "row_order" and _has_one_order(case)
        return (
            compare(case.expected, case.produced, policy=policy, is_ordered=False)
            if is_tie
            else comparison
        )
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


def _ranked(case: Case, ranking: Ranking) -> Execution | None:
    """All rows that a query ranks; None where nothing can be asked for them, or nothing came."""
    ranked = case.engine.execute(ranking.sql) if case.engine is not None else None
    return ranked if ranked is not None and ranked.rows is not None else None


def _shows_tie(case: Case, *, is_ordered: bool) -> bool:
    """Whether values show that both results are right, as rows tie.

    The produced rows are among those that the expected query chooses from; or, where that keeps all
    that tie, the expected rows are all that the produced query chooses from.
    """
    ranking, theirs = case.ranking, case.produced
    may_keep_ties = _keeps_ties(case)
    if ranking is None and case.produced_tree is not None and _keeps_all(case.expected_shape):
        ranking, theirs = ranking_of(case.produced_tree), case.expected
        may_keep_ties, is_ordered = True, False
    ranked = _ranked(case, ranking) if ranking is not None else None
    if ranking is None or ranked is None:
        return False
    twin = like_produced(
        ranked, ranking, theirs, is_ordered=is_ordered, may_keep_ties=may_keep_ties
    )
    return twin is not None


def _keeps_ties(case: Case) -> bool:
    """Whether the answer takes the first rows in a way that keeps all that tie (= MAX, RANK)."""
    return _keeps_all(case.produced_shape)


def _keeps_all(shape: QueryShape | None) -> bool:
    return shape is not None and any(ranking.keeps_ties for ranking in shape.superlatives)


def _has_one_order(case: Case) -> bool:
    """Whether both queries order by the same keys: rows that tie may stand in any order."""
    wanted, given = case.expected_shape, case.produced_shape
    if wanted is None or given is None:
        return False
    keys, others = wanted.order_by, given.order_by[: len(wanted.order_by)]
    is_same = len(keys) == len(others) and all(map(Ordering.same, keys, others))
    return bool(keys) and is_same
