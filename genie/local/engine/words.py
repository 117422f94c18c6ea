"""Words of questions, names and comments: tokens, stems, quoted and capitalized texts."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

from genie.local.engine.english import IRREGULAR, NUMBER_WORDS, SCALES

_TOKEN = re.compile(
    r"\"(?P<dq>[^\"]{1,200})\""
    r"|\u201c(?P<cq>[^\u201d]{1,200})\u201d"
    r"|(?<!\w)['\u2018](?P<sq>[^'\u2019]{1,200})['\u2019](?!\w)"
    r"|`(?P<bq>[^`]{1,200})`"
    r"|(?P<iso>\d{4}-\d{1,2}-\d{1,2})(?!\d)"
    r"|(?P<code>[A-Za-z]+\d[A-Za-z0-9]*(?:-[A-Za-z0-9]+)*|[A-Za-z]+-\d[A-Za-z0-9-]*)"
    r"|(?P<number>\d{1,3}(?:,\d{3})+(?:\.\d+)?|\d+\.\d+|\d+)(?P<suffix>%|st\b|nd\b|rd\b|th\b|[km]\b)?"
    r"|(?P<word>[^\W\d_]+(?:['\u2019][^\W\d_]+)?|[^\W\d]\w*)"
    r"|(?P<mark>[,;:?!().])"
)
_PARTS = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+|[^\W\d_A-Za-z]+")

Kind = Literal["word", "number", "quoted", "date", "mark"]


@dataclass(frozen=True, slots=True)
class Token:
    """A piece of a question. ``text`` is as written, without quotes and without a possessive 's."""

    kind: Kind
    text: str
    lower: str
    stem: str
    is_capital: bool = False
    is_possessive: bool = False

    @property
    def number(self) -> str | None:
        """The number in digits that the token writes, as digits or as a word."""
        if self.kind == "number":
            return self.text
        return NUMBER_WORDS.get(self.lower) if self.kind == "word" else None


@lru_cache(maxsize=8192)
def stem(word: str) -> str:
    """A light stem: plurals, -ing, -ed go; ``cities`` and ``city`` -> ``citi``."""
    text = word.lower().replace("\u2019", "'")
    text = IRREGULAR.get(text, text)
    text = text.removesuffix("'s")
    for ending, keep in (
        ("ies", "i"), ("sses", "ss"), ("ching", "ch"), ("ing", ""), ("ed", ""),
        ("ches", "ch"), ("shes", "sh"), ("xes", "x"), ("es", "e"), ("s", ""),
    ):  # fmt: skip
        is_long_enough = len(text) - len(ending) >= 3 or (ending in ("s", "ed") and len(text) > 3)
        if text.endswith(ending) and is_long_enough and not text.endswith(("ss", "us", "eed")):
            text = text[: -len(ending)] + keep
            break
    if len(text) > 2 and text.endswith("y") and text[-2] not in "aeiou":
        text = text[:-1] + "i"
    if len(text) > 3 and text.endswith("e"):
        text = text[:-1]
    if len(text) > 3 and text[-1] == text[-2] and text[-1] != "s":
        text = text[:-1]
    return text


@lru_cache(maxsize=8192)
def root(word_stem: str) -> str:
    """What words of one family share: ``borrower`` and ``borrow``, ``delivery`` and ``deliver``."""
    for ending in ("ation", "ment", "ance", "ence", "ness", "ion", "ian", "ive", "al", "er", "or",
                   "an", "th", "li", "i"):  # fmt: skip
        if word_stem.endswith(ending) and len(word_stem) - len(ending) >= 4:
            return word_stem[: -len(ending)]
    return word_stem


@lru_cache(maxsize=16_384)
def name_parts(name: str) -> tuple[str, ...]:
    """The words of an identifier in lower case: ``due_on`` and ``dueOn`` alike."""
    return tuple(part.lower() for part in _PARTS.findall(name))


def stems_of(text: str) -> tuple[str, ...]:
    """The stems of a text's words in order, identifiers in it taken apart."""
    return tuple(stem(part) for part in name_parts(text.replace("\u2019s", "").replace("'s", "")))


def tokenise(question: str) -> tuple[Token, ...]:
    """The tokens of a question; a quoted text is one token."""
    tokens: list[Token] = []
    for match in _TOKEN.finditer(question):
        kind = match.lastgroup
        if kind == "suffix":
            kind = "number"
        text = match.group()
        is_start = not tokens or tokens[-1].text in (".", "?", "!")
        if kind in ("dq", "cq", "sq", "bq"):
            inner = match.group(kind).strip()
            if inner:
                tokens.append(Token("quoted", inner, inner.lower(), inner.lower()))
        elif kind == "number":
            tokens.append(_number(match.group("number"), match.group("suffix")))
        elif kind == "iso":
            tokens.append(Token("date", text, text, text))
        elif kind == "mark":
            tokens.append(Token("mark", text, text, text))
        elif kind == "code":
            tokens.append(Token("word", text, text.lower(), text.lower(), is_capital=True))
        else:
            tokens.append(_word(text, is_start))
    return tuple(tokens)


def _number(digits: str, suffix: str | None) -> Token:
    plain = digits.replace(",", "")
    scale = SCALES.get((suffix or "").lower())
    if scale and "." not in plain:
        plain += "0" * (len(str(scale)) - 1)
    return Token("number", plain, plain, plain)


def _word(text: str, is_start: bool) -> Token:
    bare = text
    is_possessive = text.endswith(("'s", "\u2019s"))
    if is_possessive:
        bare = text[:-2]
    lower = bare.lower()
    if bare.endswith(("'", "\u2019")):
        bare, lower, is_possessive = bare[:-1], lower[:-1], True
    # A capital at the start of a sentence says nothing, unless the word goes on in capitals.
    is_capital = bare[:1].isupper() and (not is_start or (len(bare) > 1 and bare.isupper()))
    return Token("word", bare, lower, stem(lower), is_capital, is_possessive)
