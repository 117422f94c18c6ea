"""From what went wrong to what to change: patches for one cluster, from its evidence alone.

Everything a patch says is taken from the data's own facts (types, keys, values, counts) or from
fragments and words that at least two train groups share: one benchmark is never enough to write its
words or its SQL into metadata (rule 9). Nothing here reads a session, a clock or a table.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

import sqlglot
from sqlglot import exp

from transforms.patches import (
    AddColumnSynonyms,
    AddInstruction,
    AddJoinSpec,
    AddSqlSnippet,
    Patch,
    Relationship,
    SetColumnComment,
    SetTableComment,
    patch_json,
)
from transforms.proposal_instructions import INSTRUCTIONS
from transforms.proposal_rules import PROPOSAL_RULES
from transforms.proposal_values import (
    ClusterEvidence,
    ColumnFacts,
    DraftProposal,
    Facts,
)
from transforms.proposal_words import (
    contrast_sentence,
    extended,
    grain_sentence,
    reference_sentence,
    spoken,
    values_sentence,
)

_Proposer = Callable[[ClusterEvidence, Facts], Iterator[DraftProposal]]

SHARED_GROUPS = 2  # train groups that must share a word or fragment before it may be proposed
MAX_SYNONYMS = 5


def propose(cluster: ClusterEvidence, facts: Facts) -> tuple[DraftProposal, ...]:
    """The patches that a cluster's evidence supports, most durable lever first, none twice.

    Empty when nothing that is both true and shared by enough groups would help.
    """
    drafts: dict[str, DraftProposal] = {}
    for proposer in (*_PROPOSERS.get(cluster.rule, ()), _instruct):
        for draft in proposer(cluster, facts):
            drafts.setdefault(patch_json(draft.patch), draft)
    return tuple(sorted(drafts.values(), key=lambda draft: draft.patch.lever))


def _draft(
    rule: str, patch: Patch, *, before: str | None, summary: str, evidence: str
) -> DraftProposal:
    fixed = PROPOSAL_RULES[rule]
    return DraftProposal(
        rule=rule,
        patch=patch,
        before=before,
        summary=summary,
        evidence=evidence,
        confidence=fixed.confidence,
        risk=fixed.risk,
    )


def _seen(cluster: ClusterEvidence) -> str:
    questions, groups = len(cluster.question_ids), len(cluster.group_ids)
    return (
        f"{cluster.rule} in {questions} train question{'s' * (questions != 1)} "
        f"({groups} group{'s' * (groups != 1)})"
    )


def _blamed_columns(cluster: ClusterEvidence, facts: Facts) -> Iterator[ColumnFacts]:
    """The columns that are blamed, alone or as a side of a join."""
    for blame in cluster.blame_set:
        kind, _, name = blame.partition(":")
        names = name.split("=") if kind == "join" else [name] if kind == "column" else []
        for column_name in names:
            column = facts.column(column_name.strip())
            if column is not None:
                yield column


def _common_terms(cluster: ClusterEvidence) -> tuple[str, ...]:
    """Unexplained words that enough groups share, and most groups of the cluster use."""
    enough = max(SHARED_GROUPS, 0.6 * len(cluster.group_ids))
    return tuple(t.term for t in cluster.terms if t.group_count >= enough)[:MAX_SYNONYMS]


def _comment_patch(
    rule: str, column: ColumnFacts, addition: str, cluster: ClusterEvidence, because: str
) -> Iterator[DraftProposal]:
    comment = extended(column.comment, addition)
    if comment is None:
        return
    name = column.name
    yield _draft(
        rule,
        SetColumnComment(table=column.table, column=column.column, comment=comment),
        before=column.comment,
        summary=f"Add to the comment of {name}: {addition}",
        evidence=f"{_seen(cluster)}. {because}",
    )


def _describe_values(cluster: ClusterEvidence, facts: Facts) -> Iterator[DraftProposal]:
    for column in _blamed_columns(cluster, facts):
        sentence = values_sentence(column)
        if sentence is not None:
            because = f"The data holds {column.distinct_count} values in {column.row_count} rows."
            yield from _comment_patch("describe_values", column, sentence, cluster, because)


def _explain_words(cluster: ClusterEvidence, facts: Facts) -> Iterator[DraftProposal]:
    columns = list(_blamed_columns(cluster, facts))
    terms = _common_terms(cluster)
    if len(columns) != 1 or not terms:
        return
    yield _synonyms_draft(
        "explain_words",
        columns[0],
        terms,
        f"{_seen(cluster)}. Nothing in the metadata explains: {', '.join(terms)}.",
    )


def _explain_invented_name(cluster: ClusterEvidence, facts: Facts) -> Iterator[DraftProposal]:
    for fragment in cluster.fragments:
        right = facts.column(fragment.expected or "")
        invented = spoken((fragment.actual or "").split(".")[-1].strip("`"))
        if right is None or not invented or facts.column(fragment.actual or ""):
            continue
        if invented != spoken(right.column):
            yield _synonyms_draft(
                "explain_invented_name",
                right,
                (invented,),
                f"{_seen(cluster)}. The answer used {fragment.actual}, which does not exist.",
            )


def _synonyms_draft(
    rule: str, column: ColumnFacts, synonyms: tuple[str, ...], evidence: str
) -> DraftProposal:
    name = column.name
    return _draft(
        rule,
        AddColumnSynonyms(table=column.table, column=column.column, synonyms=synonyms),
        before=None,
        summary=f"Add to the synonyms of {name}: {', '.join(synonyms)}",
        evidence=evidence,
    )


def _contrast_columns(cluster: ClusterEvidence, facts: Facts) -> Iterator[DraftProposal]:
    for fragment in cluster.fragments:
        right = facts.column(fragment.expected or "")
        taken = facts.column(fragment.actual or "")
        if right is None or taken is None or right == taken:
            continue
        because = f"{fragment.group_count} group(s) expected it where {taken.column} was taken."
        yield from _comment_patch(
            "contrast_columns", right, contrast_sentence(right, taken), cluster, because
        )


def _describe_reference(cluster: ClusterEvidence, facts: Facts) -> Iterator[DraftProposal]:
    for column in _blamed_columns(cluster, facts):
        sentence = reference_sentence(column)
        if sentence is not None:
            because = f"The key is declared: {column.column} refers to {column.references}."
            yield from _comment_patch("describe_reference", column, sentence, cluster, because)


def _describe_grain(cluster: ClusterEvidence, facts: Facts) -> Iterator[DraftProposal]:
    tables: dict[str, list[ColumnFacts]] = {}
    for column in _blamed_columns(cluster, facts):
        tables.setdefault(column.table, []).append(column)
    for blame in cluster.blame_set:
        kind, _, name = blame.partition(":")
        if kind == "table":
            tables.setdefault(name, [])
    for name, columns in tables.items():
        table = facts.table(name)
        sentence = grain_sentence(table, columns) if table else None
        comment = extended(table.comment, sentence) if table and sentence else None
        if table is None or comment is None:
            continue
        yield _draft(
            "describe_grain",
            SetTableComment(table=table.name, comment=comment),
            before=table.comment,
            summary=f"Add to the comment of {table.name}: {sentence}",
            evidence=f"{_seen(cluster)}. The data has {table.row_count} rows in {table.name}.",
        )


def _expression(sql: str | None) -> exp.Expr | None:
    """The expression that a fragment holds, tables by their last name part; None if it is none."""
    try:
        tree = sqlglot.parse_one(sql or "", dialect="spark")
    except sqlglot.errors.SqlglotError:
        return None
    if tree.find(exp.Query):
        return None
    for column in tree.find_all(exp.Column):
        column.set("db", None)
        column.set("catalog", None)
    return tree


def _shared_expressions(cluster: ClusterEvidence, facts: Facts) -> Iterator[tuple[exp.Expr, int]]:
    """What enough groups expected and the space does not name yet, with the number of groups."""
    named = {snippet["sql"] for snippet in facts.config.get("snippets", ())}
    for fragment in cluster.fragments:
        tree = _expression(fragment.expected)
        if fragment.group_count < SHARED_GROUPS or tree is None:
            continue
        if tree.sql(dialect="spark") not in named:
            yield tree, fragment.group_count


def _share_filter(cluster: ClusterEvidence, facts: Facts) -> Iterator[DraftProposal]:
    terms = _common_terms(cluster)
    for tree, groups in _shared_expressions(cluster, facts):
        literal = tree.find(exp.Literal)
        column = tree.find(exp.Column)
        if not isinstance(tree, exp.Predicate) or literal is None or column is None:
            continue
        sql = tree.sql(dialect="spark")
        name = terms[0] if terms else f"{spoken(column.name)} {literal.name}".strip()
        yield _snippet_draft("share_filter", "filter", sql, name, terms, groups, cluster)


def _share_expression(cluster: ClusterEvidence, facts: Facts) -> Iterator[DraftProposal]:
    terms = _common_terms(cluster)
    for tree, groups in _shared_expressions(cluster, facts):
        function, column = tree.find(exp.AggFunc), tree.find(exp.Column)
        if function is None or column is None:
            continue
        sql = tree.sql(dialect="spark")
        name = terms[0] if terms else f"{spoken(function.key)} {spoken(column.name)}"
        yield _snippet_draft("share_expression", "measure", sql, name, terms, groups, cluster)


def _snippet_draft(
    rule: str,
    kind: str,
    sql: str,
    name: str,
    terms: tuple[str, ...],
    groups: int,
    cluster: ClusterEvidence,
) -> DraftProposal:
    return _draft(
        rule,
        AddSqlSnippet(
            kind="filter" if kind == "filter" else "measure",
            sql=sql,
            display_name=name,
            synonyms=tuple(term for term in terms if term != name),
        ),
        before=None,
        summary=f"Add the {kind} '{name}': {sql}",
        evidence=f"{_seen(cluster)}. {groups} groups expected {sql}.",
    )


def _declare_join(cluster: ClusterEvidence, facts: Facts) -> Iterator[DraftProposal]:
    for blame in cluster.blame_set:
        kind, _, name = blame.partition(":")
        sides = [facts.column(side.strip()) for side in name.split("=")] if kind == "join" else []
        if len(sides) != 2 or sides[0] is None or sides[1] is None:
            continue
        left, right = sides[0], sides[1]
        is_declared = _refers(left, right) or _refers(right, left)
        if not is_declared and len(cluster.group_ids) < SHARED_GROUPS:
            continue
        if _has_join(facts, left.table, right.table):
            continue
        condition = exp.EQ(this=_short(left), expression=_short(right)).sql(dialect="spark")
        why = "The key is declared." if is_declared else "Two or more groups expected it."
        yield _draft(
            "declare_join",
            AddJoinSpec(
                left=left.table,
                right=right.table,
                sql=condition,
                relationship=_relationship(left, right),
            ),
            before=None,
            summary=f"Declare the join {condition}",
            evidence=f"{_seen(cluster)}. {why}",
        )


def _has_join(facts: Facts, left: str, right: str) -> bool:
    declared = facts.config.get("join_specs", ())
    return any({spec["left"], spec["right"]} == {left, right} for spec in declared)


def _refers(column: ColumnFacts, other: ColumnFacts) -> bool:
    target = f"{other.table}.{other.column}".lower()
    return (column.references or "").lower() == target


def _short(column: ColumnFacts) -> exp.Column:
    return exp.column(column.column, table=column.table.split(".")[-1], quoted=True)


def _relationship(left: ColumnFacts, right: ColumnFacts) -> Relationship:
    if left.is_unique:
        return "ONE_TO_ONE" if right.is_unique else "ONE_TO_MANY"
    return "MANY_TO_ONE" if right.is_unique else "MANY_TO_MANY"


def _instruct(cluster: ClusterEvidence, facts: Facts) -> Iterator[DraftProposal]:
    habit = INSTRUCTIONS.get(cluster.rule)
    if habit is None or len(cluster.group_ids) < SHARED_GROUPS:
        return
    if habit.text in facts.config.get("instructions", ()):
        return
    yield _draft(
        "instruct",
        AddInstruction(space_id=cluster.space_id, topic=habit.topic, text=habit.text),
        before=None,
        summary=f"Instruct: {habit.text}",
        evidence=f"{_seen(cluster)}.",
    )


_WORDS = (_explain_words, _contrast_columns)
_VALUES = (_describe_values, _share_filter)
_JOINS = (_describe_reference, _declare_join)
_PROPOSERS: Mapping[str, tuple[_Proposer, ...]] = {
    "column_unknown": (_explain_invented_name,),
    "output_column_wrong": _WORDS,
    "ranking_column_wrong": _WORDS,
    "aggregated_column_wrong": _WORDS,
    "filter_column_wrong": (*_WORDS, *_VALUES),
    "key_value_guessed": (_describe_reference,),
    "table_unknown": (_describe_grain,),
    "table_wrong": (_describe_grain,),
    "table_missing": (_describe_grain,),
    "table_not_asked": (_describe_grain,),
    "rows_multiplied_by_join": (_describe_grain,),
    "join_column_wrong": _JOINS,
    "join_missing": _JOINS,
    "tables_not_joined": _JOINS,
    "literal_spelled_differently": (_describe_values,),
    "literal_not_in_column": _VALUES,
    "literal_wrong": _VALUES,
    "pattern_instead_of_value": (_describe_values,),
    "value_instead_of_pattern": (_describe_values,),
    "null_instead_of_value": _VALUES,
    "value_instead_of_null": _VALUES,
    "filter_missing": _VALUES,
    "temporal_filter_missing": _VALUES,
    "distinct_missing": (_describe_grain, _share_expression),
    "duplicates_kept": (_describe_grain,),
    "aggregate_function_wrong": (_share_expression,),
    "aggregate_missing": (_share_expression,),
    "calculation_wrong": (_share_expression,),
}
