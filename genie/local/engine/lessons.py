"""What examples teach beyond themselves: a word that only their SQL explains."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import lru_cache

import sqlglot
from sqlglot import exp
from sqlglot.errors import SqlglotError

from genie.local.engine.dates import find_dates
from genie.local.engine.joins import join_graph
from genie.local.engine.lexicon import KnownValue, lexicon_of
from genie.local.engine.linking import Part, candidates, is_content, link
from genie.local.engine.model import Field, Source, sources_of
from genie.local.engine.visible import SnippetKind, VisibleExample, VisibleSnippet, VisibleSpace
from genie.local.engine.words import Token, tokenise


@lru_cache(maxsize=8)
def taught(space: VisibleSpace) -> VisibleSpace:
    """The space with a snippet for each lesson of its examples.

    There is a lesson where an example's question has one run of words that nothing explains, and
    its SQL one condition, or else one aggregate, about columns that nothing in the question names:
    the words then mean that.
    """
    plain = replace(space, examples=())
    found = [snippet for example in space.examples for snippet in _lesson(plain, example)]
    return replace(space, snippets=(*space.snippets, *found))


def _lesson(space: VisibleSpace, example: VisibleExample) -> Iterator[VisibleSnippet]:
    try:
        trees = sqlglot.parse(example.sql[:25_000], dialect="spark")
    except (SqlglotError, RecursionError, IndexError, ValueError):
        return
    query = trees[0] if len(trees) == 1 else None
    if not isinstance(query, exp.Select) or any(
        query.find(kind) for kind in (exp.Subquery, exp.With, exp.Placeholder)
    ):
        return
    tables = _tables(space, query)
    if not tables:
        return
    tokens = tokenise(example.question[:2_000])[:150]
    dates = find_dates(tokens, 1, None)
    lexicon = lexicon_of(space)
    home = next(iter(tables.values()))
    distances = join_graph(space).distances(home.identifier)
    parts = link(tokens, candidates(tokens, dates, lexicon), distances, lexicon)
    run = _unexplained(tokens, parts)
    if run is None or any(part.kind == "literal" for part in parts):
        return
    known = {(one.source, one.name.lower()) for one in _fields(parts)}
    for kind, fragments in _fragments(query):
        strange = [
            bound
            for fragment in fragments
            if (bound := _bound(fragment, tables)) is not None
            and not _names(fragment, tables) & known
            and not (dates and _is_dated(fragment, tables))
        ]
        if len(strange) == 1:
            yield VisibleSnippet(kind, strange[0].sql(dialect="spark"), run)
            return
        if strange:
            return


def _tables(space: VisibleSpace, query: exp.Select) -> dict[str, Source]:
    """The sources of a query by the names that it gives them; empty if one is not known."""
    found: dict[str, Source] = {}
    for table in query.find_all(exp.Table):
        name = ".".join(part.name for part in table.parts).lower()
        sources = [
            source
            for source in sources_of(space)
            if source.identifier.lower() == name or source.identifier.lower().endswith("." + name)
        ]
        if len(sources) != 1 or sources[0].is_metric_view:
            return {}
        found[table.alias_or_name.lower()] = sources[0]
    return found


def _unexplained(tokens: Sequence[Token], parts: Sequence[Part]) -> str | None:
    """The one run of content words that no part covers, None if there is none or more than one."""
    covered = {i for part in parts for i in range(part.start, part.end)}
    places = [i for i, t in enumerate(tokens) if is_content(t) and i not in covered]
    if not places or places[-1] - places[0] != len(places) - 1:
        return None
    return " ".join(tokens[i].lower for i in places)


def _fields(parts: Sequence[Part]) -> Iterator[Field]:
    for part in parts:
        if isinstance(part.target, Field):
            yield part.target
        elif isinstance(part.target, KnownValue):
            yield part.target.field


def _fragments(query: exp.Select) -> Iterator[tuple[SnippetKind, list[exp.Expr]]]:
    """The conditions of a query, then its aggregates other than a plain count of rows."""
    where = query.args.get("where")
    if where is not None:
        tree = where.this
        yield "filter", list(tree.flatten()) if isinstance(tree, exp.And) else [tree]
    outputs = [one.unalias() for one in query.expressions]
    yield "measure", [one for one in outputs if one.find(exp.AggFunc) and one.find(exp.Column)]


def _source_of(column: exp.Column, tables: dict[str, Source]) -> Source | None:
    if column.table:
        return tables.get(column.table.lower())
    owners = [source for source in tables.values() if source.get(column.name)]
    return owners[0] if len(owners) == 1 else None


def _names(fragment: exp.Expr, tables: dict[str, Source]) -> set[tuple[str, str]]:
    return {
        (source.identifier, column.name.lower())
        for column in fragment.find_all(exp.Column)
        if (source := _source_of(column, tables)) is not None
    }


def _is_dated(fragment: exp.Expr, tables: dict[str, Source]) -> bool:
    """Whether a condition may be the span of time that the question names."""
    for column in fragment.find_all(exp.Column):
        source = _source_of(column, tables)
        one = source.get(column.name) if source else None
        if one is not None and (one.is_temporal or one.is_year):
            return True
    return False


def _bound(fragment: exp.Expr, tables: dict[str, Source]) -> exp.Expr | None:
    """The fragment with its columns named as snippets name them: ``table.column``."""
    copy = exp.paren(fragment.copy()) if isinstance(fragment, exp.Or) else fragment.copy()
    columns = list(copy.find_all(exp.Column))
    for column in columns:
        source = _source_of(column, tables)
        if source is None or column is copy:
            return None
        column.set("table", exp.to_identifier(source.alias, quoted=True))
    return copy if columns else None
