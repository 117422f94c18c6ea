"""What a key of ORDER BY sorts by beside its term: casts that change the order, where NULLs stand.

Terms leave casts out, as they write one value in another way. A value that becomes a text or loses
its fraction sorts differently, though, so the casts that do that stay with the term.
"""

from __future__ import annotations

from sqlglot import exp

from transforms.name_scope import Catalog
from transforms.shape_model import Ordering, Term
from transforms.term_parts import changed, concat

# Kinds of values, and into which others they go without changing their order or becoming equal.
_KEEPS_ORDER = {
    ("whole", "fraction"),
    ("date", "timestamp"),
    ("date", "text"),  # dates are written from the year down
    ("timestamp", "text"),
}
_WHOLE = {"TINYINT", "SMALLINT", "INT", "BIGINT", "INTEGER", "LONG", "SHORT", "BYTE"}
_FRACTIONS = {"FLOAT", "DOUBLE", "REAL", "DECIMAL", "NUMERIC", "DEC"}
_TEXTS = {"STRING", "VARCHAR", "CHAR", "TEXT", "NVARCHAR", "NCHAR"}
_FRACTION_AGGREGATES = {"SUM", "AVG"}


def kept_casts(node: exp.Expr, inner: Term, catalog: Catalog) -> tuple[str, ...]:
    """The casts of a term after one more that ``node`` may be: each as the type it casts to."""
    if isinstance(node, (exp.Cast, exp.TryCast)):
        target = node.to.sql("spark").upper()
    elif isinstance(node, exp.TsOrDsToDate):
        target = "DATE"
    elif isinstance(node, (exp.TsOrDsToTimestamp, exp.TimeStrToTime)):
        target = "TIMESTAMP"
    else:
        return inner.casts
    given, wanted = _kind_of(inner, catalog), _kind(target)
    is_same_order = given == wanted or (given, wanted) in _KEEPS_ORDER
    return inner.casts if is_same_order else (*inner.casts, target)


def _kind(data_type: str) -> str:
    name = data_type.upper().partition("(")[0].strip()
    for kind, names in (("whole", _WHOLE), ("fraction", _FRACTIONS), ("text", _TEXTS)):
        if name in names:
            return kind
    return "timestamp" if name.startswith("TIMESTAMP") else name.lower()


def _kind_of(term: Term, catalog: Catalog) -> str | None:
    """What kind of values a term has; None where that is not known."""
    if term.casts:
        return _kind(term.casts[-1])
    if term.column:
        data_type = catalog.column_type(term.column)
        return _kind(data_type) if data_type else None
    if term.aggregates and term.is_aggregate:
        function = term.aggregates[0].function
        return "whole" if function == "COUNT" else _aggregate_kind(function, term, catalog)
    return "fraction" if term.has_division or term.measures else None


def _aggregate_kind(function: str, term: Term, catalog: Catalog) -> str | None:
    argument = term.aggregates[0].argument
    if function in _FRACTION_AGGREGATES:
        return "fraction"
    if argument is None or function not in {"MAX", "MIN"}:
        return None
    return _kind_of(argument, catalog)


def as_number(term: Term) -> Term:
    """A term that is a number, whatever its parts were cast from."""
    return changed(term, casts=()) if term.casts else term


def ordering(term: Term, key: exp.Ordered) -> Ordering:
    """A key of ORDER BY over its term; NULLs are the least for Spark, unless it says otherwise."""
    is_descending, said = bool(key.args.get("desc")), key.args.get("nulls_first")
    return Ordering(term, is_descending, not is_descending if said is None else bool(said))


def key_term(key: Ordering) -> Term:
    """The term of a key with everything that it sorts by written around it."""
    before, after = key.text.split(key.term.text, maxsplit=1)
    return concat(before, key.term, after)
