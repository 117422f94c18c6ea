"""Which words of questions stand for which part of their SQL, by how often the two meet.

Words and a need belong together when two or more train groups have both (rule 9) and the need is
there where the words are, far more often than elsewhere. Paraphrases are one group and count once.
What the metadata says already, by name or as a value that the question spells out, needs no words.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from transforms.needs import Need, NeedKind
from transforms.phrases import Phrase, is_counted, phrases_of

SHARED_GROUPS = 2  # train groups that must have both
MIN_PRECISION = 0.6  # of the groups with the words, those that need the part
MIN_LIFT = 2.0  # how much more often than in all groups

# How much is said by naming it: a measure says more than the column it is taken of.
_TELLING: Mapping[NeedKind, float] = {
    "metric": 1.0,
    "function": 1.0,
    "measure": 1.0,
    "filter": 1.0,
    "value": 1.0,
    "flag": 1.0,
    "expression": 0.9,
    "column": 0.5,
    "table": 0.4,
}
IsSaid = Callable[[Phrase, Need], bool]


@dataclass(frozen=True, slots=True)
class Asked:
    """A train question with what its expected SQL needs and the question does not name itself.

    ``values`` are literals of the SQL that the question spells out. ``is_elsewhere``: a metric view
    or a function answers it.
    """

    question_id: str
    group_id: str
    question: str
    needs: frozenset[Need]
    values: tuple[str, ...] = ()
    is_elsewhere: bool = False


@dataclass(frozen=True, slots=True)
class Association:
    """Words that stand for a need.

    ``parts`` are the needs as they are in SQL: one, or one per table where the words are about
    columns of one name in several. ``group_ids`` are the train groups that have words and need.
    """

    need: Need
    parts: tuple[Need, ...]
    phrase: Phrase
    words: str
    group_ids: frozenset[str]
    question_ids: frozenset[str]
    precision: float
    lift: float

    @property
    def strength(self) -> float:
        """What decides between associations of the same words."""
        worth = self.lift * self.precision * len(self.group_ids)
        return round(worth * _TELLING[self.need.kind], 6)


def associate(asked: Sequence[Asked], is_said: IsSaid) -> tuple[Association, ...]:
    """The words that stand for a need in the train questions of one space, strongest first.

    Every phrase stands for one need at most; ``is_said`` tells whether the metadata says already
    that a phrase is about the objects of a need. The order of ``asked`` does not matter.
    """
    best: dict[Phrase, Association] = {}
    for one in _Counts(asked).candidates():
        is_known = any(is_said(one.phrase, part) for part in (one.need, *one.parts))
        if not is_known and (one.phrase not in best or _order(one) < _order(best[one.phrase])):
            best[one.phrase] = one
    chosen: list[Association] = []
    taken: dict[Need, set[str]] = defaultdict(set)
    for one in sorted(best.values(), key=_order):
        family = one.need.everywhere or one.need
        # A group in which other words stand for the need already is no evidence for these.
        own = one.group_ids - taken[family]
        if not _is_part_of(one, chosen) and (len(own) >= SHARED_GROUPS or not taken[family]):
            chosen.append(one)
            taken[family] |= one.group_ids
    return tuple(chosen)


class _Counts:
    """How often phrases and needs meet, by group."""

    def __init__(self, asked: Sequence[Asked]) -> None:
        self.of_phrase: dict[Phrase, dict[str, set[str]]] = defaultdict(lambda: defaultdict(set))
        self.written: dict[Phrase, Counter[str]] = defaultdict(Counter)
        self.counted: set[Phrase] = set()
        self.needs: dict[str, set[Need]] = defaultdict(set)
        self.parts: dict[Need, set[Need]] = defaultdict(set)
        for one in asked:
            self._add(one)
        self.of_need: dict[Need, set[str]] = defaultdict(set)
        for group, needs in self.needs.items():
            for need in needs:
                self.of_need[need].add(group)
        # What another kind of asset answers is no evidence against a part of a table.
        self.elsewhere = {one.group_id for one in asked if one.is_elsewhere}

    def _add(self, one: Asked) -> None:
        for need in one.needs:
            for spoken in (need, need.everywhere):
                if spoken is not None:
                    self.needs[one.group_id].add(spoken)
                    self.parts[spoken].add(need)
        self.needs.setdefault(one.group_id, set())
        for phrase, text in phrases_of(one.question, one.values).items():
            self.of_phrase[phrase][one.group_id].add(one.question_id)
            self.written[phrase][text] += 1
            if is_counted(one.question, text):
                self.counted.add(phrase)

    def candidates(self) -> Iterator[Association]:
        """Every pair that enough groups share and that is specific."""
        for phrase, groups in self.of_phrase.items():
            if len(groups) >= SHARED_GROUPS:
                for need in {need for group in groups for need in self.needs[group]}:
                    found = self._pair(phrase, groups, need)
                    if found is not None:
                        yield found

    def _pair(
        self, phrase: Phrase, groups: Mapping[str, set[str]], need: Need
    ) -> Association | None:
        both = groups.keys() & self.of_need[need]
        parts = {part for part in self.parts[need] if self.of_need[part] & both}
        if len(both) < SHARED_GROUPS or (len(parts) == 1 and need not in parts):
            return None
        if need.kind == "table" and phrase not in self.counted:
            return None
        if need.kind == "expression" and not _is_of_several_columns(need):
            return None
        is_elsewhere = self.of_need[need] <= self.elsewhere
        where = groups.keys() if is_elsewhere else groups.keys() - (self.elsewhere - both)
        precision = len(both) / len(where)
        lift = precision * len(self.needs) / len(self.of_need[need])
        if precision < MIN_PRECISION or lift < MIN_LIFT:
            return None
        texts = self.written[phrase]
        return Association(
            need=need,
            parts=tuple(sorted(parts)),
            phrase=phrase,
            words=min(texts, key=lambda text: (-texts[text], text)),
            group_ids=frozenset(both),
            question_ids=frozenset(q for group in both for q in groups[group]),
            precision=precision,
            lift=lift,
        )


def _order(one: Association) -> tuple[float, int, int, int, str, Phrase]:
    """Strongest first; of equals what says most: the longer fragment, the longer phrase."""
    return (
        -one.strength,
        -len(one.group_ids),
        -len(one.need.sql),
        -len(one.phrase),
        one.need.sql,
        one.phrase,
    )


def _is_part_of(one: Association, chosen: Iterable[Association]) -> bool:
    """Whether words around it, or a part of it, stand for the same already."""
    return any(
        one.need == other.need
        and (set(one.phrase) <= set(other.phrase) or set(other.phrase) <= set(one.phrase))
        for other in chosen
    )


def _is_of_several_columns(need: Need) -> bool:
    """Whether an expression works something out; of one column it only says how it is written."""
    return len(set(re.findall(rf"{re.escape(need.tables[0])}\.(\w+|`[^`]+`)", need.sql))) > 1
