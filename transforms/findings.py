"""Findings: single differences between two shapes, and the canonical form of what is blamed."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace

from transforms.judgement import ValueLookup
from transforms.name_scope import Catalog
from transforms.result_evidence import ResultEvidence
from transforms.shape_model import Predicate, QueryShape, Term


@dataclass(frozen=True, slots=True)
class Finding:
    """One difference that may explain a wrong result.

    ``blame`` are canonical objects, sorted. ``clause`` is where it stands, when that is not fixed
    by the rule. ``is_weak`` marks a difference that is reported only
    when nothing stronger explains the result. ``covers`` are tables whose absence it explains.
    ``expected_literals`` and ``actual_literals`` are the values of conditions, as SQL.
    """

    rule: str
    blame: tuple[str, ...]
    fix: str
    expected_fragment: str | None = None
    actual_fragment: str | None = None
    expected_value: str | None = None
    actual_value: str | None = None
    is_weak: bool = False
    covers: frozenset[str] = frozenset()
    clause: str | None = None
    expected_literals: tuple[str, ...] = ()
    actual_literals: tuple[str, ...] = ()


@dataclass
class Differ:
    """What every part of the diff looks at, and the findings so far.

    ``written_expected`` is the expected shape as it is written, where ``expected`` had values put
    into the spelling of the data. ``plain`` are both queries with metric views replaced by what
    they are defined as; None where they read none, or one that cannot be replaced. ``may_tie`` says
    whether ties may explain the difference: with an engine to ask, whether it shows that they do.
    """

    expected: QueryShape
    produced: QueryShape
    catalog: Catalog
    values: ValueLookup
    evidence: ResultEvidence
    question: str
    is_ordered: bool
    written_expected: QueryShape | None = None
    plain: tuple[QueryShape, QueryShape] | None = None
    may_tie: Callable[[], bool] = lambda: True
    findings: list[Finding] = field(default_factory=list)

    def add(self, finding: Finding) -> None:
        """Adds a finding unless its cause and blame are there already."""
        known = {(found.rule, found.blame) for found in self.findings}
        if (finding.rule, finding.blame) not in known:
            self.findings.append(finding)

    def with_plain_shapes(self) -> Differ:
        """The same without findings, metric views replaced by what they are defined as."""
        expected, produced = self.plain or (self.expected, self.produced)
        return replace(self, expected=expected, produced=produced, findings=[])

    def space_blame(self) -> tuple[str, ...]:
        """The space itself: for habits that no single object explains."""
        return (f"space:{self.catalog.state.space_id}",)

    def column_blame(self, columns: Iterable[str]) -> tuple[str, ...]:
        """Columns of the catalog in canonical form; the space when there are none."""
        known = {
            f"column:{self.catalog.spelled(name)}" for name in columns if self.catalog.column(name)
        }
        return tuple(sorted(known)) or self.space_blame()

    def join_blame(self, left: str, right: str) -> tuple[str, ...]:
        """A join in canonical form: sides sorted, in the catalog's spelling."""
        sides = sorted((self.catalog.spelled(left), self.catalog.spelled(right)))
        return (f"join:{sides[0]}={sides[1]}",)

    def term_blame(self, term: Term, shape: QueryShape) -> tuple[str, ...]:
        """What a term is about: its measures, its columns, or the table whose rows it counts."""
        if term.measures:
            return tuple(sorted(f"measure:{name}" for name in term.measures))
        arguments = {
            name for a in term.aggregates if a.argument is not None for name in a.argument.columns
        }
        for aggregate in term.aggregates:
            if aggregate.argument is None:
                arguments.update(aggregate.condition_columns)
        columns = sorted(arguments | set(term.columns))
        if columns:
            return self.column_blame(columns)
        return self.counted_blame(shape)

    def counted_blame(self, shape: QueryShape) -> tuple[str, ...]:
        """The table whose rows COUNT(*) counts: the one on the many side of the joins."""
        counted = many_side(shape, self.catalog)
        return (f"table:{counted}",) if counted else self.space_blame()


def many_side(shape: QueryShape, catalog: Catalog) -> str | None:
    """The table that no other table of the query refers to: one row of it is one row joined."""
    tables = sorted(shape.tables_set())
    if len(tables) <= 1:
        return tables[0] if tables else None
    referred = set()
    for edge in shape.edges:
        for use, other in ((edge.left, edge.right), (edge.right, edge.left)):
            column = catalog.column(use.name)
            if column is not None and column.is_primary_key and use.table != other.table:
                holder = catalog.column(other.name)
                if holder is None or not holder.is_primary_key or holder.references:
                    referred.add(use.table)
    rest = [table for table in tables if table not in referred]
    return rest[0] if len(rest) == 1 else None


def tables_of(columns: Iterable[str]) -> frozenset[str]:
    """The tables of columns called ``schema.table.column``."""
    return frozenset(name.rpartition(".")[0] for name in columns)


def unquoted(literal: str) -> str:
    """The value of a SQL literal."""
    if literal.startswith("'"):
        return literal[1:-1].replace("''", "'")
    return literal


def is_text(literal: str) -> bool:
    """Whether a SQL literal is a string."""
    return literal.startswith("'")


def folded(text: str) -> str:
    """Letters and digits in lower case: what is left when spelling does not count."""
    return "".join(character for character in text.casefold() if character.isalnum())


def values_text(predicate: Predicate) -> str:
    """The values a predicate compares with, for people."""
    if predicate.right is not None:
        return predicate.right.text
    return ", ".join(predicate.values) or predicate.operator.replace("_", " ")
