"""Homes in the history itself: a registered configuration, and the benchmarks."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from pyspark.sql import functions as F

from genie.homes import Place
from genie.homes.base import drifted, missing
from pipelines.spaces import Registration, register_spaces, registered_spaces
from pipelines.tables import Tables
from transforms.benchmarks import BenchmarkQuestion
from transforms.contracts import BENCHMARKS
from transforms.identity import content_hash


class RegisteredSpaceHome:
    """Documents of kind ``registered_space``; ``name`` of a place is the space's id.

    For spaces that no Genie Space stands behind: writing registers the space anew.
    """

    def __init__(self, tables: Tables) -> None:
        self._tables = tables

    def read(self, place: Place) -> str:
        """See ``Home``."""
        return self._registration(place).space.config

    def write(self, place: Place, content: str, *, expected: str | None) -> None:
        """See ``Home``."""
        space = self._registration(place).space
        if space.config != expected:
            raise drifted(place)
        register_spaces(self._tables, [replace(space, config=content)])

    def _registration(self, place: Place) -> Registration:
        found = registered_spaces(self._tables).get(place.name)
        if found is None:
            raise missing(place)
        return found


class BenchmarkHome:
    """Documents of kind ``benchmark``: expected SQL; ``name`` of a place is ``space/question``.

    Writing records a new version of the question; the old ones stay in the history.
    """

    def __init__(self, tables: Tables) -> None:
        self._tables = tables

    def read(self, place: Place) -> str:
        """See ``Home``."""
        return str(self._newest(place)["expected_sql"])

    def write(self, place: Place, content: str, *, expected: str | None) -> None:
        """See ``Home``."""
        newest = self._newest(place)
        if newest["expected_sql"] != expected:
            raise drifted(place)
        question = BenchmarkQuestion(
            newest["question_id"], newest["question"], content, newest["expected_asset"]
        )
        version = newest["benchmark_version"] + 1
        row = {
            **newest,
            "benchmark_version": version,
            "benchmark_hash": question.benchmark_hash,
            "expected_sql": content,
            "source": "corrected",
        }
        del row["recorded_at"]
        transaction = content_hash("correction", place.name, version, question.benchmark_hash)
        self._tables.append_rows(BENCHMARKS, [row], transaction=transaction)

    def _newest(self, place: Place) -> dict[str, Any]:
        space_id, _, question_id = place.name.partition("/")
        versions = (
            self._tables.read(BENCHMARKS)
            .where((F.col("space_id") == space_id) & (F.col("question_id") == question_id))
            .orderBy(F.desc("benchmark_version"))
            .limit(1)
            .collect()
        )
        if not versions:
            raise missing(place)
        found: dict[str, Any] = versions[0].asDict()
        return found
