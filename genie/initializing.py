"""Beginning a project: the files of a space that is live, or of a new space over tables.

Everything is read before anything is written, and the folder is there whole or not at all. What is
written says just what is live: deploying it to where it was read changes nothing.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from databricks.sdk import WorkspaceClient

from genie.catalog import RunSql, name_parts, read_relation, read_routine
from genie.definition_files import read_definition
from genie.deployables import DefinedFunction, DefinedMetricView
from genie.deploying import only_warehouse
from genie.homes.files import QUESTIONS_FILE, SPACE_FILE
from genie.project import read_project
from genie.project_files import (
    QuestionsFile,
    file_stems,
    function_file,
    metric_view_file,
    questions_file,
    space_file,
    table_file,
)
from genie.warehouse_sql import warehouse_sql
from genie.workspace_check import read_space
from transforms.errors import InvalidInputError
from transforms.serialized_space import SpaceConfig
from transforms.serialized_space.edits import add_table

_SHOWN = 5  # names of files in an error


@dataclass(frozen=True, slots=True)
class ProjectFile:
    """A file of a project: where in its folder, what it defines, what it says."""

    path: str
    defines: str
    text: str


@dataclass(frozen=True, slots=True)
class Draft:
    """A project that is not written yet.

    ``title`` is that of the space, None where it is new. ``left_out`` says, for people, which
    objects have no file and why.
    """

    title: str | None
    files: tuple[ProjectFile, ...]
    questions: QuestionsFile
    left_out: tuple[str, ...]


def draft_of_space(
    client: WorkspaceClient,
    space_id: str,
    *,
    warehouse_id: str | None = None,
    run: RunSql | None = None,
) -> Draft:
    """What is live: the space, its questions, and the tables, views and functions that it names.

    ``run`` asks the catalog, by default on the space's warehouse. An object that is not there, or
    that no file can define, has no file; the configuration names it as before. Raises
    InvalidInputError for a space that is not there or may not be read (it takes CAN EDIT), and
    GenieLoopError for a workspace or a statement that fails.
    """
    space, config = read_space(client, space_id)
    content = config.content
    ask = run or _catalog(client, warehouse_id or space.warehouse_id)
    sources = (*content.data_sources.tables, *content.data_sources.metric_views)
    objects = [
        *(_relation(ask, name) for name in _each_once(one.identifier for one in sources)),
        *(
            _function(ask, name)
            for name in _each_once(one.identifier for one in content.instructions.sql_functions)
        ),
    ]
    return _draft(space.title, config, objects)


def draft_of_tables(
    client: WorkspaceClient,
    tables: Sequence[str],
    *,
    warehouse_id: str | None = None,
    run: RunSql | None = None,
) -> Draft:
    """A new space over these tables and metric views, each named with its schema.

    ``run`` asks the catalog, by default on a warehouse. Raises InvalidInputError for tables that
    are not there and for more than a space holds, and what ``draft_of_space`` raises.
    """
    names = _each_once(tables)
    problems = [f"{name!r} names no schema" for name in names if len(name_parts(name)) < 2]
    objects: list[_Object] = []
    if not problems:
        ask = run or _catalog(client, warehouse_id)
        objects = [_relation(ask, name) for name in names]
        problems = [one.told for one in objects if one.text is None]
    if problems:
        raise InvalidInputError(
            "no project can be made of these tables; nothing was written",
            where="--table",
            remedy="name tables as the workspace does: catalog.schema.table",
            problems=problems,
        )
    config = SpaceConfig.empty()
    for one in objects:
        config = add_table(config, one.name, is_metric_view=one.kind == "metric view")
    return _draft(None, config, objects)


def check_is_free(folder: Path) -> None:
    """Raises InvalidInputError, naming what is in it, for a folder that is there."""
    if not folder.exists() and not folder.is_symlink():
        return
    there = sorted(path.name for path in folder.iterdir()) if folder.is_dir() else [folder.name]
    more = f" and {len(there) - _SHOWN} more" if len(there) > _SHOWN else ""
    raise InvalidInputError(
        f"this is there already: {', '.join(there[:_SHOWN]) or 'an empty folder'}{more}",
        where=str(folder),
        remedy="name a folder that is not there yet; nothing is ever overwritten",
    )


def write_project(folder: Path, draft: Draft) -> None:
    """Make the folder with all files, or nothing: it is made beside, and renamed when it is whole.

    Raises InvalidInputError for a folder that is there or cannot be made, and for files that
    ``deploy`` would refuse.
    """
    folder = folder.absolute()
    check_is_free(folder)
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        beside = Path(tempfile.mkdtemp(prefix=f".{folder.name}.", dir=folder.parent))
        try:
            made = beside / folder.name
            _write(made, draft.files)
            _check_is_project(made, folder)
            made.rename(folder)  # fails where a file has come meanwhile
        finally:
            shutil.rmtree(beside)
    except OSError as error:
        check_is_free(folder)
        raise InvalidInputError(
            f"this folder cannot be made: {error.strerror}",
            where=str(folder),
            remedy="name a folder in a place that you may write to",
        ) from error


@dataclass(frozen=True, slots=True)
class _Object:
    """What was read of a name. ``text`` is None where no file can define it: ``why`` says why."""

    name: str
    kind: str
    text: str | None = None
    why: str = ""

    @property
    def told(self) -> str:
        """The object and why it has no file, for people."""
        return f"{self.kind} {self.name} {self.why}"

    @property
    def folder(self) -> str:
        """Where its file is, in a project."""
        return {"metric view": "metric_views", "function": "functions"}.get(self.kind, "tables")


def _relation(run: RunSql, name: str) -> _Object:
    relation = read_relation(run, name)
    if relation is None:
        return _Object(name, "table", why="is not there")
    if relation.kind != "metric_view":
        return _Object(name, relation.kind, table_file(relation))
    return _defined(
        name, "metric view", partial(metric_view_file, relation), DefinedMetricView, run
    )


def _function(run: RunSql, name: str) -> _Object:
    routine = read_routine(run, name)
    if routine is None:
        return _Object(name, "function", why="is not there")
    return _defined(name, "function", partial(function_file, routine), DefinedFunction, run)


def _defined(
    name: str,
    kind: str,
    write: Callable[[], str],
    deployable: type[DefinedMetricView | DefinedFunction],
    run: RunSql,
) -> _Object:
    """The object with its statement, when deploying that would change nothing."""
    try:
        text = write()
        one = deployable(read_definition(text, name), run)
    except ValueError as error:
        return _Object(name, kind, why=f"cannot be defined by a file: {error}")
    except InvalidInputError as error:
        return _Object(name, kind, why=f"cannot be defined by a file: {error.what}")
    if one.wanted != one.read():
        return _Object(name, kind, why="cannot be defined by a file exactly as it is")
    return _Object(name, kind, text)


def _draft(title: str | None, config: SpaceConfig, objects: Sequence[_Object]) -> Draft:
    questions = questions_file(config)
    files = [
        ProjectFile(SPACE_FILE, "space", space_file(config)),
        ProjectFile(QUESTIONS_FILE, "questions", questions.text),
    ]
    for folder, ending in (("tables", "yml"), ("metric_views", "sql"), ("functions", "sql")):
        held = [one for one in objects if one.folder == folder and one.text is not None]
        stems = file_stems([one.name for one in held])
        files.extend(
            ProjectFile(
                f"assets/{folder}/{stems[one.name]}.{ending}", f"{one.kind} {one.name}", one.text
            )
            for one in held
            if one.text is not None
        )
    left_out = (one.told for one in objects if one.text is None)
    return Draft(title, tuple(files), questions, tuple(left_out))


def _catalog(client: WorkspaceClient, warehouse_id: str | None) -> RunSql:
    return warehouse_sql(client, warehouse_id or only_warehouse(client))


def _each_once(names: Iterable[str]) -> list[str]:
    """The names, without those that differ from an earlier one by case only."""
    found: dict[str, str] = {}
    for name in names:
        found.setdefault(name.lower(), name)
    return list(found.values())


def _write(folder: Path, files: Sequence[ProjectFile]) -> None:
    for file in files:
        path = folder / file.path
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(file.text, encoding="utf-8", newline="")


def _check_is_project(made: Path, folder: Path) -> None:
    try:
        read_project(made)
    except InvalidInputError as error:
        raise InvalidInputError(
            "what was read cannot be deployed; nothing was written",
            where=str(folder),
            remedy="correct it in the workspace, or name fewer tables",
            problems=error.problems,
        ) from error
