"""What a query will be made of, before it is written down."""

from __future__ import annotations

from dataclasses import dataclass, field

from sqlglot import exp

from genie.local.engine.model import Source


@dataclass
class Output:
    """A column of the result. ``is_measure`` says that it aggregates rows."""

    tree: exp.Expr
    is_measure: bool = False
    alias: str | None = None


@dataclass
class Absence:
    """Rows of ``source`` that must not exist for a row to be in the result."""

    source: Source
    where: list[exp.Expr] = field(default_factory=list)


@dataclass
class Plan:
    """The parts of one SELECT; ``needed`` are the sources to join, in the order of their need."""

    home: Source
    outputs: list[Output] = field(default_factory=list)
    where: list[exp.Expr] = field(default_factory=list)
    having: list[exp.Expr] = field(default_factory=list)
    groups: list[exp.Expr] = field(default_factory=list)
    order: list[tuple[exp.Expr, bool]] = field(default_factory=list)
    limit: int | None = None
    is_distinct: bool = False
    needed: list[str] = field(default_factory=list)
    absences: list[Absence] = field(default_factory=list)
    counted: Source | None = None
    counts_rows_of: Source | None = None
    ranks_groups: bool = False
    ranked_output: Output | None = None
    counts_groups: bool = False
    problem: str | None = None

    def need(self, *sources: str) -> None:
        """Says that sources take part in the query."""
        for source in sources:
            if source != self.home.identifier and source not in self.needed:
                self.needed.append(source)

    @property
    def aggregates(self) -> bool:
        """Whether rows are aggregated."""
        return bool(self.groups or self.having or any(o.is_measure for o in self.outputs))
