"""The repository's files: found by what they define, replaced whole and atomically."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Literal

from genie.homes.base import Place, RefusedWriteError, drifted, missing
from genie.patching.changes import DocumentKind
from genie.patching.create_statements import statements
from genie.patching.table_files import defined_table
from transforms.errors import InvalidInputError

_SKIPPED = (".git", ".venv", "node_modules")
SPACE_FILE = "space.json"
QUESTIONS_FILE = "questions.jsonl"


class RepoHome:
    """The folder of files that define a space and its objects; ``name`` of a place is a path."""

    def __init__(self, root: Path) -> None:
        """Raises InvalidInputError where there is no such folder."""
        if not root.is_dir():
            raise InvalidInputError(
                "the repo home is not a folder",
                where=str(root),
                remedy="check the repository out there, or register the space without a repo home",
            )
        self._root = root

    def read(self, place: Place) -> str:
        """See ``Home``."""
        path = self._root / place.name
        if not path.is_file():
            raise missing(place)
        return _text(path)

    def write(self, place: Place, content: str, *, expected: str | None) -> None:
        """See ``Home``: after a kill the file is the old one or the new one, whole."""
        if expected is None or self.read(place) != expected:
            raise drifted(place)
        path = (self._root / place.name).resolve()  # a link stays a link
        temporary = path.with_name(f".{path.name}.genie-loop")
        try:
            with temporary.open("wb") as file:
                file.write(content.encode("utf-8"))
                file.flush()
                os.fsync(file.fileno())
            shutil.copymode(path, temporary)
            temporary.replace(path)
        except PermissionError as error:
            raise RefusedWriteError(
                f"the file cannot be written: {error}", where=str(path), remedy="allow it"
            ) from error
        finally:
            temporary.unlink(missing_ok=True)

    def table_file(self, table: str) -> Place:
        """The YAML file whose ``table`` is this one.

        Raises MissingObjectError where no file, InvalidInputError where two files define it; so do
        ``definition``, ``space_file`` and ``questions_file``.
        """
        found = [
            path
            for path in self._files("*.yml", "*.yaml")
            if _is_same((defined_table(_text(path)) or ""), table)
        ]
        return self._place("table_file", table, found)

    def definition(self, name: str, kind: Literal["metric_view", "function"]) -> Place:
        """The SQL file that creates this view or function."""
        found = [
            path
            for path in self._files("*.sql")
            if any(one.is_called(name) for one in statements(_text(path)))
        ]
        return self._place(kind, name, found)

    def space_file(self) -> Place:
        """The file with the space's ``serialized_space``."""
        return self._place("space", SPACE_FILE, self._named(SPACE_FILE))

    def questions_file(self) -> Place:
        """The file of the benchmark questions."""
        return self._place("questions", QUESTIONS_FILE, self._named(QUESTIONS_FILE))

    def _named(self, name: str) -> list[Path]:
        at_root = self._root / name
        return [at_root] if at_root.is_file() else list(self._files(name))

    def _files(self, *patterns: str) -> Iterator[Path]:
        for pattern in patterns:
            for path in sorted(self._root.rglob(pattern)):
                parts = path.relative_to(self._root).parts
                if path.is_file() and not any(part in _SKIPPED for part in parts):
                    yield path

    def _place(self, kind: DocumentKind, name: str, found: list[Path]) -> Place:
        if len(found) > 1:
            raise InvalidInputError(
                f"{name} is defined in {len(found)} files",
                where=str(self._root),
                remedy="keep one of them",
                problems=[str(path.relative_to(self._root)) for path in found],
            )
        if not found:
            raise missing(Place("repo", kind, name), f"no file in {self._root} defines {name}")
        path = str(found[0].relative_to(self._root))
        return Place("repo", kind, path)


def _text(path: Path) -> str:
    """The file's text with its line ends. Raises InvalidInputError where it is not UTF-8."""
    try:
        return path.read_bytes().decode("utf-8")
    except UnicodeDecodeError as error:
        raise InvalidInputError("not UTF-8", where=str(path), remedy="convert it") from error


def _is_same(defined: str, name: str) -> bool:
    """Whether two names are of one table, with or without the catalog, in any case."""
    left, right = defined.lower().split("."), name.lower().split(".")
    shared = min(len(left), len(right))
    return shared > 1 and left[-shared:] == right[-shared:]
