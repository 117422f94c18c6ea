"""What names mean inside a query: aliases, CTEs and derived tables against the catalog."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from sqlglot import exp

from transforms.shape_model import Term, Unresolved, Use
from transforms.space_state import ColumnState, SpaceState, TableState


def column_term(use: Use) -> Term:
    """The term that is nothing but one column."""
    return Term(pieces=("", ""), text=use.name, uses=(use,))


class Catalog:
    """Look-ups in a space's state, ignoring case."""

    def __init__(self, state: SpaceState) -> None:
        self.state = state
        self._tables = {table.name.lower(): table for table in state.tables}
        self._columns: dict[str, list[tuple[TableState, ColumnState]]] = {}
        self._by_full_name: dict[str, ColumnState] = {}
        self._spelling: dict[str, str] = {}
        for table, column in state.columns():
            full_name = f"{table.name}.{column.name}"
            self._spelling[full_name.lower()] = full_name
            self._columns.setdefault(column.name.lower(), []).append((table, column))
            self._by_full_name[full_name.lower()] = column
        self._functions = {function.name.lower(): function for function in state.functions}

    def table(self, *parts: str) -> TableState | None:
        """The table named by one part (in the space's schema), or by its last two parts."""
        names = [part for part in parts if part][-2:]
        if len(names) == 1:
            names.insert(0, self.state.data_schema)
        return self._tables.get(".".join(names).lower())

    def column(self, full_name: str) -> ColumnState | None:
        """The column called ``schema.table.column``."""
        return self._by_full_name.get(full_name.lower())

    def spelled(self, full_name: str) -> str:
        """A column's full name in the spelling of the catalog, or as written."""
        return self._spelling.get(full_name.lower(), full_name)

    def columns_named(self, name: str) -> list[tuple[TableState, ColumnState]]:
        """Every column with that last name, with its table."""
        return self._columns.get(name.lower(), [])

    def function_name(self, *parts: str) -> str:
        """``schema.function`` in the catalog's spelling, or as written."""
        names = [part for part in parts if part][-2:]
        if len(names) == 1:
            names.insert(0, self.state.data_schema)
        written = ".".join(names)
        known = self._functions.get(written.lower())
        return known.name if known else written

    def is_same_key(self, left: str, right: str) -> bool:
        """Whether two columns of different tables hold the same key by declared references."""
        roots = []
        for name in (left, right):
            column = self.column(name)
            if column is None:
                return False
            roots.append((column.references or name).lower())
        different = left.rpartition(".")[0].lower() != right.rpartition(".")[0].lower()
        return roots[0] == roots[1] and different

    def column_type(self, full_name: str) -> str | None:
        """The type of a column, in lower case."""
        column = self.column(full_name)
        return column.data_type.lower() if column else None

    def comment(self, name: str) -> str | None:
        """The comment of the column, table or function of that full name."""
        column = self.column(name)
        if column is not None:
            return column.comment or column.description
        table = self._tables.get(name.lower())
        function = self._functions.get(name.lower())
        return table.comment if table else function.comment if function else None

    def parameters(self, function: str) -> tuple[str, ...]:
        """The parameters of a function in order; none when it is not known."""
        known = self._functions.get(function.lower())
        return tuple(parameter.name for parameter in known.parameters) if known else ()

    def is_integer(self, full_name: str) -> bool:
        """Whether a column holds whole numbers."""
        return self.column_type(full_name) in _INTEGERS

    def is_number(self, full_name: str) -> bool:
        """Whether a column holds numbers."""
        data_type = self.column_type(full_name) or ""
        return data_type in _INTEGERS | _FRACTIONS or data_type.startswith("decimal")

    def is_date(self, full_name: str) -> bool:
        """Whether a column holds dates or timestamps."""
        return (self.column_type(full_name) or "").startswith(("date", "timestamp"))


_FRACTIONS = {"float", "double", "real", "decimal"}
_INTEGERS = {"tinyint", "smallint", "int", "integer", "bigint", "long", "short", "byte"}


@dataclass
class Source:
    """Something in FROM: a table of the catalog, a query, or a name that is not there.

    ``outputs`` are the columns of a query by lower-case name; ``table`` is the catalog's table. An
    open source, such as a table function, may have any column: ``open_name`` is what it is called.
    A query that returns all columns of one has it under ``*`` in its ``outputs``.
    """

    alias: str
    instance: int
    table: TableState | None = None
    outputs: Mapping[str, Term] | None = None
    open_name: str | None = None

    def column(self, name: str) -> Term | None:
        """What the source's column means, or None."""
        if self.open_name is not None:
            return _open_column(self.open_name, name, self.instance)
        if self.outputs is not None:
            everything = self.outputs.get("*")
            found = self.outputs.get(name.lower())
            if found is not None or everything is None:
                return found
            return _open_column(everything.text, name, everything.uses[0].instance)
        column = self.table.column(name) if self.table else None
        if self.table is None or column is None:
            return None
        full_name = f"{self.table.name}.{column.name}"
        return column_term(Use(full_name, frozenset({full_name}), instance=self.instance))

    def columns(self) -> Iterator[tuple[str, Term]]:
        """Every column that ``*`` stands for, with its name."""
        if self.open_name is not None:
            use = Use(self.open_name, frozenset({self.open_name}), instance=self.instance)
            yield "*", Term(("*", ""), self.open_name, (use,))
        elif self.outputs is not None:
            yield from self.outputs.items()
        elif self.table is not None:
            for column in self.table.columns:
                term = self.column(column.name)
                if term is not None:
                    yield column.name.lower(), term


def _open_column(source: str, name: str, instance: int) -> Term:
    full_name = f"{source}.{name.lower()}"
    return column_term(Use(full_name, frozenset({full_name}), instance=instance))


@dataclass
class Scope:
    """What one SELECT can see: its sources, the aliases of its output, the SELECT around it."""

    catalog: Catalog
    parent: Scope | None = None
    sources: list[Source] = field(default_factory=list)
    aliases: dict[str, Term] = field(default_factory=dict)
    ctes: dict[str, exp.Query] = field(default_factory=dict)
    unresolved: list[Unresolved] = field(default_factory=list)

    def inner(self) -> Scope:
        """The scope of a query inside this one; it reports into the same list of unresolved."""
        return Scope(self.catalog, parent=self, unresolved=self.unresolved)

    def cte(self, name: str) -> tuple[exp.Query, Scope] | None:
        """The query that a CTE name stands for, with the scope it was declared in."""
        found = self.ctes.get(name.lower())
        if found is not None:
            return found, self
        return self.parent.cte(name) if self.parent else None

    def resolve(self, column: exp.Column, clause: str, *, is_alias_first: bool = False) -> Term:
        """What a column name means; an unknown one is recorded and kept as it is written."""
        name, qualifier = column.name, column.table
        alias = None if qualifier else self.aliases.get(name.lower())
        if alias is not None and is_alias_first:
            return alias
        found = self._find(name, qualifier) or alias or self._field(column)
        if found is not None:
            return found
        tables = tuple(
            source.table.name for scope in self._chain() for source in scope.sources if source.table
        )
        written = f"{qualifier}.{name}" if qualifier else name
        unresolved = Unresolved("column", self._unaliased(written, qualifier, name), tables, clause)
        if unresolved not in self.unresolved:
            self.unresolved.append(unresolved)
        return column_term(Use(unresolved.name, frozenset({unresolved.name})))

    def _unaliased(self, written: str, qualifier: str, name: str) -> str:
        source = self._source(qualifier) if qualifier else None
        return f"{source.table.name}.{name}" if source and source.table else written

    def _chain(self) -> Iterator[Scope]:
        scope: Scope | None = self
        while scope is not None:
            yield scope
            scope = scope.parent

    def _source(self, alias: str) -> Source | None:
        for scope in self._chain():
            for source in scope.sources:
                if source.alias.lower() == alias.lower():
                    return source
        return None

    def _find(self, name: str, qualifier: str) -> Term | None:
        if qualifier:
            source = self._source(qualifier)
            return source.column(name) if source else None
        for scope in self._chain():
            for source in scope.sources:
                found = source.column(name)
                if found is not None:
                    return found
        return None

    def _field(self, column: exp.Column) -> Term | None:
        """A field of a struct column: ``column.field`` or ``alias.column.field``."""
        parts = [part.name for part in column.parts]
        for size in (2, 1):
            head = parts[:size]
            if len(parts) > size:
                qualifier = head[0] if size == 2 else ""
                found = self._find(head[-1], qualifier)
                if found is not None and found.column:
                    rest = "." + ".".join(parts[size:])
                    return Term(("", rest), found.text + rest, found.uses)
        return None
