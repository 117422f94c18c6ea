"""The fields of ``serialized_space``, version 2, as typed values.

The classes are also the schema that a document is checked against: a field of a class is a field
that the platform knows, and ``MESSAGE`` is what the platform calls the object in its errors. Texts
are tuples of elements that are joined without a separator (``text.join_text``).
"""

from __future__ import annotations

import types
from dataclasses import dataclass
from functools import cache
from typing import Any, ClassVar, TypeVar, cast, get_args, get_origin, get_type_hints

_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class SampleQuestion:
    """A question that the space's page offers."""

    MESSAGE: ClassVar[str] = "SampleQuestion"
    id: str = ""
    question: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Config:
    """What the space's page shows."""

    MESSAGE: ClassVar[str] = "Config"
    sample_questions: tuple[SampleQuestion, ...] = ()


@dataclass(frozen=True, slots=True)
class ColumnConfig:
    """What the space says of a column on top of the catalog."""

    MESSAGE: ClassVar[str] = "ColumnConfig"
    column_name: str = ""
    description: tuple[str, ...] = ()
    synonyms: tuple[str, ...] = ()
    exclude: bool = False
    enable_format_assistance: bool = False
    enable_entity_matching: bool = False


@dataclass(frozen=True, slots=True)
class Table:
    """A table or view, by its name in the catalog."""

    MESSAGE: ClassVar[str] = "Table"
    identifier: str = ""
    description: tuple[str, ...] = ()
    column_configs: tuple[ColumnConfig, ...] = ()


@dataclass(frozen=True, slots=True)
class MetricView(Table):
    """A metric view, by its name in the catalog."""

    MESSAGE: ClassVar[str] = "MetricView"


@dataclass(frozen=True, slots=True)
class DataSources:
    """What is asked about."""

    MESSAGE: ClassVar[str] = "DataSources"
    tables: tuple[Table, ...] = ()
    metric_views: tuple[MetricView, ...] = ()


@dataclass(frozen=True, slots=True)
class TextInstruction:
    """The general instructions: at most one of these in a space."""

    MESSAGE: ClassVar[str] = "TextInstruction"
    id: str = ""
    content: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ParameterValues:
    """The default of a parameter."""

    MESSAGE: ClassVar[str] = "ParameterDefaultValue"
    values: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Parameter:
    """A parameter of an example; ``type_hint`` is its SQL type."""

    MESSAGE: ClassVar[str] = "Parameter"
    name: str = ""
    type_hint: str = ""
    description: tuple[str, ...] = ()
    default_value: ParameterValues | None = None


@dataclass(frozen=True, slots=True)
class ExampleQuestionSql:
    """A question with the SQL that answers it."""

    MESSAGE: ClassVar[str] = "ExampleQuestionSql"
    id: str = ""
    question: tuple[str, ...] = ()
    sql: tuple[str, ...] = ()
    usage_guidance: tuple[str, ...] = ()
    parameters: tuple[Parameter, ...] = ()


@dataclass(frozen=True, slots=True)
class SqlFunction:
    """A SQL function that answers may call, by its name in the catalog."""

    MESSAGE: ClassVar[str] = "SqlFunction"
    id: str = ""
    identifier: str = ""
    description: str = ""


@dataclass(frozen=True, slots=True)
class JoinSide:
    """One table of a join; ``alias`` is what the condition calls it."""

    MESSAGE: ClassVar[str] = "JoinSpecTable"
    identifier: str = ""
    alias: str = ""


@dataclass(frozen=True, slots=True)
class JoinSpec:
    """How two tables join; ``sql`` holds the condition and the marker of the relationship."""

    MESSAGE: ClassVar[str] = "JoinSpec"
    id: str = ""
    left: JoinSide | None = None
    right: JoinSide | None = None
    sql: tuple[str, ...] = ()
    comment: tuple[str, ...] = ()
    instruction: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Filter:
    """A named condition, without the word WHERE."""

    MESSAGE: ClassVar[str] = "Filter"
    id: str = ""
    sql: tuple[str, ...] = ()
    display_name: str = ""
    synonyms: tuple[str, ...] = ()
    instruction: tuple[str, ...] = ()
    comment: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Expression(Filter):
    """A named expression over columns."""

    MESSAGE: ClassVar[str] = "Expression"
    alias: str = ""


@dataclass(frozen=True, slots=True)
class Measure(Filter):
    """A named aggregate."""

    MESSAGE: ClassVar[str] = "Measure"
    alias: str = ""


@dataclass(frozen=True, slots=True)
class SqlSnippets:
    """Fragments of SQL that answers may be made of."""

    MESSAGE: ClassVar[str] = "SqlSnippets"
    filters: tuple[Filter, ...] = ()
    expressions: tuple[Expression, ...] = ()
    measures: tuple[Measure, ...] = ()


@dataclass(frozen=True, slots=True)
class Instructions:
    """What answers are told beyond the data."""

    MESSAGE: ClassVar[str] = "Instructions"
    text_instructions: tuple[TextInstruction, ...] = ()
    example_question_sqls: tuple[ExampleQuestionSql, ...] = ()
    sql_functions: tuple[SqlFunction, ...] = ()
    join_specs: tuple[JoinSpec, ...] = ()
    sql_snippets: SqlSnippets = SqlSnippets()


@dataclass(frozen=True, slots=True)
class BenchmarkAnswer:
    """The expected answer; ``format`` is always ``SQL``."""

    MESSAGE: ClassVar[str] = "BenchmarkAnswer"
    format: str = ""
    content: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class BenchmarkQuestion:
    """A question whose answer is known; ``answer`` holds exactly one."""

    MESSAGE: ClassVar[str] = "BenchmarkQuestion"
    id: str = ""
    question: tuple[str, ...] = ()
    answer: tuple[BenchmarkAnswer, ...] = ()


@dataclass(frozen=True, slots=True)
class Benchmarks:
    """The questions a space is measured by; an answer never sees them."""

    MESSAGE: ClassVar[str] = "Benchmarks"
    questions: tuple[BenchmarkQuestion, ...] = ()


@dataclass(frozen=True, slots=True)
class SpaceExport:
    """The whole document."""

    MESSAGE: ClassVar[str] = "GenieSpaceExport"
    version: int = 0
    config: Config = Config()
    data_sources: DataSources = DataSources()
    instructions: Instructions = Instructions()
    benchmarks: Benchmarks = Benchmarks()


@cache
def fields_of(message: Any) -> dict[str, Any]:
    """The fields of a class of this module with their types, without ``X | None`` around one."""
    hints = get_type_hints(message)
    del hints["MESSAGE"]
    return {name: _without_none(hint) for name, hint in hints.items()}


def _without_none(hint: Any) -> Any:
    if isinstance(hint, types.UnionType):
        return next(choice for choice in get_args(hint) if choice is not type(None))
    return hint


def element_type(hint: Any) -> Any:
    """The type of an array's elements; None for a type that is no array."""
    return get_args(hint)[0] if get_origin(hint) is tuple else None


def read(message: type[_T], raw: dict[str, Any]) -> _T:
    """The typed value of a JSON object that has the right shape; nulls are absent fields."""
    fields = fields_of(cast(Any, message))
    return message(**{
        name: _read_value(fields[name], value) for name, value in raw.items() if value is not None
    })  # fmt: skip


def _read_value(hint: Any, value: Any) -> Any:
    item = element_type(hint)
    if item is not None:
        return tuple(_read_value(item, element) for element in value)
    return read(hint, value) if hasattr(hint, "MESSAGE") else value
