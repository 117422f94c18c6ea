"""Texts kept in files by key, from one run to the next."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path


class KeptTexts:
    """Texts by key, one file each, in a folder of their own.

    What a key covers is the caller's affair. The newest ``max_files`` are kept. A file is whole or
    not there, whenever a process is killed. Safe to use from several threads and processes at once.
    """

    def __init__(self, folder: Path, *, max_files: int) -> None:
        self._folder = folder
        self._max_files = max_files

    def find(self, key: str) -> str | None:
        """The text of that key; None where there is none that can be read."""
        path = self._path(key)
        try:
            text = path.read_text(encoding="utf-8")
            os.utime(path)
        except (FileNotFoundError, ValueError):
            return None
        return text

    def keep(self, key: str, text: str) -> None:
        """Keep a text until it is among the oldest."""
        self._folder.mkdir(parents=True, exist_ok=True)
        handle, scratch = tempfile.mkstemp(dir=self._folder)
        with open(handle, "w", encoding="utf-8") as file:
            file.write(text)
        Path(scratch).replace(self._path(key))

    def forget_oldest(self) -> None:
        """Delete what has not been used for longest, beyond ``max_files``."""
        if not self._folder.is_dir():
            return
        files = sorted(self._folder.iterdir(), key=lambda path: path.stat().st_mtime, reverse=True)
        for path in files[self._max_files :]:
            path.unlink(missing_ok=True)

    def _path(self, key: str) -> Path:
        return self._folder / f"{key}.json"
