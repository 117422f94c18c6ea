"""Many answers are judged on the executors, and their rows are those of judging at hand."""

from __future__ import annotations

from collections import Counter

import pytest

from pipelines.execution import ExecutionPolicy, executing
from pipelines.judging import EngineNeededError, Judging, judge_answers
from pipelines.judging_many import execute_each, judge_many
from pipelines.result_files import KnownResults, ResultFiles
from pipelines.second_opinions import fill_gaps
from tests.conftest import NOW
from transforms.contracts import EVAL_RESULTS
from transforms.judgement import Execution, ProfiledValues, SparkValue
from transforms.results import result_hash
from transforms.space_state import ColumnProfile, ColumnState, SpaceState, TableState

SALES = "VALUES (1, 'a', 10), (2, 'b', 10), (3, 'c', 5), (4, NULL, 2) AS sale(id, shop, price)"
STATE = SpaceState(
    "s",
    "default",
    (
        TableState(
            "default.sale",
            (ColumnState("id", "int"), ColumnState("shop", "string"), ColumnState("price", "int")),
        ),
    ),
)
VALUES = ProfiledValues(
    {
        "default.sale.shop": ColumnProfile(
            "default.sale.shop", 4, values=("a", "b", "c"), is_complete=True
        )
    }
)
# What is asked, the expected SQL, and answers to it; None is an answer without SQL.
ASKED: dict[str, tuple[str, tuple[str | None, ...]]] = {
    "Which shops are there?": (
        f"SELECT shop FROM {SALES}",
        (
            f"SELECT shop FROM {SALES}",
            f"SELECT shop AS name FROM {SALES}",
            f"SELECT id FROM {SALES}",
            "SELECT shop FROM nowhere",
            "SELECT shop FROM",
            "DROP TABLE sale",
            None,
        ),
    ),
    "Which sale was the dearest?": (
        f"SELECT id FROM {SALES} ORDER BY price DESC LIMIT 1",
        (f"SELECT id FROM {SALES} ORDER BY price DESC, id DESC LIMIT 1", f"SELECT 3 FROM {SALES}"),
    ),
    "Which numbers are there?": (
        "SELECT id FROM range(0, 20)",
        (
            "SELECT id FROM range(0, 20) ORDER BY id DESC",
            "SELECT id FROM range(0, 21)",
            "SELECT id FROM range(0, 5)",
        ),
    ),
    "How long ago?": (
        "SELECT INTERVAL '14' MONTH, DATE'0001-01-01', DOUBLE('NaN'), 1.5BD, MAP(1, 'a')",
        ("SELECT INTERVAL '1' YEAR, DATE'0001-01-01', DOUBLE('NaN'), 1.5BD, MAP(1, 'a')",),
    ),
    "What fails?": ("SELECT 1 FROM nowhere", ("SELECT 1",)),
}


def asked() -> list[dict[str, object]]:
    """Answers as they are recorded, in all the ways in which asking may end."""
    answers = []
    for question, (expected, produced) in ASKED.items():
        for sql in produced:
            answers.append(one(len(answers), question, expected, sql))
    first = "Which shops are there?"
    late = one(len(answers), first, ASKED[first][0], None)
    return [*answers, late | {"answer_outcome": "timed_out", "answer_error": "too slow"}]


def one(number: int, question: str, expected: str, sql: str | None) -> dict[str, object]:
    return {
        **dict.fromkeys(EVAL_RESULTS.columns),
        "space_id": "s", "evaluation_id": "e", "question_id": f"q{number:02}", "attempt": 1,
        "group_id": f"g{number}", "split": "train", "question": question, "expected_sql": expected,
        "benchmark_version": 1, "genie_sql": sql, "ask_count": 1,
        "answer_outcome": "no_sql" if sql is None else "answered", "recorded_at": NOW,
    }  # fmt: skip


def by_table(frames) -> dict[str, list[str]]:
    return {
        name: sorted(repr(sorted(row.asDict(recursive=True).items())) for row in frame.collect())
        for name, frame in frames.items()
    }


@pytest.mark.slow
def test_answers_judged_on_executors_give_the_rows_of_judging_at_hand(spark, tables, tmp_path):
    policy = ExecutionPolicy(workers=2, max_rows=10)
    answers = asked()
    with executing(spark, "default", [], policy, size_bytes=1) as executor:
        judging = Judging(executor, STATE, VALUES, "bag_any_column", 2)
        here = fill_gaps(judge_answers(answers, judging), None, STATE, executor.execute)
        frame = tables.frame(EVAL_RESULTS, answers)
        executed = []
        judged = judge_many(
            frame, len(answers), judging, executor.execute_apart, tmp_path, executed.append
        )
        found = by_table(
            {
                "completions": judged.completions,
                "verdicts": judged.verdicts,
                "failures": judged.failures,
                "rulings": judged.rulings,
            }
        )
    wanted = {
        name: spark.createDataFrame(getattr(here, name), getattr(judged, name).schema)
        for name in found
    }
    assert found == by_table(wanted)
    steps = Counter((row["outcome"], row["match_step"]) for row in here.completions)
    assert steps[("correct", "tie_cut_by_limit")] == 1, "what needs a further query is among them"
    assert steps[("correct", "row_order")] == 1, "and what the engine has to compare"
    assert {outcome for outcome, _ in steps} == {
        "correct", "incorrect", "no_sql", "sql_error", "refused", "expected_sql_error",
        "infrastructure",
    }  # fmt: skip
    queries = {sql for answer in answers for sql in (answer["expected_sql"], answer["genie_sql"])}
    assert len(executed) == len(queries - {None}), "each query once"
    by_driver = spark.read.parquet(str(tmp_path / "by-driver")).count()
    assert by_driver == 3, "the driver judges what is too large, and nothing else"


def test_results_in_files_are_what_was_executed(tmp_path):
    files = ResultFiles(tmp_path)
    executions = {
        "ok": Execution("ok", ("a",), ("double",), ((1.5,), (None,), (SparkValue("months", 3),))),
        "late": Execution("timed_out", error="no result within 60 s"),
        "wrong": Execution("sql_error", error="no such table", error_class="TABLE_NOT_FOUND"),
        "large": Execution("too_large", ("a", "b"), ("int", "int"), error="more than 10 rows"),
    }
    for sql, execution in executions.items():
        files.keep(sql, execution)
    assert {sql: files.find(sql) for sql in executions} == executions
    assert files.find("never executed") is None


def test_what_no_file_holds_is_asked_of_the_engine(tmp_path):
    files = ResultFiles(tmp_path)
    files.keep("strange", Execution("ok", ("a",), ("object",), ((object(),),)))
    known = KnownResults(files)
    with pytest.raises(EngineNeededError) as needed:
        known.execute("strange")
    assert needed.value.sql == "strange"
    with pytest.raises(EngineNeededError) as needed:
        known.compare("a", "b", policy="bag", is_ordered=False)
    assert needed.value.sql is None


def test_results_are_held_up_to_a_number_of_rows_and_hashed_alike(tmp_path):
    files = ResultFiles(tmp_path)
    results = {
        f"q{n}": Execution("ok", ("a",), ("int",), tuple((n,) for _ in range(50)))
        for n in range(10)
    }
    for sql, result in results.items():
        files.keep(sql, result)
    known = KnownResults(files, max_rows=200)
    for sql, result in (*results.items(), *results.items()):
        assert known.execute(sql) == result
        assert known.hash_of(known.execute(sql)) == result_hash(result)
    assert len(known._held) == len(known._ids) <= 4
    assert known.hash_of(Execution("sql_error")) is None


def test_queries_are_executed_a_few_at_a_time_and_a_failure_is_raised(tmp_path):
    under_way, most = 0, 0

    def count(queries):
        for number in range(queries):
            nonlocal under_way, most
            under_way += 1
            most = max(most, under_way)
            yield f"q{number}"

    def execute(sql):
        nonlocal under_way
        under_way -= 1
        if sql == "q90":
            raise RuntimeError("Spark is gone")
        return Execution("ok", ("a",), ("int",), ())

    files = ResultFiles(tmp_path)
    execute_each(count(50), execute, files, workers=2)
    assert all(files.find(f"q{number}") is not None for number in range(50))
    assert most <= 6, "waiting ones are not taken from the list"
    with pytest.raises(RuntimeError, match="Spark is gone"):
        execute_each(count(100), execute, files, workers=2)
