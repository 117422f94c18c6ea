"""Proposals for the space (lever 6): named filters and measures, join specs, instructions."""

from __future__ import annotations

from collections.abc import Iterator

from sqlglot import exp

from transforms.patches import AddInstruction, AddJoinSpec, AddSqlSnippet, Relationship
from transforms.proposal_drafts import SHARED_GROUPS, common_terms, draft, parsed, refers, seen
from transforms.proposal_instructions import INSTRUCTIONS
from transforms.proposal_values import ClusterEvidence, ColumnFacts, DraftProposal, Facts
from transforms.proposal_words import spoken


def share_filter(cluster: ClusterEvidence, facts: Facts) -> Iterator[DraftProposal]:
    """Name the filters that enough groups expected."""
    terms = common_terms(cluster)
    for tree, groups in _shared_expressions(cluster, facts):
        literal = tree.find(exp.Literal)
        column = tree.find(exp.Column)
        if not isinstance(tree, exp.Predicate) or literal is None or column is None:
            continue
        sql = tree.sql(dialect="spark")
        name = terms[0] if terms else f"{spoken(column.name)} {literal.name}".strip()
        yield _snippet_draft("share_filter", "filter", sql, name, terms, groups, cluster)


def share_expression(cluster: ClusterEvidence, facts: Facts) -> Iterator[DraftProposal]:
    """Name the measures that enough groups expected."""
    terms = common_terms(cluster)
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
    return draft(
        rule,
        AddSqlSnippet(
            kind="filter" if kind == "filter" else "measure",
            sql=sql,
            display_name=name,
            synonyms=tuple(term for term in terms if term != name),
        ),
        before=None,
        summary=f"Add the {kind} '{name}': {sql}",
        evidence=f"{seen(cluster)}. {groups} groups expected {sql}.",
    )


def _shared_expressions(cluster: ClusterEvidence, facts: Facts) -> Iterator[tuple[exp.Expr, int]]:
    """What enough groups expected and the space does not name yet, with the number of groups."""
    named = {snippet["sql"] for snippet in facts.config.get("snippets", ())}
    for fragment in cluster.fragments:
        tree = _expression(fragment.expected)
        if fragment.group_count < SHARED_GROUPS or tree is None:
            continue
        if tree.sql(dialect="spark") not in named:
            yield tree, fragment.group_count


def _expression(sql: str | None) -> exp.Expr | None:
    """The same, with tables by their last name part, as a space's snippets name them."""
    tree = parsed(sql)
    for column in tree.find_all(exp.Column) if tree else ():
        column.set("db", None)
        column.set("catalog", None)
    return tree


def declare_join(cluster: ClusterEvidence, facts: Facts) -> Iterator[DraftProposal]:
    """Declare the blamed joins that a key or enough groups confirm."""
    for blame in cluster.blame_set:
        kind, _, name = blame.partition(":")
        sides = [facts.column(side.strip()) for side in name.split("=")] if kind == "join" else []
        if len(sides) != 2 or sides[0] is None or sides[1] is None:
            continue
        left, right = sides[0], sides[1]
        is_declared = refers(left, right) or refers(right, left)
        if not is_declared and len(cluster.group_ids) < SHARED_GROUPS:
            continue
        if _has_join(facts, left.table, right.table):
            continue
        condition = exp.EQ(this=_short(left), expression=_short(right)).sql(dialect="spark")
        why = "The key is declared." if is_declared else "Two or more groups expected it."
        yield draft(
            "declare_join",
            AddJoinSpec(
                left=left.table,
                right=right.table,
                sql=condition,
                relationship=_relationship(left, right),
            ),
            before=None,
            summary=f"Declare the join {condition}",
            evidence=f"{seen(cluster)}. {why}",
        )


def _has_join(facts: Facts, left: str, right: str) -> bool:
    declared = facts.config.get("join_specs", ())
    return any({spec["left"], spec["right"]} == {left, right} for spec in declared)


def _short(column: ColumnFacts) -> exp.Column:
    return exp.column(column.column, table=column.table.split(".")[-1], quoted=True)


def _relationship(left: ColumnFacts, right: ColumnFacts) -> Relationship:
    if left.is_unique:
        return "ONE_TO_ONE" if right.is_unique else "ONE_TO_MANY"
    return "MANY_TO_ONE" if right.is_unique else "MANY_TO_MANY"


def instruct(cluster: ClusterEvidence, facts: Facts) -> Iterator[DraftProposal]:
    """Instruct against a habit that enough groups show."""
    habit = INSTRUCTIONS.get(cluster.rule)
    if habit is None or len(cluster.group_ids) < SHARED_GROUPS:
        return
    if habit.text in facts.config.get("instructions", ()):
        return
    yield draft(
        "instruct",
        AddInstruction(space_id=cluster.space_id, topic=habit.topic, text=habit.text),
        before=None,
        summary=f"Instruct: {habit.text}",
        evidence=f"{seen(cluster)}.",
    )
