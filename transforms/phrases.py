"""The words of a question that may stand for something: phrases of one to three words."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping

from transforms.question_words import STOP_WORDS, stem, words

MAX_WORDS = 3
MAX_PHRASES = 200  # of one question
MAX_LETTERS = 40  # longer ones are no words that people say
_SHORTEST_VERB = 3  # letters

Phrase = tuple[str, ...]
"""The stems of the words, in order."""

_CLAUSE = re.compile(r"[,;:.?!()\u2013\u2014]+(?:\s|$)")
# Small words that change what the one before them means: 'called off', 'came back', 'signed up'.
_PARTICLES = frozenset("off back out up down away".split())
# Words that a list of stop words takes for the question's own, and that often name something.
_SPOKEN = frozenset("state kind report current currently recent recently late".split())
# How long, not what: said of everything that has a date.
_SPANS = frozenset("day week month quarter year half hour minute daily weekly monthly".split())
_SPAN_STEMS = frozenset(stem(word) for word in _SPANS)
_NEGATIONS = frozenset("not no never without non isn't aren't weren't wasn't don't".split())
_COUNTED = re.compile(r"\b(?:how many|number of|all|which|what|count of)\s+(?:\w+\s+)?$")


def phrases_of(question: str, values: Iterable[str] = ()) -> Mapping[Phrase, str]:
    """Every phrase of a question by its stems, with the words as they are written, lower case.

    A phrase begins with a content word, or is a verb with its particle; it crosses no punctuation,
    holds no digits and ends with a content word or a particle. A negation in front of it belongs
    to it. What only names a span of time, or one of ``values``, is none.
    """
    known = _SPAN_STEMS.union(stem(word) for value in values for word in words(value))
    found: dict[Phrase, str] = {}
    for clause in _CLAUSE.split(question):
        spoken = [word.replace("\u2019", "'").removesuffix("'s") for word in words(clause)]
        for start in range(len(spoken)):
            is_negated = any(word in _NEGATIONS for word in spoken[max(start - 2, 0) : start])
            for said in _from(spoken, start):
                phrase = tuple(stem(word) for word in said)
                if known.issuperset(phrase):
                    continue
                text = " ".join(said)
                negated = (("not", *phrase), f"not {text}") if is_negated else (phrase, text)
                found.setdefault(*negated)
    return dict(list(found.items())[:MAX_PHRASES])


def is_counted(question: str, phrase: str) -> bool:
    """Whether a question asks for the number, or for all, of what a phrase names."""
    text = question.casefold().replace("\u2019", "'")
    return any(
        _COUNTED.search(text[: found.start()])
        for found in re.finditer(rf"\b{re.escape(phrase)}\b", text)
    )


def is_content(word: str) -> bool:
    """Whether a word is about the subject of a question rather than about asking."""
    is_word = len(word) > 1 and not word[0].isdigit()
    return is_word and (word not in STOP_WORDS or word in _SPOKEN)


def _from(spoken: list[str], start: int) -> Iterator[list[str]]:
    """The phrases that begin at a word."""
    following = spoken[start + 1] if start + 1 < len(spoken) else ""
    if not is_content(spoken[start]):
        if following in _PARTICLES and len(spoken[start]) > _SHORTEST_VERB:
            yield spoken[start : start + 2]
        return
    for end in range(start + 1, min(start + MAX_WORDS, len(spoken)) + 1):
        last = spoken[end - 1]
        if last[0].isdigit() or len(last) > MAX_LETTERS:
            return
        if is_content(last) or (last in _PARTICLES and end - start == 2):
            yield spoken[start:end]
