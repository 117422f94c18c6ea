"""Results of queries, kept in files from one evaluation to the next."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

from transforms.execution_json import execution_from_json, execution_to_json
from transforms.judgement import Execution

_FORMAT = 2  # rises with every change of what a value is read as
_MAX_CHARACTERS = 4_000_000  # a result that takes longer to read than most queries take to run


class KeptResults:
    """Executions by key, one file each, in a folder of their own.

    What a key covers is the caller's affair; see ``transforms.query_sources``. The newest
    ``max_files`` are kept. A file that is torn or gone is a result that has to be computed again.
    Safe to use from several threads and processes at once.
    """

    def __init__(self, folder: Path, *, max_files: int = 5_000) -> None:
        self._folder = folder / f"v{_FORMAT}"
        self._max_files = max_files

    def find(self, key: str) -> Execution | None:
        """The result of that key; None where there is none."""
        path = self._path(key)
        try:
            found = execution_from_json(path.read_text(encoding="utf-8"))
            os.utime(path)
        except (FileNotFoundError, ValueError):
            return None
        return found

    def keep(self, key: str, execution: Execution) -> None:
        """Keep a result that has rows, if it is not too large; anything else is not kept."""
        text = execution_to_json(execution)
        if text is None or len(text) > _MAX_CHARACTERS:
            return
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
