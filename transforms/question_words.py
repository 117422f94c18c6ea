"""The words of a question that nothing explains: no name, no comment, no synonym, no value."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache

from transforms.space_state import SpaceState

MAX_TERMS = 6
_WORD = re.compile(r"[A-Za-z][A-Za-z'\u2019-]*|\d[\d.,]*\d|\d")
_PARTS = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+")
_QUOTED = re.compile(
    r"\"([^\"]+)\"|(?<!\w)'([^']+)'(?!\w)|\u201c([^\u201d]+)\u201d|\u2018([^\u2019]+)\u2019"
)
_TEMPORAL = {
    "date",
    "day",
    "week",
    "month",
    "quarter",
    "year",
    "time",
    "timestamp",
    "hour",
    "at",
    "on",
}
STOP_WORDS = frozenset(
    """a about above after all also am among an and any are as ask asked at away back be because been
    before being below between both but by calculate can compute corresponding could count
    describe determine did different display distinct do does done each either every exactly
    expected find first for from get give given had has have having he her here him his how i
    identify if in include indicate into is it its itself just kind last least less let like
    list listed many me mention more most much must my name named names no nor not number of
    off on once one only or order other our out over own per please provide question report
    respectively result results return returned same say select she should show shown so some
    state such sum take tell than that the their them then there these they this those through
    to together too total two under unique until up us use used uses using value values very
    want was we were what what's when where whether which while who whom whose why will with
    within without would you your average mean maximum minimum highest lowest largest smallest
    biggest greatest bigger smaller larger greater fewer three four five six seven eight nine
    ten top bottom percentage percent ratio proportion difference descending ascending
    alphabetical sorted sort rank ranked ranking belong belongs said existing exist exists
    there's did didn't don't doesn't isn't aren't higher lower cover covers contain contains
    called present whole
    """.split()
)


@lru_cache(maxsize=4096)
def stem(word: str) -> str:
    """A light stem: plurals, -ing, -ed and possessives go; ``cities`` -> ``citi``."""
    text = word.casefold().replace("\u2019", "'").removesuffix("'s").strip("'-")
    for ending, keep in (
        ("ies", "i"),
        ("sses", "ss"),
        ("ing", ""),
        ("edly", ""),
        ("ed", ""),
        ("es", ""),
        ("s", ""),
    ):
        if text.endswith(ending) and len(text) - len(ending) >= 3 and not text.endswith("ss"):
            text = text[: -len(ending)] + keep
            break
    if len(text) > 3 and text.endswith("y"):
        text = text[:-1] + "i"
    if len(text) > 3 and text.endswith("e"):
        text = text[:-1]
    if len(text) > 3 and text[-1] == text[-2] and text[-1] not in "ls":
        text = text[:-1]
    return text


def name_words(name: str) -> tuple[str, ...]:
    """The words of an identifier: ``eye_colour_id`` and ``EyeColourId`` alike."""
    return tuple(part.casefold() for part in _PARTS.findall(name))


def is_temporal_name(name: str) -> bool:
    """Whether an identifier's words speak of time."""
    return bool(
        {"date", "day", "week", "month", "quarter", "year", "time", "timestamp"}
        & set(name_words(name))
    )


def words(text: str) -> tuple[str, ...]:
    """The words of a text in order, lower case."""
    return tuple(match.casefold() for match in _WORD.findall(text))


def stems(text: str) -> frozenset[str]:
    """The stems of a text's words, identifiers in it taken apart."""
    found = {stem(word) for word in words(text)}
    found.update(stem(part) for part in name_words(text) if not part.isdigit())
    return frozenset(found)


def quoted_strings(question: str) -> tuple[str, ...]:
    """What the question puts in quotes."""
    return tuple(next(group for group in match if group) for match in _QUOTED.findall(question))


def contains_value(question: str, value: str) -> bool:
    """Whether the question holds a value's words, in any case and inflection."""
    wanted = [stem(word) for word in words(value.strip("%"))]
    asked = [stem(word) for word in words(question)]
    size = len(wanted)
    return bool(size) and any(asked[i : i + size] == wanted for i in range(len(asked) - size + 1))


def unexplained_terms(
    question: str, state: SpaceState, blamed: Iterable[str], literals: Iterable[str]
) -> tuple[str, ...]:
    """Content words of a question that no metadata and no value used as literal explains.

    ``blamed`` are canonical objects. A word that only the metadata of other objects explains is
    left out too: it has its place already. Words in a row make one term. At most ``MAX_TERMS``.
    """
    known = set(_state_stems(state))
    for literal in literals:
        known |= stems(literal)
    terms: list[str] = []
    current: list[str] = []
    for word in words(question):
        is_content = word not in STOP_WORDS and not word[0].isdigit() and len(word) > 1
        if is_content and not _is_known(word, known):
            current.append(word.replace("\u2019", "'").removesuffix("'s"))
            continue
        if current:
            terms.append(" ".join(current))
            current = []
    if current:
        terms.append(" ".join(current))
    return tuple(dict.fromkeys(terms))[:MAX_TERMS]


def _is_known(word: str, known: set[str]) -> bool:
    if stem(word) in known:
        return True
    parts = [part for part in word.split("-") if part]
    return len(parts) > 1 and all(p in STOP_WORDS or stem(p) in known for p in parts)


@lru_cache(maxsize=8)
def _state_stems(state: SpaceState) -> frozenset[str]:
    """The stems of everything that the metadata says."""
    texts: list[str] = [*state.instructions]
    for table in state.tables:
        texts += [table.name.rpartition(".")[2], table.comment or ""]
        for column in table.columns:
            texts += [column.name, column.comment or "", column.description or ""]
            texts += column.synonyms
    for function in state.functions:
        texts += [function.name.rpartition(".")[2], function.comment or ""]
        for parameter in function.parameters:
            texts += [parameter.name, parameter.comment or ""]
    for snippet in state.snippets:
        texts += [snippet.display_name, *snippet.synonyms]
    return frozenset(found for text in texts for found in stems(text))
