"""Results of queries, kept in files from one evaluation to the next."""

from __future__ import annotations

from pathlib import Path

from pipelines.kept_texts import KeptTexts
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
        self._texts = KeptTexts(folder / f"v{_FORMAT}", max_files=max_files)

    def find(self, key: str) -> Execution | None:
        """The result of that key; None where there is none."""
        text = self._texts.find(key)
        try:
            return None if text is None else execution_from_json(text)
        except ValueError:
            return None

    def keep(self, key: str, execution: Execution) -> None:
        """Keep a result that has rows, if it is not too large; anything else is not kept."""
        text = execution_to_json(execution)
        if text is not None and len(text) <= _MAX_CHARACTERS:
            self._texts.keep(key, text)

    def forget_oldest(self) -> None:
        """Delete what has not been used for longest, beyond ``max_files``."""
        self._texts.forget_oldest()
