"""JSON documents in a folder that survive a kill at any moment."""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from transforms.errors import HomeBusyError, InvalidInputError

_TEMPORARY = ".tmp"


class Folder:
    """Documents by path (``spaces/1a2b.json``). One process at a time has it open.

    A document is written to a file beside it, forced to the disk and renamed: after a kill it is
    either the old one or the new one.
    """

    def __init__(self, root: Path) -> None:
        """Open the folder, made where it is missing.

        Raises HomeBusyError when another process has it open.
        """
        self._root = root
        self._is_closed = False
        root.mkdir(parents=True, exist_ok=True)
        self._lock = os.open(root / "workspace.lock", os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            os.close(self._lock)
            raise HomeBusyError(
                "another process serves this workspace",
                where=str(root),
                remedy="use its address, or stop it",
            ) from error
        for left_over in root.rglob(f"*{_TEMPORARY}"):
            left_over.unlink()

    def close(self) -> None:
        """Let another process open it; nothing is written from here any more."""
        self._is_closed = True
        os.close(self._lock)

    def write(self, path: str, document: dict[str, Any]) -> None:
        """Write a document for good: when this returns, it survives.

        Raises HomeBusyError when the folder was closed, and may be another process's by now.
        """
        if self._is_closed:
            raise HomeBusyError("this workspace was closed", where=str(self._root))
        target = self._root / path
        target.parent.mkdir(parents=True, exist_ok=True)
        temporary = target.with_name(target.name + _TEMPORARY)
        with temporary.open("w", encoding="utf-8") as file:
            json.dump(document, file, ensure_ascii=False)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(target)
        _sync(target.parent)

    def delete(self, path: str) -> None:
        """Delete a document; nothing happens when there is none."""
        target = self._root / path
        target.unlink(missing_ok=True)
        _sync(target.parent)

    def read_all(self, kind: str) -> Iterator[dict[str, Any]]:
        """Every document of one kind, which is the first part of its path.

        Raises InvalidInputError for a file that is no document: the folder was changed by others.
        """
        for path in sorted((self._root / kind).rglob("*.json")):
            try:
                document = json.loads(path.read_text(encoding="utf-8"))
            except ValueError as error:
                raise InvalidInputError(
                    f"this document of the workspace cannot be read: {error}",
                    where=str(path),
                    remedy="restore it, or move it out of the folder",
                ) from error
            yield document


def _sync(folder: Path) -> None:
    """Force a rename or a deletion in a folder to the disk."""
    if not folder.is_dir():
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
