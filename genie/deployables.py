"""What can be deployed: kinds of objects, each with its wanted and live content, and how to set it.

A content is a JSON value; two objects with the same content answer alike. ``None`` is an object
that is not there.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from databricks.sdk import WorkspaceClient

from genie.catalog import (
    KIND,
    Member,
    Relation,
    Routine,
    RunSql,
    StatementFailedError,
    quoted,
    quoted_part,
    read_relation,
    read_routine,
)
from genie.definition_files import Definition, plain_type
from genie.project import TableNotes
from genie.workspace_check import read_space
from genie.workspace_errors import telling
from transforms.errors import InvalidInputError
from transforms.serialized_space import SpaceConfig
from transforms.space_state import AssetKind

Content = Mapping[str, Any]


class Deployable(Protocol):
    """One object of a project; ``key`` is its kind and name."""

    @property
    def key(self) -> str: ...

    @property
    def wanted(self) -> Content:
        """The content that the repository's file asks for."""

    def read(self) -> Content | None:
        """The content that is live; None where the object is not there."""

    def is_ours(self, live: Content, last: Content | None) -> bool:
        """Whether nothing that anybody else wrote is lost when the live content is overwritten.

        ``last`` is what was live after the last deployment, None where there was none.
        """

    def write(self) -> None:
        """Make the live content the wanted one."""


@dataclass(frozen=True, slots=True)
class TableComments:
    """The comments of a table and its columns, and its kind; the table itself is not made here."""

    notes: TableNotes
    run: RunSql

    @property
    def key(self) -> str:
        """``table NAME``."""
        return f"table {self.notes.name}"

    @property
    def wanted(self) -> Content:
        """``comment``, ``columns`` by name in lower case, ``kind`` where the file declares one."""
        return self._with_kind(_comments(self.notes.comment, self.notes.columns), self.notes.kind)

    def read(self) -> Content | None:
        """As ``wanted``. Raises InvalidInputError for a table or a column that is not there."""
        relation = read_relation(self.run, self.notes.name)
        if relation is None:
            raise InvalidInputError(
                "this table is not there",
                where=self.notes.name,
                remedy="load or create it first: only its comments are deployed",
            )
        there = {column.name.lower() for column in relation.columns}
        gone = [name for name in self.notes.columns if name.lower() not in there]
        if gone:
            raise InvalidInputError(
                f"the table has no column {', '.join(gone)}",
                where=self.notes.name,
                remedy="correct its file, or the table",
            )
        declared = {name.lower() for name in self.notes.columns}
        said = {c.name: c.comment for c in relation.columns if c.name.lower() in declared}
        return self._with_kind(_comments(relation.comment, said), relation.table_kind)

    def is_ours(self, live: Content, last: Content | None) -> bool:
        """Whether the kind and every comment is one of the file or of the last deployment.

        Comments are set one after another: a deployment that was cut off leaves both kinds.
        """
        known = [self.wanted, *([last] if last else [])]
        is_known_kind = live.get("kind") in ("table", None, *(one.get("kind") for one in known))
        is_known_comment = live["comment"] in (None, *(one["comment"] for one in known))
        return (
            is_known_kind
            and is_known_comment
            and all(
                comment in [one["columns"].get(name) for one in known]
                for name, comment in live["columns"].items()
            )
        )

    def write(self) -> None:
        """Set the comments that differ, and the kind."""
        live, wanted = self.read(), self.wanted
        assert live is not None  # a table that is gone has been raised
        table = quoted(self.notes.name)
        if live.get("kind") != wanted.get("kind"):
            kind = _literal(str(self.notes.kind))
            self.run(f"ALTER TABLE {table} SET TBLPROPERTIES ({_literal(KIND)} = {kind})")
        if live["comment"] != wanted["comment"]:
            comment = self.notes.comment
            self.run(f"COMMENT ON TABLE {table} IS {_literal(comment) if comment else 'NULL'}")
        for name, comment in self.notes.columns.items():
            if live["columns"].get(name.lower()) != wanted["columns"].get(name.lower()):
                self.run(
                    f"ALTER TABLE {table} ALTER COLUMN {quoted_part(name)} "
                    f"COMMENT {_literal(comment or '')}"
                )

    def _with_kind(self, said: dict[str, Any], kind: AssetKind | None) -> dict[str, Any]:
        """A file that declares no kind says nothing about it."""
        return said if self.notes.kind is None else {**said, "kind": kind}


@dataclass(frozen=True, slots=True)
class DefinedMetricView:
    """A metric view, by the statement of its file."""

    definition: Definition
    run: RunSql

    @property
    def key(self) -> str:
        """``metric view NAME``."""
        return f"metric view {self.definition.wanted.name}"

    @property
    def wanted(self) -> Content:
        """``comment``, ``columns`` (comments by name in lower case), ``definition`` (the YAML)."""
        assert isinstance(self.definition.wanted, Relation)
        return _view_content(self.definition.wanted)

    def read(self) -> Content | None:
        """As ``wanted``."""
        relation = read_relation(self.run, self.definition.wanted.name)
        return _view_content(relation) if relation else None

    def is_ours(self, live: Content, last: Content | None) -> bool:
        """Whether it is as it was deployed: a definition is replaced whole."""
        return live == last

    def write(self) -> None:
        """Run the statement; where the view cannot be replaced, drop it first.

        Spark 4.2 refuses to replace a metric view. One that was dropped for a definition that
        turns out to be wrong is made again as it was; then the failure is raised.
        """
        try:
            self.run(self.definition.statement)
        except StatementFailedError as error:
            before = read_relation(self.run, self.definition.wanted.name)
            if before is None or "ALREADY_EXISTS" not in error.what:
                raise
            self.run(f"DROP VIEW {quoted(before.name)}")
            try:
                self.run(self.definition.statement)
            except StatementFailedError:
                self.run(_create_statement(before))
                raise


@dataclass(frozen=True, slots=True)
class DefinedFunction:
    """A table function, by the statement of its file."""

    definition: Definition
    run: RunSql

    @property
    def key(self) -> str:
        """``function NAME``."""
        return f"function {self.definition.wanted.name}"

    @property
    def wanted(self) -> Content:
        """``comment``, ``parameters``, ``returns`` and ``body``."""
        assert isinstance(self.definition.wanted, Routine)
        return _routine_content(self.definition.wanted)

    def read(self) -> Content | None:
        """As ``wanted``."""
        routine = read_routine(self.run, self.definition.wanted.name)
        return _routine_content(routine) if routine else None

    def is_ours(self, live: Content, last: Content | None) -> bool:
        """Whether it is as it was deployed: a definition is replaced whole."""
        return live == last

    def write(self) -> None:
        """Run the statement."""
        self.run(self.definition.statement)


@dataclass(slots=True)
class DeployedSpace:
    """The space itself; ``space_id`` is None until it is there."""

    client: WorkspaceClient
    config: SpaceConfig
    title: str
    warehouse_id: str
    space_id: str | None

    @property
    def key(self) -> str:
        """There is one in a project."""
        return "space"

    @property
    def wanted(self) -> Content:
        """The configuration as JSON values."""
        return self.config.to_dict()

    def read(self) -> Content | None:
        """As ``wanted``."""
        if self.space_id is None:
            return None
        return read_space(self.client, self.space_id)[1].to_dict()

    def is_ours(self, live: Content, last: Content | None) -> bool:
        """Whether it is as it was deployed, or nothing is in the space yet."""
        return live == last or set(live) <= {"version"}

    def write(self) -> None:
        """Create the space, or replace its configuration as it was read just before."""
        if self.space_id is None:
            with telling(self.client, "the space cannot be created"):
                made = self.client.genie.create_space(
                    self.warehouse_id, self.config.serialize(), title=self.title
                )
            self.space_id = made.space_id
            return
        space, _ = read_space(self.client, self.space_id)
        with telling(self.client, f"space {self.space_id} cannot be updated"):
            self.client.genie.update_space(
                self.space_id, serialized_space=self.config.serialize(), etag=space.etag
            )


def _comments(comment: str | None, columns: Mapping[str, str | None]) -> dict[str, Any]:
    said = {name.lower(): text for name, text in columns.items() if text}
    return {"comment": comment or None, "columns": said}


def _view_content(relation: Relation) -> dict[str, Any]:
    said = _comments(relation.comment, {c.name: c.comment for c in relation.columns})
    return {**said, "kind": relation.kind, "definition": (relation.definition or "").strip()}


def _routine_content(routine: Routine) -> dict[str, Any]:
    def content(member: Member) -> list[str | None]:
        return [member.name.lower(), plain_type(member.data_type), member.default, member.comment]

    return {
        "comment": routine.comment,
        "parameters": [content(member) for member in routine.parameters],
        "returns": [content(member) for member in routine.returns],
        "body": routine.body.strip(),
    }


def _create_statement(view: Relation) -> str:
    """What makes a metric view again that was read."""
    columns = ", ".join(
        quoted_part(column.name)
        + (f" COMMENT {_literal(column.comment)}" if column.comment else "")
        for column in view.columns
    )
    comment = f" COMMENT {_literal(view.comment)}" if view.comment else ""
    return (
        f"CREATE VIEW {quoted(view.name)} ({columns}) WITH METRICS LANGUAGE YAML{comment} "
        f"AS $${view.definition}$$"
    )


def _literal(text: str) -> str:
    """A text as SQL that Spark and Databricks read alike."""
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"
