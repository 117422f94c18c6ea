"""What is not in the denominator of an accuracy, or perhaps should not be: told beside it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from jobs.reading import History, Row
from transforms.contracts import SPLITS

_LEFT_OUT = """
SELECT space_id, question_id, split, state, suspicion
FROM benchmark_states
WHERE state IN ('quarantined', 'suspect')
ORDER BY space_id, question_id
"""
_TOLD = {
    "quarantined": "not asked and in no denominator",
    "suspect": "counted, and perhaps not worth it",
}


def left_out(history: History) -> list[Row]:
    """The benchmarks of all spaces that are quarantined or suspect, with the suspicion."""
    return history.select(_LEFT_OUT) if history.is_there else []


def with_left_out(spaces: Iterable[Row], benchmarks: Sequence[Row]) -> list[Row]:
    """Rows with a ``space_id``, each with ``quarantined_count`` and ``suspect_count``."""
    return [
        {
            **space,
            **{
                f"{state}_count": sum(
                    one["space_id"] == space["space_id"] and one["state"] == state
                    for one in benchmarks
                )
                for state in _TOLD
            },
        }
        for space in spaces
    ]


def left_out_lines(benchmarks: Sequence[Row], space_ids: Iterable[str]) -> list[str]:
    """A line for each of these spaces and state that there is; train questions by name."""
    lines = []
    for space_id in sorted(set(space_ids)):
        for state, told in _TOLD.items():
            found = [
                one for one in benchmarks if (one["space_id"], one["state"]) == (space_id, state)
            ]
            if found:
                counts = ", ".join(
                    f"{number} {split}"
                    for split in SPLITS
                    if (number := sum(one["split"] == split for one in found))
                )
                train = [one["question_id"] for one in found if one["split"] == "train"]
                named = f": {', '.join(train)}" if train else ""
                lines.append(f"{space_id}: {len(found)} {state} ({told}; {counts}{named})")
    return lines
