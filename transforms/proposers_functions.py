"""Proposals for table functions (lever 3): what their parameters are compared with."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

import sqlglot
from sqlglot import exp

from transforms.patches import SetFunctionComment
from transforms.proposal_drafts import draft, seen
from transforms.proposal_values import ClusterEvidence, DraftProposal, Facts
from transforms.proposal_words import extended, spoken

_BOUNDS: Mapping[type[exp.Expr], str] = {
    exp.LT: "Upper bound, itself exclusive",
    exp.LTE: "Upper bound, itself inclusive",
    exp.GT: "Lower bound, itself exclusive",
    exp.GTE: "Lower bound, itself inclusive",
}
_MIRRORED: Mapping[type[exp.Expr], type[exp.Expr]] = {
    exp.LT: exp.GT,
    exp.GT: exp.LT,
    exp.LTE: exp.GTE,
    exp.GTE: exp.LTE,
}


def describe_parameters(cluster: ClusterEvidence, facts: Facts) -> Iterator[DraftProposal]:
    """Say of the parameters of blamed functions what the function's own SQL does with them."""
    for function in _blamed(cluster, facts):
        body = _body(function)
        for parameter in function["parameters"] if body is not None else ():
            sentence = _sentence(parameter["name"], body) if body is not None else None
            comment = extended(parameter["comment"], sentence) if sentence else None
            if comment is None:
                continue
            name = f"{function['name']}.{parameter['name']}"
            yield draft(
                "describe_parameter",
                SetFunctionComment(
                    function=function["name"], parameter=parameter["name"], comment=comment
                ),
                before=parameter["comment"],
                summary=f"Add to the comment of {name}: {sentence}",
                evidence=f"{seen(cluster)}. The function's own SQL says so.",
            )


def _blamed(cluster: ClusterEvidence, facts: Facts) -> Iterator[Mapping[str, Any]]:
    """The functions that are blamed, or whose parameter is, each once."""
    named = {blame.partition(":")[2].lower() for blame in cluster.blame_set if "function:" in blame}
    for function in facts.config.get("functions", ()):
        name = function["name"].lower()
        if any(blamed == name or blamed.startswith(f"{name}.") for blamed in named):
            yield function


def _body(function: Mapping[str, Any]) -> exp.Expr | None:
    """The query that a function returns, as the catalog has it; None where it cannot be read."""
    try:
        return sqlglot.parse_one(json.loads(function["definition"])["body"], dialect="spark")
    except (KeyError, TypeError, ValueError, sqlglot.errors.SqlglotError):
        return None


def _sentence(parameter: str, body: exp.Expr) -> str | None:
    """How the body uses a parameter: as a bound, or as the value of a column."""
    for column in body.find_all(exp.Column):
        comparison = column.parent
        if column.table or column.name.lower() != parameter.lower() or comparison is None:
            continue
        is_left = comparison.this is column
        other = comparison.args.get("expression") if is_left else comparison.this
        if other is None or other.find(exp.Column) is None:
            continue
        kind = type(comparison)
        bound = _BOUNDS.get(_MIRRORED.get(kind, kind) if is_left else kind)
        if bound is not None:
            return f"{bound} ({_plain(comparison)})."
        if isinstance(comparison, exp.EQ):
            table = _table_of(other, body)
            place = f" of {spoken(table)}" if table else ""
            return f"Compared with {_plain(other)}{place}."
    return None


def _plain(node: exp.Expr) -> str:
    """SQL without aliases: they mean nothing outside of the body."""
    copy = node.copy()
    for column in copy.find_all(exp.Column):
        column.set("table", None)
    return copy.sql(dialect="spark")


def _table_of(node: exp.Expr, body: exp.Expr) -> str | None:
    """The table whose alias the columns of an expression have."""
    aliases = {column.table for column in node.find_all(exp.Column)}
    names = {table.name for table in body.find_all(exp.Table) if table.alias_or_name in aliases}
    return names.pop() if len(names) == 1 else None
