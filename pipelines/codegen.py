"""Whether Spark compiles code for a query: worth it where there is much to read."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from pyspark.sql import SparkSession
from pyspark.sql.utils import is_remote

WORTH_COMPILING_BYTES = 1 << 20  # of Parquet; below it compiling takes longer than reading

_INTERPRETED = {
    "spark.sql.codegen.wholeStage": "false",
    "spark.sql.codegen.factoryMode": "NO_CODEGEN",
}
_COMPILED = {
    "spark.sql.codegen.wholeStage": "true",
    "spark.sql.codegen.factoryMode": "FALLBACK",
}


def run_interpreted(session: SparkSession) -> None:
    """Let the session run queries without compiling code for each. On a cluster: no change."""
    _set(session, _INTERPRETED)


def run_compiled(session: SparkSession) -> None:
    """Let the session compile code for every query. On a cluster: no change."""
    _set(session, _COMPILED)


@contextmanager
def compiled_for(session: SparkSession, size_bytes: int) -> Iterator[None]:
    """Until the block ends, let the session compile, if it is to read as much as makes that pay."""
    if is_remote() or size_bytes < WORTH_COMPILING_BYTES:
        yield
        return
    before = {key: session.conf.get(key) for key in _COMPILED}
    run_compiled(session)
    try:
        yield
    finally:
        for key, value in before.items():
            if value is not None:
                session.conf.set(key, value)


def _set(session: SparkSession, settings: Mapping[str, str]) -> None:
    if not is_remote():
        for key, value in settings.items():
            session.conf.set(key, value)
