"""Named fragments of SQL: the space's snippets and the definitions in its instruction."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache

import sqlglot
from sqlglot import exp
from sqlglot.errors import SqlglotError

from genie.local.engine.model import Field, Label, Source, sources_of
from genie.local.engine.prose import evidence_stems
from genie.local.engine.rules import Definition, Standing, read_rules
from genie.local.engine.visible import SnippetKind, VisibleSnippet, VisibleSpace
from genie.local.engine.words import stems_of

MAX_HOMES = 4  # tables that a fragment without qualifiers is tried on

_NOT_A_FRAGMENT = (exp.Query, exp.DDL, exp.DML, exp.Command, exp.Placeholder, exp.Parameter)


@dataclass(frozen=True, eq=False)
class Term:
    """A fragment whose columns are resolved to fields; ``tree`` names them ``alias.column``.

    ``sources`` are the identifiers of all sources it needs, its home first.
    """

    kind: SnippetKind
    tree: exp.Expr
    sources: tuple[str, ...]
    labels: tuple[Label, ...]
    prose: dict[str, str]
    origin: str
    alias: str | None = None


@dataclass(frozen=True, eq=False)
class StandingFilter:
    """A condition on every query over its sources; ``only_for`` limits it to questions."""

    tree: exp.Expr
    sources: tuple[str, ...]
    only_for: tuple[str, ...]
    origin: str


def parse_fragment(sql: str) -> exp.Expr | None:
    """One SQL expression with at least one column or aggregate, None for anything else."""
    if not sql.strip() or len(sql) > 5_000:
        return None
    try:
        trees = sqlglot.parse(f"SELECT {sql}", dialect="spark")
    except (SqlglotError, RecursionError, IndexError, ValueError):
        return None
    tree = trees[0] if len(trees) == 1 else None
    if not isinstance(tree, exp.Select) or len(tree.expressions) != 1:
        return None
    if any(value for key, value in tree.args.items() if key not in ("expressions", "kind")):
        return None
    fragment = tree.expressions[0]
    fragment = fragment.this if isinstance(fragment, exp.Alias) else fragment
    is_bad = isinstance(fragment, exp.Star) or any(fragment.find(k) for k in _NOT_A_FRAGMENT)
    return None if is_bad else fragment


@lru_cache(maxsize=8)
def terms_of(space: VisibleSpace) -> tuple[Term, ...]:
    """Every usable snippet and definition, once per table that it may be about."""
    found: list[Term] = []
    for snippet in space.snippets:
        found += _of_snippet(space, snippet)
    for definition in read_rules(space.instructions).definitions:
        found += _of_definition(space, definition)
    return tuple(found)


@lru_cache(maxsize=8)
def standing_filters_of(space: VisibleSpace) -> tuple[StandingFilter, ...]:
    """The conditions that the instruction puts on every query over a table."""
    found: list[StandingFilter] = []
    for rule in read_rules(space.instructions).standing:
        found += _of_standing(space, rule)
    return tuple(found)


def _of_snippet(space: VisibleSpace, snippet: VisibleSnippet) -> Iterator[Term]:
    tree = parse_fragment(snippet.sql)
    if tree is None:
        return
    prose = dict.fromkeys(sorted(evidence_stems(snippet.comment or "")), "snippet comment")
    prose |= dict.fromkeys(sorted(evidence_stems(snippet.instruction or "")), "snippet instruction")
    names = ((snippet.display_name, "snippet"), *((s, "snippet synonym") for s in snippet.synonyms))
    for bound, homes in _bind(sources_of(space), tree, frozenset()):
        labels = [Label(stems_of(name), origin) for name, origin in names]
        yield Term(
            snippet.kind, bound, _ids(homes), _shortened(labels, homes), prose, "snippet",
            snippet.alias,
        )  # fmt: skip


def _of_definition(space: VisibleSpace, definition: Definition) -> Iterator[Term]:
    tree = parse_fragment(definition.sql)
    if tree is None:
        return
    kind: SnippetKind = "expression"
    if tree.find(exp.AggFunc):
        kind = "measure"
    elif isinstance(tree, exp.Predicate | exp.Connector | exp.Not | exp.Paren | exp.Between):
        kind = "filter"
    about = definition.about | frozenset(stems_of(definition.term))
    for bound, homes in _bind(sources_of(space), tree, about):
        labels = [Label(stems_of(definition.term), "instruction")]
        yield Term(kind, bound, _ids(homes), _shortened(labels, homes), {}, "instruction")


def _of_standing(space: VisibleSpace, rule: Standing) -> Iterator[StandingFilter]:
    tree = parse_fragment(rule.sql)
    if tree is None:
        return
    sources = sources_of(space)
    named = [s for s in sources if any(set(label.stems) <= rule.about for label in s.labels)]
    for bound, homes in _bind(named, tree, rule.about) or _bind(sources, tree, rule.about):
        condition = exp.not_(exp.paren(bound)) if rule.is_negated else bound
        if rule.is_negated and isinstance(bound, exp.EQ):
            condition = exp.NEQ(this=bound.this.copy(), expression=bound.expression.copy())
            if isinstance(bound.expression, exp.Boolean):
                flipped = exp.Boolean(this=not bound.expression.this)
                condition = exp.EQ(this=bound.this.copy(), expression=flipped)
        yield StandingFilter(condition, _ids(homes), rule.only_for, rule.sql)


def _ids(homes: Sequence[Source]) -> tuple[str, ...]:
    return tuple(home.identifier for home in homes)


def _shortened(labels: Sequence[Label], homes: Sequence[Source]) -> tuple[Label, ...]:
    """Labels, and the same without the words of the table: 'late orders' is also 'late'."""
    own = {word for home in homes for label in home.labels for word in label.stems}
    rest = [
        Label(short, label.origin)
        for label in labels
        if (short := tuple(word for word in label.stems if word not in own)) != label.stems
    ]
    return tuple(label for label in dict.fromkeys((*labels, *rest)) if label.stems)


def _bind(
    sources: Sequence[Source], tree: exp.Expr, about: frozenset[str]
) -> list[tuple[exp.Expr, tuple[Source, ...]]]:
    """The fragment with its columns resolved, once per home of its unqualified columns.

    The homes that ``about`` names come first and alone; without such, all that have the columns.
    """
    columns = list(tree.find_all(exp.Column))
    named = {column.table.lower() for column in columns if column.table}
    by_alias = {name: source for source in sources for name in _names(source)}
    if any(name not in by_alias for name in named):
        return []
    bare = {column.name.lower() for column in columns if not column.table}
    homes = [s for s in sources if all(s.get(name) for name in bare)] if bare else [None]
    spoken = [
        home
        for home in homes
        if home is not None and any(set(label.stems) <= about for label in home.labels)
    ]
    found = []
    for home in (spoken or homes)[:MAX_HOMES]:
        bound = _resolved(tree, by_alias, home)
        if bound is not None:
            found.append(bound)
    return found


def _names(source: Source) -> tuple[str, ...]:
    return tuple({source.alias.lower(), source.identifier.split(".")[-1].lower()})


def _resolved(
    tree: exp.Expr, by_alias: dict[str, Source], home: Source | None
) -> tuple[exp.Expr, tuple[Source, ...]] | None:
    used: dict[str, Source] = {home.identifier: home} if home else {}
    copy = tree.copy()
    for column in list(copy.find_all(exp.Column)):
        source = by_alias.get(column.table.lower()) if column.table else home
        found = source.get(column.name) if source else None
        if source is None or found is None:
            return None
        used.setdefault(source.identifier, source)
        resolved = column_of(source, found)
        if column is copy:
            copy = resolved
        else:
            column.replace(resolved)
    return (copy, tuple(used.values())) if used else None


def column_of(source: Source, one: Field) -> exp.Column:
    """A field as SQL, qualified by the name that its source has in every query."""
    return exp.column(one.name, table=source.alias, quoted=True)
