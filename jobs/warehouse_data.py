"""What is in a home's warehouse just now, told by the files of its catalog and its Delta logs."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from pathlib import Path

from genie.catalog import RunSql, StatementFailedError, quoted_part, read_relation, read_routine
from jobs.delta_log import data_id
from jobs.home import Home
from jobs.reading import SCHEMA
from transforms.query_sources import Readable, result_key, with_signature


class WarehouseData:
    """What the results of queries depend on: rows, metric views and functions.

    ``run`` runs statements on the session that the home's catalog belongs to. Queries that name a
    table without its schema, or a view, have no key: only Spark knows what they read. Safe to use
    from several threads at once.
    """

    def __init__(self, home: Home, run: RunSql) -> None:
        self._home = home
        self._run = run
        self._lock = threading.Lock()
        self._builtins: frozenset[str] | None = None
        self._known: dict[Path, tuple[int, str | None]] = {}
        self._definitions: _Definitions | None = None

    def result_key(self, sql: str) -> str | None:
        """See ``transforms.query_sources.result_key``."""
        with self._lock:
            return result_key(sql, self._readable())

    def _readable(self) -> Readable:
        if self._builtins is None:
            shown = self._run("SHOW SYSTEM FUNCTIONS")
            self._builtins = frozenset(str(row[0]).lower() for row in shown)
        logs = {_name(log): log for log in _data_logs(self._home)}
        found = {name: self._data(log) for name, log in logs.items()}
        mark = _catalog_mark(self._home)
        if self._definitions is None or self._definitions.mark != mark:
            schemas = sorted({name.partition(".")[0] for name in logs})
            self._definitions = _Definitions(self._run, schemas, mark)
        return Readable(
            schema=None,
            data_ids={name: one for name, one in found.items() if one is not None},
            metric_views=self._definitions.metric_views,
            functions=self._definitions.functions,
            builtins=self._builtins,
        )

    def _data(self, log: Path) -> str | None:
        written_ns = log.stat().st_mtime_ns
        known = self._known.get(log)
        if known is None or known[0] != written_ns:
            known = self._known[log] = (written_ns, data_id(log.parent))
        return known[1]


class _Definitions:
    """The metric views and functions of schemas, by ``schema.name`` in lower case."""

    def __init__(self, run: RunSql, schemas: list[str], mark: object) -> None:
        self.mark = mark
        self.metric_views: dict[str, str] = {}
        self.functions: dict[str, str] = {}
        for schema in schemas:
            self._read(run, schema)

    def _read(self, run: RunSql, schema: str) -> None:
        quoted = quoted_part(schema)
        try:
            for _, view, is_temporary, *_ in run(f"SHOW VIEWS IN {quoted}"):
                relation = None
                if str(is_temporary).lower() != "true":
                    relation = read_relation(run, f"{quoted}.{quoted_part(str(view))}")
                if relation is not None and relation.kind == "metric_view":
                    self.metric_views[f"{schema}.{view}".lower()] = relation.definition or ""
            for name, *_ in run(f"SHOW USER FUNCTIONS IN {quoted}"):
                routine = read_routine(run, str(name))
                if routine is not None:
                    short = ".".join(str(name).split(".")[-2:])
                    self.functions[short.lower()] = with_signature(
                        routine.definition,
                        [(one.name, one.data_type) for one in routine.parameters],
                    )
        except StatementFailedError:
            return  # what was not read has no key, and is run each time


def catalog_version(home: Home) -> tuple[object, ...]:
    """Another value after every change to the catalog or the data, whoever made it.

    Jobs change them on the session, not through the workspace. A change is a write to the log of
    the catalog's Derby or to a Delta log, which the times of files tell. The history is left out:
    nobody asks about it, and jobs write it all the time.
    """
    return (_catalog_mark(home), tuple(sorted(table_marks(home).items())))


def table_marks(home: Home) -> Mapping[str, object]:
    """By ``schema.table`` in lower case: another value after every change to that table."""
    return {_name(log): log.stat().st_mtime_ns for log in _data_logs(home)}


def _catalog_mark(home: Home) -> tuple[tuple[str, int], ...]:
    logs = sorted(home.metastore.glob("log/*.dat"))
    return tuple((log.name, log.stat().st_mtime_ns) for log in logs)


def _data_logs(home: Home) -> Iterator[Path]:
    """The folders of the Delta logs of all tables but those of the history."""
    for log in home.warehouse.glob("*.db/*/_delta_log"):
        if log.parents[1].name != f"{SCHEMA}.db":
            yield log


def _name(log: Path) -> str:
    return f"{log.parents[1].name.removesuffix('.db')}.{log.parent.name}".lower()
