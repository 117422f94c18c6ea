"""An answer that no rule decides, and replies about it."""

from __future__ import annotations

import json

from transforms.opinion_prompts import (
    Sides,
    arbiter_requests,
    completeness_request,
    meaning_request,
)

QUESTION = "Which shops are in Peru?"
EXPECTED = "SELECT name FROM shop WHERE country = 'Peru'"
PRODUCED = "SELECT DISTINCT name FROM shop WHERE country = 'Peru' AND NOT name IS NULL"
SIDES = Sides(QUESTION, EXPECTED, PRODUCED, [{"object": "column:d.shop.country"}])

MEANING = meaning_request(SIDES)
COMPLETENESS = completeness_request(SIDES)
ARBITER, SWAPPED = arbiter_requests(SIDES)

Q = ("question", "shops are in Peru")
FAILURE = {
    "failure_type": "missing_filter",
    "severity": "major",
    "wrong_clause": "WHERE",
    "blame": ["column:d.shop.country", "column:made.up"],
    "missing_metadata": "which countries there are",
    "is_ambiguous": False,
    "fix": "Filter by country.",
}
NO_FAILURE = {**FAILURE, "failure_type": "", "wrong_clause": "", "blame": [], "fix": ""}


def reply(value, *evidence, failure=None, **other):
    """A reply as JSON, of the arbiter unless there is a failure."""
    said = {
        "value": value,
        "rationale": "Because of what is quoted.",
        "confidence": 0.9,
        "evidence": [{"source": source, "quote": quote} for source, quote in evidence],
        **({} if failure is None else {"failure": failure}),
        **other,
    }
    return json.dumps(said)


def ruling(value, *, first="SELECT name", second="SELECT DISTINCT name", **other):
    """A reply of the arbiter that shows what it has to, for queries in this order."""
    return reply(value, Q, ("first", first), ("second", second), **other)
