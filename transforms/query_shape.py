"""A query reduced to its shape: every part resolved against the catalog, aliases gone."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from sqlglot import exp

from transforms.condition_walk import Block, ConditionWalker
from transforms.name_scope import Catalog, Scope, Source
from transforms.set_shape import merge_branches
from transforms.shape_finish import finish
from transforms.shape_model import (
    EdgeKind,
    FunctionCall,
    Place,
    QueryShape,
    SetOperation,
    Superlative,
    Term,
    Unresolved,
)
from transforms.sort_keys import ordering
from transforms.space_state import SpaceState
from transforms.term_parts import literal_text

MAX_DEPTH = 40  # nested queries deeper than this are not looked into


def query_shape(query: exp.Query, state: SpaceState) -> QueryShape:
    """The shape of a parsed query against the metadata of a space; see ``shape_in``."""
    return shape_in(query, Catalog(state))


def shape_in(query: exp.Query, catalog: Catalog) -> QueryShape:
    """The shape of a parsed query against the catalog of a space.

    Never raises for a query that parses: names that the catalog does not have are listed in
    ``unresolved``, expressions without a rule are kept as they are written.
    """
    walker = _Walker(catalog)
    scope = Scope(walker.catalog, unresolved=walker.draft.unresolved)
    outputs = walker.query(query, scope, "rows", is_top=True)
    walker.draft.outputs = [term for _, term in outputs]
    return finish(walker.draft, walker.catalog)


class _Walker(ConditionWalker):
    """Walks a query and its subqueries, collecting features into one draft."""

    _depth = 0
    _derived_depth = 0

    def query(self, node: exp.Expr, scope: Scope, place: Place, is_top: bool = False) -> Block:
        """Collects the features of a query; gives its output names and terms."""
        while isinstance(node, (exp.Subquery, exp.Paren)):
            node = node.this
        self._depth += 1
        try:
            if self._depth > MAX_DEPTH:
                return []
            declared = node.args.get("with_")
            if declared is not None:
                scope = scope.inner()
                scope.ctes.update({cte.alias.lower(): cte.this for cte in declared.expressions})
            if isinstance(node, exp.SetOperation):
                return self._set_operation(node, scope, place, is_top)
            if isinstance(node, exp.Select):
                return self._select(node, scope.inner(), place, is_top)
            return []
        finally:
            self._depth -= 1

    def _select(self, node: exp.Select, scope: Scope, place: Place, is_top: bool) -> Block:
        start = node.args.get("from_")
        added = [self._source(start.this, scope, place)] if start is not None else []
        for join in [*(node.args.get("joins") or []), *(node.args.get("laterals") or [])]:
            added.append(self._join(join, scope, place))
        self.draft.blocks.append([s for s in added if s and s[0] in self.draft.instances])
        where = node.args.get("where")
        if where is not None:
            self.condition(where.this, scope, place, "WHERE")
        outputs = self._projections(node, scope, is_top)
        scope.aliases.update({name.lower(): term for name, term in outputs if name})
        is_main = place == "rows"
        if is_main:
            self._group_keys(node, scope, [term for _, term in outputs])
        having = node.args.get("having")
        if having is not None:
            self.condition(having.this, scope, "groups" if is_main else place, "HAVING")
        qualify = node.args.get("qualify")
        if qualify is not None:
            self.condition(qualify.this, scope, place, "WHERE")
        self._ranking(node, scope, outputs, is_main, is_top)
        if node.args.get("distinct") and is_main:
            self.draft.note_distinct([term for _, term in outputs], is_top)
        return outputs

    def _projections(self, node: exp.Select, scope: Scope, is_top: bool) -> Block:
        outputs: Block = []
        for item in node.expressions:
            inner = item.this if isinstance(item, exp.Alias) else item
            is_star = isinstance(inner, exp.Star) or (
                isinstance(inner, exp.Column) and isinstance(inner.this, exp.Star)
            )
            if is_star:
                self.draft.has_star |= is_top
                wanted = inner.table.lower() if isinstance(inner, exp.Column) else ""
                for source in scope.sources:
                    if not wanted or source.alias.lower() == wanted:
                        found = source.columns()
                        outputs.extend(c for c in found if c[0] != "*" or not is_top)
                continue
            term = self.terms.build(inner, scope, "SELECT")
            self.draft.aggregates_on_top |= is_top and inner.find(exp.AggFunc) is not None
            name = item.alias_or_name or inner.sql("spark")
            outputs.append((name, term))
            scope.aliases.setdefault(name.lower(), term)
        return outputs

    def _group_keys(self, node: exp.Select, scope: Scope, outputs: list[Term]) -> None:
        group = node.args.get("group")
        if group is None:
            return
        self.draft.groups_inside |= self._derived_depth > 0
        if group.args.get("all"):
            self.draft.group_by.extend(term for term in outputs if not term.aggregates)
        for key in group.expressions:
            term = self._position(key, outputs) or self.terms.build(key, scope, "GROUP BY")
            self.draft.group_by.append(term)

    @staticmethod
    def _position(key: exp.Expr, outputs: list[Term]) -> Term | None:
        if isinstance(key, exp.Literal) and not key.is_string and str(key.this).isdigit():
            number = int(str(key.this))
            return outputs[number - 1] if 1 <= number <= len(outputs) else None
        return None

    def _ranking(
        self, node: exp.Query, scope: Scope, outputs: Block, is_main: bool, is_top: bool
    ) -> None:
        """ORDER BY and LIMIT: together a superlative, alone what they are."""
        order, limit = node.args.get("order"), node.args.get("limit")
        terms = [term for _, term in outputs]
        keys = [
            ordering(
                self._position(key.this, terms)
                or self.terms.build(key.this, scope, "ORDER BY", is_alias_first=True),
                key,
            )
            for key in (order.expressions if order is not None else ())
            if isinstance(key, exp.Ordered)
        ]
        count = literal_text(limit.expression) if limit is not None and limit.expression else None
        number = int(count) if count and count.isdigit() else None
        if keys and number is not None:
            first = keys[0]
            offset = node.args.get("offset")
            skipped = literal_text(offset.expression) if offset is not None else None
            skip = int(skipped) if skipped and skipped.isdigit() else 0
            ranking = Superlative(
                first.term,
                first.is_descending,
                number,
                skip=skip,
                nulls_first=first.nulls_first,
            )
            self.draft.superlatives.append(ranking)
        elif is_top and is_main:
            self.draft.order_by.extend(keys)
            self.draft.limit = number
        elif number is not None and is_main and self.draft.limit is None:
            self.draft.limit = number

    def _set_operation(
        self, node: exp.SetOperation, scope: Scope, place: Place, is_top: bool
    ) -> Block:
        inner = scope.inner()
        operator = type(node).__name__.upper()
        with self.captured() as left_conditions:
            left_tables = len(self.draft.tables)
            outputs = self.query(node.this, inner, place, is_top)
        middle = len(self.draft.tables)
        right_place: Place = "excluded" if operator == "EXCEPT" else place
        with self.captured() as right_conditions:
            right_outputs = self.query(node.expression, inner, right_place)
        own, others = self.draft.tables[left_tables:middle], self.draft.tables[middle:]
        is_over_aggregates = any(t.aggregates for _, t in (*outputs, *right_outputs))
        keeps_duplicates = node.args.get("distinct") is False
        if operator == "EXCEPT" and not is_over_aggregates:
            self.draft.predicates += [*left_conditions, *right_conditions]
            for (_, mine), (_, theirs) in zip(outputs, right_outputs, strict=False):
                self.edge(mine, theirs, "anti", is_semi=True)
        else:
            merged = merge_branches(
                operator, left_conditions, right_conditions, place, set(own) == set(others)
            )
            if merged is None or is_over_aggregates:
                self.draft.set_operations.append(
                    SetOperation(operator, is_over_aggregates, keeps_duplicates)  # type: ignore[arg-type]
                )
                merged = [*left_conditions, *right_conditions]
            self.draft.predicates += merged
        if not keeps_duplicates and place == "rows":
            self.draft.note_distinct([term for _, term in outputs], is_top)
        inner.aliases.update({name.lower(): term for name, term in outputs})
        self._ranking(node, inner, outputs, place == "rows", is_top)
        return outputs

    def _source(self, node: exp.Expr, scope: Scope, place: Place) -> list[int]:
        """Adds a source to the scope; gives the instances of tables that it stands for."""
        first = self._instances + 1
        if isinstance(node, exp.Table) and isinstance(node.this, exp.Func):
            self._function(node, scope)
        elif isinstance(node, exp.Table):
            self._table(node, scope, place)
            for join in node.args.get("joins") or []:
                self._join(join, scope, place)
        elif isinstance(node, exp.Subquery) and isinstance(node.this, exp.Table):
            self._source(node.this, scope, place)
        elif isinstance(node, (exp.Subquery, exp.Query)):
            self._add_derived(self._inner_query(node, scope, place), scope, node, node.alias)
        else:
            self._instances += 1
            scope.sources.append(Source(node.alias_or_name, self._instances))
        return list(range(first, self._instances + 1))

    def _table(self, node: exp.Table, scope: Scope, place: Place) -> None:
        declared = scope.cte(node.name) if not node.db else None
        if declared is not None:
            query, home = declared
            with self._hidden_cte(home, node.name):
                block = self._inner_query(query, home, place)
            self._add_derived(block, scope, node, node.alias_or_name)
            return
        self._instances += 1
        table = self.catalog.table(*(part.name for part in node.parts))
        if table is None:
            written = ".".join(part.name for part in node.parts)
            scope.unresolved.append(Unresolved("table", written, clause="FROM"))
        else:
            self.draft.tables.append(table.name)
            self.draft.instances[self._instances] = table
        scope.sources.append(Source(node.alias_or_name, self._instances, table))

    @staticmethod
    @contextmanager
    def _hidden_cte(home: Scope, name: str) -> Iterator[None]:
        """A CTE does not see itself: a recursive one ends here."""
        query = home.ctes.pop(name.lower())
        try:
            yield
        finally:
            home.ctes[name.lower()] = query

    def _inner_query(self, node: exp.Expr, scope: Scope, place: Place) -> Block:
        self._derived_depth += 1
        try:
            return self.query(node, scope, place)
        finally:
            self._derived_depth -= 1

    def _add_derived(self, block: Block, scope: Scope, node: exp.Expr, alias: str) -> None:
        names = [column.name for column in node.args["alias"].columns] if node.alias else []
        outputs = {
            (names[i] if i < len(names) else name).lower(): term
            for i, (name, term) in enumerate(block)
        }
        scope.sources.append(Source(alias, self._instances, outputs=outputs))

    def _function(self, node: exp.Table, scope: Scope) -> None:
        call = node.this
        if call.name.upper() == "TABLE" and call.expressions:
            call = call.expressions[0]
        parts = [str(node.args[k].name) for k in ("catalog", "db") if node.args.get(k)]
        name = call.name if isinstance(call, exp.Anonymous) else call.sql_name()
        full_name = self.catalog.function_name(*parts, name)
        parameters = self.catalog.parameters(full_name)
        arguments = []
        for position, argument in enumerate(call.expressions):
            if isinstance(argument, (exp.Kwarg, exp.PropertyEQ)):
                key, value = argument.this.name, argument.expression
            else:
                known = position < len(parameters)
                key, value = parameters[position] if known else str(position + 1), argument
            arguments.append((key.lower(), self.terms.build(value, scope, "FROM").text))
        self.draft.functions.append(FunctionCall(full_name, tuple(sorted(arguments))))
        self._instances += 1
        alias = node.alias_or_name or name
        scope.sources.append(Source(alias, self._instances, open_name=full_name))

    def _join(self, node: exp.Expr, scope: Scope, place: Place) -> list[int]:
        if not isinstance(node, exp.Join):
            return self._source(node, scope, place)
        before = [source.instance for source in scope.sources]
        side, kind = node.side.upper(), node.kind.upper()
        is_anti, is_semi = kind == "ANTI", kind == "SEMI"
        inner_place: Place = "excluded" if is_anti else place
        added = self._source(node.this, scope, inner_place)
        edge_kind: EdgeKind = "anti" if is_anti else "outer" if side else "inner"
        if side in {"LEFT", "FULL"} and not is_anti and not is_semi:
            self.draft.optional.update(dict.fromkeys(added, tuple(added)))
        if side in {"RIGHT", "FULL"}:
            self.draft.optional.update(dict.fromkeys(before, tuple(before)))
        condition = node.args.get("on")
        using = node.args.get("using") or []
        for column in using:
            self._using(column.name, scope, edge_kind, is_semi or is_anti)
        if condition is not None:
            with self.edges_of_kind(edge_kind, is_semi or is_anti):
                self.condition(condition, scope, inner_place, "JOIN")
        return added

    def _using(self, name: str, scope: Scope, kind: EdgeKind, is_semi: bool) -> None:
        found = [term for source in scope.sources if (term := source.column(name)) is not None]
        if len(found) >= 2:
            self.edge(found[0], found[-1], kind, is_semi=is_semi)
