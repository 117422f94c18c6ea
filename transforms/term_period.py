"""Expressions that cut a date or timestamp down to its year or month, however they are written."""

from __future__ import annotations

from sqlglot import exp

from transforms.shape_model import Period

_FORMATS: dict[str, Period] = {"%Y": "year", "%Y-%m": "month", "%Y-%mstrict": "month"}
_UNITS: dict[str, Period] = {
    "YEAR": "year",
    "YYYY": "year",
    "YY": "year",
    "MONTH": "month",
    "MM": "month",
}
_LENGTHS: dict[str, Period] = {"4": "year", "7": "month"}  # characters of 2020 and of 2020-05


def period_of(node: exp.Expr) -> Period | None:
    """The year or month that an expression cuts its operand down to; None for any other one."""
    if isinstance(node, exp.Year):
        return "year"
    if isinstance(node, exp.TimeToStr):
        return _FORMATS.get(node.args["format"].name)
    if isinstance(node, (exp.DateTrunc, exp.TimestampTrunc)):
        return _UNITS.get(node.args["unit"].name.upper())
    if isinstance(node, exp.Left):
        return _LENGTHS.get(node.expression.name)
    if isinstance(node, exp.Substring) and node.args.get("length") is not None:
        starts = node.args.get("start")
        is_from_start = starts is None or starts.name in {"0", "1"}
        return _LENGTHS.get(node.args["length"].name) if is_from_start else None
    return None
