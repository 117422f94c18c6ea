"""What proposing takes and gives: the evidence of one cluster, what is known of the data, drafts.

Plain values, so that a proposer is a pure function that runs wherever Spark sends it. Nothing here
knows a split: the evidence is made from confirmed train failures only (rule 9).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from transforms.patches import Patch
from transforms.space_state import AssetKind

Risk = Literal["low", "medium", "high"]
RISKS: tuple[Risk, ...] = ("low", "medium", "high")


@dataclass(frozen=True, slots=True)
class FragmentEvidence:
    """A pair of canonical SQL fragments that differ, and in how many train groups they do.

    ``expected`` is None where something was added that should not be there; ``actual`` is None
    where something is missing.
    """

    expected: str | None
    actual: str | None
    group_count: int


@dataclass(frozen=True, slots=True)
class TermEvidence:
    """A word of the questions that no metadata explains, and in how many train groups it stands."""

    term: str
    group_count: int


@dataclass(frozen=True, slots=True)
class ClusterEvidence:
    """What went wrong for one cause, over all train questions of a space that show it.

    ``rule`` is the cause: the judge's rule that found the failures. ``blame_set`` holds canonical
    objects, sorted. ``fragments`` (at most 10), ``terms`` (at most 15) and ``fixes`` (at most 5)
    come from the last evaluation, those of most train groups first. ``impact`` is the number of
    questions in that evaluation times the mean confidence.
    """

    space_id: str
    cluster_id: str
    rule: str
    failure_type: str
    blame_set: tuple[str, ...]
    question_ids: tuple[str, ...]
    group_ids: tuple[str, ...]
    fragments: tuple[FragmentEvidence, ...]
    terms: tuple[TermEvidence, ...]
    fixes: tuple[str, ...]
    impact: float


@dataclass(frozen=True, slots=True)
class ColumnFacts:
    """What the newest profile says of a column; ``table`` is ``schema.table``.

    ``references`` is ``schema.table.column`` of a declared foreign key. ``sample_values`` are the
    most frequent values as text; all of them when ``is_sample_complete``. ``value_format`` is a
    regular expression that most values follow.
    """

    table: str
    column: str
    data_type: str
    comment: str | None = None
    is_primary_key: bool = False
    references: str | None = None
    row_count: int = 0
    distinct_count: int | None = None
    null_count: int | None = None
    min_value: str | None = None
    max_value: str | None = None
    sample_values: tuple[str, ...] = ()
    is_sample_complete: bool = False
    value_format: str | None = None

    @property
    def name(self) -> str:
        """``schema.table.column``."""
        return f"{self.table}.{self.column}"

    @property
    def is_unique(self) -> bool:
        """Whether no value that is not NULL occurs twice."""
        if self.distinct_count is None or self.null_count is None:
            return False
        return self.distinct_count == self.row_count - self.null_count


@dataclass(frozen=True, slots=True)
class TableFacts:
    """What the newest profile says of a table; ``name`` is ``schema.table``.

    ``kind`` is what it is declared to be.
    """

    name: str
    comment: str | None
    row_count: int
    primary_key: tuple[str, ...]
    kind: AssetKind = "table"


@dataclass(frozen=True)
class Facts:
    """The tables that a cluster blames, with all their columns, and the space's config.

    Keys of ``columns`` are ``schema.table.column``, keys of ``tables`` ``schema.table``, both in
    lower case; the methods look up in any case. ``config`` is what else the space's last accepted
    state holds: ``kinds`` (of tables, by name), ``metric_views``, ``functions``, ``join_specs``,
    ``snippets``, ``instructions``.
    """

    columns: Mapping[str, ColumnFacts]
    tables: Mapping[str, TableFacts] = field(default_factory=dict)
    config: Mapping[str, Any] = field(default_factory=dict)

    def column(self, name: str) -> ColumnFacts | None:
        """The column called ``schema.table.column``, in any case, or None."""
        return self.columns.get(name.lower())

    def table(self, name: str) -> TableFacts | None:
        """The table called ``schema.table``, in any case, or None."""
        return self.tables.get(name.lower())

    def columns_of(self, table: str) -> Iterator[ColumnFacts]:
        """The columns of a table, in any case of its name, by name."""
        wanted = table.lower()
        for key in sorted(self.columns):
            if self.columns[key].table.lower() == wanted:
                yield self.columns[key]


@dataclass(frozen=True, slots=True)
class DraftProposal:
    """One change that a cluster's evidence asks for.

    ``rule`` is the proposal rule that made it and fixes ``confidence`` (0-1). ``before`` is what
    stands there now (None: nothing). ``summary`` is the change in one sentence; ``evidence`` is
    why, in words a person can check.
    """

    rule: str
    patch: Patch
    before: str | None
    summary: str
    evidence: str
    confidence: float
    risk: Risk


Proposer = Callable[[ClusterEvidence, Facts], Sequence[DraftProposal]]
"""Drafts for one cluster; pure, deterministic, importable by a Spark worker. Never raises for
evidence it cannot use: it returns nothing."""
