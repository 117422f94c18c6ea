"""Conditions on time as ranges: a year, a month or a day is the same however it is written."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import date

from transforms.name_scope import Catalog
from transforms.shape_model import Predicate, Term, Use

# Values that stand for a year or a month, and patterns of dates: texts of data, not of SQL.
_PERIOD = re.compile(r"(\d{4})(?:-(\d{2}))?(?:-01)?(?: 00:00:00)?")
_PREFIX = re.compile(r"'(\d{4})(?:-(\d{2}))?-?%'")


def as_range(predicate: Predicate, catalog: Catalog) -> list[Predicate]:
    """``YEAR(x) = 2020``, ``DATE_FORMAT(x, 'yyyy-MM') = '2020-05'`` and their like as two bounds on
    ``x``; anything else unchanged."""
    left, value = predicate.left, predicate.values[0] if predicate.values else ""
    column = left.column
    if column is not None and predicate.operator == "LIKE" and catalog.is_date(column):
        prefix = _PREFIX.fullmatch(value)
        return _bounded(predicate, left.uses[0], *_ends(prefix.groups())) if prefix else [predicate]
    unit = left.period
    period = _PERIOD.fullmatch(value.strip("'"))
    if unit is None or period is None or len(predicate.values) != 1:
        return [predicate]
    year, month = period.groups()
    if unit == "month" and month is None:
        return [predicate]
    start, end = _ends((year, month if unit == "month" else None))
    return _bounded(predicate, left.uses[0], start, end)


def _ends(period: tuple[str | None, ...]) -> tuple[str, str]:
    """The first day of a year or month, and of the one after it, as SQL literals."""
    year, month = int(period[0] or 1), period[1]
    if month is None:
        return f"'{year:04d}-01-01'", f"'{year + 1:04d}-01-01'"
    number = min(max(int(month), 1), 12)
    following = (year + 1, 1) if number == 12 else (year, number + 1)
    return f"'{year:04d}-{number:02d}-01'", "'{:04d}-{:02d}-01'".format(*following)


def _bounded(predicate: Predicate, use: Use, start: str, end: str) -> list[Predicate]:
    bounds = {
        "=": [(">=", start), ("<", end)],
        "LIKE": [(">=", start), ("<", end)],
        ">": [(">=", end)],
        ">=": [(">=", start)],
        "<": [("<", start)],
        "<=": [("<", end)],
    }.get(predicate.operator)
    if bounds is None:
        return [predicate]
    column = Term(("", ""), use.name, (use,))
    return [
        replace(
            predicate,
            left=column,
            operator=operator,
            values=(bound,),
            written=predicate.text,
            is_folded=False,
        )
        for operator, bound in bounds
    ]


def with_months(predicates: list[Predicate]) -> list[Predicate]:
    """``YEAR(x) = 2020 AND MONTH(x) = 5`` as one range; both bounds keep both as their text."""
    result = list(predicates)
    for month in predicates:
        number = month.values[0].strip("'") if month.values else ""
        is_month = month.left.pieces == ("MONTH(", ")") and month.operator == "="
        if not is_month or not number.isdigit() or not 1 <= int(number) <= 12:
            continue
        use = month.left.uses[0]
        year = [
            p
            for p in result
            if p.left.column and p.left.uses[0] == use and p.place == month.place and _is_year(p)
        ]
        if {p.operator for p in year} != {">=", "<"}:
            continue
        start = date.fromisoformat(min(p.values[0].strip("'") for p in year))
        bounds = _ends((f"{start.year:04d}", number))
        text = f"{year[0].text} AND {month.text}"
        result = [p for p in result if p != month and p not in year]
        result += [replace(p, values=(bounds[p.operator == "<"],), written=text) for p in year]
    return result


def _is_year(predicate: Predicate) -> bool:
    is_range = predicate.operator in {">=", "<"} and bool(predicate.values)
    return is_range and bool(re.fullmatch(r"'\d{4}-01-01'", predicate.values[0]))
