"""Results of queries in files that driver and executors see, for the answers of one evaluation."""

from __future__ import annotations

import json
from collections import OrderedDict
from pathlib import Path

from pipelines.judging import EngineNeededError
from transforms.execution_json import execution_from_json, execution_to_json
from transforms.identity import content_hash
from transforms.judgement import Comparison, Execution
from transforms.results import result_hash


class ResultFiles:
    """What came of queries, one file each by the hash of the query's text."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def keep(self, sql: str, execution: Execution) -> None:
        """Write what came of a query; what no file can hold is left out."""
        rows = execution_to_json(execution)
        if rows is None and execution.rows is not None:
            return
        about = {
            "status": execution.status,
            "columns": execution.columns,
            "data_types": execution.data_types,
            "error": execution.error,
            "error_class": execution.error_class,
        }
        path = self._path(sql)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(rows or json.dumps(about), encoding="utf-8")

    def find(self, sql: str) -> Execution | None:
        """What came of the query; None where nothing was kept, or it cannot be read here."""
        try:
            text = self._path(sql).read_text(encoding="utf-8")
        except OSError:
            return None
        if not text.startswith('{"status"'):
            return execution_from_json(text)
        about = json.loads(text)
        return Execution(
            about["status"],
            tuple(about["columns"]),
            tuple(about["data_types"]),
            error=about["error"],
            error_class=about["error_class"],
        )

    def _path(self, sql: str) -> Path:
        name = content_hash(sql)
        return self._folder / name[:2] / f"{name}.json"


class KnownResults:
    """An ``Engine`` that knows the results of files and executes nothing.

    Holds the results that were asked for last, of up to ``max_rows`` rows in all and at least two.
    Raises EngineNeededError for everything else. For one thread.
    """

    def __init__(self, files: ResultFiles, *, max_rows: int = 200_000) -> None:
        self._files = files
        self._max_rows = max_rows
        self._held: OrderedDict[str, Execution] = OrderedDict()
        self._hashes: dict[int, str | None] = {}  # by the identity of what is held
        self._ids: set[int] = set()
        self._rows = 0

    def execute(self, sql: str) -> Execution:
        """What came of the query."""
        execution = self._held.get(sql)
        if execution is None:
            execution = self._files.find(sql)
            if execution is None:
                raise EngineNeededError(sql)
            self._held[sql] = execution
            self._ids.add(id(execution))
            self._rows += _weight(execution)
            while self._rows > self._max_rows and len(self._held) > 2:
                _, oldest = self._held.popitem(last=False)
                self._rows -= _weight(oldest)
                self._ids.discard(id(oldest))
                self._hashes.pop(id(oldest), None)
        self._held.move_to_end(sql)
        return execution

    def compare(
        self, expected_sql: str, produced_sql: str, *, policy: str, is_ordered: bool
    ) -> Comparison:
        """Large results are compared by the engine."""
        raise EngineNeededError

    def hash_of(self, execution: Execution) -> str | None:
        """``result_hash``, computed once for a result while it is held."""
        if id(execution) not in self._ids:
            return result_hash(execution)
        if id(execution) not in self._hashes:
            self._hashes[id(execution)] = result_hash(execution)
        return self._hashes[id(execution)]


def _weight(execution: Execution) -> int:
    """Rows, and one more, so that many small results are bounded, too."""
    return 1 + (execution.row_count or 0)
