"""Ties: rows that an ORDER BY leaves in any order, and of which a LIMIT takes any.

Whether rows tie is read from values. ``ranking_of`` writes the query that gives every row which an
expected query ranks, with its rank and before the cut; ``like_produced`` orders and cuts those rows
as the produced result does, wherever the ranks leave that open. What comes out is as right as the
expected result, and is compared in its place.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby

from sqlglot import exp
from sqlglot.errors import SqlglotError

from transforms.column_matching import Arrangement, Grid, Row
from transforms.judgement import Execution
from transforms.read_only import parse_query
from transforms.results import rounded_grids

MAX_ARRANGEMENTS = 200  # orders of columns that are tried
_RANK, _RANKED = "__rank", "__ranked"


@dataclass(frozen=True, slots=True)
class Ranking:
    """How an expected query ranks: ``sql`` gives all its rows, their rank as the last column.

    The query leaves out the first ``skip`` of them and keeps ``count``; None: all.
    """

    sql: str
    skip: int
    count: int | None


def ranking_of(query: exp.Query) -> Ranking | None:
    """How a query ranks its rows; None where it leaves none open, or that cannot be written.

    Without ORDER BY, all rows that LIMIT chooses from have one rank.
    """
    order = query.args.get("order")
    limit, offset = (_whole_number(query.args.get(name)) for name in ("limit", "offset"))
    if limit is None and order is None:
        return None
    if (limit is None) != (query.args.get("limit") is None):
        return None
    if (offset is None) != (query.args.get("offset") is None):
        return None
    whole = query.copy()
    for clause in ("order", "limit", "offset"):
        whole.set(clause, None)
    keys = order.expressions if order else []
    ranked = _beside_rows(whole, keys) or _around_rows(whole, keys)
    if ranked is None:
        return None
    skip = offset or 0
    try:
        sql = _cut(ranked, skip + limit if limit is not None else None)
        parse_query(sql)
    except (SqlglotError, ValueError):
        return None
    return Ranking(sql, skip, limit)


def _whole_number(clause: exp.Expr | None) -> int | None:
    number = clause.args.get("expression") if clause else None
    is_whole = isinstance(number, exp.Literal) and not number.is_string and number.name.isdigit()
    return int(number.name) if is_whole and number is not None else None


def _rank(keys: Sequence[exp.Expr]) -> exp.Expr:
    if not keys:
        return exp.Literal.number(1)
    return exp.Window(this=exp.Anonymous(this="RANK"), order=exp.Order(expressions=list(keys)))


def _beside_rows(whole: exp.Query, keys: Sequence[exp.Ordered]) -> exp.Query | None:
    """The rank as one more column: where a row of the query is a row or a group of its tables."""
    if not isinstance(whole, exp.Select) or any(map(whole.args.get, ("distinct", "qualify"))):
        return None
    outputs = whole.expressions
    named = {output.alias.lower(): output.this for output in outputs if output.alias}
    written = []
    for key in keys:
        if (position := _position(key)) is not None:
            if position > len(outputs) or any(output.is_star for output in outputs):
                return None
            key = _with(key, outputs[position - 1].unalias())
        written.append(key.transform(lambda node: _unnamed(node, named)))
    rank = exp.alias_(_rank(written), _RANK, quoted=True)
    whole.set("expressions", [*outputs, rank])
    return whole


def _unnamed(node: exp.Expr, named: dict[str, exp.Expr]) -> exp.Expr:
    """A name of the result, which no window can use, as what it stands for."""
    is_name = isinstance(node, exp.Column) and not node.table
    return named[node.name.lower()].copy() if is_name and node.name.lower() in named else node


def _around_rows(whole: exp.Query, keys: Sequence[exp.Ordered]) -> exp.Query | None:
    """The rank around the query: where DISTINCT or UNION makes its rows."""
    if isinstance(whole, exp.Subquery):
        return None
    names = [output.alias_or_name.lower() for output in whole.selects]
    texts = [output.unalias().sql(dialect="spark").lower() for output in whole.selects]
    written = []
    for key in keys:
        position = _position(key)
        if position is None:
            name, text = key.this.name.lower(), key.this.sql(dialect="spark").lower()
            is_name = isinstance(key.this, exp.Column) and names.count(name) == 1
            places = names if is_name else texts
            if (name if is_name else text) not in places:
                return None
            position = places.index(name if is_name else text) + 1
        name = names[position - 1] if position <= len(names) else ""
        if name in ("", "*") or names.count(name) > 1:
            return None
        written.append(_with(key, exp.column(name, quoted=True)))
    inner = exp.Subquery(
        this=whole, alias=exp.TableAlias(this=exp.to_identifier(_RANKED, quoted=True))
    )
    rank = exp.alias_(_rank(written), _RANK, quoted=True)
    return exp.select(exp.Star(), rank, dialect="spark").from_(inner)


def _position(key: exp.Ordered) -> int | None:
    is_number = isinstance(key.this, exp.Literal) and not key.this.is_string
    return int(key.this.name) if is_number and key.this.name.isdigit() else None


def _with(key: exp.Ordered, value: exp.Expr) -> exp.Ordered:
    changed = key.copy()
    changed.set("this", value.copy())
    return changed


def _cut(ranked: exp.Query, last: int | None) -> str:
    """The rows up to the last rank that a row of the result can have."""
    if last is None:
        return ranked.sql(dialect="spark")
    inner = exp.Subquery(
        this=ranked, alias=exp.TableAlias(this=exp.to_identifier(f"{_RANKED}_all", quoted=True))
    )
    rank = exp.column(_RANK, quoted=True)
    kept = exp.select(exp.Star()).from_(inner).where(exp.LTE(this=rank, expression=_number(last)))
    return kept.sql(dialect="spark")


def _number(value: int) -> exp.Expr:
    return exp.Literal.number(value)


def like_produced(
    ranked: Execution,
    ranking: Ranking,
    produced: Execution,
    *,
    is_ordered: bool,
    may_keep_ties: bool = False,
) -> Execution | None:
    """The expected result, ordered and cut as the produced one where ranks leave that open.

    ``ranked`` is what came of ``ranking.sql``. With ``may_keep_ties``, rows that tie with the last
    one may all be there instead of those that fit the count. None where no order and no cut gives
    the produced rows, their columns in some order, further ones left over.
    """
    if ranked.rows is None or produced.rows is None:
        return None
    everything = Execution("ok", ranked.columns[:-1], ranked.data_types[:-1], _unranked(ranked))
    ours, theirs = rounded_grids(everything, produced)
    cuts = [
        groups
        for groups in _cuts(ranked, ranking, may_keep_ties=may_keep_ties)
        if sum(group.taken for group in groups) == len(theirs.rows)
    ]
    for arrangement in _arrangements(ours, theirs) if cuts else ():
        rows = theirs.arranged(arrangement)
        for groups in cuts:
            chosen = _chosen(groups, ours.rows, rows, is_ordered=is_ordered)
            if chosen is not None:
                values = everything.rows or ()
                kept = tuple(values[position] for position in chosen)
                return Execution("ok", everything.columns, everything.data_types, kept)
    return None


def _cuts(ranked: Execution, ranking: Ranking, *, may_keep_ties: bool) -> Iterator[list[_Group]]:
    groups = list(_groups(ranked, ranking))
    yield groups
    if may_keep_ties and not ranking.skip:
        yield [_Group(group.members, len(group.members)) for group in groups]


def _unranked(ranked: Execution) -> tuple[tuple[object, ...], ...]:
    return tuple(row[:-1] for row in ranked.rows or ())


@dataclass(frozen=True, slots=True)
class _Group:
    """Rows that tie, by their positions in ``ranked``, and how many of them the result has."""

    members: tuple[int, ...]
    taken: int


def _groups(ranked: Execution, ranking: Ranking) -> Iterator[_Group]:
    """Groups that have rows in the result, in the order of their ranks."""
    rows = ranked.rows or ()
    by_rank = sorted(range(len(rows)), key=lambda position: rows[position][-1])
    start = 0
    for _, group in groupby(by_rank, key=lambda position: rows[position][-1]):
        members = tuple(group)
        end = start + len(members)
        last = end if ranking.count is None else min(end, ranking.skip + ranking.count)
        taken = last - max(start, ranking.skip)
        if taken > 0:
            yield _Group(members, taken)
        start = end


def _arrangements(ours: Grid, theirs: Grid) -> Iterator[Arrangement]:
    """Choices of produced columns that hold nothing but values of the expected ones."""
    values = [set(ours.column(index)) for index in range(ours.width)]
    found: list[Arrangement] = [()]
    for index in range(ours.width):
        named = sorted(range(theirs.width), key=lambda p: (theirs.names[p] != ours.names[index], p))
        fitting = [p for p in named if set(theirs.column(p)) <= values[index]]
        found = [(*start, p) for start in found for p in fitting if p not in start]
        found = found[:MAX_ARRANGEMENTS]
    yield from found


def _chosen(
    groups: Sequence[_Group], ours: Sequence[Row], rows: Sequence[Row], *, is_ordered: bool
) -> list[int] | None:
    """Which of the ranked rows the produced rows are, in the order of these; None: not all are."""
    if not is_ordered:
        parts = _dealt(groups, ours, rows)
        if parts is None:
            return None
        rows = [row for part in parts for row in part]
    chosen: list[int] = []
    for group in groups:
        part = rows[len(chosen) : len(chosen) + group.taken]
        free: dict[Row, list[int]] = {}
        for position in group.members:
            free.setdefault(ours[position], []).append(position)
        for row in part:
            if not free.get(row):
                return None
            chosen.append(free[row].pop())
    return chosen


def _dealt(
    groups: Sequence[_Group], ours: Sequence[Row], rows: Iterable[Row]
) -> list[list[Row]] | None:
    """The produced rows dealt to the groups: whole groups first, then what is cut at both ends."""
    left = Counter(rows)
    whole = [
        [ours[position] for position in group.members] if group.taken == len(group.members) else []
        for group in groups
    ]
    left.subtract(row for part in whole for row in part)
    if any(count < 0 for count in left.values()):
        return None
    cut = [index for index, part in enumerate(whole) if not part]
    for index in cut:
        own = Counter(ours[position] for position in groups[index].members)
        others = {
            ours[position] for later in cut if later > index for position in groups[later].members
        }
        # Rows that only this group can have go first.
        can_be = sorted((left & own).elements(), key=lambda row: row in others)
        whole[index] = can_be[: groups[index].taken]
        left.subtract(whole[index])
    return None if any(left.values()) else whole
