"""What a space may be told about habits that no comment on an object can cure.

Each text is a general rule of answering; none is made from a benchmark. Two causes that pull in
opposite directions have one topic, so that their instructions conflict and never stand together.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Habit:
    """An instruction against a habit; a space holds at most one per ``topic``."""

    topic: str
    text: str


_OUTPUT = Habit(
    "output_columns",
    "Return exactly the columns that the question asks to see: leave none out, and add no key, "
    "count or sort value that is only needed to find the rows.",
)
_SHARES = Habit(
    "shares",
    "For the share of X that are Y, filter all rows to X, and count Y only in the numerator.",
)
_LIMITS = Habit(
    "limits",
    "Limit the number of rows only when the question names a number or asks for the single most "
    "or least; then keep exactly that many.",
)
_ORDER = Habit(
    "order",
    "Sort the result when the question asks for an order, by what it names and in the direction "
    "it names; ascending unless it says otherwise.",
)
_EXCLUSIONS = Habit(
    "exclusions",
    "For things that do not have something, leave out every thing that has at least one such row "
    "(NOT IN or NOT EXISTS); dropping only the rows with that value keeps the thing's other rows.",
)

INSTRUCTIONS: Mapping[str, Habit] = {
    "output_missing": _OUTPUT,
    "output_not_asked": _OUTPUT,
    "key_instead_of_name": Habit(
        "keys_and_names",
        "Show the name of a thing rather than its key, unless the question asks for an id or code.",
    ),
    "name_instead_of_key": Habit(
        "keys_and_names",
        "Show the key of a thing when the question asks for its id or code, not its name.",
    ),
    "key_value_guessed": Habit(
        "key_values",
        "Never write out the value of a key from memory: join the table that holds the name and "
        "compare with the name.",
    ),
    "boundary_wrong": Habit(
        "bounds",
        "'More than' and 'less than' leave the bound out; 'at least', 'at most', 'from .. to' and "
        "'between' take it in.",
    ),
    "filter_not_asked": Habit(
        "conditions", "Apply only the conditions that the question states or a comment requires."
    ),
    "rows_filtered_instead_of_excluded": _EXCLUSIONS,
    "exclusion_missing": _EXCLUSIONS,
    "either_instead_of_both": Habit(
        "both_and_either",
        "For things that have both of two values in different rows, each value needs a row of its "
        "own: intersect the two sets, or join the table twice.",
    ),
    "both_instead_of_either": Habit(
        "both_and_either", "For things that have either of several values, any one is enough: IN."
    ),
    "set_operation_wrong": Habit(
        "set_operations",
        "Combine or filter rows before aggregating; do not intersect or unite finished totals.",
    ),
    "share_of_other_rows": _SHARES,
    "ratio_inverted": _SHARES,
    "condition_on_rows": Habit(
        "group_conditions",
        "A condition on an average, total or count of a group belongs in HAVING, not in WHERE.",
    ),
    "distinct_missing": Habit(
        "different_things",
        "Count different things with COUNT(DISTINCT ..) when a join or the table repeats them.",
    ),
    "duplicates_kept": Habit(
        "repeated_rows", "List each thing once (DISTINCT) when a join repeats it."
    ),
    "duplicates_removed": Habit(
        "repeated_rows",
        "List one row per row that fits; remove repeated rows only when the question asks for "
        "different or unique values.",
    ),
    "rank_missing": Habit(
        "ranks", "When asked to rank, return every row with its RANK() as a column of its own."
    ),
    "ties_cut": Habit("ties", "When several rows tie for the most or least, return all of them."),
    "ties_kept": Habit("ties", "When asked for the one with the most or least, return one row."),
    "limit_missing": _LIMITS,
    "limit_wrong": _LIMITS,
    "limit_not_asked": _LIMITS,
    "order_missing": _ORDER,
    "order_wrong": _ORDER,
    "order_direction_wrong": _ORDER,
    "result_rounded": Habit("rounding", "Do not round results unless the question asks for it."),
    "scale_wrong": Habit(
        "percentages",
        "Return a percentage as a number from 0 to 100 and a share or ratio as a number from 0 "
        "to 1.",
    ),
}
