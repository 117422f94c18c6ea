"""Links the words of a question to what they stand for, seen from one source as the home."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from genie.local.engine.dates import DateSpan
from genie.local.engine.english import CUE_WORDS, STOP_WORDS
from genie.local.engine.lexicon import Entry, KnownValue, Lexicon, fit
from genie.local.engine.model import Field, Source
from genie.local.engine.terms import Term
from genie.local.engine.words import Token, stem

MAX_SPAN = 6
_PER_JOIN = 0.3
_LITERAL = 0.6
_CALCULATIONS = frozenset(stem(word) for word in "total sum average number count".split())
_SHORT_CODE = 3  # letters of a code that a question has to write in capitals
_NEAR = 0.35  # for a value next to the name of its column

PartKind = Literal["source", "field", "value", "term", "literal"]


@dataclass(frozen=True, slots=True)
class Part:
    """Tokens ``start:end`` stand for ``target``; ``origin`` says which metadata made it so."""

    kind: PartKind
    start: int
    end: int
    target: Source | Field | KnownValue | Term | str
    score: float
    origin: str


@dataclass(frozen=True, slots=True)
class Candidate:
    """A part as it would be without regard to any home."""

    start: int
    end: int
    entry: Entry | None
    score: float
    origin: str
    text: str = ""


def is_content(token: Token) -> bool:
    """Whether a token is about the subject and needs something to explain it."""
    if token.kind == "quoted":
        return True
    is_word = token.kind == "word" and token.number is None
    return is_word and token.lower not in STOP_WORDS and token.lower not in CUE_WORDS


def candidates(
    tokens: Sequence[Token], dates: Sequence[DateSpan], lexicon: Lexicon
) -> list[Candidate]:
    """Every span of tokens with everything that it may stand for, best first per span."""
    taken = {i for span in dates for i in range(span.start, span.end)}
    known = [lexicon.known(token) for token in tokens]
    found: list[Candidate] = []
    for start in range(len(tokens)):
        for end in range(start + 1, min(start + MAX_SPAN, len(tokens)) + 1):
            last = tokens[end - 1]
            if (
                end - 1 in taken
                or last.kind == "mark"
                or (last.kind == "quoted" and end - start > 1)
            ):
                break
            found += _of_span(tokens, known, start, end, lexicon)
            if last.kind == "quoted":
                break
    return found + _literals(tokens, taken, known)


def _of_span(
    tokens: Sequence[Token],
    known: Sequence[tuple[str, float]],
    start: int,
    end: int,
    lexicon: Lexicon,
) -> list[Candidate]:
    span = tokens[start:end]
    if span[0].kind == "quoted":
        return _of_quoted(span[0], start, lexicon)
    said, cues = [], []
    for token, one in zip(span, known[start:end], strict=True):
        if is_content(token):
            said.append(one)
        elif token.lower in CUE_WORDS or token.number is not None:
            cues.append(token.stem)
    if not said and _is_only_a_cue(tokens, end, cues, lexicon):
        return []
    is_edge_stop = span[0].lower in STOP_WORDS or span[-1].lower in STOP_WORDS
    values = _of_values(span, known[start:end], start, end, lexicon)
    glued = _of_glued(span, start, end, lexicon)
    if is_edge_stop or not (said or cues) or (not said and len(cues) > 1):
        return values + glued
    if any(sure == 0.0 for _, sure in said):
        return values + glued
    words = [word for word, _ in said] or cues
    entries = {e.rank: e for e in min((lexicon.by_stem.get(w, ()) for w in words), key=len)}
    found = []
    for rank in sorted(entries):
        entry = entries[rank]
        if entry.kind == "value":
            continue
        how = fit(entry, said, cues)
        if how is not None and (said or how.score >= 0.8):
            found.append(Candidate(start, end, entry, how.score, how.origin))
    return found + values + glued


def _is_only_a_cue(
    tokens: Sequence[Token], end: int, cues: Sequence[str], lexicon: Lexicon
) -> bool:
    """'total' in 'total fee' is no column called total; in 'total of the orders' it may be."""
    if not set(cues) & _CALCULATIONS:
        return False
    behind = next((t for t in tokens[end:] if t.lower not in STOP_WORDS), None)
    if behind is None or not is_content(behind):
        return False
    entries = lexicon.by_stem.get(lexicon.known(behind)[0], ())
    return bool(entries) and not any(entry.kind == "source" for entry in entries)


def _of_values(
    span: Sequence[Token],
    known: Sequence[tuple[str, float]],
    start: int,
    end: int,
    lexicon: Lexicon,
) -> list[Candidate]:
    """Values must be said word by word, stop words too; one-letter codes in capitals."""
    words = [
        known_as if sure else token.stem
        for token, (known_as, sure) in zip(span, known, strict=True)
    ]
    found = []
    for entry in min((lexicon.by_stem.get(word, ()) for word in words), key=len):
        if entry.kind != "value":
            continue
        label = entry.labels[0]
        is_short = sum(len(word) for word in label.stems) < 2
        is_plain_stop = len(span) == 1 and span[0].lower in STOP_WORDS and not span[0].is_capital
        if _is_other_form(span[-1], entry):
            continue
        if label.stems != tuple(words) or is_plain_stop or (is_short and not span[0].is_capital):
            continue
        is_cue = len(span) == 1 and span[0].lower in CUE_WORDS and not span[0].is_capital
        sure = sum(one or 1.0 for _, one in known)
        score = 0.35 if is_cue else sure + 0.4 * len(span)
        found.append(Candidate(start, end, entry, score, _value_origin(entry)))
    return found


def _is_other_form(said: Token, entry: Entry) -> bool:
    """'run' is not the value 'running', though they share a stem; 'it' is not the code IT."""
    own = entry.target.value if isinstance(entry.target, KnownValue) else ""
    if entry.labels[0].origin != "value":
        return False
    if len(own) <= _SHORT_CODE and own.isupper() and not said.is_capital:
        return True
    return said.lower.endswith("ing") != own.lower().endswith("ing")


def _of_quoted(token: Token, start: int, lexicon: Lexicon) -> list[Candidate]:
    return [
        Candidate(start, start + 1, entry, 1.6, _value_origin(entry))
        for entry in lexicon.entries
        if isinstance(entry.target, KnownValue) and entry.target.value.lower() == token.lower
    ]


def _value_origin(entry: Entry) -> str:
    return entry.target.origin if isinstance(entry.target, KnownValue) else ""


def _of_glued(span: Sequence[Token], start: int, end: int, lexicon: Lexicon) -> list[Candidate]:
    """'life expectancy' for a column that is called lifeexpectancy, and the reverse."""
    text = "".join(token.stem for token in span)
    if any(token.kind != "word" for token in span) or not any(is_content(t) for t in span):
        return []
    found = []
    for entry in lexicon.glued.get(text, ()):
        is_split = any(len(label.stems) != len(span) for label in entry.labels)
        if (
            entry.kind != "value"
            and is_split
            and any(
                "".join(label.stems) == text and len(label.stems) != len(span)
                for label in entry.labels
            )
        ):
            found.append(Candidate(start, end, entry, len(span) + 0.3, "name"))
    return found


def _literals(
    tokens: Sequence[Token], taken: set[int], known: Sequence[tuple[str, float]]
) -> list[Candidate]:
    """Quoted texts and runs of capitalized words, which may be values that nobody listed."""
    found = []
    position = 0
    while position < len(tokens):
        token = tokens[position]
        if token.kind == "quoted":
            found.append(Candidate(position, position + 1, None, 1.2, "quoted", token.text))
            position += 1
            continue
        is_unknown_start = token.is_possessive and known[position][1] == 0.0
        if position in taken or not (token.is_capital or is_unknown_start) or not token.text:
            position += 1
            continue
        end = _run_end(tokens, taken, position)
        words = [t for t in tokens[position:end] if t.lower not in STOP_WORDS]
        if words or len(token.text) > 1:
            text = " ".join(t.text for t in tokens[position:end])
            worth = _LITERAL * max(len(words), 1)
            if end - position == 1 and token.number is None and known[position][1] == 1.0:
                worth = 0.5
            found.append(Candidate(position, end, None, worth, "capitalized", text))
        position = end
    return found


def _run_end(tokens: Sequence[Token], taken: set[int], start: int) -> int:
    end = start + 1
    while end < len(tokens) and end not in taken and not tokens[end - 1].is_possessive:
        token = tokens[end]
        joins = token.lower in ("of", "the", "de", "van", "von", "la", "du")
        skip = end + 1 + (end + 1 < len(tokens) and tokens[end + 1].lower == "the")
        if token.is_capital or (token.kind == "number" and end - start >= 1):
            end += 1
        elif joins and skip < len(tokens) and tokens[skip].is_capital and skip not in taken:
            end = skip + 1
        else:
            break
    return end


def link(
    tokens: Sequence[Token],
    found: Sequence[Candidate],
    distances: Mapping[str, int],
    lexicon: Lexicon,
) -> list[Part]:
    """The parts that together explain most, none overlapping another.

    ``distances`` are the joins between the home and each source that it reaches. Of equal
    explanations the longer span wins, then the entry that comes first: sources, fields in the order
    of the catalog, terms, values.
    """
    usable: dict[int, list[tuple[float, int, int, Candidate]]] = {}
    named = {
        id(one.entry.target): (one.start, one.end)
        for one in found
        if one.entry is not None and one.entry.kind == "field" and one.score >= 0.7
    }
    things = {
        one.entry.sources[0]: (one.start, one.end)
        for one in found
        if one.entry is not None and one.entry.kind == "source" and one.score >= 0.6
    }
    for one in found:
        score, rank = one.score, len(lexicon.entries)
        if one.entry is not None:
            away = [distances.get(source) for source in one.entry.sources]
            if any(distance is None for distance in away):
                continue
            score -= _PER_JOIN * max(distance or 0 for distance in away)
            rank = one.entry.rank
            if isinstance(one.entry.target, KnownValue):
                near = named.get(id(one.entry.target.field)) or things.get(one.entry.sources[0])
                score += _nearness(near, one)
        if score > 0:
            usable.setdefault(one.start, []).append((score, one.end, -rank, one))
    best: list[tuple[float, Candidate | None]] = [(0.0, None)] * (len(tokens) + 1)
    for start in range(len(tokens) - 1, -1, -1):
        chosen: tuple[float, int, int, Candidate | None] = (best[start + 1][0], -1, 0, None)
        for score, end, rank, one in usable.get(start, ()):
            total = score + best[end][0]
            if (round(total, 6), end, rank) > (round(chosen[0], 6), chosen[1], chosen[2]):
                chosen = (total, end, rank, one)
        best[start] = (chosen[0], chosen[3])
    return _walk(best, distances)


def _nearness(place: tuple[int, int] | None, one: Candidate) -> float:
    if place is None:
        return 0.0
    gap = one.start - place[1] if place[1] <= one.start else place[0] - one.end
    return _NEAR if 0 <= gap <= 2 else 0.0


def _walk(
    best: Sequence[tuple[float, Candidate | None]], distances: Mapping[str, int]
) -> list[Part]:
    parts: list[Part] = []
    position = 0
    while position < len(best) - 1:
        one = best[position][1]
        if one is None:
            position += 1
            continue
        entry = one.entry
        if entry is None:
            parts.append(Part("literal", one.start, one.end, one.text, one.score, one.origin))
        else:
            away = max((distances.get(source, 0) for source in entry.sources), default=0)
            score = one.score - _PER_JOIN * away
            parts.append(Part(entry.kind, one.start, one.end, entry.target, score, one.origin))
        position = one.end
    return parts
