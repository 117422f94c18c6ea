"""Guesses that a reader makes where no metadata says which column is meant."""

from __future__ import annotations

from collections.abc import Iterator
from difflib import get_close_matches

from genie.local.engine.english import ADJECTIVES, KIND_WORDS, PLACE_WORDS
from genie.local.engine.model import Field, Source
from genie.local.engine.reading import Reading
from genie.local.engine.words import stem

_PLACE_PREPOSITIONS = ("in", "at", "from", "near")
_TIES = frozenset(("a", "an", "the", "is", "of", "are", "was", "were", "named", "called", "as",
                   "=", "equal", "value", "be", "been", "not", "type"))  # fmt: skip


def column_for(reading: Reading, place: int) -> tuple[Field, int | None, str] | None:
    """The field that a text in a question is a value of, the item that named it, and why.

    First a column that stands next to it, then the name of a thing that stands next to it, then a
    place behind "in", the kind of thing in front of one, and at last the name of the home.
    """
    named = _next_to(reading, place)
    if named is not None:
        return named
    for near, step in ((place - 1, -1), (place + 1, 1)):
        found = _name_of_neighbour(reading, place, near, step)
        if found is not None:
            return found
    before = reading.items[place - 1].text if place else ""
    if before in _PLACE_PREPOSITIONS:
        for one in _texts(reading):
            if one.words and one.words[-1] in PLACE_WORDS:
                return one, None, f"a place behind '{before}'"
    for source in _near_sources(reading):
        name = source.name_field
        if name is not None:
            return name, None, f"the name of {source.alias}"
    return None


def _next_to(reading: Reading, place: int) -> tuple[Field, int | None, str] | None:
    """A text column right in front of the value or right behind it."""
    for step in (-1, 1):
        at = place + step
        while 0 <= at < len(reading.items):
            item = reading.items[at]
            one = item.field
            is_asked = at > 0 and reading.items[at - 1].text in ("what", "which")
            is_text = one is not None and not one.is_measure and one.family in ("text", "other")
            if one is not None and is_text and not is_asked:
                return one, at, "it stands next to its column"
            is_tie = item.kind == "word" and item.text in _TIES
            if not (is_tie or item.cue == "not" or item.text == "equal to"):
                break
            if step == 1 and not (item.kind == "word" and item.text in ("the", "as")):
                break
            at += step
    return None


def _name_of_neighbour(
    reading: Reading, place: int, at: int, step: int
) -> tuple[Field, int | None, str] | None:
    while 0 <= at < len(reading.items) and reading.items[at].text in ("the", "named", "called"):
        at += step
    item = reading.items[at] if 0 <= at < len(reading.items) else None
    source = item.source if item else None
    if source is None:
        return None
    if step == 1 and at == place + 1 and source is reading.home:
        kinds = [one for one in source.fields if is_kind(one)]
        if kinds:
            return kinds[0], None, f"the kind of {source.alias}"
    name = source.name_field
    used = at if source is not reading.home else None
    return (name, used, f"the name of {source.alias}") if name else None


def kind_column(reading: Reading, source: Source) -> Field | None:
    """The column that says of what kind or in what state a row is."""
    return next((one for one in source.fields if is_kind(one)), None)


def is_kind(one: Field) -> bool:
    """Whether a name speaks of a status, type or category."""
    is_short = 0 < len(one.words) <= 2
    return one.family == "text" and is_short and one.words[-1] in KIND_WORDS


def _near_sources(reading: Reading) -> Iterator[Source]:
    """The sources that the question names, then the home, then what is joined to the home."""
    named = [item.source for item in reading.items if item.source is not None]
    for source in named:
        if source.identifier in reading.distances:
            yield source
    yield reading.home
    for identifier, distance in reading.distances.items():
        if distance == 1:
            yield reading.sources[identifier]


def _texts(reading: Reading) -> Iterator[Field]:
    for source in _near_sources(reading):
        yield from (one for one in source.fields if one.family == "text" and not one.is_measure)


def spelled(one: Field, text: str) -> tuple[str, str]:
    """A text in the spelling of its column, and how it was found.

    With entity matching or a list of values the nearest of them; where those known are all written
    in one way, in that way; else as the question spells it.
    """
    known = [listed.value for listed in one.listed] + list((one.values or ())[:5_000])
    by_lower = {value.lower(): value for value in reversed(known)}
    wanted = text.lower()
    if wanted in by_lower:
        return by_lower[wanted], "known value"
    by_stems = {
        " ".join(stem(word) for word in value.lower().split()): value for value in reversed(known)
    }
    stems = " ".join(stem(word) for word in wanted.split())
    if stems in by_stems:
        return by_stems[stems], "known value"
    close = get_close_matches(wanted, list(by_lower), 1, 0.85) if len(wanted) > 4 else []
    if close:
        return by_lower[close[0]], "nearest known value"
    letters = [value for value in known if any(c.isalpha() for c in value) and len(value) > 1]
    if letters and all(value == value.lower() for value in letters):
        return wanted, "in lower case like the known values"
    if letters and all(value == value.upper() for value in letters):
        return text.upper(), "in upper case like the known values"
    return text, "as the question spells it"


def measured_by(reading: Reading, adjective: str) -> tuple[Field, bool] | None:
    """The field that an adjective is about, and whether its superlative ranks the largest first."""
    opposite = {"old": "aged", "young": "aged"}.get(adjective)
    for name, is_flipped in ((adjective, False), (opposite, adjective == "young")):
        largest, hints = ADJECTIVES.get(name or "", (True, ()))
        for source in _near_sources(reading):
            for hint in hints:
                wanted = stem(hint)
                for one in source.fields:
                    is_ordered = one.family in ("number", "date", "timestamp") or one.is_temporal
                    said = {word for label in one.labels for word in label.stems}
                    if is_ordered and not _is_plain_key(one) and wanted in said:
                        return one, (not largest) if is_flipped else largest
            for one in source.fields:
                is_ordered = one.family in ("number", "date", "timestamp")
                if is_ordered and any(stem(hint) in one.prose for hint in hints):
                    return one, (not largest) if is_flipped else largest
    return None


def _is_plain_key(one: Field) -> bool:
    return one.is_primary_key or one.references is not None or one.words[-1:] == ("id",)


def date_column(reading: Reading, place: int) -> tuple[Field, int | None, str] | None:
    """The field that a span of time is about, and the item that named it."""
    for at, item in reading.preceding(place):
        one = item.field
        if one is not None and (one.is_temporal or one.is_year):
            return one, at, "named in front of it"
        if item.kind == "date":
            break
    for at, item in reading.following(place):
        one = item.field
        if one is not None and (one.is_temporal or one.is_year) and at - place <= 3:
            return one, at, "named behind it"
    named = [item.source for item in reading.items if item.source is not None]
    dated = [source for source in named if any(f.is_temporal for f in source.fields)]
    for source in (*dated[:1], *_near_sources(reading)):
        dates = [f for f in source.fields if f.is_temporal]
        dates.sort(key=lambda f: (f.is_bookkeeping, f.family == "text", f.position))
        years = [f for f in source.fields if f.is_year]
        if dates or years:
            return (dates or years)[0], None, f"the date of {source.alias}"
    return None
