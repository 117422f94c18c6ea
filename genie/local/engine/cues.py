"""Phrases that say what to do with the things a question names: count, sum, rank, compare, ..."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Literal

from genie.local.engine.english import (
    ADJECTIVES,
    LARGEST,
    SMALLEST,
    SUPERLATIVES,
    UNITS,
)
from genie.local.engine.words import Token

CueKind = Literal[
    "count", "sum", "avg", "min", "max", "share", "percent", "group", "order", "direction", "top",
    "superlative", "compare", "between", "or_more", "or_less", "not", "distinct", "both", "unit",
    "frequent",
]  # fmt: skip


@dataclass(frozen=True, slots=True)
class Cue:
    """Tokens ``start:end`` are a phrase; ``payload`` is its operator, direction or adjective."""

    kind: CueKind
    start: int
    end: int
    payload: str = ""


def _phrases() -> dict[tuple[str, ...], tuple[CueKind, str]]:
    table: dict[CueKind, dict[str, str]] = {
        "count": {
            "": "how many|total number of|the number of|number of|count of|counts of|count the"
            "|count|count the number of|how often|total count of|the count of",
        },
        "sum": {"": "total|totals|sum of|sum|how much|combined|in total|altogether|overall"},
        "avg": {"": "average|mean|avg|on average"},
        "min": {"": "minimum|min"},
        "max": {"": "maximum|max"},
        "share": {"": "share of|proportion of|fraction of|ratio of|what share|what proportion"},
        "percent": {
            "": "percentage of|percent of|what percentage|what percent|percentages of|% of"
        },
        "group": {
            "": "per|for each|for every|in each|in every|of each|at each|by each|on each|from each"
            "|grouped by|broken down by|split by|group by|by|each|for each of|every|across each"
        },
        "order": {
            "": "sorted by|ordered by|sort by|order by|ranked by|rank by|in order of"
            "|sorted in order of|arranged by|sort them by|order them by"
            "|in alphabetical order of|in ascending order of",
            "desc": "in descending order of|in decreasing order of",
            "alphabet": "in alphabetical order|alphabetically|alphabetical order",
        },
        "direction": {
            "desc": "descending|in descending order|from highest to lowest|highest first"
            "|from high to low|largest first|biggest first|newest first|latest first|most first"
            "|from most to least|from largest to smallest|decreasing|desc|from newest to oldest"
            "|most recent first|from best to worst|in decreasing order|from latest to earliest",
            "asc": "ascending|in ascending order|from lowest to highest|lowest first"
            "|from low to high|smallest first|oldest first|earliest first|asc|increasing"
            "|from least to most|from smallest to largest|in increasing order|cheapest first"
            "|from oldest to newest",
        },
        "compare": {
            ">": "more than|greater than|larger than|higher than|bigger than|over|above|exceeding"
            "|exceeds|exceed|in excess of|exceeded|better than|beyond|and above",
            ">=": "at least|no less than|not less than|no fewer than|not fewer than|not below"
            "|greater than or equal to|more than or equal to|a minimum of",
            "<": "less than|fewer than|smaller than|lower than|under|below|worse than",
            "<=": "at most|no more than|not more than|up to|less than or equal to|a maximum of"
            "|not exceeding|not over|not above",
            "=": "exactly|equal to|equals|equal|precisely",
        },
        "between": {"": "between|ranging from"},
        "or_more": {"": "or more|or above|or higher|or over|or greater|and up|or longer|or later"},
        "or_less": {"": "or less|or fewer|or below|or lower|or under|or shorter"},
        "not": {
            "": "not|no|without|except|except for|excluding|other than|never|non|don't|doesn't"
            "|isn't|aren't|wasn't|weren't|didn't|hasn't|haven't|lacking|none of|neither|nor"
            "|apart from|but not|did not|do not|does not|are not|is not|were not|was not|hadn't"
            "|have not|has not|excludes|exclude|outside|outside of|have no|has no|had no"
        },
        "distinct": {"": "distinct|different|unique"},
        "both": {"": "both"},
        "frequent": {
            "desc": "most common|most frequent|most frequently|most often|commonest|most popular",
            "asc": "least common|least frequent|least often|least popular|rarest",
        },
    }
    return {
        tuple(phrase.split()): (kind, payload)
        for kind, payloads in table.items()
        for payload, phrases in payloads.items()
        for phrase in phrases.split("|")
    }


_PHRASES = _phrases()
_LONGEST = max(len(phrase) for phrase in _PHRASES)
_SMALLER = frozenset("cheap short small slow light few low early".split())


def comparative(word: str) -> str | None:
    """The adjective behind a comparative: ``heavier`` -> ``heavy``."""
    for ending, keep in (("ier", "y"), ("er", ""), ("r", "")):
        if word.endswith(ending) and word[: -len(ending)] + keep in ADJECTIVES:
            return word[: -len(ending)] + keep
    doubled = word[:-3] if len(word) > 4 and word.endswith("er") and word[-3] == word[-4] else ""
    return doubled if doubled in ADJECTIVES else None


def find_cues(tokens: Sequence[Token], blocked: Collection[int]) -> list[Cue]:
    """The cues from left to right, none overlapping; the longest phrase wins at each place.

    ``blocked`` are positions that stand for something else.
    """
    found: list[Cue] = []
    position = 0
    while position < len(tokens):
        cue = None if position in blocked else _cue_at(tokens, position, blocked)
        if cue is None:
            position += 1
        else:
            found.append(cue)
            position = cue.end
    return found


def _cue_at(tokens: Sequence[Token], start: int, blocked: Collection[int]) -> Cue | None:
    def word(offset: int) -> str:
        at = start + offset
        is_word = at < len(tokens) and at not in blocked and tokens[at].kind != "quoted"
        return tokens[at].lower.replace("\u2019", "'") if is_word else ""

    first = word(0)
    if first in ("top", "bottom", "first", "last") and start + 1 < len(tokens):
        number = tokens[start + 1].number
        if number is not None:
            return Cue("top", start, start + 2, f"{number} {_top_direction(first)}")
        if first in ("top", "bottom"):
            return Cue("top", start, start + 1, f"0 {_top_direction(first)}")
    if (first in LARGEST or first in SMALLEST) and start + 1 < len(tokens):
        number = tokens[start + 1].number
        if number is not None:
            direction = "desc" if first in LARGEST or first == "worst" else "asc"
            return Cue("top", start, start + 2, f"{number} {direction}")
    adjective = comparative(first)
    if adjective and word(1) == "than":
        operator = "<" if adjective in _SMALLER else ">"
        return Cue("compare", start, start + 2, f"{operator} {adjective}")
    if first in ("more", "less") and word(1) in ADJECTIVES and word(2) == "than":
        operator = ">" if first == "more" else "<"
        return Cue("compare", start, start + 3, f"{operator} {word(1)}")
    for size in range(_LONGEST, 0, -1):
        kind_payload = _PHRASES.get(tuple(word(offset) for offset in range(size)))
        if kind_payload:
            return Cue(kind_payload[0], start, start + size, kind_payload[1])
    if first in ("most", "least") and word(1) in ADJECTIVES:
        return Cue("superlative", start, start + 2, f"{first} {word(1)}")
    if first in SUPERLATIVES:
        return Cue("superlative", start, start + 1, f"most {SUPERLATIVES[first]} {first}")
    if first in LARGEST or first in SMALLEST:
        return Cue("superlative", start, start + 1, "most" if first in LARGEST else "least")
    if first in UNITS and first.endswith("ly"):
        return Cue("unit", start, start + 1, UNITS[first])
    return None


def _top_direction(word: str) -> str:
    return "asc" if word in ("bottom", "last") else "first" if word == "first" else "desc"
