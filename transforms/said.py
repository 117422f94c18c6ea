"""What the metadata says already: needs by name, and values that a question spells out."""

from __future__ import annotations

from collections.abc import Iterable

import sqlglot
from sqlglot import exp

from transforms.name_scope import Catalog
from transforms.needs import Need
from transforms.phrases import Phrase
from transforms.question_words import contains_value, name_words, stem, stems, words
from transforms.space_state import SpaceState

_COMPARISONS = (exp.EQ, exp.NEQ, exp.In, exp.Like, exp.ILike)


class Said:
    """What a space's names, synonyms and named fragments say of needs."""

    def __init__(self, state: SpaceState) -> None:
        self._state = state
        self._catalog = Catalog(state)
        self._names = [
            *(_name_stems(table.name.rpartition(".")[2]) for table in state.tables),
            *(_name_stems(column.name) for _, column in state.columns()),
        ]
        # What somebody named on purpose means what they said, and nothing else.
        self._given = [
            *(_stems(name) for one in state.snippets for name in (one.display_name, *one.synonyms)),
            *(_stems(synonym) for _, column in state.columns() for synonym in column.synonyms),
        ]
        self._snippets: dict[tuple[str, str], tuple[str, ...]] = {
            (one.kind, _plain(one.sql)): (one.display_name, *one.synonyms) for one in state.snippets
        }

    def is_said(self, phrase: Phrase, need: Need) -> bool:
        """Whether the metadata says already that a phrase is about the objects of a need.

        A need without tables is about columns of one name in several.
        """
        words = set(phrase)
        if any(words <= name or name <= words for name in self._given if name):
            return True
        if need.kind == "table" and any(words <= name for name in self._names):
            return True
        if not need.tables and need.kind == "column" and words <= _name_stems(need.sql):
            return True
        return any(words <= label for label in self._labels(need))

    def is_named(self, need: Need) -> bool:
        """Whether the space has a named fragment of that SQL."""
        return (need.kind, _plain(need.sql)) in self._snippets

    def unnamed(self, question: str, needs: Iterable[Need]) -> frozenset[Need]:
        """The needs that a question does not name itself: by a column's name, or by a value."""
        asked = {stem(word) for word in words(question)}
        values = _said_values(question, needs)
        return frozenset(
            need for need in needs if not self._is_named(asked, need) and need not in values
        )

    def values(self, question: str, needs: Iterable[Need]) -> tuple[str, ...]:
        """The values that a question spells out of the columns that its SQL compares them with."""
        found = {
            literal.name
            for need in needs
            if need.kind in ("filter", "value")
            and isinstance(tree := _parsed(need.sql), _COMPARISONS)
            and isinstance(tree.this, exp.Column)
            for literal in tree.find_all(exp.Literal)
            if literal.is_string and contains_value(question, literal.name)
        }
        return tuple(sorted(found))

    def is_unique(self, column: str) -> bool:
        """Whether no other table has a column of that name."""
        return len(self._catalog.columns_named(column.rpartition(".")[2])) == 1

    def _is_named(self, asked: set[str], need: Need) -> bool:
        if need.kind == "column" and not self.is_unique(need.sql):
            return False
        if need.kind in ("column", "table", "metric"):
            return _name_stems(need.sql.rpartition(".")[2]) <= asked
        if need.kind == "measure":
            tree = _parsed(need.sql)
            column = tree.this if isinstance(tree, exp.AggFunc) else None
            return isinstance(column, exp.Column) and _name_stems(column.name) <= asked
        return False

    def _labels(self, need: Need) -> list[frozenset[str]]:
        """The names of a need's tables and of their columns, and what else they are called."""
        labels = [_stems(text) for text in self._snippets.get((need.kind, _plain(need.sql)), ())]
        if need.kind == "function":
            function = next((f for f in self._state.functions if f.name == need.sql), None)
            labels.append(_name_stems(need.sql.rpartition(".")[2]))
            labels += [_stems(function.comment or "")] if function else []
        for name in need.tables:
            table = self._state.table(name)
            if need.kind != "column" or self.is_unique(need.sql):
                labels.append(_name_stems(name.rpartition(".")[2]))
            if need.kind == "table" and table is not None:
                labels.append(_stems(table.comment or ""))
            for column in table.columns if table else ():
                own = f"{name}.{column.name}" == need.sql
                if not own or self.is_unique(need.sql):
                    labels.append(_name_stems(column.name))
                if own:
                    labels += [_stems(text) for text in column.synonyms]
                    if self.is_unique(need.sql):
                        labels.append(_stems(column.comment or ""))
        return labels


def _said_values(question: str, needs: Iterable[Need]) -> set[Need]:
    """Comparisons with values that the question spells out, and the columns compared."""
    found: set[Need] = set()
    columns: set[str] = set()
    for need in needs:
        tree = _parsed(need.sql) if need.kind in ("filter", "value") else None
        tree = tree.this if isinstance(tree, exp.Not) else tree
        if not isinstance(tree, _COMPARISONS):
            continue
        literals = [one.name for one in tree.find_all(exp.Literal) if one.is_string]
        if not literals or not all(contains_value(question, value) for value in literals):
            continue
        if isinstance(tree.this, exp.Column):
            found.add(need)
            columns.add(need.sql[: need.sql.rfind(".")])
        columns |= {_full_name(column) for column in tree.find_all(exp.Column)}
        columns |= {one.sql for one in needs if one.kind == "expression" and one.sql in need.sql}
    return found | {
        need for need in needs if need.kind in ("column", "expression") and need.sql in columns
    }


def _full_name(column: exp.Column) -> str:
    return ".".join(part.name for part in column.parts)


def _parsed(sql: str) -> exp.Expr | None:
    try:
        return sqlglot.parse_one(sql, dialect="spark")
    except sqlglot.errors.SqlglotError:
        return None


def _plain(sql: str) -> str:
    """A fragment without schemas, quotes and case: as people write it in a space."""
    tree = _parsed(sql)
    for column in tree.find_all(exp.Column) if tree else ():
        column.set("db", None)
        column.set("catalog", None)
    return (tree.sql(dialect="spark") if tree else sql).replace("`", "").lower()


def _name_stems(name: str) -> frozenset[str]:
    return frozenset(stem(part) for part in name_words(name))


def _stems(text: str) -> frozenset[str]:
    return stems(text)
