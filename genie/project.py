"""A project folder: the repository's files that define a space and the objects it rests on."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from genie.catalog import Relation, Routine
from genie.definition_files import Definition, read_definition
from transforms.errors import InvalidInputError
from transforms.serialized_space import SpaceConfig
from transforms.space_state import TABLE_KINDS, AssetKind


@dataclass(frozen=True, slots=True)
class TableNotes:
    """What a file says of a table: its comment, and its columns' by name; None where none is.

    ``kind`` is None unless comments on such tables have a lever of their own.
    """

    name: str
    comment: str | None
    columns: Mapping[str, str | None]
    kind: AssetKind | None = None


@dataclass(frozen=True, slots=True)
class Project:
    """A checked folder; ``metric_views`` hold relations, ``functions`` routines."""

    folder: Path
    tables: tuple[TableNotes, ...]
    metric_views: tuple[Definition, ...]
    functions: tuple[Definition, ...]
    config: SpaceConfig


def read_project(folder: Path) -> Project:
    """The definitions of a folder: ``assets/tables/*.yml``, ``assets/metric_views/*.sql``,
    ``assets/functions/*.sql`` and ``space.json``.

    Raises InvalidInputError with everything that is wrong in it.
    """
    problems: list[str] = []
    config = SpaceConfig.empty()
    space = folder / "space.json"
    try:
        config = SpaceConfig.parse(space.read_text(encoding="utf-8"))
        problems.extend(f"space.json: {violation}" for violation in config.validate())
    except OSError as error:
        problems.append(f"space.json: cannot be read: {error.strerror}")
    except (InvalidInputError, UnicodeError) as error:
        problems.append(f"space.json: {error}")
    tables: list[TableNotes] = []
    for path in sorted(folder.glob("assets/tables/*.yml")):
        try:
            tables.append(_table_notes(yaml.safe_load(path.read_text(encoding="utf-8"))))
        except (OSError, UnicodeError, yaml.YAMLError, KeyError, TypeError, ValueError) as error:
            label = path.relative_to(folder)
            problems.append(f"{label}: not a table: {type(error).__name__}: {error}")
    views = _definitions(folder, "metric_views", Relation, problems)
    functions = _definitions(folder, "functions", Routine, problems)
    problems.extend(_named_twice([*tables, *(one.wanted for one in (*views, *functions))]))
    if problems:
        raise InvalidInputError(
            "this folder cannot be deployed; nothing was changed",
            where=str(folder),
            remedy="correct the files that are listed; samples/wanderbricks is a complete example",
            problems=problems,
        )
    return Project(folder, tuple(tables), views, functions, config)


def _definitions(
    folder: Path, kind: str, type_: type[Relation | Routine], problems: list[str]
) -> tuple[Definition, ...]:
    found = []
    for path in sorted(folder.glob(f"assets/{kind}/*.sql")):
        label = str(path.relative_to(folder))
        try:
            definition = read_definition(path.read_text(encoding="utf-8"), label)
        except (OSError, UnicodeError) as error:
            problems.append(f"{label}: cannot be read: {error}")
        except InvalidInputError as error:
            problems.append(f"{error.where}: {error.what}")
        else:
            if isinstance(definition.wanted, type_):
                found.append(definition)
            else:
                problems.append(f"{label}: it does not define one of the {kind}")
    return tuple(found)


def _table_notes(raw: Any) -> TableNotes:
    columns = {_text(column["name"]): _optional(column.get("comment")) for column in raw["columns"]}
    kind = next((one for one in TABLE_KINDS[1:] if one == raw.get("kind")), None)
    return TableNotes(_text(raw["table"]), _optional(raw.get("comment")), columns, kind)


def _text(value: Any) -> str:
    if not isinstance(value, str) or not value:
        raise ValueError(f"a text is expected, and {value!r} is there")
    return value


def _optional(value: Any) -> str | None:
    return None if value is None or value == "" else _text(value)


def _named_twice(objects: list[TableNotes | Relation | Routine]) -> Iterator[str]:
    seen: set[str] = set()
    for one in objects:
        if one.name.lower() in seen:
            yield f"{one.name} is defined by two files"
        seen.add(one.name.lower())
