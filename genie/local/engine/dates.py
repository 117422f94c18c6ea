"""Spans of time that a question names: ``in March 2024``, ``since 2021``, ``Q2 of 2023``."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Literal

from genie.local.engine.english import MONTHS, NUMBER_WORDS, UNITS
from genie.local.engine.words import Token

Relation = Literal["in", "since", "after", "before", "until"]

_PREFIXES: dict[str, Relation] = {
    "in": "in", "during": "in", "on": "in", "for": "in", "of": "in", "from": "in",
    "throughout": "in", "within": "in", "year": "in", "since": "since", "starting": "since",
    "after": "after", "before": "before", "until": "until", "till": "until", "through": "until",
    "prior": "before", "earlier": "before", "later": "after",
}  # fmt: skip
_ORDINALS = {"first": 1, "second": 2, "third": 3, "fourth": 4, "last": 4}


@dataclass(frozen=True, slots=True)
class DateSpan:
    """Tokens ``start:end`` name the time from ``first`` to the day before ``behind``.

    One of the two is None where the time is open. ``is_years`` says that whole years are meant.
    """

    start: int
    end: int
    first: date | None
    behind: date | None
    is_years: bool
    relation: Relation


@dataclass(frozen=True, slots=True)
class _Period:
    end: int
    first: date
    behind: date
    is_years: bool


def find_dates(tokens: Sequence[Token], fiscal_start: int, today: date | None) -> list[DateSpan]:
    """All spans of time, from left to right.

    Relative ones ("last month") are only found when ``today`` is given. A number that might be
    anything counts as a year only behind a word like "in" or "since".
    """
    reader = _Reader(tokens, fiscal_start, today)
    found: list[DateSpan] = []
    position = 0
    while position < len(tokens):
        span = reader.span(position)
        if span is None:
            position += 1
        else:
            found.append(span)
            position = span.end
    return found


def add_months(day: date, months: int) -> date:
    """The first of the month that is so many months away; years are kept within 1 to 9998."""
    total = min(max(day.year * 12 + day.month - 1 + months, 12), 9998 * 12)
    return date(total // 12, total % 12 + 1, 1)


@dataclass(frozen=True)
class _Reader:
    tokens: Sequence[Token]
    fiscal_start: int
    today: date | None

    def word(self, position: int) -> str:
        return self.tokens[position].lower if 0 <= position < len(self.tokens) else ""

    def span(self, start: int) -> DateSpan | None:
        if self.word(start) in ("between", "from"):
            both = self._range(start)
            if both:
                return both
        relation = _PREFIXES.get(self.word(start))
        inside = start + 1
        if relation is None:
            period = self._period(start, has_prefix=False)
            return self._made(start, "in", period) if period else None
        while self.word(inside) in ("the", "year", "to", "than", "from", "on", "in", "month", "of"):
            inside += 1
        period = self._period(inside, has_prefix=True)
        if period is None:
            return None
        if self.word(period.end) in ("onwards", "onward"):
            return self._made(start, "since", period, period.end + 1)
        if self.word(start) == "from" and self.word(period.end) == "on":
            return self._made(start, "since", period, period.end + 1)
        return self._made(start, relation, period)

    def _made(
        self, start: int, relation: Relation, period: _Period, end: int | None = None
    ) -> DateSpan:
        first, behind = {
            "in": (period.first, period.behind),
            "since": (period.first, None),
            "after": (period.behind, None),
            "before": (None, period.first),
            "until": (None, period.behind),
        }[relation]
        return DateSpan(start, end or period.end, first, behind, period.is_years, relation)

    def _range(self, start: int) -> DateSpan | None:
        one = self._period(start + 1, has_prefix=True)
        if one is None:
            return None
        word = self.word(one.end)
        if word not in ("and", "to", "until", "till", "through"):
            return None
        other = self._period(one.end + 1, has_prefix=True)
        if other is None or other.behind <= one.first:
            return None
        is_years = one.is_years and other.is_years
        return DateSpan(start, other.end, one.first, other.behind, is_years, "in")

    def _period(self, at: int, *, has_prefix: bool) -> _Period | None:
        return (
            self._day(at)
            or self._quarter(at)
            or self._fiscal(at)
            or self._month(at)
            or self._relative(at)
            or (self._year(at) if has_prefix else None)
        )

    def _year_at(self, at: int) -> int | None:
        token = self.tokens[at] if 0 <= at < len(self.tokens) else None
        is_year = token is not None and token.kind == "number" and len(token.text) == 4
        value = int(token.text) if token is not None and is_year and token.text.isdigit() else 0
        return value if 1500 <= value <= 2200 else None

    def _year(self, at: int) -> _Period | None:
        year = self._year_at(at)
        if year is None:
            return None
        return _Period(at + 1, date(year, 1, 1), date(year + 1, 1, 1), True)

    def _day(self, at: int) -> _Period | None:
        token = self.tokens[at] if at < len(self.tokens) else None
        if token is None:
            return None
        if token.kind == "date":
            year, month, day = (int(part) for part in token.text.split("-"))
            return self._one_day(at + 1, year, month, day)
        month_first = MONTHS.get(token.lower)
        if month_first and self._small(at + 1):
            behind = at + 2 + (self.word(at + 2) == ",")
            year_found = self._year_at(behind)
            if year_found:
                return self._one_day(behind + 1, year_found, month_first, self._small(at + 1))
        if self._small(at):
            name = at + 1 + (self.word(at + 1) == "of")
            month_second, year_behind = MONTHS.get(self.word(name)), self._year_at(name + 1)
            if month_second and year_behind:
                return self._one_day(name + 2, year_behind, month_second, self._small(at))
        return None

    def _small(self, at: int) -> int:
        text = self.tokens[at].text if at < len(self.tokens) else ""
        is_number = at < len(self.tokens) and self.tokens[at].kind == "number"
        return int(text) if is_number and text.isdigit() and len(text) <= 2 else 0

    def _one_day(self, end: int, year: int, month: int, day: int) -> _Period | None:
        try:
            first = date(year, month, day)
            return _Period(end, first, first + timedelta(days=1), False)
        except (ValueError, OverflowError):
            return None

    def _quarter(self, at: int) -> _Period | None:
        word = self.word(at)
        number = int(word[1]) if len(word) == 2 and word[0] == "q" and word[1] in "1234" else 0
        end = at + 1
        if not number and self.word(at + 1) == "quarter":
            number, end = _ORDINALS.get(word, 0) or self._small(at) % 5, at + 2
        if not number:
            return None
        while self.word(end) in ("of", "in", "the", ","):
            end += 1
        is_fiscal = self.word(end) in ("fiscal", "fy")
        end += is_fiscal + (is_fiscal and self.word(end + 1) == "year")
        year = self._year_at(end)
        if year is None:
            return None
        start = self._year_start(year) if is_fiscal else date(year, 1, 1)
        first = add_months(start, 3 * (number - 1))
        return _Period(end + 1, first, add_months(first, 3), False)

    def _fiscal(self, at: int) -> _Period | None:
        word = self.word(at)
        if word.startswith("fy") and len(word) == 6 and word[2:].isdigit():
            year, end = int(word[2:]), at + 1
        elif word == "fiscal":
            end = at + 1 + (self.word(at + 1) == "year")
            year, end = self._year_at(end) or 0, end + 1
        else:
            return None
        if not 1500 <= year <= 2200:
            return None
        first = self._year_start(year)
        is_calendar = self.fiscal_start == 1
        return _Period(end, first, add_months(first, 12), is_calendar)

    def _year_start(self, year: int) -> date:
        """A fiscal year bears the name of the calendar year in which it starts."""
        return date(year, self.fiscal_start, 1)

    def _month(self, at: int) -> _Period | None:
        month = MONTHS.get(self.word(at))
        if month is None:
            return None
        end = at + 1
        while self.word(end) in ("of", ",", "in"):
            end += 1
        year = self._year_at(end)
        if year is None:
            return None
        first = date(year, month, 1)
        return _Period(end + 1, first, add_months(first, 1), False)

    def _relative(self, at: int) -> _Period | None:
        if self.today is None:
            return None
        word, following = self.word(at), self.word(at + 1)
        day = timedelta(days=1)
        if word == "today":
            return _Period(at + 1, self.today, self.today + day, False)
        if word == "yesterday":
            return _Period(at + 1, self.today - day, self.today, False)
        if word not in ("last", "this", "past", "previous", "current"):
            return None
        counted = NUMBER_WORDS.get(following) or (following if following.isdigit() else None)
        unit = UNITS.get(self.word(at + 2) if counted else following)
        if unit is None or len(counted or "") > 4:
            return None
        if counted:
            behind = self.today + day
            return _Period(at + 3, self._back(unit, int(counted)), behind, False)
        start = self._unit_start(unit)
        if word in ("this", "current"):
            return _Period(at + 2, start, self._next(start, unit), unit == "YEAR")
        before = self._unit_start_before(start, unit)
        return _Period(at + 2, before, start, unit == "YEAR")

    def _back(self, unit: str, count: int) -> date:
        assert self.today is not None
        days = {"DAY": 1, "WEEK": 7}.get(unit)
        if days:
            return self.today - timedelta(days=min(days * count, 300_000))
        months = {"MONTH": 1, "QUARTER": 3, "YEAR": 12}[unit] * count
        first = add_months(self.today, -months)
        return first + timedelta(days=min(self.today.day, 28) - 1)

    def _unit_start(self, unit: str) -> date:
        assert self.today is not None
        if unit == "YEAR":
            return self.today.replace(month=1, day=1)
        if unit == "QUARTER":
            return self.today.replace(month=(self.today.month - 1) // 3 * 3 + 1, day=1)
        if unit == "MONTH":
            return self.today.replace(day=1)
        if unit == "WEEK":
            return self.today - timedelta(days=self.today.weekday())
        return self.today

    def _next(self, start: date, unit: str) -> date:
        days = {"DAY": 1, "WEEK": 7}.get(unit)
        if days:
            return start + timedelta(days=days)
        return add_months(start, {"MONTH": 1, "QUARTER": 3, "YEAR": 12}[unit])

    def _unit_start_before(self, start: date, unit: str) -> date:
        days = {"DAY": 1, "WEEK": 7}.get(unit)
        if days:
            return start - timedelta(days=days)
        return add_months(start, -{"MONTH": 1, "QUARTER": 3, "YEAR": 12}[unit])
