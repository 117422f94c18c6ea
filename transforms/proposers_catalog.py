"""Proposals for the catalog (lever 1): what comments and synonyms can say of tables and columns."""

from __future__ import annotations

from collections.abc import Iterator

from transforms.patches import AddColumnSynonyms, SetColumnComment, SetTableComment
from transforms.proposal_drafts import (
    blamed_columns,
    common_terms,
    draft,
    refers,
    seen,
    taken_columns,
)
from transforms.proposal_values import ClusterEvidence, ColumnFacts, DraftProposal, Facts
from transforms.proposal_words import (
    contrast_sentence,
    extended,
    grain_sentence,
    nulls_sentence,
    reference_sentence,
    spoken,
    values_sentence,
)
from transforms.question_words import name_words


def describe_values(cluster: ClusterEvidence, facts: Facts) -> Iterator[DraftProposal]:
    """List the values of the blamed columns in their comments."""
    for column in blamed_columns(cluster, facts):
        sentence = values_sentence(column)
        if sentence is not None:
            because = f"The data holds {column.distinct_count} values in {column.row_count} rows."
            yield from _comment_patch("describe_values", column, sentence, cluster, because)


def deny_nulls(cluster: ClusterEvidence, facts: Facts) -> Iterator[DraftProposal]:
    """Say of a column where NULL was looked for that it holds none."""
    for column in taken_columns(cluster, facts):
        sentence = nulls_sentence(column) if column.null_count == 0 else None
        if sentence is not None:
            because = f"None of {column.row_count} rows is NULL."
            yield from _comment_patch("describe_nulls", column, sentence, cluster, because)


def describe_nulls(cluster: ClusterEvidence, facts: Facts) -> Iterator[DraftProposal]:
    """Say of a column where a value was looked for that NULL stands for none."""
    for column in blamed_columns(cluster, facts):
        sentence = nulls_sentence(column) if column.null_count else None
        if sentence is not None:
            because = f"{column.null_count} of {column.row_count} rows are NULL."
            yield from _comment_patch("describe_nulls", column, sentence, cluster, because)


def describe_reference(cluster: ClusterEvidence, facts: Facts) -> Iterator[DraftProposal]:
    """Say which column the blamed keys, and the keys the answers guessed at, refer to."""
    for column in (*blamed_columns(cluster, facts), *taken_columns(cluster, facts)):
        sentence = reference_sentence(column)
        if sentence is not None:
            because = f"The key is declared: {column.column} refers to {column.references}."
            yield from _comment_patch("describe_reference", column, sentence, cluster, because)


def describe_grain(cluster: ClusterEvidence, facts: Facts) -> Iterator[DraftProposal]:
    """Say what one row of the blamed tables is, and which blamed columns repeat."""
    tables: dict[str, list[ColumnFacts]] = {}
    for column in blamed_columns(cluster, facts):
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
        yield draft(
            "describe_grain",
            SetTableComment(table=table.name, comment=comment),
            before=table.comment,
            summary=f"Add to the comment of {table.name}: {sentence}",
            evidence=f"{seen(cluster)}. The data has {table.row_count} rows in {table.name}.",
        )


def contrast_columns(cluster: ClusterEvidence, facts: Facts) -> Iterator[DraftProposal]:
    """Tell the right column apart from the one that was taken for it."""
    for fragment in cluster.fragments:
        right = facts.column(fragment.expected or "")
        taken = facts.column(fragment.actual or "")
        if right is None or taken is None or right == taken:
            continue
        if refers(right, taken) or refers(taken, right):  # a key and its copy hold one value
            continue
        is_alike = set(name_words(right.column)) & set(name_words(taken.column))
        if right.table != taken.table and not is_alike:  # nobody mistakes one for the other
            continue
        because = f"{fragment.group_count} group(s) expected it where {taken.column} was taken."
        yield from _comment_patch(
            "contrast_columns", right, contrast_sentence(right, taken), cluster, because
        )


def explain_words(cluster: ClusterEvidence, facts: Facts) -> Iterator[DraftProposal]:
    """Make the words that nothing explains synonyms of the one column that is blamed."""
    columns = list(blamed_columns(cluster, facts))
    terms = common_terms(cluster)
    if len(columns) != 1 or not terms:
        return
    yield _synonyms_draft(
        "explain_words",
        columns[0],
        terms,
        f"{seen(cluster)}. Nothing in the metadata explains: {', '.join(terms)}.",
    )


def explain_invented_name(cluster: ClusterEvidence, facts: Facts) -> Iterator[DraftProposal]:
    """Make a column name that an answer made up a synonym of the right column."""
    for fragment in cluster.fragments:
        right = facts.column(fragment.expected or "")
        invented = spoken((fragment.actual or "").split(".")[-1].strip("`"))
        if right is None or not invented or facts.column(fragment.actual or ""):
            continue
        if invented.replace(" ", "") != spoken(right.column).replace(" ", ""):
            yield _synonyms_draft(
                "explain_invented_name",
                right,
                (invented,),
                f"{seen(cluster)}. The answer used {fragment.actual}, which does not exist.",
            )


def _synonyms_draft(
    rule: str, column: ColumnFacts, synonyms: tuple[str, ...], evidence: str
) -> DraftProposal:
    name = column.name
    return draft(
        rule,
        AddColumnSynonyms(table=column.table, column=column.column, synonyms=synonyms),
        before=None,
        summary=f"Add to the synonyms of {name}: {', '.join(synonyms)}",
        evidence=evidence,
    )


def _comment_patch(
    rule: str, column: ColumnFacts, addition: str, cluster: ClusterEvidence, because: str
) -> Iterator[DraftProposal]:
    comment = extended(column.comment, addition)
    if comment is None:
        return
    name = column.name
    yield draft(
        rule,
        SetColumnComment(table=column.table, column=column.column, comment=comment),
        before=column.comment,
        summary=f"Add to the comment of {name}: {addition}",
        evidence=f"{seen(cluster)}. {because}",
    )
