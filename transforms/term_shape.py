"""Expressions reduced to terms: what is computed, whichever way it is written."""

from __future__ import annotations

import re
from collections.abc import Callable
from fractions import Fraction

from sqlglot import exp

from transforms.name_scope import Scope
from transforms.shape_model import Aggregate, Superlative, Term, Window
from transforms.sort_keys import as_number, kept_casts, key_term, ordering
from transforms.term_parts import (
    TRANSPARENT,
    changed,
    concat,
    constant,
    joined,
    literal_term,
    literal_text,
    scaled,
)
from transforms.term_period import period_of

# Takes a subquery used as a value and gives what it returns; its parts are recorded elsewhere.
SubqueryTerm = Callable[[exp.Query, Scope], Term]
# Takes the condition of a conditional aggregate and gives its canonical SQL and its columns.
RecordCondition = Callable[[exp.Expr, Scope], tuple[str, tuple[str, ...]]]

_OPERANDS = (exp.Identifier, exp.Var, exp.DataType, exp.Order, exp.Partition)
_OPERAND = re.compile(r"operand(\d+)_")
_NAMES: dict[type[exp.Expr], str] = {
    exp.Sum: "SUM",
    exp.Avg: "AVG",
    exp.Min: "MIN",
    exp.Max: "MAX",
    exp.Count: "COUNT",
}


def aggregate_term(function: str, argument: Term, *, is_distinct: bool = False) -> Term:
    """``FUNCTION(argument)`` over a term that is already normalized."""
    term = concat(f"{function}({'DISTINCT ' if is_distinct else ''}", argument, ")")
    aggregates = (Aggregate(function, is_distinct, argument),)
    return changed(term, aggregates=aggregates, is_aggregate=True)


class TermBuilder:
    """Reduces expressions to terms.

    ``on_subquery`` is asked for subqueries that stand for a value, ``on_condition`` is told the
    condition of a conditional aggregate.
    """

    def __init__(self, on_subquery: SubqueryTerm, on_condition: RecordCondition) -> None:
        self._on_subquery = on_subquery
        self._on_condition = on_condition
        self.rankings: dict[str, Superlative] = {}

    def build(
        self, node: exp.Expr, scope: Scope, clause: str, *, is_alias_first: bool = False
    ) -> Term:
        """The term of an expression. Never raises: what has no rule is kept as it is written."""

        def again(inner: exp.Expr) -> Term:
            return self.build(inner, scope, clause, is_alias_first=is_alias_first)

        literal = literal_text(node)
        if literal is not None:
            return literal_term(literal)
        if isinstance(node, (*TRANSPARENT, exp.Alias)):
            inner = again(node.this)
            casts = kept_casts(node, inner, scope.catalog)
            return inner if casts == inner.casts else changed(inner, casts=casts)
        if isinstance(node, exp.Column):
            if isinstance(node.this, exp.Star):
                return Term(("*",), "*")
            return scope.resolve(node, clause, is_alias_first=is_alias_first)
        if isinstance(node, exp.Subquery):
            return self._on_subquery(node.this, scope)
        if isinstance(node, exp.Query):
            return self._on_subquery(node, scope)
        if isinstance(node, exp.Round):
            return changed(again(node.this), has_rounding=True)
        if isinstance(node, (exp.Mul, exp.Div, exp.SafeDivide)):
            return self._product(node, again)
        if isinstance(node, exp.Add):
            return as_number(_sum([again(part) for part in node.flatten()]))
        if isinstance(node, exp.Filter):
            condition = node.expression.this
            return self._aggregate(node.this, scope, again, condition)
        if isinstance(node, exp.Window):
            return self._window(node, again)
        if isinstance(node, exp.CountIf) or isinstance(node, exp.AggFunc):
            return self._aggregate(node, scope, again, None)
        if isinstance(node, exp.Anonymous) and node.name.upper() in {"MEASURE", "AGGREGATE"}:
            return _measure(node, again)
        return self._other(node, again)

    def _aggregate(
        self,
        node: exp.Expr,
        scope: Scope,
        again: Callable[[exp.Expr], Term],
        condition: exp.Expr | None,
    ) -> Term:
        if isinstance(node, exp.CountIf):
            return self._finish_aggregate("COUNT", False, None, node.this, scope)
        function = _NAMES.get(type(node)) or node.sql("spark").partition("(")[0].upper()
        argument: exp.Expr | None = node.this
        is_distinct = isinstance(argument, exp.Distinct)
        if isinstance(argument, exp.Distinct):
            listed = argument.expressions
            argument = listed[0] if len(listed) == 1 else exp.Tuple(expressions=listed)
        if condition is None and argument is not None:
            share = _share_condition(function, argument)
            if share is not None:
                part = self._finish_aggregate("COUNT", False, None, share, scope)
                whole = self._finish_aggregate("COUNT", False, None, None, scope)
                return changed(joined([part, whole], " / "), has_division=True)
            condition, argument, function = _conditional(function, argument)
        if argument is None or isinstance(argument, exp.Star):
            return self._finish_aggregate(function, is_distinct, None, condition, scope)
        factor = Fraction(1)
        if function in {"SUM", "AVG"} and not is_distinct and condition is None:
            factor, inner = self._factored(argument, again)
        else:
            inner = again(argument)
        rest = [again(part) for part in _more_arguments(node)]
        if rest:
            inner = joined([inner, *rest], ", ")
        if inner.measures:
            return inner
        if type(node) not in _NAMES and condition is None:
            whole = _as_written(node, again)
            aggregates = (Aggregate(function, is_distinct, inner),)
            return changed(whole, aggregates=aggregates, is_aggregate=True)
        aggregate = self._finish_aggregate(function, is_distinct, inner, condition, scope)
        return aggregate if factor == 1 else scaled(factor, [aggregate], [])

    def _finish_aggregate(
        self,
        function: str,
        is_distinct: bool,
        argument: Term | None,
        condition: exp.Expr | None,
        scope: Scope,
    ) -> Term:
        when: str | None = None
        columns: tuple[str, ...] = ()
        if condition is not None:
            when, columns = self._on_condition(condition, scope)
        if argument is not None and function == "COUNT" and argument.literal and not is_distinct:
            argument = None
        shown = argument.text if argument is not None else "*"
        distinct = "DISTINCT " if is_distinct else ""
        # COUNT(x) and COUNT(*) differ only by NULLs: one form here, the argument is kept beside it.
        counts_rows = function == "COUNT" and not is_distinct
        body = Term(("*",), "*") if counts_rows or argument is None else argument
        name = f"{function}_IF" if when is not None else function
        term = concat(f"{name}({distinct}", body, ")")
        if when is not None:
            value = "1" if argument is None else shown
            text = f"{function}({distinct}CASE WHEN {when} THEN {value} END)"
        else:
            text = f"{function}({distinct}{shown})"
        aggregate = Aggregate(function, is_distinct, argument, when is not None, columns)
        whole = changed(term, text=text, aggregates=(aggregate,), is_aggregate=True)
        return as_number(whole) if function in {"SUM", "AVG", "COUNT"} else whole

    def _product(self, node: exp.Expr, again: Callable[[exp.Expr], Term]) -> Term:
        """Products and quotients as ``factor * a * b / c``, whatever the order they stand in."""
        return as_number(scaled(*self._factors(node, again)))

    def _factored(self, node: exp.Expr, again: Callable[[exp.Expr], Term]) -> tuple[Fraction, Term]:
        """An expression as a constant factor and the rest."""
        factor, over, under = self._factors(node, again)
        return (factor, scaled(Fraction(1), over, under)) if over else (Fraction(1), again(node))

    def _factors(
        self, node: exp.Expr, again: Callable[[exp.Expr], Term]
    ) -> tuple[Fraction, list[Term], list[Term]]:
        """The constant factor of a product, what is multiplied and what is divided by."""
        factor = Fraction(1)
        over: list[Term] = []
        under: list[Term] = []

        def collect(part: exp.Expr, is_over: bool) -> None:
            nonlocal factor
            while isinstance(part, (exp.Paren, exp.Cast, exp.TryCast)):
                part = part.this
            if isinstance(part, exp.Mul):
                collect(part.this, is_over)
                collect(part.expression, is_over)
            elif isinstance(part, (exp.Div, exp.SafeDivide)):
                collect(part.this, is_over)
                collect(part.expression, not is_over)
            elif value := constant(part):
                factor = factor * value if is_over else factor / value
            else:
                (over if is_over else under).append(_operand(part, again))

        collect(node, True)
        return factor, over, under

    def _window(self, node: exp.Window, again: Callable[[exp.Expr], Term]) -> Term:
        function = _window_function(node.this, again)
        parts: list[str | Term] = [function, " OVER ("]
        keys = [again(key) for key in node.args.get("partition_by") or []]
        if keys:
            parts += ["PARTITION BY ", joined(keys, ", "), " "]
        order = node.args.get("order")
        by = [ordering(again(k.this), k) for k in (order.expressions if order else ())]
        if by:
            parts += ["ORDER BY ", joined([key_term(key) for key in by], ", ")]
        window = Window(
            function.text,
            tuple(key.text for key in keys),
            tuple(key.sorted_by for key in by),
        )
        whole = concat(*parts, ")")
        term = changed(whole, is_window=True, window=window, aggregates=(), casts=())
        is_rank = isinstance(node.this, (exp.RowNumber, exp.Rank, exp.DenseRank))
        if is_rank and by:
            ranking = Superlative(
                by[0].term,
                by[0].is_descending,
                count=1,
                nulls_first=by[0].nulls_first,
                keeps_ties=not isinstance(node.this, exp.RowNumber),
                partition=tuple(keys),
            )
            self.rankings[term.text] = ranking
        return term

    def _other(self, node: exp.Expr, again: Callable[[exp.Expr], Term]) -> Term:
        shifted = _shifted_date(node, again)
        if shifted is not None:
            return shifted
        if isinstance(node, exp.Binary):
            operator = _OPERATORS.get(type(node))
            if operator is not None:
                sides = _operand(node.this, again), _operand(node.expression, again)
                return concat(sides[0], f" {operator} ", sides[1])
        if isinstance(node, exp.Case):
            return _case(node, again)
        if isinstance(node, exp.If):
            return _case(exp.Case(ifs=[node.copy()], default=node.args.get("false")), again)
        if isinstance(node, exp.Extract) and node.name.upper() in {"YEAR", "MONTH"}:
            part = concat(f"{node.name.upper()}(", again(node.expression), ")")
            return changed(part, period="year") if node.name.upper() == "YEAR" else part
        period = period_of(node)
        whole = _as_written(node, again)
        is_of_column = period is not None and again(node.this).column is not None
        return changed(whole, period=period) if is_of_column else whole


_OPERATORS: dict[type[exp.Expr], str] = {
    exp.Sub: "-",
    exp.IntDiv: "DIV",
    exp.Mod: "%",
    exp.EQ: "=",
    exp.NEQ: "<>",
    exp.GT: ">",
    exp.GTE: ">=",
    exp.LT: "<",
    exp.LTE: "<=",
    exp.And: "AND",
    exp.Or: "OR",
    exp.DPipe: "||",
    exp.Like: "LIKE",
    exp.ILike: "ILIKE",
    exp.Is: "IS",
    exp.NullSafeEQ: "<=>",
}


def _as_written(node: exp.Expr, again: Callable[[exp.Expr], Term]) -> Term:
    """The SQL of a node with terms in place of the operands that hold columns or queries."""
    copy = node.copy()
    terms: list[Term] = []
    for child in list(copy.iter_expressions()):
        if isinstance(child, _OPERANDS) or child.find(exp.Column, exp.Query) is None:
            continue
        terms.append(again(child))
        child.replace(exp.to_identifier(f"operand{len(terms) - 1}_"))
    if isinstance(copy, exp.Column):
        return again(node)
    written = tuple(filter(None, map(literal_text, copy.find_all(exp.Literal))))
    pieces = _OPERAND.split(copy.sql("spark", normalize_functions="upper"))
    whole = concat(*(terms[int(p)] if i % 2 else p for i, p in enumerate(pieces)))
    return changed(whole, literals=(*whole.literals, *written))


def _shifted_date(node: exp.Expr, again: Callable[[exp.Expr], Term]) -> Term | None:
    """``x - INTERVAL 30 DAYS`` and ``DATE_SUB(x, 30)`` alike; None for anything else."""
    sign = 1
    if isinstance(node, (exp.Add, exp.Sub)) and isinstance(node.expression, exp.Interval):
        interval = node.expression
        amount, unit = interval.this, str(interval.args.get("unit") or "")
        sign = -1 if isinstance(node, exp.Sub) else 1
    elif isinstance(node, (exp.TsOrDsAdd, exp.DateAdd, exp.DateSub)):
        amount, unit = node.expression, str(node.args.get("unit") or "DAY")
        sign = -1 if isinstance(node, exp.DateSub) else 1
        while isinstance(amount, exp.Mul) and literal_text(amount.expression) == "-1":
            amount, sign = amount.this, -sign
    else:
        return None
    number = (literal_text(amount) or "").strip("'")
    if not number.lstrip("-").isdigit() or not unit:
        return None
    days = sign * int(number)
    word = unit.upper().removesuffix("S")
    moved = concat(again(node.this), f" {'-' if days < 0 else '+'} INTERVAL {abs(days)} {word}")
    return changed(moved, literals=(*moved.literals, str(abs(days))))


def _operand(node: exp.Expr, again: Callable[[exp.Expr], Term]) -> Term:
    """An operand, in brackets where leaving them out would change what is calculated."""
    inner = node
    while isinstance(inner, TRANSPARENT):
        inner = inner.this
    needs_brackets = isinstance(inner, exp.Binary) and not isinstance(inner, (exp.Mul, exp.Div))
    return concat("(", again(inner), ")") if needs_brackets else again(node)


def _window_function(node: exp.Expr, again: Callable[[exp.Expr], Term]) -> Term:
    if isinstance(node, exp.Func) and not any(node.args.values()):
        name = f"{node.sql_name()}()"
        return Term((name,), name)
    return again(node)


def _sum(parts: list[Term]) -> Term:
    return joined(sorted(parts, key=lambda term: term.text), " + ")


def _case(node: exp.Case, again: Callable[[exp.Expr], Term]) -> Term:
    parts: list[str | Term] = ["CASE"]
    if node.this is not None:
        parts += [" ", again(node.this)]
    for branch in node.args.get("ifs") or []:
        parts += [" WHEN ", again(branch.this), " THEN ", again(branch.args["true"])]
    default = node.args.get("default")
    if default is not None and literal_text(default) != "NULL":
        parts += [" ELSE ", again(default)]
    return concat(*parts, " END")


def _more_arguments(node: exp.Expr) -> list[exp.Expr]:
    found = [node.args.get("expression"), *(node.args.get("expressions") or [])]
    return [part for part in found if isinstance(part, exp.Expr)]


def _share_condition(function: str, argument: exp.Expr) -> exp.Expr | None:
    """The condition of ``AVG(CASE WHEN c THEN 1 ELSE 0 END)``, the share of rows that meet it."""
    if function != "AVG":
        return None
    case = argument.find(exp.Case, exp.If)
    otherwise = case.args.get("default") or case.args.get("false") if case is not None else None
    condition, value, counted = _conditional("SUM", argument)
    is_whole = counted == "COUNT" and value is None and (case is None or otherwise is not None)
    return condition if is_whole else None


def _conditional(function: str, argument: exp.Expr) -> tuple[exp.Expr | None, exp.Expr | None, str]:
    """Condition, argument and function of ``SUM(CASE WHEN c THEN 1 ELSE 0 END)`` and its like."""
    inner = argument
    while isinstance(inner, (exp.Paren, exp.Cast, exp.TryCast)):
        inner = inner.this
    if isinstance(inner, (exp.Predicate, exp.Connector)) and function == "SUM":
        return inner, None, "COUNT"
    if isinstance(inner, exp.Case) and inner.this is None and len(inner.args["ifs"]) == 1:
        branch, default = inner.args["ifs"][0], inner.args.get("default")
    elif isinstance(inner, exp.If):
        branch, default = inner, inner.args.get("false")
    else:
        return None, argument, function
    value = branch.args["true"]
    otherwise = literal_text(default) if default is not None else "NULL"
    if function == "SUM" and otherwise in {"0", "NULL"}:
        is_count = literal_text(value) == "1"
        return branch.this, None if is_count else value, "COUNT" if is_count else "SUM"
    if otherwise == "NULL":
        is_literal = literal_text(value) is not None and function == "COUNT"
        return branch.this, None if is_literal else value, function
    return None, argument, function


def _measure(node: exp.Anonymous, again: Callable[[exp.Expr], Term]) -> Term:
    inner = again(node.expressions[0]) if node.expressions else Term(("",), "")
    name = inner.column or inner.text
    return changed(concat("MEASURE(", inner, ")"), measures=(name,))
