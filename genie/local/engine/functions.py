"""Calls of table functions, with arguments from the question."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta

from sqlglot import exp

from genie.local.engine.answer import TraceEntry
from genie.local.engine.dates import DateSpan
from genie.local.engine.english import CUE_WORDS, MONTHS
from genie.local.engine.lexicon import STOP_STEMS, KnownValue
from genie.local.engine.linking import Candidate, is_content
from genie.local.engine.model import name_label
from genie.local.engine.prose import evidence_stems, read_prose
from genie.local.engine.terms import parse_fragment
from genie.local.engine.visible import VisibleFunction, VisibleParameter
from genie.local.engine.words import Token, name_parts, stem, stems_of

_NAME, _COMMENT, _SIGNATURE = 1.0, 0.7, 0.5
_SPECIFIC = 1.2  # for a question that says all that the function's comment says
_CUE = 0.4  # for "worst" or "top" where its comment or name says so too
_UNUSED = 0.8  # for each date or number that no parameter takes
_TAKEN_TEXT = 0.6  # for each text of the question that became an argument
_NUMBERS = ("int", "bigint", "smallint", "tinyint", "long", "double", "float", "decimal")
_STARTS = frozenset("start from since begin after first lower".split())
_ENDS = frozenset("end to until before last upper through till".split())
_LIMITS = frozenset("n limit top k rows count max".split())


@dataclass(frozen=True, slots=True)
class Call:
    """A query over a table function, how well it fits, and which tokens it explains."""

    query: exp.Select
    score: float
    explained: frozenset[int]
    trace: tuple[TraceEntry, ...]


@dataclass
class _Offer:
    """What a question offers to parameters; what was taken is not offered again."""

    tokens: Sequence[Token]
    dates: Sequence[DateSpan]
    texts: Sequence[tuple[int, int, str]]
    taken: set[int] = field(default_factory=set)

    def numbers(self) -> list[tuple[int, str]]:
        in_dates = {i for span in self.dates for i in range(span.start, span.end)}
        return [
            (i, token.number)
            for i, token in enumerate(self.tokens)
            if token.number is not None and i not in self.taken and i not in in_dates
        ]


def call_of(
    function: VisibleFunction,
    tokens: Sequence[Token],
    dates: Sequence[DateSpan],
    found: Sequence[Candidate],
) -> Call | None:
    """The call that answers a question; None where an argument is missing or nothing fits."""
    texts = [(one.start, one.end, value) for one in found if (value := _text_of(one)) is not None]
    offer = _Offer(tokens, dates, sorted(texts, key=lambda one: (one[0], -one[1])))
    arguments: list[exp.Expr | None] = [None] * len(function.parameters)
    trace: list[TraceEntry] = []
    for place in _in_order_of_certainty(function.parameters, offer):
        parameter = function.parameters[place]
        argument = _argument(parameter, offer)
        if argument is not None:
            arguments[place] = argument
            trace.append(TraceEntry("argument", parameter.name, argument.sql(dialect="spark")))
        elif parameter.default is None:
            return None
    explained, worth = _explained(function, tokens)
    if not explained:
        return None
    given = sum(1 for start, end, _ in offer.texts if offer.taken >= set(range(start, end)))
    unused = sum(
        1 for span in dates if span.start not in offer.taken
    ) + len(offer.numbers())  # fmt: skip
    query = _query(function, arguments)
    if query is None:
        return None
    return Call(
        query, worth + _TAKEN_TEXT * given - _UNUSED * unused, explained | offer.taken, tuple(trace)
    )


def _text_of(one: Candidate) -> str | None:
    if one.entry is None:
        return one.text
    target = one.entry.target
    return target.value if isinstance(target, KnownValue) else None


def _explained(function: VisibleFunction, tokens: Sequence[Token]) -> tuple[frozenset[int], float]:
    """The content words that the function's name, comments and signature explain."""
    name = set(name_label(function.identifier.split(".")[-1]).stems)
    said = evidence_stems(function.comment or "") | evidence_stems(function.description or "")
    signature: set[str] = set()
    members = [(one.name, one.comment) for one in function.parameters]
    members += [(one.name, one.comment) for one in function.returns]
    for name_, comment in members:
        signature |= {stem(part) for part in name_parts(name_)}
        signature |= evidence_stems(comment or "")
    explained: set[int] = set()
    worth = 0.0
    told = set(stems_of(function.comment or "")) | name
    for place, token in enumerate(tokens):
        if not is_content(token) or token.kind == "quoted":
            worth += _CUE * (token.lower in CUE_WORDS and token.stem in told)
            continue
        value = _NAME if token.stem in name else _COMMENT if token.stem in said else 0.0
        value = value or (_SIGNATURE if token.stem in signature else 0.0)
        if value:
            explained.add(place)
            worth += value
    asked = {token.stem for token in tokens}
    texts = (stems_of(function.comment or ""), stems_of(function.description or ""))
    shares = (
        len(words & asked) / len(words)
        for text in texts
        if (words := {word for word in text if word not in STOP_STEMS})
    )
    worth += _SPECIFIC * max(shares, default=0.0)
    is_about = any(tokens[place].stem in name | said for place in explained)
    return frozenset(explained) if is_about else frozenset(), worth


def _in_order_of_certainty(parameters: Sequence[VisibleParameter], offer: _Offer) -> list[int]:
    """Parameters that words of the question point to come first, then the order of the call."""

    def certainty(place: int) -> int:
        wanted = _words_of(parameters[place])
        return sum(
            any(stem_ in wanted for stem_ in _around(offer, at)) for at, _ in offer.numbers()
        )

    return sorted(range(len(parameters)), key=lambda place: (-min(certainty(place), 1), place))


def _words_of(parameter: VisibleParameter) -> frozenset[str]:
    return frozenset(stem(part) for part in name_parts(parameter.name)) | frozenset(
        stems_of(parameter.comment or "")
    )


def _around(offer: _Offer, at: int) -> set[str]:
    near = offer.tokens[max(at - 3, 0) : at + 3]
    return {token.stem for token in near if token.kind == "word" and len(token.lower) > 2}


def _argument(parameter: VisibleParameter, offer: _Offer) -> exp.Expr | None:
    kind = parameter.data_type.lower().split("(")[0]
    if kind in ("date", "timestamp", "timestamp_ntz"):
        return _date_argument(parameter, offer)
    if kind in _NUMBERS:
        return _period_argument(parameter, offer) or _number_argument(parameter, offer)
    if kind in ("string", "varchar", "char"):
        return _text_argument(parameter, offer)
    return None


def _date_argument(parameter: VisibleParameter, offer: _Offer) -> exp.Expr | None:
    words = {*name_parts(parameter.name), *(parameter.comment or "").lower().split()}
    for span in offer.dates:
        is_end = bool(words & _ENDS) and not set(name_parts(parameter.name)) & _STARTS
        day = span.behind if is_end else span.first
        if day is None:
            continue
        if is_end and "exclusive" not in words:
            day -= timedelta(days=1)
        offer.taken |= set(range(span.start, span.end))
        return exp.cast(exp.Literal.string(day.isoformat()), "date")
    return None


def _period_argument(parameter: VisibleParameter, offer: _Offer) -> exp.Expr | None:
    words = set(name_parts(parameter.name)) | set((parameter.comment or "").lower().split())
    for span in offer.dates:
        if span.first is None:
            continue
        text = {token.lower for token in offer.tokens[span.start : span.end]}
        if "year" in words:
            value = span.first.year
        elif "month" in words and text & set(MONTHS):
            value = span.first.month
        elif "quarter" in words and any(word[:1] == "q" for word in text):
            value = (span.first.month + 2) // 3
        else:
            continue
        offer.taken |= set(range(span.start, span.end))
        return exp.Literal.number(value)
    return None


def _number_argument(parameter: VisibleParameter, offer: _Offer) -> exp.Expr | None:
    """The number whose neighbours the parameter's words name; for a limit the number of a top."""
    numbers = offer.numbers()
    if not numbers:
        return None
    wanted = _words_of(parameter)
    own = set(name_parts(parameter.name))

    def closeness(one: tuple[int, str]) -> tuple[int, int]:
        at = one[0]
        before = offer.tokens[at - 1].lower if at else ""
        is_top = before in ("top", "bottom", "first", "best")
        is_limit = bool(own & _LIMITS) or "rows" in wanted or "row" in wanted
        return (len(_around(offer, at) & wanted) + 2 * (is_top and is_limit), -at)

    best = max(numbers, key=closeness)
    if parameter.default is not None and closeness(best)[0] == 0:
        return None
    offer.taken.add(best[0])
    return exp.Literal.number(best[1])


def _text_argument(parameter: VisibleParameter, offer: _Offer) -> exp.Expr | None:
    """A value that the parameter's comment lists, else a text that nothing took yet."""
    listed = read_prose(parameter.comment).values
    said = [token.stem for token in offer.tokens]
    for one in listed:
        for label in (stems_of(one.meaning or ""), stems_of(one.value)):
            for start in range(len(said) - len(label) + 1):
                if label and tuple(said[start : start + len(label)]) == label:
                    offer.taken |= set(range(start, start + len(label)))
                    return exp.Literal.string(one.value)
    if listed:
        return None
    free = [one for one in offer.texts if not offer.taken & set(range(one[0], one[1]))]
    if not free:
        return None
    wanted = _words_of(parameter)
    start, end, value = max(
        free,
        key=lambda one: (
            len({t.stem for t in offer.tokens[max(one[0] - 3, 0) : one[1] + 2]} & wanted),
            -one[0],
        ),
    )
    offer.taken |= set(range(start, end))
    return exp.Literal.string(value)


def _query(function: VisibleFunction, arguments: list[exp.Expr | None]) -> exp.Select | None:
    """SELECT * FROM function(...): defaults fill the gaps in front of the last given argument."""
    while arguments and arguments[-1] is None:
        arguments.pop()
    given: list[exp.Expr] = []
    for parameter, value in zip(function.parameters, arguments, strict=False):
        default = parse_fragment(parameter.default or "") if value is None else value
        if default is None:
            return None
        given.append(default)
    *qualifiers, name = (exp.to_identifier(part) for part in function.identifier.split("."))
    call = exp.Anonymous(this=name, expressions=given)
    slots = dict(zip(("db", "catalog"), reversed(qualifiers), strict=False))
    return exp.select(exp.Star()).from_(exp.Table(this=call, **slots))
