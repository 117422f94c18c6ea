"""The engine's own picture of a space: sources with fields, however the catalog calls them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from typing import Literal

import sqlglot
from sqlglot import exp
from sqlglot.errors import SqlglotError

from genie.local.engine.english import (
    BOOKKEEPING_WORDS,
    FLAG_WORDS,
    NAME_WORDS,
    NO_WORDS,
    YES_WORDS,
)
from genie.local.engine.prose import ListedValue, evidence_stems, read_prose
from genie.local.engine.visible import (
    VisibleColumn,
    VisibleDimension,
    VisibleMeasure,
    VisibleMetricView,
    VisibleSpace,
    VisibleTable,
)
from genie.local.engine.words import name_parts, stem, stems_of

Family = Literal["number", "text", "date", "timestamp", "boolean", "other"]
_FAMILIES: tuple[tuple[tuple[str, ...], Family], ...] = (
    (("tinyint", "smallint", "int", "bigint", "long", "short", "byte", "float", "double", "real",
      "decimal", "numeric", "dec"), "number"),
    (("string", "varchar", "char", "text"), "text"),
    (("timestamp",), "timestamp"),
    (("date",), "date"),
    (("boolean", "bool"), "boolean"),
)  # fmt: skip
_NAME_PREFIXES = frozenset("dim fact fct tbl stg mv vw v f d t".split())


@dataclass(frozen=True, slots=True)
class Label:
    """Words that name something, and where they stand: in its name, a synonym, a display name."""

    stems: tuple[str, ...]
    origin: str


@dataclass(frozen=True, eq=False)
class Field:
    """A column of a table, or a dimension or measure of a metric view. Compared by identity."""

    source: str
    name: str
    data_type: str
    position: int
    is_measure: bool
    labels: tuple[Label, ...]
    prose: Mapping[str, str]
    listed: tuple[ListedValue, ...]
    values: tuple[str, ...] | None
    is_primary_key: bool = False
    references: tuple[str, str] | None = None
    aggregate: exp.Expr | None = None

    @property
    def family(self) -> Family:
        """What kind of values the data type holds."""
        head = self.data_type.lower().split("(")[0].split("<")[0].strip()
        return (
            next((family for names, family in _FAMILIES if head in names), "other")
            if (not head.startswith("timestamp"))
            else "timestamp"
        )

    @property
    def words(self) -> tuple[str, ...]:
        """The words of its name in lower case."""
        return name_parts(self.name)

    @property
    def is_temporal(self) -> bool:
        """Whether it holds points in time: by its type, or as text that its name calls a date."""
        if self.family in ("date", "timestamp"):
            return True
        return self.family == "text" and bool({"date", "timestamp"} & set(self.words))

    @property
    def is_year(self) -> bool:
        """Whether it is a year written as a number."""
        return (self.family == "number" and "year" in self.words) or (
            self.family == "number" and "year" in self.prose
        )

    @property
    def is_bookkeeping(self) -> bool:
        """Whether its name says when a row was written, not when something happened."""
        return bool(BOOKKEEPING_WORDS & set(self.words))

    @property
    def is_flag(self) -> bool:
        """Whether it says yes or no."""
        meanings = {word for one in self.listed for word in (one.meaning or "").lower().split()[:1]}
        is_decoded = bool(meanings & YES_WORDS) and bool(meanings & NO_WORDS)
        is_named = bool(self.words) and self.words[0] in FLAG_WORDS
        has_codes = self.family in ("text", "number")
        return self.family == "boolean" or ((is_named or is_decoded) and has_codes)

    @property
    def is_key(self) -> bool:
        """Whether it identifies something rather than measuring it."""
        return (
            self.is_primary_key
            or self.references is not None
            or bool({"id", "key", "uuid", "code"} & set(self.words[-1:]))
        )


@dataclass(frozen=True, eq=False)
class Source:
    """A table, or a metric view; compared by identity. ``alias`` is its name in a query."""

    identifier: str
    alias: str
    is_metric_view: bool
    fields: tuple[Field, ...]
    labels: tuple[Label, ...]
    prose: Mapping[str, str]
    by_name: Mapping[str, Field] = field(default_factory=dict)

    def get(self, name: str) -> Field | None:
        """The field of that name, ignoring case."""
        return self.by_name.get(name.lower())

    @cached_property
    def name_field(self) -> Field | None:
        """The field that names a row to a reader: ``name``, ``title``, ``<table>_name``."""
        own = {word for label in self.labels for word in label.stems}
        ranked = []
        for one in self.fields:
            words = [word for word in one.words if stem(word) not in own]
            is_name = bool(words) and all(w in (*NAME_WORDS, "full", "display") for w in words)
            if is_name and one.family == "text" and not one.is_measure:
                ranked.append(one)
        ending = [f for f in self.fields if f.words[-1:] and f.words[-1] in NAME_WORDS]
        texts = [f for f in ending if f.family == "text" and not f.is_measure]
        return next(iter((*ranked, *texts)), None)

    @cached_property
    def key_field(self) -> Field | None:
        """The one field that identifies a row: the declared key, else ``id`` or ``<table>_id``."""
        keys = [one for one in self.fields if one.is_primary_key]
        if keys:
            return keys[0] if len(keys) == 1 else None
        own = {word for label in self.labels for word in label.stems}
        for one in self.fields:
            rest = [word for word in one.words if stem(word) not in own]
            if rest == ["id"]:
                return one
        return None


@lru_cache(maxsize=8)
def sources_of(space: VisibleSpace) -> tuple[Source, ...]:
    """All tables and metric views, sorted by identifier."""
    identifiers = [one.identifier for one in space.tables]
    identifiers += [one.identifier for one in space.metric_views]
    shorts = Counter(identifier.split(".")[-1].lower() for identifier in identifiers)

    def alias(identifier: str) -> str:
        parts = identifier.split(".")
        return parts[-1] if shorts[parts[-1].lower()] == 1 else "_".join(parts)

    found = [_table(table, alias(table.identifier)) for table in space.tables]
    found += [_metric_view(view, alias(view.identifier)) for view in space.metric_views]
    return tuple(sorted(found, key=lambda one: (one.identifier.lower(), one.identifier)))


def name_label(name: str, origin: str = "name") -> Label:
    """The label that an identifier is, without what only says how it is stored."""
    parts = name_parts(name)
    while len(parts) > 1 and parts[0] in _NAME_PREFIXES:
        parts = parts[1:]
    return Label(tuple(stem(part) for part in parts), origin)


def labels_of(name: str, display_name: str | None, synonyms: tuple[str, ...]) -> tuple[Label, ...]:
    """Every label of a named thing, its name first."""
    labels = [name_label(name)]
    if display_name:
        labels.append(Label(stems_of(display_name), "display name"))
    labels += [Label(stems_of(synonym), "synonym") for synonym in synonyms]
    kept = tuple(label for label in dict.fromkeys(labels) if label.stems)
    return kept or (Label((name.lower(),), "name"),)  # a name of signs only is one word


def prose_of(comment: str | None, description: str | None) -> dict[str, str]:
    """Stem by stem where it is said: in the comment or in the description."""
    origins = dict.fromkeys(sorted(read_prose(comment).stems), "comment")
    return dict.fromkeys(sorted(read_prose(description).stems), "description") | origins


def _table(table: VisibleTable, alias: str) -> Source:
    fields = tuple(
        _column(table.identifier, column, position) for position, column in enumerate(table.columns)
    )
    prose = dict.fromkeys(sorted(evidence_stems(table.description or "")), "description")
    prose |= dict.fromkeys(sorted(evidence_stems(table.comment or "")), "comment")
    return _source(table.identifier, alias, False, fields, prose)


def _source(
    identifier: str, alias: str, is_view: bool, fields: tuple[Field, ...], prose: dict[str, str]
) -> Source:
    by_name: dict[str, Field] = {}
    for one in fields:
        by_name.setdefault(one.name.lower(), one)
    labels = labels_of(identifier.split(".")[-1], None, ())
    return Source(identifier, alias, is_view, fields, labels, prose, by_name)


def _column(source: str, column: VisibleColumn, position: int) -> Field:
    comment, description = read_prose(column.comment), read_prose(column.description)
    return Field(
        source=source,
        name=column.name,
        data_type=column.data_type,
        position=position,
        is_measure=False,
        labels=labels_of(column.name, None, column.synonyms),
        prose=prose_of(column.comment, column.description),
        listed=(*description.values, *comment.values),
        values=column.values,
        is_primary_key=column.is_primary_key,
        references=column.references or comment.refers_to or description.refers_to,
    )


def _metric_view(view: VisibleMetricView, alias: str) -> Source:
    members: tuple[VisibleDimension | VisibleMeasure, ...] = (*view.dimensions, *view.measures)
    fields = tuple(
        _member(view.identifier, member, position) for position, member in enumerate(members)
    )
    prose = dict.fromkeys(sorted(evidence_stems(view.description or "")), "description")
    prose |= dict.fromkeys(sorted(evidence_stems(view.comment or "")), "comment")
    return _source(view.identifier, alias, True, fields, prose)


def _member(source: str, member: VisibleDimension | VisibleMeasure, position: int) -> Field:
    comment, description = read_prose(member.comment), read_prose(member.description)
    is_measure = isinstance(member, VisibleMeasure)
    return Field(
        source=source,
        name=member.name,
        data_type=member.data_type if isinstance(member, VisibleDimension) else "double",
        position=position,
        is_measure=is_measure,
        labels=labels_of(member.name, member.display_name, member.synonyms),
        prose=prose_of(member.comment, member.description),
        listed=(*description.values, *comment.values),
        values=member.values if isinstance(member, VisibleDimension) else None,
        aggregate=_aggregate(member.expr) if is_measure else None,
    )


def _aggregate(expr: str) -> exp.Expr | None:
    """The aggregate that a measure is; None where it is none, or a combination of several."""
    try:
        tree = sqlglot.parse_one(expr[:5_000], dialect="spark")
    except (SqlglotError, RecursionError, IndexError, ValueError):
        return None
    return tree if isinstance(tree, exp.AggFunc) else None
