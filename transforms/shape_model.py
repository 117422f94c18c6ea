"""The normalized shape of a query: what it asks for, whichever way it is written.

A shape is a flat description of a whole query, subqueries, CTEs and derived tables included. Names
are in the spelling of the catalog, aliases are gone, and equivalent ways to write one thing give
one value. Two queries are compared feature by feature (``transforms.query_diff``).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

# Where a condition holds: on the rows of the result; on rows that are excluded (NOT IN, NOT EXISTS,
# EXCEPT, LEFT JOIN .. IS NULL); in a subquery that is compared with; in a ranking subquery; on
# groups; inside a conditional aggregate.
Place = Literal["rows", "excluded", "compared", "ranked", "groups", "conditional"]
EdgeKind = Literal["inner", "outer", "anti"]
Period = Literal["year", "month"]


@dataclass(frozen=True, slots=True)
class Use:
    """One use of a column.

    ``name`` is ``schema.table.column`` as written; ``names`` holds it and every column that the
    query's inner joins make equal to it. ``role`` tells instances of one table apart: the columns
    that its instance is joined by. ``instance`` numbers the occurrence of the table in the query.
    """

    name: str
    names: frozenset[str]
    role: frozenset[str] = frozenset()
    instance: int = 0

    @property
    def table(self) -> str:
        """``schema.table`` of the column as written."""
        return self.name.rpartition(".")[0]


@dataclass(frozen=True, slots=True)
class Aggregate:
    """An aggregate inside a term; ``argument`` is None for ``COUNT(*)``."""

    function: str
    is_distinct: bool
    argument: Term | None
    is_conditional: bool = False
    condition_columns: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Window:
    """What a window function is taken over: keys in canonical SQL, those of the order with whether
    they descend (``Ordering.sorted_by``)."""

    function: str
    partition: tuple[str, ...]
    order: tuple[tuple[str, bool], ...]


@dataclass(frozen=True, slots=True)
class Term:
    """A normalized expression.

    ``pieces`` are the texts between the columns in ``uses``, one more than there are columns.
    Casts, rounding, aliases, redundant parentheses and the conditions of conditional aggregates are
    gone from them; ``has_rounding`` remembers a rounding. ``text`` is the canonical SQL with
    everything in it, columns as ``schema.table.column``. What the term is as a whole:
    ``is_literal``, ``is_aggregate`` (one aggregate and nothing else), ``window``, the ``period``
    that it cuts its column down to, and ``factor``, how much of its first and last piece a constant
    factor is. ``casts`` are the types that it is cast to where that changes its order, for keys of
    an order. ``has_division``, ``has_subquery`` and ``literals`` (as SQL) are of any part of it.
    """

    pieces: tuple[str, ...]
    text: str
    uses: tuple[Use, ...] = ()
    aggregates: tuple[Aggregate, ...] = ()
    measures: tuple[str, ...] = ()
    has_rounding: bool = False
    is_window: bool = False
    has_division: bool = False
    has_subquery: bool = False
    literals: tuple[str, ...] = ()
    is_literal: bool = False
    is_aggregate: bool = False
    window: Window | None = None
    period: Period | None = None
    factor: tuple[int, int] = (0, 0)
    casts: tuple[str, ...] = ()

    @property
    def column(self) -> str | None:
        """The column, when the term is nothing else."""
        return self.uses[0].name if self.pieces == ("", "") else None

    @property
    def literal(self) -> str | None:
        """The SQL literal, when the term is nothing else."""
        return self.pieces[0] if self.is_literal else None

    @property
    def columns(self) -> tuple[str, ...]:
        """Its columns, sorted, each once."""
        return tuple(sorted({use.name for use in self.uses}))

    def same(self, other: Term, *, is_role_strict: bool = False) -> bool:
        """Whether both mean the same value: equal texts over columns known to be equal."""
        if self.pieces != other.pieces:
            return False
        pairs = zip(self.uses, other.uses, strict=True)
        return all(
            mine.names & theirs.names and (not is_role_strict or mine.role == theirs.role)
            for mine, theirs in pairs
        )


@dataclass(frozen=True, slots=True)
class Predicate:
    """A normalized condition.

    ``operator`` is one of ``= <> > >= < <= IN NOT_IN LIKE NOT_LIKE IS_NULL IS_NOT_NULL`` or ``OR``
    and ``EXPR`` for what has no simpler form (then ``left`` holds the whole condition). ``values``
    are literals as SQL writes them, sorted; ``right`` a term that is compared with instead.
    ``is_folded`` says that case does not count. ``slot`` counts the conditional aggregates from
    the left, so that a numerator's condition differs from a denominator's.
    """

    left: Term
    operator: str
    values: tuple[str, ...] = ()
    right: Term | None = None
    place: Place = "rows"
    is_folded: bool = False
    slot: int = 0
    parts: tuple[Predicate, ...] = ()
    written: str | None = None

    @property
    def literals(self) -> tuple[str, ...]:
        """Every literal of the condition, as SQL."""
        right = self.right.literals if self.right is not None else ()
        inner = [literal for part in self.parts for literal in part.literals]
        return (*self.values, *self.left.literals, *right, *inner)

    @property
    def columns(self) -> tuple[str, ...]:
        """Every column of the condition, sorted."""
        found = {*self.left.columns, *(self.right.columns if self.right else ())}
        return tuple(sorted(found.union(*(part.columns for part in self.parts))))

    @property
    def text(self) -> str:
        """Canonical SQL of the condition."""
        return self.written or render_predicate(self)

    def same(
        self, other: Predicate, *, is_place_strict: bool = True, is_role_strict: bool = False
    ) -> bool:
        """Whether both are the same condition."""
        is_same_form = (
            self.operator == other.operator
            and self._comparable_values(other) == other._comparable_values(self)
            and (not is_place_strict or (self.place, self.slot) == (other.place, other.slot))
            and len(self.parts) == len(other.parts)
            and (self.right is None) == (other.right is None)
        )
        if not is_same_form or not self.left.same(other.left, is_role_strict=is_role_strict):
            return False
        if self.right is not None and other.right is not None and not self.right.same(other.right):
            return False
        rest = list(other.parts)
        for part in self.parts:
            twin = next((p for p in rest if part.same(p, is_place_strict=False)), None)
            if twin is None:
                return False
            rest.remove(twin)
        return True

    def _comparable_values(self, other: Predicate) -> tuple[str, ...]:
        if self.is_folded or other.is_folded:
            return tuple(sorted(value.casefold() for value in self.values))
        return self.values


def render_predicate(predicate: Predicate) -> str:
    """Canonical SQL of a condition."""
    left, values = predicate.left.text, predicate.values
    match predicate.operator:
        case "OR":
            return " OR ".join(part.text for part in predicate.parts)
        case "AND":
            return " AND ".join(
                f"({part.text})" if part.operator == "OR" else part.text for part in predicate.parts
            )
        case "EXPR":
            return left
        case "IN":
            return f"{left} IN ({', '.join(values)})"
        case "NOT_IN":
            return f"NOT {left} IN ({', '.join(values)})"
        case "LIKE" | "NOT_LIKE":
            word = "ILIKE" if predicate.is_folded else "LIKE"
            prefix = "NOT " if predicate.operator == "NOT_LIKE" else ""
            return f"{prefix}{left} {word} {values[0]}"
        case "IS_NULL":
            return f"{left} IS NULL"
        case "IS_NOT_NULL":
            return f"NOT {left} IS NULL"
    right = predicate.right.text if predicate.right else values[0] if values else "NULL"
    return f"{left} {predicate.operator} {right}"


@dataclass(frozen=True, slots=True)
class Edge:
    """A join condition: an unordered pair of uses, ``left.name <= right.name``."""

    left: Use
    right: Use
    kind: EdgeKind = "inner"
    is_semi: bool = False

    @property
    def pair(self) -> tuple[str, str]:
        """The two columns, sorted."""
        return self.left.name, self.right.name

    @property
    def text(self) -> str:
        """Canonical SQL of the condition."""
        return f"{self.left.name} = {self.right.name}"


@dataclass(frozen=True, slots=True)
class Ordering:
    """One key of ORDER BY; ``nulls_first`` is None where no row that it sorts has NULL."""

    term: Term
    is_descending: bool
    nulls_first: bool | None = None

    @property
    def text(self) -> str:
        """Canonical SQL of the key."""
        return f"{self._value} {'DESC' if self.is_descending else 'ASC'}{self._nulls}"

    @property
    def sorted_by(self) -> tuple[str, bool]:
        """What it sorts by, with the place of NULLs, and whether it descends."""
        return f"{self._value}{self._nulls}", self.is_descending

    @property
    def _value(self) -> str:
        text = self.term.text
        for data_type in self.term.casts:
            text = f"CAST({text} AS {data_type})"
        return text

    @property
    def _nulls(self) -> str:
        """Where NULLs stand, unless it is where they stand without a word."""
        if self.nulls_first is None or self.nulls_first != self.is_descending:
            return ""
        return " NULLS FIRST" if self.nulls_first else " NULLS LAST"

    def same(self, other: Ordering) -> bool:
        """Whether both sort rows alike, but for those that tie."""
        places = {self.nulls_first, other.nulls_first}
        return (
            self.term.same(other.term)
            and self.is_descending == other.is_descending
            and self.term.casts == other.term.casts
            and (None in places or len(places) == 1)
        )


@dataclass(frozen=True, slots=True)
class Superlative:
    """The first ``count`` rows by a term, however it is written.

    ``keeps_ties`` where rows that share the last value all stay (= MAX, RANK). ``population`` are
    the conditions of the rows that are ranked, where a subquery of its own ranks them; None where
    the rows of the result are ranked. ``partition`` are the keys within which they are ranked,
    ``skip`` is how many are left out at the top (OFFSET). ``nulls_first`` is None where rows with
    NULL are not ranked (= MIN).
    """

    term: Term
    is_descending: bool
    count: int
    keeps_ties: bool = False
    population: tuple[Predicate, ...] | None = None
    partition: tuple[Term, ...] = ()
    skip: int = 0
    nulls_first: bool | None = None

    @property
    def key(self) -> Ordering:
        """What it ranks by, as a key of ORDER BY."""
        return Ordering(self.term, self.is_descending, self.nulls_first)

    @property
    def text(self) -> str:
        """Canonical SQL of the ranking."""
        if self.partition:
            keys = ", ".join(term.text for term in self.partition)
            window = f"(PARTITION BY {keys} ORDER BY {self.key.text})"
            return f"ROW_NUMBER() OVER {window} <= {self.count}"
        offset = f" OFFSET {self.skip}" if self.skip else ""
        return f"ORDER BY {self.key.text} LIMIT {self.count}{offset}"

    def same(self, other: Superlative) -> bool:
        """Whether both rank by the same thing within the same groups, in whatever direction."""
        pairs = list(zip(self.partition, other.partition, strict=False))
        is_same_size = len(self.partition) == len(other.partition)
        return is_same_size and self.term.same(other.term) and all(a.same(b) for a, b in pairs)


@dataclass(frozen=True, slots=True)
class SetOperation:
    """A set operation that is not merely a condition: over what it is applied."""

    operator: Literal["UNION", "INTERSECT", "EXCEPT"]
    is_over_aggregates: bool
    keeps_duplicates: bool = False


@dataclass(frozen=True, slots=True)
class FunctionCall:
    """A call of a table function: arguments by parameter name (or position, from 1)."""

    function: str
    arguments: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Unresolved:
    """A name that the catalog does not have where it is used; ``tables`` were in reach."""

    kind: Literal["column", "table"]
    name: str
    tables: tuple[str, ...] = ()
    clause: str = "SELECT"


@dataclass(frozen=True, slots=True)
class QueryShape:
    """Everything that a query asks for. See the module's docstring."""

    tables: tuple[str, ...] = ()
    edges: tuple[Edge, ...] = ()
    outputs: tuple[Term, ...] = ()
    has_star: bool = False
    predicates: tuple[Predicate, ...] = ()
    group_by: tuple[Term, ...] = ()
    order_by: tuple[Ordering, ...] = ()
    limit: int | None = None
    superlatives: tuple[Superlative, ...] = ()
    is_distinct: bool = False
    set_operations: tuple[SetOperation, ...] = ()
    functions: tuple[FunctionCall, ...] = ()
    measures: tuple[str, ...] = ()
    unresolved: tuple[Unresolved, ...] = ()
    cross_joined: tuple[str, ...] = ()
    aggregates_groups: bool = False
    ungrouped: tuple[Term, ...] = ()
    equalities: tuple[frozenset[str], ...] = ()

    def tables_set(self) -> frozenset[str]:
        """The tables it reads, each once."""
        return frozenset(self.tables)

    @property
    def aggregates(self) -> tuple[Aggregate, ...]:
        """The aggregates of its output."""
        return tuple(a for output in self.outputs for a in output.aggregates)

    def are_equal(self, left: str, right: str) -> bool:
        """Whether its inner joins make two columns equal."""
        return any(left in group and right in group for group in self.equalities)

    def used_columns(self) -> frozenset[str]:
        """Every column it uses, joins included."""
        terms = [
            *self.outputs,
            *self.group_by,
            *(key.term for key in self.order_by),
            *(ranking.term for ranking in self.superlatives),
        ]
        arguments = [a.argument for term in terms for a in term.aggregates if a.argument]
        names = {name for term in (*terms, *arguments) for name in term.columns}
        names.update(name for predicate in self.predicates for name in predicate.columns)
        names.update(name for edge in self.edges for name in edge.pair)
        return frozenset(names)
