"""A demand of a question on its SQL, and where a query's shape holds numbers and texts."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation

from transforms.findings import folded, unquoted
from transforms.shape_model import Predicate, QueryShape

_NUMBER_WORDS = {
    "one": 1, "two": 2, "three": 3, "four": 4, "five": 5, "six": 6, "seven": 7, "eight": 8,
    "nine": 9, "ten": 10, "eleven": 11, "twelve": 12, "fifteen": 15, "twenty": 20,
}  # fmt: skip
NUMBER = r"(\d[\d,]*(?:\.\d+)?|" + "|".join(_NUMBER_WORDS) + r")"
_DIGITS = re.compile(r"\d+(?:\.\d+)?")


@dataclass(frozen=True, slots=True)
class Demand:
    """Words of a question and whether each query keeps to them; None: cannot tell.

    ``number`` is the value that the words stand for, where they stand for one.
    """

    phrase: str
    kind: str
    expected_fits: bool | None
    produced_fits: bool | None
    number: Decimal | None = field(default=None, kw_only=True)

    @property
    def contradicts_expected(self) -> bool:
        """Whether only the expected query goes against the words."""
        return self.expected_fits is False and self.produced_fits is not False

    @property
    def contradicts_produced(self) -> bool:
        """Whether only the produced query goes against the words."""
        return self.produced_fits is False and self.expected_fits is not False


def number_of(text: str) -> Decimal | None:
    """The number that a word or digits stand for."""
    if text in _NUMBER_WORDS:
        return Decimal(_NUMBER_WORDS[text])
    try:
        return Decimal(text.replace(",", ""))
    except InvalidOperation:
        return None


def all_predicates(shape: QueryShape) -> Iterator[Predicate]:
    """Every condition of a query, those inside others and of its rankings included."""

    def parts(predicate: Predicate) -> Iterator[Predicate]:
        yield predicate
        for part in predicate.parts:
            yield from parts(part)

    for predicate in shape.predicates:
        yield from parts(predicate)
    for ranking in shape.superlatives:
        for predicate in ranking.population or ():
            yield from parts(predicate)


def number_in(predicate: Predicate) -> Decimal | None:
    """The number that a condition compares with; None: it is none, or there are several."""
    return as_number(predicate.values[0]) if len(predicate.values) == 1 else None


def as_number(literal: str) -> Decimal | None:
    """The number that a SQL literal is, in quotes or not."""
    try:
        return Decimal(unquoted(literal))
    except InvalidOperation:
        return None


def other_literals(shape: QueryShape) -> tuple[str, ...]:
    """The literals of outputs, rankings and calls, and the numbers that rows are cut at."""
    found = [literal for term in shape.outputs for literal in term.literals]
    found += [literal for ranking in shape.superlatives for literal in ranking.term.literals]
    found += [str(ranking.count) for ranking in shape.superlatives]
    found += [str(shape.limit)] if shape.limit is not None else []
    found += [value for call in shape.functions for _, value in call.arguments]
    return tuple(found)


def all_literals(shape: QueryShape) -> tuple[str, ...]:
    """The literals of conditions and everything in ``other_literals``."""
    found = [literal for p in all_predicates(shape) for literal in p.literals]
    return (*found, *other_literals(shape))


def holds_text(literals: tuple[str, ...], text: str) -> bool:
    """Whether one of the literals holds a text, whatever its case and what stands around it."""
    return any(folded(text) in folded(unquoted(literal)) for literal in literals)


def holds_number(literals: tuple[str, ...], number: Decimal) -> bool:
    """Whether one of the literals is a number, or a text (a date, a pattern) with that number."""
    return any(number == Decimal(n) for text in literals for n in _DIGITS.findall(text))


def compares_with(predicate: Predicate, number: Decimal) -> bool:
    """Whether a condition holds a number: ``> 2`` on whole numbers is ``>= 3``, too."""
    is_next = predicate.operator in {">=", "<"} and number_in(predicate) == number + 1
    return is_next or holds_number(predicate.literals, number)
