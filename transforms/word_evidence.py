"""What the train questions of one evaluation show together, as evidence for clusters.

A single answer without SQL says little of what is missing; many of them share words and parts of
their SQL. Each finding here is about one need that two or more train groups share, and becomes a
cluster of its own: the cause, the need that is blamed, and the questions that show it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from transforms.associations import SHARED_GROUPS, Asked, associate
from transforms.findings import unquoted
from transforms.name_scope import Catalog
from transforms.needs import Need, needs_of
from transforms.question_words import contains_value, stem, unexplained_terms
from transforms.said import Said
from transforms.shared_causes import ALWAYS, CAUSES, UNNAMED, VALUES, WORDS
from transforms.space_state import SpaceState

PARTLY_EXPLAINED = 0.1  # of a cause's confidence, where this does not mend the question yet
_OTHER_ASSETS = frozenset(("metric", "function"))
_LEVERS = {"value": 1, "flag": 1, "column": 1, "table": 1, "metric": 2, "function": 3}
ALWAYS_GROUPS = 3  # groups that must all put a condition on a table


@dataclass(frozen=True, slots=True)
class AskedRow:
    """A train question of an evaluation. ``is_wrong``: it has a confirmed failure."""

    question_id: str
    group_id: str
    question: str
    expected_sql: str
    is_wrong: bool


@dataclass(frozen=True, slots=True)
class WordFinding:
    """What one wrong question adds to one cluster: what it needs, and the words for it.

    ``confidence`` (0-1) is that of the cause where saying so may mend the question: all its words
    are explained then, and none of them by a later lever. It is less where that is not so.
    """

    cause: str
    blame: str
    question_id: str
    fragment: str
    confidence: float
    terms: tuple[str, ...] = ()


def word_findings(rows: Sequence[AskedRow], state: SpaceState) -> tuple[WordFinding, ...]:
    """Everything that the questions show together, sorted. Deterministic; any order of rows."""
    catalog, said = Catalog(state), Said(state)
    needs = {row.question_id: needs_of(row.expected_sql, catalog) for row in rows}
    wrong = [row for row in rows if row.is_wrong]
    found: dict[tuple[str, str, str], tuple[set[str], set[str]]] = defaultdict(
        lambda: (set(), set())
    )
    asked = [
        Asked(
            row.question_id,
            row.group_id,
            row.question,
            said.unnamed(row.question, needs[row.question_id]),
            said.values(row.question, needs[row.question_id]),
            is_elsewhere=any(n.kind in _OTHER_ASSETS for n in needs[row.question_id]),
        )
        for row in rows
    ]
    named: set[Need] = set()
    levers: dict[str, int] = {}
    learned: dict[str, set[str]] = defaultdict(set)
    last_lever: dict[str, int] = defaultdict(int)
    for one in associate(asked, said.is_said):
        named.update(one.parts)
        for row in wrong:
            if row.question_id in one.question_ids:
                key = (WORDS, one.need.blame, row.question_id)
                found[key][0].update(p.sql for p in one.parts if p in needs[row.question_id])
                found[key][1].add(one.words)
                learned[row.question_id].update(one.phrase)
                lever = _LEVERS.get(one.need.kind, 6)
                last_lever[row.question_id] = max(lever, last_lever[row.question_id])
                levers[one.need.blame] = lever
    for cause, need, questions in (
        *_always(rows, needs, named),
        *_unnamed(rows, needs, named, said),
        *_values(wrong, needs, said),
    ):
        for row in wrong:
            if row.question_id in questions:
                found[cause, need.blame, row.question_id][0].add(need.sql)
    is_explained = {
        row.question_id: _is_explained(row, needs[row.question_id], state, said, learned)
        for row in wrong
    }

    def confidence(cause: str, blame: str, question: str) -> float:
        is_last = levers.get(blame, last_lever[question]) >= last_lever[question]
        share = 1.0 if is_explained[question] and is_last else PARTLY_EXPLAINED
        return CAUSES[cause].confidence * share

    return tuple(
        WordFinding(
            cause,
            blame,
            question,
            min(fragments),
            confidence(cause, blame, question),
            tuple(sorted(terms)),
        )
        for (cause, blame, question), (fragments, terms) in sorted(found.items())
        if fragments
    )


def _is_explained(
    row: AskedRow,
    needs: frozenset[Need],
    state: SpaceState,
    said: Said,
    learned: Mapping[str, set[str]],
) -> bool:
    """Whether every word of a question is explained by metadata, by values or by what was found."""
    unknown = unexplained_terms(row.question, state, said.values(row.question, needs))
    stems = {stem(word) for term in unknown for word in term.split()}
    return stems <= learned[row.question_id]


_Found = tuple[str, Need, frozenset[str]]


def _by_need(
    rows: Sequence[AskedRow], needs: Mapping[str, frozenset[Need]]
) -> dict[Need, dict[str, set[str]]]:
    """Needs with the groups that have them, and the questions of each."""
    found: dict[Need, dict[str, set[str]]] = defaultdict(lambda: defaultdict(set))
    for row in rows:
        for need in needs[row.question_id]:
            found[need][row.group_id].add(row.question_id)
    return found


def _questions(groups: Mapping[str, set[str]]) -> frozenset[str]:
    return frozenset(question for questions in groups.values() for question in questions)


def _always(
    rows: Sequence[AskedRow], needs: Mapping[str, frozenset[Need]], named: set[Need]
) -> Iterator[_Found]:
    """Conditions that everybody who reads a table puts on it: they are true of the table."""
    by_need = _by_need(rows, needs)
    readers: dict[str, set[str]] = defaultdict(set)
    for need, groups in by_need.items():
        for table in need.tables:
            readers[table] |= groups.keys()
    for need, groups in sorted(by_need.items()):
        if need.kind not in ("filter", "value", "flag") or len(need.tables) != 1:
            continue
        if any(need.tables == other.tables and need.sql in other.sql for other in named):
            continue  # words ask for it
        if " AND " not in need.sql and ALWAYS_GROUPS <= len(groups) == len(readers[need.tables[0]]):
            yield ALWAYS, need, _questions(groups)


def _unnamed(
    rows: Sequence[AskedRow],
    needs: Mapping[str, frozenset[Need]],
    named: set[Need],
    said: Said,
) -> Iterator[_Found]:
    """Fragments that enough groups share, and that no words were found for."""
    always = {need for _, need, _ in _always(rows, needs, named)}
    for need, groups in sorted(_by_need(rows, needs).items()):
        if need.kind not in ("filter", "measure", "expression") or len(groups) < SHARED_GROUPS:
            continue
        is_part = any(need.tables == other.tables and need.sql in other.sql for other in named)
        if need not in named | always and not is_part and not said.is_named(need):
            yield UNNAMED, need, _questions(groups)


def _values(
    wrong: Sequence[AskedRow], needs: Mapping[str, frozenset[Need]], said: Said
) -> Iterator[_Found]:
    """Columns of which the questions spell out values: which there are may be listed.

    Where other tables have a column of that name, a list would not tell which one is meant.
    """
    spelled: dict[Need, set[str]] = defaultdict(set)
    for row in wrong:
        for need in needs[row.question_id]:
            column, _, value = need.sql.partition(" = ")
            is_said = need.kind == "value" and contains_value(row.question, unquoted(value))
            if is_said and said.is_unique(column):
                spelled[Need("column", column, need.tables)].add(row.question_id)
    for column_need, questions in sorted(spelled.items()):
        yield VALUES, column_need, frozenset(questions)
