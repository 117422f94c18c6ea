"""Comparisons reduced to predicates: one form for every way to write a condition on a value."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal

from sqlglot import exp

from transforms.name_scope import Catalog
from transforms.shape_model import Place, Predicate, Term
from transforms.term_parts import number_text

MIRRORED = {"=": "=", "<>": "<>", ">": "<", ">=": "<=", "<": ">", "<=": ">="}
NEGATED = {
    "=": "<>",
    "<>": "=",
    ">": "<=",
    ">=": "<",
    "<": ">=",
    "<=": ">",
    "IN": "NOT_IN",
    "NOT_IN": "IN",
    "LIKE": "NOT_LIKE",
    "NOT_LIKE": "LIKE",
    "IS_NULL": "IS_NOT_NULL",
    "IS_NOT_NULL": "IS_NULL",
}
COMPARISONS: dict[type[exp.Expr], str] = {
    exp.EQ: "=",
    exp.NEQ: "<>",
    exp.GT: ">",
    exp.GTE: ">=",
    exp.LT: "<",
    exp.LTE: "<=",
    exp.NullSafeEQ: "=",
    exp.NullSafeNEQ: "<>",
}
_NUMBER = re.compile(r"-?\d+(\.\d+)?")
_DATE = re.compile(r"'(\d{4})-(\d{2})-(\d{2})'")
_FOLDING = ("LOWER(", "UPPER(", "TRIM(")


def compare(left: Term, operator: str, right: Term, place: Place, catalog: Catalog) -> Predicate:
    """``left operator right`` with the literal, if there is one, on the right."""
    if left.literal is not None and right.literal is None:
        left, right, operator = right, left, MIRRORED[operator]
    if right.literal is None:
        return Predicate(left, operator, right=right, place=place)
    left, is_folded = _unfolded(left)
    if right.literal == "NULL":
        operator = "IS_NULL" if operator == "=" else "IS_NOT_NULL"
        return Predicate(left, operator, place=place)
    value = as_number(right.literal, left, catalog)
    predicate = Predicate(left, operator, (value,), place=place, is_folded=is_folded)
    return _whole_numbers(_flags(predicate), catalog)


def as_number(literal: str, left: Term, catalog: Catalog) -> str:
    """``'80'`` as 80 where a column of numbers is compared with it: Spark compares numbers."""
    number = literal[1:-1]
    is_number = left.column is not None and catalog.is_number(left.column)
    is_written = literal.startswith("'") and _NUMBER.fullmatch(number) is not None
    return number_text(Decimal(number)) if is_number and is_written else literal


def between(left: Term, low: Term, high: Term, place: Place, catalog: Catalog) -> list[Predicate]:
    """BETWEEN as two comparisons."""
    return [compare(left, ">=", low, place, catalog), compare(left, "<=", high, place, catalog)]


def membership(left: Term, values: list[str], place: Place, *, is_negated: bool) -> Predicate:
    """``left IN (values)``; one value is an equality."""
    left, is_folded = _unfolded(left)
    listed = tuple(sorted(set(values)))
    if len(listed) == 1:
        return Predicate(left, "<>" if is_negated else "=", listed, None, place, is_folded)
    return Predicate(left, "NOT_IN" if is_negated else "IN", listed, None, place, is_folded)


def like(left: Term, pattern: str, place: Place, *, is_negated: bool, is_folded: bool) -> Predicate:
    """LIKE and ILIKE; a pattern without wildcards is an equality."""
    left, is_lowered = _unfolded(left)
    folded = is_folded or is_lowered
    if not re.search(r"[%_]", pattern):
        return Predicate(left, "<>" if is_negated else "=", (pattern,), None, place, folded)
    operator = "NOT_LIKE" if is_negated else "LIKE"
    return Predicate(left, operator, (pattern,), None, place, folded)


def negated(predicate: Predicate) -> Predicate | None:
    """The opposite condition; None when it has no simple form."""
    operator = NEGATED.get(predicate.operator)
    return None if operator is None else replace(predicate, operator=operator, written=None)


def merged_or(parts: list[Predicate], place: Place) -> Predicate:
    """One predicate for alternatives: equalities on one term become a list."""
    head = parts[0]
    is_one_list = all(
        part.operator in {"=", "IN"} and part.right is None and part.left.same(head.left)
        for part in parts
    )
    if is_one_list:
        values = [value for part in parts for value in part.values]
        merged = membership(head.left, values, place, is_negated=False)
        return replace(merged, is_folded=any(part.is_folded for part in parts))
    ordered = tuple(sorted(parts, key=lambda part: part.text))
    return Predicate(ordered[0].left, "OR", place=place, parts=ordered)


def _unfolded(term: Term) -> tuple[Term, bool]:
    """The term without LOWER, UPPER or TRIM around a column, and whether there was one."""
    is_wrapped = len(term.uses) == 1 and term.pieces[0] in _FOLDING and term.pieces[1] == ")"
    if not is_wrapped:
        return term, False
    return Term(("", ""), term.uses[0].name, term.uses), True


def _flags(predicate: Predicate) -> Predicate:
    """``flag <> TRUE`` as ``flag = FALSE``."""
    if predicate.operator == "<>" and predicate.values[0] in {"TRUE", "FALSE"}:
        opposite = "FALSE" if predicate.values[0] == "TRUE" else "TRUE"
        return replace(predicate, operator="=", values=(opposite,))
    return predicate


def _whole_numbers(predicate: Predicate, catalog: Catalog) -> Predicate:
    """``> 2`` on whole numbers as ``>= 3``; ``<= date`` as ``< next day``; both keep their text."""
    left, value = predicate.left, predicate.values[0]
    if predicate.operator not in {">", "<="}:
        return predicate
    column = left.column
    is_whole = (left.is_aggregate and left.aggregates[0].function == "COUNT") or (
        column is not None and catalog.is_integer(column)
    )
    day = _DATE.fullmatch(value)
    if is_whole and _NUMBER.fullmatch(value) and "." not in value:
        following = number_text(Decimal(value) + 1)
    elif day and column is not None and catalog.column_type(column) == "date":
        following = _next_day(*map(int, day.groups())) or value
        if following == value:
            return predicate
    else:
        return predicate
    operator = ">=" if predicate.operator == ">" else "<"
    return replace(predicate, operator=operator, values=(following,), written=predicate.text)


def _next_day(year: int, month: int, day: int) -> str | None:
    try:
        return f"'{(date(year, month, day) + timedelta(days=1)).isoformat()}'"
    except (ValueError, OverflowError):
        return None
