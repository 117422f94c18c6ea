"""Digits and quoted words of a question: which query uses them, and where one may state them in
another way, so that their absence is no fault: another unit, a code, a range of dates."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal

from transforms.demand_model import (
    Demand,
    all_literals,
    all_predicates,
    as_number,
    compares_with,
    holds_number,
    holds_text,
    number_in,
    number_of,
    other_literals,
)
from transforms.findings import Differ, folded, unquoted
from transforms.question_words import name_words, quoted_strings, stem
from transforms.shape_model import Predicate, QueryShape
from transforms.year_demands import is_about_years, is_temporal, is_year_at

_DIGITS = re.compile(r"(?<![\w.])\d[\d,]*(?:\.\d+)?(?![\w])")
_MULTIPLIERS = {
    "dozen": 12, "hundred": 100, "thousand": 1000, "million": 10**6, "billion": 10**9,
}  # fmt: skip
_TIME_UNITS = {
    stem(unit)
    for unit in """second minute hour day week month quarter half semester year decade
    century""".split()
}
_UNITS = {
    stem(unit)
    for unit in """dollar euro cent pound usd eur gbp buck mile meter metre kilometer kilometre km
    cm mm foot feet ft inch yard gram kilogram kg lb ounce oz ton tonne liter litre gallon celsius
    fahrenheit degree kb mb gb tb byte kilobyte megabyte gigabyte ms millisecond acre hectare mph
    kmh""".split()
}
# How many of a smaller unit make a larger one.
_FACTORS = tuple(map(Decimal, (7, 12, 24, 60, 1024, 1440, 3600, 86400)))
_CALENDAR_FACTORS = tuple(map(Decimal, (3, 4, 30, 31, 52, 90, 91, 365, 366)))
_PARTS_OF_DATES = ("YEAR(", "QUARTER(", "MONTH(", "WEEK(", "DAY(", "HOUR(", "MINUTE(")


@dataclass(frozen=True, slots=True)
class Mention:
    """A number of a question: its words, its value, and the stems of the words around it.

    ``direction`` is ``>`` or ``<`` where the words make a bound of it, ``after`` the word or sign
    that follows, ``before`` the word that it is a number of: ``orders 3 and 4``.
    """

    phrase: str
    number: Decimal
    before: str
    after: str
    direction: str | None

    @property
    def is_time(self) -> bool:
        """Whether it counts or numbers parts of time."""
        return bool({self.before, self.after} & _TIME_UNITS) or self.after in {"-", "/"}

    @property
    def is_share(self) -> bool:
        """Whether it is a share of something, which SQL has as a fraction or in per cent."""
        return self.after in {"%", "percent", "percentag"}

    @property
    def has_unit(self) -> bool:
        """Whether it is so many of a unit, and no number of rows."""
        return self.is_time or self.is_share or self.after in _UNITS or self.before in {"$", "€"}


def mentions(question: str) -> Iterator[Mention]:
    """Every number of two or more that stands in digits in a question."""
    text = question.lower()
    for match in _DIGITS.finditer(text):
        digits = match.group(0).rstrip(",")
        number = number_of(digits)
        if number is None or number < 2:
            continue
        before, rest = text[: match.start()], text[match.end() :]
        following = re.match(r"\s*(%|[a-z]+)|[-/]", rest)
        after = following.group(0).strip() if following else ""
        phrase = digits
        if after in _MULTIPLIERS:
            phrase, number = f"{digits} {after}", number * _MULTIPLIERS[after]
            following = re.match(r"\s*[a-z]+\s+(%|[a-z]+)", rest)
            after = following.group(1) if following else ""
        nearest = re.search(
            r"([a-z]+|[$€#])[\s\W]*$", re.sub(r"(?:[\d.,\s]|\b(?:and|or|to)\b)+$", "", before)
        )
        yield Mention(
            phrase,
            number,
            stem(nearest.group(1)) if nearest else "",
            stem(after) if after.isalpha() else after,
            _direction(before, rest),
        )


def _direction(before: str, rest: str) -> str | None:
    above = r"\b(?:more|greater|higher|larger|bigger|longer|older|taller|heavier) than|over|above"
    below = r"\b(?:less|fewer|lower|smaller|shorter|younger|lighter) than|under|below"
    if re.search(
        rf"(?:\bno (?:more|greater|higher) than|{below}|\bat most|\bup to)\s+\W?$", before
    ):
        return "<"
    if re.search(rf"(?:\bno (?:less|fewer) than|{above}|exceeding|\bat least)\s+\W?$", before):
        return ">"
    if found := re.match(r"\s*(?:\w+\s+)?or (more|above|over|less|fewer|below)\b", rest):
        return ">" if found.group(1) in {"more", "above", "over"} else "<"
    return None


def number_demands(differ: Differ) -> Iterator[Demand]:
    """Digits of the question (an amount, a key) that one of the queries does not use."""
    about_years = is_about_years(differ)
    for match, mention in zip(_matches(differ.question), mentions(differ.question), strict=True):
        if about_years and is_year_at(differ.question, match):
            continue
        fits = [
            _uses(mention, *pair, differ)
            for pair in (
                (differ.expected, differ.produced),
                (differ.produced, differ.expected),
            )
        ]
        yield Demand(mention.phrase, "number", *fits, number=mention.number)


def _matches(question: str) -> list[int]:
    """Where the numbers of ``mentions`` start."""
    numbers = ((m.start(), number_of(m.group(0).rstrip(","))) for m in _DIGITS.finditer(question))
    return [start for start, number in numbers if number is not None and number >= 2]


def _uses(mention: Mention, shape: QueryShape, other: QueryShape, differ: Differ) -> bool | None:
    number = mention.number
    holding = [p for p in all_predicates(shape) if compares_with(p, number)]
    if holding:
        return True if any(_suits(p, mention, differ) for p in holding) else None
    if holds_number(other_literals(shape), number):
        return None if mention.has_unit else True
    return None if _may_state(mention, shape, other, differ) else False


def _may_state(mention: Mention, shape: QueryShape, other: QueryShape, differ: Differ) -> bool:
    """Whether a query without a number may say the same in another unit, code or form."""
    own = set(all_literals(shape)) - set(all_literals(other))
    values = [value for literal in own if (value := as_number(literal)) is not None]
    # > 1500 on whole numbers is >= 1501.
    values += [value - 1 for p in all_predicates(shape) if (value := _next_whole(p)) is not None]
    if any(is_restated(value, mention) for value in values):
        return True
    conditions = list(all_predicates(shape))
    held = [p for p in all_predicates(other) if compares_with(p, mention.number)]
    alike = [p for p in conditions if any(_compares_alike(p, h) for h in held)]
    if mention.is_time:
        suiting = [p for p in held if _suits(p, mention, differ)]
        return any(
            is_temporal(p, differ.catalog) and not any(_compares_alike(p, h) for h in suiting)
            for p in conditions
        )
    return not alike and any(
        p.left.same(h.left) or _shares_column(p, h) for p in conditions for h in held
    )


def _next_whole(predicate: Predicate) -> Decimal | None:
    is_next = predicate.operator in {">=", "<"} and predicate.written is not None
    return number_in(predicate) if is_next else None


def is_restated(value: Decimal, mention: Mention) -> bool:
    """Whether a value may be a number of the question in another unit."""
    pair = sorted((abs(value), mention.number))
    if not pair[0]:
        return False
    ratio = pair[1] / pair[0]
    factors = (*_FACTORS, *_CALENDAR_FACTORS) if mention.is_time else _FACTORS
    is_power_of_ten = ratio > 1 and ratio.normalize().as_tuple().digits == (1,)
    return is_power_of_ten or ratio in factors


def _shares_column(mine: Predicate, theirs: Predicate) -> bool:
    return bool(set(mine.columns) & set(theirs.columns))


def _compares_alike(mine: Predicate, theirs: Predicate) -> bool:
    """Whether two conditions compare one thing in one way, each with one number."""
    is_same_way = mine.operator[0] == theirs.operator[0] and mine.left.same(theirs.left)
    return is_same_way and number_in(mine) is not None and number_in(theirs) is not None


def _suits(predicate: Predicate, mention: Mention, differ: Differ) -> bool:
    """Whether a condition is about what the words around a number say that it is a number of."""
    names = {stem(word) for c in predicate.columns for word in name_words(c.rpartition(".")[2])}
    is_other_way = predicate.operator in {">", ">=", "<", "<=", "="} and mention.direction not in {
        None,
        predicate.operator[0],
    }
    if mention.is_share or is_other_way:
        return False
    part = next((p for p in _PARTS_OF_DATES if predicate.left.pieces[0].startswith(p)), None)
    if mention.is_time:
        unit = mention.before if mention.before in _TIME_UNITS else mention.after
        if part is not None:  # a month by its number, and no number of months
            return mention.before in _TIME_UNITS and stem(part.lower().strip("(")) == unit
        return is_temporal(predicate, differ.catalog) or unit in names
    if mention.has_unit:
        return mention.after in names
    if any(_is_key(column, differ) for column in predicate.columns):
        return mention.before in names or mention.before in {"#", "number"}
    return True


def _is_key(name: str, differ: Differ) -> bool:
    column = differ.catalog.column(name)
    if column is None:
        return False
    return column.is_primary_key or bool(column.references) or name_words(column.name)[-1] == "id"


def quoted_demands(differ: Differ) -> Iterator[Demand]:
    """Words in quotes that one of the queries uses nowhere."""
    for text in quoted_strings(differ.question):
        fits = [
            _uses_text(text, *pair, differ)
            for pair in (
                (differ.expected, differ.produced),
                (differ.produced, differ.expected),
            )
        ]
        yield Demand(f"'{text}'", "quoted", *fits)


def _uses_text(text: str, shape: QueryShape, other: QueryShape, differ: Differ) -> bool | None:
    if holds_text(all_literals(shape), text):
        held = [p for p in all_predicates(shape) if holds_text(p.literals, text)]
        return None if held and all(_is_stored(text, p, differ) is False for p in held) else True
    for theirs in (p for p in all_predicates(other) if holds_text(p.literals, text)):
        is_about = any(_shares_column(p, theirs) for p in all_predicates(shape))
        if is_about and _is_stored(text, theirs, differ) is not True:
            return None
    return False


def _is_stored(text: str, predicate: Predicate, differ: Differ) -> bool | None:
    """Whether the column of a condition holds the value that has a text; None: not known."""
    column = predicate.left.column
    if column is None or predicate.operator not in {"=", "IN"}:
        return None
    values = [unquoted(v) for v in predicate.values if folded(text) in folded(unquoted(v))]
    known = [differ.values.contains(column, value) for value in values]
    return None if None in known else any(known)
