"""Homes in the history itself: a registered configuration, and the benchmarks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
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

_CORRECTED = "corrected"


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

    Writing records a new version of the question; the old ones stay in the history. It is a
    correction, unless it takes one back: that version is from where the one before it was.
    """

    def __init__(self, tables: Tables) -> None:
        self._tables = tables

    def read(self, place: Place) -> str:
        """See ``Home``."""
        return str(_versions(self._tables, place)[0]["expected_sql"])

    def write(self, place: Place, content: str, *, expected: str | None) -> None:
        """See ``Home``."""
        newest, *older = _versions(self._tables, place)
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
            "source": _source(content, newest, older),
        }
        del row["recorded_at"]
        transaction = content_hash("correction", place.name, version, question.benchmark_hash)
        self._tables.append_rows(BENCHMARKS, [row], transaction=transaction)


class BenchmarkStatusHome:
    """Documents of kind ``benchmark_status``: ``active`` or ``quarantined``, then expected SQL.

    Writing records a new version of the question with that status; the expected SQL stays. It is
    from a decision (``corrected``), so that loading its file again leaves it as it is, unless it
    takes one back.
    """

    def __init__(self, tables: Tables) -> None:
        self._tables = tables

    def read(self, place: Place) -> str:
        """See ``Home``."""
        return _status_document(_versions(self._tables, place)[0])

    def write(self, place: Place, content: str, *, expected: str | None) -> None:
        """See ``Home``."""
        newest, *older = _versions(self._tables, place)
        status, _, sql = content.partition("\n")
        if _status_document(newest) != expected or sql != newest["expected_sql"]:
            raise drifted(place)
        former = (one["source"] for one in older if _status_document(one) == content)
        is_taken_back = newest["source"] == _CORRECTED and status == "active"
        source = next(former, _CORRECTED) if is_taken_back else _CORRECTED
        version = newest["benchmark_version"] + 1
        row = {**newest, "benchmark_version": version, "status": status, "source": source}
        del row["recorded_at"]
        transaction = content_hash("status", place.name, version, status)
        self._tables.append_rows(BENCHMARKS, [row], transaction=transaction)


def _status_document(version: Mapping[str, Any]) -> str:
    return f"{version['status']}\n{version['expected_sql']}"


def _versions(tables: Tables, place: Place) -> list[dict[str, Any]]:
    """All versions of the question, the newest first. Raises MissingObjectError for none."""
    space_id, _, question_id = place.name.partition("/")
    versions = (
        tables.read(BENCHMARKS)
        .where((F.col("space_id") == space_id) & (F.col("question_id") == question_id))
        .orderBy(F.desc("benchmark_version"))
        .collect()  # a few of one question
    )
    if not versions:
        raise missing(place)
    return [version.asDict() for version in versions]


def _source(content: str, newest: Mapping[str, Any], older: Sequence[Mapping[str, Any]]) -> str:
    """Where a version with this expected SQL is from; ``older`` are those before the newest.

    A corrected question that gets the SQL of an older version is what it was before.
    """
    is_corrected = newest["source"] == _CORRECTED
    former = (one["source"] for one in older if one["expected_sql"] == content)
    return str(next(former, _CORRECTED)) if is_corrected else _CORRECTED
