"""A question as it is read from one home: its items in order, and which of them are used up."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Literal

from sqlglot import exp

from genie.local.engine.answer import TraceEntry
from genie.local.engine.cues import Cue, find_cues
from genie.local.engine.dates import DateSpan
from genie.local.engine.joins import JoinGraph
from genie.local.engine.lexicon import KnownValue
from genie.local.engine.linking import Part
from genie.local.engine.model import Field, Source
from genie.local.engine.terms import Term, column_of
from genie.local.engine.words import Token

ItemKind = Literal["source", "field", "value", "term", "literal", "date", "number", "cue", "word"]
_INNER_CUES = ("sum", "avg", "min", "max")


@dataclass(frozen=True, eq=False)
class Item:
    """A piece of the question in its place; ``target`` depends on the kind."""

    kind: ItemKind
    start: int
    end: int
    text: str
    target: Source | Field | KnownValue | Term | DateSpan | Cue | None = None
    origin: str = ""

    @property
    def cue(self) -> str:
        """The kind of cue, empty for anything else."""
        return self.target.kind if isinstance(self.target, Cue) else ""

    @property
    def payload(self) -> str:
        """The payload of a cue, empty for anything else."""
        return self.target.payload if isinstance(self.target, Cue) else ""

    @property
    def field(self) -> Field | None:
        """The field that the item stands for."""
        return self.target if isinstance(self.target, Field) else None

    @property
    def source(self) -> Source | None:
        """The source that the item stands for."""
        return self.target if isinstance(self.target, Source) else None

    @property
    def term(self) -> Term | None:
        """The term that the item stands for."""
        return self.target if isinstance(self.target, Term) else None


@dataclass
class Reading:
    """The items of one question and what the steps of planning have made of them so far."""

    tokens: Sequence[Token]
    items: list[Item]
    home: Source
    sources: dict[str, Source]
    graph: JoinGraph
    distances: dict[str, int]
    used: set[int] = field(default_factory=set)
    trace: list[TraceEntry] = field(default_factory=list)

    def note(self, step: str, about: str, because: str) -> None:
        """Records a decision."""
        self.trace.append(TraceEntry(step, about, because))

    def use(self, *places: int) -> None:
        """Marks items as used up."""
        self.used.update(places)

    def open_items(self) -> Iterator[tuple[int, Item]]:
        """Items that nothing has used yet, with their places."""
        return ((i, item) for i, item in enumerate(self.items) if i not in self.used)

    def source_of(self, one: Field) -> Source:
        """The source that a field belongs to."""
        return self.sources[one.source]

    def sql_of(self, one: Field) -> exp.Expr:
        """A field as SQL; a measure of a metric view is measured."""
        column = column_of(self.source_of(one), one)
        if one.is_measure:
            return exp.Anonymous(this="MEASURE", expressions=[column])
        return column

    def cue(self, *kinds: str) -> list[int]:
        """Places of open cues of these kinds."""
        return [i for i, item in self.open_items() if item.cue in kinds]

    def following(self, place: int) -> Iterator[tuple[int, Item]]:
        """Items behind a place, up to the end of the clause, without plain words."""
        for i in range(place + 1, len(self.items)):
            item = self.items[i]
            if item.kind == "word" and item.text in (";", "?", "."):
                return
            if item.kind != "word":
                yield i, item

    def preceding(self, place: int) -> Iterator[tuple[int, Item]]:
        """Items in front of a place, nearest first, without plain words."""
        for i in range(place - 1, -1, -1):
            if self.items[i].kind != "word":
                yield i, self.items[i]

    def words_between(self, left: int, right: int) -> list[str]:
        """The plain words and cues between two places, in lower case."""
        return [self.items[i].text for i in range(left + 1, right)]

    def is_negated(self, place: int) -> int | None:
        """The place of a negation that governs an item: only plain words lie between."""
        for i in range(place - 1, max(place - 5, -1), -1):
            item = self.items[i]
            if item.cue == "not":
                return i
            if item.kind != "word" or item.text in (",", "and", "but", "or", "are", "is"):
                return None
        return None


def make_items(
    tokens: Sequence[Token], parts: Sequence[Part], dates: Sequence[DateSpan]
) -> list[Item]:
    """The question's items in order: parts, dates, numbers and cues; the rest is plain words."""
    covered = {i: part for part in parts for i in range(part.start, part.end)}
    in_dates = {i: span for span in dates for i in range(span.start, span.end)}
    cues = {cue.start: cue for cue in find_cues(tokens, {*covered, *in_dates})}
    items: list[Item] = []
    position = 0
    while position < len(tokens):
        item = (
            _part_item(tokens, covered.get(position), items)
            or _date_item(tokens, in_dates.get(position))
            or _cue_item(tokens, cues.get(position))
            or _plain_item(tokens, position)
        )
        items.append(item)
        position = item.end
    return items


def _text(tokens: Sequence[Token], start: int, end: int) -> str:
    return " ".join(token.lower for token in tokens[start:end])


def _part_item(tokens: Sequence[Token], part: Part | None, items: list[Item]) -> Item | None:
    if part is None:
        return None
    if isinstance(part.target, str):
        return Item("literal", part.start, part.end, part.target, None, part.origin)
    if isinstance(part.target, Field) and not part.target.is_measure:
        # 'total amount' is the column total_amount, and still asks for a total.
        inner = find_cues(tokens[part.start : part.end], ())
        if inner and inner[0].start == 0 and inner[0].kind in _INNER_CUES:
            items.append(Item("cue", part.start, part.start, inner[0].kind, inner[0], "inner"))
    text = _text(tokens, part.start, part.end)
    return Item(part.kind, part.start, part.end, text, part.target, part.origin)


def _date_item(tokens: Sequence[Token], span: DateSpan | None) -> Item | None:
    if span is None:
        return None
    return Item("date", span.start, span.end, _text(tokens, span.start, span.end), span)


def _cue_item(tokens: Sequence[Token], cue: Cue | None) -> Item | None:
    if cue is None:
        return None
    return Item("cue", cue.start, cue.end, _text(tokens, cue.start, cue.end), cue)


def _plain_item(tokens: Sequence[Token], position: int) -> Item:
    token = tokens[position]
    number = token.number
    if number is not None:
        is_scaled = position + 1 < len(tokens) and tokens[position + 1].lower in _ZEROS
        if is_scaled:
            number += _ZEROS[tokens[position + 1].lower] if "." not in number else ""
        return Item("number", position, position + 1 + is_scaled, number)
    return Item("word", position, position + 1, token.lower)


_ZEROS = {"thousand": "000", "million": "000000", "billion": "000000000", "hundred": "00"}
