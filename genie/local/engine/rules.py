"""What the space's text instruction says in a form that can be followed, sentence by sentence."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

from genie.local.engine.english import MONTHS, STOP_WORDS
from genie.local.engine.prose import evidence_stems
from genie.local.engine.words import stem, stems_of

MAX_SENTENCES = 400

_SENTENCE = re.compile(r"\n+|(?<=[.!?;])\s+(?=[A-Z`*\"'-])")
_BULLET = re.compile(r"^\s*(?:[-*\u2022#]+|\d+[.)])\s*")
_FISCAL = re.compile(
    r"\bfiscal years?\b.*?\b(?:starts?|begins?|runs? from)\b[^.]*?\b(" + "|".join(MONTHS) + r")\b",
    re.IGNORECASE,
)
_NAME = r"`?(?P<{0}>[\w-]+(?:`?\.`?[\w-]+)*)`?"
_KIND = r"(?:(?:the|a)\s+)?(?:(?:metric\s+view|table\s+function|table|view|function|column)\s+)?"
_FOR = (
    r"(?:for|when asked (?:about|for)|when (?:the )?questions? (?:is|are) about|"
    r"(?:for |to answer )?questions (?:about|on)|to (?:compute|calculate|get|report|answer))"
)
_AVOID = re.compile(
    rf"\b(?:do not|don't|never)\s+(?:use|query|join)\s+{_KIND}{_NAME.format('avoid')}"
    rf"(?:\s+{_FOR}\s+(?P<words>[^.,;]+))?"
    rf"|\bavoid(?: using)?\s+{_KIND}{_NAME.format('avoid2')}(?:\s+{_FOR}\s+(?P<words2>[^.,;]+))?",
    re.IGNORECASE,
)
_FOR_USE = re.compile(
    rf"\b{_FOR}\s+(?P<words>[^.;:`]+?),?\s+(?:always\s+|please\s+)?(?:use|prefer|query|take)\s+"
    rf"{_KIND}{_NAME.format('use')}",
    re.IGNORECASE,
)
_USE_FOR = re.compile(
    rf"\b(?:use|prefer|query|take)\s+{_KIND}{_NAME.format('use')}"
    rf"(?:\s*,?\s*(?:not|instead of|rather than|over)\s+{_KIND}{_NAME.format('other')})?"
    rf"(?:\s*,?\s+{_FOR}\s+(?P<words>[^.;]+))?",
    re.IGNORECASE,
)
_EXCLUDE = re.compile(
    r"\b(?:exclude|excludes|ignore|leave out|filter out|omit|skip)\b(?P<rest>.+)",
    re.IGNORECASE | re.DOTALL,
)
_RESTRICT = re.compile(
    r"\b(?:only (?:count|include|consider|use|report)|always (?:filter|apply|include|restrict|use)|"
    r"(?:count|include|consider) only|restrict to|filter (?:by|on|to))\b(?P<rest>.+)",
    re.IGNORECASE | re.DOTALL,
)
_DEFINE = re.compile(
    r"^(?:(?:an?|the|by)\s+)?(?P<term>[\"'\u201c]?[\w][\w \-/']{0,80}?[\"'\u201d]?)\s*"
    r"(?:\bis defined as\b|\bare defined as\b|\b(?:is|are) calculated as\b|\brefers? to\b|"
    r"\bmeans?\b|\bis\b|\bare\b|\bwe mean\b|\bstands for\b|=|:)\s+(?P<rest>.+)$",
    re.IGNORECASE | re.DOTALL,
)
_BACKTICKED = re.compile(r"`([^`]+)`")
_CLAUSE = re.compile(
    r"\b([A-Za-z_]\w*(?:\.[A-Za-z_]\w*)*)\s*(?:(=|<>|!=|>=|<=|>|<)\s*('[^']*'|\"[^\"]*\"|[-\w.]+)"
    r"|(\bis(?: not)? null\b)|(\b(?:not )?in\b\s*\([^()]*\)))",
    re.IGNORECASE,
)
_AGGREGATE = re.compile(
    r"\b(?:SUM|COUNT|AVG|MIN|MAX|COUNT_IF)\s*\((?:[^()]|\([^()]*\))*\)", re.IGNORECASE
)
_ARITHMETIC = re.compile(r"^\s*(?:[-+*/]\s*)")
_SCOPE = re.compile(rf"^{_FOR}\s+(?P<words>[^,:;]+)[,:]", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Definition:
    """A term and what it stands for: ``sql`` is a condition, an aggregate or an expression.

    ``rest`` is prose behind it that narrows it further, empty where there is none.
    """

    term: str
    sql: str
    rest: str
    about: frozenset[str]


@dataclass(frozen=True, slots=True)
class Standing:
    """A condition on every query over ``about``; ``only_for`` are words that must occur first."""

    sql: str
    is_negated: bool
    about: frozenset[str]
    only_for: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Preference:
    """An asset or column to use or to avoid for questions with these words (none: for any).

    ``terms`` are stems; one term is said when all its stems are.
    """

    name: str
    kind: Literal["use", "avoid"]
    terms: tuple[tuple[str, ...], ...]


@dataclass(frozen=True, slots=True)
class Rules:
    """Everything that was recognized in the instruction; what was not has no effect."""

    definitions: tuple[Definition, ...] = ()
    standing: tuple[Standing, ...] = ()
    preferences: tuple[Preference, ...] = ()
    fiscal_start_month: int = 1


@lru_cache(maxsize=64)
def read_rules(text: str) -> Rules:
    """The rules in a text instruction."""
    definitions: list[Definition] = []
    standing: list[Standing] = []
    preferences: list[Preference] = []
    month = 1
    for raw in _SENTENCE.split(text)[:MAX_SENTENCES]:
        sentence = _BULLET.sub("", raw).replace("**", "").strip().rstrip(".;")
        if not sentence:
            continue
        fiscal = _FISCAL.search(sentence)
        if fiscal:
            month = MONTHS[fiscal.group(1).lower()]
            continue
        rule = _standing(sentence)
        definition = None if rule else _definition(sentence)
        if rule:
            standing.append(rule)
        elif definition:
            definitions.append(definition)
        else:
            preferences += _preferences(sentence)
    return Rules(tuple(definitions), tuple(standing), tuple(preferences), month)


def _standing(sentence: str) -> Standing | None:
    excluded = _EXCLUDE.search(sentence)
    match = excluded or _RESTRICT.search(sentence)
    if match is None:
        return None
    condition = _condition(match.group("rest"))
    if condition is None:
        return None
    scope = _SCOPE.match(sentence)
    before = match.group("rest").split(condition)[0]
    return Standing(
        sql=condition,
        is_negated=excluded is not None,
        about=evidence_stems(before) | evidence_stems(sentence[: match.start()]),
        only_for=_content(scope.group("words")) if scope else (),
    )


def _condition(text: str) -> str | None:
    """The first text in backticks that compares something, else the first plain clause."""
    for quoted in _BACKTICKED.findall(text):
        if _CLAUSE.search(quoted) or re.search(r"\b(?:between|like|not)\b", quoted, re.IGNORECASE):
            return str(quoted)
    clauses = [match.group() for match in _CLAUSE.finditer(text)]
    if not clauses:
        return None
    joined = clauses[0]
    position = text.find(clauses[0]) + len(clauses[0])
    for clause in clauses[1:]:
        between = text[position : text.find(clause, position)].strip().lower()
        if between not in ("and", "or"):
            break
        joined = text[text.find(clauses[0]) : text.find(clause, position) + len(clause)]
        position = text.find(clause, position) + len(clause)
    return joined


def _definition(sentence: str) -> Definition | None:
    match = _DEFINE.match(sentence)
    if match is None:
        return None
    term, rest = match.group("term").strip(" \"'\u201c\u201d"), match.group("rest")
    found = _expression(rest)
    if found is None or not _content(term):
        return None
    return Definition(term, found, _behind(rest, found), evidence_stems(rest.split(found)[0]))


def _expression(text: str) -> str | None:
    quoted = _BACKTICKED.search(text)
    if quoted and not re.fullmatch(r"[\w.]+", quoted.group(1)):
        return quoted.group(1)
    aggregate = _AGGREGATE.search(text)
    if aggregate:
        end = aggregate.end()
        while operator := _ARITHMETIC.match(text[end:]):
            following = _AGGREGATE.match(text, end + operator.end())
            if following is None:
                break
            end = following.end()
        return text[aggregate.start() : end]
    return _condition(text)


def _behind(text: str, fragment: str) -> str:
    """Prose that narrows an aggregate: ``of paid payments``."""
    if not _AGGREGATE.search(fragment):
        return ""
    behind = text.partition(fragment)[2].lstrip("`")
    of = re.match(r"\s*(?:of|over|for|on|from|where|with|across)\s+(.+)", behind, re.DOTALL)
    return of.group(1).strip() if of else ""


def _preferences(sentence: str) -> list[Preference]:
    found: list[Preference] = []
    avoid = _AVOID.search(sentence)
    if avoid:
        name = avoid.group("avoid") or avoid.group("avoid2")
        words = avoid.group("words") or avoid.group("words2") or ""
        found.append(Preference(_plain(name), "avoid", _terms(words)))
        sentence = sentence[: avoid.start()] + " " + sentence[avoid.end() :]
    match = _FOR_USE.search(sentence) or _USE_FOR.search(sentence)
    if match:
        terms = _terms(match.groupdict().get("words") or "")
        found.append(Preference(_plain(match.group("use")), "use", terms))
        other = match.groupdict().get("other")
        if other:
            found.append(Preference(_plain(other), "avoid", terms))
    return [one for one in found if one.name not in STOP_WORDS]


def _plain(name: str) -> str:
    return name.replace("`", "").lower()


def _terms(text: str) -> tuple[tuple[str, ...], ...]:
    """The terms in a list such as ``revenue, net sales or profit``."""
    parts = re.split(r",|\bor\b|\band\b", text)
    return tuple(term for part in parts if (term := _content(part)))


def _content(text: str) -> tuple[str, ...]:
    """The stems that a question must share with these words, in order."""
    wanted = evidence_stems(text)
    ordered = [one for one in stems_of(text) if one in wanted]
    return tuple(dict.fromkeys(ordered)) or tuple(
        dict.fromkeys(stem(word) for word in re.findall(r"\w+", text.lower()) if len(word) > 3)
    )
