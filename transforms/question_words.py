"""The words of a question that nothing explains: no name, no comment, no synonym, no value."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from difflib import get_close_matches
from functools import lru_cache

from transforms.space_state import SpaceState

MAX_TERMS = 6
_WORD = re.compile(r"[A-Za-z][A-Za-z'\u2019-]*|\d[\d.,]*\d|\d")
_PARTS = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+")
_QUOTED = re.compile(
    r"\"([^\"]+)\"|(?<!\w)'([^']+)'(?!\w)|\u201c([^\u201d]+)\u201d|\u2018([^\u2019]+)\u2019"
)
STOP_WORDS = frozenset(
    """a about above across after all along alphabetical already also am among amount an and any
    approximately are aren't around as ascending ask asked at average away back based be
    because been before being belong belongs below best between bigger biggest both bottom but
    by calculate called can compute considered contain contains corresponding could count
    cover covers currently descending describe determine did didn't difference different
    display distinct do does doesn't don't done down each earliest eight either ever every
    exact exactly exist existing exists expected few fewer find first five following for four
    from full general get give given got greater greatest had has have having he held help her
    here higher highest him his how i identify if in include indicate instead into is isn't it
    its itself just kind large larger largest last latest least less let like list listed long
    longer lot lower lowest made main make makes many maximum me mean mention minimum more
    most much must my name named names need needed neither next nine no none nor not number
    numbers of off often on once one only or order other our out over overall own particular
    per percent percentage please plus possible present previous proportion provide provided
    question rank ranked ranking ratio recent recently related remaining report respectively
    result results return returned said same say select seven several she shorter should show
    shown single six small smaller smallest so some sort sorted start starting starts state
    still such sum sure take taken tell ten terms than that the their them then there there's
    these they thing things this those three through to together too top total totally two
    under unique until up us use used uses using usually value values various very via want
    was we well were what what's when where whether which while who whole whom whose why will
    with within without would yes yet you your
    """.split()
)


@lru_cache(maxsize=4096)
def stem(word: str) -> str:
    """A light stem: plurals, -ing, -ed and possessives go; ``cities`` -> ``citi``."""
    text = word.casefold().replace("\u2019", "'").removesuffix("'s").strip("'-")
    if len(text) == 4 and text.endswith("ed"):
        return text[:-2]  # eyed -> ey, as eye
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
    if len(text) > 4 and text.endswith("er"):
        text = text[:-2]
    if len(text) > 3 and text.endswith("y"):
        text = text[:-1] + "i"
    if len(text) > 2 and text.endswith("e"):
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


def unexplained_terms(question: str, state: SpaceState, literals: Iterable[str]) -> tuple[str, ...]:
    """Content words of a question that no metadata and no value used as literal explains.

    A word is explained by a name, a comment, a synonym or a description anywhere in the space, by
    a literal (also as ``Asian`` of ``Asia``), or when it is one of those misspelled. Unexplained
    words that stand side by side make a term, followed by its words. At most ``MAX_TERMS``.
    """
    known = set(_state_stems(state))
    values = {found for literal in literals for found in stems(literal)}
    terms: list[str] = []
    for run in _runs(question, known | values, values):
        terms.append(" ".join(run))
        terms += run
    return tuple(dict.fromkeys(terms))[:MAX_TERMS]


def _runs(question: str, known: set[str], values: set[str]) -> Iterator[list[str]]:
    """Unexplained words, those side by side together; punctuation parts them."""
    for clause in re.split(r"[,;:.?!()]+(?:\s|$)", question):
        run: list[str] = []
        spoken = list(words(clause))
        for i, word in enumerate(spoken):
            neighbours = [spoken[i - 1] + word] if i else []
            neighbours += [word + spoken[i + 1]] if i + 1 < len(spoken) else []
            is_content = word not in STOP_WORDS and not word[0].isdigit() and len(word) > 1
            is_compound = any(stem(pair) in known for pair in neighbours)
            if is_content and not is_compound and not _is_known(word, known, values):
                run.append(word.replace("\u2019", "'").removesuffix("'s"))
            elif run:
                yield run
                run = []
        if run:
            yield run


def _is_known(word: str, known: set[str], values: set[str]) -> bool:
    wanted = stem(word)
    if wanted in known or any(len(v) >= 4 and wanted.startswith(v) for v in values):
        return True
    parts = [part for part in word.split("-") if part]
    if len(parts) > 1 and all(p in STOP_WORDS or stem(p) in known for p in parts):
        return True
    return len(wanted) >= 5 and bool(get_close_matches(wanted, known, n=1, cutoff=0.87))


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
