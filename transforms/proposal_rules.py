"""The ways in which a cluster's evidence becomes a patch, and what is fixed about each."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from transforms.proposal_values import Risk


@dataclass(frozen=True, slots=True)
class ProposalRule:
    """A way to turn evidence into a patch, with what is fixed about it.

    ``lever`` 1 is that of comments on tables; on monitoring tables they are lever 4, on ML tables
    lever 5.
    """

    lever: int
    confidence: float
    risk: Risk
    description: str


PROPOSAL_RULES: Mapping[str, ProposalRule] = {
    "describe_values": ProposalRule(
        1, 0.8, "low", "The comment of a blamed column lists the values that the data holds"
    ),
    "explain_words": ProposalRule(
        1, 0.7, "low", "Words that two or more train groups use for a column become its synonyms"
    ),
    "explain_invented_name": ProposalRule(
        1, 0.7, "low", "A column name that an answer made up becomes a synonym of the right column"
    ),
    "contrast_columns": ProposalRule(
        1, 0.6, "low", "The comment of the right column tells it apart from the one that was taken"
    ),
    "describe_reference": ProposalRule(
        1, 0.7, "low", "The comment of a key column names the column it refers to"
    ),
    "describe_nulls": ProposalRule(
        1, 0.7, "low", "The comment of a column says whether NULL or a value stands for none"
    ),
    "describe_grain": ProposalRule(
        1, 0.7, "low", "The comment of a table says what one row is, from its keys and counts"
    ),
    "name_column": ProposalRule(
        1, 0.8, "low", "Words that two or more train groups use for a column become its synonyms"
    ),
    "name_table": ProposalRule(
        1, 0.7, "low", "The comment of a table says what two or more train groups call its rows"
    ),
    "decode_value": ProposalRule(
        1, 0.8, "low", "The comment of a column says what two or more train groups call a value"
    ),
    "name_measure": ProposalRule(
        2, 0.8, "low", "The comment of a measure says what two or more train groups call it"
    ),
    "name_function": ProposalRule(
        3, 0.8, "low", "The comment of a function says what two or more train groups call it"
    ),
    "describe_parameter": ProposalRule(
        3, 0.8, "low", "The comment of a parameter says what the function compares it with"
    ),
    "name_fragment": ProposalRule(
        6, 0.8, "low", "A fragment that three or more train groups expect gets the name they use"
    ),
    "name_rare_fragment": ProposalRule(
        6, 0.7, "low", "A fragment that two train groups expect gets the name that both use"
    ),
    "prefer_asset": ProposalRule(
        6, 0.7, "low", "Words that two or more train groups use for a metric view lead to it"
    ),
    "prefer_column": ProposalRule(
        6, 0.7, "low", "Of several columns of one name, the one that train groups expect is named"
    ),
    "state_condition": ProposalRule(
        6, 0.7, "medium", "A condition that all train groups put on a table becomes an instruction"
    ),
    "share_filter": ProposalRule(
        6, 0.6, "medium", "A filter that two or more train groups expect becomes a named filter"
    ),
    "share_expression": ProposalRule(
        6, 0.6, "medium", "A measure that two or more train groups expect becomes a named measure"
    ),
    "declare_join": ProposalRule(
        6,
        0.7,
        "low",
        "A join that the keys or two or more train groups confirm becomes a join spec",
    ),
    "instruct": ProposalRule(
        6, 0.5, "medium", "A habit seen in two or more train groups becomes an instruction"
    ),
}
