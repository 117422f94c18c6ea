"""Benchmarks as a home: every write is a version, and says where its expected SQL is from."""

from __future__ import annotations

import pytest

from genie.homes import DriftedError, Place
from pipelines.load import record_benchmarks
from pipelines.questions import active_benchmarks
from pipelines.registered_home import BenchmarkHome, BenchmarkStatusHome
from tests.jobs import seeded
from tests.pipelines.histories import rows
from transforms import contracts as c
from transforms.benchmarks import BenchmarkQuestion

Q1 = Place("live", "benchmark", "shop/q1")
OLD, NEW, NEWER = "SELECT 1", "SELECT 2", "SELECT 3"


@pytest.fixture
def benchmarks(tables):
    tables.append_rows(
        c.BENCHMARKS, [{**seeded.benchmark("q1"), "expected_sql": OLD}], transaction="benchmarks"
    )
    return BenchmarkHome(tables)


def versions(benchmarks):
    found = sorted(rows(benchmarks._tables, c.BENCHMARKS), key=lambda row: row["benchmark_version"])
    return [(row["benchmark_version"], row["expected_sql"], row["source"]) for row in found]


def test_a_correction_is_a_version_and_taken_back_it_is_from_where_it_was(benchmarks):
    benchmarks.write(Q1, NEW, expected=OLD)
    benchmarks.write(Q1, OLD, expected=NEW)
    assert versions(benchmarks) == [
        (1, OLD, "imported"),
        (2, NEW, "corrected"),
        (3, OLD, "imported"),
    ]
    benchmarks.write(Q1, NEW, expected=OLD)
    assert versions(benchmarks)[-1] == (4, NEW, "corrected"), "corrected once more"


def test_a_correction_of_a_correction_is_taken_back_to_that_one(benchmarks):
    benchmarks.write(Q1, NEW, expected=OLD)
    benchmarks.write(Q1, NEWER, expected=NEW)
    benchmarks.write(Q1, NEW, expected=NEWER)
    benchmarks.write(Q1, OLD, expected=NEW)
    assert [source for _, _, source in versions(benchmarks)] == [
        "imported", "corrected", "corrected", "corrected", "imported",
    ]  # fmt: skip


def test_a_correction_to_what_an_import_once_said_is_a_correction(benchmarks):
    imported = {**seeded.benchmark("q1"), "benchmark_version": 2, "expected_sql": NEW}
    benchmarks._tables.append_rows(c.BENCHMARKS, [imported], transaction="again")
    benchmarks.write(Q1, OLD, expected=NEW)
    assert versions(benchmarks)[-1] == (3, OLD, "corrected")


def test_what_somebody_changed_is_left_alone(benchmarks):
    with pytest.raises(DriftedError):
        benchmarks.write(Q1, NEWER, expected=NEW)
    assert len(versions(benchmarks)) == 1


STATUS = Place("live", "benchmark_status", "shop/q1")
ACTIVE, QUARANTINED = f"active\n{OLD}", f"quarantined\n{OLD}"


def statuses(tables):
    found = sorted(rows(tables, c.BENCHMARKS), key=lambda row: row["benchmark_version"])
    return [(row["status"], row["source"]) for row in found]


def test_a_quarantine_is_a_version_that_is_not_asked_and_taken_back_it_is_from_where_it_was(
    benchmarks,
):
    tables = benchmarks._tables
    home = BenchmarkStatusHome(tables)
    assert home.read(STATUS) == ACTIVE
    home.write(STATUS, QUARANTINED, expected=ACTIVE)
    assert active_benchmarks(tables, "shop") == []
    with pytest.raises(DriftedError):
        home.write(STATUS, QUARANTINED, expected=ACTIVE)
    home.write(STATUS, ACTIVE, expected=QUARANTINED)
    assert statuses(tables) == [
        ("active", "imported"), ("quarantined", "corrected"), ("active", "imported"),
    ]  # fmt: skip
    assert [row["expected_sql"] for row in active_benchmarks(tables, "shop")] == [OLD]


def test_loading_the_same_file_again_does_not_take_a_quarantine_back(benchmarks):
    tables = benchmarks._tables
    loaded = BenchmarkQuestion("q1", seeded.TEXT_OF["q1"], OLD)
    record_benchmarks(tables, [loaded], ["shop"])
    BenchmarkStatusHome(tables).write(STATUS, QUARANTINED, expected=ACTIVE)
    assert not record_benchmarks(tables, [loaded], ["shop"])
    marked = BenchmarkQuestion("q1", seeded.TEXT_OF["q1"], OLD, quarantined="so it was decided")
    assert not record_benchmarks(tables, [marked], ["shop"])
    corrected = BenchmarkQuestion("q1", seeded.TEXT_OF["q1"], NEW)
    assert record_benchmarks(tables, [corrected], ["shop"]), "it is another benchmark"
    assert statuses(tables)[-1] == ("active", "imported")
