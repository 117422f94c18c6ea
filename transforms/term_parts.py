"""Terms put together from texts, other terms, literals and constant factors."""

from __future__ import annotations

import re
from collections.abc import Sequence
from decimal import Decimal, InvalidOperation
from fractions import Fraction

from sqlglot import exp

from transforms.shape_model import Aggregate, Term, Use

# What changes how a value is written or stored, not which value it is.
TRANSPARENT = (
    exp.Paren,
    exp.Cast,
    exp.TryCast,
    exp.TsOrDsToDate,
    exp.TsOrDsToTimestamp,
    exp.TimeStrToTime,
)
MAX_FACTOR = 10**12
_NUMBER = re.compile(r"-?\d+(?:\.\d+)?")


def concat(*parts: str | Term) -> Term:
    """One term of texts and terms in order."""
    pieces, text = [""], ""
    uses: list[Use] = []
    aggregates: list[Aggregate] = []
    measures: list[str] = []
    literals: list[str] = []
    casts: list[str] = []
    has_rounding = is_window = has_division = has_subquery = False
    for part in parts:
        if isinstance(part, str):
            pieces[-1] += part
            text += part
            continue
        pieces[-1] += part.pieces[0]
        pieces.extend(part.pieces[1:])
        text += part.text
        uses.extend(part.uses)
        aggregates.extend(part.aggregates)
        measures.extend(part.measures)
        literals.extend(part.literals)
        casts.extend(part.casts)
        has_rounding |= part.has_rounding
        is_window |= part.is_window
        has_division |= part.has_division
        has_subquery |= part.has_subquery
    return Term(
        pieces=tuple(pieces),
        text=text,
        uses=tuple(uses),
        aggregates=tuple(aggregates),
        measures=tuple(measures),
        has_rounding=has_rounding,
        is_window=is_window,
        has_division=has_division,
        has_subquery=has_subquery,
        literals=tuple(literals),
        casts=tuple(casts),
    )


def literal_term(text: str) -> Term:
    """The term that is nothing but a literal, given as canonical SQL."""
    return Term((text,), text, literals=(text,), is_literal=True)


def changed(term: Term, **values: object) -> Term:
    """A copy of a term with some fields changed."""
    fields = {name: getattr(term, name) for name in Term.__slots__}
    return Term(**{**fields, **values})


def joined(parts: Sequence[Term], separator: str) -> Term:
    """The terms with a text between them; a single one as it is."""
    if len(parts) == 1:
        return parts[0]
    mixed: list[str | Term] = []
    for part in parts:
        mixed.extend((separator, part) if mixed else (part,))
    return concat(*mixed)


def number_text(value: Decimal) -> str:
    """A number as SQL writes it, without needless digits: 15.0 is 15."""
    whole = value.to_integral_value()
    return str(int(whole)) if value == whole else format(value.normalize(), "f")


def literal_text(node: exp.Expr) -> str | None:
    """The canonical SQL of a literal; None when the expression is none."""
    inner = node
    while isinstance(inner, TRANSPARENT):
        inner = inner.this
    if isinstance(inner, exp.Neg):
        number = literal_text(inner.this)
        return f"-{number}" if number and not number.startswith("'") else None
    if isinstance(inner, exp.Boolean):
        return "TRUE" if inner.this else "FALSE"
    if isinstance(inner, exp.Null):
        return "NULL"
    if not isinstance(inner, exp.Literal):
        return None
    if inner.is_string:
        escaped = str(inner.this).replace("'", "''")
        return f"'{escaped}'"
    try:
        return number_text(Decimal(str(inner.this)))
    except InvalidOperation:
        return str(inner.this)


def constant(node: exp.Expr) -> Fraction | None:
    """The value of a number that may be a factor: neither zero nor astronomical."""
    text = literal_text(node)
    if text is None or not _NUMBER.fullmatch(text):
        return None
    value = Fraction(text)
    return value if value != 0 and abs(value) < MAX_FACTOR else None


def scaled(factor: Fraction, over: Sequence[Term], under: Sequence[Term]) -> Term:
    """``n * over / under / d`` for the factor n/d; products in the order of their text."""
    head, tail = (_number_term(n) for n in (factor.numerator, factor.denominator))
    products = sorted(over, key=lambda term: term.text)
    if factor.numerator != 1 or not products:
        products.insert(0, head)
    quotients = sorted(under, key=lambda term: term.text)
    if factor.denominator != 1:
        quotients.append(tail)
    term = joined([joined(products, " * "), *quotients], " / ")
    if factor == 1:
        return changed(term, has_division=True) if under else term
    head_size = len(f"{head.text} * ") if factor.numerator != 1 and over else 0
    tail_size = len(f" / {tail.text}") if factor.denominator != 1 else 0
    return changed(
        term,
        has_division=term.has_division or bool(quotients),
        is_literal=not over and not quotients,
        factor=(head_size, tail_size),
    )


def _number_term(value: int) -> Term:
    return literal_term(str(value))


def differs_by_factor(mine: Term, theirs: Term) -> bool:
    """Whether two terms are one but for a constant factor."""
    return (
        mine.columns == theirs.columns
        and mine.pieces != theirs.pieces
        and (_without_factor(mine) == _without_factor(theirs))
    )


def _without_factor(term: Term) -> tuple[str, ...]:
    head, tail = term.factor
    first, *rest = term.pieces
    pieces = [first[head:], *rest]
    return (*pieces[:-1], pieces[-1][: len(pieces[-1]) - tail])
