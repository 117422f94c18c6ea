"""One answer with everything known about it: both queries read, both results related."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from sqlglot import exp

from transforms.arbiter import repaired
from transforms.errors import GenieLoopError
from transforms.findings import Differ
from transforms.judgement import Comparison, Execution, Question, ValueLookup
from transforms.name_scope import Catalog
from transforms.query_shape import query_shape
from transforms.result_evidence import result_evidence
from transforms.results import compare
from transforms.shape_model import QueryShape
from transforms.space_state import SpaceState
from transforms.sql_text import canonical_tree, parse_query


@dataclass(frozen=True)
class Case:
    """One answer with everything known about it; queries are read when they are first needed."""

    question: Question
    expected: Execution
    produced: Execution
    state: SpaceState
    values: ValueLookup

    @property
    def space(self) -> tuple[str, ...]:
        return (f"space:{self.state.space_id}",)

    @cached_property
    def catalog(self) -> Catalog:
        return Catalog(self.state)

    @cached_property
    def expected_tree(self) -> exp.Query | None:
        return _tree(self.question.expected_sql)

    @cached_property
    def produced_tree(self) -> exp.Query | None:
        return _tree(self.question.produced_sql)

    @cached_property
    def expected_shape(self) -> QueryShape | None:
        return _shape(self.expected_tree, self.state)

    @cached_property
    def produced_shape(self) -> QueryShape | None:
        return _shape(self.produced_tree, self.state)

    @property
    def is_one_query(self) -> bool:
        """Whether both are one query, written differently at most."""
        trees = self.expected_tree, self.produced_tree
        if trees[0] is None or trees[1] is None:
            return False
        try:
            return canonical_tree(trees[0]) == canonical_tree(trees[1])
        except RecursionError:
            return False


def _shape(tree: exp.Query | None, state: SpaceState) -> QueryShape | None:
    """The shape of a query; None for one that is nested too deeply to be looked into."""
    try:
        return query_shape(tree, state) if tree is not None else None
    except RecursionError:
        return None


def _tree(sql: str | None) -> exp.Query | None:
    """A parsed query; None for text that is none."""
    try:
        return parse_query(sql) if sql else None
    except GenieLoopError:
        return None


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
    )


def compare_results(case: Case, policy: str) -> tuple[Comparison, bool]:
    """The comparison under a policy, and whether the order of rows counts.

    It counts where the expected SQL orders its result: without that, no order is right or wrong.
    Rows that tie under one and the same ORDER BY may stand in any order.
    """
    wanted = case.expected_shape
    is_ordered = wanted is not None and bool(
        wanted.order_by or any(r.count > 1 and r.population is None for r in wanted.superlatives)
    )
    comparison = compare(case.expected, case.produced, policy=policy, is_ordered=is_ordered)
    is_order_wrong = comparison.step == "row_order" and not comparison.is_correct
    given = case.produced_shape if is_order_wrong else None
    if wanted is not None and given is not None:
        keys = [(key.term, key.is_descending) for key in wanted.order_by]
        others = [(key.term, key.is_descending) for key in given.order_by[: len(keys)]]
        is_same = len(keys) == len(others) and all(
            mine[0].same(theirs[0]) and mine[1] == theirs[1]
            for mine, theirs in zip(keys, others, strict=True)
        )
        if keys and is_same:
            comparison = compare(case.expected, case.produced, policy=policy, is_ordered=False)
    if comparison.is_correct and comparison.step == "equal" and case.is_one_query:
        comparison = Comparison("identical_sql", True, "Both queries are one query.")
    return comparison, is_ordered
