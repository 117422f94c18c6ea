"""From what a walk over a query collected to its shape: equal columns, roles, needless parts."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from transforms.condition_shape import negated
from transforms.date_shape import with_months
from transforms.name_scope import Catalog
from transforms.shape_model import (
    Edge,
    FunctionCall,
    Ordering,
    Predicate,
    QueryShape,
    SetOperation,
    Superlative,
    Term,
    Unresolved,
    Use,
)
from transforms.space_state import TableState
from transforms.term_parts import changed
from transforms.term_shape import aggregate_term

Cell = tuple[int, str]  # a column of one instance of a table


@dataclass
class Draft:
    """Features as they are found; uses of columns know their instance, not yet their equals.

    ``optional`` are the instances on the far side of an outer join, each with all instances of its
    side. ``blocks`` are the tables of each FROM, each as the instances it stands for.
    """

    tables: list[str] = field(default_factory=list)
    instances: dict[int, TableState] = field(default_factory=dict)
    optional: dict[int, tuple[int, ...]] = field(default_factory=dict)
    blocks: list[list[list[int]]] = field(default_factory=list)
    edges: list[Edge] = field(default_factory=list)
    outputs: list[Term] = field(default_factory=list)
    has_star: bool = False
    predicates: list[Predicate] = field(default_factory=list)
    group_by: list[Term] = field(default_factory=list)
    order_by: list[Ordering] = field(default_factory=list)
    limit: int | None = None
    superlatives: list[Superlative] = field(default_factory=list)
    is_distinct: bool = False
    inner_distinct: tuple[Term, ...] = ()
    groups_inside: bool = False
    aggregates_on_top: bool = False
    set_operations: list[SetOperation] = field(default_factory=list)
    functions: list[FunctionCall] = field(default_factory=list)
    unresolved: list[Unresolved] = field(default_factory=list)

    def note_distinct(self, outputs: list[Term], is_top: bool) -> None:
        """Remembers DISTINCT over a query's output."""
        if is_top:
            self.is_distinct = True
        else:
            self.inner_distinct = tuple(outputs)


def finish(draft: Draft, catalog: Catalog) -> QueryShape:
    """The shape of everything that was collected."""
    _exclude_missing(draft)
    _plain_exclusions(draft)
    draft.predicates = with_months(draft.predicates)
    rename = _Rename(draft)
    outputs = [rename.term(term) for term in draft.outputs]
    renamed = [rename.predicate(predicate) for predicate in draft.predicates]
    predicates = _unique([_on_groups(predicate) for predicate in renamed])
    predicates.sort(key=lambda predicate: (predicate.place, predicate.slot, predicate.text))
    edges = [rename.edge(edge) for edge in draft.edges]
    group_by = _independent([rename.term(term) for term in draft.group_by], catalog)
    group_by.sort(key=lambda term: term.text)
    superlatives = _unique([rename.superlative(ranking) for ranking in draft.superlatives])
    order_by = [rename.ordering(key) for key in draft.order_by]
    is_distinct, limit = draft.is_distinct, draft.limit
    outputs = _counted_distinct(outputs, draft, rename)
    outputs, superlatives = _extreme_output(outputs, superlatives)
    sorts_groups = any(ranking.term.aggregates for ranking in superlatives)
    aggregates = any(term.aggregates for term in outputs)
    has_groups = any(predicate.place == "groups" for predicate in predicates)
    if group_by and not (
        aggregates or has_groups or sorts_groups or any(key.term.aggregates for key in order_by)
    ):
        is_distinct, group_by = True, []
    if is_distinct and group_by and all(any(k.same(o) for o in outputs) for k in group_by):
        is_distinct = False
    if aggregates and not group_by and not draft.set_operations:
        is_distinct, limit, order_by = False, None if limit else limit, []
    return QueryShape(
        tables=tuple(sorted(draft.tables)),
        edges=tuple(_unique_edges(edges)),
        outputs=tuple(outputs),
        has_star=draft.has_star,
        predicates=tuple(predicates),
        group_by=tuple(group_by),
        order_by=tuple(order_by),
        limit=limit,
        superlatives=tuple(superlatives),
        is_distinct=is_distinct,
        set_operations=tuple(dict.fromkeys(draft.set_operations)),
        functions=tuple(draft.functions),
        measures=tuple(sorted({m for term in draft.outputs for m in term.measures})),
        unresolved=tuple(draft.unresolved),
        cross_joined=_cross_joined(draft),
        aggregates_groups=draft.groups_inside and draft.aggregates_on_top,
        ungrouped=_ungrouped(outputs, group_by),
        equalities=rename.equalities(),
    )


def _on_groups(predicate: Predicate) -> Predicate:
    """A condition on an aggregate is one on groups, also outside HAVING."""
    is_on_groups = predicate.place == "rows" and bool(predicate.left.aggregates)
    return replace(predicate, place="groups") if is_on_groups else predicate


def _exclude_missing(draft: Draft) -> None:
    """LEFT JOIN .. WHERE right.x IS NULL is an exclusion of the rows that do join."""
    missing: set[int] = set()
    kept = []
    for predicate in draft.predicates:
        instances = {use.instance for use in predicate.left.uses}
        is_test = predicate.operator == "IS_NULL" and predicate.left.column is not None
        if is_test and instances <= draft.optional.keys() and predicate.place == "rows":
            for instance in instances:
                missing.update(draft.optional[instance])
        else:
            kept.append(predicate)
    if not missing:
        return
    draft.predicates = [
        replace(p, place="excluded")
        if p.place == "rows" and any(use.instance in missing for use in p.left.uses)
        else p
        for p in kept
    ]
    draft.edges = [
        replace(edge, kind="anti", is_semi=True)
        if (edge.left.instance in missing) != (edge.right.instance in missing)
        else edge
        for edge in draft.edges
    ]


def _plain_exclusions(draft: Draft) -> None:
    """Excluding the one row of a thing that has a value is a condition on that row."""
    for instance, table in draft.instances.items():
        key = [column.name for column in table.columns if column.is_primary_key]
        own = [p for p in draft.predicates if instance in {use.instance for use in _all_uses(p)}]
        links = [e for e in draft.edges if instance in {e.left.instance, e.right.instance}]
        if len(key) != 1 or len(own) != 1 or len(links) != 1:
            continue
        predicate, edge = own[0], links[0]
        opposite = negated(predicate)
        names = {use.name for use in (edge.left, edge.right) if use.instance == instance}
        is_plain = predicate.place == "excluded" and edge.kind == "anti" and opposite is not None
        if is_plain and opposite is not None and names == {f"{table.name}.{key[0]}"}:
            draft.predicates[draft.predicates.index(predicate)] = replace(opposite, place="rows")
            draft.edges[draft.edges.index(edge)] = replace(edge, kind="inner")


class _Rename:
    """Gives every use of a column the columns it is equal to, and its table's role."""

    def __init__(self, draft: Draft) -> None:
        self._parents: dict[Cell, Cell] = {}
        for edge in draft.edges:
            if edge.kind == "inner":
                self._union(
                    (edge.left.instance, edge.left.name), (edge.right.instance, edge.right.name)
                )
        self._members: dict[Cell, set[str]] = {}
        for cell in list(self._parents):
            self._members.setdefault(self._find(cell), set()).add(cell[1])
        self._roles: dict[int, frozenset[str]] = {}
        for edge in draft.edges:
            self._note_role(edge.left, edge.right, draft)
            self._note_role(edge.right, edge.left, draft)

    def _note_role(self, use: Use, other: Use, draft: Draft) -> None:
        table = draft.instances.get(use.instance)
        column = table.column(use.name.rpartition(".")[2]) if table else None
        if column is not None and column.is_primary_key:
            self._roles[use.instance] = self._roles.get(use.instance, frozenset()) | {other.name}

    def _find(self, cell: Cell) -> Cell:
        parent = self._parents.setdefault(cell, cell)
        if parent != cell:
            self._parents[cell] = parent = self._find(parent)
        return parent

    def _union(self, left: Cell, right: Cell) -> None:
        one, other = sorted((self._find(left), self._find(right)))
        self._parents[other] = one

    def equalities(self) -> tuple[frozenset[str], ...]:
        """The groups of columns that inner joins make equal."""
        return tuple(sorted((frozenset(g) for g in self._members.values()), key=sorted))

    def use(self, use: Use) -> Use:
        """The use with its equals and its role."""
        cell = (use.instance, use.name)
        names = self._members.get(self._find(cell)) if cell in self._parents else None
        role = self._roles.get(use.instance, frozenset())
        return replace(use, names=frozenset(names) if names else use.names, role=role)

    def term(self, term: Term) -> Term:
        """The term with its uses renamed."""
        if not term.uses and not term.aggregates:
            return term
        aggregates = tuple(
            replace(a, argument=self.term(a.argument) if a.argument else None)
            for a in term.aggregates
        )
        return changed(term, uses=tuple(map(self.use, term.uses)), aggregates=aggregates)

    def predicate(self, predicate: Predicate) -> Predicate:
        """The predicate with its uses renamed."""
        return replace(
            predicate,
            left=self.term(predicate.left),
            right=self.term(predicate.right) if predicate.right else None,
            parts=tuple(map(self.predicate, predicate.parts)),
        )

    def edge(self, edge: Edge) -> Edge:
        """The edge with its uses renamed."""
        return replace(edge, left=self.use(edge.left), right=self.use(edge.right))

    def ordering(self, key: Ordering) -> Ordering:
        """The key with its uses renamed."""
        return replace(key, term=self.term(key.term))

    def superlative(self, ranking: Superlative) -> Superlative:
        """The ranking with its uses renamed."""
        population = ranking.population
        return replace(
            ranking,
            term=self.term(ranking.term),
            partition=tuple(map(self.term, ranking.partition)),
            population=None if population is None else tuple(map(self.predicate, population)),
        )


def _counted_distinct(outputs: list[Term], draft: Draft, rename: _Rename) -> list[Term]:
    """COUNT(*) over SELECT DISTINCT x is COUNT(DISTINCT x)."""
    is_count = len(outputs) == 1 and outputs[0].pieces == ("COUNT(*)",)
    if is_count and len(draft.inner_distinct) == 1 and draft.inner_distinct[0].uses:
        return [aggregate_term("COUNT", rename.term(draft.inner_distinct[0]), is_distinct=True)]
    return outputs


def _extreme_output(
    outputs: list[Term], superlatives: list[Superlative]
) -> tuple[list[Term], list[Superlative]]:
    """SELECT x ORDER BY x DESC LIMIT 1 is SELECT MAX(x)."""
    if len(outputs) != 1 or len(superlatives) != 1:
        return outputs, superlatives
    ranking = superlatives[0]
    if ranking.count != 1 or ranking.keeps_ties or not ranking.term.same(outputs[0]):
        return outputs, superlatives
    if outputs[0].aggregates or ranking.term.casts != outputs[0].casts:
        return outputs, superlatives
    function = "MAX" if ranking.is_descending else "MIN"
    return [aggregate_term(function, outputs[0])], []


def _independent(keys: list[Term], catalog: Catalog) -> list[Term]:
    """Group keys without those that another key of the same table decides."""
    kept: list[Term] = []
    for key in keys:
        if not any(key.same(other) for other in kept):
            kept.append(key)

    def is_key(term: Term) -> bool:
        column = catalog.column(term.column) if term.column else None
        if column is None or not column.is_primary_key:
            return False
        table = catalog.table(*term.uses[0].table.split("."))
        return table is not None and sum(c.is_primary_key for c in table.columns) == 1

    decided = {term.uses[0].instance for term in kept if is_key(term)}
    return [
        term
        for term in kept
        if is_key(term) or not term.column or term.uses[0].instance not in decided
    ]


def _ungrouped(outputs: list[Term], group_by: list[Term]) -> tuple[Term, ...]:
    """Output columns that are neither aggregated nor grouped, in a query that aggregates."""
    if not group_by and not any(term.aggregates for term in outputs):
        return ()
    return tuple(
        term
        for term in outputs
        if term.uses
        and not term.aggregates
        and not term.is_window
        and not any(term.same(key) for key in group_by)
    )


def _cross_joined(draft: Draft) -> tuple[str, ...]:
    """Tables of one FROM whose rows meet all others because nothing joins them."""
    parents: dict[int, int] = {}

    def root(instance: int) -> int:
        while parents.get(instance, instance) != instance:
            instance = parents[instance]
        return instance

    def link(instances: Iterable[int]) -> None:
        first, *rest = [*instances] or [0]
        for other in rest:
            parents[root(first)] = root(other)

    for edge in draft.edges:
        link((edge.left.instance, edge.right.instance))
    for predicate in draft.predicates:
        link(use.instance for use in _all_uses(predicate))
    for block in draft.blocks:
        for source in block:
            link(source)
    found: set[str] = set()
    for block in draft.blocks:
        if len({root(source[0]) for source in block}) > 1:
            found.update(draft.instances[source[0]].name for source in block)
    return tuple(sorted(found))


def _all_uses(predicate: Predicate) -> list[Use]:
    uses = [*predicate.left.uses, *(predicate.right.uses if predicate.right else ())]
    return [*uses, *(use for part in predicate.parts for use in _all_uses(part))]


def _unique(items: Iterable[object]) -> list:  # type: ignore[type-arg]
    found: list[object] = []
    for item in items:
        if item not in found:
            found.append(item)
    return found


def _unique_edges(edges: list[Edge]) -> list[Edge]:
    found: dict[tuple[object, ...], Edge] = {}
    for edge in edges:
        found.setdefault((edge.pair, edge.kind, edge.is_semi), edge)
    return [found[key] for key in sorted(found, key=str)]
