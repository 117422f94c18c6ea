"""The closed set of changes that a proposal may ask for, typed and validated.

A patch is one JSON object whose ``patch_type`` selects its class. It names the object it changes in
canonical form (``target``), which part of it (``target_field``), and every text it would write
(``texts``, ``sql_texts``), which is what the leakage firewall looks at.
"""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

import sqlglot
from pydantic import BaseModel, ConfigDict, Field, StringConstraints, TypeAdapter, field_validator
from sqlglot import exp

MAX_TEXT = 25_000  # characters a string of serialized_space may have

Name = Annotated[str, StringConstraints(min_length=1, max_length=255, strip_whitespace=True)]
Text = Annotated[str, StringConstraints(min_length=1, max_length=MAX_TEXT, strip_whitespace=True)]

_FORBIDDEN_IN_FRAGMENT = (
    exp.Query, exp.Create, exp.Insert, exp.Update, exp.Delete, exp.Drop, exp.Command, exp.Merge,
)  # fmt: skip


def _valid_fragment(sql: str) -> str:
    """A SQL expression, never a statement. Raises ValueError."""
    try:
        tree = sqlglot.parse_one(f"SELECT {sql}", dialect="spark")
    except sqlglot.errors.ParseError as error:
        raise ValueError(f"not a SQL expression: {sql!r}") from error
    if not isinstance(tree, exp.Select) or len(tree.expressions) != 1 or tree.args.get("from_"):
        raise ValueError(f"not a single SQL expression: {sql!r}")
    if any(tree.expressions[0].find(kind) for kind in _FORBIDDEN_IN_FRAGMENT):
        raise ValueError(f"a fragment must not hold a statement: {sql!r}")
    return sql


Relationship = Literal["MANY_TO_ONE", "ONE_TO_MANY", "ONE_TO_ONE", "MANY_TO_MANY"]
Fragment = Annotated[str, StringConstraints(min_length=1, max_length=MAX_TEXT)]


class Patch(BaseModel):
    """What all patches share. ``lever`` is fixed by the type."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    lever: ClassVar[int]
    patch_type: str

    @property
    def target(self) -> str:
        """The object that is changed, canonical: ``column:schema.table.column`` and the like."""
        raise NotImplementedError

    @property
    def target_field(self) -> str:
        """The part of the object that is changed; two patches on one part conflict."""
        raise NotImplementedError

    @property
    def after(self) -> str:
        """What would stand there, for people."""
        return "; ".join([*self.texts, *self.sql_texts])

    @property
    def texts(self) -> tuple[str, ...]:
        """Every prose text it would write."""
        return ()

    @property
    def sql_texts(self) -> tuple[str, ...]:
        """Every SQL text it would write."""
        return ()


class _TableText(Patch):
    table: Name
    comment: Text

    @property
    def target(self) -> str:
        return f"table:{self.table}"

    @property
    def target_field(self) -> str:
        return "comment"

    @property
    def texts(self) -> tuple[str, ...]:
        return (self.comment,)


class SetTableComment(_TableText):
    """Lever 1: the comment of a table."""

    lever: ClassVar[int] = 1
    patch_type: Literal["set_table_comment"] = "set_table_comment"


class SetColumnComment(Patch):
    """Lever 1: the comment of a column."""

    lever: ClassVar[int] = 1
    patch_type: Literal["set_column_comment"] = "set_column_comment"
    table: Name
    column: Name
    comment: Text

    @property
    def target(self) -> str:
        return f"column:{self.table}.{self.column}"

    @property
    def target_field(self) -> str:
        return "comment"

    @property
    def texts(self) -> tuple[str, ...]:
        return (self.comment,)


class AddColumnSynonyms(Patch):
    """Lever 1: words that people use for a column, in the space's column config."""

    lever: ClassVar[int] = 1
    patch_type: Literal["add_column_synonyms"] = "add_column_synonyms"
    table: Name
    column: Name
    synonyms: tuple[Name, ...] = Field(min_length=1)

    @property
    def target(self) -> str:
        return f"column:{self.table}.{self.column}"

    @property
    def target_field(self) -> str:
        return "synonyms"

    @property
    def texts(self) -> tuple[str, ...]:
        return self.synonyms


class _MetricViewMember(Patch):
    metric_view: Name
    name: Name
    expr: Fragment
    comment: Text | None = None
    synonyms: tuple[Name, ...] = ()

    _expr_is_a_fragment = field_validator("expr")(_valid_fragment)

    @property
    def target_field(self) -> str:
        return "definition"

    @property
    def texts(self) -> tuple[str, ...]:
        return ((self.comment,) if self.comment else ()) + self.synonyms

    @property
    def sql_texts(self) -> tuple[str, ...]:
        return (self.expr,)


class SetMetricViewMeasure(_MetricViewMember):
    """Lever 2: a new or corrected measure of a metric view."""

    lever: ClassVar[int] = 2
    patch_type: Literal["set_metric_view_measure"] = "set_metric_view_measure"

    @property
    def target(self) -> str:
        return f"measure:{self.metric_view}.{self.name}"


class SetMetricViewDimension(_MetricViewMember):
    """Lever 2: a new or corrected dimension of a metric view."""

    lever: ClassVar[int] = 2
    patch_type: Literal["set_metric_view_dimension"] = "set_metric_view_dimension"

    @property
    def target(self) -> str:
        return f"column:{self.metric_view}.{self.name}"


class SetFunctionComment(Patch):
    """Lever 3: the comment of a table function, or of one of its parameters."""

    lever: ClassVar[int] = 3
    patch_type: Literal["set_function_comment"] = "set_function_comment"
    function: Name
    parameter: Name | None = None
    comment: Text

    @property
    def target(self) -> str:
        return f"function:{self.function}" + (f".{self.parameter}" if self.parameter else "")

    @property
    def target_field(self) -> str:
        return "comment"

    @property
    def texts(self) -> tuple[str, ...]:
        return (self.comment,)


class SetFunctionDefault(Patch):
    """Lever 3: the default of a parameter of a table function."""

    lever: ClassVar[int] = 3
    patch_type: Literal["set_function_default"] = "set_function_default"
    function: Name
    parameter: Name
    default: Fragment

    _default_is_a_fragment = field_validator("default")(_valid_fragment)

    @property
    def target(self) -> str:
        return f"function:{self.function}.{self.parameter}"

    @property
    def target_field(self) -> str:
        return "default"

    @property
    def sql_texts(self) -> tuple[str, ...]:
        return (self.default,)


class _OwnLeverText(_TableText):
    """The comment of a table, or of its ``column``, where such tables have a lever of their own."""

    column: Name | None = None

    @property
    def target(self) -> str:
        return f"column:{self.table}.{self.column}" if self.column else super().target


class SetMonitoringComment(_OwnLeverText):
    """Lever 4: a comment of a monitoring table: what a row is, windows, slices."""

    lever: ClassVar[int] = 4
    patch_type: Literal["set_monitoring_comment"] = "set_monitoring_comment"


class SetMlTableComment(_OwnLeverText):
    """Lever 5: a comment of an ML table: what is predicted, when it was scored."""

    lever: ClassVar[int] = 5
    patch_type: Literal["set_ml_table_comment"] = "set_ml_table_comment"


class AddJoinSpec(Patch):
    """Lever 6: how two tables join; ``sql`` is the condition over the tables' last name parts."""

    lever: ClassVar[int] = 6
    patch_type: Literal["add_join_spec"] = "add_join_spec"
    left: Name
    right: Name
    sql: Fragment
    relationship: Relationship
    instruction: Text | None = None

    _sql_is_a_fragment = field_validator("sql")(_valid_fragment)

    @property
    def target(self) -> str:
        return f"join:{self.left}={self.right}"

    @property
    def target_field(self) -> str:
        return self.sql

    @property
    def texts(self) -> tuple[str, ...]:
        return (self.instruction,) if self.instruction else ()

    @property
    def sql_texts(self) -> tuple[str, ...]:
        return (self.sql,)


class AddSqlSnippet(Patch):
    """Lever 6: a named filter, expression or measure of the space."""

    lever: ClassVar[int] = 6
    patch_type: Literal["add_sql_snippet"] = "add_sql_snippet"
    kind: Literal["filter", "expression", "measure"]
    sql: Fragment
    display_name: Name
    synonyms: tuple[Name, ...] = ()
    instruction: Text | None = None

    _sql_is_a_fragment = field_validator("sql")(_valid_fragment)

    @property
    def target(self) -> str:
        return f"snippet:{self.kind}:{self.display_name}"

    @property
    def target_field(self) -> str:
        return "sql"

    @property
    def texts(self) -> tuple[str, ...]:
        instruction = (self.instruction,) if self.instruction else ()
        return (self.display_name, *self.synonyms, *instruction)

    @property
    def sql_texts(self) -> tuple[str, ...]:
        return (self.sql,)


class AddInstruction(Patch):
    """Lever 6: one paragraph of the space's text instruction."""

    lever: ClassVar[int] = 6
    patch_type: Literal["add_instruction"] = "add_instruction"
    space_id: Name
    topic: Name
    text: Text

    @property
    def target(self) -> str:
        return f"space:{self.space_id}"

    @property
    def target_field(self) -> str:
        return f"instruction:{self.topic}"

    @property
    def texts(self) -> tuple[str, ...]:
        return (self.text,)


class AddExampleQuestion(Patch):
    """Lever 6: an example question with its SQL; the firewall refuses those of a benchmark."""

    lever: ClassVar[int] = 6
    patch_type: Literal["add_example_question"] = "add_example_question"
    space_id: Name
    question: Text
    sql: Text

    @property
    def target(self) -> str:
        return f"space:{self.space_id}"

    @property
    def target_field(self) -> str:
        return f"example:{self.question}"

    @property
    def texts(self) -> tuple[str, ...]:
        return (self.question,)

    @property
    def sql_texts(self) -> tuple[str, ...]:
        return (self.sql,)


class _BenchmarkChange(Patch):
    lever: ClassVar[int] = 0
    space_id: Name
    question_id: Name

    @property
    def target(self) -> str:
        return f"benchmark:{self.space_id}/{self.question_id}"

    @property
    def target_field(self) -> str:
        return "expected_sql"


class CorrectBenchmark(_BenchmarkChange):
    """Lever 0, not metadata: the expected SQL of a benchmark that the arbiter found wrong.

    Approved like any other change, in batches of its own; the firewall has nothing to say about it.
    """

    patch_type: Literal["correct_benchmark"] = "correct_benchmark"
    expected_sql: Text

    @property
    def after(self) -> str:
        return self.expected_sql


class QuarantineBenchmark(_BenchmarkChange):
    """Lever 0: a benchmark that says nothing as it is leaves the denominator of accuracy.

    ``reason`` is why, as everybody is told who is shown an accuracy without it. It changes what a
    correction of the benchmark changes, so that of the two one is made.
    """

    patch_type: Literal["quarantine_benchmark"] = "quarantine_benchmark"
    reason: Text

    @property
    def after(self) -> str:
        return f"quarantined: {self.reason}"


AnyPatch = Annotated[
    SetTableComment
    | SetColumnComment
    | AddColumnSynonyms
    | SetMetricViewMeasure
    | SetMetricViewDimension
    | SetFunctionComment
    | SetFunctionDefault
    | SetMonitoringComment
    | SetMlTableComment
    | AddJoinSpec
    | AddSqlSnippet
    | AddInstruction
    | AddExampleQuestion
    | CorrectBenchmark
    | QuarantineBenchmark,
    Field(discriminator="patch_type"),
]

_ADAPTER: TypeAdapter[AnyPatch] = TypeAdapter(AnyPatch)


def parse_patch(text: str) -> AnyPatch:
    """The patch that a JSON text holds. Raises pydantic.ValidationError for anything else."""
    return _ADAPTER.validate_json(text)


def patch_json(patch: Patch) -> str:
    """Canonical JSON of a patch: what a proposal stores and a content hash covers."""
    return patch.model_dump_json(exclude_none=True)
