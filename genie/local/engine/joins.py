"""How the sources of a space are joined: join specs first, then declared keys, then key names."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise

from sqlglot import exp

from genie.local.engine.model import Field, Source, sources_of
from genie.local.engine.terms import column_of, parse_fragment
from genie.local.engine.visible import VisibleJoin, VisibleSpace

_SPEC, _DECLARED, _NAMED = 0, 1, 2
_COST = {_SPEC: 1.0, _DECLARED: 1.01, _NAMED: 1.1}
_ORIGIN = {_SPEC: "join spec", _DECLARED: "declared key", _NAMED: "key names"}
_GENERIC_KEYS = frozenset(("id", "key", "uuid", "code", "name"))


@dataclass(frozen=True, eq=False)
class Edge:
    """A way to join two sources. ``many`` is the side with several rows per row of the other."""

    left: str
    right: str
    condition: exp.Expr
    origin: str
    cost: float
    many: frozenset[str]


@dataclass(frozen=True, eq=False)
class JoinGraph:
    """All edges, the best of each pair of sources."""

    edges: Mapping[frozenset[str], Edge]
    neighbours: Mapping[str, tuple[str, ...]]

    def distances(self, start: str) -> dict[str, int]:
        """How many joins away each reachable source is; 0 for the start."""
        found, frontier = {start: 0}, [start]
        while frontier:
            reached: list[str] = []
            for one in frontier:
                for other in self.neighbours.get(one, ()):
                    if other not in found:
                        found[other] = found[one] + 1
                        reached.append(other)
            frontier = reached
        return found

    def path(self, start: str, goal: str) -> list[Edge] | None:
        """The cheapest path; of equal ones the first by the names of the sources on it."""
        best: dict[str, tuple[float, tuple[str, ...]]] = {start: (0.0, (start,))}
        open_ends = {start}
        while open_ends:
            current = min(open_ends, key=lambda one: best[one])
            open_ends.remove(current)
            if current == goal:
                names = best[goal][1]
                return [self.edges[frozenset(pair)] for pair in pairwise(names)]
            cost, names = best[current]
            for other in self.neighbours.get(current, ()):
                found = (cost + self.edges[frozenset((current, other))].cost, (*names, other))
                if other not in best or found < best[other]:
                    best[other] = found
                    open_ends.add(other)
        return None

    def tree(self, start: str, goals: Iterable[str]) -> list[Edge] | None:
        """Edges that connect all goals with the start, in an order in which they can be joined."""
        joined, edges = {start}, list[Edge]()
        for goal in goals:
            if goal in joined:
                continue
            paths = [path for one in sorted(joined) if (path := self.path(one, goal)) is not None]
            if not paths:
                return None
            # The path from what is joined already; from the start itself where there is a choice.
            own = self.path(start, goal)
            shortest = min(sum(edge.cost for edge in path) for path in paths)
            is_own = own is not None and sum(edge.cost for edge in own) <= shortest
            path = (
                own
                if is_own and own is not None
                else next(p for p in paths if sum(edge.cost for edge in p) == shortest)
            )
            for edge in path:
                if not {edge.left, edge.right} <= joined:
                    edges.append(edge)
                    joined |= {edge.left, edge.right}
        return edges

    def fans_out(self, edges: Iterable[Edge], start: str) -> bool:
        """Whether joining the edges repeats rows of the start."""
        joined = {start}
        for edge in edges:
            new = {edge.left, edge.right} - joined
            if new & edge.many:
                return True
            joined |= new
        return False


@lru_cache(maxsize=8)
def join_graph(space: VisibleSpace) -> JoinGraph:
    """The graph of a space; metric views are in no join."""
    tables = [source for source in sources_of(space) if not source.is_metric_view]
    by_id = {source.identifier.lower(): source for source in tables}
    found: dict[frozenset[str], Edge] = {}
    for edges in (
        (edge for spec in space.joins for edge in _from_spec(spec, by_id)),
        _declared(tables),
        _by_names(tables),
    ):
        for edge in edges:
            found.setdefault(frozenset((edge.left, edge.right)), edge)
    neighbours: dict[str, list[str]] = {}
    for pair in found:
        for one in pair:
            neighbours.setdefault(one, []).extend(pair - {one})
    return JoinGraph(found, {one: tuple(sorted(others)) for one, others in neighbours.items()})


def _from_spec(spec: VisibleJoin, by_id: Mapping[str, Source]) -> Iterator[Edge]:
    left, right = by_id.get(spec.left.lower()), by_id.get(spec.right.lower())
    tree = parse_fragment(spec.sql)
    if left is None or right is None or tree is None or left is right:
        return
    aliases = {spec.left_alias.lower(): left, spec.right_alias.lower(): right}
    condition = tree.copy()
    for column in list(condition.find_all(exp.Column)):
        source = aliases.get(column.table.lower())
        found = source.get(column.name) if source else None
        if source is None or found is None or column is condition:
            return
        column.replace(column_of(source, found))
    relation = (spec.relationship or "").upper()
    many = {
        "MANY_TO_ONE": {left.identifier},
        "ONE_TO_MANY": {right.identifier},
        "MANY_TO_MANY": {left.identifier, right.identifier},
        "ONE_TO_ONE": set(),
    }.get(relation)
    sides = _many_sides(condition, left, right) if many is None else frozenset(many)
    yield Edge(left.identifier, right.identifier, condition, "join spec", _COST[_SPEC], sides)


def _many_sides(condition: exp.Expr, left: Source, right: Source) -> frozenset[str]:
    """Without a declared relationship: the side whose column is not its key has many rows."""
    many = set()
    for source in (left, right):
        columns = [c for c in condition.find_all(exp.Column) if c.table == source.alias]
        key = source.key_field
        if key is None or any(column.name.lower() != key.name.lower() for column in columns):
            many.add(source.identifier)
    return frozenset(many)


def _edge(source: Source, one: Field, target: Source, key: Field, kind: int) -> Edge:
    condition = exp.EQ(this=column_of(source, one), expression=column_of(target, key))
    return Edge(
        source.identifier,
        target.identifier,
        condition,
        _ORIGIN[kind],
        _COST[kind],
        _many_sides(condition, source, target),
    )


def _declared(tables: list[Source]) -> Iterator[Edge]:
    for source in tables:
        for one in source.fields:
            if one.references is None:
                continue
            wanted, column = one.references
            target = _named(tables, wanted)
            key = target.get(column) if target else None
            if target is not None and key is not None and target is not source:
                yield _edge(source, one, target, key, _DECLARED)


def _named(tables: list[Source], name: str) -> Source | None:
    wanted = name.lower()
    exact = [t for t in tables if t.identifier.lower() == wanted]
    ending = [t for t in tables if t.identifier.lower().endswith("." + wanted)]
    short = [t for t in tables if t.identifier.split(".")[-1].lower() == wanted.split(".")[-1]]
    return next(iter((*exact, *ending, *short)), None)


def _by_names(tables: list[Source]) -> Iterator[Edge]:
    """``x_id`` and the key of table x; else a key column that two tables share by name."""
    for source in tables:
        for one in source.fields:
            for target in tables:
                key = target.key_field
                if target is source or key is None or one is source.key_field:
                    continue
                if _names_key_of(one, target, key):
                    yield _edge(source, one, target, key, _NAMED)
    for i, source in enumerate(tables):
        for other in tables[i + 1 :]:
            for one in source.fields:
                key = other.get(one.name)
                is_shared = key is not None and one.words[-1:] in (("id",), ("key",), ("code",))
                if key is not None and is_shared and one.name.lower() not in _GENERIC_KEYS:
                    yield _edge(source, one, other, key, _NAMED)


def _names_key_of(one: Field, target: Source, key: Field) -> bool:
    if one.name.lower() == key.name.lower():
        return one.name.lower() not in _GENERIC_KEYS
    stems = one.labels[0].stems
    own = target.labels[0].stems
    return stems[-1:] in (("id",), ("key",), ("code",)) and stems[:-1] == own and key.is_key
