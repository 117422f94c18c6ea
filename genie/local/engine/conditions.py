"""Conditions: values, flags, named filters, spans of time and what must be absent."""

from __future__ import annotations

from sqlglot import exp

from genie.local.engine.dates import DateSpan
from genie.local.engine.english import NO_WORDS, STOP_WORDS, YES_WORDS
from genie.local.engine.guessing import column_for, date_column, kind_column, spelled
from genie.local.engine.lexicon import KnownValue
from genie.local.engine.model import Field, Source
from genie.local.engine.plan import Absence, Plan
from genie.local.engine.reading import Item, Reading

_TIES = frozenset(("the", "of", "is", "are", "as", "a", "an", "was", "were", "in", "with", "be",
                   "named", "called", "by", "to", "for", "=", "been", "that", "type"))  # fmt: skip


def add_conditions(reading: Reading, plan: Plan, first: int = 0) -> None:
    """Turns what restricts rows into conditions, and uses those items up.

    Only items from place ``first`` on are looked at.
    """
    _absences(reading, plan, first)
    equal: dict[tuple[Field, bool], list[exp.Expr]] = {}
    for place, item in list(reading.open_items()):
        if place in reading.used or place < first:
            continue
        if isinstance(item.target, KnownValue):
            _known_value(reading, plan, place, item.target, equal)
        elif item.kind == "literal":
            _literal(reading, plan, place, equal)
        elif isinstance(item.target, DateSpan):
            _span(reading, plan, place, item.target)
        elif item.term is not None and item.term.kind == "filter":
            _term(reading, plan, place)
        elif item.field is not None and item.field.is_flag:
            _flag(reading, plan, place, item.field)
        elif item.kind == "word":
            _unknown_adjective(reading, plan, place, equal)
    for (one, is_negated), values in equal.items():
        condition = _equality(reading.sql_of(one), values, is_negated)
        _add(reading, plan, condition, one)


def _add(reading: Reading, plan: Plan, condition: exp.Expr, one: Field) -> None:
    for absence in plan.absences:
        if absence.source.identifier == one.source:
            absence.where.append(condition)
            return
    plan.need(one.source)
    plan.where.append(condition)


def literal_of(one: Field, text: str) -> exp.Expr:
    """A value as SQL: a number for a numeric column where it is one, else a text."""
    plain = text.replace(",", "")
    if one.family == "number" and plain.replace(".", "", 1).isdigit():
        return exp.Literal.number(plain)
    if one.family == "boolean":
        return exp.Boolean(this=text.lower() in YES_WORDS)
    return exp.Literal.string(text)


def _equality(column: exp.Expr, values: list[exp.Expr], is_negated: bool) -> exp.Expr:
    if len(values) == 1:
        kind = exp.NEQ if is_negated else exp.EQ
        return kind(this=column, expression=values[0])
    inside = exp.In(this=column, expressions=values)
    return exp.Not(this=inside) if is_negated else inside


def _negation(reading: Reading, place: int) -> bool:
    at = reading.is_negated(place)
    if at is None:
        return False
    reading.use(at)
    return True


def _remember(
    equal: dict[tuple[Field, bool], list[exp.Expr]], one: Field, value: exp.Expr, negated: bool
) -> None:
    values = equal.setdefault((one, negated), [])
    if value not in values:
        values.append(value)


def _known_value(
    reading: Reading,
    plan: Plan,
    place: int,
    known: KnownValue,
    equal: dict[tuple[Field, bool], list[exp.Expr]],
) -> None:
    is_negated = _negation(reading, place) or _follows_negated_twin(reading, place, known, equal)
    _remember(equal, known.field, literal_of(known.field, known.value), is_negated)
    reading.use(place)
    _use_name_of(reading, place, known.field)
    reading.note("filter", reading.items[place].text,
                 f"{known.origin} of {known.field.source}.{known.field.name}")  # fmt: skip


def _follows_negated_twin(
    reading: Reading,
    place: int,
    known: KnownValue,
    equal: dict[tuple[Field, bool], list[exp.Expr]],
) -> bool:
    """'neither A nor B', 'not A or B': the second is negated with the first."""
    is_listed = place > 0 and reading.items[place - 1].text in ("or", "and", "nor", ",")
    return is_listed and (known.field, True) in equal and (known.field, False) not in equal


def _use_name_of(reading: Reading, place: int, one: Field) -> None:
    """Uses up the column's name where it stands next to its value: 'status is open'."""
    for step in (-1, 1):
        at = place + step
        while 0 <= at < len(reading.items):
            item = reading.items[at]
            is_owner = item.source is not None and item.source.identifier == one.source
            owner = item.source if is_owner and item.source is not reading.home else None
            is_named = item.field is one or (owner is not None and one is owner.name_field)
            if is_named:
                reading.use(at)
                return
            is_value = isinstance(item.target, KnownValue) and item.target.field is one
            is_tie = item.kind == "word" and item.text in (*_TIES, ",", "or", "and")
            if not (is_value or is_tie or item.cue == "not" or item.text == "equal to"):
                break
            if step == 1 and item.kind == "word" and item.text not in ("the", "as"):
                break
            at += step


def _literal(
    reading: Reading, plan: Plan, place: int, equal: dict[tuple[Field, bool], list[exp.Expr]]
) -> None:
    item = reading.items[place]
    previous = place - 1
    while previous > 0 and reading.items[previous].text in ("or", "and", ",", "either"):
        previous -= 1
    twins = [one for (one, _), values in equal.items() if exp.Literal.string(
        reading.items[previous].text) in values]  # fmt: skip
    is_twin = previous != place - 1 and reading.items[previous].kind == "literal" and twins
    guess = (twins[0], None, "like the value before it") if is_twin else column_for(reading, place)
    if guess is None:
        plan.problem = f"I do not know what {item.text!r} is."
        return
    one, named_by, why = guess
    value, how = spelled(one, item.text)
    is_negated = _negation(reading, place)
    _remember(equal, one, literal_of(one, value), is_negated)
    reading.use(place)
    if named_by is not None:
        reading.use(named_by)
    reading.note("filter", item.text, f"{one.source}.{one.name}: {why}, {how}")


def _unknown_adjective(
    reading: Reading, plan: Plan, place: int, equal: dict[tuple[Field, bool], list[exp.Expr]]
) -> None:
    """An unexplained word right in front of a thing, or behind 'are': its state or its kind."""
    item = reading.items[place]
    if item.text in STOP_WORDS or not item.text.isalpha() or len(item.text) < 3:
        return
    following = reading.items[place + 1] if place + 1 < len(reading.items) else None
    before = reading.items[place - 1].text if place else ""
    source: Source | None = following.source if following else None
    is_end = following is None or following.kind == "date" or following.text in ("?", ".", "and")
    if source is None and is_end and before in ("are", "is", "were", "was", "not", "been", "be"):
        source = reading.home
    one = kind_column(reading, source) if source else None
    if one is None:
        return
    value, how = spelled(one, item.text)
    _remember(equal, one, literal_of(one, value), _negation(reading, place))
    reading.use(place)
    reading.note("filter", item.text, f"a guess at {one.source}.{one.name}, {how}")


def _term(reading: Reading, plan: Plan, place: int) -> None:
    term = reading.items[place].term
    assert term is not None
    condition = term.tree.copy()
    if _negation(reading, place):
        condition = exp.Not(this=exp.paren(condition))
    elif isinstance(condition, exp.Or):
        condition = exp.paren(condition)
    plan.need(*term.sources)
    (plan.having if condition.find(exp.AggFunc) else plan.where).append(condition)
    reading.use(place)
    reading.note("filter", reading.items[place].text, reading.items[place].origin)


def _flag(reading: Reading, plan: Plan, place: int, one: Field) -> None:
    """A yes-or-no column restricts the rows, unless it is grouped by or asked for in a list."""
    before = next(iter(reading.preceding(place)), None)
    if before is not None and before[1].cue in ("group", "order"):
        return
    if _is_listed(reading, place):
        return
    is_negated = _negation(reading, place)
    says_no = bool({"not", "non", "in", "un"} & set(one.words)) and one.words[0] != "in"
    wanted = is_negated == says_no
    column = reading.sql_of(one)
    if one.family == "boolean":
        condition: exp.Expr = exp.EQ(this=column, expression=exp.Boolean(this=wanted))
    else:
        code = _flag_code(one, wanted)
        condition = exp.EQ(this=column, expression=literal_of(one, code))
    _add(reading, plan, condition, one)
    reading.use(place)
    reading.note("filter", reading.items[place].text, f"flag {one.source}.{one.name}")


def _is_listed(reading: Reading, place: int) -> bool:
    """Whether the flag is one of several columns that the question wants to see."""
    neighbours = [
        reading.items[at] for at in (place - 2, place + 2) if 0 <= at < len(reading.items)
    ]
    joined = [
        at for at in (place - 1, place + 1)
        if 0 <= at < len(reading.items) and reading.items[at].text in ("and", ",")
    ]  # fmt: skip
    return bool(joined) and any(
        item.field is not None and not item.field.is_flag for item in neighbours
    )


def _flag_code(one: Field, wanted: bool) -> str:
    """The code for yes or no: what a comment decodes, else the usual one."""
    words = YES_WORDS if wanted else NO_WORDS
    for listed in one.listed:
        meaning = (listed.meaning or listed.value).lower().split()
        if meaning and (meaning[0] in words):
            return listed.value
    if one.family == "number":
        return "1" if wanted else "0"
    return "Y" if wanted else "N"


def _span(reading: Reading, plan: Plan, place: int, span: DateSpan) -> None:
    found = date_column(reading, place)
    if found is None:
        plan.problem = "I know no date that this could be about."
        return
    one, named_by, why = found
    column = reading.sql_of(one)
    condition = span_condition(one, column, span)
    if _negation(reading, place):
        condition = exp.Not(this=exp.paren(condition))
    _add(reading, plan, condition, one)
    reading.use(place)
    if named_by is not None and not _is_asked_for(reading, named_by, place):
        reading.use(named_by)
    reading.note("filter", reading.items[place].text, f"{one.source}.{one.name}: {why}")


def _is_asked_for(reading: Reading, at: int, place: int) -> bool:
    before = next(iter(reading.preceding(at)), None)
    return before is not None and before[1].cue in ("group", "order")


def span_condition(one: Field, column: exp.Expr, span: DateSpan) -> exp.Expr:
    """A span of time as a condition; on a number that is a year it compares years."""
    if one.is_year and not one.is_temporal:
        first = exp.Literal.number(span.first.year) if span.first else None
        behind = exp.Literal.number(span.behind.year) if span.behind else None
        is_one = span.first and span.behind and span.behind.year - span.first.year <= 1
        if is_one and first:
            return exp.EQ(this=column, expression=first)
        if first and behind:
            last = exp.Literal.number(span.behind.year - 1)  # type: ignore[union-attr]
            return exp.Between(this=column, low=first, high=last)
        if first:
            is_after = span.relation == "after" and span.first is not None
            if is_after and span.is_years:
                year = exp.Literal.number(span.first.year - 1)  # type: ignore[union-attr]
                return exp.GT(this=column, expression=year)
            return exp.GTE(this=column, expression=first)
        if span.relation == "until":
            last = exp.Literal.number(span.behind.year - 1)  # type: ignore[union-attr]
            return exp.LTE(this=column, expression=last)
        return exp.LT(this=column, expression=behind)
    dated = exp.cast(column.copy(), "date") if one.family == "text" else column
    ends: list[exp.Expr] = []
    if span.first:
        ends.append(exp.GTE(this=dated.copy(), expression=_date(span.first.isoformat())))
    if span.behind:
        ends.append(exp.LT(this=dated.copy(), expression=_date(span.behind.isoformat())))
    return exp.and_(*ends)


def _date(text: str) -> exp.Expr:
    return exp.cast(exp.Literal.string(text), "date")


def _absences(reading: Reading, plan: Plan, first: int) -> None:
    """'members without loans', 'who never borrowed': no row of another table may be there."""
    for place in reading.cue("not"):
        following = next(iter(reading.following(place)), None)
        if following is None or place < first:
            continue
        at, item = following
        while (
            item.kind == "cue"
            and item.text in ("any", "a", "single")
            and at + 1 < len(reading.items)
        ):
            at, item = at + 1, reading.items[at + 1]
        source = _absent_source(reading, plan, item)
        if source is None or not _is_close(reading, place, at):
            continue
        plan.absences.append(Absence(source))
        reading.use(place, at)
        reading.note("filter", item.text, f"no row of {source.identifier}")


def _is_close(reading: Reading, place: int, at: int) -> bool:
    return all(
        word in STOP_WORDS or word in ("single", "yet", "any")
        for word in reading.words_between(place, at)
    )


def _absent_source(reading: Reading, plan: Plan, item: Item) -> Source | None:
    """The table whose rows must be absent: on the many side of the home, or its key's twin."""
    source = item.source
    if source is None or reading.home.is_metric_view:
        return None
    if source is reading.home:
        others = [i.source for i in reading.items if i.source not in (None, source)]
        if not others or others[0] is None:
            return None
        reading.home = plan.home = others[0]
    path = reading.graph.path(reading.home.identifier, source.identifier)
    return source if path and reading.graph.fans_out(path, reading.home.identifier) else None
