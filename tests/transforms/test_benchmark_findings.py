"""What the check says of benchmarks, and what they cover."""

from __future__ import annotations

import pytest

from tests.transforms.executions import column, result
from tests.transforms.shop import STATE
from transforms.benchmark_coverage import NO_CATEGORY, coverage
from transforms.benchmark_findings import (
    KINDS,
    Answerers,
    BenchmarkFinding,
    Tried,
    alike,
    check_benchmark,
    in_order,
)
from transforms.benchmark_probes import TieProbe
from transforms.judgement import Execution

FINE = "SELECT COUNT(*) FROM orders"
PROBE = TieProbe("SELECT 1", limit=1, keys=(-1,), shown_count=-1)


def benchmark(sql=FINE, question_id="q1", question="How many orders?", **changed):
    return {
        "question_id": question_id,
        "question": question,
        "expected_sql": sql,
        "split": "train",
        "group_id": f"group of {question_id}",
        "category": None,
        **changed,
    }


# name: SQL, what came of it, answerers, what is found
CASES = {
    "nothing": (FINE, Tried(column(3), column(3)), Answerers(2, 1), set()),
    "it does not run": (FINE, Tried(Execution("sql_error", error="gone")), None, {"fails"}),
    "it takes too long": (FINE, Tried(Execution("timed_out", error="60 s")), None, {"no_result"}),
    "no row": (FINE, Tried(result([])), None, {"empty"}),
    "only NULL": (FINE, Tried(result([(None, None)])), None, {"empty"}),
    "a zero is a result": (FINE, Tried(column(0)), None, set()),
    "another result": (FINE, Tried(column(3), column(4)), None, {"not_deterministic"}),
    "another order": (FINE, Tried(column(3, 4), column(4, 3)), None, set()),
    "chance": (f"{FINE} WHERE rand() < 0.5", Tried(column(3)), None, {"not_deterministic"}),
    "today": (f"{FINE} WHERE ordered_on = current_date", Tried(column(1)), None,
              {"depends_on_today"}),
    "a tie": (FINE, Tried(column("a"), None, PROBE, result([("a", 1), ("b", 1)])), None,
              {"ambiguous_tie"}),
    "no tie": (FINE, Tried(column("a"), None, PROBE, result([("a", 2), ("b", 1)])), None, set()),
    "a probe that fails": (FINE, Tried(column("a"), None, PROBE, Execution("sql_error")), None,
                           set()),
    "nothing of the space": ("SELECT 1", Tried(column(1)), None, {"no_asset"}),
    "all are right": (FINE, Tried(column(3)), Answerers(2, 2), {"too_easy"}),
    "the only one is right": (FINE, Tried(column(3)), Answerers(1, 1), set()),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_a_benchmark_is_told_what_is_wrong_with_it(name):
    sql, tried, answerers, kinds = CASES[name]
    found = list(check_benchmark(benchmark(sql), tried, STATE, answerers))
    assert {one.kind for one in found} == kinds
    assert all((one.question_id, one.split) == ("q1", "train") for one in found)
    assert all(one.told for one in found)


def test_what_two_things_show_is_one_finding():
    tried = Tried(column(3), column(4))
    (one,) = check_benchmark(benchmark(f"{FINE} WHERE rand() < 0.5"), tried, STATE, None)
    assert one.kind == "not_deterministic"
    assert one.told == "two results of the same SQL on the same data; the SQL draws by chance"


def test_every_kind_that_can_be_found_has_a_remedy_and_is_found_somewhere():
    found = set().union(*(kinds for *_, kinds in CASES.values()))
    assert found | {"duplicate", "paraphrase"} == KINDS.keys()


def test_duplicates_and_paraphrases_name_what_they_repeat():
    rows = [
        benchmark(question_id="a"),
        benchmark(question_id="b", question="how many  orders?", group_id="group of a"),
        benchmark(question_id="c", question="Count the orders.", group_id="group of a"),
        benchmark(question_id="d", question="Something else?"),
    ]
    assert [(one.kind, one.question_id, one.told) for one in alike(rows)] == [
        ("duplicate", "b", "as a"),
        ("paraphrase", "c", "as a, b"),
    ]


def test_findings_come_the_gravest_first():
    found = [BenchmarkFinding(kind, q, "train", "") for q in "ba" for kind in reversed(KINDS)]
    ordered = in_order(found)
    assert [one.kind for one in ordered[::2]] == list(KINDS)
    assert [one.question_id for one in ordered[:2]] == ["a", "b"]


def test_coverage_counts_assets_and_categories_by_split():
    rows = [
        benchmark(question_id="a", category="sales"),
        benchmark(question_id="b", split="held_out"),
    ]
    assets = {"a": frozenset({"shop.orders"}), "b": frozenset({"shop.orders", "shop.customers"})}
    found = coverage(rows, assets, STATE)
    by_name = {one.name: one for one in found.assets}
    assert by_name["shop.orders"].counts == {"train": 1, "held_out": 1, "sealed": 0}
    assert by_name["shop.customers"].missing == ("train", "sealed")
    assert by_name["shop.regions"].missing == ("train", "held_out", "sealed")
    assert {one.kind for one in found.assets} >= {"table"}
    assert {one.name: dict(one.counts) for one in found.categories} == {
        "sales": {"train": 1, "held_out": 0, "sealed": 0},
        NO_CATEGORY: {"train": 0, "held_out": 1, "sealed": 0},
    }


@pytest.mark.parametrize(
    ("counts", "likely"),
    [
        ((50, 25, 25), {"train": True, "held_out": True, "sealed": True}),
        ((5, 4, 1), {"train": True, "held_out": True, "sealed": True}),
        ((80, 5, 20), {"train": False, "held_out": False, "sealed": True}),
        ((0, 0, 0), {"train": True, "held_out": True, "sealed": True}),
    ],
)
def test_a_division_that_chance_seldom_makes_is_told(counts, likely):
    rows = [
        benchmark(question_id=f"{split}{n}", split=split)
        for split, count in zip(("train", "held_out", "sealed"), counts, strict=True)
        for n in range(count)
    ]
    assets = {row["question_id"]: frozenset() for row in rows}
    found = coverage(rows, assets, STATE)
    assert {one.split: one.is_likely for one in found.splits} == likely
    assert tuple(one.group_count for one in found.splits) == counts
