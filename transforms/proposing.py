"""From what went wrong to what to change: patches for one cluster, from its evidence alone.

Everything a patch says is taken from the data's own facts (types, keys, values, counts) or from
fragments and words that at least two train groups share: one benchmark is never enough to write its
words or its SQL into metadata (rule 9). Nothing here reads a session, a clock or a table.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace

from transforms.patches import SetColumnComment, SetTableComment, patch_json
from transforms.proposal_values import ClusterEvidence, DraftProposal, Facts
from transforms.proposers_catalog import (
    contrast_columns,
    deny_nulls,
    describe_grain,
    describe_nulls,
    describe_reference,
    describe_values,
    explain_invented_name,
    explain_words,
)
from transforms.proposers_functions import describe_parameters
from transforms.proposers_space import declare_join, instruct, share_expression, share_filter
from transforms.proposers_words import (
    explain_what_is_called,
    name_shared_fragment,
    state_condition,
)
from transforms.shared_causes import ALWAYS, UNNAMED, VALUES, WORDS
from transforms.table_kinds import at_its_lever

_Proposer = Callable[[ClusterEvidence, Facts], Iterator[DraftProposal]]

_WORDS = (explain_words, contrast_columns)
_VALUES = (describe_values, share_filter)
_JOINS = (describe_reference, declare_join)
_PROPOSERS: Mapping[str, tuple[_Proposer, ...]] = {
    "column_unknown": (explain_invented_name,),
    "output_column_wrong": _WORDS,
    "ranking_column_wrong": _WORDS,
    "aggregated_column_wrong": _WORDS,
    "filter_column_wrong": (*_WORDS, *_VALUES),
    "key_value_guessed": (describe_reference,),
    "table_unknown": (describe_grain,),
    "table_wrong": (describe_grain,),
    "table_missing": (describe_grain,),
    "table_not_asked": (describe_grain,),
    "rows_multiplied_by_join": (describe_grain,),
    "join_column_wrong": _JOINS,
    "join_missing": _JOINS,
    "tables_not_joined": _JOINS,
    "literal_spelled_differently": (describe_values,),
    "literal_not_in_column": _VALUES,
    "literal_wrong": _VALUES,
    "pattern_instead_of_value": (describe_values,),
    "value_instead_of_pattern": (describe_values,),
    "null_instead_of_value": (*_VALUES, deny_nulls),
    "value_instead_of_null": (*_VALUES, describe_nulls),
    "filter_missing": _VALUES,
    "temporal_filter_missing": _VALUES,
    "distinct_missing": (describe_grain, share_expression),
    "duplicates_kept": (describe_grain,),
    "aggregate_function_wrong": (share_expression,),
    "aggregate_missing": (share_expression,),
    "calculation_wrong": (share_expression,),
    "share_of_other_rows": (describe_reference,),
    "function_argument_wrong": (describe_parameters,),
    "function_not_called": (describe_parameters,),
    VALUES: (describe_values,),
    WORDS: (explain_what_is_called,),
    UNNAMED: (name_shared_fragment,),
    ALWAYS: (state_condition,),
}


def propose(cluster: ClusterEvidence, facts: Facts) -> tuple[DraftProposal, ...]:
    """The patches that a cluster's evidence supports, most durable lever first, none twice.

    A comment on a table of a kind that has a lever of its own is a patch of that lever. Empty when
    nothing that is both true and shared by enough groups would help.
    """
    drafts: dict[str, DraftProposal] = {}
    for proposer in (*_PROPOSERS.get(cluster.rule, ()), instruct):
        for made in proposer(cluster, facts):
            placed = _at_its_lever(made, facts)
            drafts.setdefault(patch_json(placed.patch), placed)
    return tuple(sorted(drafts.values(), key=lambda made: made.patch.lever))


def _at_its_lever(made: DraftProposal, facts: Facts) -> DraftProposal:
    if not isinstance(made.patch, SetTableComment | SetColumnComment):
        return made
    table = facts.table(made.patch.table)
    return made if table is None else replace(made, patch=at_its_lever(made.patch, table.kind))
