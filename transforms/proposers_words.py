"""Proposals for what questions call things: named fragments, decoded values, synonyms, comments."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Literal

import yaml
from sqlglot import exp

from transforms.patches import (
    AddColumnSynonyms,
    AddInstruction,
    AddSqlSnippet,
    SetColumnComment,
    SetFunctionComment,
    SetMetricViewMeasure,
    SetTableComment,
)
from transforms.proposal_drafts import MAX_SYNONYMS, SHARED_GROUPS, draft, parsed, seen
from transforms.proposal_values import ClusterEvidence, DraftProposal, Facts
from transforms.proposal_words import extended, quoted, spoken
from transforms.question_words import stem

_SnippetKind = Literal["filter", "expression", "measure"]
_Words = tuple[str, ...]


def explain_what_is_called(cluster: ClusterEvidence, facts: Facts) -> Iterator[DraftProposal]:
    """Say, where the blamed part is described, what enough groups call it."""
    words = tuple(t.term for t in cluster.terms if t.group_count >= SHARED_GROUPS)[:MAX_SYNONYMS]
    kind = cluster.blame_set[0].partition(":")[0]
    explain = _EXPLAINERS.get(kind)
    if explain is None or not words or len(cluster.group_ids) < SHARED_GROUPS:
        return
    for fragment in cluster.fragments:
        if fragment.expected:
            yield from explain(fragment.expected, words, cluster, facts)


def name_shared_fragment(cluster: ClusterEvidence, facts: Facts) -> Iterator[DraftProposal]:
    """Name a filter by its values, or a way to write a column by the column."""
    kind = cluster.blame_set[0].partition(":")[0]
    for fragment in cluster.fragments:
        tree = parsed(fragment.expected)
        if tree is None or fragment.group_count < SHARED_GROUPS or tree.find(exp.Lambda):
            continue
        values = [one.name for one in tree.find_all(exp.Literal) if one.is_string]
        columns = {column.name for column in tree.find_all(exp.Column)}
        if len(columns) != 1:
            continue
        if kind == "filter" and isinstance(tree, exp.In) and values:
            yield from _snippet("filter", tree, (" or ".join(values),), cluster, facts)
        elif kind == "expression":
            yield from _snippet("expression", tree, (spoken(columns.pop()),), cluster, facts)


def state_condition(cluster: ClusterEvidence, facts: Facts) -> Iterator[DraftProposal]:
    """Instruct to keep a condition that every group which reads the table has."""
    for fragment in cluster.fragments:
        tree = parsed(fragment.expected)
        table = _table_of(tree) if tree is not None else None
        if tree is None or table is None or fragment.group_count < SHARED_GROUPS:
            continue
        name = table.rpartition(".")[2]
        text = f"Always filter {name} by `{_unqualified(tree).sql(dialect='spark')}`."
        if text not in "\n".join(facts.config.get("instructions", ())):
            yield draft(
                "state_condition",
                AddInstruction(space_id=cluster.space_id, topic=f"condition {name}", text=text),
                before=None,
                summary=f"Instruct: {text}",
                evidence=f"{seen(cluster)}. Every group that reads {name} has this condition.",
            )


def _snippet(
    kind: _SnippetKind, tree: exp.Expr, words: _Words, cluster: ClusterEvidence, facts: Facts
) -> Iterator[DraftProposal]:
    table = _table_of(tree)
    sql = _unqualified(tree).sql(dialect="spark")
    if table is None or sql in {one["sql"] for one in facts.config.get("snippets", ())}:
        return
    name, others = words[0], words[1:]
    if len(cluster.fragments) > 1:  # the same of another table must not have the same name
        name, others = f"{words[0]} ({spoken(table.rpartition('.')[2])})", words
    is_sure = len(cluster.group_ids) > SHARED_GROUPS
    yield draft(
        "name_fragment" if is_sure else "name_rare_fragment",
        AddSqlSnippet(kind=kind, sql=sql, display_name=name, synonyms=others),
        before=None,
        summary=f"Add the {kind} '{name}': {sql}",
        evidence=f"{seen(cluster)}: {_said(words)} where {sql} is expected.",
    )


def _named_fragment(kind: _SnippetKind) -> _Explain:
    def explain(
        sql: str, words: _Words, cluster: ClusterEvidence, facts: Facts
    ) -> Iterator[DraftProposal]:
        tree = parsed(sql)
        if tree is not None:
            yield from _snippet(kind, tree, words, cluster, facts)

    return explain


def _decoded_value(
    sql: str, words: _Words, cluster: ClusterEvidence, facts: Facts
) -> Iterator[DraftProposal]:
    """Say in a column's comment what one of its values means."""
    tree = parsed(sql)
    if not isinstance(tree, exp.EQ) or not isinstance(tree.this, exp.Column):
        return
    column = facts.column(".".join(part.name for part in tree.this.parts))
    if column is None:
        return
    # A sentence for each: "means A or B" reads as if people said all of it.
    sentence = " ".join(f"{quoted(tree.expression.name)} means {word}." for word in words)
    comment = extended(column.comment, sentence)
    if comment is not None:
        yield draft(
            "decode_value",
            SetColumnComment(table=column.table, column=column.column, comment=comment),
            before=column.comment,
            summary=f"Add to the comment of {column.name}: {sentence}",
            evidence=f"{seen(cluster)}: {_said(words)} where {sql} is expected.",
        )


def _synonyms(
    sql: str, words: _Words, cluster: ClusterEvidence, facts: Facts
) -> Iterator[DraftProposal]:
    table, _, column = sql.replace("`", "").rpartition(".")
    known = facts.column(f"{table}.{column}")
    view = _view(facts, table)
    if known is None and view is None:
        return
    name = f"{table.rpartition('.')[2]}.{column}"
    for word in words:
        if set(words_of(word)) <= set(words_of(spoken(column))):
            text = f"For {word} use {name}."  # other tables have a column of that name
            if text not in "\n".join(facts.config.get("instructions", ())):
                yield draft(
                    "prefer_column",
                    AddInstruction(space_id=cluster.space_id, topic=f"use for {word}", text=text),
                    before=None,
                    summary=f"Instruct: {text}",
                    evidence=f"{seen(cluster)}: {_said((word,))} where {name} is expected.",
                )
    new = tuple(w for w in words if not set(words_of(w)) <= set(words_of(spoken(column))))
    if new:
        yield draft(
            "name_column",
            AddColumnSynonyms(table=table, column=column, synonyms=new),
            before=None,
            summary=f"Add to the synonyms of {table}.{column}: {', '.join(new)}",
            evidence=f"{seen(cluster)}: {_said(new)} where {column} is expected.",
        )


def _table_words(
    name: str, words: _Words, cluster: ClusterEvidence, facts: Facts
) -> Iterator[DraftProposal]:
    table = facts.table(name)
    if table is not None:
        own = set(words_of(spoken(name.rpartition(".")[2])))
        short = (
            " ".join(w for w in said.split() if stem(w) not in own) for said in words
        )  # what the name says already is not said again
        sentence = f"Also called: {', '.join(dict.fromkeys(filter(None, short)))}."
        comment = extended(table.comment, sentence)
        if comment is not None:
            yield draft(
                "name_table",
                SetTableComment(table=table.name, comment=comment),
                before=table.comment,
                summary=f"Add to the comment of {table.name}: {sentence}",
                evidence=f"{seen(cluster)}: {_said(words)} where {table.name} is expected.",
            )
    elif _view(facts, name) is not None:
        text = f"For {', '.join(words)} use {name.rpartition('.')[2]}."
        yield draft(
            "prefer_asset",
            AddInstruction(space_id=cluster.space_id, topic=f"use {name}", text=text),
            before=None,
            summary=f"Instruct: {text}",
            evidence=f"{seen(cluster)}: {_said(words)} where {name} is expected.",
        )


def _measure_words(
    name: str, words: _Words, cluster: ClusterEvidence, facts: Facts
) -> Iterator[DraftProposal]:
    """Say in the comment of a metric view's measure what it is called; its SQL stays."""
    view_name, _, measure = name.rpartition(".")
    view = _view(facts, view_name)
    expr = measure_expr(view, measure) if view is not None else None
    if view is None or expr is None:
        return
    known = next(one for one in view["columns"] if one["name"].lower() == measure.lower())
    sentence = f"Also called: {', '.join(words)}."
    comment = extended(known["comment"], sentence)
    if comment is not None:
        yield draft(
            "name_measure",
            SetMetricViewMeasure(
                metric_view=view["name"], name=known["name"], expr=expr, comment=comment
            ),
            before=known["comment"],
            summary=f"Add to the comment of {name}: {sentence}",
            evidence=f"{seen(cluster)}: {_said(words)} where {name} is expected.",
        )


def _function_words(
    name: str, words: _Words, cluster: ClusterEvidence, facts: Facts
) -> Iterator[DraftProposal]:
    function = _function(facts, name)
    if function is None:
        return
    sentence = f"Answers questions about: {', '.join(words)}."
    comment = extended(function["comment"], sentence)
    if comment is not None:
        yield draft(
            "name_function",
            SetFunctionComment(function=function["name"], comment=comment),
            before=function["comment"],
            summary=f"Add to the comment of {name}: {sentence}",
            evidence=f"{seen(cluster)}: {_said(words)} where {name} is called.",
        )


def measure_expr(view: Mapping[str, Any], measure: str) -> str | None:
    """The expression of a measure in a metric view's definition; None where there is none."""
    try:
        listed = yaml.safe_load(view["definition"] or "")["measures"]
        return next(str(m["expr"]) for m in listed if m["name"].lower() == measure.lower())
    except (yaml.YAMLError, AttributeError, KeyError, TypeError, StopIteration):
        return None


def _view(facts: Facts, name: str) -> Mapping[str, Any] | None:
    views = facts.config.get("metric_views", ())
    return next((one for one in views if one["name"].lower() == name.lower()), None)


def _function(facts: Facts, name: str) -> Mapping[str, Any] | None:
    functions = facts.config.get("functions", ())
    return next((one for one in functions if one["name"].lower() == name.lower()), None)


def words_of(text: str) -> tuple[str, ...]:
    return tuple(stem(word) for word in text.split())


def _table_of(tree: exp.Expr) -> str | None:
    """``schema.table`` of a fragment's columns; the names of lambdas belong to none."""
    names = {f"{c.db}.{c.table}" for c in tree.find_all(exp.Column) if c.db}
    return names.pop() if len(names) == 1 else None


def _unqualified(tree: exp.Expr) -> exp.Expr:
    """The same with tables by their last name part, as a space's snippets name them."""
    copy = tree.copy()
    for column in copy.find_all(exp.Column):
        column.set("db", None)
        column.set("catalog", None)
    return copy


def _said(words: _Words) -> str:
    return f"the questions say {', '.join(repr(word) for word in words)}"


_Explain = Callable[[str, _Words, ClusterEvidence, Facts], Iterator[DraftProposal]]
_EXPLAINERS: Mapping[str, _Explain] = {
    "filter": _named_fragment("filter"),
    "aggregate": _named_fragment("measure"),
    "expression": _named_fragment("expression"),
    "value": _decoded_value,
    "flag": _synonyms,
    "column": _synonyms,
    "table": _table_words,
    "measure": _measure_words,
    "function": _function_words,
}
