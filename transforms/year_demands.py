"""The years that a question names, and whether a query's conditions on time cover them.

``YEAR(d) = 2022`` and ``d >= '2022-01-01' AND d < '2023-01-01'`` cover the same year, so that
periods are compared and not the digits that stand in the SQL.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from transforms.demand_model import Demand, all_literals, all_predicates
from transforms.findings import Differ, unquoted
from transforms.name_scope import Catalog
from transforms.question_words import is_temporal_name
from transforms.shape_model import Predicate, QueryShape

_Y = r"(?<![\w./-])((?:19|20)\d\d)(?![\w/]|[.,-]\d)"
_THE = r"(?:the )?(?:years? )?"
_MONTHS = (
    r"(?:jan|feb|mar|apr|may|june?|july?|aug|sep|oct|nov|dec)[a-z]*|q[1-4]|quarter|half|first|"
    r"second|third|fourth|early|late|mid|the|start|end|beginning|of|in|\d{1,2}(?:st|nd|rd|th)?"
)
_BOUNDING = r"since|from|after|before|until|till|through|up to|to|by|between|and|prior to"
# A bound inside a year, of which the year alone says too little.
_INSIDE = re.compile(rf"\b(?:{_BOUNDING}) (?:(?:{_MONTHS})[ ,-]+)+$")
_QUANTITY = re.compile(
    r"(?:[$€£#]|\b(?:than|over|above|below|under|least|most|exceeding|top|first|last|number|id))\s*$"
)
# Other calendars, and years that are named to be left out.
_UNSURE = re.compile(
    r"\b(?:fy ?\d+|fiscal|financial|academic|school|seasons?|except|excluding|not in|"
    r"other than|outside)\b"
)
_DATE = re.compile(r"(\d{4})(?:-(\d\d))?(?:-(\d\d))?(?:[ T].*)?")
_EVER, _NEVER = 9999, 0


@dataclass(frozen=True, slots=True)
class AskedYears:
    """Years of a question: those that must be covered, and the ends that nothing may go beyond.

    ``named`` are the years as the words have them. ``is_plain``: no word makes them a bound.
    """

    phrase: str
    must: frozenset[int]
    named: frozenset[int]
    least: int = _NEVER
    most: int = _EVER
    is_plain: bool = False


@dataclass(frozen=True, slots=True)
class Covered:
    """The years that conditions on time let through: first and last of each run of years.

    ``is_readable`` is false where one of the conditions says it in a way that is not understood.
    """

    runs: tuple[tuple[int, int], ...]
    has_conditions: bool
    is_readable: bool


def year_demands(differ: Differ) -> Iterator[Demand]:
    """The years of the question that one of the queries does not cover."""
    shapes = differ.expected, differ.produced
    covered = [covered_years(shape, differ.catalog) for shape in shapes]
    if not any(one.runs for one in covered):
        return
    for asked in asked_years(differ.question):
        fits = [_fits(asked, *pair) for pair in zip(shapes, covered, strict=True)]
        yield Demand(asked.phrase, "year", *fits)


def is_about_years(differ: Differ) -> bool:
    """Whether the years of the question are ``year_demands``, and no mere numbers."""
    shapes = differ.expected, differ.produced
    return any(covered_years(shape, differ.catalog).runs for shape in shapes)


def is_year_at(question: str, start: int) -> bool:
    """Whether the digits at a place of the question are a year."""
    text = question.lower()
    return bool(re.compile(_Y).match(text, start)) and not _QUANTITY.search(text[:start])


def are_years(literals: tuple[str, ...]) -> bool:
    """Whether SQL literals are years or dates, and there are any."""
    return bool(literals) and all(
        re.fullmatch(r"(?:19|20)\d\d(?:-\d\d.*)?", unquoted(literal)) for literal in literals
    )


def asked_years(question: str) -> list[AskedYears]:
    """The years that a question names, with the words that make a bound of them."""
    text = question.lower()
    if _UNSURE.search(text):
        return []
    found: list[AskedYears] = []

    def take(pattern: str, kind: str) -> None:
        nonlocal text
        for match in list(re.finditer(pattern, text)):
            years = [int(group) for group in match.groups()]
            if not _QUANTITY.search(text[: match.start(1)]):
                found.append(_asked(match.group(0), kind, years[0], years[-1]))
        text = re.sub(pattern, lambda match: ";" * len(match.group(0)), text)

    to = r"(?: ?(?:-|\u2013) ?| (?:and|to|until|till|through) )"
    last = _Y.replace(r"(?<![\w./-])", r"(?<!\d)")
    first = _Y.replace(r"[.,-]\d", r"[.,]\d")
    take(rf"\b(?:between|from) {_THE}{first}{to}{_THE}{last}", "span")
    take(rf"{first}(?: ?(?:-|\u2013) ?| (?:to|through) ){last}", "span")
    take(rf"{_Y} (?:or|and) (?:later|after|newer|onwards?)\b", "since")
    take(rf"{_Y} (?:or|and) (?:before|earlier|older)\b", "until")
    take(rf"{_Y} onwards?\b", "since")
    take(rf"\b(?:since|from|starting in|starting from) {_THE}{_Y}", "since")
    take(rf"\bafter {_THE}{_Y}", "after")
    take(rf"\b(?:before|prior to|earlier than) {_THE}{_Y}", "before")
    take(rf"\b(?:until|till|through|up to|by) (?:the end of )?{_THE}{_Y}", "until")
    for match in re.finditer(_Y, text):
        before = text[: match.start()]
        if not _INSIDE.search(before) and not _QUANTITY.search(before):
            found.append(_asked(match.group(0), "in", int(match.group(1)), int(match.group(1))))
    return found


def _asked(phrase: str, kind: str, first: int, last: int) -> AskedYears:
    named = frozenset({first, last})
    match kind:
        case "span":
            return AskedYears(phrase, frozenset(range(first, last + 1)), named, first, last)
        case "since":
            return AskedYears(phrase, named, named, least=first)
        case "after":  # whether the year itself is meant, is not sure
            return AskedYears(phrase, frozenset({first + 1}), named, least=first)
        case "before":
            return AskedYears(phrase, frozenset({first - 1}), named, most=first - 1)
        case "until":
            return AskedYears(phrase, frozenset({first - 1}), named, most=first)
    return AskedYears(phrase, named, named, is_plain=True)


def _fits(asked: AskedYears, shape: QueryShape, covered: Covered) -> bool | None:
    is_named = asked.named <= _years_in(shape)
    if not covered.has_conditions:
        return True if is_named else False
    if not covered.is_readable:
        return None
    if not covered.runs:
        return None if is_named else False
    is_missing = any(
        not any(first <= year <= last for first, last in covered.runs) for year in asked.must
    )
    if is_missing:
        # With a bound, whether the year that it names is in it can be read both ways.
        return None if is_named and not asked.is_plain else False
    if len(covered.runs) == 1:  # of several, each may be about another thing
        first, last = covered.runs[0]
        return first >= asked.least and last <= asked.most
    return True


def _years_in(shape: QueryShape) -> frozenset[int]:
    """Every year that stands somewhere in a query: as a value, or in the name of a table."""
    texts = [*all_literals(shape), *shape.tables, *(p.text for p in all_predicates(shape))]
    return frozenset(
        int(year) for text in texts for year in re.findall(r"(?<!\d)(?:19|20)\d\d(?!\d)", text)
    )


def is_temporal(predicate: Predicate, catalog: Catalog) -> bool:
    """Whether a condition is about a date, a time or a part of one."""
    return predicate.left.period is not None or any(
        catalog.is_date(column) or is_temporal_name(column.rpartition(".")[2])
        for column in predicate.columns
    )


def covered_years(shape: QueryShape, catalog: Catalog) -> Covered:
    """The years that the conditions of a query on time let through."""
    groups: dict[tuple[object, ...], list[Predicate]] = {}
    for predicate in shape.predicates:
        if is_temporal(predicate, catalog):
            key = (predicate.columns, predicate.place, predicate.slot)
            groups.setdefault(key, []).append(predicate)
    runs: list[tuple[int, int]] = []
    is_readable = True
    for members in groups.values():
        found = _all_of(members)
        if found is None or any(p.place == "excluded" for p in members):
            is_readable = False
        else:
            runs += [run for run in found if run != (_NEVER, _EVER)]
    return Covered(tuple(dict.fromkeys(runs)), bool(groups), is_readable)


def _all_of(predicates: list[Predicate]) -> list[tuple[int, int]] | None:
    """The runs of years that all conditions let through; None: one of them is not understood."""
    runs = [(_NEVER, _EVER)]
    for predicate in predicates:
        found = _runs(predicate)
        if found is None:
            return None
        pairs = [(max(a, c), min(b, d)) for a, b in runs for c, d in found]
        runs = [(first, last) for first, last in pairs if first <= last]
    return runs


def _runs(predicate: Predicate) -> list[tuple[int, int]] | None:
    """The runs of years that one condition lets through; None: it is not understood."""
    if predicate.operator == "AND":
        return _all_of(list(predicate.parts))
    if predicate.operator == "OR":
        found = [_runs(part) for part in predicate.parts]
        return None if None in found else [run for runs in found for run in runs or ()]
    if predicate.operator == "IS_NOT_NULL" or predicate.left.pieces in _WITHIN_A_YEAR:
        return [(_NEVER, _EVER)]
    if predicate.right is not None or not predicate.values:
        return None
    if predicate.left.column is None and predicate.left.period != "year":
        return None
    dates = [_DATE.fullmatch(unquoted(value)) for value in predicate.values]
    found_runs = [_run(predicate.operator, date) for date in dates if date]
    if len(found_runs) < len(dates) or None in found_runs or not are_years(predicate.values):
        return None
    return [run for run in found_runs if run]


# Parts of a date that say nothing of its year.
_WITHIN_A_YEAR = {(f"{part}(", ")") for part in ("MONTH", "QUARTER", "DAY", "WEEK", "DAYOFWEEK")}


def _run(operator: str, date: re.Match[str]) -> tuple[int, int] | None:
    year, month, day = int(date.group(1)), date.group(2), date.group(3)
    is_first, is_last = (month, day) == ("01", "01"), (month, day) == ("12", "31")
    is_year = month is None
    match operator:
        case "=" | "IN":
            return year, year
        case ">=":
            return year, _EVER
        case ">":
            return year + (is_year or is_last), _EVER
        case "<":
            return _NEVER, year - (is_year or is_first)
        case "<=":
            return _NEVER, year - is_first
    return None
