"""WHERE, ON and HAVING walked: conditions become predicates, join edges and merged subqueries."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

from sqlglot import exp

from transforms.condition_shape import (
    COMPARISONS,
    MIRRORED,
    NEGATED,
    as_number,
    between,
    compare,
    like,
    membership,
    merged_or,
    negated,
)
from transforms.date_shape import as_range
from transforms.name_scope import Catalog, Scope, column_term
from transforms.shape_finish import Draft
from transforms.shape_model import Edge, EdgeKind, Place, Predicate, Superlative, Term, Use
from transforms.term_parts import changed, concat, literal_term, literal_text
from transforms.term_shape import TermBuilder, aggregate_term

Block = list[tuple[str, Term]]  # output names and terms of a query

_QUANTIFIED: dict[tuple[type[exp.Expr], str], str] = {
    (exp.All, ">"): "MAX",
    (exp.All, ">="): "MAX",
    (exp.All, "<"): "MIN",
    (exp.All, "<="): "MIN",
    (exp.Any, ">"): "MIN",
    (exp.Any, ">="): "MIN",
    (exp.Any, "<"): "MAX",
    (exp.Any, "<="): "MAX",
}


class ConditionWalker:
    """Collects conditions into a draft; the queries inside them are walked by ``query``."""

    def __init__(self, catalog: Catalog) -> None:
        self.catalog = catalog
        self.draft = Draft()
        self.terms = TermBuilder(self._value_of_subquery, self._conditional)
        self._instances = 0
        self._slots = 0
        self._edge_kind: EdgeKind = "inner"
        self._is_semi = False

    def query(self, node: exp.Expr, scope: Scope, place: Place, is_top: bool = False) -> Block:
        """Collects the features of a query; gives its output names and terms."""
        raise NotImplementedError

    @contextmanager
    def captured(self) -> Iterator[list[Predicate]]:
        """Predicates that are found inside go into the list, not into the draft."""
        outer, self.draft.predicates = self.draft.predicates, []
        found = self.draft.predicates
        try:
            yield found
        finally:
            self.draft.predicates = outer

    @contextmanager
    def edges_of_kind(self, kind: EdgeKind, is_semi: bool) -> Iterator[None]:
        """Edges that are found inside are of that kind."""
        outer = self._edge_kind, self._is_semi
        self._edge_kind, self._is_semi = kind, is_semi
        try:
            yield
        finally:
            self._edge_kind, self._is_semi = outer

    def edge(self, left: Term, right: Term, kind: EdgeKind, *, is_semi: bool) -> bool:
        """Adds a join edge when both terms are columns of different instances."""
        if not left.column or not right.column:
            return False
        one, other = left.uses[0], right.uses[0]
        if one.instance == other.instance:
            return False
        first, second = sorted((one, other), key=lambda use: (use.name, use.instance))
        self.draft.edges.append(Edge(first, second, kind, is_semi))
        return True

    def condition(
        self,
        node: exp.Expr,
        scope: Scope,
        place: Place,
        clause: str,
        *,
        is_negated: bool = False,
    ) -> None:
        """Adds what a condition says to the draft; conjuncts one by one, negations pushed in."""

        def again(inner: exp.Expr, flip: bool = False) -> None:
            self.condition(inner, scope, place, clause, is_negated=is_negated ^ flip)

        if isinstance(node, exp.Paren):
            again(node.this)
        elif isinstance(node, exp.Not):
            again(node.this, flip=True)
        elif isinstance(node, exp.Or if is_negated else exp.And):
            for part in node.flatten():
                again(part)
        elif isinstance(node, exp.Connector):
            self._either(node, scope, place, clause, is_negated)
        elif isinstance(node, exp.Exists):
            self._exists(node, scope, place, is_negated)
        elif isinstance(node, exp.In):
            self._in(node, scope, place, clause, is_negated)
        elif type(node) in COMPARISONS:
            self._comparison(node, scope, place, clause, is_negated)
        else:
            for predicate in self._simple(node, scope, place, clause, is_negated):
                self.draft.predicates.extend(as_range(predicate, self.catalog))

    def _simple(
        self, node: exp.Expr, scope: Scope, place: Place, clause: str, is_negated: bool
    ) -> list[Predicate]:
        is_negated ^= bool(node.args.get("negate"))
        if isinstance(node, exp.Between):
            term, low, high = (
                self._term(node.args[k], scope, clause) for k in ("this", "low", "high")
            )
            both = between(term, low, high, place, self.catalog)
            flipped = [negated(part) or part for part in both]
            return [merged_or(flipped, place)] if is_negated else both
        if isinstance(node, (exp.Like, exp.ILike)):
            pattern = literal_text(node.expression)
            if pattern is not None:
                left = self._term(node.this, scope, clause)
                is_folded = isinstance(node, exp.ILike)
                return [like(left, pattern, place, is_negated=is_negated, is_folded=is_folded)]
        if isinstance(node, exp.Is):
            left, right = (self._term(part, scope, clause) for part in (node.this, node.expression))
            predicate = compare(left, "=", right, place, self.catalog)
            return [(negated(predicate) or predicate) if is_negated else predicate]
        term = self._term(node, scope, clause)
        if isinstance(node, (exp.Column, exp.Boolean)) and term.literal is None:
            value = "FALSE" if is_negated else "TRUE"
            return [Predicate(term, "=", (value,), place=place)]
        if term.literal == "TRUE" and not is_negated:
            return []
        return [Predicate(concat("NOT ", term) if is_negated else term, "EXPR", place=place)]

    def _term(self, node: exp.Expr, scope: Scope, clause: str) -> Term:
        return self.terms.build(node, scope, clause)

    def _either(
        self, node: exp.Connector, scope: Scope, place: Place, clause: str, is_negated: bool
    ) -> None:
        parts = []
        for branch in node.flatten():
            with self.captured() as found:
                self.condition(branch, scope, place, clause, is_negated=is_negated)
            if len(found) > 1:
                ordered = tuple(sorted(found, key=lambda predicate: predicate.text))
                parts.append(Predicate(ordered[0].left, "AND", place=place, parts=ordered))
            else:
                parts.extend(found)
        if parts:
            self.draft.predicates.append(merged_or(parts, place) if len(parts) > 1 else parts[0])

    def _exists(self, node: exp.Exists, scope: Scope, place: Place, is_negated: bool) -> None:
        first = self._instances + 1
        start = len(self.draft.edges)
        self.query(node.this, scope, "excluded" if is_negated else place)
        for i in range(start, len(self.draft.edges)):
            edge = self.draft.edges[i]
            if edge.left.instance < first or edge.right.instance < first:
                kind: EdgeKind = "anti" if is_negated else edge.kind
                self.draft.edges[i] = replace(edge, kind=kind, is_semi=True)

    def _in(self, node: exp.In, scope: Scope, place: Place, clause: str, is_negated: bool) -> None:
        is_negated ^= bool(node.args.get("negate"))
        query = node.args.get("query")
        if query is None:
            left = self._term(node.this, scope, clause)
            values = [self._term(value, scope, clause) for value in node.expressions]
            literals = [as_number(value.text, left, self.catalog) for value in values]
            self.draft.predicates.append(membership(left, literals, place, is_negated=is_negated))
            return
        parts = node.this.expressions if isinstance(node.this, exp.Tuple) else [node.this]
        lefts = [self._term(part, scope, clause) for part in parts]
        self._member_of(lefts, query, scope, place, is_negated)

    def _member_of(
        self, lefts: list[Term], query: exp.Expr, scope: Scope, place: Place, is_negated: bool
    ) -> None:
        inner_place: Place = "excluded" if is_negated else place
        first = self._instances + 1
        outputs = self.query(query, scope, inner_place)
        kind: EdgeKind = "anti" if is_negated else "inner"
        for left, (_, value) in zip(lefts, outputs, strict=False):
            right = self._own_column(value, query, first)
            if self.edge(left, right, kind, is_semi=True):
                continue
            operator = "<>" if is_negated else "="
            if not (right.aggregates and self._is_extreme(left, right, operator, [], place)):
                self.draft.predicates.append(Predicate(left, operator, right=right, place=place))

    def _own_column(self, value: Term, query: exp.Expr, first: int) -> Term:
        """What a subquery puts out, where its own table lacks the column and an outer one has it.

        ``x IN (SELECT id FROM t)`` takes an outer ``id`` when ``t`` has none: SQL allows it, nobody
        means it. The column is kept as one that its table does not have.
        """
        while isinstance(query, (exp.Subquery, exp.Paren)):
            query = query.this
        own = self.draft.instances.get(first)
        selected = query.expressions[0] if isinstance(query, exp.Select) else None
        is_plain = isinstance(selected, exp.Column) and not selected.table
        if own is None or not is_plain or not value.column or value.uses[0].instance >= first:
            return value
        name = f"{own.name}.{value.column.rpartition('.')[2]}"
        return column_term(Use(name, frozenset({name}), instance=first))

    def _comparison(
        self, node: exp.Expr, scope: Scope, place: Place, clause: str, is_negated: bool
    ) -> None:
        operator = COMPARISONS[type(node)]
        left, right = node.this, node.expression
        if _subquery(left) is not None and _subquery(right) is None:
            left, right, operator = right, left, MIRRORED[operator]
        if is_negated:
            operator = NEGATED[operator]
        inner = _subquery(right)
        if inner is not None and _subquery(left) is None:
            self._against_query(left, operator, right, inner, scope, place, clause)
            return
        one, other = self._term(left, scope, clause), self._term(right, scope, clause)
        if operator == "=" and self.edge(one, other, self._edge_kind, is_semi=self._is_semi):
            return
        if one.column and other.column and one.text > other.text:
            one, other, operator = other, one, MIRRORED[operator]
        predicate = compare(one, operator, other, place, self.catalog)
        ranking = self._rank(predicate)
        if ranking is not None:
            self.draft.superlatives.append(ranking)
        else:
            self.draft.predicates.extend(as_range(predicate, self.catalog))

    def _rank(self, predicate: Predicate) -> Superlative | None:
        """``ROW_NUMBER() OVER (ORDER BY x DESC) = 1`` as the superlative it is."""
        window = self.terms.rankings.get(predicate.left.text)
        value = predicate.values[0] if predicate.values else ""
        if window is None or not value.isdigit() or predicate.operator not in {"=", "<=", "<"}:
            return None
        count = int(value) - (predicate.operator == "<")
        if predicate.operator == "=" and count != 1:
            return None
        return replace(window, count=count)

    def _against_query(
        self,
        left: exp.Expr,
        operator: str,
        right: exp.Expr,
        query: exp.Expr,
        scope: Scope,
        place: Place,
        clause: str,
    ) -> None:
        term = self._term(left, scope, clause)
        quantifier = type(_bare(right))
        if quantifier is exp.Any and operator == "=":
            self._member_of([term], query, scope, place, False)
            return
        if operator == "=" and term.column and not _is_aggregated(query):
            self._member_of([term], query, scope, place, False)
            return
        first, start = self._instances + 1, len(self.draft.edges)
        with self.captured() as found:
            outputs = self.query(query, scope, "compared")
        value = outputs[0][1] if outputs else literal_term("NULL")
        links = [
            e
            for e in self.draft.edges[start:]
            if e.left.instance < first or e.right.instance < first
        ]
        outer = [e.left if e.left.instance < first else e.right for e in links]
        extreme = _QUANTIFIED.get((quantifier, operator))
        if extreme is not None:
            value = aggregate_term(extreme, value)
            if quantifier is exp.All and operator in {">=", "<="}:
                operator = "="
        if self._is_extreme(term, value, operator, found, place, tuple(map(column_term, outer))):
            return
        if value.aggregates and place == "rows" and not term.uses:
            # An aggregate over the rows of each outer row: what GROUP BY and HAVING say.
            self.draft.group_by.extend(map(column_term, outer))
            for predicate in found:
                self.draft.predicates.append(replace(predicate, place=place))
        else:
            self.draft.predicates.extend(found)
        self.draft.predicates.append(compare(term, operator, value, place, self.catalog))

    def _is_extreme(
        self,
        left: Term,
        right: Term,
        operator: str,
        found: list[Predicate],
        place: Place,
        partition: tuple[Term, ...] = (),
    ) -> bool:
        """Records ``x = (SELECT MAX(x) ..)`` as a superlative; False when it is something else."""
        aggregate = right.aggregates[0] if len(right.aggregates) == 1 else None
        is_extreme = (
            operator == "="
            and aggregate is not None
            and aggregate.function in {"MAX", "MIN"}
            and not aggregate.is_conditional
            and aggregate.argument is not None
            and aggregate.argument.pieces == left.pieces
            and [u.name for u in aggregate.argument.uses] == [u.name for u in left.uses]
            and place in {"rows", "groups"}
        )
        if not is_extreme or aggregate is None:
            return False
        population = tuple(replace(predicate, place="ranked") for predicate in found)
        self.draft.superlatives.append(
            Superlative(left, aggregate.function == "MAX", 1, True, population, partition)
        )
        return True

    def _conditional(self, node: exp.Expr, scope: Scope) -> tuple[str, tuple[str, ...]]:
        """Records the condition of a conditional aggregate; gives its SQL and its columns."""
        self._slots += 1
        slot = self._slots
        with self.captured() as found:
            self.condition(node, scope, "conditional", "SELECT")
        self.draft.predicates += [replace(predicate, slot=slot) for predicate in found]
        columns = tuple(sorted({name for predicate in found for name in predicate.columns}))
        return " AND ".join(predicate.text for predicate in found) or "TRUE", columns

    def _value_of_subquery(self, query: exp.Expr, scope: Scope) -> Term:
        first = len(self.draft.tables)
        outputs = self.query(query, scope, "compared")
        if not outputs:
            return literal_term("NULL")
        value = outputs[0][1]
        if not value.aggregates:
            return value
        tables = ", ".join(self.draft.tables[first:])
        text = f"(SELECT {value.text} FROM {tables})" if tables else f"(SELECT {value.text})"
        return changed(concat("(SELECT ", value, ")"), text=text, has_subquery=True)


def _bare(node: exp.Expr) -> exp.Expr:
    while isinstance(node, exp.Paren):
        node = node.this
    return node


def _subquery(node: exp.Expr) -> exp.Expr | None:
    """The query that an operand is, alone or under ANY or ALL."""
    inner = _bare(node)
    if isinstance(inner, (exp.Any, exp.All)):
        inner = _bare(inner.this)
    return inner if isinstance(inner, (exp.Subquery, exp.Query)) else None


def _is_aggregated(query: exp.Expr) -> bool:
    """Whether a subquery gives one row because it aggregates everything."""
    while isinstance(query, (exp.Subquery, exp.Paren)):
        query = query.this
    if not isinstance(query, exp.Select) or query.args.get("group"):
        return False
    first = query.expressions[0] if query.expressions else None
    return first is not None and first.find(exp.AggFunc) is not None
