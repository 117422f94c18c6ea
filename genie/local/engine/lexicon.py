"""Everything that a word of a question may stand for, and how well it fits."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from functools import cached_property, lru_cache
from itertools import takewhile
from typing import Literal

from genie.local.engine.english import ADJECTIVES, NO_WORDS, STOP_WORDS, YES_WORDS
from genie.local.engine.model import Field, Label, Source, sources_of
from genie.local.engine.rules import read_rules
from genie.local.engine.terms import Term, terms_of
from genie.local.engine.visible import VisibleSpace
from genie.local.engine.words import Token, root, stem, stems_of

MAX_VALUES = 5_000  # of one column that are looked at

EntryKind = Literal["source", "field", "value", "term"]

# What a word of a label is worth, by where the label stands, when only part of it was said.
_PARTIAL = {"name": 0.8, "synonym": 0.6, "display name": 0.7, "instruction": 0.6}
_FULL_BONUS = {"name": 0.3, "synonym": 0.4, "display name": 0.4, "value": 0.4, "meaning": 0.45}
_OTHER_BONUS = 0.45  # a snippet or a definition: somebody said what exactly this word stands for
_PROSE = 0.5
_ALL_PROSE = 0.9  # for each word where the question says all that the comment says
_BRIEF = 0.1  # more for a comment that says little else
_SOURCE_PROSE = 0.65  # the comment of a table says what its rows are
_OWNER = 0.5
_UNSAID = 0.06  # for each word of the best label that the question does not say
_LOOSE = 0.75  # a word that is only of the same family, or misspelled


@dataclass(frozen=True, slots=True)
class KnownValue:
    """A value of a field in its own spelling; ``origin`` says where that was seen."""

    field: Field
    value: str
    origin: str


@dataclass(frozen=True, eq=False)
class Entry:
    """One thing that words may stand for."""

    kind: EntryKind
    target: Source | Field | KnownValue | Term
    labels: tuple[Label, ...]
    prose: Mapping[str, str]
    sources: tuple[str, ...]
    rank: int
    owner: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Fit:
    """How well an entry explains words: the score and what it rests on."""

    score: float
    origin: str


@dataclass(frozen=True, eq=False)
class Lexicon:
    """The entries of a space and which stems lead to them. Ranks order them, so ties are stable."""

    entries: tuple[Entry, ...]
    by_stem: Mapping[str, tuple[Entry, ...]]
    glued: Mapping[str, tuple[Entry, ...]]

    @cached_property
    def vocabulary(self) -> tuple[str, ...]:
        """Every stem that leads somewhere, sorted."""
        return tuple(sorted(self.by_stem))

    @cached_property
    def _by_root(self) -> dict[str, str]:
        found: dict[str, str] = {}
        for word in self.vocabulary:
            found.setdefault(root(word), word)
        return found

    def known(self, token: Token) -> tuple[str, float]:
        """The stem under which a token is known, and how sure that is; 0 if it is unknown."""
        if token.stem in self.by_stem:
            return token.stem, 1.0
        is_plain_english = token.lower in STOP_WORDS or token.lower in ADJECTIVES
        if token.kind != "word" or len(token.stem) < 4 or is_plain_english:
            return token.stem, 0.0
        if token.is_capital:
            for ending in ("n", "an", "ian", "ean", "ese", "ish", "i"):
                if token.stem.endswith(ending) and token.stem[: -len(ending)] in self.by_stem:
                    return token.stem[: -len(ending)], _LOOSE
        family = self._by_root.get(root(token.stem)) or self._by_root.get(token.stem)
        if family and len(family) >= 4:
            return family, _LOOSE
        if len(token.stem) >= 6:
            kin = self._kin(token.stem)
            if kin:
                return kin, _LOOSE
        if len(token.stem) >= 5:
            close = get_close_matches(token.stem, self.vocabulary_near(token.stem), 1, 0.86)
            if close:
                return close[0], _LOOSE
        return token.stem, 0.0

    def _kin(self, word: str) -> str | None:
        """A known word with the same beginning: 'published' and 'publication'."""
        best, length = None, 4
        for known in self.vocabulary:
            pairs = zip(word, known, strict=False)
            common = sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], pairs))
            is_close = common >= 0.7 * min(len(word), len(known)) and len(known) >= 6
            if common > length and is_close:
                best, length = known, common
        return best

    def vocabulary_near(self, word: str) -> list[str]:
        """Stems that a misspelling could have come from: same first letter, about as long."""
        return [
            known
            for known in self.vocabulary
            if known[:1] == word[:1] and abs(len(known) - len(word)) <= 2
        ][:3_000]


@lru_cache(maxsize=8)
def lexicon_of(space: VisibleSpace) -> Lexicon:
    """The lexicon of a space."""
    entries = tuple(_entries(space))
    by_stem: dict[str, dict[int, Entry]] = {}
    glued: dict[str, dict[int, Entry]] = {}
    for entry in entries:
        for label in entry.labels:
            for word in label.stems:
                by_stem.setdefault(word, {})[entry.rank] = entry
            if len(label.stems) == 1:
                glued.setdefault(label.stems[0], {})[entry.rank] = entry
            else:
                glued.setdefault("".join(label.stems), {})[entry.rank] = entry
        for word in entry.prose:
            by_stem.setdefault(word, {})[entry.rank] = entry
    return Lexicon(
        entries,
        {word: tuple(found.values()) for word, found in by_stem.items()},
        {word: tuple(found.values()) for word, found in glued.items()},
    )


def fit(entry: Entry, said: Sequence[tuple[str, float]], cues: Sequence[str]) -> Fit | None:
    """How well an entry explains content words ``said`` and the cue words among them.

    ``said`` are stems with how sure they are. Every content word must be explained, at least one by
    the entry itself and not only by the name of the table it belongs to.
    """
    best = max(
        (
            one
            for label in entry.labels
            if (one := _label_fit(label, said, cues, entry.kind)) is not None
        ),
        key=lambda one: one.score,
        default=None,
    )
    if entry.kind == "value":
        return best
    partial = _partial_fit(entry, said, cues)
    if best is None or (partial is not None and partial.score > best.score):
        return partial
    return best


def _label_fit(
    label: Label, said: Sequence[tuple[str, float]], cues: Sequence[str], kind: EntryKind
) -> Fit | None:
    """A label that was said in full; cue words may be left out, except of values."""
    wanted = set(label.stems)
    words = {word for word, _ in said}
    spoken = words | set(cues)
    is_full = spoken == wanted
    if not is_full and kind != "value" and words:
        optional = {word for word in wanted if word in _OPTIONAL or word in STOP_STEMS}
        is_full = wanted - optional <= spoken <= wanted
    if not is_full:
        return None
    bonus = _FULL_BONUS.get(label.origin, _OTHER_BONUS)
    missing = len(wanted - spoken)
    cue_worth = (0.3 if said else 0.8) * len(cues)
    score = sum(sure for _, sure in said) + cue_worth + bonus - _UNSAID * missing
    return Fit(score, label.origin)


def _partial_fit(
    entry: Entry, said: Sequence[tuple[str, float]], cues: Sequence[str]
) -> Fit | None:
    score, own_words, origins = 0.0, 0, list[str]()
    for word, sure in said:
        worth, origin = _word_worth(entry, word)
        if worth == 0.0:
            return None
        own_words += origin != "table"
        score += worth * sure
        origins.append(origin)
    if not own_words:
        return None
    for word in cues:
        worth, _ = _word_worth(entry, word)
        if worth == 0.0:
            return None
        score += 0.1
    if entry.kind == "source":
        return Fit(score, origins[0])
    words = {word for word, _ in said}
    is_all_said = entry.kind == "field" and len(entry.prose) > 1 and words >= set(entry.prose)
    if is_all_said:
        return Fit(max(score, _ALL_PROSE * len(said) + 0.3), origins[0])
    unsaid = len([word for word in entry.labels[0].stems if word not in words])
    return Fit(score - min(_UNSAID * unsaid, 0.3), origins[0])


def _word_worth(entry: Entry, word: str) -> tuple[float, str]:
    if entry.kind == "source" and word in entry.prose:
        return _SOURCE_PROSE, entry.prose[word]
    worth, origin = max(
        (
            (_PARTIAL.get(label.origin, 0.5), label.origin)
            for label in entry.labels
            if word in label.stems and entry.kind != "term"
        ),
        default=(0.0, ""),
    )
    said = _PROSE + _BRIEF / max(len(entry.prose), 1)
    if worth < said and word in entry.prose:
        return said, entry.prose[word]
    if worth == 0.0 and word in entry.owner:
        return _OWNER, "table"
    return worth, origin


_OPTIONAL = frozenset(stem(word) for word in "total number count sum average overall".split())
STOP_STEMS = frozenset(stem(word) for word in STOP_WORDS)


def _entries(space: VisibleSpace) -> Iterator[Entry]:
    rank = 0
    sources = sources_of(space)
    uses = [one for one in read_rules(space.instructions).preferences if one.kind == "use"]
    for source in sources:
        yield Entry("source", source, source.labels, source.prose, (source.identifier,), rank)
        rank += 1
    for source in sources:
        owner = frozenset(word for label in source.labels for word in label.stems)
        for one in source.fields:
            told = tuple(
                Label(term, "instruction")
                for use in uses
                if use.name in _spellings(source, one)
                for term in use.terms
            )
            yield Entry(
                "field", one, (*one.labels, *told), one.prose, (source.identifier,), rank, owner
            )
            rank += 1
    for term in terms_of(space):
        if not term.labels:
            continue
        yield Entry("term", term, term.labels, term.prose, term.sources, rank)
        rank += 1
    for source in sources:
        for one in source.fields:
            for known, label in _values(one):
                yield Entry("value", known, (label,), {}, (source.identifier,), rank)
                rank += 1


def _spellings(source: Source, one: Field) -> tuple[str, ...]:
    name = one.name.lower()
    short = source.identifier.split(".")[-1].lower()
    return (name, f"{short}.{name}", f"{source.identifier.lower()}.{name}")


def _values(one: Field) -> Iterator[tuple[KnownValue, Label]]:
    """Values by their own words; those that a comment decodes, by their meaning too."""
    if one.is_measure:
        return
    for listed in one.listed:
        known = KnownValue(one, listed.value, "value list")
        meaning = stems_of(listed.meaning or listed.value)
        plain = set((listed.meaning or "").lower().split())
        if meaning and not plain & (YES_WORDS | NO_WORDS):
            yield known, Label(meaning, "meaning" if listed.meaning else "value")
        if listed.meaning and len(listed.value) > 1:
            yield known, Label((listed.value.lower(),), "value")
    seen = {listed.value for listed in one.listed}
    for value in (one.values or ())[:MAX_VALUES]:
        words = stems_of(value) if len(value) <= 200 else ()
        if value not in seen and words:
            yield KnownValue(one, value, "entity matching"), Label(words, "value")
