"""What a comment says: words that explain, values that it lists or decodes, a key it refers to."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

from genie.local.engine.english import CUE_WORDS, STOP_WORDS
from genie.local.engine.words import name_parts, stem, stems_of

MAX_PROSE = 4_000  # characters of one comment that are read
_MAX_VALUE_WORDS = 5

_SENTENCE = re.compile(r"(?<=[.!?])\s+|\n+")
_NO_EVIDENCE = re.compile(
    r"\b(not to be confused|do not confuse|don't confuse|unlike|not the|never null|"
    r"null in \d|not used|deprecated)\b",
    re.IGNORECASE,
)
_REFERS = re.compile(
    r"\b(?:refers? to|references|points? (?:in)?to|foreign key (?:in)?to)\s+(?:the\s+)?"
    r"([\w`]+(?:\.[\w`]+)+)",
    re.IGNORECASE,
)
_LIST = re.compile(
    r"(?:\bone of(?: the following)?|\beither|\b(?:possible |allowed |valid |known )?values?"
    r"(?: are| is| include)?|\ballowed|\bcan be|\bis always|\bspelled(?: exactly)? as(?: in)?"
    r"|\bstored as|\bwritten as|\be\.g\.|\bsuch as|\bfor example|\blike|\boptions(?: are)?"
    r"|\bcodes?(?: are)?)\s*:?,?\s+",
    re.IGNORECASE,
)
_QUOTED = re.compile(r"(?<!\w)'([^']{1,80})'(?!\w)|\"([^\"]{1,80})\"|`([^`]{1,80})`")
_DECODE = re.compile(
    r"(?:^|[\s(,;:])(?P<quote>['\"`]?)(?P<code>[A-Za-z0-9][\w-]{0,24})(?P=quote)"
    r"\s*(?:=|:|->|\u2192|\bmeans\b|\bstands for\b|\bfor\b|\bis\b|\u2013|\s-\s|\()\s*"
    r"(?P<meaning>[^,;.()=]{1,80}?)(?=\)|[,;.]|$|\s+(?:and|or)\s+['\"`]?[\w-]+['\"`]?\s*"
    r"(?:=|:|means|for|is)|\s+['\"`]?[\w-]+['\"`]?\s*=)",
)
_SEPARATOR = re.compile(r"\s*(?:,|;|\||/|\bor\b|\band\b)\s*")


@dataclass(frozen=True, slots=True)
class ListedValue:
    """A value that a comment lists; ``meaning`` are the words that stand for it, None: its own."""

    value: str
    meaning: str | None = None


@dataclass(frozen=True, slots=True)
class Prose:
    """What was read from one text."""

    stems: frozenset[str] = frozenset()
    values: tuple[ListedValue, ...] = ()
    refers_to: tuple[str, str] | None = None


@lru_cache(maxsize=16_384)
def read_prose(text: str | None) -> Prose:
    """Reads a comment or description of a column; an empty text says nothing."""
    if not text:
        return Prose()
    stems: set[str] = set()
    values: list[ListedValue] = []
    reference = None
    for sentence in _SENTENCE.split(text[:MAX_PROSE]):
        refers = _REFERS.search(sentence)
        if refers:
            table, _, column = refers.group(1).replace("`", "").rpartition(".")
            reference = reference or (table, column)
            continue
        if _NO_EVIDENCE.search(sentence):
            sentence = sentence[: _NO_EVIDENCE.search(sentence).start()]  # type: ignore[union-attr]
        about, found = _values_of(sentence)
        values += found
        stems.update(evidence_stems(about))
    return Prose(frozenset(stems), tuple(dict.fromkeys(values)), reference)


def evidence_stems(text: str) -> frozenset[str]:
    """Stems of the words of a text that can explain a word of a question."""
    return frozenset(
        stem(word)
        for word in name_parts(text.replace("'s", ""))
        if word not in STOP_WORDS and word not in CUE_WORDS and len(word) > 1
    )


def _values_of(sentence: str) -> tuple[str, list[ListedValue]]:
    """The part of a sentence that is no list of values, and the values that it lists."""
    decoded = _decoded(sentence)
    if decoded:
        first = min(sentence.find(one.value) for one in decoded)
        return sentence[:first], decoded
    trigger = _LIST.search(sentence)
    quoted = [next(g for g in groups if g) for groups in _QUOTED.findall(sentence)]
    if quoted and (trigger or len(quoted) > 1):
        return sentence[: _QUOTED.search(sentence).start()], [  # type: ignore[union-attr]
            ListedValue(value) for value in quoted
        ]
    if trigger is None:
        return sentence, []
    items = [item.strip(" .:'\"`()") for item in _SEPARATOR.split(sentence[trigger.end() :])]
    named = [item for item in items if item and item not in ("etc", "...")]
    if len(named) < 2 or any(len(item.split()) > _MAX_VALUE_WORDS for item in named):
        return sentence, []
    return sentence[: trigger.start()], [ListedValue(item) for item in named]


def _decoded(sentence: str) -> list[ListedValue]:
    """Pairs of code and meaning; a single pair counts only where the code is in quotes."""
    found = []
    about, colon, pairs = sentence.partition(":")
    if colon and "=" in pairs and "=" not in about:
        sentence = pairs
    for match in _DECODE.finditer(sentence):
        code, meaning = match.group("code"), match.group("meaning").strip(" '\"`")
        looks_like_code = bool(match.group("quote")) or len(code) <= 3 or code.isupper()
        is_word = code.lower() in STOP_WORDS and not match.group("quote") and not code.isupper()
        if meaning and looks_like_code and not is_word and stems_of(meaning):
            found.append((bool(match.group("quote")), ListedValue(code, meaning)))
    if len(found) > 1 or any(is_quoted for is_quoted, _ in found):
        return [value for _, value in found]
    return []
