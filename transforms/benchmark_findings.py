"""What is wrong, or weak, with a benchmark, from what its expected SQL says and what came of it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from transforms.benchmark_probes import TieProbe, asks_for_now, assets_read, draws_by_chance
from transforms.judgement import Execution
from transforms.results import result_hash
from transforms.space_state import SpaceState
from transforms.sql_text import canonical_sql

MIN_ANSWERERS = 2  # that a question has to be asked before it counts as too easy

KINDS = {
    "fails": "its expected SQL does not run: correct it",
    "no_result": "no result in time, or too large a one, so that no answer can be compared with "
    "it: ask for less",
    "empty": "its result holds nothing, and so does that of many wrong queries: ask for something "
    "that is in the data",
    "not_deterministic": "asked twice it gives two results: say in the SQL what decides",
    "depends_on_today": "its result is another one tomorrow: name the day",
    "ambiguous_tie": "LIMIT cuts among rows that tie, so that chance decides which are right: "
    "order by something that differs too, or ask for all that tie",
    "no_asset": "it reads nothing that the space has: add the table to the space, or drop the "
    "question",
    "duplicate": "it asks the same with the same SQL as another one: drop one",
    "paraphrase": "it asks nearly the same as another one; they share a split and count twice",
    "too_easy": "every answerer gets it right: it shows no change for the better",
}
"""What the check can find, the gravest first, each with what to do about it."""


@dataclass(frozen=True, slots=True)
class BenchmarkFinding:
    """One thing to look at; ``told`` says what it is in this benchmark."""

    kind: str
    question_id: str
    split: str
    told: str


@dataclass(frozen=True, slots=True)
class Tried:
    """What came of executing a benchmark's expected SQL: once, again, and with one row more."""

    result: Execution
    again: Execution | None = None
    probe: TieProbe | None = None
    probed: Execution | None = None


@dataclass(frozen=True, slots=True)
class Answerers:
    """Of the answerers that were asked a question: how many, and how many of them are right."""

    asked_count: int
    right_count: int


def check_benchmark(
    benchmark: Mapping[str, Any],
    tried: Tried,
    state: SpaceState,
    answerers: Answerers | None,
) -> Iterator[BenchmarkFinding]:
    """What is to be said of one benchmark, a row of that contract, for itself: each kind once."""
    found: dict[str, list[str]] = {}
    for kind, told in (
        *_of_result(tried),
        *_of_text(benchmark["expected_sql"], state),
        *_of_answers(answerers),
    ):
        found.setdefault(kind, []).append(told)
    for kind, reasons in found.items():
        yield BenchmarkFinding(
            kind, benchmark["question_id"], benchmark["split"], "; ".join(reasons)
        )


def _of_result(tried: Tried) -> Iterator[tuple[str, str]]:
    result = tried.result
    if result.status in ("timed_out", "too_large"):
        yield "no_result", result.error or result.status
        return
    if result.rows is None:
        yield "fails", result.error or result.status
        return
    if not result.rows:
        yield "empty", "no row"
    elif all(value is None for row in result.rows for value in row):
        yield "empty", "nothing but NULL"
    if tried.again is not None and result_hash(tried.again) != result_hash(result):
        yield "not_deterministic", "two results of the same SQL on the same data"
    if tried.probe is not None and tried.probed is not None and tried.probed.rows is not None:
        if tried.probe.is_cut(tried.probed.rows):
            ordered = "in no order" if not tried.probe.keys else "by what they are ordered by"
            yield "ambiguous_tie", f"row {tried.probe.limit} and the next tie {ordered}"


def _of_text(sql: str, state: SpaceState) -> Iterator[tuple[str, str]]:
    if draws_by_chance(sql):
        yield "not_deterministic", "the SQL draws by chance"
    if asks_for_now(sql):
        yield "depends_on_today", "the SQL asks for the day or the time"
    if not assets_read(sql, state):
        yield "no_asset", "none of the space's tables, metric views and functions"


def _of_answers(answerers: Answerers | None) -> Iterator[tuple[str, str]]:
    if answerers is None or answerers.asked_count < MIN_ANSWERERS:
        return
    if answerers.right_count == answerers.asked_count:
        yield "too_easy", f"{answerers.right_count} of {answerers.asked_count} answerers are right"


def alike(benchmarks: Sequence[Mapping[str, Any]]) -> Iterator[BenchmarkFinding]:
    """The benchmarks that ask what one before them asks, in order of their ids."""
    groups: dict[str, list[Mapping[str, Any]]] = {}
    for benchmark in sorted(benchmarks, key=lambda row: row["question_id"]):
        groups.setdefault(benchmark["group_id"], []).append(benchmark)
    for members in groups.values():
        for position, member in enumerate(members[1:], start=1):
            same = [one for one in members[:position] if _asks_the_same(one, member)]
            kind = "duplicate" if same else "paraphrase"
            others = ", ".join(one["question_id"] for one in same or members[:position])
            yield BenchmarkFinding(kind, member["question_id"], member["split"], f"as {others}")


def _asks_the_same(left: Mapping[str, Any], right: Mapping[str, Any]) -> bool:
    words = [" ".join(row["question"].casefold().split()) for row in (left, right)]
    if words[0] != words[1]:
        return False
    return canonical_sql(left["expected_sql"]) == canonical_sql(right["expected_sql"])


def in_order(findings: Sequence[BenchmarkFinding]) -> list[BenchmarkFinding]:
    """The gravest first, then by question."""
    gravity = {kind: number for number, kind in enumerate(KINDS)}
    return sorted(findings, key=lambda one: (gravity[one.kind], one.question_id))
